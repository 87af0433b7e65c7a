"""How to draw valid arguments for each loss, and reference values of 50 digits.

A loss that is added to `lossbook` without an entry here makes `test_every_loss` fail.
"""

import dataclasses
from collections.abc import Callable

import mpmath
import numpy as np

import lossbook

mpmath.mp.dps = 50


@dataclasses.dataclass(frozen=True)
class Case:
    """A loss, samplers for its arguments, parameter sets, and its formula in mpmath."""

    loss: object
    target: Callable  # (rng, shape) -> array
    prediction: Callable
    reference: Callable  # (target, prediction, **parameters) -> one exact value
    parameters: tuple = ({},)
    classes: int = 0  # more than 0: length of the last axis of the prediction

    @property
    def has_mean_only(self):
        """A function of the mean, such as the RMSE, has no value per sample."""
        return self.loss.name in ("rmse", "rmsle")

    @property
    def takes_logarithms(self):
        """On log-probabilities, which are at most 0."""
        return self.loss.prediction_name == "log_probabilities"

    @property
    def is_linear(self):
        """The slope does not depend on the prediction."""
        return self.loss.name in ("nll", "kl_divergence")

    def draw(self, seed, shape, dtype=np.float64):
        """Target and prediction; a class-wise loss gets ``shape`` rows of ``classes``."""
        rng = np.random.default_rng(seed)
        target = self.target(rng, shape)
        full = (*shape, self.classes) if self.classes else shape
        prediction = self.prediction(rng, full).astype(dtype)
        if not np.issubdtype(target.dtype, np.integer):
            target = target.astype(dtype)
        return target, prediction


def normal(rng, shape):
    return 2 * rng.normal(size=shape)


def moderate(rng, shape):
    """Where a bell is not yet flat: autograd of 1 - bell is only as exact as the bell's height."""
    return rng.uniform(-2, 2, size=shape)


def probability(rng, shape):
    return rng.uniform(0.01, 0.99, size=shape)


def positive(rng, shape):
    return rng.uniform(0.3, 3, size=shape)


def near_1(rng, shape):
    return rng.uniform(0.8, 1.4, size=shape)


def far_from_1(rng, shape):
    """Where autograd of a deviance does not lose its digits, as it does close to a perfect fit."""
    return np.where(
        rng.random(shape) < 0.5, rng.uniform(0.3, 0.7, shape), rng.uniform(1.5, 3, shape)
    )


def above_minus_1(rng, shape):
    return rng.exponential(size=shape) - 0.5


def not_0(rng, shape):
    return rng.choice([-1, 1], size=shape) * rng.uniform(0.5, 5, size=shape)


def count(rng, shape):
    return rng.integers(0, 4, size=shape)


def bit(rng, shape):
    return rng.integers(0, 2, size=shape)


def sign(rng, shape):
    return 2 * rng.integers(0, 2, size=shape) - 1


def label(rng, shape):
    return rng.integers(0, 4, size=shape)


def log_probability(rng, shape):
    return np.log(rng.dirichlet(np.ones(shape[-1]), size=shape[:-1]))


def huber(y, p, delta=1.0):
    e = abs(p - y)
    return e**2 / 2 if e <= delta else delta * (e - mpmath.mpf(delta) / 2)


def expectile(y, p, tau=0.5):
    tau = mpmath.mpf(tau)
    return (tau if p < y else 1 - tau) * (p - y) ** 2


def band(y, p, epsilon=0.1):
    return max(0, abs(p - y) - mpmath.mpf(epsilon))


def log_error(y, p):
    return mpmath.log(1 + p) - mpmath.log(1 + y)


def barron(y, p, alpha=1.0, scale=1.0):
    half = ((p - y) / mpmath.mpf(scale)) ** 2 / 2
    alpha = mpmath.mpf(alpha)
    if alpha == 2:
        return half
    if alpha == 0:
        return mpmath.log(half + 1)
    if alpha == -mpmath.inf:
        return 1 - mpmath.exp(-half)
    beta = abs(alpha - 2)
    return beta / alpha * ((2 * half / beta + 1) ** (alpha / 2) - 1)


def of_barron(alpha):
    return lambda y, p, scale=1.0: barron(y, p, alpha, scale)


def poisson_nll(y, z, full=False):
    return mpmath.exp(z) - y * z + (mpmath.loggamma(y + 1) if full else 0)


