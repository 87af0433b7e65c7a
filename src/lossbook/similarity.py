"""Losses that compare vectors: which should lie close to each other, and which far apart."""

from lossbook.backend import norm
from lossbook.checks import not_negative
from lossbook.structured import structured_loss


@structured_loss(
    shapes={"anchor": "... d", "positive": "... d", "negative": "... d"},
    predictions=("anchor", "positive", "negative"),
    margin=not_negative,
)
def triplet(xp, anchor, positive, negative, *, margin=1.0):
    """Triplet loss: an anchor must be nearer to its positive than to its negative, by a margin.

    ``ℓ(a, p, n) = max(0, |a - p| - |a - n| + m)`` with Euclidean distances; derivatives, where
    that is positive, ``(a - p)/|a - p| - (a - n)/|a - n|``, ``(p - a)/|a - p|`` and
    ``(a - n)/|a - n|``.

    Shapes: anchor, positive and negative alike, (..., d). Domain: all real numbers; ``margin``
    m >= 0, in the unit of the distance. Unit: that of the vectors. Minimiser: any vectors with
    ``|a - n| >= |a - p| + m``.
    Convention: torch adds 1e-6 to every coordinate of a difference, optax lets the gradient of a
    distance 0 be NaN unless told otherwise; here the distance is exact and its gradient at 0 is 0.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Schroff et al. 2015.

    >>> import numpy as np
    >>> float(triplet(np.array([0.0, 0.0]), np.array([0.0, 1.0]), np.array([0.0, 1.5])))
    0.5
    """
    return _beyond(xp, norm(xp, anchor - positive) - norm(xp, anchor - negative), margin)


@triplet.derivative
def triplet_derivative(xp, anchor, positive, negative, *, margin):
    to_positive, to_negative = anchor - positive, anchor - negative
    near, far = norm(xp, to_positive), norm(xp, to_negative)
    active = xp.sign(_beyond(xp, near - far, margin))[..., None]
    of_positive = active * to_positive / _not_0(xp, near)[..., None]
    of_negative = active * to_negative / _not_0(xp, far)[..., None]
    return of_positive - of_negative, -of_positive, of_negative


def _beyond(xp, difference, margin):
    """max(0, difference + margin); NaN stays NaN."""
    return xp.where(difference + margin <= 0, 0, difference + margin)


def _not_0(xp, length):
    return xp.where(length == 0, 1, length)
