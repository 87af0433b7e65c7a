"""Cross-entropy of a linear layer, without ever holding the logits of all rows."""

import math

from lossbook.backend import recomputed
from lossbook.checks import check_class_indices, is_whole
from lossbook.classification import cross_entropy, cross_entropy_derivative
from lossbook.structured import structured_loss

LOGITS_AT_ONCE = 1 << 20  # 4 MB in float32


def rows_or_none(loss, name, value):
    """A parameter that must be an integer of at least 1, or None."""
    if value is not None and not is_whole(value, 1):
        raise ValueError(
            f"{loss}: {name} must be an integer of at least 1 or None; it is {value!r}."
        )


def _check_labels(xp, loss, *, target, features, head, chunk):
    check_class_indices(xp, loss, "target", target, head.shape[0])


@structured_loss(
    shapes={"target": "...", "features": "... d", "head": "c d"},
    predictions=("features", "head"),
    labels=("target",),
    coupled=True,  # through the gradient of the head, a sum over the rows
    samples_meet=False,
    check=_check_labels,
    chunk=rows_or_none,
)
def linear_cross_entropy(xp, target, features, head, *, chunk=None):
    """Cross-entropy on the logits ``features @ head.T``, a few rows of them at a time.

    ``ℓ(y, x, W) = log Σ_c exp(w_c · x) - w_y · x``; derivatives ``Σ_c (p_c - δ_cy) w_c`` with
    ``p = softmax(W x)``, and ``(p_c - δ_cy) x`` for each row w_c of W, summed over the samples.

    Shapes: target (...) of class indices, features (..., d), head (C, d). Domain: features and head
    real; ``chunk`` counts the rows whose logits are held at a time, by default as many as make a
    million logits. Unit: nats. Minimiser: features and head whose softmax is the class frequencies.
    Convention: `cross_entropy` of the product, to the last roundings. torch has it as
    nn.functional.linear_cross_entropy, in chunks if it is given ``options``. The memory for the
    logits is that of one chunk and not of all rows; the price is that the gradient multiplies by
    the head a second time. Under automatic differentiation in torch and JAX each chunk is computed
    again too. Rows without a label take weight 0, and any class as their label.
    Errors: see `lossbook.structured.StructuredLoss`. Source: Hsu et al. 2024.

    >>> import numpy as np
    >>> features, head = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 2.0]])
    >>> float(linear_cross_entropy(np.array([0]), features, head))  # logits 0, 0: log 2
    0.6931471805599453
    """
    values_of = recomputed(xp, lambda y, x, w: cross_entropy.formula(xp, y, x @ w.T))
    rows = features.reshape(-1, features.shape[-1])
    labels = target.reshape(-1)
    values = [values_of(labels[part], rows[part], head) for part in _chunks(rows, head, chunk)]
    return xp.concat(values).reshape(target.shape)


@linear_cross_entropy.derivative
def linear_cross_entropy_derivative(xp, share, target, features, head, *, chunk):
    rows = features.reshape(-1, features.shape[-1])
    labels, shares = target.reshape(-1), share.reshape(-1, 1)
    of_rows, of_head = [], xp.zeros_like(head)
    for part in _chunks(rows, head, chunk):
        slopes = shares[part] * cross_entropy_derivative(
            xp, labels[part], rows[part] @ head.T, class_weight=None, label_smoothing=0.0
        )
        of_rows.append(slopes @ head)
        of_head = of_head + slopes.T @ rows[part]
    return xp.concat(of_rows).reshape(features.shape), of_head


def _chunks(rows, head, chunk):
    step = chunk or math.ceil(LOGITS_AT_ONCE / head.shape[0])
    return [slice(start, start + step) for start in range(0, rows.shape[0], step)]
