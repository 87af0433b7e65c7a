"""Losses for a score with a margin: two classes by the sign of one score, many by the largest."""

import math

from lossbook.backend import at_index, pick, product
from lossbook.checks import REAL, OneOf, positive
from lossbook.classification import DISTRIBUTION, bce_with_logits, bce_with_logits_derivative
from lossbook.classwise import CLASS_INDEX, class_masses, classwise_loss
from lossbook.loss import pointwise_loss
from lossbook.regression import huber, huber_derivative, mse, mse_derivative

SIGN = OneOf((-1, 1), advice="For labels 0 and 1 use 2 * target - 1.")


def one_or_two(loss, name, value):
    """A parameter that must be 1 or 2."""
    if value not in (1, 2) or isinstance(value, bool):
        raise ValueError(f"{loss}: {name} must be 1 or 2; it is {value!r}.")


@pointwise_loss(target=SIGN, prediction=REAL)
def hinge(xp, target, prediction):
    """Hinge loss: a score on the right side of the margin costs nothing.

    ``ℓ(y, z) = max(0, 1 - y z)``, derivative ``-y`` where ``y z < 1`` and 0 elsewhere.

    Shapes: target and prediction alike, any shape. Domain: target -1 or 1, prediction a real
    score. Minimiser: the sign of the more frequent class.
    Convention: labels 0 and 1 are an error here; Keras converts a batch of nothing else, and
    torch's SoftMarginLoss and optax.hinge_loss compute something else in silence.
    Errors: see `lossbook.loss.Loss`. Source: Cortes and Vapnik 1995.

    >>> import numpy as np
    >>> hinge(np.array([1.0, 1.0]), np.array([0.5, 2.0]), reduction="none").tolist()
    [0.5, 0.0]
    """
    margin = target * prediction
    return xp.where(margin >= 1, 0, 1 - margin)


@hinge.derivative
def hinge_derivative(xp, target, prediction):
    margin = target * prediction
    # the last case is NaN, which must not be taken for a flat loss
    return xp.where(margin >= 1, 0, xp.where(margin < 1, -target, margin))


@pointwise_loss(target=SIGN, prediction=REAL)
def squared_hinge(xp, target, prediction):
    """Squared hinge loss: the square of the shortfall from the margin.

    ``ℓ(y, z) = max(0, 1 - y z)²``, derivative ``-2 y max(0, 1 - y z)``.

    Shapes: target and prediction alike, any shape. Domain: target -1 or 1, prediction a real
    score. Minimiser: 2 η - 1, where η is the frequency of class 1.
    Convention: the square of `hinge`, without a factor ½, as in Keras and scikit-learn. Labels
    0 and 1 are an error here; Keras converts them.
    Errors: see `lossbook.loss.Loss`. Source: Lee and Mangasarian 2001.

    >>> import numpy as np
    >>> squared_hinge(np.array([1, 1]), np.array([0.5, 2.0]), reduction="none").tolist()
    [0.25, 0.0]
    """
    return mse.formula(xp, 0, hinge.formula(xp, target, prediction))


@squared_hinge.derivative
def squared_hinge_derivative(xp, target, prediction):
    shortfall = hinge.formula(xp, target, prediction)
    return mse_derivative(xp, 0, shortfall) * hinge_derivative(xp, target, prediction)


@pointwise_loss(target=SIGN, prediction=REAL)
def modified_huber(xp, target, prediction):
    """Modified Huber loss: the squared hinge, made linear for scores far on the wrong side.

    ``ℓ(y, z) = max(0, 1 - y z)²`` for ``y z >= -1`` and ``-4 y z`` below; derivative
    ``-2 y max(0, 1 - y z)`` and ``-4 y``.

    Shapes: target and prediction alike, any shape. Domain: target -1 or 1, prediction a real
    score. Minimiser: 2 η - 1, where η is the frequency of class 1.
    Convention: twice `huber` of the `hinge`, with ``delta=2``. scikit-learn's SGDClassifier has
    the same; a quarter of it, for labels 0 and 1, is the binary sparsemax loss of optax,
    sparsemax_loss, whose probability is ``(1 + z) / 2``, clipped to [0, 1].
    Errors: see `lossbook.loss.Loss`. Source: Zhang 2004.

    >>> import numpy as np
    >>> modified_huber(np.array([1, 1]), np.array([0.5, -3.0]), reduction="none").tolist()
    [0.25, 12.0]
    """
    return 2 * huber.formula(xp, 0, hinge.formula(xp, target, prediction), delta=2.0)


