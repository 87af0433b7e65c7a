"""The checks that losses share. Each error says which argument, what it was, what is allowed."""

import dataclasses
import math

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj, is_jax_array, is_torch_array


@dataclasses.dataclass(frozen=True)
class Interval:
    """A range of allowed values, its ends included, and what to do about a value outside it.

    ``slack`` widens the range by that many roundings of the array's type. ``above`` takes the
    low end out.
    """

    low: float
    high: float
    advice: str = ""
    slack: float = 0
    above: bool = False

    def __str__(self):
        if self.above:
            return f"above {self.low:g}"
        if self.low == -math.inf:
            return f"at most {self.high:g}"
        if self.high == math.inf:
            return f"at least {self.low:g}"
        return f"in [{self.low:g}, {self.high:g}]"

    def holds(self, values):
        """True if NumPy's extremes show at once that no value lies outside; False says nothing."""
        low, high = values.min(), values.max()  # with a NaN both are NaN
        return bool((self.low < low if self.above else self.low <= low) and high <= self.high)

    def outside(self, xp, values):
        room = self.slack * float(xp.finfo(values.dtype).eps) if self.slack else 0
        too_low = values <= self.low if self.above else values < self.low - room
        return too_low | (values > self.high + room)


@dataclasses.dataclass(frozen=True)
class OneOf:
    """A few allowed values."""

    values: tuple
    advice: str = ""

    def __str__(self):
        return " or ".join(f"{value:g}" for value in self.values)

    def outside(self, xp, values):
        outside = ~xp.isnan(values)  # NaN is not hidden, but it is not a wrong label either
        for value in self.values:
            outside = outside & (values != value)
        return outside


@dataclasses.dataclass(frozen=True)
class Not:
    """Every value but one."""

    value: float
    advice: str = ""

    def __str__(self):
        return f"different from {self.value:g}"

    def outside(self, xp, values):
        return values == self.value


REAL = None  # every number
REDUCTIONS = ("mean", "sum", "none")
NUMPY = array_namespace(np.empty(0))  # known without a search: most calls are NumPy's


def positive(loss, name, value):
    """A parameter that must be a finite number above 0."""
    if not (is_number(value) and 0 < value < math.inf):
        raise ValueError(f"{loss}: {name} must be a finite number above 0; it is {value!r}.")


def between_0_and_1(loss, name, value):
    """A parameter that must be a number in the open interval (0, 1)."""
    if not (is_number(value) and 0 < value < 1):
        raise ValueError(f"{loss}: {name} must lie strictly between 0 and 1; it is {value!r}.")


def fraction(loss, name, value):
    """A parameter that must be a number in [0, 1)."""
    if not (is_number(value) and 0 <= value < 1):
        raise ValueError(f"{loss}: {name} must be at least 0 and below 1; it is {value!r}.")


def not_negative(loss, name, value):
    """A parameter that must be a finite number of at least 0."""
    if not (is_number(value) and 0 <= value < math.inf):
        raise ValueError(f"{loss}: {name} must be a finite number of at least 0; it is {value!r}.")


def negative(loss, name, value):
    """A parameter that must be a finite number below 0."""
    if not (is_number(value) and -math.inf < value < 0):
        raise ValueError(f"{loss}: {name} must be a finite number below 0; it is {value!r}.")


