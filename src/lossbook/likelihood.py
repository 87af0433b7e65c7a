"""Losses for a number that are likelihoods, or scores of a whole predicted distribution."""

import itertools
import math

from lossbook.backend import erf, lgamma, product
from lossbook.checks import REAL, Interval, boolean, is_number
from lossbook.distributional import distributional_loss
from lossbook.loss import pointwise_loss
from lossbook.regression import mse, mse_derivative, pinball, pinball_derivative
from lossbook.structured import structured_loss

COUNT = Interval(0, math.inf, advice="It stands for a count or an amount.")
AMOUNT = Interval(0, math.inf, above=True, advice="It stands for an amount that cannot be 0.")
MEAN = Interval(0, math.inf, above=True, advice="Pass a mean, not its logarithm.")


def tweedie_power(loss, name, value):
    """A power for which a Tweedie distribution exists."""
    if not (is_number(value) and -math.inf < value < math.inf) or 0 < value < 1:
        raise ValueError(
            f"{loss}: {name} must be a finite number, at most 0 or at least 1, because no Tweedie "
            f"distribution exists between; it is {value!r}."
        )


def _tweedie_target(parameters):
    power = parameters["power"]
    if power <= 0:
        return REAL
    return COUNT if power < 2 else AMOUNT


def _tweedie_mean(parameters):
    return REAL if parameters["power"] == 0 else MEAN


@pointwise_loss(target=COUNT, prediction=REAL, full=boolean)
def poisson_nll(xp, target, log_rate, *, full=False):
    """Negative log-likelihood of a count under a Poisson distribution, from its log-rate.

    ``ℓ(y, z) = exp(z) - y z``, and ``+ log y!`` if ``full``; derivative ``exp(z) - y``.

    Shapes: target and log_rate alike, any shape. Domain: target at least 0, log_rate real.
    Unit: nats. Minimiser: the logarithm of the mean.
    Convention: on log-rates, torch's default; a rate that is passed by mistake is fitted to the
    logarithm. ``full`` adds the term that does not depend on the prediction, exactly; torch adds
    Stirling's approximation to it. For rates use `poisson_deviance`.
    Errors: see `lossbook.loss.Loss`. Source: Nelder and Wedderburn 1972.

    >>> import numpy as np
    >>> round(float(poisson_nll(np.array([2.0]), np.array([0.0]), full=True)), 12)  # 1 + log 2
    1.69314718056
    """
    value = _plus(xp, xp.exp(log_rate), -product(xp, target, log_rate))
    return value + lgamma(xp, target + 1) if full else value


@poisson_nll.derivative
def poisson_nll_derivative(xp, target, log_rate, *, full):
    is_near_1 = abs(log_rate) < 0.5  # where exp(z) - 1 would lose its digits
    near = xp.expm1(xp.where(is_near_1, log_rate, 0)) + (1 - target)
    return xp.where(is_near_1, near, xp.exp(log_rate) - target)


@pointwise_loss(target=AMOUNT, prediction=REAL)
def gamma_nll(xp, target, log_mean):
    """Negative log-likelihood of an amount under a gamma distribution, from its log-mean.

    ``ℓ(y, z) = y exp(-z) + z``, derivative ``1 - y exp(-z)``.

    Shapes: target and log_mean alike, any shape. Domain: target above 0, log_mean real.
    Unit: nats. Minimiser: the logarithm of the mean.
    Convention: shape 1, the exponential distribution, whose likelihood this is to the last
    constant. Another shape k multiplies it by k and adds what no prediction changes. Half of
    `gamma_deviance`, up to such a constant.
    Errors: see `lossbook.loss.Loss`. Source: Nelder and Wedderburn 1972.

    >>> import numpy as np
    >>> float(gamma_nll(np.array([3.0]), np.array([0.0])))
    3.0
    """
    return _plus(xp, product(xp, target, xp.exp(-log_mean)), log_mean)


@gamma_nll.derivative
def gamma_nll_derivative(xp, target, log_mean):
    return 1 - product(xp, target, xp.exp(-log_mean))


