"""Losses that compare vectors: which should lie close to each other, and which far apart."""

import functools
import math

from lossbook.backend import at_index, cosine, logsumexp, norm, sigmoid, softmax, softplus, unit
from lossbook.checks import REAL, Interval, OneOf, boolean, is_number, not_negative, positive
from lossbook.classification import cross_entropy, cross_entropy_derivative
from lossbook.loss import pointwise_loss
from lossbook.margin import SIGN, logistic, logistic_derivative
from lossbook.ranking import margin_ranking, margin_ranking_derivative
from lossbook.regression import mse, mse_derivative
from lossbook.structured import structured_loss

SAME = OneOf((0, 1), advice="1 says that the two are the same. For labels -1 and 1 add 1, halve.")
DISTANCE = Interval(0, math.inf)


def a_cosine(loss, name, value):
    """A parameter that must be a number in [-1, 1]."""
    if not (is_number(value) and -1 <= value <= 1):
        raise ValueError(f"{loss}: {name} must lie in [-1, 1]; it is {value!r}.")


def real(loss, name, value):
    """A parameter that must be a finite number."""
    if not (is_number(value) and math.isfinite(value)):
        raise ValueError(f"{loss}: {name} must be a finite number; it is {value!r}.")


@structured_loss(shapes={"target": "... d", "prediction": "... d"}, predictions=("prediction",))
def cosine_distance(xp, target, prediction):
    """Cosine distance: 1 minus the cosine of the angle between two vectors.

    ``ℓ(y, x) = 1 - cos(y, x)`` with ``cos(y, x) = y·x / (|y| |x|)``; derivative
    ``(cos(y, x) x/|x| - y/|y|) / |x|``.

    Shapes: target and prediction alike, (..., d). Domain: all real numbers. Unit: none; in
    [0, 2]. Minimiser: any vector in the direction of the mean of the targets' unit vectors; the
    length does not matter.
    Convention: a vector of length 0 has no direction: its cosine with any other counts as 0, so
    the loss is 1, with gradient 0. Keras's CosineSimilarity is minus the cosine: it is this loss
    less 1. optax.cosine_distance has gradient NaN at length 0. Computed as half the squared
    distance of the unit vectors, which keeps its digits where they are almost equal.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Salton, Wong and Yang 1975.

    >>> import numpy as np
    >>> target, prediction = np.array([[3.0, 0.0], [3.0, 0.0]]), np.array([[0.0, 2.0], [-1.0, 0.0]])
    >>> cosine_distance(target, prediction, reduction="none").tolist()
    [1.0, 2.0]
    """
    distance = 0.5 * xp.sum((unit(xp, prediction) - unit(xp, target)) ** 2, axis=-1)
    return xp.where(_have_directions(xp, target, prediction), distance, 1)


@cosine_distance.derivative
def cosine_distance_derivative(xp, target, prediction):
    return (_cosine_distance_slopes(xp, target, prediction)[1],)


def _cosine_distance_slopes(xp, first, second):
    difference = unit(xp, first) - unit(xp, second)
    exist = _have_directions(xp, first, second)[..., None]
    return (
        xp.where(exist, _through_unit(xp, first, difference), 0),
        xp.where(exist, _through_unit(xp, second, -difference), 0),
    )


def _have_directions(xp, first, second):
    return xp.any(first != 0, axis=-1) & xp.any(second != 0, axis=-1)


@pointwise_loss(target=SIGN, prediction=REAL, margin=positive)
def hinge_embedding(xp, target, distance, *, margin=1.0):
    """Hinge embedding loss: like pairs close together, unlike ones a margin apart.

    ``ℓ(1, d) = d`` and ``ℓ(-1, d) = max(0, m - d)``; derivative 1 for a like pair, and for an
    unlike one -1 where ``d < m`` and 0 elsewhere.

    Shapes: target and distance alike, any shape. Domain: target 1 for a like pair and -1 for an
    unlike one; the distance real; ``margin`` m > 0. Unit: that of the distance. Minimiser: of the
    distances, which are at least 0, 0 if most such pairs are alike, m if most are not.
    Convention: torch's HingeEmbeddingLoss is the same; like it, this takes any distance, such as
    `lossbook.cosine_distance`, and does not check its sign: below 0 a like pair costs less than
    nothing. `contrastive` is its square.
    Errors: see `lossbook.loss.Loss`. Source: Collobert et al. 2011.

    >>> import numpy as np
    >>> distance = np.array([0.25, 0.25, 2.0])
    >>> hinge_embedding(np.array([1, -1, -1]), distance, reduction="none").tolist()
    [0.25, 0.75, 0.0]
    """
    return xp.where(target == 1, distance, xp.where(distance >= margin, 0, margin - distance))


