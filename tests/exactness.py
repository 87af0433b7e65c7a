"""The error of each loss, ours and the libraries', against 50 digits and more.

`measure(name)` evaluates value and gradient at every set of `accuracy_inputs`, here and by every
call of `lossbook.libraries`, sample by sample: in float32, and for scikit-learn, which computes in
float64 whatever it is given, in float64. An error is counted in units of the last place: the
distance from the exact result over ``eps · |exact result|``, and where the exact result is below
the smallest normal number, over ``eps`` times that. The gradient of a sample of several numbers is
a vector, and its error relative to its largest component. An error of ``1 / eps`` means that no
digit is right, and no error counts more, but a wrong infinity or NaN, which is an infinite one.
"""

import dataclasses
import functools
import importlib.util
import math
import warnings

import mpmath
import numpy as np
from accuracy_inputs import inputs
from cases import CASES
from cases import exact as exact_number
from equivalents import CONVERT, Check, as_numpy, gradients_of, usual_reduction
from structured_cases import STRUCTURED_CASES
from structured_cases import exact as exact_array

import lossbook
from lossbook.classwise import ClasswiseLoss
from lossbook.fast_numpy import FROM
from lossbook.libraries import EQUIVALENTS

DIGITS = 220  # exp(-180) beside 1, and a difference of two values 1e-80 apart
MORE_DIGITS = 600  # exp(-1000) beside 1
STEP = mpmath.mpf(10) ** -80
RESOLUTION = mpmath.mpf(10) ** -125  # below it an exact gradient is noise of the difference
OURS = "lossbook"
TYPES = {"sklearn": "float64"}  # computes in it whatever it gets; all others take float32
BATCH = 36  # samples in one call: one shape, which JAX compiles once
REFUSALS = (ValueError, ZeroDivisionError, OverflowError)
NO_GRADIENT = ("label_ranking", "zero_one")


@dataclasses.dataclass(frozen=True)
class Measured:
    """The errors of one way to compute the values or the gradients of one set."""

    parameters: str
    inputs: str
    dtype: str
    quantity: str  # value or gradient
    by: str  # lossbook, or the library
    call: str
    errors: dict  # by the number of the sample

    @property
    def largest(self):
        return max(self.errors.values())

    def largest_among(self, samples):
        return max(self.errors[i] for i in samples)


def measure(name, libraries=True):
    """A list of `Measured` for the loss of this name, ours first in each set."""
    found = []
    equivalents = wanted(name) if libraries else []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for parameters in parameter_sets(name, equivalents):
            for what, arrays in inputs(name).items():
                truth = exact(name, repr(parameters), what)
                for dtype in ("float32", "float64"):
                    run = Run(name, parameters, what, typed(arrays, dtype), dtype, truth)
                    found += run.ours()
                    for equivalent in equivalents:
                        sets = equivalent.parameters or case_of(name).parameters
                        if dtype == TYPES.get(equivalent.library, "float32") and parameters in sets:
                            found += run.theirs(equivalent)
    return found


def case_of(name):
    return STRUCTURED_CASES.get(name) or CASES[name]


def wanted(name):
    """The equivalents that are compared: each computation once, of the installed libraries."""
    return [
        equivalent
        for equivalent in EQUIVALENTS.get(name, ())
        if not (
            equivalent.path.startswith("torch.nn.") and ".functional." not in equivalent.path
        )  # a class of torch calls the function
        and not equivalent.weight  # made from the whole batch
        and is_installed(equivalent.library)
    ]


@functools.cache
def is_installed(library):
    return importlib.util.find_spec(library) is not None


def parameter_sets(name, equivalents):
    sets = list(case_of(name).parameters)
    for equivalent in equivalents:
        sets += [parameters for parameters in equivalent.parameters if parameters not in sets]
    return sets


def typed(arrays, dtype):
    return {k: a.astype(dtype) if a.dtype.kind == "f" else a for k, a in arrays.items()}


