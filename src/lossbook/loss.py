"""What every loss shares: the checks, the weights, the reduction and the gradient.

A family file holds formulas. `pointwise_loss` and `classwise_loss` turn a formula into a
`Loss`, a callable that checks its arguments once and reduces the elementwise values:

    >>> import numpy as np
    >>> from lossbook import huber
    >>> target, prediction = np.array([0.0, 0.0]), np.array([0.5, 3.0])
    >>> float(huber(target, prediction, delta=1.0))
    1.3125
    >>> huber(target, prediction, delta=1.0, reduction="none").tolist()
    [0.125, 2.5]
    >>> huber.gradient(target, prediction, delta=1.0).tolist()
    [0.25, 0.5]
"""

import contextlib
import functools
import inspect

import numpy as np
from array_api_compat import is_numpy_namespace

from lossbook.backend import one_hot
from lossbook.checks import (
    REAL,
    check_domain,
    check_same_shape,
    find,
    is_floating,
    is_integer,
    namespace_of,
    values_are_known,
)

REDUCTIONS = ("mean", "sum", "none")


class Loss:
    """A loss function made from an elementwise formula.

    Call it as ``loss(target, prediction, *, weight=None, reduction="mean", **parameters)``.
    ``loss.gradient(...)`` takes the same arguments and returns the derivative of the reduced
    value with respect to the prediction.

    The rules, the same for every loss:

    - Arrays are NumPy, PyTorch or JAX, all of one library. Shapes never broadcast.
    - The prediction is floating. Integer and boolean targets and weights are converted to
      its type; a floating target of another type is an error.
    - ``reduction`` is "mean" (the default), "sum" or "none". With weights the mean is
      Σ wᵢ ℓᵢ / Σ wᵢ, always.
    - A weight of exactly 0 leaves the sample out, even where its loss is infinite or NaN.
    - NaN in, NaN out. Infinite losses stay infinite. Nothing is clipped.
    - float16 and bfloat16 are computed in float32 and the result is cast back. NumPy sums
      are accumulated in float64.

    Raises
    ------
    TypeError
        If an argument is no array, arrays come from different libraries, or a type is wrong.
    ValueError
        If shapes differ, an array is empty, the reduction or a parameter is not allowed, or a
        value lies outside the domain of the loss.
    """

    def __init__(self, formula, *, target=REAL, prediction=REAL, outer=None, **parameters):
        functools.update_wrapper(self, formula)
        self.formula = formula
        self.name = formula.__name__
        self.target_domain = target
        self.prediction_domain = prediction
        self._outer = outer
        self._checks = parameters
        self._derivative = None
        self.__signature__ = _public_signature(formula, reduced=outer is not None)
        spec = inspect.getfullargspec(formula)
        self.prediction_name = spec.args[2]  # "prediction", "logits" or "log_probabilities"
        self._of_formula = spec.kwonlyargs
        # the public signature also holds what the formula itself never sees: ignore_index
        self.defaults = {
            name: parameter.default
            for name, parameter in self.__signature__.parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
            and name not in ("weight", "reduction")
        }

    def __repr__(self):
        return f"<loss {self.name}{self.__signature__}>"

    def derivative(self, function):
        """Register the derivative of the formula with respect to the prediction."""
        self._derivative = function
        return function

    def __call__(self, target, prediction=None, *, weight=None, reduction="mean", **parameters):
        xp, target, prediction, weight, parameters, dtype = self._prepare(
            target, prediction, weight, reduction, parameters
        )
        with _quiet_infinities(xp):
            values = self.formula(xp, target, prediction, **parameters)
        if weight is not None:
            values = weight * values
        if reduction == "none":
            return _cast(xp, values, dtype)
        value = _sum(xp, values)
        if reduction == "mean":
            value = value / self._count(xp, target, prediction, weight, parameters)
        if self._outer is not None:
            value = self._outer.value(xp, value)
        return _cast(xp, value, dtype)

    def gradient(self, target, prediction=None, *, weight=None, reduction="mean", **parameters):
        """The derivative of the reduced loss with respect to the prediction.

        Takes the arguments of the loss itself. Returns an array of the prediction's shape and
        type. With ``reduction="none"`` entry i is the derivative of the i-th value. At a kink
        the subgradient of smallest size is returned.
        """
        xp, target, prediction, weight, parameters, dtype = self._prepare(
            target, prediction, weight, reduction, parameters
        )
        with _quiet_infinities(xp):
            slopes = self._derivative(xp, target, prediction, **parameters)
        if weight is not None:
            slopes = self._over_samples(weight) * slopes
        if reduction == "mean":
            slopes = slopes / self._count(xp, target, prediction, weight, parameters)
        if self._outer is not None:
            inner = self._mean_value(xp, target, prediction, weight, parameters)
            slopes = slopes * self._outer.derivative(xp, inner)
        return _cast(xp, slopes, dtype)

    # Large NumPy inputs pass through here whole. This is the place where evaluation in blocks
    # that fit the cache belongs: formulas stay as they are, and only these methods change.

    def _prepare(self, target, prediction, weight, reduction, parameters):
        """Check everything once; return arrays of one floating type, and the type to return."""
        if prediction is None:
            prediction = self._named_prediction(parameters)
        arrays = {"target": target, self.prediction_name: prediction, "weight": weight}
        xp = namespace_of(self.name, **arrays)
        self._check_reduction(reduction)
        if not is_floating(xp, prediction):
            raise TypeError(
                f"{self.name}: {self.prediction_name} must be floating, because the loss is "
                f"differentiated with respect to it; it is {prediction.dtype}. Convert it to "
                "float32 or float64."
            )
        parameters = self._check_parameters(parameters)
        if values_are_known(prediction):
            check_domain(xp, self.name, self.prediction_name, prediction, self.prediction_domain)
        dtype = prediction.dtype
        if dtype.itemsize < 4:  # half precision: its range and digits do not carry a sum
            prediction = xp.astype(prediction, xp.float32)
        target = self._check_arrays(xp, target, prediction, dtype, parameters)
        weight = self._check_weight(xp, weight, target, prediction, dtype)
        target, prediction, weight = self._leave_out(xp, target, prediction, weight, parameters)
        parameters = {name: parameters[name] for name in self._of_formula}
        return xp, target, prediction, weight, parameters, dtype

    def _named_prediction(self, parameters):
        for name in (self.prediction_name, "prediction"):
            if parameters.get(name) is not None:
                return parameters.pop(name)
        raise TypeError(
            f"{self.name}: {self.prediction_name} is missing; "
            f"the signature is {self.name}{self.__signature__}."
        )

    def _check_reduction(self, reduction):
        allowed = REDUCTIONS if self._outer is None else ("mean",)
        if reduction not in allowed:
            names = " or ".join(repr(name) for name in allowed)
            raise ValueError(f"{self.name}: reduction must be {names}; it is {reduction!r}.")

    def _check_parameters(self, given):
        unknown = given.keys() - self.defaults.keys()
        if unknown:
            raise TypeError(
                f"{self.name}: unknown argument {sorted(unknown)[0]!r}; "
                f"the signature is {self.name}{self.__signature__}."
            )
        parameters = {**self.defaults, **given}
        for name, check in self._checks.items():
            check(self.name, name, parameters[name])
        return parameters

    def _check_arrays(self, xp, target, prediction, dtype, parameters):
        """Return the target in the type of the prediction."""
        check_same_shape(self.name, **{"target": target, self.prediction_name: prediction})
        target = self._as_float(xp, "target", target, prediction, dtype)
        if values_are_known(target):
            check_domain(xp, self.name, "target", target, self.target_domain)
        return target

    def _as_float(self, xp, name, array, prediction, dtype):
        """The array in the computing type; ``dtype`` is the type the prediction came in."""
        if is_floating(xp, array):
            if array.dtype != dtype:
                raise TypeError(
                    f"{self.name}: {name} is {array.dtype} and {self.prediction_name} is {dtype}. "
                    "Types are not promoted in silence: convert one of them."
                )
        elif not (is_integer(xp, array) or array.dtype == xp.bool):
            raise TypeError(f"{self.name}: {name} must hold real numbers; it is {array.dtype}.")
        return array if array.dtype == prediction.dtype else xp.astype(array, prediction.dtype)

    def _check_weight(self, xp, weight, target, prediction, dtype):
        if weight is None:
            return None
        expected = self._value_shape(prediction)
        if weight.shape != expected:
            raise ValueError(
                f"{self.name}: weight must have one entry per loss value, shape "
                f"{tuple(expected)}; it has shape {tuple(weight.shape)}."
            )
        weight = self._as_float(xp, "weight", weight, prediction, dtype)
        if values_are_known(weight):
            negative = find(xp, weight < 0, weight)
            if negative:
                raise ValueError(f"{self.name}: weight must not be negative; {negative}.")
        return weight

    def _leave_out(self, xp, target, prediction, weight, parameters):
        """Put harmless numbers where the weight is 0.

        0 · inf is NaN, and so is its gradient. A sample that is left out must not reach the
        formula at all.
        """
        if weight is None:
            return target, prediction, weight
        out = weight == 0
        over_prediction = self._over_samples(out)
        harmless = 0.5  # inside the domain of every loss
        prediction = xp.where(over_prediction, harmless, prediction)
        if is_floating(xp, target):  # class indices are harmless already
            target = xp.where(over_prediction, harmless, target)
        return target, prediction, weight

    def _count(self, xp, target, prediction, weight, parameters):
        """The denominator of the mean: Σ w, or the number of values."""
        own = self._own_weight(xp, target, prediction, parameters)
        if own is not None:
            weight = own if weight is None else weight * own
        if weight is None:
            return _size(self._value_shape(prediction))
        total = _sum(xp, weight)
        if values_are_known(weight) and find(xp, total == 0, total):
            raise ValueError(
                f"{self.name}: every sample has weight 0 or is ignored, so a mean does not "
                "exist. Check the weights and ignore_index, or use reduction='sum'."
            )
        return total

    def _mean_value(self, xp, target, prediction, weight, parameters):
        values = self.formula(xp, target, prediction, **parameters)
        total = _sum(xp, values if weight is None else weight * values)
        return total / self._count(xp, target, prediction, weight, parameters)

    def _value_shape(self, prediction):
        return prediction.shape

    def _over_samples(self, weight):
        """A weight per value, shaped to multiply the gradient."""
        return weight

    def _own_weight(self, xp, target, prediction, parameters):
        """The weight that the parameters themselves give to each sample, or None for 1."""
        return None