@hinge_embedding.derivative
def hinge_embedding_derivative(xp, target, distance, *, margin):
    like = xp.where(xp.isnan(distance), distance, 1)
    # the last case is NaN, which must not be taken for a flat loss
    unlike = xp.where(distance >= margin, 0, xp.where(distance < margin, -1, distance))
    return xp.where(target == 1, like, unlike)


@pointwise_loss(target=SAME, prediction=DISTANCE, margin=positive)
def contrastive(xp, target, distance, *, margin=1.0):
    """Contrastive loss: equal pairs at distance 0, different ones a margin apart, by squares.

    ``ℓ(1, d) = d²`` and ``ℓ(0, d) = max(0, m - d)²``; derivative ``2 d`` for an equal pair and
    ``-2 max(0, m - d)`` for a different one.

    Shapes: target and distance alike, any shape. Domain: target 1 if the two are the same and 0
    if they are not; the distance >= 0; ``margin`` m > 0. Unit: the square of the distance's.
    Minimiser: ``(1 - η) m``, where η is the probability that the pair is the same.
    Convention: the square of `hinge_embedding`. In the paper the label 1 means different, and
    each square is halved. Some libraries do not square: pytorch-metric-learning adds the plain
    hinges.
    Errors: see `lossbook.loss.Loss`. Source: Hadsell, Chopra and LeCun 2006.

    >>> import numpy as np
    >>> contrastive(np.array([1, 0, 0]), np.array([0.5, 0.5, 2.0]), reduction="none").tolist()
    [0.25, 0.25, 0.0]
    """
    return mse.formula(xp, 0, hinge_embedding.formula(xp, 2 * target - 1, distance, margin=margin))


@contrastive.derivative
def contrastive_derivative(xp, target, distance, *, margin):
    sign = 2 * target - 1
    miss = hinge_embedding.formula(xp, sign, distance, margin=margin)
    slope = hinge_embedding_derivative(xp, sign, distance, margin=margin)
    return mse_derivative(xp, 0, miss) * slope


@structured_loss(
    shapes={"target": "...", "first": "... d", "second": "... d"},
    predictions=("first", "second"),
    domains={"target": SIGN},
    margin=a_cosine,
)
def cosine_embedding(xp, target, first, second, *, margin=0.0):
    """Cosine embedding loss: like vectors in one direction, unlike ones at an angle.

    ``ℓ(1, a, b) = 1 - cos(a, b)`` and ``ℓ(-1, a, b) = max(0, cos(a, b) - m)``; derivative of the
    cosine with respect to a ``(b/|b| - cos(a, b) a/|a|) / |a|``, and the same for b.

    Shapes: first and second alike, (..., d); target (...). Domain: target 1 for a like pair and
    -1 for an unlike one; the vectors real; ``margin`` m, the largest cosine of unlike vectors
    that is free, in [-1, 1]. Unit: none; in [0, 2]. Minimiser: the same direction if most such
    pairs are alike, a cosine of m if most are not.
    Convention: `hinge_embedding` of the `cosine_distance` with margin 1 - m. torch's
    CosineEmbeddingLoss is the same. The cosine with a vector of length 0 counts as 0, with
    gradient 0, where torch's gradient is of the order of a million.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Collobert et al. 2011.

    >>> import numpy as np
    >>> a, b = np.array([[3.0, 4.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> cosine_embedding(np.array([1, -1]), a, b, reduction="none").round(12).tolist()
    [0.4, 0.6]
    """
    distance = cosine_distance.formula(xp, first, second)
    similarity = cosine(xp, first, second)  # 1 - distance has no digits near a right angle
    beyond = xp.where(similarity <= margin, 0, similarity - margin)
    return xp.where(target == 1, distance, beyond)


@cosine_embedding.derivative
def cosine_embedding_derivative(xp, target, first, second, *, margin):
    distance = cosine_distance.formula(xp, first, second)
    slope = hinge_embedding_derivative(xp, target, distance, margin=1 - margin)[..., None]
    of_first, of_second = _cosine_distance_slopes(xp, first, second)
    return slope * of_first, slope * of_second


