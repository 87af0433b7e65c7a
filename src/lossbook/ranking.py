"""Losses that ask for an order: which of two scores, or of a whole list, should be larger."""

import math

from lossbook.backend import product
from lossbook.checks import Interval, OneOf, not_negative
from lossbook.classification import cross_entropy, cross_entropy_derivative
from lossbook.margin import SIGN, hinge, hinge_derivative, logistic, logistic_derivative
from lossbook.structured import structured_loss

MEMBER = OneOf((0, 1), advice="It says of each label whether it belongs to the sample.")
RELEVANCE = Interval(0, math.inf, advice="Give padding relevance 0, and leave it out by mask.")


@structured_loss(
    shapes={"target": "...", "first": "...", "second": "..."},
    predictions=("first", "second"),
    domains={"target": SIGN},
    margin=not_negative,
)
def margin_ranking(xp, target, first, second, *, margin=0.0):
    """Margin ranking loss: of two scores one must be larger, by a margin.

    ``ℓ(y, a, b) = max(0, m - y (a - b))``; derivatives ``-y`` and ``y`` where that is positive,
    and 0 elsewhere.

    Shapes: target, first and second alike, any shape. Domain: target 1 where ``first`` must be
    the larger and -1 where ``second`` must; the scores real; ``margin`` m >= 0. Unit: that of the
    scores. Minimiser: any scores with ``y (a - b) >= m``; if the order is random, a difference of
    m in favour of the more frequent order.
    Convention: torch's MarginRankingLoss is the same. With m = 1 it is `hinge` of the difference.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Herbrich, Graepel and Obermayer 1999.

    >>> import numpy as np
    >>> target, first, second = np.array([1, 1]), np.array([2.0, 0.0]), np.array([0.0, 0.5])
    >>> margin_ranking(target, first, second, margin=1.0, reduction="none").tolist()
    [0.0, 1.5]
    """
    ahead = target * (first - second)
    return xp.where(ahead >= margin, 0, margin - ahead)


@margin_ranking.derivative
def margin_ranking_derivative(xp, target, first, second, *, margin):
    ahead = target * (first - second)
    # the last case is NaN, which must not be taken for a flat loss
    slope = xp.where(ahead >= margin, 0, xp.where(ahead < margin, -target, ahead))
    return slope, -slope


@structured_loss(
    shapes={"preferred": "...", "other": "..."},
    predictions=("preferred", "other"),
)
def bpr(xp, preferred, other):
    """Bayesian personalised ranking: the log-odds that the preferred item is ahead.

    ``ℓ(a, b) = log(1 + exp(-(a - b)))``; derivatives ``-σ(b - a)`` and ``σ(b - a)``.

    Shapes: preferred and other alike, any shape; one pair of scores a value. Domain: all real
    numbers. Unit: nats. Minimiser: a difference equal to the log-odds of the preference.
    Convention: `logistic` of the difference, also called RankNet's loss with a certain target.
    Often written ``-log(σ(a - b) + 1e-10)``, whose gradient vanishes exactly where the order is
    worst; here it does not. The penalty on the parameters in the paper is not part of the loss.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Rendle et al. 2009.

    >>> import numpy as np
    >>> float(bpr(np.array([-40.0]), np.array([0.0])))
    40.0
    """
    ahead = preferred - other
    return logistic.formula(xp, xp.ones_like(ahead), ahead)


@bpr.derivative
def bpr_derivative(xp, preferred, other):
    slope = logistic_derivative(xp, 1, preferred - other)
    return slope, -slope


@structured_loss(
    shapes={"target": "... l", "scores": "... l", "mask": "... l"},
    predictions=("scores",),
    domains={"target": RELEVANCE},
)
def listwise_softmax(xp, target, scores, *, mask=None):
    """Softmax loss of a list: the relevance of its items against the softmax of their scores.

    ``ℓ(y, s) = -Σ_j y_j log softmax(s)_j``, derivative ``(Σ_k y_k) softmax(s)_j - y_j``.

    Shapes: target and scores alike, (..., l), one list of l items a value; ``mask`` too, true at
    the items that belong to the list, so that short lists can be padded. Domain: target a
    relevance >= 0, scores real. Unit: nats times relevance. Minimiser: scores whose softmax is
    the mean relevance, divided by its sum.
    Convention: `cross_entropy` with a target that need not sum to 1, so a list counts in
    proportion to its relevance; optax.ranking_softmax_loss is the same. A list without relevance
    costs 0. ListNet makes distributions of the relevances first: pass ``softmax(target)``.
    optax leaves a list that is masked as a whole out of the mean; here give it weight 0.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Cao et al. 2007.

    >>> import numpy as np
    >>> float(listwise_softmax(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]])))  # log 2
    0.6931471805599453
    >>> target, mask = np.array([[2, 0, 0]]), np.array([[True, True, False]])
    >>> float(listwise_softmax(target, np.zeros((1, 3)), mask=mask))  # 2 log 2
    1.3862943611198906
    """
    return cross_entropy.formula(xp, *_without_padding(xp, target, scores, mask))


