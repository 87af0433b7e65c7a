"""How to draw valid arguments for each loss of several arrays, and reference values of 50 digits.

A `StructuredLoss` that is added to `lossbook` without an entry here makes a test fail.
"""

import dataclasses
from collections.abc import Callable

import mpmath
import numpy as np

from lossbook import triplet

mpmath.mp.dps = 50


@dataclasses.dataclass(frozen=True)
class StructuredCase:
    """A loss, a sampler of its arrays, its formula in mpmath, and parameter sets."""

    loss: object
    sample: Callable  # (rng, n) -> {name: array} of n samples, floating arrays in float64
    # (**arrays of one sample as nested lists of mpf and int, **parameters) -> one exact value;
    # for a coupled loss all samples come at once, and a list of values goes back
    reference: Callable
    parameters: tuple = ({},)

    def draw(self, seed, n, dtype=np.float64):
        arrays = self.sample(np.random.default_rng(seed), n)
        return {
            name: array.astype(dtype) if np.issubdtype(array.dtype, np.floating) else array
            for name, array in arrays.items()
        }

    def exact_values(self, arrays, parameters):
        """The reference value of each sample, rounded once, to float64."""
        if self.loss.coupled:
            values = self.reference(**{k: exact(a) for k, a in arrays.items()}, **parameters)
            return np.array([float(value) for value in values])
        n = len(next(iter(arrays.values())))
        return np.array(
            [
                float(self.reference(**{k: exact(a[i]) for k, a in arrays.items()}, **parameters))
                for i in range(n)
            ]
        )


def exact(array):
    """Nested lists of what an array holds: integers as they are, floats as mpmath holds them."""
    array = np.asarray(array)
    if array.ndim:
        return [exact(entry) for entry in array]
    if np.issubdtype(array.dtype, np.floating):
        return mpmath.mpf(float(array))
    return array.item()


# Samplers


def vectors(*names, d=3):
    return lambda rng, n: {name: rng.normal(size=(n, d)) for name in names}


# References


def length(x):
    return mpmath.sqrt(mpmath.fsum(value**2 for value in x))


def minus(x, y):
    return [a - b for a, b in zip(x, y, strict=True)]


def triplet_reference(anchor, positive, negative, margin=1.0):
    difference = length(minus(anchor, positive)) - length(minus(anchor, negative))
    return max(0, difference + mpmath.mpf(margin))


STRUCTURED_CASES = {
    case.loss.name: case
    for case in (
        StructuredCase(
            triplet,
            vectors("anchor", "positive", "negative"),
            triplet_reference,
            ({}, {"margin": 0.2}),
        ),
    )
}

STRUCTURED_RUNS = [
    (case, parameters) for case in STRUCTURED_CASES.values() for parameters in case.parameters
]
STRUCTURED_RUN_NAMES = [
    f"{case.loss.name}{parameters or ''}" for case, parameters in STRUCTURED_RUNS
]