# The exact results


@dataclasses.dataclass(frozen=True)
class Truth:
    """Exact values, and exact gradients, nested lists by name; None where there is no derivative.

    Of a coupled loss the one value and gradient of the mean.
    """

    values: list
    gradients: list  # one dictionary a sample


@functools.lru_cache(maxsize=4096)
def exact(name, parameters, what):
    parameters = eval(parameters, {"inf": math.inf})
    case, arrays = case_of(name), inputs(name)[what]
    with mpmath.workdps(MORE_DIGITS if what.endswith(" 1000") else DIGITS):
        samples = _samples(case, arrays, parameters)
        truths = [_exact_of_sample(function, point) for function, point in samples]
    return Truth([value for value, _ in truths], [slopes for _, slopes in truths])


def _samples(case, arrays, parameters):
    """For each sample its value as a function of the predictions, and these."""
    loss = case.loss
    if case.loss.name in CASES:
        name, form = loss.prediction_name, exact_array if case.classes else exact_number
        for y, p in zip(arrays["target"], arrays[name], strict=True):
            label = exact_number(y)
            yield (
                lambda point, label=label: case.reference(label, point[name], **parameters),
                {name: form(p)},
            )
        return
    whole = {k: exact_array(a) for k, a in arrays.items()}
    if loss.coupled:
        yield (
            lambda point: (
                mpmath.fsum(values := case.reference(**{**whole, **point}, **parameters))
                / len(values)
            ),
            {name: whole[name] for name in loss.predictions},
        )
        return
    for i in range(len(next(iter(arrays.values())))):
        sample = {k: array[i] for k, array in whole.items()}
        yield (
            lambda point, sample=sample: case.reference(**{**sample, **point}, **parameters),
            {name: sample[name] for name in loss.predictions},
        )


def _exact_of_sample(function, point):
    value = _real(function, point)
    slopes = {}
    for name, at in point.items():

        def along(moved, name=name):
            return _real(function, {**point, name: moved})

        slopes[name] = _derivatives(along, at)
    return value, slopes


def _real(function, point):
    """The value, or None where the formula leaves the real numbers."""
    try:
        value = function(point)
    except ZeroDivisionError:
        return None
    is_real = isinstance(value, (int, mpmath.mpf)) and not mpmath.isnan(value)
    return value if is_real else None


def _derivatives(function, at):
    """By central differences, so close that they are exact."""
    if not isinstance(at, list):
        high, low = function(at + STEP), function(at - STEP)
        if high is None or low is None:
            return None
        return (mpmath.mpf(high) - low) / (2 * STEP)
    return [
        _derivatives(lambda moved, i=i: function([*at[:i], moved, *at[i + 1 :]]), x)
        for i, x in enumerate(at)
    ]


def _flat(nested):
    return [x for part in nested for x in _flat(part)] if isinstance(nested, list) else [nested]


# Errors


def error(found, truth, dtype, scale=None):
    """The distance in units of the last place; ``scale`` in place of the size of the truth."""
    limits = np.finfo(dtype)
    found = float(found)
    if math.isnan(found):
        return math.inf
    largest = mpmath.mpf(float(limits.max)) * (1 + mpmath.mpf(float(limits.eps)) / 4)
    if abs(truth) > largest:  # rounds to infinity
        return 0.0 if math.isinf(found) and (found > 0) == (truth > 0) else math.inf
    if math.isinf(found):
        return math.inf
    size = max(abs(truth if scale is None else scale), mpmath.mpf(float(limits.tiny)))
    unit = max(size * mpmath.mpf(float(limits.eps)), RESOLUTION)
    return min(float(abs(found - truth) / unit), 1 / float(limits.eps))


def error_of_gradient(found, truth, dtype):
    """The largest error of a component, None if there is no derivative."""
    truth = _flat(truth)
    if any(t is None for t in truth):
        return None
    scale = max(abs(t) for t in truth)
    pairs = zip(np.ravel(found).tolist(), truth, strict=True)
    return max(error(f, t, dtype, scale) for f, t in pairs)


