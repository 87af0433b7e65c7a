"""No library is more accurate than ours, for value or gradient, at ordinary or extreme inputs.

`exactness` measures, `accuracy_inputs` says where. `benchmarks/accuracy.md` shows the figures.
"""

import math

import numpy as np
import pytest
from accuracy_inputs import inputs
from exactness import (
    OURS,
    comparisons,
    error,
    is_installed,
    measure,
    wanted,
)

import lossbook
from lossbook.libraries import EQUIVALENTS

FLOOR = 4  # units in the last place; a smaller difference means nothing
BOUND = 64  # for what no library has

# Where a library has a smaller error: (loss, inputs, quantity) and the reason.
BETTER = {
    ("ctc", "logits of 60", "gradient"): "sums of logarithms near -150, whose last digits all "
    "implementations lose; which loses most is chance",
    ("focal", "ordinary", "gradient"): "near its zero, for a soft target, the two terms cancel",
    ("generalised_cross_entropy", "wrong by 15 to 90", "gradient"): "the power of a probability "
    "by its logarithm, so that it is right below the smallest number too",
    ("poisson_nll", "ordinary", "gradient"): "NumPy's exponential is off by a unit, where torch's "
    "is off by half of one, and exp(z) - y magnifies it",
}

# Where no library has the loss and more digits than BOUND are lost.
LOST = {
    ("siglip", "pairs nearly the same", "gradient"): "it is the part of a vector across another, "
    "which is nearly parallel to it",
}


@pytest.mark.parametrize("name", lossbook.__all__)
def test_no_library_is_more_accurate(name):
    found = measure(name)
    better = {}
    for ours, theirs, samples in comparisons(found):
        own, other = ours.largest_among(samples), theirs.largest_among(samples)
        if own > other + FLOOR:
            key = name, ours.inputs, ours.quantity
            better[key] = f"{own:.3g} against {other:.3g}, {theirs.call}, {ours.parameters}"
    assert {k: v for k, v in better.items() if k not in BETTER} == {}
    if all(is_installed(e.library) for e in EQUIVALENTS.get(name, ())):
        assert {key for key in BETTER if key[0] == name} <= better.keys(), "a reason too many"
    if name not in EQUIVALENTS:
        lost = {(name, m.inputs, m.quantity) for m in found if m.largest > BOUND}
        assert lost == {key for key in LOST if key[0] == name}


def test_every_library_is_measured():
    libraries = ("torch", "keras", "tensorflow", "sklearn", "optax")
    by = {m.by for m in measure("mse")}
    assert by == {OURS, *(library for library in libraries if is_installed(library))}


@pytest.mark.parametrize("name", lossbook.__all__)
def test_the_inputs_are_numbers_of_both_types(name):
    sets = inputs(name)
    assert len(sets) >= 2
    for arrays in sets.values():
        for array in arrays.values():
            if array.dtype.kind == "f":
                assert np.array_equal(array, array.astype(np.float32))


class TestTheMeasure:
    def test_units_of_the_last_place(self):
        one = np.float32(1)
        assert error(np.nextafter(one, np.float32(2)), 1, "float32") == 1
        assert error(1, 1, "float32") == 0
        assert error(2.0**-149, 0, "float32") == 1  # the smallest number of all
        assert error(0.0, 1, "float32") == 2**23  # no digit is right

    def test_infinities(self):
        assert error(math.inf, 10**60, "float32") == 0
        assert error(3e38, 10**60, "float32") == math.inf
        assert error(math.inf, 1, "float32") == math.inf
        assert error(-math.inf, math.inf, "float32") == math.inf
        assert error(math.nan, 1, "float32") == math.inf

    def test_a_formula_that_cancels_is_seen(self):
        """The log-cosh of Keras has no right digit at an error of 1e-4."""
        if not wanted("log_cosh"):
            pytest.skip("needs keras or optax")
        errors = {m.by: m.largest for m in measure("log_cosh") if "1e-4" in m.inputs}
        assert errors[OURS] < FLOOR
        assert max(errors.values()) > 1e6