@structured_loss(
    shapes={"anchor": "... d", "positive": "... d", "negative": "... d"},
    predictions=("anchor", "positive", "negative"),
    margin=not_negative,
    swap=boolean,
)
def triplet(xp, anchor, positive, negative, *, margin=1.0, swap=False):
    """Triplet loss: an anchor must be nearer to its positive than to its negative, by a margin.

    ``ℓ(a, p, n) = max(0, |a - p| - |a - n| + m)`` with Euclidean distances; derivatives, where
    that is positive, ``(a - p)/|a - p| - (a - n)/|a - n|``, ``(p - a)/|a - p|`` and
    ``(a - n)/|a - n|``.

    Shapes: anchor, positive and negative alike, (..., d). Domain: all real numbers; ``margin``
    m >= 0, in the unit of the distance. Unit: that of the vectors. Minimiser: any vectors with
    ``|a - n| >= |a - p| + m``. ``swap`` takes ``|p - n|`` in place of ``|a - n|`` where it is the
    smaller one.
    Convention: torch adds 1e-6 to every coordinate of a difference, optax to the squared
    distance; here the distance is exact and its gradient at 0 is 0. The paper squares the
    distances. For other distances use what this is made of: `lossbook.margin_ranking` of them,
    with target -1.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Schultz and Joachims 2003; swap:
    Balntas et al. 2016.

    >>> import numpy as np
    >>> float(triplet(np.array([0.0, 0.0]), np.array([0.0, 1.0]), np.array([0.0, 1.5])))
    0.5
    >>> float(triplet(np.array([0.0]), np.array([1.0]), np.array([1.5]), swap=True))
    1.5
    """
    away, _ = _away(xp, anchor, positive, negative, swap)
    near, far = norm(xp, anchor - positive), norm(xp, away)
    return margin_ranking.formula(xp, -1, near, far, margin=margin)


@triplet.derivative
def triplet_derivative(xp, anchor, positive, negative, *, margin, swap):
    away, swapped = _away(xp, anchor, positive, negative, swap)
    near, far = norm(xp, anchor - positive), norm(xp, away)
    of_near, of_far = margin_ranking_derivative(xp, -1, near, far, margin=margin)
    pull = of_near[..., None] * unit(xp, anchor - positive)
    push = of_far[..., None] * unit(xp, away)
    if not swap:
        return pull + push, -pull, -push
    from_anchor, from_positive = xp.where(swapped, 0, push), xp.where(swapped, push, 0)
    return pull + from_anchor, from_positive - pull, -push


def _away(xp, anchor, positive, negative, swap):
    """The vector to the negative that counts, and where it starts at the positive."""
    if not swap:
        return anchor - negative, None
    swapped = (norm(xp, positive - negative) < norm(xp, anchor - negative))[..., None]
    return xp.where(swapped, positive - negative, anchor - negative), swapped


@structured_loss(
    shapes={"queries": "n d", "keys": "n d"},
    predictions=("queries", "keys"),
    values="n",
    coupled=True,
    temperature=positive,
    normalise=boolean,
    symmetric=boolean,
)
def info_nce(xp, queries, keys, *, temperature=0.1, normalise=True, symmetric=False):
    """InfoNCE: each query must find its own key among the keys of all.

    ``ℓ_i = log Σ_j exp(s_ij) - s_ii`` with ``s_ij = cos(q_i, k_j) / τ``; derivative with respect
    to ``s_ij`` ``softmax(s_i)_j - [i = j]``.

    Shapes: queries and keys alike, (n, d); row i of the one belongs to row i of the other; one
    value a query. Domain: all real numbers; ``temperature`` τ > 0. Unit: nats. Minimiser:
    similarities ``s_ij`` that are the logarithm of ``p(key | query) / p(key)``, up to a number
    for each query. ``normalise=False`` takes the products of the vectors as they are.
    ``symmetric`` takes the mean of this and of the same with queries and keys exchanged, as CLIP
    does.
    Convention: `cross_entropy` of the similarities, whose label is the row's own number; n keys
    are n - 1 negatives. log n minus the loss bounds the mutual information of query and key from
    below. A query of weight 0 does not count, but its key stays a negative of the others.
    Errors: see `lossbook.structured.StructuredLoss`. Source: van den Oord, Li and Vinyals 2018;
    symmetric: Radford et al. 2021.

    >>> import numpy as np
    >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> round(float(info_nce(vectors, vectors, temperature=1.0)), 12)  # log(e + 1) - 1
    0.313261687518
    """
    logits = _similarities(xp, queries, keys, normalise) / temperature
    own = _rows(xp, logits)
    values = cross_entropy.formula(xp, own, logits)
    if symmetric:
        values = (values + cross_entropy.formula(xp, own, logits.T)) / 2
    return values


