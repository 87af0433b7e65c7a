"""Losses for the probabilities of classes: cross-entropy, Kullback-Leibler divergence, Brier score.

All of them are proper: the expected loss is smallest at the true probabilities.
"""

import math

from lossbook import kernels
from lossbook.backend import (
    at_index,
    centred,
    complement,
    pick,
    product,
    sigmoid,
    softmax,
    softplus,
    xlog1py,
    xlogy,
)
from lossbook.checks import REAL, Interval, fraction, is_integer
from lossbook.classwise import class_masses, classwise_loss, through_softmax
from lossbook.loss import pointwise_loss
from lossbook.regression import mse, mse_derivative

PROBABILITY = Interval(0, 1, advice="For raw scores use the loss on logits.")
LABEL = Interval(0, 1, advice="For labels -1 and 1 use (target + 1) / 2.")
LOG_PROBABILITY = Interval(
    -math.inf,
    0,
    advice="Pass logarithms of probabilities, or pass logits to cross_entropy.",
    slack=4,  # the logarithm of a probability that was rounded up past 1
)
DISTRIBUTION = Interval(0, 1)


@pointwise_loss(target=LABEL, prediction=PROBABILITY)
def bce(xp, target, prediction):
    """Binary cross-entropy on probabilities.

    ``ℓ(y, p) = -y log p - (1 - y) log(1 - p)``, derivative ``(1 - y)/(1 - p) - y/p``.

    Shapes: target and prediction alike, any shape. Domain: target in [0, 1], prediction (the
    probability of class 1) in [0, 1]. Unit: nats. Minimiser: the mean of the target, which for
    labels is the probability of class 1.
    Convention: exact, so a certain and wrong prediction costs infinity. torch clamps each
    logarithm at -100, Keras moves p to 1e-7, and both then have a wrong gradient. If you have
    logits, use `bce_with_logits`, which has neither problem.
    Errors: see `lossbook.loss.Loss`. Source: Good 1952.

    >>> import numpy as np
    >>> float(bce(np.array([1.0]), np.array([0.5])))  # log 2
    0.6931471805599453
    >>> float(bce(np.array([1.0]), np.array([0.0])))
    inf
    """
    # 0 - x and not -x: a perfect prediction costs 0, not -0
    return 0 - xlogy(xp, target, prediction) - xlog1py(xp, 1 - target, -prediction)


@bce.derivative
def bce_derivative(xp, target, prediction):
    is_certain = (prediction == 0) | (prediction == 1)
    p = xp.where(is_certain, 0.5, prediction)
    # of a soft target the two terms may be nearly equal; their common form has no difference
    slope = (p - target) / (p * (1 - p))
    of_0 = product(xp, 1 - target, 1 / (1 - prediction))
    return xp.where(is_certain, of_0 - product(xp, target, 1 / prediction), slope)


@pointwise_loss(target=LABEL, prediction=REAL, kernel=kernels.bce_with_logits)
def bce_with_logits(xp, target, logits):
    """Binary cross-entropy on logits: the sigmoid and the logarithm in one stable step.

    ``ℓ(y, z) = y softplus(-z) + (1 - y) softplus(z)``, derivative ``σ(z) - y``.

    Shapes: target and logits alike, any shape. Domain: target in [0, 1], logits real.
    Unit: nats. Minimiser: the log-odds of the mean of the target.
    Convention: finite for every finite logit. torch's MultiLabelSoftMarginLoss is its mean over the
    labels of a sample; torch's pos_weight is a weight on the term of class 1, for labels the same
    as ``weight`` there, but the mean divides by n.
    Errors: see `lossbook.loss.Loss`. Source: Cox 1958.

    >>> import numpy as np
    >>> float(bce_with_logits(np.array([1.0]), np.array([-1000.0])))
    1000.0
    """
    cost_of_1, cost_of_0 = softplus(xp, -logits), softplus(xp, logits)
    return product(xp, target, cost_of_1) + product(xp, 1 - target, cost_of_0)


