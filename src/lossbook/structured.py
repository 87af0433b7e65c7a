"""Losses whose sample is more than one number: vectors, masks, lists, sequences.

`structured_loss` turns a formula into a `StructuredLoss`, the sibling of `lossbook.loss.Loss`
for formulas with several arrays:

    >>> import numpy as np
    >>> from lossbook import triplet
    >>> anchor, positive, negative = np.array([[0.0], [1.0], [1.5]])
    >>> float(triplet(anchor, positive, negative, margin=1.0))
    0.5
    >>> [gradient.tolist() for gradient in triplet.gradient(anchor, positive, negative)]
    [[0.0], [1.0], [-1.0]]
"""

import functools
import inspect
import math

from lossbook.backend import product
from lossbook.checks import (
    check_count,
    check_domain,
    check_floating,
    check_reduction,
    check_type,
    check_weight_shape,
    check_weight_values,
    is_integer,
    namespace_of,
    values_are_known,
)
from lossbook.loss import _cast, _quiet_infinities, _sum

SAMPLES = "..."


class StructuredLoss:
    """A loss function made from a formula of several arrays.

    Call it with the arrays in the order of its signature, then ``weight``, ``reduction`` and the
    parameters by name. ``loss.gradient(...)`` takes the same arguments and returns the derivative
    of the reduced value with respect to each prediction: one array if there is one prediction,
    otherwise a tuple in the order of the signature. ``loss.value_and_gradient(...)`` returns both.

    The rules are those of `lossbook.loss.Loss`: one array library, no broadcasting, predictions of
    one floating type, a weighted mean that divides by the sum of the weights, NaN in and NaN out.
    A sample of weight 0 is left out. In a loss whose samples meet each other (each is also the
    others' negative) it is left out as a sample, and stays what the others are compared with;
    there the gradient with ``reduction="none"`` would be a matrix of arrays, and is an error.

    Raises
    ------
    TypeError
        If an argument is no array, arrays come from different libraries, or a type is wrong.
    ValueError
        If shapes do not fit, an array is empty, the reduction or a parameter is not allowed, or a
        value lies outside the domain of the loss.
    """

    def __init__(
        self,
        formula,
        *,
        shapes,
        predictions,
        values=SAMPLES,
        labels=(),
        domains=None,
        coupled=False,
        samples_meet=None,
        check=None,
        **parameters,
    ):
        functools.update_wrapper(self, formula)
        self.formula = formula
        self.name = formula.__name__
        self.shapes = {name: tuple(axes.split()) for name, axes in shapes.items()}
        self.predictions = predictions
        self.domains = domains or {}
        self.coupled = coupled
        self._samples_meet = coupled if samples_meet is None else samples_meet
        self._values = tuple(values.split())
        self.labels = labels
        self._check_more = check
        self._checks = parameters
        self._derivative = None
        own = list(inspect.signature(formula).parameters.values())[1:]
        self.defaults = {
            parameter.name: parameter.default
            for parameter in own
            if parameter.name not in self.shapes
        }
        self._needed = [
            parameter.name
            for parameter in own
            if parameter.name in self.shapes and parameter.default is inspect.Parameter.empty
        ]
        keyword = inspect.Parameter.KEYWORD_ONLY
        own.append(inspect.Parameter("weight", keyword, default=None))
        own.append(inspect.Parameter("reduction", keyword, default="mean"))
        self.__signature__ = inspect.Signature(own)

    def __repr__(self):
        return f"<loss {self.name}{self.__signature__}>"

    def derivative(self, function):
        """Register the derivatives of the formula: a tuple, one array a prediction.

        For a coupled loss the function takes, before the arrays, the share that each value has in
        the result, and returns the derivatives of the weighted sum.
        """
        self._derivative = function
        return function

    def __call__(self, *arrays, **options):
        return self._evaluate(arrays, options, value=True)[0]

    def gradient(self, *arrays, **options):
        """The derivative of the reduced loss with respect to each prediction.

        Takes the arguments of the loss itself. An array of the prediction's shape and type, or a
        tuple of them if there are several. At a kink it is the subgradient of smallest size, unless
        the loss says otherwise.
        """
        return self._evaluate(arrays, options, gradient=True)[1]

    def value_and_gradient(self, *arrays, **options):
        """The reduced loss and its gradient, a pair."""
        return self._evaluate(arrays, options, value=True, gradient=True)

    def _evaluate(self, arrays, options, *, value=False, gradient=False):
        xp, arrays, weight, reduction, parameters = self._open(arrays, options)
        if gradient and self.coupled and reduction == "none":
            raise ValueError(
                f"{self.name}: the gradient needs reduction 'mean' or 'sum', because each value "
                "depends on the predictions of every sample."
            )
        dtype = arrays[self.predictions[0]].dtype
        size = self._axes(arrays)
        values_shape = self._shape(self._values, size)
        arrays, weight = self._ready(xp, arrays, weight, dtype)
        count = self._count(xp, weight, math.prod(values_shape)) if reduction == "mean" else 1
        result = slopes = None
        with _quiet_infinities(xp):
            if value:
                result = self.formula(xp, **arrays, **parameters)
                result = result if weight is None else product(xp, weight, result)
                if reduction == "none":
                    result = result if result.dtype == dtype else xp.astype(result, dtype)
                else:
                    result = _cast(xp, _sum(xp, result) / count, dtype)
            if gradient:
                slopes = self._slopes(xp, arrays, weight, count, values_shape, parameters)
                slopes = tuple(
                    slope if slope.dtype == dtype else xp.astype(slope, dtype) for slope in slopes
                )
                slopes = slopes[0] if len(slopes) == 1 else slopes
        return result, slopes

    def _slopes(self, xp, arrays, weight, count, values_shape, parameters):
        first = arrays[self.predictions[0]]
        share = weight
        if share is None and (self.coupled or count != 1):
            share = xp.ones(values_shape, dtype=first.dtype, device=getattr(first, "device", None))
        share = share if share is None else share / count
        if self.coupled:
            return self._derivative(xp, share, **arrays, **parameters)
        slopes = self._derivative(xp, **arrays, **parameters)
        if share is None:
            return slopes
        return tuple(product(xp, _widened(share, slope), slope) for slope in slopes)

    # The checks

    def _open(self, given, options):
        try:
            bound = self.__signature__.bind(*given, **options)
        except TypeError as error:
            raise TypeError(
                f"{self.name}: {error}; the signature is {self.name}{self.__signature__}."
            ) from None
        bound.apply_defaults()
        parameters = bound.arguments
        weight, reduction = parameters.pop("weight"), parameters.pop("reduction")
        arrays = {name: parameters.pop(name) for name in self.shapes}
        for name in self._needed:
            if arrays[name] is None:
                raise TypeError(f"{self.name}: {name} must be an array; it is None.")
        xp = namespace_of(self.name, **arrays, weight=weight)
        check_reduction(self.name, reduction)
        for name, check in self._checks.items():
            check(self.name, name, parameters[name])
        self._check_types(xp, arrays, weight)
        check_weight_shape(self.name, weight, self._shape(self._values, self._axes(arrays)))
        if values_are_known(*(array for array in arrays.values() if array is not None)):
            self._check_values(xp, arrays, weight, parameters)
        return xp, arrays, weight, reduction, parameters

    def _check_types(self, xp, arrays, weight):
        first = self.predictions[0]
        dtype = arrays[first].dtype
        predictions_first = {name: arrays[name] for name in self.predictions} | arrays
        for name, array in {**predictions_first, "weight": weight}.items():
            if array is None:
                continue
            if name in self.predictions:
                check_floating(xp, self.name, name, array)
            if name not in self.labels:
                check_type(xp, self.name, name, array, first, dtype)
            elif not is_integer(xp, array):
                raise TypeError(
                    f"{self.name}: {name} must hold integers; it is {array.dtype}. Convert it to "
                    "int64."
                )

    def _axes(self, arrays):
        """The length of each named axis; SAMPLES stands for all leading ones."""
        size, said_by = {}, {}
        for name, array in arrays.items():
            if array is None:
                continue
            axes, shape = self.shapes[name], tuple(array.shape)
            trailing = [axis for axis in axes if axis != SAMPLES]
            has_samples = SAMPLES in axes
            if len(shape) < len(trailing) or (not has_samples and len(shape) > len(trailing)):
                raise ValueError(
                    f"{self.name}: {name} needs shape {_words(axes)}; it has shape {shape}."
                )
            split = len(shape) - len(trailing)
            found = dict(zip(trailing, shape[split:], strict=True))
            if has_samples:
                found[SAMPLES] = shape[:split]
            for axis, length in found.items():
                if size.setdefault(axis, length) != length:
                    other = said_by[axis]
                    what = "the sample axes" if axis == SAMPLES else f"the axis {axis}"
                    raise ValueError(
                        f"{self.name}: {name} has shape {shape} and {other} has shape "
                        f"{tuple(arrays[other].shape)}; they need shapes {_words(axes)} and "
                        f"{_words(self.shapes[other])}, but {what} differs. Nothing is broadcast."
                    )
                said_by.setdefault(axis, name)
            if 0 in shape:
                raise ValueError(
                    f"{self.name}: {name} is empty, shape {shape}; at least one value is needed."
                )
        return size

    def _shape(self, axes, size):
        shape = ()
        for axis in axes:
            shape += size[axis] if axis == SAMPLES else (size[axis],)
        return shape

    def _check_values(self, xp, arrays, weight, parameters):
        for name, domain in self.domains.items():
            if arrays[name] is not None:
                check_domain(xp, self.name, name, arrays[name], domain)
        check_weight_values(xp, self.name, weight)
        if self._check_more:
            self._check_more(xp, self.name, **arrays, **parameters)

    def _count(self, xp, weight, samples):
        return samples if weight is None else check_count(xp, self.name, _sum(xp, weight))

    # What the formula gets

    def _ready(self, xp, arrays, weight, dtype):
        """Arrays of one computing type, without the samples of weight 0."""
        if dtype.itemsize < 4:  # half precision: its range and digits do not carry a sum
            dtype = xp.float32
        out = None
        if weight is not None:
            weight = xp.astype(weight, dtype)
            out = weight == 0
        ready = {}
        for name, array in arrays.items():
            if array is not None and name not in self.labels:
                array = array if array.dtype == dtype else xp.astype(array, dtype)
                if out is not None and not self._samples_meet and SAMPLES in self.shapes[name]:
                    array = xp.where(_widened(out, array), 0.5, array)  # 0 · NaN would be NaN
            ready[name] = array
        return ready, weight


def structured_loss(**settings):
    """Make a `StructuredLoss` from ``formula(xp, *arrays, *, parameters)``.

    ``shapes`` gives the axes of each array by name, such as ``"... d"``, where ``...`` stands for
    any number of sample axes; axes of one name have one length. ``predictions`` names the arrays
    with respect to which the loss is differentiated, ``labels`` those that stay integers,
    ``domains`` the domain of an array, ``values`` the axes of the loss values. ``coupled`` says
    that a value depends on other samples too, or a gradient is a sum over them; if it is only the
    sum, ``samples_meet=False``, and samples of weight 0 are left out altogether.
    ``check(xp, loss, **arrays, **parameters)`` may check what the domains cannot say. Other keyword
    arguments are the checks of the parameters.
    An array that may be left out is a keyword argument of the formula with the default None.
    """
    return functools.partial(StructuredLoss, **settings)


def _widened(per_sample, like):
    """A value per sample, with axes of length 1 appended, so that it multiplies ``like``."""
    return per_sample.reshape((*per_sample.shape, *(1,) * (like.ndim - per_sample.ndim)))


def _words(axes):
    return f"({', '.join(axes)}{',' if len(axes) == 1 and axes[0] != SAMPLES else ''})"