def tweedie(y, p, power=1.5):
    power = mpmath.mpf(power)
    if power == 0:
        return (p - y) ** 2
    if power == 1:
        return 2 * ((y * mpmath.log(y / p) if y else 0) - y + p)
    if power == 2:
        return 2 * (y / p - 1 - mpmath.log(y / p))
    # as in scikit-learn's manual
    first = max(y, 0) ** (2 - power) / ((1 - power) * (2 - power))
    return 2 * (first - y * p ** (1 - power) / (1 - power) + p ** (2 - power) / (2 - power))


def gaussian(y, p, full=False):
    mean, log_variance = p
    value = ((mean - y) ** 2 * mpmath.exp(-log_variance) + log_variance) / 2
    return value + (mpmath.log(2 * mpmath.pi) / 2 if full else 0)


def laplace(y, p, full=False):
    location, log_scale = p
    return abs(location - y) * mpmath.exp(-log_scale) + log_scale + (mpmath.log(2) if full else 0)


def crps_gaussian(y, p):
    mean, deviation = p[0], mpmath.exp(p[1] / 2)
    r = (y - mean) / deviation
    sign_mass = 2 * mpmath.ncdf(r) - 1
    return deviation * (r * sign_mass + 2 * mpmath.npdf(r) - 1 / mpmath.sqrt(mpmath.pi))


def pinball(y, p, quantile=0.5):
    tau = mpmath.mpf(quantile)
    return max(tau * (y - p), (tau - 1) * (y - p))


def binary(y, p):
    terms = [weight * mpmath.log(q) for weight, q in ((y, p), (1 - y, 1 - p)) if weight]
    return -mpmath.fsum(terms)


def binary_with_logits(y, z):
    return y * mpmath.log1p(mpmath.exp(-z)) + (1 - y) * mpmath.log1p(mpmath.exp(z))


def categorical(y, z, label_smoothing=0.0):
    total = mpmath.log(mpmath.fsum(mpmath.exp(score) for score in z))
    smooth = mpmath.mpf(label_smoothing)
    surprises = [total - score for score in z]
    return (1 - smooth) * surprises[int(y)] + smooth * mpmath.fsum(surprises) / len(z)


def softmax(z):
    powers = [mpmath.exp(score) for score in z]
    return [power / mpmath.fsum(powers) for power in powers]


def focal(y, z, gamma=2.0, alpha=None):
    p, gamma = 1 / (1 + mpmath.exp(-z)), mpmath.mpf(gamma)
    of_1, of_0 = (1, 1) if alpha is None else (mpmath.mpf(alpha), 1 - mpmath.mpf(alpha))
    cost_of_1 = -of_1 * (1 - p) ** gamma * mpmath.log(p)
    return y * cost_of_1 - (1 - y) * of_0 * p**gamma * mpmath.log(1 - p)


def focal_cross_entropy(y, z, gamma=2.0):
    p = softmax(z)[int(y)]
    return -((1 - p) ** mpmath.mpf(gamma)) * mpmath.log(p)


def poly1(y, z, epsilon=2.0):
    p = softmax(z)[int(y)]
    return -mpmath.log(p) + mpmath.mpf(epsilon) * (1 - p)


def generalised(y, z, q=0.7):
    q = mpmath.mpf(q)
    return (1 - softmax(z)[int(y)] ** q) / q


def symmetric(y, z, alpha=0.1, beta=1.0, log_zero=-4.0):
    alpha, beta, log_zero = (mpmath.mpf(number) for number in (alpha, beta, log_zero))
    p = softmax(z)[int(y)]
    return -alpha * mpmath.log(p) - beta * log_zero * (1 - p)


def multiclass_brier(y, z):
    return mpmath.fsum((p - (c == int(y))) ** 2 for c, p in enumerate(softmax(z)))


def others(y, z):
    return [score for c, score in enumerate(z) if c != int(y)]


def multiclass_hinge(y, z):
    return max(0, 1 + max(others(y, z)) - z[int(y)])


def weston_watkins(y, z, margin=1.0, p=1):
    return mpmath.fsum(
        max(0, mpmath.mpf(margin) + score - z[int(y)]) ** p for score in others(y, z)
    )


def hinge_embedding(y, d, margin=1.0):
    return d if y == 1 else max(0, mpmath.mpf(margin) - d)


def sparsemax_loss(y, z):
    """The definition of Martins and Astudillo, with the support found by trying each size."""
    ordered = sorted(z, reverse=True)
    for size in range(len(z), 0, -1):
        threshold = (mpmath.fsum(ordered[:size]) - 1) / size
        if ordered[size - 1] > threshold:
            break
    inside = mpmath.fsum(score**2 - threshold**2 for score in ordered[:size])
    return inside / 2 + mpmath.mpf(1) / 2 - z[int(y)]


