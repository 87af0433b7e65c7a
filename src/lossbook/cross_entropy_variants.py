"""Cross-entropy, bent: easy samples count less (focal), wrong labels hurt less (the others).

None of them but the plain cross-entropy, their limit, is proper: a minimiser is a class frequency
no longer.
"""

from lossbook.backend import at_index, log_softmax, logsumexp, product, sigmoid, softmax, softplus
from lossbook.checks import REAL, is_number, negative, not_negative
from lossbook.classification import (
    DISTRIBUTION,
    LABEL,
    cross_entropy,
    cross_entropy_derivative,
)
from lossbook.classwise import class_masses, classwise_loss, expected, through_softmax
from lossbook.loss import pointwise_loss


def share_or_none(loss, name, value):
    """A parameter that must be a number in [0, 1], or None."""
    if value is not None and not (is_number(value) and 0 <= value <= 1):
        raise ValueError(f"{loss}: {name} must lie in [0, 1] or be None; it is {value!r}.")


def exponent(loss, name, value):
    """A parameter that must be a number in (0, 1]."""
    if not (is_number(value) and 0 < value <= 1):
        raise ValueError(f"{loss}: {name} must be above 0 and at most 1; it is {value!r}.")


def at_least_minus_1(loss, name, value):
    """A parameter that must be a finite number of at least -1."""
    if not (is_number(value) and -1 <= value < float("inf")):
        raise ValueError(f"{loss}: {name} must be a finite number of at least -1; it is {value!r}.")


@pointwise_loss(target=LABEL, prediction=REAL, gamma=not_negative, alpha=share_or_none)
def focal(xp, target, logits, *, gamma=2.0, alpha=None):
    """Focal loss of two classes, on logits: cross-entropy that fades for easy samples.

    ``ℓ(1, z) = -α (1 - p)^γ log p`` and ``ℓ(0, z) = -(1 - α) p^γ log(1 - p)`` with ``p = σ(z)``;
    derivative of the first ``α (1 - p)^γ (γ p log p - (1 - p))``, of the second its mirror image.
    A target y between 0 and 1 mixes the two: ``y ℓ(1, z) + (1 - y) ℓ(0, z)``.

    Shapes: target and logits alike, any shape. Domain: target in [0, 1], logits real; ``gamma``
    γ >= 0, ``alpha`` α in [0, 1]. Without α there is no factor α or 1 - α. Unit: nats.
    Minimiser: for γ > 0 and no α a probability nearer to ½ than the frequency of class 1.
    Convention: γ = 0 without α is `bce_with_logits`. Keras and optax leave α out unless asked;
    the paper and kornia's binary focal loss take 0.25. The power is taken of a logarithm, so that
    no γ gives NaN.
    Errors: see `lossbook.loss.Loss`. Source: Lin et al. 2017.

    >>> import numpy as np
    >>> float(focal(np.array([1.0]), np.array([0.0]), gamma=2.0))  # log(2) / 4
    0.17328679513998632
    """
    share_of_1, share_of_0 = _focal_shares(target, alpha)
    # the inner `where` keeps the infinite cost of the other class out of the gradient
    cost_of_1 = _focal_cost(xp, xp.where(share_of_1 == 0, 0, logits), gamma)
    cost_of_0 = _focal_cost(xp, xp.where(share_of_0 == 0, 0, -logits), gamma)
    return share_of_1 * cost_of_1 + share_of_0 * cost_of_0


@focal.derivative
def focal_derivative(xp, target, logits, *, gamma, alpha):
    share_of_1, share_of_0 = _focal_shares(target, alpha)
    slope_of_1 = _focal_slope(xp, logits, gamma) * sigmoid(xp, -logits)
    slope_of_0 = _focal_slope(xp, -logits, gamma) * sigmoid(xp, logits)
    return share_of_1 * slope_of_1 - share_of_0 * slope_of_0


def _focal_shares(target, alpha):
    return (target, 1 - target) if alpha is None else (alpha * target, (1 - alpha) * (1 - target))


def _focal_cost(xp, log_odds, gamma):
    """-(1 - p)^γ log p, where the log-odds are log(p / (1 - p))."""
    return _modulation(xp, log_odds, gamma) * softplus(xp, -log_odds)


def _focal_slope(xp, log_odds, gamma):
    """The derivative of the cost with respect to log p."""
    wrong = sigmoid(xp, -log_odds)  # 1 - p
    surprise = product(xp, sigmoid(xp, log_odds), softplus(xp, -log_odds))  # -p log p
    ratio = surprise / xp.where(wrong == 0, 1, wrong)
    return -_modulation(xp, log_odds, gamma) * (gamma * ratio + 1)


