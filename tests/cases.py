"""How to draw valid arguments for each loss, and reference values of 50 digits.

A loss that is added to `lossbook` without an entry here makes `test_every_loss` fail.
"""

import dataclasses
from collections.abc import Callable

import mpmath
import numpy as np

import lossbook

mpmath.mp.dps = 50


@dataclasses.dataclass(frozen=True)
class Case:
    """A loss, samplers for its arguments, parameter sets, and its formula in mpmath."""

    loss: object
    target: Callable  # (rng, shape) -> array
    prediction: Callable
    reference: Callable  # (target, prediction, **parameters) -> one exact value
    parameters: tuple = ({},)
    classes: int = 0  # more than 0: the last axis of the prediction

    def draw(self, seed, shape, dtype=np.float64):
        """Target and prediction; a class-wise loss gets ``shape`` rows of ``classes``."""
        rng = np.random.default_rng(seed)
        target = self.target(rng, shape)
        full = (*shape, self.classes) if self.classes else shape
        prediction = self.prediction(rng, full).astype(dtype)
        if not np.issubdtype(target.dtype, np.integer):
            target = target.astype(dtype)
        return target, prediction


def normal(rng, shape):
    return 2 * rng.normal(size=shape)


def probability(rng, shape):
    return rng.uniform(0.01, 0.99, size=shape)


def sign(rng, shape):
    return 2 * rng.integers(0, 2, size=shape) - 1


def label(rng, shape):
    return rng.integers(0, 4, size=shape)


def log_probability(rng, shape):
    return np.log(rng.dirichlet(np.ones(shape[-1]), size=shape[:-1]))


def huber(y, p, delta=1.0):
    e = abs(p - y)
    return e**2 / 2 if e <= delta else delta * (e - mpmath.mpf(delta) / 2)


def pinball(y, p, quantile=0.5):
    tau = mpmath.mpf(quantile)
    return max(tau * (y - p), (tau - 1) * (y - p))


def binary(y, p):
    terms = [weight * mpmath.log(q) for weight, q in ((y, p), (1 - y, 1 - p)) if weight]
    return -mpmath.fsum(terms)


def binary_with_logits(y, z):
    return y * mpmath.log1p(mpmath.exp(-z)) + (1 - y) * mpmath.log1p(mpmath.exp(z))


def categorical(y, z, label_smoothing=0.0):
    total = mpmath.log(mpmath.fsum(mpmath.exp(score) for score in z))
    smooth = mpmath.mpf(label_smoothing)
    surprises = [total - score for score in z]
    return (1 - smooth) * surprises[int(y)] + smooth * mpmath.fsum(surprises) / len(z)


CASES = {
    case.loss.name: case
    for case in (
        Case(lossbook.mse, normal, normal, lambda y, p: (p - y) ** 2),
        Case(lossbook.rmse, normal, normal, lambda y, p: abs(p - y)),
        Case(lossbook.mae, normal, normal, lambda y, p: abs(p - y)),
        Case(lossbook.huber, normal, normal, huber, ({}, {"delta": 0.3}, {"delta": 7.0})),
        Case(lossbook.log_cosh, normal, normal, lambda y, p: mpmath.log(mpmath.cosh(p - y))),
        Case(lossbook.pinball, normal, normal, pinball, ({}, {"quantile": 0.9})),
        Case(lossbook.bce, probability, probability, binary),
        Case(lossbook.bce_with_logits, probability, normal, binary_with_logits),
        Case(lossbook.hinge, sign, normal, lambda y, z: max(0, 1 - y * z)),
        Case(lossbook.nll, label, log_probability, lambda y, z: -z[int(y)], classes=4),
        Case(
            lossbook.cross_entropy,
            label,
            normal,
            categorical,
            ({}, {"label_smoothing": 0.1}),
            classes=4,
        ),
    )
}

# every loss with every parameter set, for pytest.mark.parametrize
RUNS = [(case, parameters) for case in CASES.values() for parameters in case.parameters]
RUN_NAMES = [f"{case.loss.name}{parameters or ''}" for case, parameters in RUNS]


def exact(number):
    """The exact value of a floating point number, as mpmath holds it."""
    return mpmath.mpf(float(number))


def exact_values(case, target, prediction, parameters):
    """The reference value of each sample, rounded once, to float64."""
    flat_target = np.ravel(target)
    if case.classes:
        rows = np.reshape(prediction, (-1, case.classes))
        arguments = [(y, [exact(z) for z in row]) for y, row in zip(flat_target, rows, strict=True)]
    else:
        arguments = [
            (exact(y), exact(p)) for y, p in zip(flat_target, np.ravel(prediction), strict=True)
        ]
    values = [float(case.reference(y, p, **parameters)) for y, p in arguments]
    return np.reshape(values, np.shape(target))
