"""Barron's family of robust regression losses: one formula, from the squared error to a bell."""

import math

from lossbook.backend import log1p_square
from lossbook.checks import is_number, positive
from lossbook.loss import pointwise_loss


def shape_parameter(loss, name, value):
    """Barron's α: a finite number, or -inf."""
    if not (is_number(value) and value < math.inf):
        raise ValueError(f"{loss}: {name} must be a finite number or -inf; it is {value!r}.")


@pointwise_loss(alpha=shape_parameter, scale=positive)
def barron(xp, target, prediction, *, alpha=1.0, scale=1.0):
    """Barron's general robust loss: the shape α says how little a large error counts.

    ``ℓ(y, ŷ) = β/α ((e²/β + 1)^(α/2) - 1)`` with ``β = |α - 2|`` and ``e = (ŷ - y) / c``; its
    limits are ``½ e²`` at α = 2, ``log(½ e² + 1)`` at α = 0, ``1 - exp(-½ e²)`` at α = -∞.
    Derivative ``e/c (e²/β + 1)^(α/2 - 1)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``alpha`` real or
    -inf; ``scale`` c > 0, in the target's unit: errors far below c cost ½ e² for every α.
    Minimiser: the mean for α = 2; the smaller α, the less outliers pull. Below α = 1 the loss is
    not convex, and there may be several local minima.
    Convention: `charbonnier` is α = 1, `cauchy` 0, `geman_mcclure` -2, `welsch` -∞. α = 2 is
    half of `mse`.
    Errors: see `lossbook.loss.Loss`. Source: Barron 2019.

    >>> import numpy as np
    >>> float(barron(np.zeros(1), np.full(1, 4.0), alpha=2.0))  # ½ e²
    8.0
    >>> round(float(barron(np.zeros(1), np.full(1, 4.0), alpha=-2.0)), 12)  # 2 e² / (e² + 4)
    1.6
    """
    error = (prediction - target) / scale
    if alpha == 2:
        return 0.5 * error**2
    if alpha == -math.inf:
        return -xp.expm1(-0.5 * _inside_the_bell(xp, error) ** 2)
    beta = abs(alpha - 2)
    growth = log1p_square(xp, error / math.sqrt(beta))  # log(e²/β + 1)
    if alpha == 0:
        return growth
    return beta / alpha * xp.expm1(0.5 * alpha * growth)


@barron.derivative
def barron_derivative(xp, target, prediction, *, alpha, scale):
    error = (prediction - target) / scale
    if alpha == 2:
        return error / scale
    if alpha == -math.inf:
        error = _inside_the_bell(xp, error)
        return error * xp.exp(-0.5 * error**2) / scale
    width = math.sqrt(abs(alpha - 2))
    ratio = error / width
    is_near = abs(ratio) < 1
    near, far = xp.where(is_near, ratio, 0), xp.where(is_near, 1, abs(ratio))
    small = near * xp.exp((0.5 * alpha - 1) * xp.log1p(near**2))
    # the same with |ratio|^(α - 1) taken out, so that an infinite error has its limit
    large = xp.sign(ratio) * far ** (alpha - 1) * xp.exp((0.5 * alpha - 1) * xp.log1p(far**-2))
    return width / scale * xp.where(is_near, small, large)


def _inside_the_bell(xp, error):
    # at 40 the bell exp(-½ e²) is 0 in every type; so 0 · inf does not occur beyond
    return xp.clip(error, -40, 40)


@pointwise_loss(scale=positive)
def charbonnier(xp, target, prediction, *, scale=1.0):
    """Charbonnier's loss, also pseudo-Huber: a hyperbola, squared near 0 and absolute far out.

    ``ℓ(y, ŷ) = sqrt(e² + 1) - 1`` with ``e = (ŷ - y) / c``, derivative ``e / (c sqrt(e² + 1))``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``scale`` c > 0, in
    the target's unit. Minimiser: it tends to the median for small c and to the mean for large c.
    Convention: `barron` with α = 1; no 1 is left over at e = 0.
    Errors: see `lossbook.loss.Loss`. Source: Charbonnier et al. 1994.

    >>> import numpy as np
    >>> round(float(charbonnier(np.zeros(1), np.full(1, 0.75))), 12)  # sqrt(25/16) - 1
    0.25
    """
    return barron.formula(xp, target, prediction, alpha=1.0, scale=scale)


@charbonnier.derivative
def charbonnier_derivative(xp, target, prediction, *, scale):
    return barron_derivative(xp, target, prediction, alpha=1.0, scale=scale)


