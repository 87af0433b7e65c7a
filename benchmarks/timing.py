"""Timing side by side: every contender in every round, and ratios within a round.

The clock of a machine drifts, other programs come and go. Two times taken minutes apart say little
about each other; two times from the same round, milliseconds apart, do.
"""

import gc
import random
import statistics
import time

ROUNDS = 9


def interleaved(calls, *, rounds=ROUNDS, at_least=2e-3):
    """The seconds a call takes, a list of one time a round for each name in ``calls``.

    In each round every call runs once, in an order drawn anew; a short one is repeated until
    ``at_least`` seconds have passed, and the time is divided by the number of runs.
    """
    repeats = {name: _repeats(call, at_least) for name, call in calls.items()}
    times = {name: [] for name in calls}
    order, shuffle = list(calls), random.Random(0).shuffle
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            shuffle(order)
            for name in order:
                times[name].append(_seconds(calls[name], repeats[name]))
    finally:
        gc.enable()
    return times


def _repeats(call, at_least):
    call()
    call()
    seconds = _seconds(call, 1)
    return max(1, min(1000, round(at_least / seconds)))


def _seconds(call, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


class Ratio:
    """How many times as long one call takes as another, from two lists of times."""

    def __init__(self, times, reference):
        ratios = [a / b for a, b in zip(times, reference, strict=True)]
        self.median = statistics.median(ratios)
        self.low, self.high = min(ratios), max(ratios)
        self.of_minima = min(times) / min(reference)

    def __str__(self):
        return f"{number(self.median)} ({number(self.low)}–{number(self.high)})"


def number(x):
    return f"{x:.2f}" if x < 10 else f"{x:.1f}" if x < 100 else f"{x:.0f}"