@pointwise_loss(target=_tweedie_target, prediction=_tweedie_mean, power=tweedie_power)
def tweedie_deviance(xp, target, prediction, *, power=1.5):
    """Tweedie deviance of a mean: the variance is taken to grow as the mean to a power.

    ``ℓ(y, ŷ) = 2 (y B(1 - p) - B(2 - p))`` with ``B(λ) = (y^λ - ŷ^λ) / λ`` and
    ``B(0) = log(y / ŷ)``; derivative ``2 (ŷ - y) / ŷ^p``.

    Shapes: target and prediction alike, any shape. Domain: ``power`` p at most 0 or at least 1.
    Prediction above 0, target at least 0; for p >= 2 target above 0; for p < 0 target real; for
    p = 0 both real. Unit: the target's unit to the power 2 - p. Minimiser: the mean.
    Convention: scikit-learn's. p = 0 is `mse`, 1 `poisson_deviance`, 2 `gamma_deviance`, 3 the
    inverse Gaussian; 1 < p < 2 allows for zeros among positive amounts. For a model of the log
    of the mean, pass ``exp(log_mean)``.
    Errors: see `lossbook.loss.Loss`. Source: Tweedie 1984.

    >>> import numpy as np
    >>> float(tweedie_deviance(np.array([0.0]), np.array([4.0]), power=1.5))  # 4 sqrt 4
    8.0
    """
    if power == 0:
        return mse.formula(xp, target, prediction)
    first = product(xp, target, _power_integral(xp, target, prediction, 1 - power))
    return 2 * _plus(xp, -_power_integral(xp, target, prediction, 2 - power), first)


@tweedie_deviance.derivative
def tweedie_deviance_derivative(xp, target, prediction, *, power):
    if power == 0:
        return mse_derivative(xp, target, prediction)
    relative = 1 - target / prediction
    # ŷ - y is exact where the two are close, and their quotient is not
    relative = xp.where(abs(relative) < 0.5, (prediction - target) / prediction, relative)
    return 2 * product(xp, relative, prediction ** (1 - power))


def _power_integral(xp, upper, lower, exponent):
    """(upper^λ - lower^λ) / λ, the integral of t^(λ - 1); exact near λ = 0.

    A negative upper end counts as 0. Where λ <= 0 and that end is 0, the number is meaningless.
    """
    if exponent == 1:
        return upper - lower
    is_positive = upper > 0
    end = xp.where(is_positive, upper, 1)
    log_ratio = -xp.log(lower / end)
    if exponent == 0:
        return log_ratio
    growth = -exponent * log_ratio
    is_near = abs(growth) < 1  # beyond, the two powers differ enough for their difference
    by_growth = end**exponent * xp.expm1(xp.where(is_near, growth, 0))
    integral = -xp.where(is_near, by_growth, lower**exponent - end**exponent) / exponent
    if exponent < 0:
        return integral
    return xp.where(is_positive, integral, -(lower**exponent) / exponent)


@pointwise_loss(target=COUNT, prediction=MEAN)
def poisson_deviance(xp, target, prediction):
    """Poisson deviance of a rate: what the count lost against a rate that equals it.

    ``ℓ(y, ŷ) = 2 (y log(y / ŷ) - y + ŷ)``, derivative ``2 (1 - y / ŷ)``.

    Shapes: target and prediction alike, any shape. Domain: target at least 0, prediction above
    0. Minimiser: the mean.
    Convention: `tweedie_deviance` with power 1, as in scikit-learn; twice `poisson_nll` of the
    logarithm of the rate, up to what no prediction changes. Keras's Poisson is ŷ - y log(ŷ + 1e-7).
    Half of it, summed over the entries of a vector, is the generalised Kullback-Leibler divergence
    of masses that need not sum to 1, optax.generalized_kl_divergence of the logarithms.
    Errors: see `lossbook.loss.Loss`. Source: Nelder and Wedderburn 1972.

    >>> import numpy as np
    >>> float(poisson_deviance(np.array([0.0]), np.array([3.0])))
    6.0
    """
    return tweedie_deviance.formula(xp, target, prediction, power=1)


@poisson_deviance.derivative
def poisson_deviance_derivative(xp, target, prediction):
    return tweedie_deviance_derivative(xp, target, prediction, power=1)


@pointwise_loss(target=AMOUNT, prediction=MEAN)
def gamma_deviance(xp, target, prediction):
    """Gamma deviance of a mean: it depends on the ratio of target and prediction alone.

    ``ℓ(y, ŷ) = 2 (y / ŷ - 1 - log(y / ŷ))``, derivative ``2 (ŷ - y) / ŷ²``.

    Shapes: target and prediction alike, any shape. Domain: target and prediction above 0.
    Unit: none. Minimiser: the mean.
    Convention: `tweedie_deviance` with power 2, as in scikit-learn.
    Errors: see `lossbook.loss.Loss`. Source: Nelder and Wedderburn 1972.

    >>> import numpy as np
    >>> round(float(gamma_deviance(np.array([np.e]), np.array([1.0]))), 12)  # 2 (e - 2)
    1.436563656918
    """
    return tweedie_deviance.formula(xp, target, prediction, power=2)


@gamma_deviance.derivative
def gamma_deviance_derivative(xp, target, prediction):
    return tweedie_deviance_derivative(xp, target, prediction, power=2)


