"""What every loss shares: the checks, the weights, the reduction and the gradient.

A family file holds formulas. `pointwise_loss` turns a formula into a `Loss`, a callable that
checks its arguments once and reduces the elementwise values:

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
import math

import numpy as np
from array_api_compat import is_numpy_namespace

from lossbook import kernels
from lossbook.checks import (
    NUMPY,
    REAL,
    REDUCTIONS,
    check_count,
    check_domain,
    check_floating,
    check_reduction,
    check_same_shape,
    check_type,
    check_weight_shape,
    check_weight_values,
    namespace_of,
    values_are_known,
)
from lossbook.fast_numpy import faster, total_of
from lossbook.parts import EVERYTHING, Output, in_parts, is_split


class Loss:
    """A loss function made from an elementwise formula.

    Call it as ``loss(target, prediction, *, weight=None, reduction="mean", **parameters)``.
    ``loss.gradient(...)`` takes the same arguments and returns the derivative of the reduced
    value with respect to the prediction; ``loss.value_and_gradient(...)`` returns both.

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
    - Large NumPy arrays are evaluated in blocks that fit the cache, on one thread unless
      `lossbook.parts.set_threads` says otherwise.

    Raises
    ------
    TypeError
        If an argument is no array, arrays come from different libraries, or a type is wrong.
    ValueError
        If shapes differ, an array is empty, the reduction or a parameter is not allowed, or a
        value lies outside the domain of the loss.
    """

    def __init__(
        self, formula, *, target=REAL, prediction=REAL, outer=None, kernel=None, **parameters
    ):
        functools.update_wrapper(self, formula)
        self.formula = formula
        self.name = formula.__name__
        self.target_domain = target
        self.prediction_domain = prediction
        self._reads_values = self._has_value_checks()
        self._outer = outer
        self._kernel = kernel  # a faster way to the sum of the formula, see lossbook.kernels
        self._checks = parameters
        self._derivative = None
        spec = inspect.getfullargspec(formula)
        self.prediction_name = spec.args[2]  # "prediction", "logits" or "log_probabilities"
        self._of_formula = spec.kwonlyargs
        self.__signature__ = self._public_signature()
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
        call = self._open(target, prediction, weight, reduction, parameters)
        return self._evaluate(*call, reduction, value=True)[0]

    def gradient(self, target, prediction=None, *, weight=None, reduction="mean", **parameters):
        """The derivative of the reduced loss with respect to the prediction.

        Takes the arguments of the loss itself. Returns an array of the prediction's shape and
        type. With ``reduction="none"`` entry i is the derivative of the i-th value. At a kink
        the subgradient of smallest size is returned.
        """
        call = self._open(target, prediction, weight, reduction, parameters)
        return self._evaluate(*call, reduction, gradient=True)[1]

    def value_and_gradient(
        self, target, prediction=None, *, weight=None, reduction="mean", **parameters
    ):
        """The reduced loss and its gradient, a pair, from one pass over the data."""
        call = self._open(target, prediction, weight, reduction, parameters)
        return self._evaluate(*call, reduction, value=True, gradient=True)

    # The steps of an evaluation

    def _open(self, target, prediction, weight, reduction, parameters):
        """Check all that can be checked without reading the data."""
        if prediction is None:
            prediction = self._named_prediction(parameters)
        if type(target) is type(prediction) is np.ndarray and weight is None:
            xp = NUMPY  # the most frequent case, without a search
        else:
            if target is None:
                raise TypeError(f"{self.name}: target must be an array; it is None.")
            arrays = {"target": target, self.prediction_name: prediction, "weight": weight}
            xp = namespace_of(self.name, **arrays)
        check_reduction(self.name, reduction, ("mean",) if self._outer else REDUCTIONS)
        check_floating(xp, self.name, self.prediction_name, prediction)
        parameters = self._check_parameters(parameters)
        self._check_target(xp, target, prediction, parameters)
        self._check_weight(xp, weight, prediction)
        return xp, target, prediction, weight, parameters

    def _evaluate(
        self, xp, target, prediction, weight, parameters, reduction, *, value=False, gradient=False
    ):
        """The value and the gradient, None for what was not asked for."""
        each = reduction == "none"
        count = self._count(prediction, weight, parameters) if reduction == "mean" else 1
        needs_sum = not each and (value or self._outer is not None)
        for_formula = {name: parameters[name] for name in self._of_formula}
        whole = target, prediction, weight
        dtype, axes = prediction.dtype, self._sample_axes(prediction)
        split = is_split(xp, prediction)
        computed = dtype if dtype.itemsize >= 4 else xp.float32
        values = slopes = None
        if value and each:
            values = Output(self._value_shape(prediction), axes, computed, split)
        if gradient:
            slopes = Output(prediction.shape, axes, computed, split)
        kernel = self._kernel if not each and is_numpy_namespace(xp) else None

        def evaluate(part, *block):
            """Fill this part of the outputs; return the sums of its losses and of its weights."""
            self._check_values(xp, part, block, whole, parameters)
            y, p, w, own = self._ready(xp, *block, parameters)
            if kernel and own is None and p.dtype in kernels.TYPES:
                slope = slopes.room(part, p) if gradient else None
                total = kernels.run(kernel, y, p, slope, 1 / count, needs_sum, for_formula)
                if total is not None:
                    return total, None
            math_xp = faster(xp, p)
            total = None
            with _quiet_infinities(xp):
                if value or needs_sum:
                    losses = self.formula(math_xp, y, p, **for_formula)
                    losses = losses if w is None else w * losses
                    if each:
                        values.put(part, losses)
                    else:
                        total = _sum(xp, losses)
                if gradient:
                    slope = self._derivative(math_xp, y, p, **for_formula)
                    slope = slope if w is None else self._over_samples(w) * slope
                    slopes.put(part, slope, 1 if count is None else count)
                return total, _sum(xp, own) if count is None else None

        if split:
            totals, counts = zip(*in_parts(evaluate, *whole, axes), strict=True)
            total, own_count = _total(totals), _total(counts)
        else:
            total, own_count = evaluate(EVERYTHING, *whole)
        if count is None:
            count = check_count(xp, self.name, own_count, "ignore_index" in self.defaults)
            if gradient:
                slopes.scale(1 / count)
        if needs_sum:
            total = total / count
            if self._outer:
                with _quiet_infinities(xp):
                    if gradient:
                        slopes.scale(self._outer.derivative(xp, total))
                    total = self._outer.value(xp, total)
        result = None
        if value:
            result = values.result(xp, dtype) if each else _cast(xp, total, dtype)
        return result, slopes.result(xp, dtype) if gradient else None

    def _ready(self, xp, target, prediction, weight, parameters):
        """Arrays of one computing type, without the samples of weight 0.

        Returns target, prediction, weight, and what each sample counts in the mean (None: 1).
        """
        dtype = prediction.dtype
        if dtype.itemsize < 4:  # half precision: its range and digits do not carry a sum
            dtype = xp.float32
            prediction = xp.astype(prediction, dtype)
        if not self._is_label(xp, target) and target.dtype != dtype:
            target = xp.astype(target, dtype)
        if weight is not None and weight.dtype != dtype:
            weight = xp.astype(weight, dtype)
        target, prediction, weight = self._leave_out(xp, target, prediction, weight, parameters)
        own = self._own_weight(xp, target, prediction, parameters)
        if weight is not None:
            own = weight if own is None else weight * own
        return target, prediction, weight, own

    def _leave_out(self, xp, target, prediction, weight, parameters):
        """Put harmless numbers where the weight is 0.

        0 · inf is NaN, and so is its gradient. A sample that is left out must not reach the
        formula at all.
        """
        if weight is None:
            return target, prediction, weight
        out = weight == 0
        out_of_prediction = self._over_samples(out)
        harmless = 0.5  # inside the domain of every loss
        prediction = xp.where(out_of_prediction, harmless, prediction)
        if not self._is_label(xp, target):  # class indices are harmless already
            same_axes = target.ndim == prediction.ndim
            target = xp.where(out_of_prediction if same_axes else out, harmless, target)
        return target, prediction, weight

    # The checks that need no data

    def _named_prediction(self, parameters):
        for name in (self.prediction_name, "prediction"):
            if parameters.get(name) is not None:
                return parameters.pop(name)
        raise TypeError(
            f"{self.name}: {self.prediction_name} is missing; "
            f"the signature is {self.name}{self.__signature__}."
        )

    def _check_parameters(self, given):
        unknown = given.keys() - self.defaults.keys()
        if unknown:
            raise TypeError(
                f"{self.name}: unknown argument {sorted(unknown)[0]!r}; "
                f"the signature is {self.name}{self.__signature__}."
            )
        for name, check in self._checks.items():
            if name in given:
                check(self.name, name, given[name])
        return {**self.defaults, **given}

    def _check_target(self, xp, target, prediction, parameters):
        check_same_shape(self.name, **{"target": target, self.prediction_name: prediction})
        self._check_type(xp, "target", target, prediction)

    def _check_weight(self, xp, weight, prediction):
        if weight is not None:
            check_weight_shape(self.name, weight, self._value_shape(prediction))
            self._check_type(xp, "weight", weight, prediction)

    def _check_type(self, xp, name, array, prediction):
        check_type(xp, self.name, name, array, self.prediction_name, prediction.dtype)

    # The checks that read the data

    def _check_values(self, xp, part, block, whole, parameters):
        if not (self._reads_values or block[2] is not None) or not values_are_known(block[1]):
            return
        try:
            self._check_domains(xp, *block, parameters)
        except ValueError:
            if part is not EVERYTHING:
                self._check_domains(xp, *whole, parameters)  # so that the index is the reader's
            raise

    def _check_domains(self, xp, target, prediction, weight, parameters):
        domain = _domain(self.prediction_domain, parameters)
        check_domain(xp, self.name, self.prediction_name, prediction, domain)
        self._check_target_domain(xp, target, prediction, parameters)
        check_weight_values(xp, self.name, weight)

    def _check_target_domain(self, xp, target, prediction, parameters):
        check_domain(xp, self.name, "target", target, _domain(self.target_domain, parameters))

    def _has_value_checks(self):
        """Whether target and prediction have a domain that must be looked at."""
        return self.prediction_domain is not None or self.target_domain is not None

    # What a kind of loss may define anew

    def _value_shape(self, prediction):
        return prediction.shape

    def _sample_axes(self, prediction):
        return len(self._value_shape(prediction))

    def _count(self, prediction, weight, parameters):
        """The denominator of the mean, or None if it is a sum of weights."""
        return None if weight is not None else math.prod(self._value_shape(prediction))

    def _over_samples(self, weight):
        """A weight per value, shaped to multiply the gradient."""
        return weight

    def _is_label(self, xp, target):
        """Whether the target names classes and must stay an integer."""
        return False

    def _own_weight(self, xp, target, prediction, parameters):
        """The weight that the parameters themselves give to each sample, or None for 1."""
        return None

    def _more_parameters(self):
        """Arguments of the loss that the formula does not see, with their defaults."""
        return {}

    def _public_signature(self):
        """The formula's signature without ``xp``, with the arguments that all losses take."""
        parameters = list(inspect.signature(self.formula).parameters.values())[1:]
        more = {**self._more_parameters(), "weight": None}
        if not self._outer:
            more["reduction"] = "mean"
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters += [
            inspect.Parameter(name, keyword, default=default) for name, default in more.items()
        ]
        return inspect.Signature(parameters)


def pointwise_loss(**settings):
    """Make a `Loss` from ``formula(xp, target, prediction, *, parameters)``.

    Keyword arguments name the domain of ``target`` and of ``prediction`` and, for each
    parameter, its check (see `lossbook.checks`). A domain that depends on the parameters is a
    function of their dictionary.
    """
    return functools.partial(Loss, **settings)


def _domain(domain, parameters):
    return domain(parameters) if callable(domain) else domain


def _sum(xp, values):
    return total_of(values) if is_numpy_namespace(xp) else xp.sum(values)


def _total(sums):
    if sums[0] is None:
        return None
    if len(sums) == 1:
        return sums[0]
    try:
        return math.fsum(sums)  # the sums of blocks are added without rounding
    except (OverflowError, ValueError):  # too large, or inf - inf
        return sum(sums)


def _cast(xp, value, dtype):
    if is_numpy_namespace(xp):
        return dtype.type(value)
    return value if value.dtype == dtype else xp.astype(value, dtype)


def _quiet_infinities(xp):
    """log(0) = -inf and exp(1000) = inf are right answers here, not accidents to warn about."""
    if is_numpy_namespace(xp):
        return np.errstate(divide="ignore", over="ignore")
    return contextlib.nullcontext()