def entmax15(y, z):
    """The definition: the threshold is found by Newton's method, and the loss is Σ (p - q) z - …"""
    threshold = max(z) / 2 - 1  # too low, as is each step from there
    for _ in range(40):
        roots = [max(0, score / 2 - threshold) for score in z]
        threshold += (mpmath.fsum(root**2 for root in roots) - 1) / (2 * mpmath.fsum(roots))
    p = [root**2 for root in roots]
    power = mpmath.mpf(3) / 2
    entropy = mpmath.mpf(4) / 3 * (mpmath.fsum(share**power for share in p) - 1)
    return mpmath.fdot(p, z) - z[int(y)] - entropy


def jensen_shannon(y, log_p):
    value = mpmath.mpf(0)
    for c, log in enumerate(log_p):
        p, q = mpmath.exp(log), int(c == int(y))
        mean = (p + q) / 2
        value += (p * mpmath.log(p / mean) + (mpmath.log(1 / mean) if q else 0)) / 2
    return value


def wing(y, p, width=10.0, curvature=2.0):
    error, width, curvature = abs(p - y), mpmath.mpf(width), mpmath.mpf(curvature)
    if error <= width:
        return width * mpmath.log(1 + error / curvature)
    return error - width + width * mpmath.log(1 + width / curvature)