@bce_with_logits.derivative
def bce_with_logits_derivative(xp, target, logits):
    # σ(z) - y loses every digit for a confident right answer; this form does not
    return (1 - target) * sigmoid(xp, logits) - target * sigmoid(xp, -logits)


@pointwise_loss(target=LABEL, prediction=PROBABILITY, kernel=kernels.squared_error)
def brier(xp, target, prediction):
    """Brier score of two classes: the squared error of a probability.

    ``ℓ(y, p) = (p - y)²``, derivative ``2 (p - y)``.

    Shapes: target and prediction alike, any shape. Domain: target in [0, 1], prediction (the
    probability of class 1) in [0, 1]. Unit: none. Minimiser: the mean of the target, which for
    labels is the probability of class 1.
    Convention: `mse` of probabilities, half of `multiclass_brier` for the same two classes;
    scikit-learn's brier_score_loss is the same.
    Errors: see `lossbook.loss.Loss`. Source: Brier 1950.

    >>> import numpy as np
    >>> float(brier(np.array([1.0]), np.array([0.5])))
    0.25
    """
    return mse.formula(xp, target, prediction)


@brier.derivative
def brier_derivative(xp, target, prediction):
    return mse_derivative(xp, target, prediction)


@classwise_loss(target=DISTRIBUTION, prediction=LOG_PROBABILITY)
def nll(xp, target, log_probabilities, *, class_weight=None):
    """Negative log-likelihood of classes, from log-probabilities.

    ``ℓ(y, log p) = -log p_y``, and ``-Σ_c q_c log p_c`` for a target distribution q;
    derivative ``-q``.

    Shapes: log_probabilities (..., C); target (...) of class indices or (..., C) of
    distributions. Domain: log-probabilities at most 0. Unit: nats. Minimiser: the class
    frequencies. `lossbook.classwise.ClasswiseLoss` explains ``class_weight`` and ``ignore_index``.
    Convention: the class axis is the last (torch: the second). The weighted mean divides by the
    weights that were used, for indices and for distributions alike.
    Errors: see `lossbook.loss.Loss`. Source: Fisher 1922.

    >>> import numpy as np
    >>> float(nll(np.array([0]), np.log(np.array([[0.25, 0.75]]))))  # log 4
    1.3862943611198906
    """
    nothing = xp.zeros_like(log_probabilities[..., 0])  # log-probabilities sum to 1 already
    return _surprise(xp, target, log_probabilities, nothing, class_weight, 0.0)


@nll.derivative
def nll_derivative(xp, target, log_probabilities, *, class_weight):
    return -class_masses(xp, target, log_probabilities, class_weight=class_weight)


@classwise_loss(
    target=DISTRIBUTION,
    prediction=REAL,
    label_smoothing=fraction,
    kernel=kernels.cross_entropy,
)
def cross_entropy(xp, target, logits, *, class_weight=None, label_smoothing=0.0):
    """Cross-entropy of many classes, on logits: softmax and logarithm in one stable step.

    ``ℓ(y, z) = log Σ_c exp(z_c) - z_y``, and ``-Σ_c q_c log softmax(z)_c`` for a target
    distribution q; derivative ``softmax(z) - q``.

    Shapes: logits (..., C); target (...) of class indices or (..., C) of distributions.
    Domain: logits real. Unit: nats. Minimiser: logits whose softmax is the class frequencies.
    ``label_smoothing`` ε in [0, 1) replaces q by ``(1 - ε) q + ε / C``.
    `lossbook.classwise.ClasswiseLoss` explains ``class_weight`` and ``ignore_index``.
    Convention: the class axis is the last (torch: the second). Class weights multiply the
    smoothed q, and the weighted mean divides by their sum; torch divides by the weight of the
    label alone, and for distributions by n.
    Errors: see `lossbook.loss.Loss`. Source: Bridle 1990.

    >>> import numpy as np
    >>> float(cross_entropy(np.array([0]), np.array([[0.0, 0.0]])))  # log 2
    0.6931471805599453
    >>> float(cross_entropy(np.array([0]), np.array([[0.0, 1000.0]])))
    1000.0
    """
    scores, log_total = centred(xp, logits)
    return _surprise(xp, target, scores, log_total, class_weight, label_smoothing)