@info_nce.derivative
def info_nce_derivative(xp, share, queries, keys, *, temperature, normalise, symmetric):
    logits = _similarities(xp, queries, keys, normalise) / temperature
    own = _rows(xp, logits)
    slopes = share[:, None] * _cross_entropy_slopes(xp, own, logits)
    if symmetric:
        slopes = (slopes + (share[:, None] * _cross_entropy_slopes(xp, own, logits.T)).T) / 2
    return _through_similarities(xp, queries, keys, slopes / temperature, normalise)


@structured_loss(
    shapes={"labels": "n", "embeddings": "n d"},
    predictions=("embeddings",),
    labels=("labels",),
    values="n",
    coupled=True,
    temperature=positive,
)
def supervised_contrastive(xp, labels, embeddings, *, temperature=0.1):
    """Supervised contrastive loss: each vector must find those of its class among all others.

    ``ℓ_i = -1/|P_i| Σ_{p ∈ P_i} log(exp(s_ip) / Σ_{j ≠ i} exp(s_ij))`` with
    ``s_ij = cos(x_i, x_j) / τ`` and ``P_i`` the others of the class of i; derivative with respect
    to ``s_ij`` ``softmax(s_i)_j - [j ∈ P_i] / |P_i|``.

    Shapes: embeddings (n, d), labels (n,); one value an anchor. Domain: labels integers,
    embeddings real; ``temperature`` τ > 0. Unit: nats. Minimiser: for classes of equal size,
    and dimensions enough, one direction for each class, all at the same and largest angle.
    Convention: `cross_entropy` with equal masses on the class, without i itself: the paper's
    ``L_out``, the logarithm inside the sum. The other positives stay in the denominator, while
    optax.ntxent takes them out. A vector alone in its class costs 0 and counts in the mean; give
    it weight 0 to leave it out.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Khosla et al. 2020.

    >>> import numpy as np
    >>> vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> values = supervised_contrastive(
    ...     np.array([0, 0, 1]), vectors, temperature=1.0, reduction="none"
    ... )
    >>> values.round(12).tolist()  # log(e + 1) - 1, twice; the third is alone
    [0.313261687518, 0.313261687518, 0.0]
    """
    masses, logits = _class_and_others(xp, labels, embeddings, temperature)
    return cross_entropy.formula(xp, masses, logits)


@supervised_contrastive.derivative
def supervised_contrastive_derivative(xp, share, labels, embeddings, *, temperature):
    masses, logits = _class_and_others(xp, labels, embeddings, temperature)
    slopes = share[:, None] * _cross_entropy_slopes(xp, masses, logits) / temperature
    return (sum(_through_similarities(xp, embeddings, embeddings, slopes)),)


def _class_and_others(xp, labels, embeddings, temperature):
    """The distribution over the others of the own class, and the similarities to all others."""
    logits = _similarities(xp, embeddings, embeddings) / temperature
    itself = at_index(xp, _rows(xp, logits), logits)
    members = xp.astype((labels[:, None] == labels[None, :]) & ~itself, logits.dtype)
    count = xp.sum(members, axis=-1, keepdims=True)
    masses = members / xp.where(count == 0, 1, count)
    never = -math.inf if logits.shape[0] > 1 else 0  # one vector alone has no others
    return masses, xp.where(itself, never, logits)


