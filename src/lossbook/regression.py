"""Losses for a number: each compares a target y with a prediction ŷ."""

import dataclasses
import math
from collections.abc import Callable

from lossbook.checks import between_0_and_1, positive
from lossbook.loss import pointwise_loss


@pointwise_loss()
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


@pointwise_loss(outer=Outer(_root, _root_derivative))
def rmse(xp, target, prediction):
    """Root mean squared error: the square root of the mean squared error.

    ``L(y, ŷ) = sqrt(mean (ŷ - y)²)``, derivative ``(ŷᵢ - yᵢ) / (n L)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers.
    Unit: the target's unit. Minimiser: the mean.
    Convention: the root is taken once, over all values, so there is no value per sample and no
    ``reduction``. The RMSE of a whole is not the mean of the RMSEs of its parts. At a perfect
    fit, where the root has no derivative, the gradient is 0.
    Errors: see `lossbook.loss.Loss`. Source: Gauss 1821.

    >>> import numpy as np
    >>> float(rmse(np.array([0.0, 0.0]), np.array([3.0, 3.0])))
    3.0
    """
    return mse.formula(xp, target, prediction)


@rmse.derivative
def rmse_derivative(xp, target, prediction):
    return mse_derivative(xp, target, prediction)


@pointwise_loss()
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


@pointwise_loss(delta=positive)
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


@pointwise_loss()
def log_cosh(xp, target, prediction):
    """The logarithm of the hyperbolic cosine of the error: a smooth relative of Huber's loss.

    ``ℓ(y, ŷ) = log cosh(ŷ - y)``, derivative ``tanh(ŷ - y)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers.
    Minimiser: the constant for which ``Σ tanh(ŷ - yᵢ) = 0``; close to the mean for small errors
    and to the median for large ones. Near 0 the loss is ``½ e²``, far out ``|e| - log 2``.
    Convention: small errors keep all their digits; the form ``softplus(2e) - e - log 2``
    of other libraries cancels to 0 at an error of 1e-4 in float32.
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
    too_low = xp.where(prediction >= target, 0, target - prediction)
    too_high = xp.where(prediction <= target, 0, prediction - target)
    return quantile * too_low + (1 - quantile) * too_high


@pinball.derivative
def pinball_derivative(xp, target, prediction, *, quantile):
    side = xp.sign(prediction - target)
    return side * (0.5 + (0.5 - quantile) * side)  # -τ, 0 or 1 - τ