@distributional_loss(columns=("mean", "log_variance"), full=boolean)
def gaussian_nll(xp, target, prediction, *, full=False):
    """Negative log-likelihood under a normal distribution whose mean and variance are predicted.

    ``ℓ(y, μ, s) = ½ (s + (μ - y)² exp(-s))`` with ``s = log σ²``, and ``+ ½ log 2π`` if ``full``;
    derivatives ``(μ - y) exp(-s)`` and ``½ (1 - (μ - y)² exp(-s))``.

    Shapes: target (...), prediction (..., 2): the mean and the logarithm of the variance on the
    last axis. Domain: all real numbers. Unit: nats. Minimiser: the mean, and the logarithm of the
    mean squared deviation from it.
    Convention: the logarithm of the variance, which needs no floor; torch takes the variance, and
    raises it to 1e-6. ``full`` adds the term that no prediction changes.
    Errors: see `lossbook.loss.Loss`. Source: Harvey 1976.

    >>> import numpy as np
    >>> float(gaussian_nll(np.array([0.0]), np.array([[2.0, 0.0]])))
    2.0
    """
    mean, log_variance = prediction[..., 0], prediction[..., 1]
    residual = _in_scale(xp, mean - target, 0.5 * log_variance)
    value = _plus(xp, 0.5 * residual**2, 0.5 * log_variance)
    return value + 0.5 * math.log(2 * math.pi) if full else value


@gaussian_nll.derivative
def gaussian_nll_derivative(xp, target, prediction, *, full):
    mean, log_variance = prediction[..., 0], prediction[..., 1]
    residual = _in_scale(xp, mean - target, 0.5 * log_variance)
    of_mean = product(xp, residual, xp.exp(-0.5 * log_variance))
    return xp.stack((of_mean, 0.5 - 0.5 * residual**2), axis=-1)


@distributional_loss(columns=("location", "log_scale"), full=boolean)
def laplace_nll(xp, target, prediction, *, full=False):
    """Negative log-likelihood under a Laplace distribution whose location and scale are predicted.

    ``ℓ(y, μ, s) = |μ - y| exp(-s) + s`` with ``s = log b``, and ``+ log 2`` if ``full``;
    derivatives ``sign(μ - y) exp(-s)`` and ``1 - |μ - y| exp(-s)``.

    Shapes: target (...), prediction (..., 2): the location and the logarithm of the scale on the
    last axis. Domain: all real numbers. Unit: nats. Minimiser: the median, and the logarithm of
    the mean absolute deviation from it.
    Convention: with a log-scale of 0 it is `mae`. ``full`` adds the term that no prediction
    changes.
    Errors: see `lossbook.loss.Loss`. Source: Laplace 1774.

    >>> import numpy as np
    >>> float(laplace_nll(np.array([0.0]), np.array([[2.0, 0.0]])))
    2.0
    """
    location, log_scale = prediction[..., 0], prediction[..., 1]
    value = _plus(xp, abs(_in_scale(xp, location - target, log_scale)), log_scale)
    return value + math.log(2) if full else value


@laplace_nll.derivative
def laplace_nll_derivative(xp, target, prediction, *, full):
    error, log_scale = prediction[..., 0] - target, prediction[..., 1]
    of_location = product(xp, xp.sign(error), xp.exp(-log_scale))
    return xp.stack((of_location, 1 - abs(_in_scale(xp, error, log_scale))), axis=-1)


@distributional_loss(columns=("mean", "log_variance"))
def crps_gaussian(xp, target, prediction):
    """Continuous ranked probability score of a normal distribution.

    ``ℓ(y, μ, s) = e (2 Φ(r) - 1) + σ (2 φ(r) - 1 / sqrt π)`` with ``e = μ - y``,
    ``σ = exp(½ s)`` and ``r = e / σ``; derivatives ``2 Φ(r) - 1`` and
    ``½ σ (2 φ(r) - 1 / sqrt π)``.

    Shapes: target (...), prediction (..., 2): the mean and the logarithm of the variance on the
    last axis. Domain: all real numbers. Unit: the target's unit. Minimiser: the true mean and
    variance, if the target is normal: the score is proper.
    Convention: the lower the better. For a variance of 0 it is `mae`. It grows like the error,
    not like its square, so an outlier pulls less than in `gaussian_nll`.
    Errors: see `lossbook.loss.Loss`. Source: Gneiting et al. 2005.

    >>> import numpy as np
    >>> round(float(crps_gaussian(np.array([0.0]), np.array([[0.0, 0.0]]))), 6)  # (√2 - 1) / √π
    0.233695
    """
    mean, log_variance = prediction[..., 0], prediction[..., 1]
    error, scale, sign_mass, excess = _crps_terms(xp, target, mean, log_variance)
    return error * sign_mass + scale * excess