def boolean(loss, name, value):
    """A parameter that must be True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{loss}: {name} must be True or False; it is {value!r}.")


def namespace_of(loss, **arrays):
    """The array namespace that the arguments share; None arguments are passed over."""
    arrays = {name: array for name, array in arrays.items() if array is not None}
    if all(type(array) is np.ndarray for array in arrays.values()):
        return NUMPY
    for name, array in arrays.items():
        if not is_array_api_obj(array):
            raise TypeError(
                f"{loss}: {name} must be a NumPy, PyTorch or JAX array; it is "
                f"{type(array).__name__}. Convert it first, for example with numpy.asarray."
            )
        if isinstance(array, np.ma.MaskedArray):
            raise TypeError(
                f"{loss}: {name} is a masked array, whose mask would be lost. Pass its .data, "
                "and the samples to keep as weight=~mask."
            )
    try:
        return array_namespace(*arrays.values())
    except TypeError:
        kinds = ", ".join(
            f"{name} from {type(array).__module__.split('.')[0]}" for name, array in arrays.items()
        )
        raise TypeError(
            f"{loss}: all arrays must come from one library; here {kinds}. Convert one of them."
        ) from None


def is_floating(xp, array):
    if xp is NUMPY:
        return array.dtype.kind == "f"
    return xp.isdtype(array.dtype, "real floating")


def is_integer(xp, array):
    if xp is NUMPY:
        return array.dtype.kind in "iu"
    return xp.isdtype(array.dtype, "integral")


def check_reduction(loss, reduction, allowed=REDUCTIONS):
    if reduction not in allowed:
        names = " or ".join(repr(name) for name in allowed)
        raise ValueError(f"{loss}: reduction must be {names}; it is {reduction!r}.")


def check_floating(xp, loss, name, prediction):
    """A prediction must be floating."""
    if not is_floating(xp, prediction):
        raise TypeError(
            f"{loss}: {name} must be floating, because the loss is differentiated with respect to "
            f"it; it is {prediction.dtype}. Convert it to float32 or float64."
        )


def check_type(xp, loss, name, array, of, dtype):
    """Integers, booleans, or the floating type ``dtype`` of the argument ``of``."""
    if array.dtype == dtype:
        return
    if is_floating(xp, array):
        raise TypeError(
            f"{loss}: {name} is {array.dtype} and {of} is {dtype}. Types are not promoted in "
            "silence: convert one of them."
        )
    if not (is_integer(xp, array) or array.dtype == xp.bool):
        raise TypeError(f"{loss}: {name} must hold real numbers; it is {array.dtype}.")


def check_weight_shape(loss, weight, expected):
    """One weight per loss value."""
    if weight is not None and weight.shape != expected:
        raise ValueError(
            f"{loss}: weight must have one entry per loss value, shape {tuple(expected)}; it has "
            f"shape {tuple(weight.shape)}."
        )


def check_weight_values(xp, loss, weight):
    if weight is not None and weight.dtype != xp.bool:
        negative = find(xp, weight < 0, weight)
        if negative:
            raise ValueError(f"{loss}: weight must not be negative; {negative}.")


def check_count(xp, loss, count, ignores=False):
    """The denominator of a mean must not be 0; ``ignores``: the loss has an ignore_index."""
    if values_are_known(count) and find(xp, xp.asarray(count == 0), xp.asarray(count)):
        what, where = (" or is ignored", " and ignore_index") if ignores else ("", "")
        raise ValueError(
            f"{loss}: every sample has weight 0{what}, so a mean does not exist. Check the "
            f"weights{where}, or use reduction='sum'."
        )
    return count


def check_same_shape(loss, **pair):
    """Two arrays of equal shape that are not empty; nothing is broadcast."""
    (name, array), (other_name, other) = pair.items()
    if array.shape != other.shape:
        raise ValueError(
            f"{loss}: {name} has shape {tuple(array.shape)} and {other_name} has shape "
            f"{tuple(other.shape)}; they must be equal, because broadcasting would compare "
            f"values that do not belong together.{_remedy(**pair)}"
        )
    if 0 in array.shape:
        raise ValueError(
            f"{loss}: {name} and {other_name} are empty, shape {tuple(array.shape)}; at least "
            "one value is needed."
        )


def _remedy(**pair):
    for name, column in pair.items():
        for other in pair.values():
            if column.ndim == other.ndim + 1 and column.shape == (*other.shape, 1):
                return f" Take the column out: {name}[..., 0]."
    return ""


def values_are_known(*arrays):
    """False while a compiler or a transformation traces the code without numbers."""
    for array in arrays:
        if type(array) is np.ndarray:
            continue
        if is_torch_array(array):
            import torch

            if torch.compiler.is_compiling():
                return False
        elif is_jax_array(array):
            import jax

            if isinstance(array, jax.core.Tracer):
                return False
    return True


def find(xp, bad, values):
    """Words about the first bad value, or an empty string if there is none."""
    try:
        any_bad = bool(xp.any(bad))
    except RuntimeError as error:
        if "vmap" in str(error):  # torch.vmap has no numbers to look at
            return ""
        raise
    if not any_bad:
        return ""
    flat = int(xp.argmax(xp.astype(xp.reshape(bad, (-1,)), xp.int32)))
    value = xp.reshape(values, (-1,))[flat]
    index = tuple(int(i) for i in np.unravel_index(flat, tuple(bad.shape)))
    where = f" at index {index[0] if len(index) == 1 else index}" if index else ""
    return f"{float(value):.6g}{where}"


def check_domain(xp, loss, name, values, domain):
    """Every value must lie in the domain. NaN is let through: it shows in the result."""
    if domain is None:
        return
    if xp is NUMPY and isinstance(domain, Interval) and domain.holds(values):
        return
    if is_torch_array(values) and not is_floating(xp, values):
        values = values.long()  # for the unsigned integers of torch -1 is 255
    found = find(xp, domain.outside(xp, values), values)
    if found:
        advice = f" {domain.advice}" if domain.advice else ""
        raise ValueError(f"{loss}: {name} must be {domain}; it has {found}.{advice}")


def check_class_indices(xp, loss, name, labels, classes):
    """Every label must be an index of one of the classes."""
    found = find(xp, (labels < 0) | (labels >= classes), labels)
    if found:
        raise ValueError(
            f"{loss}: {name} must hold class indices in 0..{classes - 1} for {classes} classes; it "
            f"has {found}."
        )


def is_whole(value, least):
    """Whether a parameter is an integer of at least ``least``, from Python or NumPy."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least


def is_number(value):
    """Whether a parameter is a real number, from Python or NumPy."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