def _modulation(xp, log_odds, gamma):
    """(1 - p)^γ; the power of a number that was rounded to 0 has no derivative for γ < 1."""
    if gamma == 0:
        return 1.0
    return xp.exp(-gamma * softplus(xp, log_odds))


@classwise_loss(target=DISTRIBUTION, prediction=REAL, gamma=not_negative)
def focal_cross_entropy(xp, target, logits, *, gamma=2.0, class_weight=None):
    """Focal loss of many classes, on logits: cross-entropy that fades for easy samples.

    ``ℓ(y, z) = -(1 - p_y)^γ log p_y`` with ``p = softmax(z)``, and ``Σ_c q_c ℓ(c, z)`` for a
    target distribution q; derivative ``g_c - p_c Σ_k g_k`` with
    ``g_c = q_c (γ p_c log p_c (1 - p_c)^(γ - 1) - (1 - p_c)^γ)``.

    Shapes: logits (..., C); target (...) of class indices or (..., C) of distributions.
    Domain: logits real; ``gamma`` γ >= 0. Unit: nats. Minimiser: for γ > 0 a
    largest probability below the largest class frequency, if that is above ½. With many small
    classes it can be above.
    `lossbook.classwise.ClasswiseLoss` explains ``class_weight``, the paper's α, and
    ``ignore_index``.
    Convention: γ = 0 is `cross_entropy`. The weighted mean divides by the class weights that were
    used; Keras divides by n, and weighs each class by 0.25 unless told otherwise.
    Errors: see `lossbook.loss.Loss`. Source: Lin et al. 2017.

    >>> import numpy as np
    >>> float(focal_cross_entropy(np.array([0]), np.array([[0.0, 0.0]]), gamma=2.0))  # log(2) / 4
    0.17328679513998632
    """
    masses = class_masses(xp, target, logits, class_weight=class_weight)
    # the inner `where` keeps the infinite cost of other classes out of the gradient
    log_odds = xp.where(masses == 0, 0, _log_odds(xp, logits))
    return xp.sum(masses * _focal_cost(xp, log_odds, gamma), axis=-1)


@focal_cross_entropy.derivative
def focal_cross_entropy_derivative(xp, target, logits, *, gamma, class_weight):
    masses = class_masses(xp, target, logits, class_weight=class_weight)
    return through_softmax(xp, logits, masses * _focal_slope(xp, _log_odds(xp, logits), gamma))


def _log_odds(xp, logits):
    """log(p / (1 - p)) of each class: its logit minus the logsumexp of all others."""
    log_p = log_softmax(xp, logits)
    is_largest = at_index(xp, xp.argmax(logits, axis=-1), logits)
    # finite, because the gradient of a logsumexp of nothing but -inf is NaN
    lowest = -float(xp.finfo(logits.dtype).max)
    others = logsumexp(xp, xp.where(is_largest, lowest, log_p))
    of_largest = log_p - others[..., None]
    p = xp.where(is_largest, 0, xp.exp(log_p))  # at most ½: 1 - p keeps its digits
    return xp.where(is_largest, of_largest, log_p - xp.log1p(-p))


@classwise_loss(target=DISTRIBUTION, prediction=REAL, epsilon=at_least_minus_1)
def poly1_cross_entropy(xp, target, logits, *, epsilon=2.0, class_weight=None):
    """Poly-1 loss, on logits: cross-entropy with another weight of its first-order term.

    ``ℓ(y, z) = -log p_y + ε (1 - p_y)`` with ``p = softmax(z)``, and ``Σ_c q_c ℓ(c, z)`` for a
    target distribution q; derivative ``p_c - q_c + ε p_c (Σ_k q_k p_k - q_c)``.

    Shapes: logits (..., C); target (...) of class indices or (..., C) of distributions.
    Domain: logits real; ``epsilon`` ε >= -1. Unit: nats. Minimiser: for ε > 0 probabilities
    farther from each other than the class frequencies; for ε < 0 nearer.
    `lossbook.classwise.ClasswiseLoss` explains ``class_weight`` and ``ignore_index``.
    Convention: ε = 2 as in optax's poly_loss_cross_entropy, whose documentation recommends it for
    ImageNet and -1 for object detection; ε = 0 is `cross_entropy`.
    Errors: see `lossbook.loss.Loss`. Source: Leng et al. 2022.

    >>> import numpy as np
    >>> float(poly1_cross_entropy(np.array([0]), np.array([[0.0, 0.0]]), epsilon=2.0))  # log 2 + 1
    1.6931471805599454
    """
    wrong = -xp.expm1(log_softmax(xp, logits))  # 1 - p
    return cross_entropy.formula(xp, target, logits, class_weight=class_weight) + (
        epsilon * expected(xp, target, wrong, class_weight)
    )