CASES = {
    case.loss.name: case
    for case in (
        Case(lossbook.mse, normal, normal, lambda y, p: (p - y) ** 2),
        Case(lossbook.rmse, normal, normal, lambda y, p: abs(p - y)),
        Case(lossbook.mae, normal, normal, lambda y, p: abs(p - y)),
        Case(lossbook.huber, normal, normal, huber, ({}, {"delta": 0.3}, {"delta": 7.0})),
        Case(lossbook.log_cosh, normal, normal, lambda y, p: mpmath.log(mpmath.cosh(p - y))),
        Case(lossbook.pinball, normal, normal, pinball, ({}, {"quantile": 0.9})),
        Case(
            lossbook.smooth_l1,
            normal,
            normal,
            lambda y, p, beta=1.0: huber(y, p, beta) / mpmath.mpf(beta),
            ({}, {"beta": 0.3}),
        ),
        Case(lossbook.expectile, normal, normal, expectile, ({}, {"tau": 0.9})),
        Case(lossbook.epsilon_insensitive, normal, normal, band, ({}, {"epsilon": 1.5})),
        Case(
            lossbook.squared_epsilon_insensitive,
            normal,
            normal,
            lambda y, p, epsilon=0.1: band(y, p, epsilon) ** 2,
            ({}, {"epsilon": 1.5}),
        ),
        Case(lossbook.mape, not_0, normal, lambda y, p: abs(p - y) / abs(y)),
        Case(lossbook.msle, above_minus_1, above_minus_1, lambda y, p: log_error(y, p) ** 2),
        Case(lossbook.rmsle, above_minus_1, above_minus_1, lambda y, p: abs(log_error(y, p))),
        Case(
            lossbook.barron,
            moderate,
            moderate,
            barron,
            tuple({"alpha": a, "scale": 1.2} for a in (2.0, 1.5, 0.0, -1e3, -np.inf)),
        ),
        Case(lossbook.charbonnier, normal, normal, of_barron(1), ({}, {"scale": 3.0})),
        Case(lossbook.cauchy, normal, normal, of_barron(0), ({}, {"scale": 3.0})),
        Case(lossbook.geman_mcclure, normal, normal, of_barron(-2), ({}, {"scale": 3.0})),
        Case(lossbook.welsch, moderate, moderate, of_barron("-inf"), ({}, {"scale": 3.0})),
        Case(lossbook.poisson_nll, count, normal, poisson_nll, ({}, {"full": True})),
        Case(lossbook.gamma_nll, positive, normal, lambda y, z: y * mpmath.exp(-z) + z),
        Case(
            lossbook.tweedie_deviance,
            far_from_1,
            near_1,
            tweedie,
            tuple({"power": p} for p in (-1, 0, 1.001, 1.5, 3)),
        ),
        Case(lossbook.poisson_deviance, count, positive, lambda y, p: tweedie(y, p, 1)),
        Case(lossbook.gamma_deviance, far_from_1, near_1, lambda y, p: tweedie(y, p, 2)),
        Case(lossbook.gaussian_nll, normal, normal, gaussian, ({}, {"full": True}), classes=2),
        Case(lossbook.laplace_nll, normal, normal, laplace, ({}, {"full": True}), classes=2),
        Case(lossbook.crps_gaussian, normal, normal, crps_gaussian, classes=2),
        Case(lossbook.bce, probability, probability, binary),
        Case(lossbook.brier, probability, probability, lambda y, p: (p - y) ** 2),
        Case(
            lossbook.focal,
            probability,
            normal,
            focal,
            ({}, {"gamma": 0.5, "alpha": 0.25}, {"gamma": 0}),
        ),
        Case(lossbook.bce_with_logits, probability, normal, binary_with_logits),
        Case(lossbook.hinge, sign, normal, lambda y, z: max(0, 1 - y * z)),
        Case(lossbook.squared_hinge, sign, normal, lambda y, z: max(0, 1 - y * z) ** 2),
        Case(
            lossbook.modified_huber,
            sign,
            normal,
            lambda y, z: max(0, 1 - y * z) ** 2 if y * z >= -1 else -4 * y * z,
        ),
        Case(lossbook.logistic, sign, normal, lambda y, z: mpmath.log1p(mpmath.exp(-y * z))),
        Case(lossbook.exponential, sign, normal, lambda y, z: mpmath.exp(-y * z)),
        Case(lossbook.perceptron, sign, normal, lambda y, z: max(0, -y * z)),
        Case(lossbook.nll, label, log_probability, lambda y, z: -z[int(y)], classes=4),
        Case(
            lossbook.cross_entropy,
            label,
            normal,
            categorical,
            ({}, {"label_smoothing": 0.1}),
            classes=4,
        ),
        Case(lossbook.kl_divergence, label, log_probability, lambda y, z: -z[int(y)], classes=4),
        Case(lossbook.multiclass_brier, label, normal, multiclass_brier, classes=4),
        Case(
            lossbook.focal_cross_entropy,
            label,
            normal,
            focal_cross_entropy,
            ({}, {"gamma": 0.5}, {"gamma": 0}),
            classes=4,
        ),
        Case(
            lossbook.poly1_cross_entropy, label, normal, poly1, ({}, {"epsilon": -0.5}), classes=4
        ),
        Case(
            lossbook.generalised_cross_entropy,
            label,
            normal,
            generalised,
            ({}, {"q": 1}, {"q": 1e-3}),
            classes=4,
        ),
        Case(
            lossbook.symmetric_cross_entropy,
            label,
            normal,
            symmetric,
            ({}, {"alpha": 1.0, "beta": 0.5, "log_zero": -2.0}),
            classes=4,
        ),
        Case(lossbook.wing, normal, normal, wing, ({}, {"width": 1.5, "curvature": 0.5})),
        Case(lossbook.jensen_shannon, label, log_probability, jensen_shannon, classes=4),
        Case(lossbook.multiclass_hinge, label, normal, multiclass_hinge, classes=4),
        Case(
            lossbook.multiclass_perceptron,
            label,
            normal,
            lambda y, z: max(z) - z[int(y)],
            classes=4,
        ),
        Case(
            lossbook.zero_one,
            label,
            normal,
            lambda y, z: int(max(others(y, z)) >= z[int(y)]),
            classes=4,
        ),
        Case(lossbook.entmax15_loss, label, normal, entmax15, classes=4),
        Case(
            lossbook.weston_watkins,
            label,
            normal,
            weston_watkins,
            ({}, {"margin": 2.5, "p": 2}),
            classes=4,
        ),
        Case(lossbook.hinge_embedding, sign, normal, hinge_embedding, ({}, {"margin": 2.5})),
        Case(
            lossbook.contrastive,
            bit,
            positive,
            lambda y, d, margin=1.0: hinge_embedding(2 * y - 1, d, margin) ** 2,
            ({}, {"margin": 2.5}),
        ),
        Case(lossbook.sparsemax_loss, label, normal, sparsemax_loss, classes=4),
    )
}

# every loss with every parameter set, for pytest.mark.parametrize
RUNS = [(case, parameters) for case in CASES.values() for parameters in case.parameters]
RUN_NAMES = [f"{case.loss.name}{parameters or ''}" for case, parameters in RUNS]


def exact(number):
    """The exact value of a floating point number, as mpmath holds it."""
    return mpmath.mpf(float(number))


def exact_values(case, target, prediction, parameters):
    """The reference value of each sample, rounded once, to float64."""
    flat_target = np.ravel(target)
    if case.classes:
        rows = np.reshape(prediction, (-1, case.classes))
        arguments = [
            (exact(y), [exact(z) for z in row]) for y, row in zip(flat_target, rows, strict=True)
        ]
    else:
        arguments = [
            (exact(y), exact(p)) for y, p in zip(flat_target, np.ravel(prediction), strict=True)
        ]
    values = [float(case.reference(y, p, **parameters)) for y, p in arguments]
    return np.reshape(values, np.shape(target))
