"""Every loss against its own formula, evaluated at once by plain NumPy."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.timing import Ratio, interleaved

TESTS = Path(__file__).parent.parent / "tests"

GRADIENT_ROUNDS = 3
CHEAP = "few cheap steps, and the memory of this machine is fast for its core"
EITHER_WAY = "its exponentials and logarithms take as long in one block as in many"
COLUMNS = "its columns lie side by side, and NumPy is slow on every second number"
REASONS = {
    **dict.fromkeys(
        (
            "mse",
            "rmse",
            "mae",
            "brier",
            "mape",
            "epsilon_insensitive",
            "squared_epsilon_insensitive",
            "squared_hinge",
        ),
        CHEAP,
    ),
    **dict.fromkeys(
        (
            "poisson_nll",
            "gamma_nll",
            "exponential",
            "tweedie_deviance",
            "poisson_deviance",
            "gamma_deviance",
        ),
        EITHER_WAY,
    ),
    "gaussian_nll": COLUMNS,
    "laplace_nll": COLUMNS,
    "crps_gaussian": "nearly all of it is SciPy's error function, one number at a time",
    "nll": "most of it is the check that every log-probability is at most 0",
    "entmax15_loss": "sorting its rows takes as long in one block as in many",
    "sparsemax_loss": "sorting its rows takes as long in one block as in many",
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
    """The times of plain and of blocked evaluation: {loss: {what: {"plain": …, "blocked": …}}}."""
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

            calls = {"plain": at_once, "blocked": blocked}
            result[name][what] = interleaved(
                calls, rounds=rounds if what == "value" else min(GRADIENT_ROUNDS, rounds)
            )
    return result


def measure_in_child(n, rounds, names=None):
    """The ratios of plain to blocked evaluation, from a process without other libraries."""
    request = json.dumps([n, rounds, names])
    command = [sys.executable, "-m", "benchmarks", "--every", request]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return {
        name: {what: Ratio(t["plain"], t["blocked"]) for what, t in times.items()}
        for name, times in json.loads(done.stdout.splitlines()[-1]).items()
    }


def _draw(case, n):
    """A thousand drawn samples, in a random order, until there are n numbers."""
    target, prediction = case.draw(0, (1000,), np.float32)
    order = np.random.default_rng(0).integers(0, 1000, n // max(1, case.classes))
    if case.takes_logarithms:
        prediction = prediction - np.float32(0.01)
    return target[order], prediction[order]
