"""Check a reader's function against a reference, and show the smallest input where it is wrong.

>>> import numpy as np
>>> from lossbook.exercises import check, regression
>>> def my_mse(target, prediction):
...     return np.sum((target - prediction) ** 2)
>>> def mse(target, prediction):
...     return np.mean((target - prediction) ** 2)
>>> check(my_mse, mse, regression())
Not yet. The smallest input found where the answer is wrong:
  target = [0, 0]
  prediction = [1, 0]
  your answer    = 1
  correct answer = 0.5
>>> check(mse, mse, regression())
Correct on all 44 cases.
"""

import inspect
import re
import warnings
from dataclasses import dataclass

import numpy as np

CANDIDATES = (0, 1, -1, 2, -2, 0.5, 1.5, 3, -3, 10, -10, 100, -100)


def check(function, reference, cases=None, *, tolerance=1e-6, strict=False):
    """Compare `function` with `reference` on all cases, from the smallest to the largest.

    Prints one line if all answers are right. Otherwise prints the smallest input on which the
    answer is wrong: the first such case, made smaller as long as the answer stays wrong in
    the same way. The text is the same in every run.

    Parameters
    ----------
    function : callable
        The reader's. Gets copies of the inputs as NumPy arrays, and returns a number or array.
    reference : callable
        Takes the same arguments and is right. An input it refuses with an error, or on which
        it gives NaN, is not used when a case is made smaller.
    cases : iterable of tuples of arrays, optional
        The arguments of one call each: from `regression`, `binary_logits`,
        `binary_probabilities`, `multiclass`, `vector`, or written by hand: labels as integers,
        quantities with a decimal point. Default: `regression()`.
    tolerance : float
        Answers a and b agree when |a − b| ≤ tolerance · (1 + |b|).
    strict : bool
        Raise AssertionError with the report instead of printing it, and print nothing when
        all is right. For tests; a page goes on after a wrong attempt.
    """
    cases = regression() if cases is None else [_as_case(case) for case in cases]
    if not cases:
        raise ValueError("check: cases is empty; give at least one tuple of arguments.")
    attempt = _Attempt(function, reference, tolerance)
    for case in sorted(cases, key=_size):
        if attempt.problem(case) is not None:
            report = _report(attempt, _shrink(attempt, case))
            if strict:
                raise AssertionError(report)
            print(report)
            return
    if not strict:
        print(f"Correct on all {len(cases)} cases." if len(cases) > 1 else "Correct on the case.")


def regression(*, extreme=True):
    """Cases (target, prediction): float64 arrays of shape (n,), n from 1 to 20.

    `extreme` adds errors of ±1000.
    """
    cases = [
        ([0], [0]),
        ([0], [1]),
        ([1], [0]),
        ([0], [-1]),
        ([2], [5]),
        ([-1], [1]),
        ([0, 0], [1, 0]),
        ([1, 2], [1, 4]),
        ([3, 3], [1, 5]),
        ([0, 0, 0], [1, -2, 3]),
        ([1, 2, 3], [1, 2, 3]),
    ]
    if extreme:
        cases += [([0], [1000]), ([0], [-1000]), ([1000, 0], [0, 0])]
    random = np.random.default_rng(0)
    for n in (1, 2, 2, 3, 3, 4, 5, 6, 7, 8):
        cases.append(tuple(random.integers(-5, 6, size=(2, n))))
    for n in (1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 8, 8, 10, 10, 12, 15, 20, 20):
        cases.append(tuple(random.normal(size=(2, n)).round(2)))
    return [_as_case(np.array(part, dtype=float) for part in case) for case in cases]


def binary_logits(*, extreme=True):
    """Cases (labels, logits): int64 labels 0 or 1 and float64 logits, both of shape (n,).

    `extreme` adds logits of ±1000.
    """
    cases = [
        ([1], [0]),
        ([0], [0]),
        ([1], [1]),
        ([0], [1]),
        ([1], [-2]),
        ([0], [-2]),
        ([1, 0], [0, 0]),
        ([1, 0], [1, -1]),
        ([1, 1, 0], [2, -1, 0]),
    ]
    if extreme:
        cases += [([label], [logit]) for label in (0, 1) for logit in (1000, -1000)]
    random = np.random.default_rng(0)
    for n in (1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12, 15, 20, 20):
        cases.append((random.integers(0, 2, size=n), random.normal(scale=3, size=n).round(2)))
    return [_as_case((np.array(a), np.array(b, dtype=float))) for a, b in cases]