@poly1_cross_entropy.derivative
def poly1_cross_entropy_derivative(xp, target, logits, *, epsilon, class_weight):
    masses = class_masses(xp, target, logits, class_weight=class_weight)
    first_order = through_softmax(xp, logits, -masses * softmax(xp, logits))
    surprise = cross_entropy_derivative(
        xp, target, logits, class_weight=class_weight, label_smoothing=0.0
    )
    return surprise + epsilon * first_order


@classwise_loss(target=DISTRIBUTION, prediction=REAL, q=exponent)
def generalised_cross_entropy(xp, target, logits, *, q=0.7, class_weight=None):
    """Generalised cross-entropy, on logits: bounded, so that a wrong label does limited harm.

    ``ℓ(y, z) = (1 - p_y^q) / q`` with ``p = softmax(z)``, and the sum of these weighted by the
    target, where it is a distribution; derivative for a label ``-p_y^q (δ_cy - p_c)``.

    Shapes: logits (..., C); target (...) of class indices or (..., C) of distributions.
    Domain: logits real; ``q`` in (0, 1]. Unit: none; in [0, 1/q]. Minimiser: for q < 1
    probabilities in proportion to the class frequencies to the power 1 / (1 - q).
    `lossbook.classwise.ClasswiseLoss` explains ``class_weight`` and ``ignore_index``.
    Convention: Keras takes probabilities, and q = 0.5 by default. Towards q = 0 it becomes
    `cross_entropy`; q = 1 is 1 - p_y, half the absolute distance of the probabilities to the label.
    Errors: see `lossbook.loss.Loss`. Source: Zhang and Sabuncu 2018.

    >>> import numpy as np
    >>> logits = np.log([[0.25, 0.75]])
    >>> round(float(generalised_cross_entropy(np.array([0]), logits, q=0.5)), 12)  # 2 (1 - ½)
    1.0
    """
    costs = -xp.expm1(q * log_softmax(xp, logits)) / q
    return expected(xp, target, costs, class_weight)


@generalised_cross_entropy.derivative
def generalised_cross_entropy_derivative(xp, target, logits, *, q, class_weight):
    masses = class_masses(xp, target, logits, class_weight=class_weight)
    return through_softmax(xp, logits, -masses * xp.exp(q * log_softmax(xp, logits)))


@classwise_loss(
    target=DISTRIBUTION,
    prediction=REAL,
    alpha=not_negative,
    beta=not_negative,
    log_zero=negative,
)
def symmetric_cross_entropy(xp, target, logits, *, alpha=0.1, beta=1.0, log_zero=-4.0):
    """Symmetric cross-entropy, on logits: cross-entropy in both directions.

    ``ℓ(q, z) = -α Σ_c q_c log p_c - β Σ_c p_c max(log q_c, A)`` with ``p = softmax(z)`` and q the
    target distribution, for a label 1 at its class; derivative
    ``α (p_c - q_c) + β p_c (r_c - Σ_k p_k r_k)`` with ``r = -max(log q, A)``.

    Shapes: logits (..., C); target (...) of class indices or (..., C) of distributions.
    Domain: logits real; ``alpha`` and ``beta`` at least 0; ``log_zero`` A < 0 stands for the
    logarithm of 0. Unit: nats. Minimiser: probabilities farther from each other than the class
    frequencies.
    Convention: for labels it is α times `poly1_cross_entropy` with ε = -A β / α. A = -4 is the
    authors' value for classification; code that clips the target at 1e-4 instead has
    A = log 1e-4 = -9.2.
    Errors: see `lossbook.loss.Loss`. Source: Wang et al. 2019.

    >>> import numpy as np
    >>> logits = np.zeros((1, 2))
    >>> float(symmetric_cross_entropy(np.array([0]), logits, alpha=0, beta=1.0))  # 4 · ½
    2.0
    """
    reverse = softmax(xp, logits) * _clipped_surprise(xp, target, logits, log_zero)
    return alpha * cross_entropy.formula(xp, target, logits) + beta * xp.sum(reverse, axis=-1)


@symmetric_cross_entropy.derivative
def symmetric_cross_entropy_derivative(xp, target, logits, *, alpha, beta, log_zero):
    forward = cross_entropy_derivative(xp, target, logits, class_weight=None, label_smoothing=0.0)
    reverse = softmax(xp, logits) * _clipped_surprise(xp, target, logits, log_zero)
    return alpha * forward + beta * through_softmax(xp, logits, reverse)


def _clipped_surprise(xp, target, logits, log_zero):
    """-max(log q_c, A) of the target."""
    return -xp.clip(xp.log(class_masses(xp, target, logits)), log_zero, None)