@structured_loss(
    shapes={"first": "n d", "second": "n d"},
    predictions=("first", "second"),
    values="n",
    coupled=True,
    temperature=positive,
)
def nt_xent(xp, first, second, *, temperature=0.1):
    """NT-Xent, the loss of SimCLR: each of two views must find the other among 2n - 1 views.

    ``ℓ_i = ½ (ℓ(i, n + i) + ℓ(n + i, i))``, where the 2n views are ``first`` and then
    ``second``, ``ℓ(i, j) = log Σ_{k ≠ i} exp(s_ik) - s_ij`` and ``s_ij = cos(x_i, x_j) / τ``;
    derivative of ``ℓ(i, j)`` with respect to ``s_ik`` ``softmax(s_i)_k - [k = j]``.

    Shapes: first and second alike, (n, d); row i of both is one sample, seen twice; one value a
    pair. Domain: all real numbers; ``temperature`` τ > 0. Unit: nats. Minimiser: both views in
    one direction, and the directions of the samples as far apart as the sphere allows.
    Convention: `supervised_contrastive` with one class a sample, so the mean is the paper's, over
    2n terms. Unlike `info_nce`, the other samples' views of the same kind are negatives as well.
    optax.ntxent takes the views in one array with labels and is the same for pairs.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Chen et al. 2020.

    >>> import numpy as np
    >>> views = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> round(float(nt_xent(views, views, temperature=1.0)), 12)  # log(e + 2) - 1
    0.551444713932
    """
    values = supervised_contrastive.formula(
        xp, *_all_views(xp, first, second), temperature=temperature
    )
    n = first.shape[0]
    return (values[:n] + values[n:]) / 2


@nt_xent.derivative
def nt_xent_derivative(xp, share, first, second, *, temperature):
    shares = xp.concat([share, share]) / 2
    (slopes,) = supervised_contrastive_derivative(
        xp, shares, *_all_views(xp, first, second), temperature=temperature
    )
    n = first.shape[0]
    return slopes[:n], slopes[n:]


def _all_views(xp, first, second):
    samples = _rows(xp, first)
    return xp.concat([samples, samples]), xp.concat([first, second])


@structured_loss(
    shapes={"first": "n d", "second": "n d"},
    predictions=("first", "second"),
    values="n",
    coupled=True,
    scale=positive,
    bias=real,
)
def siglip(xp, first, second, *, scale=10.0, bias=-10.0):
    """SigLIP: of every two vectors, one of each kind, say whether they belong together.

    ``ℓ_i = Σ_j log(1 + exp(-y_ij z_ij))`` with ``z_ij = t cos(x_i, x'_j) + b`` and ``y_ij`` 1 for
    i = j and -1 elsewhere; derivative with respect to ``z_ij`` ``-y_ij σ(-y_ij z_ij)``.

    Shapes: first and second alike, (n, d); row i of the one belongs to row i of the other; one
    value a row of ``first``. Domain: all real numbers; ``scale`` t > 0 and ``bias`` b any number.
    Unit: nats. Minimiser: ``z_ij`` equal to the log-odds that such a pair belongs together.
    Convention: `logistic` of every pair, summed over the n second vectors, so the mean is the
    paper's: all pairs, divided by n and not by n². The paper trains t and b, from 10 and -10;
    here they are numbers, and the gradient is that of the vectors alone.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Zhai et al. 2023.

    >>> import numpy as np
    >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> round(float(siglip(vectors, vectors, scale=1.0, bias=0.0)), 12)  # log(1 + 1/e) + log 2
    1.006408868078
    """
    signs, logits = _signs_and_logits(xp, first, second, scale, bias)
    return xp.sum(logistic.formula(xp, signs, logits), axis=-1)


@siglip.derivative
def siglip_derivative(xp, share, first, second, *, scale, bias):
    signs, logits = _signs_and_logits(xp, first, second, scale, bias)
    slopes = share[:, None] * logistic_derivative(xp, signs, logits)
    return _through_similarities(xp, first, second, scale * slopes)


def _signs_and_logits(xp, first, second, scale, bias):
    logits = scale * _similarities(xp, first, second) + bias
    is_pair = at_index(xp, _rows(xp, logits), logits)
    return 2 * xp.astype(is_pair, logits.dtype) - 1, logits