@crps_gaussian.derivative
def crps_gaussian_derivative(xp, target, prediction):
    mean, log_variance = prediction[..., 0], prediction[..., 1]
    _, scale, sign_mass, excess = _crps_terms(xp, target, mean, log_variance)
    return xp.stack((sign_mass, 0.5 * scale * excess), axis=-1)


def _crps_terms(xp, target, mean, log_variance):
    """The error, σ, 2 Φ(r) - 1 and 2 φ(r) - 1 / sqrt π."""
    error = mean - target
    # 40 deviations out the density is 0 in every type; clipped, so that 0 · inf does not occur
    residual = xp.clip(error * xp.exp(_without_overflow(xp, -0.5 * log_variance)), -40, 40)
    density = xp.exp(-0.5 * residual**2) / math.sqrt(2 * math.pi)
    sign_mass = erf(xp, residual / math.sqrt(2))
    return error, xp.exp(0.5 * log_variance), sign_mass, 2 * density - 1 / math.sqrt(math.pi)


def levels_or_none(loss, name, value):
    """A parameter that must be a rising sequence of numbers in (0, 1), or None."""
    if value is None:
        return
    is_sequence = isinstance(value, (list, tuple)) and len(value) > 0
    numbers = [-1.0, *value] if is_sequence and all(map(is_number, value)) else [1.0]
    inside = len(numbers) > 1 and all(0 < level < 1 for level in numbers[1:])
    if not inside or any(a >= b for a, b in itertools.pairwise(numbers)):
        raise ValueError(
            f"{loss}: {name} must be a rising list of numbers in (0, 1), or None; it is {value!r}."
        )


def _check_levels(xp, loss, *, target, prediction, levels):
    if levels is not None and len(levels) != prediction.shape[-1]:
        raise ValueError(
            f"{loss}: there must be a prediction for each of the {len(levels)} levels; the last "
            f"axis of prediction has {prediction.shape[-1]}."
        )


@structured_loss(
    shapes={"target": "...", "prediction": "... k"},
    predictions=("prediction",),
    check=_check_levels,
    levels=levels_or_none,
)
def crps_quantiles(xp, target, prediction, *, levels=None):
    """Continuous ranked probability score of a distribution that is known by its quantiles.

    ``ℓ(y, ŷ) = 2/K Σ_k ρ_k(y, ŷ_k)``, twice the mean of the `pinball` losses ρ at the levels τ_k;
    derivative ``-2 τ_k / K`` where a quantile is too low, ``2 (1 - τ_k) / K`` where it is too high.

    Shapes: target (...), prediction (..., K): a quantile for each level on the last axis. Domain:
    all real numbers; ``levels`` rise in (0, 1), by default ``(k - ½) / K``. Unit: the target's
    unit. Minimiser: the quantiles at the levels.
    Convention: with the default levels and quantiles that rise it is the score of the distribution
    that gives each of the K values the same probability, exactly, and approaches that of the
    predicted distribution as K grows. With other levels it is still twice the mean of the pinball
    losses, and no longer that score: the tails count less or more. Quantiles that cross are
    allowed.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Laio and Tamea 2007.

    >>> import numpy as np
    >>> float(crps_quantiles(np.array([0.0]), np.array([[-1.0, 1.0]])))  # ¼ · 1 + ¼ · 1
    0.5
    """
    quantiles = _levels(xp, prediction, levels)
    losses = pinball.formula(xp, target[..., None], prediction, quantile=quantiles)
    return 2 * xp.mean(losses, axis=-1)


@crps_quantiles.derivative
def crps_quantiles_derivative(xp, target, prediction, *, levels):
    quantiles = _levels(xp, prediction, levels)
    slopes = pinball_derivative(xp, target[..., None], prediction, quantile=quantiles)
    return (2 / prediction.shape[-1] * slopes,)


def _levels(xp, prediction, levels):
    size = prediction.shape[-1]
    if levels is None:
        levels = [(k + 0.5) / size for k in range(size)]
    device = getattr(prediction, "device", None)
    return xp.asarray(levels, dtype=prediction.dtype, device=device)


def _in_scale(xp, error, log_scale):
    """error / exp(log_scale), and 0 where the error is 0, however small the scale."""
    return error * xp.exp(xp.where(error == 0, _without_overflow(xp, -log_scale), -log_scale))


def _without_overflow(xp, exponent):
    """The exponent, or if it is too large the largest that exp can take."""
    return xp.clip(exponent, None, math.floor(math.log(xp.finfo(exponent.dtype).max)))


def _plus(xp, penalty, linear):
    """penalty + linear; an infinite penalty outgrows what is linear in its logarithm."""
    return penalty + xp.where(xp.isinf(penalty), 0, linear)