@modified_huber.derivative
def modified_huber_derivative(xp, target, prediction):
    shortfall = hinge.formula(xp, target, prediction)
    slope = huber_derivative(xp, 0, shortfall, delta=2.0)
    return 2 * slope * hinge_derivative(xp, target, prediction)


@pointwise_loss(target=SIGN, prediction=REAL)
def logistic(xp, target, prediction):
    """Logistic loss: binary cross-entropy, written for labels -1 and 1.

    ``ℓ(y, z) = log(1 + exp(-y z))``, derivative ``-y σ(-y z)``.

    Shapes: target and prediction alike, any shape. Domain: target -1 or 1, prediction a real
    score. Unit: nats. Minimiser: the log-odds of class 1.
    Convention: `bce_with_logits` with labels ``(y + 1) / 2``. torch calls it SoftMarginLoss;
    labels 0, which there cost a constant log 2 in silence, are an error here. Some divide by
    log 2, so that the loss at 0 is 1.
    Errors: see `lossbook.loss.Loss`. Source: Cox 1958.

    >>> import numpy as np
    >>> float(logistic(np.array([-1]), np.array([0.0])))  # log 2
    0.6931471805599453
    """
    return bce_with_logits.formula(xp, (target + 1) / 2, prediction)


@logistic.derivative
def logistic_derivative(xp, target, prediction):
    return bce_with_logits_derivative(xp, (target + 1) / 2, prediction)


@pointwise_loss(target=SIGN, prediction=REAL)
def exponential(xp, target, prediction):
    """Exponential loss, which AdaBoost minimises: a wrong score costs exponentially.

    ``ℓ(y, z) = exp(-y z)``, derivative ``-y exp(-y z)``.

    Shapes: target and prediction alike, any shape. Domain: target -1 or 1, prediction a real
    score. Minimiser: half the log-odds of class 1.
    Convention: scikit-learn's ExponentialLoss is the same for labels 0 and 1.
    Errors: see `lossbook.loss.Loss`. Source: Friedman, Hastie and Tibshirani 2000.

    >>> import numpy as np
    >>> exponential(np.array([1, -1]), np.array([0.0, np.log(2.0)]), reduction="none").tolist()
    [1.0, 2.0]
    """
    return xp.exp(-target * prediction)


@exponential.derivative
def exponential_derivative(xp, target, prediction):
    return -target * xp.exp(-target * prediction)


@pointwise_loss(target=SIGN, prediction=REAL)
def perceptron(xp, target, prediction):
    """Perceptron loss: a score on the right side of 0 costs nothing.

    ``ℓ(y, z) = max(0, -y z)``, derivative ``-y`` where ``y z < 0`` and 0 elsewhere.

    Shapes: target and prediction alike, any shape. Domain: target -1 or 1, prediction a real
    score. Minimiser: 0, whatever the frequencies: the loss asks for no margin.
    Convention: `hinge` without its margin; optax.perceptron_loss is the same.
    Errors: see `lossbook.loss.Loss`. Source: Rosenblatt 1958.

    >>> import numpy as np
    >>> perceptron(np.array([1, 1]), np.array([0.5, -2.0]), reduction="none").tolist()
    [0.0, 2.0]
    """
    margin = target * prediction
    return xp.where(margin >= 0, 0, -margin)


@perceptron.derivative
def perceptron_derivative(xp, target, prediction):
    margin = target * prediction
    return xp.where(margin >= 0, 0, xp.where(margin < 0, -target, margin))