@cross_entropy.derivative
def cross_entropy_derivative(xp, target, logits, *, class_weight, label_smoothing):
    probabilities = softmax(xp, logits)
    if is_integer(xp, target) and not label_smoothing:
        # p_y - 1 loses every digit for a confident right answer; expm1 of log p_y does not
        loss = cross_entropy.formula(xp, target, logits)
        slope = xp.where(at_index(xp, target, logits), xp.expm1(-loss)[..., None], probabilities)
        return slope if class_weight is None else class_weight[target][..., None] * slope
    masses = class_masses(
        xp, target, logits, class_weight=class_weight, label_smoothing=label_smoothing
    )
    return xp.sum(masses, axis=-1)[..., None] * probabilities - masses


@classwise_loss(target=DISTRIBUTION, prediction=LOG_PROBABILITY)
def kl_divergence(xp, target, log_probabilities):
    """Kullback-Leibler divergence of predicted log-probabilities from a target distribution.

    ``ℓ(q, log p) = Σ_c q_c (log q_c - log p_c)``, derivative ``-q``.

    Shapes: log_probabilities (..., C); target (..., C) of distributions, or (...) of class
    indices, for which this is `nll`. Domain: log-probabilities at most 0. Unit: nats.
    Minimiser: the mean of the target distributions.
    Convention: the target comes first and holds probabilities. The mean is over the rows: it is
    torch's ``reduction="batchmean"``, and not its default "mean", which divides by the number of
    classes as well. It differs from `nll` by the entropy of the target, which no prediction
    changes. Probabilities whose logarithm was forgotten are an error. For a target of logarithms
    (torch: log_target) pass their exponentials.
    Errors: see `lossbook.loss.Loss`. Source: Kullback and Leibler 1951.

    >>> import numpy as np
    >>> q, p = np.array([[0.5, 0.5, 0.0]]), np.array([[0.25, 0.25, 0.5]])
    >>> float(kl_divergence(q, np.log(p)))  # log 2
    0.6931471805599453
    """
    masses = class_masses(xp, target, log_probabilities)
    log_target = xp.log(xp.where(masses == 0, 1, masses))
    return xp.sum(product(xp, masses, log_target - log_probabilities), axis=-1)


@kl_divergence.derivative
def kl_divergence_derivative(xp, target, log_probabilities):
    return -class_masses(xp, target, log_probabilities)


@classwise_loss(target=DISTRIBUTION, prediction=LOG_PROBABILITY)
def jensen_shannon(xp, target, log_probabilities):
    """Jensen-Shannon divergence between predicted log-probabilities and a target distribution.

    ``ℓ(q, log p) = ½ Σ_c (q_c log(q_c / m_c) + p_c log(p_c / m_c))`` with ``m = ½ (p + q)``;
    derivative ``½ p_c log(p_c / m_c)``.

    Shapes: log_probabilities (..., C); target (..., C) of distributions, or (...) of class indices,
    which stand for a 1 at their class. Domain: log-probabilities at most 0. Unit: nats; in
    [0, log 2]. Minimiser: for one target the target itself; for several, not their mean.
    Convention: half of the two `kl_divergence` to the mean m, so that it is symmetric and finite
    where one of the two is 0. Its square root is a distance, scipy's jensenshannon. Not convex in
    the logits: for a prediction that excludes the label the gradient fades, where that of
    cross-entropy is largest.
    Errors: see `lossbook.loss.Loss`. Source: Lin 1991.

    >>> import numpy as np
    >>> q, p = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> with np.errstate(divide="ignore"):
    ...     float(jensen_shannon(q, np.log(p)))  # log 2
    0.6931471805599453
    """
    q, p, log_q, log_mean, imbalance = _with_mean(xp, target, log_probabilities)
    of_target = product(xp, q, _log_ratio(xp, -imbalance, log_q - log_mean))
    of_prediction = product(xp, p, _log_ratio(xp, imbalance, log_probabilities - log_mean))
    return 0.5 * xp.sum(of_target + of_prediction, axis=-1)