def binary_probabilities(*, extreme=True):
    """Cases (labels, probabilities): int64 labels and float64 probabilities, shape (n,).

    `extreme` adds probabilities of exactly 0 and 1, where a logarithm may be infinite.
    """
    cases = [
        ([1], [0.5]),
        ([0], [0.5]),
        ([1], [0.25]),
        ([0], [0.25]),
        ([1], [0.9]),
        ([1, 0], [0.5, 0.5]),
        ([1, 0], [0.8, 0.1]),
        ([0, 1, 1], [0.5, 0.25, 0.75]),
    ]
    if extreme:
        cases += [([label], [p]) for label in (0, 1) for p in (0, 1)]
    random = np.random.default_rng(0)
    for n in (1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12, 15, 20, 20):
        cases.append((random.integers(0, 2, size=n), random.uniform(0.01, 0.99, size=n).round(2)))
    return [_as_case((np.array(a), np.array(b, dtype=float))) for a, b in cases]


def multiclass(*, extreme=True):
    """Cases (labels, logits): int64 labels of shape (n,), float64 logits of shape (n, C).

    C runs from 2 to 10. `extreme` adds logits of ±1000.
    """
    cases = [
        ([0], [[0, 0]]),
        ([1], [[0, 0]]),
        ([0], [[1, 0]]),
        ([1], [[1, 0]]),
        ([2], [[1, 2, 3]]),
        ([0], [[2, 2, 2]]),
        ([0, 1], [[1, 0], [1, 0]]),
        ([0, 2], [[1, 0, 0], [0, 1, 2]]),
    ]
    if extreme:
        cases += [([0], [[1000, 0]]), ([1], [[1000, 0]]), ([0], [[-1000, -1000]])]
    random = np.random.default_rng(0)
    for n, classes in ((1, 2), (1, 3), (2, 2), (2, 3), (3, 3), (4, 3), (3, 5), (5, 4), (8, 10)):
        labels = random.integers(0, classes, size=n)
        cases.append((labels, random.normal(scale=2, size=(n, classes)).round(2)))
    return [_as_case((np.array(a), np.array(b, dtype=float))) for a, b in cases]


def vector(*, extreme=True):
    """Cases (values,): one float64 array of shape (n,), n from 1 to 20.

    `extreme` adds values of ±1000.
    """
    cases = [[0], [1], [-2], [0, 0], [1, 2], [3, 3], [0, -1, 1], [2, 2, 2]]
    if extreme:
        cases += [[1000], [1000, 0], [-1000, -1000]]
    random = np.random.default_rng(0)
    cases += [random.integers(-5, 6, size=n) for n in (2, 3, 4, 5)]
    cases += [random.normal(size=n).round(2) for n in (1, 2, 3, 4, 5, 6, 8, 10, 15, 20)]
    return [_as_case((np.array(case, dtype=float),)) for case in cases]


@dataclass(frozen=True)
class _Attempt:
    """A function under test and its reference; the one place where they are called."""

    function: object
    reference: object
    tolerance: float

    def correct(self, case):
        return _array(_call(self.reference, case))

    def answer(self, case):
        return _call(self.function, case)

    def problem(self, case):
        """What is wrong with the answer, in one word, or None when it is right."""
        correct = self.correct(case)
        try:
            answer = self.answer(case)
        except Exception as error:
            return type(error).__name__
        if answer is None:
            return "none"
        try:
            answer = _array(answer)
        except (TypeError, ValueError):
            return "type"
        if answer.shape != correct.shape:
            return "shape"
        if np.isnan(answer).any() and not np.isnan(correct).any():
            return "nan"
        close = np.isclose(answer, correct, self.tolerance, self.tolerance, equal_nan=True)
        return None if close.all() else "value"

    def is_defined(self, case):
        try:
            return not np.isnan(self.correct(case)).any()
        except Exception:
            return False