class ClasswiseLoss(Loss):
    """A loss over classes: the prediction has one column a class, the class axis is the last.

    The target is either class indices, integers of shape ``prediction.shape[:-1]``, or a
    distribution over the classes, floating and of the prediction's shape. There is one loss
    value per row. Two more arguments than other losses:

    - ``class_weight``, shape (C,): multiplies the term of each class; the weighted mean divides
      by the sum of the weights that were used.
    - ``ignore_index``: rows with this class index are left out. None (the default) means that
      every index must be a class.
    """

    def _value_shape(self, prediction):
        return prediction.shape[:-1]

    def _over_samples(self, weight):
        return weight[..., None]

    def _check_arrays(self, xp, target, prediction, dtype, parameters):
        if prediction.ndim == 0 or 0 in prediction.shape:
            raise ValueError(
                f"{self.name}: {self.prediction_name} needs shape (..., classes) and at least one "
                f"row and one class; its shape is {tuple(prediction.shape)}."
            )
        parameters["class_weight"] = self._check_class_weight(
            xp, parameters["class_weight"], prediction, dtype
        )
        if is_integer(xp, target):
            return self._check_labels(xp, target, prediction, parameters["ignore_index"])
        return self._check_distribution(xp, target, prediction, dtype, parameters)

    def _check_class_weight(self, xp, class_weight, prediction, dtype):
        if class_weight is None:
            return None
        namespace_of(self.name, prediction=prediction, class_weight=class_weight)
        classes = prediction.shape[-1]
        if class_weight.shape != (classes,):
            raise ValueError(
                f"{self.name}: class_weight must have one entry per class, shape ({classes},); "
                f"it has shape {tuple(class_weight.shape)}."
            )
        class_weight = self._as_float(xp, "class_weight", class_weight, prediction, dtype)
        if values_are_known(class_weight):
            negative = find(xp, class_weight < 0, class_weight)
            if negative:
                raise ValueError(f"{self.name}: class_weight must not be negative; {negative}.")
        return class_weight

    def _check_labels(self, xp, labels, prediction, ignore_index):
        rows, classes = prediction.shape[:-1], prediction.shape[-1]
        if labels.shape != rows:
            hint = ""
            if labels.shape == prediction.shape:
                hint = " For one-hot rows convert the target to a floating type."
            elif _size(labels.shape) == _size(rows):
                hint = f" Reshape it: target.reshape({tuple(rows)})."
            elif prediction.ndim > 2:
                hint = " The class axis is the last one: move it there."
            raise ValueError(
                f"{self.name}: class indices need shape {tuple(rows)} for {self.prediction_name} "
                f"of shape {tuple(prediction.shape)}; target has shape {tuple(labels.shape)}.{hint}"
            )
        if values_are_known(labels):
            outside = (labels < 0) | (labels >= classes)
            if ignore_index is not None:
                outside = outside & (labels != ignore_index)
            found = find(xp, outside, labels)
            if found:
                raise ValueError(
                    f"{self.name}: class indices must lie in 0..{classes - 1} for {classes} "
                    f"classes; target has {found}. To leave rows out, name their index with "
                    "ignore_index."
                )
        return labels

    def _check_distribution(self, xp, target, prediction, dtype, parameters):
        if target.shape == prediction.shape[:-1]:
            raise TypeError(
                f"{self.name}: class indices must be integers; target is {target.dtype} of shape "
                f"{tuple(target.shape)}. Convert it to int64."
            )
        check_same_shape(self.name, **{"target": target, self.prediction_name: prediction})
        if parameters["ignore_index"] is not None:
            raise ValueError(
                f"{self.name}: ignore_index needs class indices, but target holds a distribution "
                "per row. Leave rows out with weight=0."
            )
        target = self._as_float(xp, "target", target, prediction, dtype)
        if values_are_known(target):
            check_domain(xp, self.name, "target", target, self.target_domain)
            total = xp.sum(target, axis=-1)
            # half precision rows were rounded before they came here
            slack = float(xp.finfo(dtype).eps) * 4 * target.shape[-1] ** 0.5 + 1e-6
            found = find(xp, abs(total - 1) > slack, total)
            if found:
                raise ValueError(
                    f"{self.name}: each row of target must be a distribution that sums to 1; "
                    f"a row sum is off: {found}."
                )
        return target

    def _leave_out(self, xp, target, prediction, weight, parameters):
        ignore_index = parameters["ignore_index"]
        if ignore_index is not None:
            ignored = target == ignore_index
            kept = xp.astype(~ignored, prediction.dtype)
            weight = kept if weight is None else weight * kept
            target = xp.where(ignored, 0, target)
        return super()._leave_out(xp, target, prediction, weight, parameters)

    def _own_weight(self, xp, target, prediction, parameters):
        if parameters["class_weight"] is None:
            return None
        masses = class_masses(xp, target, prediction, **parameters)
        return xp.sum(masses, axis=-1)