@listwise_softmax.derivative
def listwise_softmax_derivative(xp, target, scores, *, mask):
    target, scores = _without_padding(xp, target, scores, mask)
    return (cross_entropy_derivative(xp, target, scores, class_weight=None, label_smoothing=0.0),)


def _without_padding(xp, target, scores, mask):
    """No relevance and no probability for padding; a list of padding alone has equal scores."""
    if mask is None:
        return target, scores
    inside = mask != 0
    is_list = xp.any(inside, axis=-1, keepdims=True)
    padding = xp.where(is_list, -math.inf, xp.zeros_like(scores))
    return xp.where(inside, target, 0), xp.where(inside, scores, padding)


@structured_loss(
    shapes={"target": "... c", "scores": "... c"},
    predictions=("scores",),
    domains={"target": MEMBER},
)
def multilabel_margin(xp, target, scores):
    """Multilabel margin loss: each label of a sample must beat each label that it lacks, by 1.

    ``ℓ(y, z) = 1/C Σ_{j: y_j = 1} Σ_{k: y_k = 0} max(0, 1 - (z_j - z_k))``; derivative, per C,
    minus the number of pairs inside the margin for a label of the sample, and plus that number
    for another.

    Shapes: target and scores alike, (..., C). Domain: target 1 for the labels of the sample and 0
    for the others, scores real. Unit: that of the scores. Minimiser: every label of the
    sample ahead of all others by at least 1.
    Convention: `hinge` over all pairs. torch's MultiLabelMarginLoss has the same value; its target
    lists the indices of the labels, ended by -1. Takes memory for C² pairs a sample. A sample
    with all labels, or none, costs 0.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Elisseeff and Weston 2001.

    >>> import numpy as np
    >>> float(multilabel_margin(np.array([[1, 0, 0]]), np.array([[1.0, 0.5, 1.0]])))  # (½ + 1) / 3
    0.5
    """
    ahead, pairs = _pairs(xp, target, scores)
    costs = product(xp, pairs, hinge.formula(xp, 1, ahead))
    return xp.sum(costs, axis=(-2, -1)) / scores.shape[-1]


@multilabel_margin.derivative
def multilabel_margin_derivative(xp, target, scores):
    ahead, pairs = _pairs(xp, target, scores)
    slopes = product(xp, pairs, hinge_derivative(xp, 1, ahead))
    return ((xp.sum(slopes, axis=-1) - xp.sum(slopes, axis=-2)) / scores.shape[-1],)


@structured_loss(
    shapes={"target": "... c", "scores": "... c"},
    predictions=("scores",),
    domains={"target": MEMBER},
)
def label_ranking(xp, target, scores):
    """Label ranking loss: the fraction of pairs of labels that stand in the wrong order.

    ``ℓ(y, z) = #{(j, k): y_j = 1, y_k = 0, z_j <= z_k} / #{(j, k): y_j = 1, y_k = 0}``;
    derivative 0.

    Shapes: target and scores alike, (..., C). Domain: target 1 for the labels of the sample and 0
    for the others, scores real. Unit: none; in [0, 1]. Minimiser: scores in the order of the
    probability of each label, if the labels are equally many in every sample.
    Convention: a measure, constant between ties, so it cannot be trained: its gradient is 0.
    `multilabel_margin` is a loss for training. Equal scores count as wrong, and a sample with
    all labels, or none, costs 0, as in scikit-learn's label_ranking_loss. Takes memory for C²
    pairs a sample.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Schapire and Singer 1999.

    >>> import numpy as np
    >>> float(label_ranking(np.array([[1, 0, 0]]), np.array([[1.0, 0.5, 1.0]])))
    0.5
    """
    ahead, pairs = _pairs(xp, target, scores)
    # a tie is wrong too; NaN stays NaN
    wrong = xp.where(ahead > 0, 0, xp.where(ahead <= 0, 1, ahead))
    count = xp.sum(pairs, axis=(-2, -1))
    return xp.sum(product(xp, pairs, wrong), axis=(-2, -1)) / xp.where(count == 0, 1, count)


@label_ranking.derivative
def label_ranking_derivative(xp, target, scores):
    return (xp.where(xp.isnan(scores), scores, 0),)


def _pairs(xp, target, scores):
    """How far label j is ahead of label k, and 1 for the pairs that count: j inside, k outside."""
    ahead = scores[..., :, None] - scores[..., None, :]
    pairs = (target[..., :, None] == 1) & (target[..., None, :] == 0)
    return ahead, xp.astype(pairs, scores.dtype)