class Run:
    """One loss at one set of inputs, of parameters, in one type."""

    def __init__(self, name, parameters, what, arrays, dtype, truth):
        self.name, self.parameters, self.what = name, parameters, what
        self.arrays, self.dtype, self.truth = arrays, dtype, truth
        self.loss, self.case = getattr(lossbook, name), case_of(name)
        self.coupled = getattr(self.loss, "coupled", False)
        self.structured = name in STRUCTURED_CASES
        self.mean_only = getattr(self.case, "has_mean_only", False)
        self.size = len(next(iter(arrays.values())))
        self.predictions = (
            self.loss.predictions if self.structured else (self.loss.prediction_name,)
        )

    def measured(self, quantity, by, call, errors):
        errors = {i: e for i, e in errors.items() if e is not None}
        if not errors:
            return []
        key = repr(self.parameters) if self.parameters else ""
        return [Measured(key, self.what, self.dtype, quantity, by, call, errors)]

    def value_errors(self, values, samples, factor=1):
        factor = mpmath.mpf(float(factor))
        return {
            i: error(value, factor * self.truth.values[i], self.dtype)
            for i, value in zip(samples, values, strict=True)
            if self.truth.values[i] is not None
        }

    def gradient_errors(self, gradients, samples, factor=1):
        """``gradients``: for each sample one array a prediction."""
        if self.name in NO_GRADIENT:
            return {}
        factor = mpmath.mpf(float(factor))
        result = {}
        for i, slopes in zip(samples, gradients, strict=True):
            each = [
                error_of_gradient(slope, _times(factor, self.truth.gradients[i][name]), self.dtype)
                for name, slope in zip(self.predictions, slopes, strict=True)
            ]
            result[i] = None if None in each else max(each)
        return result

    # Ours

    def ours(self):
        """The largest error of the ways in which NumPy arrays are computed."""
        values, gradients = {}, {}
        for way in self.ways():
            for total, new in zip((values, gradients), way, strict=True):
                for i, e in new.items():
                    total[i] = e if total.get(i) is None or e is None else max(total[i], e)
        call = f"lossbook.{self.name}"
        return self.measured("value", OURS, call, values) + self.measured(
            "gradient", OURS, call, gradients
        )

    def ways(self):
        if self.coupled:
            yield self.of_whole()
        elif self.mean_only or (not self.structured and self.loss._kernel):
            yield self.one_by_one()
        if not self.coupled and not self.mean_only:
            yield self.of_table(self.arrays)
            if not self.structured:  # enough of them for the faster functions
                count = -(-FROM // self.size) * self.size
                yield self.of_table({k: _repeated(a, count) for k, a in self.arrays.items()})

    def of_whole(self):
        value, slopes = self.loss.value_and_gradient(**self.arrays, **self.parameters)
        return self.value_errors([value], [0]), self.gradient_errors([_tuple(slopes)], [0])

    def of_table(self, arrays):
        values, slopes = self.loss.value_and_gradient(**arrays, reduction="none", **self.parameters)
        samples = range(self.size)
        rows = [[slope[i] for slope in _tuple(slopes)] for i in samples]
        return (
            self.value_errors(values[: self.size], samples),
            self.gradient_errors(rows, samples),
        )

    def one_by_one(self):
        values, rows = [], []
        for i in range(self.size):
            value, slopes = self.loss.value_and_gradient(**self.sample(i), **self.parameters)
            values.append(value)
            rows.append(_tuple(slopes))
        samples = range(self.size)
        return self.value_errors(values, samples), self.gradient_errors(rows, samples)

    def sample(self, i):
        return {k: a[i : i + 1] for k, a in self.arrays.items()}

    # Theirs

    def theirs(self, equivalent):
        arrays, samples = self.admitted(equivalent)
        if not len(samples):
            return []
        library, call = equivalent.library, equivalent.call
        if (
            equivalent.path.endswith("log_loss") and self.name == "bce"
        ):  # of one sample it cannot know the other
            equivalent = dataclasses.replace(equivalent, call=call.replace(")", ", labels=[0, 1])"))
        if self.coupled:
            batches = [(arrays, [0])]
        elif usual_reduction(equivalent) == "none":
            batches = [({k: _repeated(a, BATCH) for k, a in arrays.items()}, list(samples))]
        else:
            batches = [(self.one(equivalent, arrays, row), [i]) for row, i in enumerate(samples)]
        values, gradients = {}, {}
        for batch, numbers in batches:
            check = Check(self.name, equivalent, batch, self.parameters)
            if not equivalent.up_to_constant:
                values |= self.value_errors(_values(check, len(numbers)), numbers, check.factor)
            if library != "sklearn" or check.has_own_gradient:
                rows = _gradients(check, len(numbers), self.coupled)
                gradients |= self.gradient_errors(rows, numbers, check.factor)
        return self.measured("value", library, equivalent.label, values) + self.measured(
            "gradient", library, equivalent.label, gradients
        )

    def admitted(self, equivalent):
        """The arrays in the form that the library takes, and the samples that it takes."""
        arrays = dict(self.arrays)
        if self.coupled:
            return arrays, [0]
        target, prediction = arrays.get("target"), arrays[self.predictions[0]]
        keep = np.ones(self.size, bool)
        if equivalent.target == "labels":
            keep &= (target == 0) | (target == 1)
        elif equivalent.target == "positive":
            keep &= target > 0
        elif equivalent.target == "distributions" and isinstance(self.loss, ClasswiseLoss):
            arrays["target"] = np.eye(prediction.shape[-1], dtype=self.dtype)[target]
        if equivalent.prediction == "positive":
            keep &= (prediction > 0).reshape(self.size, -1).all(-1)
        if equivalent.path == "sklearn.metrics.hinge_loss" and self.name == "hinge":
            keep &= target == -1  # it takes the only label of a batch for -1
        return {k: a[keep] for k, a in arrays.items()}, np.flatnonzero(keep)

    def one(self, equivalent, arrays, row):
        """A batch of one sample, of a second axis where libraries expect one."""
        batch = {k: a[row : row + 1] for k, a in arrays.items()}
        is_number = not self.structured and not self.case.classes
        if is_number and equivalent.library != "sklearn":
            batch = {k: a.reshape(1, 1) for k, a in batch.items()}
        return batch


def _times(factor, nested):
    if isinstance(nested, list):
        return [_times(factor, part) for part in nested]
    return None if nested is None else factor * nested


def _tuple(slopes):
    return slopes if isinstance(slopes, tuple) else (slopes,)


def _repeated(array, count):
    return np.resize(array, (count, *array.shape[1:]))


def _values(check, count):
    """One value a sample; NaN where the library refuses the input."""
    convert = CONVERT[check.equivalent.library]
    try:
        value = check.theirs(**{k: convert(a) for k, a in check.arrays.items()})
        return np.ravel(as_numpy(value))[:count]
    except REFUSALS:
        return np.full(count, np.nan)


def _gradients(check, count, coupled):
    try:
        slopes = gradients_of(check)
    except REFUSALS:
        slopes = [np.full(check.arrays[name].shape, np.nan) for name in check.predictions]
    return [slopes] if coupled else [[slope[i] for slope in slopes] for i in range(count)]


# Comparisons


def comparisons(found):
    """(ours, theirs, samples) for every measurement of a library, on the samples that it took."""
    ours = {(m.parameters, m.inputs, m.dtype, m.quantity): m for m in found if m.by == OURS}
    for m in found:
        if m.by != OURS:
            own = ours[m.parameters, m.inputs, m.dtype, m.quantity]
            yield own, m, sorted(m.errors.keys() & own.errors.keys())
