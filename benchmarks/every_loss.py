"""Every loss against its own formula, evaluated at once by plain NumPy."""

import contextlib
import sys
from pathlib import Path

import numpy as np

from benchmarks.timing import Ratio, interleaved

TESTS = Path(__file__).parent.parent / "tests"

REASONS = {
    "mae": "the formula is two passes already; the block adds a third for the sum",
    "crps_gaussian": "nearly all of it is SciPy's error function, one number at a time",
    "gamma_nll": "exp is half of the work, blocked or not",
    "gaussian_nll": "its columns lie side by side, and NumPy is slow on every second number",
    "laplace_nll": "its columns lie side by side, and NumPy is slow on every second number",
    "exponential": "exp is half of the work, blocked or not",
    "gamma_deviance": "log and expm1 are most of the work, blocked or not",
    "nll": "most of it is the check that every log-probability is at most 0",
}


@contextlib.contextmanager
def plain(loss):
    """The loss as one block, by its formula, on NumPy as it is."""
    from lossbook import fast_numpy, parts

    kept = loss._kernel, parts.BLOCK, fast_numpy.FROM
    loss._kernel, parts.BLOCK, fast_numpy.FROM = None, sys.maxsize, sys.maxsize
    try:
        yield
    finally:
        loss._kernel, parts.BLOCK, fast_numpy.FROM = kept


def measure(n=10_000_000, rounds=9, names=None):
    """For each loss the ratio of plain to blocked evaluation: of the value, and of the gradient."""
    sys.path.insert(0, str(TESTS))  # where it is described how to draw arguments for each loss
    from cases import CASES

    result = {}
    for name in names or CASES:
        case = CASES[name]
        target, prediction = _draw(case, n)
        result[name] = {}
        for what, call in (("value", case.loss), ("gradient", case.loss.gradient)):

            def blocked(call=call, target=target, prediction=prediction):
                return call(target, prediction)

            def at_once(blocked=blocked, loss=case.loss):
                with plain(loss):
                    return blocked()

            times = interleaved({"plain": at_once, "blocked": blocked}, rounds=rounds)
            result[name][what] = Ratio(times["plain"], times["blocked"])
    return result


def _draw(case, n):
    """A thousand drawn samples, in a random order, until there are n numbers."""
    target, prediction = case.draw(0, (1000,), np.float32)
    order = np.random.default_rng(0).integers(0, 1000, n // max(1, case.classes))
    if case.is_linear:
        prediction = prediction - np.float32(0.01)
    return target[order], prediction[order]