@classwise_loss(target=CLASS_INDEX, prediction=REAL)
def multiclass_hinge(xp, target, scores):
    """Hinge loss of many classes: the label's score must beat the best other one by 1.

    ``ℓ(y, z) = max(0, 1 + max_{c ≠ y} z_c - z_y)``; derivative, where that is positive, 1 at the
    best other class and -1 at the label. Best classes that tie share the 1.

    Shapes: scores (..., C); target (...) of class indices. Domain: scores real. Minimiser: the
    most frequent class ahead by 1 if it has more than half of the samples; equal scores if no
    class has.
    `lossbook.classwise.ClasswiseLoss` explains ``ignore_index``.
    Convention: `hinge` of the gap between the two scores, as in scikit-learn and optax. Keras
    raises the best other score to 0 first, and so asks for a positive score as well.
    Errors: see `lossbook.loss.Loss`. Source: Crammer and Singer 2001.

    >>> import numpy as np
    >>> float(multiclass_hinge(np.array([0]), np.array([[2.0, 1.5, 0.0]])))
    0.5
    """
    return hinge.formula(xp, 1, _lead(xp, target, scores))


@multiclass_hinge.derivative
def multiclass_hinge_derivative(xp, target, scores):
    return _through_lead(xp, target, scores, hinge_derivative(xp, 1, _lead(xp, target, scores)))


@classwise_loss(target=CLASS_INDEX, prediction=REAL)
def multiclass_perceptron(xp, target, scores):
    """Perceptron loss of many classes: what the label's score lacks to the best one.

    ``ℓ(y, z) = max_c z_c - z_y``; derivative, where that is positive, 1 at the best class and -1 at
    the label. Best classes that tie share the 1.

    Shapes: scores (..., C); target (...) of class indices. Domain: scores real. Minimiser: equal
    scores, whatever the frequencies: the loss asks for no margin.
    `lossbook.classwise.ClasswiseLoss` explains ``ignore_index``.
    Convention: `perceptron` of the label's lead over the best other score, and `multiclass_hinge`
    without its margin; optax.multiclass_perceptron_loss is the same.
    Errors: see `lossbook.loss.Loss`. Source: Collins 2002.

    >>> import numpy as np
    >>> scores = np.array([[2.0, 1.5, 0.0], [2.0, 1.5, 0.0]])
    >>> multiclass_perceptron(np.array([0, 1]), scores, reduction="none").tolist()
    [0.0, 0.5]
    """
    return perceptron.formula(xp, 1, _lead(xp, target, scores))


@multiclass_perceptron.derivative
def multiclass_perceptron_derivative(xp, target, scores):
    slope = perceptron_derivative(xp, 1, _lead(xp, target, scores))
    return _through_lead(xp, target, scores, slope)


@classwise_loss(target=CLASS_INDEX, prediction=REAL)
def zero_one(xp, target, scores):
    """Zero-one loss: whether the label's score is not the largest. Its mean is the error rate.

    ``ℓ(y, z) = 0`` if ``z_y > z_c`` for all ``c ≠ y``, and 1 otherwise; derivative 0.

    Shapes: scores (..., C), such as logits or probabilities; target (...) of class indices.
    Domain: scores real. Unit: none; 0 or 1. Minimiser: the largest score for the most frequent
    class. `lossbook.classwise.ClasswiseLoss` explains ``ignore_index``.
    Convention: one minus accuracy, as sklearn.metrics.zero_one_loss of the predicted class, but
    that a tie for the largest score counts as wrong. Its gradient says nothing, so it cannot be
    trained with: the other losses of this family are what is trained instead.
    Errors: see `lossbook.loss.Loss`. Source: Bartlett, Jordan and McAuliffe 2006.

    >>> import numpy as np
    >>> scores = np.array([[2.0, 1.5, 0.0], [2.0, 1.5, 0.0]])
    >>> zero_one(np.array([0, 1]), scores, reduction="none").tolist()
    [0.0, 1.0]
    """
    lead = _lead(xp, target, scores)
    return xp.where(lead > 0, 0, xp.where(lead <= 0, 1, lead))  # the last case is NaN


@zero_one.derivative
def zero_one_derivative(xp, target, scores):
    lead = _lead(xp, target, scores)
    return xp.zeros_like(scores) + xp.where(xp.isnan(lead), lead, 0)[..., None]


def _lead(xp, target, scores):
    """The label's score minus the best other one."""
    return pick(xp, scores, target) - xp.max(_rivals(xp, target, scores), axis=-1)