@jensen_shannon.derivative
def jensen_shannon_derivative(xp, target, log_probabilities):
    _, p, _, log_mean, imbalance = _with_mean(xp, target, log_probabilities)
    return 0.5 * product(xp, p, _log_ratio(xp, imbalance, log_probabilities - log_mean))


def _with_mean(xp, target, log_probabilities):
    """q, p, log q, the logarithm of their mean, and their imbalance (p - q) / (p + q)."""
    q, p = class_masses(xp, target, log_probabilities), xp.exp(log_probabilities)
    log_q = xp.log(xp.where(q == 0, 1, q))
    difference = xp.where(q == 0, p, q * xp.expm1(log_probabilities - log_q))
    total = xp.where((p == 0) & (q == 0), 1, p + q)
    return q, p, log_q, xp.log(0.5 * total), difference / total


def _log_ratio(xp, imbalance, difference):
    """log(p / m) = log(1 + x): from x where p is near the mean m, else from the logarithms."""
    is_near = imbalance > -0.5
    return xp.where(is_near, xp.log1p(xp.where(is_near, imbalance, 0)), difference)


@classwise_loss(target=DISTRIBUTION, prediction=REAL)
def multiclass_brier(xp, target, logits):
    """Brier score of many classes, on logits: the squared distance to the label's corner.

    ``ℓ(y, z) = Σ_c (p_c - q_c)²`` with ``p = softmax(z)`` and q the target distribution, for a
    label 1 at its class; derivative ``2 p_c (d_c - Σ_k p_k d_k)`` with ``d = p - q``.

    Shapes: logits (..., C); target (...) of class indices or (..., C) of distributions.
    Domain: logits real. Unit: none; in [0, 2]. Minimiser: logits whose softmax is the class
    frequencies.
    Convention: on logits, so that every prediction is a distribution and the gradient is the one
    of training. To score probabilities, pass their logarithms, whose softmax they are. Brier's
    own sum over all classes, as in scikit-learn's brier_score_loss, which by default halves it
    for two classes.
    Errors: see `lossbook.loss.Loss`. Source: Brier 1950.

    >>> import numpy as np
    >>> round(float(multiclass_brier(np.array([0]), np.log([[0.5, 0.25, 0.25]]))), 12)
    0.375
    """
    return xp.sum(_excess(xp, target, logits) ** 2, axis=-1)


@multiclass_brier.derivative
def multiclass_brier_derivative(xp, target, logits):
    return through_softmax(xp, logits, 2 * _excess(xp, target, logits) * softmax(xp, logits))


def _excess(xp, target, logits):
    """p - q; for a certain target it is minus the probability of the other classes."""
    masses = class_masses(xp, target, logits)
    return xp.where(masses == 1, -complement(xp, logits), softmax(xp, logits) - masses)


def _surprise(xp, target, scores, log_total, class_weight, label_smoothing):
    """Σ_c w_c q_c (log_total - score_c): the expected surprise, one value a row."""
    if is_integer(xp, target) and not label_smoothing:
        # one score a row is enough; the log-probabilities of all classes are never built
        surprise = log_total - pick(xp, scores, target)
        return surprise if class_weight is None else product(xp, class_weight[target], surprise)
    masses = class_masses(
        xp, target, scores, class_weight=class_weight, label_smoothing=label_smoothing
    )
    return xp.sum(product(xp, masses, log_total[..., None] - scores), axis=-1)
