"""What is timed: five losses, their sizes, and the numbers they are given."""

import dataclasses

import numpy as np

POINTWISE = "mse", "mae", "huber", "bce_with_logits"
SIZES = 1_000, 100_000, 10_000_000
TABLES = (65_536, 10), (4_096, 1_000)


@dataclasses.dataclass(frozen=True)
class Work:
    """A loss, the shape of its prediction, and the type of the numbers."""

    loss: str
    shape: tuple
    dtype: str = "float32"

    def __str__(self):
        size = " × ".join(f"{n:,}".replace(",", " ") for n in self.shape)
        return f"{self.loss}, {size}" + (", float64" if self.dtype == "float64" else "")

    def arguments(self):
        """Target and prediction: normal errors, fair labels."""
        rng = np.random.default_rng(0)
        prediction = rng.standard_normal(self.shape, dtype=self.dtype)
        if self.loss == "cross_entropy":
            return rng.integers(0, self.shape[1], self.shape[0]), prediction
        target = rng.standard_normal(self.shape, dtype=self.dtype)
        if self.loss == "bce_with_logits":
            target = (target > 0).astype(self.dtype)
        return target, prediction


def all_work(*, sizes=SIZES, tables=TABLES):
    work = [Work(loss, (n,)) for loss in POINTWISE for n in sizes]
    work += [Work("mse", (n,), "float64") for n in sizes]
    return work + [Work("cross_entropy", shape) for shape in tables]