def _through_lead(xp, target, scores, slope):
    """Derivatives with respect to the scores, from the one with respect to the lead."""
    rivals = _rivals(xp, target, scores)
    is_best = xp.astype(rivals == xp.max(rivals, axis=-1)[..., None], scores.dtype)
    shares = is_best / xp.clip(xp.sum(is_best, axis=-1), 1, None)[..., None]
    return slope[..., None] * (class_masses(xp, target, scores) - shares)


def _rivals(xp, target, scores):
    """The scores, with -inf at the label."""
    return xp.where(at_index(xp, target, scores), -math.inf, scores)


@classwise_loss(target=CLASS_INDEX, prediction=REAL, margin=positive, p=one_or_two)
def weston_watkins(xp, target, scores, *, margin=1.0, p=1):
    """Weston-Watkins hinge loss: the label's score must beat every other one by the margin.

    ``ℓ(y, z) = Σ_{c ≠ y} max(0, m + z_c - z_y)^p``; derivative ``p max(…)^(p - 1)`` at each class
    inside the margin, and minus their sum at the label.

    Shapes: scores (..., C); target (...) of class indices. Domain: scores real; ``margin``
    m > 0; ``p`` 1 or 2. Minimiser: for two classes that of `hinge`; for more, frequent classes
    may tie, and the largest score need not single out the most frequent one.
    `lossbook.classwise.ClasswiseLoss` explains ``ignore_index``.
    Convention: the plain sum over the other classes; torch's MultiMarginLoss is this divided by
    the number of classes C.
    Errors: see `lossbook.loss.Loss`. Source: Weston and Watkins 1999.

    >>> import numpy as np
    >>> float(weston_watkins(np.array([0]), np.array([[2.0, 1.5, 2.0]])))  # ½ + 1
    1.5
    """
    return xp.sum(_shortfalls(xp, target, scores, margin) ** p, axis=-1)


@weston_watkins.derivative
def weston_watkins_derivative(xp, target, scores, *, margin, p):
    shortfalls = _shortfalls(xp, target, scores, margin)
    if p == 1:  # 1 inside the margin, 0 on its edge, NaN where a score is NaN
        slopes = xp.sign(shortfalls)
    else:
        slopes = 2 * shortfalls
    label = class_masses(xp, target, scores)
    return slopes - product(xp, label, xp.sum(slopes, axis=-1)[..., None])


def _shortfalls(xp, target, scores, margin):
    """max(0, m + z_c - z_y), and 0 at the label."""
    excess = margin + scores - pick(xp, scores, target)[..., None]
    return xp.where(at_index(xp, target, scores) | (excess <= 0), 0, excess)


@classwise_loss(target=DISTRIBUTION, prediction=REAL)
def sparsemax_loss(xp, target, scores):
    """Sparsemax loss: the cross-entropy's relative whose probabilities can be exactly 0.

    ``ℓ(q, z) = Σ_c (p_c - q_c) (z_c - ½ (p_c + q_c))``, where p is sparsemax(z), the point of the
    simplex nearest to z, and q the target distribution, for a label 1 at its class; derivative
    ``p - q``.

    Shapes: scores (..., C); target (...) of class indices or (..., C) of distributions.
    Domain: scores real. Unit: none. Minimiser: scores whose sparsemax is the class frequencies,
    such as the frequencies themselves.
    `lossbook.classwise.ClasswiseLoss` explains ``ignore_index``.
    Convention: 0 as soon as the label's score is ahead by 1: it has a margin, as `hinge` has.
    optax.multiclass_sparsemax_loss is the same, for labels alone.
    Errors: see `lossbook.loss.Loss`. Source: Martins and Astudillo 2016.

    >>> import numpy as np
    >>> scores = np.array([[2.0, 1.0], [0.0, 0.0]])
    >>> sparsemax_loss(np.array([0, 0]), scores, reduction="none").tolist()
    [0.0, 0.25]
    """
    p, excess = _sparsemax(xp, scores)
    q = class_masses(xp, target, scores)
    # the sum in terms that are all at least 0: nothing cancels
    return xp.sum(0.5 * (p - q) ** 2 + product(xp, q, p - excess), axis=-1)


@sparsemax_loss.derivative
def sparsemax_loss_derivative(xp, target, scores):
    return _sparsemax(xp, scores)[0] - class_masses(xp, target, scores)