@structured_loss(
    shapes={"labels": "n", "embeddings": "n d"},
    predictions=("embeddings",),
    labels=("labels",),
    values="n",
    coupled=True,
    margin=not_negative,
    scale=positive,
)
def circle(xp, labels, embeddings, *, margin=0.4, scale=80.0):
    """Circle loss: cosines of 1 within a class and 0 between classes, the worst ones first.

    ``ℓ_i = log(1 + Σ_n exp(γ c_n) Σ_p exp(γ c_p))`` with ``c_n = max(0, s_in + m) (s_in - m)``
    and ``c_p = max(0, 1 + m - s_ip) (1 - m - s_ip)``, where ``s_ij = cos(x_i, x_j)``, n runs over
    the other classes and p over the others of the class of i; derivative of ``c_n``
    ``2 s_in`` where ``s_in > -m``, and of ``c_p`` ``-2 (1 - s_ip)``.

    Shapes: embeddings (n, d), labels (n,); one value an anchor. Domain: labels integers,
    embeddings real; ``margin`` m >= 0, ``scale`` γ > 0. Unit: none. Minimiser: for m > 0,
    and dimensions enough, cosines of 1 within each class and 0 between them.
    Convention: the gradient is that of the value, as in Keras's Circle, which expects embeddings
    of length 1. Many implementations take the factors max(0, …) for constants, so that their
    slope of ``c_n`` is ``s_in + m``. An anchor without others of its class, or without other
    classes, costs 0 and counts in the mean; give it weight 0 to leave it out.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Sun et al. 2020.

    >>> import numpy as np
    >>> vectors = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> values = circle(np.array([0, 0, 1]), vectors, margin=0.5, scale=1.0, reduction="none")
    >>> values.round(12).tolist()  # log(1 + exp(-¼) exp(-¼)), twice; the third is alone
    [0.47407698418, 0.47407698418, 0.0]
    """
    similarities = _similarities(xp, embeddings, embeddings)
    return softplus(xp, _circle_parts(xp, labels, similarities, margin, scale)[0])


@circle.derivative
def circle_derivative(xp, share, labels, embeddings, *, margin, scale):
    s = _similarities(xp, embeddings, embeddings)
    total, of_class, of_others = _circle_parts(xp, labels, s, margin, scale)
    slope_of_class = xp.where(1 + margin <= s, 0, -2 * (1 - s))
    slope_of_others = xp.where(s <= -margin, 0, 2 * s)
    slopes = _shares(xp, of_class) * slope_of_class + _shares(xp, of_others) * slope_of_others
    slopes = (scale * share * sigmoid(xp, total))[:, None] * slopes
    return (sum(_through_similarities(xp, embeddings, embeddings, slopes)),)


def _circle_parts(xp, labels, similarities, margin, scale):
    """The log-odds of each anchor, and its exponents: of its class, and of the other classes."""
    same = labels[:, None] == labels[None, :]
    itself = at_index(xp, _rows(xp, similarities), similarities)
    pull = _above_0(xp, 1 + margin - similarities) * (1 - margin - similarities)
    push = _above_0(xp, similarities + margin) * (similarities - margin)
    of_class = xp.where(same & ~itself, scale * pull, -math.inf)
    of_others = xp.where(same, -math.inf, scale * push)
    return logsumexp(xp, of_class) + logsumexp(xp, of_others), of_class, of_others


def _above_0(xp, x):
    return xp.where(x <= 0, 0, x)  # NaN stays NaN


def _shares(xp, exponents):
    """The softmax; equal shares where there is nothing to share."""
    nothing = xp.max(exponents, axis=-1, keepdims=True) == -math.inf
    return softmax(xp, xp.where(nothing, 0, exponents))


_cross_entropy_slopes = functools.partial(
    cross_entropy_derivative, class_weight=None, label_smoothing=0.0
)


def _rows(xp, x):
    """0, 1, …, n - 1 for an array of n rows."""
    return xp.arange(x.shape[0], device=getattr(x, "device", None))


def _similarities(xp, first, second, normalise=True):
    """The cosine of every row of the one with every row of the other, or else their product."""
    if normalise:
        first, second = unit(xp, first), unit(xp, second)
    return first @ second.T


def _through_similarities(xp, first, second, slopes, normalise=True):
    """Derivatives with respect to the vectors, from those with respect to the similarities."""
    if not normalise:
        return slopes @ second, slopes.T @ first
    return (
        _through_unit(xp, first, slopes @ unit(xp, second)),
        _through_unit(xp, second, slopes.T @ unit(xp, first)),
    )


def _through_unit(xp, x, slopes):
    """Derivatives with respect to x, from those with respect to x / |x|: the part across x."""
    direction, length = unit(xp, x), norm(xp, x)[..., None]
    across = slopes - direction * xp.sum(direction * slopes, axis=-1, keepdims=True)
    return xp.where(length == 0, 0, across / xp.where(length == 0, 1, length))
