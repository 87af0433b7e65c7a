"""Losses that compare masks by their overlap: how much of the one lies in the other.

The last axis of a mask holds its pixels, and there is one value a mask. So the shape says over
what the sums run. With images of shape (batch, height, width), ``reshape(batch, -1)`` gives one
value an image, whose mean is the usual loss; ``reshape(-1)`` sums over the whole batch before it
divides, so that a small object in one image weighs no more than its pixels do. The two differ, and
libraries choose differently: Keras the second, optax the first.
"""

import math

from lossbook.backend import at_index, log_softmax, product, softmax
from lossbook.checks import Interval, OneOf, check_class_indices, not_negative
from lossbook.classwise import through_softmax
from lossbook.structured import structured_loss

MASK = Interval(0, 1, advice="A mask holds 0, 1 or shares between.")
PROBABILITY = Interval(0, 1, advice="Pass the sigmoid of raw scores.")
LABEL = OneOf((0, 1), advice="It takes hard masks alone.")

overlap_loss = structured_loss(
    shapes={"target": "... n", "prediction": "... n"},
    predictions=("prediction",),
    domains={"target": MASK, "prediction": PROBABILITY},
    smooth=not_negative,
)


@structured_loss(
    shapes={"target": "... n", "prediction": "... n"},
    predictions=("prediction",),
    domains={"target": MASK, "prediction": PROBABILITY},
    alpha=not_negative,
    beta=not_negative,
    smooth=not_negative,
)
def tversky(xp, target, prediction, *, alpha=0.5, beta=0.5, smooth=0.0):
    """Tversky loss: one minus the overlap of two masks, with a price for each kind of error.

    ``ℓ(y, p) = 1 - (TP + s) / (TP + α FP + β FN + s)`` with ``TP = Σ y p``, ``FP = Σ (1 - y) p``
    and ``FN = Σ y (1 - p)``; derivative ``(d_i (1 - ℓ) - y_i ℓ) / D`` with
    ``d_i = α (1 - y_i) - β y_i`` and D the denominator.

    Shapes: target and prediction alike, (..., n); `lossbook.overlap` says how to lay out images.
    Domain: target and prediction in [0, 1]; ``alpha`` α, ``beta`` β and ``smooth`` s at least 0.
    Unit: none; in [0, 1]. Minimiser: the target itself, if it holds zeros and ones and α, β > 0.
    Convention: α weighs what is predicted and not there, as in the paper, optax, MONAI and kornia;
    Keras 3.15 has α and β interchanged. optax and MONAI smooth by default, which makes an
    imperfect prediction cost less; here ``smooth`` is 0, and 0/0 is a perfect match of two empty
    masks, of loss 0. Without smoothing any other prediction for an empty target costs 1, and its
    gradient is 0: only ``smooth`` makes such a mask teach something.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Salehi et al. 2017.

    >>> import numpy as np
    >>> target, prediction = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    >>> float(tversky(target, prediction, alpha=1.0, beta=0.0))  # 1 - 1 / (1 + 1)
    0.5
    """
    error, total = _tversky_parts(xp, target, prediction, alpha, beta, smooth)
    # error / total is 1 - (TP + s) / D without the difference, which would lose digits
    return xp.where(total == 0, 0, error / xp.where(total == 0, 1, total))


@tversky.derivative
def tversky_derivative(xp, target, prediction, *, alpha, beta, smooth):
    error, total = _tversky_parts(xp, target, prediction, alpha, beta, smooth)
    scale = xp.where(total == 0, math.inf, total)[..., None]
    loss = error[..., None] / scale
    of_error = alpha * (1 - target) - beta * target
    return ((of_error * (1 - loss) - target * loss) / scale,)


def _tversky_parts(xp, target, prediction, alpha, beta, smooth):
    """α FP + β FN, and the denominator."""
    error = alpha * xp.sum((1 - target) * prediction, axis=-1)
    error = error + beta * xp.sum(target * (1 - prediction), axis=-1)
    return error, xp.sum(target * prediction, axis=-1) + error + smooth