def _call(function, case):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return function(*(part.copy() for part in case))


def _array(answer):
    if isinstance(answer, str):
        raise TypeError("text is not an answer, even where NumPy could read a number in it")
    if hasattr(answer, "detach"):
        answer = answer.detach()
    return np.asarray(answer, dtype=float)


def _as_case(parts):
    return tuple(np.array(part) for part in parts)


def _size(case):
    values = np.concatenate([np.abs(part).ravel().astype(float) for part in case])
    largest = values.max(initial=0.0)
    # What can be checked on paper comes first: extreme values last, then short before long.
    return largest > 100, values.size, largest, values.sum()


def _shrink(attempt, case):
    """The case with samples dropped and values made simple, still wrong in the same way."""
    problem = attempt.problem(case)
    shrunk = True
    while shrunk:
        shrunk = False
        for smaller in _smaller(case):
            if attempt.is_defined(smaller) and attempt.problem(smaller) == problem:
                case, shrunk = smaller, True
                break
    return case


def _smaller(case):
    lengths = {part.shape[0] for part in case if part.ndim > 0}
    if len(lengths) == 1 and (n := lengths.pop()) > 1:
        for k in range(n):
            yield tuple(np.delete(part, k, axis=0) if part.ndim else part for part in case)
    for i, part in enumerate(case):
        if part.ndim == 2 and part.shape[1] > 2:
            for k in range(part.shape[1]):
                yield (*case[:i], np.delete(part, k, axis=1), *case[i + 1 :])
    for i, part in enumerate(case):
        within_unit = part.size > 0 and part.min() >= 0 and part.max() <= 1
        for place in np.ndindex(part.shape):
            value = part[place]
            rounded = round(float(value)), round(float(value), 1), abs(float(value))
            for candidate in (*CANDIDATES, *rounded):
                if within_unit and not 0 <= candidate <= 1:
                    continue
                if candidate != np.array(candidate).astype(part.dtype):
                    continue
                if _complexity(candidate) < _complexity(value):
                    simpler = part.copy()
                    simpler[place] = candidate
                    yield (*case[:i], simpler, *case[i + 1 :])


def _complexity(value):
    value = float(value)
    return len(f"{abs(value):g}"), abs(value), value < 0


def _report(attempt, case):
    correct = attempt.correct(case)
    problem = attempt.problem(case)
    lines = ["Not yet. The smallest input found where the answer is wrong:"]
    for name, part in zip(_names(attempt.function, len(case)), case, strict=True):
        lines.append(f"  {name} = {_text(part)}")
    if problem in ("shape", "nan", "value"):
        answer = _array(attempt.answer(case))
        digits = next((d for d in (6, 10) if _text(answer, d) != _text(correct, d)), 17)
        shown = _text(answer, digits)
    elif problem == "none":
        digits, shown = 6, "None (is the return statement missing?)"
    elif problem == "type":
        answer = attempt.answer(case)
        digits, shown = 6, f"a {type(answer).__name__}; a number or an array is needed"
    else:
        digits, shown = 6, _error_text(attempt, case)
    lines.append(f"  your answer    = {shown}")
    lines.append(f"  correct answer = {_text(correct, digits)}")
    if problem == "shape":
        lines.append(f"Your answer has shape {answer.shape}; the correct one, {correct.shape}.")
    return "\n".join(lines)


def _error_text(attempt, case):
    try:
        attempt.answer(case)
    except Exception as error:
        message = re.sub(r" at 0x[0-9a-fA-F]+", "", str(error))  # differs from run to run
        return f"an error, {type(error).__name__}: {message}"
    return "different from call to call"


def _names(function, count):
    try:
        names = list(inspect.signature(function).parameters)[:count]
    except (TypeError, ValueError):
        names = []
    return names if len(names) == count else [f"argument {k + 1}" for k in range(count)]


def _text(values, digits=6):
    values = np.asarray(values)
    if values.ndim:
        return "[" + ", ".join(_text(value, digits) for value in values) + "]"
    return f"{float(values) + 0.0:.{digits}g}"