@pointwise_loss(scale=positive)
def cauchy(xp, target, prediction, *, scale=1.0):
    """The Cauchy or Lorentzian loss: it grows like a logarithm.

    ``ℓ(y, ŷ) = log(½ e² + 1)`` with ``e = (ŷ - y) / c``, derivative ``e / (c (½ e² + 1))``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``scale`` c > 0, in
    the target's unit. Minimiser: the centre of most of the data; an outlier pulls the less the
    farther out it is. Not convex.
    Convention: `barron` with α = 0. The likelihood is that of Student's t with one degree of
    freedom and scale ``c sqrt 2``.
    Errors: see `lossbook.loss.Loss`. Source: Black and Anandan 1996.

    >>> import numpy as np
    >>> round(float(cauchy(np.zeros(1), np.full(1, 2.0))), 12)  # log 3
    1.098612288668
    """
    return barron.formula(xp, target, prediction, alpha=0.0, scale=scale)


@cauchy.derivative
def cauchy_derivative(xp, target, prediction, *, scale):
    return barron_derivative(xp, target, prediction, alpha=0.0, scale=scale)


@pointwise_loss(scale=positive)
def geman_mcclure(xp, target, prediction, *, scale=1.0):
    """The Geman-McClure loss: it levels off at 2.

    ``ℓ(y, ŷ) = 2 e² / (e² + 4)`` with ``e = (ŷ - y) / c``, derivative ``16 e / (c (e² + 4)²)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``scale`` c > 0, in
    the target's unit. Minimiser: the centre of most of the data; far outliers count nothing more.
    Not convex.
    Convention: `barron` with α = -2. Others scale it to level off at 1.
    Errors: see `lossbook.loss.Loss`. Source: Geman and McClure 1985.

    >>> import numpy as np
    >>> round(float(geman_mcclure(np.zeros(1), np.full(1, 2.0))), 12)
    1.0
    """
    return barron.formula(xp, target, prediction, alpha=-2.0, scale=scale)


@geman_mcclure.derivative
def geman_mcclure_derivative(xp, target, prediction, *, scale):
    return barron_derivative(xp, target, prediction, alpha=-2.0, scale=scale)


@pointwise_loss(scale=positive)
def welsch(xp, target, prediction, *, scale=1.0):
    """The Welsch or Leclerc loss: a bell upside down, which levels off at 1.

    ``ℓ(y, ŷ) = 1 - exp(-½ e²)`` with ``e = (ŷ - y) / c``, derivative ``e/c exp(-½ e²)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``scale`` c > 0, in
    the target's unit. Minimiser: for small c the mode, the highest point of a kernel density of
    bandwidth c. Not convex.
    Convention: `barron` with α = -∞.
    Errors: see `lossbook.loss.Loss`. Source: Dennis and Welsch 1978.

    >>> import numpy as np
    >>> round(float(welsch(np.zeros(1), np.full(1, np.sqrt(2.0)))), 6)  # 1 - 1/e
    0.632121
    """
    return barron.formula(xp, target, prediction, alpha=-math.inf, scale=scale)


@welsch.derivative
def welsch_derivative(xp, target, prediction, *, scale):
    return barron_derivative(xp, target, prediction, alpha=-math.inf, scale=scale)


@pointwise_loss(width=positive, curvature=positive)
def wing(xp, target, prediction, *, width=10.0, curvature=2.0):
    """Wing loss: a logarithm near 0, so that small errors pull harder than large ones.

    ``ℓ(y, ŷ) = w log(1 + |e| / ε)`` for ``|e| <= w`` with ``e = ŷ - y``, and
    ``|e| - w + w log(1 + w / ε)`` beyond; derivative ``sign(e) w / (ε + |e|)`` and ``sign(e)``.

    Shapes: target and prediction alike, any shape. Domain: all real numbers; ``width`` w > 0 and
    ``curvature`` ε > 0, in the target's unit. Unit: the target's unit. Minimiser: one of the
    targets themselves, if they all lie within w of each other; outliers pull as in `mae`.
    Convention: not convex. The slope at 0 jumps from -w/ε to w/ε, and at w from w/(ε + w) to 1. The
    defaults are the paper's best values for positions in pixels; segmentation-models-pytorch takes
    a width of 5 and a curvature of 0.5.
    Errors: see `lossbook.loss.Loss`. Source: Feng et al. 2018.

    >>> import numpy as np
    >>> float(wing(np.zeros(1), np.array([2.0]), width=10.0, curvature=2.0))  # 10 log 2
    6.931471805599453
    """
    size = abs(prediction - target)
    near = xp.where(size <= width, size, width)
    return width * xp.log1p(near / curvature) + (size - near)


@wing.derivative
def wing_derivative(xp, target, prediction, *, width, curvature):
    error = prediction - target
    size = abs(error)
    return xp.sign(error) * xp.where(size > width, 1, width / (curvature + size))
