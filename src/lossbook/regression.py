"""Losses for a number: each compares a target y with a prediction ŷ."""

import dataclasses
import math
from collections.abc import Callable

from lossbook import kernels
from lossbook.backend import product
from lossbook.checks import Interval, Not, between_0_and_1, not_negative, positive
from lossbook.loss import pointwise_loss

MORE_THAN_MINUS_1 = Interval(
    -1, math.inf, above=True, advice="The loss takes the logarithm of 1 + the value."
)
NOT_0 = Not(0, advice="A relative error does not exist there; use mae, or leave it out: weight=0.")


@pointwise_loss(kernel=kernels.squared_error)
def mse(xp, target, prediction):
    """Mean squared error: the squared difference, averaged.

    ``ℓ(y, ŷ) = (ŷ - y)²``, derivative ``2 (ŷ - y)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers.
    Unit: the square of the target's unit. Minimiser: the mean.
    Convention: no factor ½ (scikit-learn's HalfSquaredError and optax.l2_loss have one).
    Errors: see `lossbook.loss.Loss`. Source: Legendre 1805.

    >>> import numpy as np
    >>> float(mse(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    return (prediction - target) ** 2


@mse.derivative
def mse_derivative(xp, target, prediction):
    return 2 * (prediction - target)


@dataclasses.dataclass(frozen=True)
class Outer:
    """A function of the mean, applied after the reduction, and its derivative."""

    value: Callable
    derivative: Callable


def _root(xp, mean):
    # the inner `where` keeps the gradient of a perfect fit at 0 instead of 0 · inf
    return xp.where(mean > 0, xp.sqrt(xp.where(mean == 0, 1.0, mean)), mean)


def _root_derivative(xp, mean):
    return xp.where(mean == 0, 0.0, 0.5 / xp.sqrt(xp.where(mean == 0, 1.0, mean)))


@pointwise_loss(outer=Outer(_root, _root_derivative), kernel=kernels.squared_error)
def rmse(xp, target, prediction):
    """Root mean squared error: the square root of the mean squared error.

    ``L(y, ŷ) = sqrt(mean (ŷ - y)²)``, derivative ``(ŷᵢ - yᵢ) / (n L)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers.
    Unit: the target's unit. Minimiser: the mean.
    Convention: the root is taken once, over all values, so there is no value per sample and no
    ``reduction``. The RMSE of a whole is not the mean of the RMSEs of its parts. At a perfect
    fit, where the root has no derivative, the gradient is 0. The squares must fit the type: in
    float32 an error above 1.8e19 makes the value infinite, and an infinite error the gradient NaN.
    Errors: see `lossbook.loss.Loss`. Source: Gauss 1823.

    >>> import numpy as np
    >>> float(rmse(np.array([0.0, 0.0]), np.array([3.0, 3.0])))
    3.0
    """
    return mse.formula(xp, target, prediction)


@rmse.derivative
def rmse_derivative(xp, target, prediction):
    return mse_derivative(xp, target, prediction)


@pointwise_loss(kernel=kernels.absolute_error)
def mae(xp, target, prediction):
    """Mean absolute error: the size of the difference, averaged.

    ``ℓ(y, ŷ) = |ŷ - y|``, derivative ``sign(ŷ - y)``, and 0 at the kink.

    Shapes: target and prediction alike, any shape. Domain: all real numbers.
    Unit: the target's unit. Minimiser: the median.
    Convention: twice `pinball` at quantile 0.5.
    Errors: see `lossbook.loss.Loss`. Source: Boscovich 1757.

    >>> import numpy as np
    >>> float(mae(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    return abs(prediction - target)


@mae.derivative
def mae_derivative(xp, target, prediction):
    return xp.sign(prediction - target)


@pointwise_loss(delta=positive, kernel=kernels.huber)
def huber(xp, target, prediction, *, delta=1.0):
    """Huber's loss: squared for small errors, absolute for large ones.

    ``ℓ(y, ŷ) = ½ e²`` for ``|e| ≤ δ`` and ``δ (|e| - ½ δ)`` beyond, with ``e = ŷ - y``;
    derivative ``e`` clipped to ``[-δ, δ]``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``delta > 0``, in
    the target's unit. Minimiser: the constant that is the mean of the targets once those farther
    from it than δ are moved to the distance δ; it tends to the median for small δ and to the mean
    for large δ, and need not lie between the two.
    Convention: torch's SmoothL1Loss(beta) is this loss with ``delta=beta``, divided by beta.
    Errors: see `lossbook.loss.Loss`. Source: Huber 1964.

    >>> import numpy as np
    >>> huber(np.zeros(2), np.array([0.5, 3.0]), delta=1.0, reduction="none").tolist()
    [0.125, 2.5]
    """
    error = abs(prediction - target)
    quadratic = xp.where(error < delta, error, delta)
    linear = error - quadratic
    return quadratic * (0.5 * quadratic) + delta * linear


@huber.derivative
def huber_derivative(xp, target, prediction, *, delta):
    return xp.clip(prediction - target, -delta, delta)


@pointwise_loss(beta=positive)
def smooth_l1(xp, target, prediction, *, beta=1.0):
    """Smooth L1: the absolute error with its kink rounded off; Huber's loss in another scale.

    ``ℓ(y, ŷ) = ½ e² / β`` for ``|e| ≤ β`` and ``|e| - ½ β`` beyond, with ``e = ŷ - y``;
    derivative ``e / β`` clipped to ``[-1, 1]``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``beta > 0``, in
    the target's unit. Minimiser: that of `huber` with ``delta=beta``.
    Convention: `huber` with ``delta=beta``, divided by beta. torch also takes ``beta=0``, which
    is `mae`.
    Errors: see `lossbook.loss.Loss`. Source: Girshick 2015.

    >>> import numpy as np
    >>> smooth_l1(np.zeros(2), np.array([0.5, 3.0]), beta=0.5, reduction="none").tolist()
    [0.25, 2.75]
    """
    return huber.formula(xp, target, prediction, delta=beta) / beta


@smooth_l1.derivative
def smooth_l1_derivative(xp, target, prediction, *, beta):
    return huber_derivative(xp, target, prediction, delta=beta) / beta


@pointwise_loss()
def log_cosh(xp, target, prediction):
    """The logarithm of the hyperbolic cosine of the error: a smooth relative of Huber's loss.

    ``ℓ(y, ŷ) = log cosh(ŷ - y)``, derivative ``tanh(ŷ - y)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers.
    Minimiser: the constant for which ``Σ tanh(ŷ - yᵢ) = 0``; close to the mean for small errors
    and to the median for large ones. Near 0 the loss is ``½ e²``, far out ``|e| - log 2``.
    Convention: small errors keep all their digits; Keras's ``e + softplus(-2e) - log 2`` and
    optax's ``logaddexp(e, -e) - log 2`` cancel to 0 at an error of 1e-4 in float32.
    Errors: see `lossbook.loss.Loss`. Source: Green 1990.

    >>> import numpy as np
    >>> f"{log_cosh(np.zeros(1), np.full(1, 1e-4)):.6e}"  # ½ e²
    '5.000000e-09'
    """
    error = abs(prediction - target)
    near = xp.where(error < 1, error, 0)
    small = xp.log1p(2 * xp.sinh(0.5 * near) ** 2)
    large = error + xp.log1p(xp.exp(-2 * error)) - math.log(2)
    return xp.where(error < 1, small, large)


@log_cosh.derivative
def log_cosh_derivative(xp, target, prediction):
    return xp.tanh(prediction - target)


@pointwise_loss(quantile=between_0_and_1)
def pinball(xp, target, prediction, *, quantile=0.5):
    """The pinball loss: errors below and above the target cost differently.

    ``ℓ(y, ŷ) = τ (y - ŷ)`` where the prediction is too low, ``(1 - τ) (ŷ - y)`` where it is too
    high; derivative ``-τ`` and ``1 - τ``, and 0 at the kink.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``quantile`` τ in
    (0, 1). Unit: the target's unit. Minimiser: the τ-quantile.
    Convention: twice the loss at τ = 0.5 is the absolute error.
    Errors: see `lossbook.loss.Loss`. Source: Koenker and Bassett 1978.

    >>> import numpy as np
    >>> pinball(np.zeros(2), np.array([-1.0, 1.0]), quantile=0.75, reduction="none").tolist()
    [0.75, 0.25]
    """
    too_low, too_high = _two_sides(xp, target, prediction)
    return quantile * too_low + (1 - quantile) * too_high


@pinball.derivative
def pinball_derivative(xp, target, prediction, *, quantile):
    side = xp.sign(prediction - target)
    return side * (0.5 + (0.5 - quantile) * side)  # -τ, 0 or 1 - τ


def _two_sides(xp, target, prediction):
    """How much each prediction is too low and too high; one of the two is 0."""
    too_low = xp.where(prediction >= target, 0, target - prediction)
    too_high = xp.where(prediction <= target, 0, prediction - target)
    return too_low, too_high


@pointwise_loss(tau=between_0_and_1)
def expectile(xp, target, prediction, *, tau=0.5):
    """The expectile loss: squared errors below and above the target cost differently.

    ``ℓ(y, ŷ) = τ e²`` where the prediction is too low and ``(1 - τ) e²`` where it is too high,
    with ``e = ŷ - y``; derivative ``2 τ e`` and ``2 (1 - τ) e``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``tau`` in (0, 1).
    Unit: the square of the target's unit. Minimiser: the τ-expectile, the point where the
    shortfalls times τ balance the excesses times 1 - τ; the mean for τ = 0.5.
    Convention: twice the loss at τ = 0.5 is the squared error.
    Errors: see `lossbook.loss.Loss`. Source: Newey and Powell 1987.

    >>> import numpy as np
    >>> expectile(np.zeros(2), np.array([-2.0, 2.0]), tau=0.75, reduction="none").tolist()
    [3.0, 1.0]
    """
    too_low, too_high = _two_sides(xp, target, prediction)
    return tau * too_low**2 + (1 - tau) * too_high**2


@expectile.derivative
def expectile_derivative(xp, target, prediction, *, tau):
    too_low, too_high = _two_sides(xp, target, prediction)
    return 2 * ((1 - tau) * too_high - tau * too_low)


@pointwise_loss(epsilon=not_negative)
def epsilon_insensitive(xp, target, prediction, *, epsilon=0.1):
    """The loss of support vector regression: errors inside a band around the target are free.

    ``ℓ(y, ŷ) = max(0, |ŷ - y| - ε)``, derivative ``sign(ŷ - y)`` outside the band and 0 inside
    and on its edge.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``epsilon >= 0``,
    in the target's unit. Unit: the target's unit. Minimiser: a value with as many targets more
    than ε above it as more than ε below it; the median for ε = 0.
    Convention: ``epsilon=0.1`` as in scikit-learn's SVR and SGDRegressor; its LinearSVR has 0.
    Errors: see `lossbook.loss.Loss`. Source: Vapnik 1995.

    >>> import numpy as np
    >>> epsilon_insensitive(np.zeros(2), np.array([1.0, 3.0]), epsilon=2, reduction="none").tolist()
    [0.0, 1.0]
    """
    error = abs(prediction - target)
    return xp.where(error <= epsilon, 0, error - epsilon)


@epsilon_insensitive.derivative
def epsilon_insensitive_derivative(xp, target, prediction, *, epsilon):
    error = prediction - target
    return xp.where(abs(error) <= epsilon, 0, xp.sign(error))


@pointwise_loss(epsilon=not_negative)
def squared_epsilon_insensitive(xp, target, prediction, *, epsilon=0.1):
    """The squared distance to a band around the target.

    ``ℓ(y, ŷ) = max(0, |ŷ - y| - ε)²``, derivative ``2 sign(ŷ - y) max(0, |ŷ - y| - ε)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``epsilon >= 0``,
    in the target's unit. Unit: the square of the target's unit. Minimiser: a value where the
    distances beyond the band, above and below, add up to the same; the mean for ε = 0.
    Convention: the square of `epsilon_insensitive`, without a factor ½, as in scikit-learn's
    SGDRegressor.
    Errors: see `lossbook.loss.Loss`. Source: Ho and Lin 2012.

    >>> import numpy as np
    >>> float(squared_epsilon_insensitive(np.zeros(1), np.full(1, 3.0), epsilon=1.0))
    4.0
    """
    return epsilon_insensitive.formula(xp, target, prediction, epsilon=epsilon) ** 2


@squared_epsilon_insensitive.derivative
def squared_epsilon_insensitive_derivative(xp, target, prediction, *, epsilon):
    beyond = epsilon_insensitive.formula(xp, target, prediction, epsilon=epsilon)
    return 2 * beyond * xp.sign(prediction - target)


@pointwise_loss(target=NOT_0)
def mape(xp, target, prediction):
    """Mean absolute percentage error: the error relative to the target, as a fraction.

    ``ℓ(y, ŷ) = |ŷ - y| / |y|``, derivative ``sign(ŷ - y) / |y|``, and 0 at the kink.

    Shapes: target and prediction alike, any shape. Domain: target real and not 0, prediction
    real. Unit: none. Minimiser: the median under weights 1/|y|, which for positive targets lies
    at or below the median.
    Convention: a fraction, as in scikit-learn; Keras gives percent, 100 times as much. A target
    of 0 is an error here; Keras and scikit-learn divide by a tiny number instead, and that term
    is then all of the mean.
    Errors: see `lossbook.loss.Loss`. Source: Narula and Wellington 1977.

    >>> import numpy as np
    >>> float(mape(np.array([4.0, -2.0]), np.array([5.0, -1.0])))
    0.375
    """
    return abs(prediction - target) / abs(target)


@mape.derivative
def mape_derivative(xp, target, prediction):
    return xp.sign(prediction - target) / abs(target)


@pointwise_loss(target=MORE_THAN_MINUS_1, prediction=MORE_THAN_MINUS_1)
def msle(xp, target, prediction):
    """Mean squared logarithmic error: the squared error of log(1 + value).

    ``ℓ(y, ŷ) = (log(1 + ŷ) - log(1 + y))²``,
    derivative ``2 (log(1 + ŷ) - log(1 + y)) / (1 + ŷ)``.

    Shapes: target and prediction alike, any shape. Domain: target and prediction above -1.
    Unit: none. Minimiser: ``exp(mean log(1 + y)) - 1``, the geometric mean of the shifted
    targets, which lies below the mean.
    Convention: scikit-learn's mean_squared_log_error, with the natural logarithm. Keras first
    raises targets and predictions below 1e-7 to 1e-7.
    Errors: see `lossbook.loss.Loss`. Source: the scikit-learn user guide.

    >>> import numpy as np
    >>> float(msle(np.array([0.0]), np.array([np.e - 1])))
    1.0
    """
    return mse.formula(xp, xp.log1p(target), xp.log1p(prediction))


@msle.derivative
def msle_derivative(xp, target, prediction):
    slope = mse_derivative(xp, xp.log1p(target), xp.log1p(prediction))
    return product(xp, 1 / (1 + prediction), slope)


@pointwise_loss(
    target=MORE_THAN_MINUS_1, prediction=MORE_THAN_MINUS_1, outer=Outer(_root, _root_derivative)
)
def rmsle(xp, target, prediction):
    """Root mean squared logarithmic error: the square root of the `msle`.

    ``L(y, ŷ) = sqrt(mean (log(1 + ŷ) - log(1 + y))²)``,
    derivative ``(log(1 + ŷᵢ) - log(1 + yᵢ)) / (n L (1 + ŷᵢ))``.

    Shapes: target and prediction alike, any shape. Domain: target and prediction above -1.
    Unit: none. Minimiser: that of `msle`.
    Convention: as for `rmse`, the root is taken once, over all values, and there is no
    ``reduction``. At a perfect fit the gradient is 0.
    Errors: see `lossbook.loss.Loss`. Source: the scikit-learn user guide.

    >>> import numpy as np
    >>> float(rmsle(np.array([0.0, 0.0]), np.array([np.e**2 - 1, np.e**2 - 1])))
    2.0
    """
    return msle.formula(xp, target, prediction)


@rmsle.derivative
def rmsle_derivative(xp, target, prediction):
    return msle_derivative(xp, target, prediction)