def class_masses(xp, target, prediction, *, class_weight=None, label_smoothing=0.0):
    """What each class of each row counts: w_c · q_c, with q the smoothed target distribution.

    Shape of the prediction. Without class weights every row sums to 1.
    """
    classes = prediction.shape[-1]
    masses = target
    if is_integer(xp, target):
        masses = one_hot(xp, target, classes, prediction.dtype)
    if label_smoothing:
        masses = (1 - label_smoothing) * masses + label_smoothing / classes
    return masses if class_weight is None else masses * class_weight


def pointwise_loss(**settings):
    """Make a `Loss` from ``formula(xp, target, prediction, *, parameters)``.

    Keyword arguments name the domain of ``target`` and of ``prediction`` and, for each
    parameter, its check (see `lossbook.checks`).
    """
    return functools.partial(Loss, **settings)


def classwise_loss(**settings):
    """Make a `ClasswiseLoss`; settings as for `pointwise_loss`."""
    return functools.partial(ClasswiseLoss, **settings)


def _public_signature(formula, *, reduced):
    """The formula's signature without ``xp``, with the arguments that all losses take."""
    kinds = inspect.Parameter
    parameters = list(inspect.signature(formula).parameters.values())[1:]
    if "class_weight" in {parameter.name for parameter in parameters}:
        parameters.append(kinds("ignore_index", kinds.KEYWORD_ONLY, default=None))
    parameters.append(kinds("weight", kinds.KEYWORD_ONLY, default=None))
    if not reduced:
        parameters.append(kinds("reduction", kinds.KEYWORD_ONLY, default="mean"))
    return inspect.Signature(parameters)


def _size(shape):
    size = 1
    for length in shape:
        size *= length
    return size


def _sum(xp, values):
    if is_numpy_namespace(xp):
        return xp.sum(values, dtype=xp.float64)
    return xp.sum(values)


def _cast(xp, values, dtype):
    if values.dtype == dtype:
        return values
    # NumPy reductions return scalars, which have a type but are no arrays
    return values.astype(dtype) if is_numpy_namespace(xp) else xp.astype(values, dtype)


def _quiet_infinities(xp):
    """log(0) = -inf is the right answer here, not an accident to warn about."""
    return np.errstate(divide="ignore") if is_numpy_namespace(xp) else contextlib.nullcontext()