@overlap_loss
def dice(xp, target, prediction, *, smooth=0.0):
    """Dice loss: one minus twice the common part of two masks over the sum of their sizes.

    ``ℓ(y, p) = 1 - (2 Σ y p + 2 s) / (Σ y + Σ p + 2 s)``; derivative
    ``(1 - ℓ - 2 y_i) / (Σ y + Σ p + 2 s)``.

    Shapes: target and prediction alike, (..., n); `lossbook.overlap` says how to lay out images.
    Domain: target and prediction in [0, 1]; ``smooth`` s at least 0. Unit: none; in [0, 1].
    Minimiser: the target itself, if it holds zeros and ones. For targets that differ by chance, if
    the size of the object is nearly certain, it is no frequency but a hard mask: of the pixels
    whose frequency is above ``(1 - ℓ)/2``, with ℓ the loss that this mask has.
    Convention: `tversky` with α = β = ½, as in optax; where a library has a ``smooth`` beside
    2 Σ y p, it is twice this one. One minus F1, the harmonic mean of precision and recall, if both
    masks are hard. Others square the terms of the denominator, as the paper does, or measure the
    common part by the absolute difference, so that p = y = ½ costs nothing. For logits pass their
    sigmoid; empty masks as in `tversky`.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Milletari, Navab and Ahmadi 2016.

    >>> import numpy as np
    >>> float(dice(np.array([1.0, 0.0]), np.array([0.5, 0.5])))  # 1 - 2 · ½ / (1 + 1)
    0.5
    """
    return tversky.formula(xp, target, prediction, smooth=smooth)


@dice.derivative
def dice_derivative(xp, target, prediction, *, smooth):
    return tversky_derivative(xp, target, prediction, alpha=0.5, beta=0.5, smooth=smooth)


@overlap_loss
def jaccard(xp, target, prediction, *, smooth=0.0):
    """Jaccard loss: one minus the common part of two masks over their union.

    ``ℓ(y, p) = 1 - (I + s) / (U + s)`` with ``I = Σ y p`` and ``U = Σ y + Σ p - I``; derivative
    ``((1 - y_i) (1 - ℓ) - y_i) / (U + s)``.

    Shapes: target and prediction alike, (..., n); `lossbook.overlap` says how to lay out images.
    Domain: target and prediction in [0, 1]; ``smooth`` s at least 0. Unit: none; in [0, 1].
    Minimiser: the target itself, if it holds zeros and ones.
    Convention: `tversky` with α = β = 1; also called IoU loss. With D the `dice` loss and no
    smoothing it is ``2 D / (1 + D)``, so that both order masks alike. Empty masks as in `tversky`.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Rahman and Wang 2016.

    >>> import numpy as np
    >>> float(jaccard(np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])))  # 1 - 1 / 2
    0.5
    """
    return tversky.formula(xp, target, prediction, alpha=1.0, beta=1.0, smooth=smooth)


@jaccard.derivative
def jaccard_derivative(xp, target, prediction, *, smooth):
    return tversky_derivative(xp, target, prediction, alpha=1.0, beta=1.0, smooth=smooth)


@structured_loss(
    shapes={"target": "... n", "logits": "... n"},
    predictions=("logits",),
    domains={"target": LABEL},
)
def lovasz_hinge(xp, target, logits):
    """Lovász hinge: the convex loss whose corners are the Jaccard losses of hard masks.

    ``ℓ(y, z) = Σ_k max(0, m_k) (J_k - J_(k-1))`` with the margin errors ``m = 1 - (2 y - 1) z`` in
    falling order, and J_k the Jaccard loss of a mask that is wrong at the first k pixels;
    derivative ``-(2 y - 1)`` times the increment of J, where ``m > 0``.

    Shapes: target and logits alike, (..., n); `lossbook.overlap` says how to lay out images.
    Domain: target 0 or 1, logits real. Unit: none. Minimiser: any logits on the right side by 1.
    Convention: as in the paper and its code; kornia has the same on logits. An empty mask costs
    its largest margin error. Errors that tie are taken in the order of the array: the slope is then
    one of several subgradients, and not the smallest.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Yu and Blaschko 2015.

    >>> import numpy as np
    >>> float(lovasz_hinge(np.array([1, 0]), np.array([2.0, 0.0])))  # 1 · (1 - 1/2)
    0.5
    """
    errors = _margin_errors(xp, target, logits)
    increments = _jaccard_increments(xp, errors, target)
    return xp.sum(product(xp, increments, xp.where(errors <= 0, 0, errors)), axis=-1)