def _sparsemax(xp, scores):
    """The point p of the simplex nearest to each row, and z - τ, which is p where it is above 0."""
    shifted = scores - xp.max(scores, axis=-1, keepdims=True)
    ordered = xp.sort(shifted, axis=-1, descending=True)
    device = getattr(scores, "device", None)
    counts = xp.arange(1, scores.shape[-1] + 1, dtype=scores.dtype, device=device)
    # the threshold of the k largest scores is largest where k is the size of the support
    threshold = xp.max((xp.cumulative_sum(ordered, axis=-1) - 1) / counts, axis=-1, keepdims=True)
    excess = shifted - threshold
    return xp.clip(excess, 0, None), excess


@classwise_loss(target=DISTRIBUTION, prediction=REAL)
def entmax15_loss(xp, target, scores):
    """1.5-entmax loss: halfway between cross-entropy and the sparsemax loss.

    ``ℓ(q, z) = Σ_c (p_c - q_c) z_c - 4/3 Σ_c (p_c^1.5 - q_c^1.5)``, where ``p_c`` is
    ``max(0, ½ z_c - τ)²`` with the τ that makes them sum to 1, and q the target distribution, for a
    label 1 at its class; derivative ``p - q``.

    Shapes: scores (..., C); target (...) of class indices or (..., C) of distributions.
    Domain: scores real. Unit: none. Minimiser: scores whose 1.5-entmax is the class frequencies,
    such as twice their square roots.
    `lossbook.classwise.ClasswiseLoss` explains ``ignore_index``.
    Convention: the Fenchel-Young loss of Tsallis' entropy with α = 1.5; α = 2 is `sparsemax_loss`,
    and α = 1 `cross_entropy`. It is 0 as soon as the label's score is ahead by 2. The entmax
    package, for torch, has the same.
    Errors: see `lossbook.loss.Loss`. Source: Peters, Niculae and Martins 2019.

    >>> import numpy as np
    >>> scores = np.array([[2.0, 0.0], [0.0, 0.0]])
    >>> entmax15_loss(np.array([0, 0]), scores, reduction="none").round(12).tolist()  # 4/3 (1 - √½)
    [0.0, 0.390524291751]
    """
    root_p, excess = _entmax15(xp, scores)
    q = class_masses(xp, target, scores)
    root_q = q**0.5
    # the sum as one of squares: where p is nearly q, nothing cancels
    terms = 2 / 3 * (root_p - root_q) ** 2 * (root_p + 2 * root_q)
    return xp.sum(terms + product(xp, q, 2 * (root_p - excess)), axis=-1)


@entmax15_loss.derivative
def entmax15_loss_derivative(xp, target, scores):
    return _entmax15(xp, scores)[0] ** 2 - class_masses(xp, target, scores)


def _entmax15(xp, scores):
    """The square roots of the probabilities, and ½ z - τ, which equals them where it is above 0."""
    halves = (scores - xp.max(scores, axis=-1, keepdims=True)) / 2
    near = xp.clip(halves, -1, None)  # the threshold is at least -1
    inside = xp.astype(near > _entmax15_threshold(xp, near), scores.dtype)
    count = xp.sum(inside, axis=-1, keepdims=True)
    # Σ (½ z - τ)² = 1 over the classes inside, solved for τ
    mean = xp.sum(inside * near, axis=-1, keepdims=True) / count
    spread = xp.sum(inside * (near - mean) ** 2, axis=-1, keepdims=True)
    excess = halves - mean + ((1 - spread) / count) ** 0.5
    return inside * xp.clip(excess, 0, None), excess


def _entmax15_threshold(xp, halves):
    """τ, from the sums over the k largest scores, for the largest k whose threshold they pass."""
    ordered = xp.sort(halves, axis=-1, descending=True)
    device = getattr(halves, "device", None)
    counts = xp.arange(1, halves.shape[-1] + 1, dtype=halves.dtype, device=device)
    mean = xp.cumulative_sum(ordered, axis=-1) / counts
    spread = xp.cumulative_sum(ordered**2, axis=-1) / counts - mean**2
    thresholds = mean - xp.clip(1 / counts - spread, 0, None) ** 0.5
    size = xp.sum(xp.where(thresholds <= ordered, 1, 0), axis=-1)
    return pick(xp, thresholds, xp.clip(size - 1, 0, None))[..., None]