@lovasz_hinge.derivative
def lovasz_hinge_derivative(xp, target, logits):
    errors = _margin_errors(xp, target, logits)
    increments = _jaccard_increments(xp, errors, target)
    # the last case is NaN
    active = xp.where(errors <= 0, 0, xp.where(errors > 0, 1, errors))
    return (active * increments * (1 - 2 * target),)


def _check_labels(xp, loss, *, target, logits):
    check_class_indices(xp, loss, "target", target, logits.shape[-1])


@structured_loss(
    shapes={"target": "... n", "logits": "... n c"},
    predictions=("logits",),
    labels=("target",),
    check=_check_labels,
)
def lovasz_softmax(xp, target, logits):
    """Lovász-Softmax: the mean Jaccard loss of the classes, made continuous in the probabilities.

    ``ℓ(y, z) = mean over the classes c present of Σ_k m_k (J_k - J_(k-1))`` with the errors m of
    ``p = softmax(z)``, ``1 - p_c`` at the pixels of c and p_c at the others, in falling order, and
    J_k the Jaccard loss of a mask of c that is wrong at the first k pixels; derivative
    ``p_c (d_c - Σ_k p_k d_k)`` with d the increments of J, negative at the pixels of c, over the
    number of classes present.

    Shapes: target (..., n) of class indices, logits (..., n, C): one value per image, the class
    axis last. Domain: logits real. Unit: none; in [0, 1]. Minimiser: logits whose softmax is 1 at
    each label, in the limit.
    Convention: on logits, as in kornia; the paper's code takes probabilities. A class that no pixel
    has is left out of the mean, as in the paper; kornia takes the mean over all classes. Ties as
    in `lovasz_hinge`.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Berman et al. 2018.

    >>> import numpy as np
    >>> logits = np.log([[0.75, 0.25], [0.5, 0.5]])
    >>> round(float(lovasz_softmax(np.array([0, 1]), logits)), 12)  # ½ (½ · ½ + ¼ · ½ + ½)
    0.4375
    """
    masks, errors = _softmax_errors(xp, target, logits)
    per_class = xp.sum(_jaccard_increments(xp, errors, masks) * errors, axis=-1)
    present = xp.max(masks, axis=-1)
    return xp.sum(present * per_class, axis=-1) / xp.sum(present, axis=-1)


@lovasz_softmax.derivative
def lovasz_softmax_derivative(xp, target, logits):
    masks, errors = _softmax_errors(xp, target, logits)
    present = xp.max(masks, axis=-1, keepdims=True)
    share = present / xp.sum(present, axis=-2, keepdims=True)
    slopes = share * (1 - 2 * masks) * _jaccard_increments(xp, errors, masks)
    slopes = xp.moveaxis(slopes, -2, -1)
    return (through_softmax(xp, logits, slopes * softmax(xp, logits)),)


def _margin_errors(xp, target, logits):
    return 1 - (2 * target - 1) * logits


def _softmax_errors(xp, target, logits):
    """The mask of each class and its errors, (..., C, n)."""
    masks = xp.astype(at_index(xp, target, logits), logits.dtype)
    log_p = log_softmax(xp, logits)
    errors = xp.where(masks == 1, -xp.expm1(log_p), xp.exp(log_p))
    return xp.moveaxis(masks, -1, -2), xp.moveaxis(errors, -1, -2)


def _jaccard_increments(xp, errors, target):
    """By how much the Jaccard loss grows at each pixel, if the largest errors come first.

    A pixel of the target that goes wrong takes 1 from the intersection I, and the loss 1 - I/U
    grows by 1/U. Another one adds 1 to the union, and the loss grows by I/(U - 1) - I/U.
    """
    order = xp.argsort(errors, axis=-1, descending=True)
    inside = xp.take_along_axis(target, order, axis=-1)
    common = xp.sum(target, axis=-1, keepdims=True) - xp.cumulative_sum(inside, axis=-1)
    union = xp.sum(target, axis=-1, keepdims=True) + xp.cumulative_sum(1 - inside, axis=-1)
    of_others = common / xp.clip(union * (union - 1), 1, None)
    of_others = xp.where(union == 1, 1, of_others)  # the first pixel of an empty target
    increments = xp.where(inside == 1, 1 / xp.clip(union, 1, None), of_others)
    return xp.take_along_axis(increments, xp.argsort(order, axis=-1), axis=-1)
