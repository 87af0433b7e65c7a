r"""Facts about the losses that compare masks."""

import numpy as np

import lossbook as lb
from lossbook.asks import lowest
from lossbook.entry import Entry, SpecialCase, When
from lossbook.overlap import MASK, PROBABILITY
from lossbook.sampling import inside

SUMS = (
    ("T", r"\sum_j (y_j p_j)"),
    ("F", r"\sum_j ((1 - y_j) p_j)"),
    ("N", r"\sum_j (y_j (1 - p_j))"),
)
LEGEND = "T, F and N: TP, FP and FN of a soft mask"
# without smoothing an empty mask costs 0 if nothing is predicted, and 1 as soon as something is
SMOOTH = When("s > 0", lambda smooth, **_: smooth > 0)


def _masks(arrays, parameters):
    return {"y": arrays[0], "p": arrays[1], "s": parameters["smooth"]}


def _some_empty(rng, n, spread):
    """Soft masks, every third of which is empty: there the losses do something else."""
    target = inside(MASK, rng, (n, 4), spread)
    target[::3] = 0
    return target, inside(PROBABILITY, rng, (n, 4), spread)


def _perfect(rng):
    mask = np.array([1.0, 0.0, 1.0, 0.0])
    return mask, mask


def _jaccard_loss(mask, wrong):
    """1 - intersection / union, if the pixels that are wrong are exactly these."""
    predicted = np.where(wrong, 1 - mask, mask)
    union = np.maximum(mask, predicted).sum()
    return 1 - np.minimum(mask, predicted).sum() / union if union else 0.0


def _increments(errors, mask):
    """By how much the Jaccard loss grows at each pixel, the largest errors first."""
    increments, wrong = np.zeros(len(errors)), np.zeros(len(errors), bool)
    for pixel in np.argsort(-errors):
        before = _jaccard_loss(mask, wrong)
        wrong[pixel] = True
        increments[pixel] = _jaccard_loss(mask, wrong) - before
    return increments


def _lovasz_hinge(arrays, parameters):
    y, z = arrays
    errors = 1 - (2 * y - 1) * z
    return {"y": y, "e": errors, "g": _increments(errors, y)}


def _lovasz_softmax(arrays, parameters):
    labels, logits = arrays
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    masks = np.eye(logits.shape[-1])[labels]
    errors = np.abs(masks - p)
    present = masks.max(axis=0) / masks.max(axis=0).sum()
    growth = np.stack([_increments(e, m) for e, m in zip(errors.T, masks.T, strict=True)], axis=1)
    slopes = present * (1 - 2 * masks) * growth
    mean = np.broadcast_to((p * slopes).sum(axis=-1, keepdims=True), p.shape)
    named = {"e": errors, "g": present * growth, "p": p, "d": slopes, "h": mean}
    return {name: array.ravel() for name, array in named.items()}


ENTRIES = (
    Entry(
        loss=lb.tversky,
        title="Tversky",
        chinese="Tversky 损失",
        value=r"1 - \frac{T + s}{T + \alpha F + \beta N + s}",
        gradient=r"\frac{(\alpha (1 - y_c) - \beta y_c) (1 - L) - y_c L}{D}",
        where=(
            *SUMS,
            ("D", r"T + \alpha F + \beta N + s"),
            ("L", r"1 - \frac{T + s}{D}"),
            ("b", r"\min(\frac12, \beta)"),
            ("a", r"\max(\beta + s, 2 (1 - \beta) s)"),
        ),
        legend=LEGEND + "; D the denominator, L the loss",
        vectors=_masks,
        minimiser="the mask itself, if it is hard",
        asks=lowest(_perfect),
        convex=False,
        smooth=SMOOTH,
        bound=r"""\begin{cases} \max(\beta, \frac{1}{\beta}, \frac{\alpha}{4 b (1 - b)}) & s = 0 \\
            \max(\frac{\alpha}{s}, \frac{\beta}{1 + s}, \frac{a - (1 - \beta) s}{a^2})
            & \text{otherwise} \end{cases}""",
        activation="sigmoid",
        sample=_some_empty,
        examples=(
            {},
            {"alpha": 0.3, "beta": 0.7},
            {"alpha": 3.0, "beta": 0.7},
            {"alpha": 1.0, "beta": 3.0},
            {"alpha": 5.0, "beta": 0.2},
            {"smooth": 0.5},
            {"alpha": 0.1, "beta": 0.2, "smooth": 0.5},
        ),
        source="salehi2017",
    ),
    Entry(
        loss=lb.dice,
        title="Dice",
        chinese="Dice 损失",
        value=r"1 - \frac{2 T + 2 s}{2 T + F + N + 2 s}",
        gradient=r"\frac{1 - L - 2 y_c}{2 T + F + N + 2 s}",
        where=(*SUMS, ("L", r"1 - \frac{2 T + 2 s}{2 T + F + N + 2 s}")),
        legend=LEGEND + "; L the loss",
        vectors=_masks,
        minimiser="the mask itself, if it is hard",
        asks=lowest(_perfect),
        convex=False,
        smooth=SMOOTH,
        bound=r"\begin{cases} 2 & s = 0 \\ \frac{1}{2 s} & \text{otherwise} \end{cases}",
        activation="sigmoid",
        sample=_some_empty,
        special_case=SpecialCase(
            lb.tversky,
            "tversky with α = β = ½",
            lambda smooth: {"alpha": 0.5, "beta": 0.5, "smooth": smooth},
        ),
        examples=({}, {"smooth": 0.01}, {"smooth": 2.0}),
        source="milletari2016",
    ),
    Entry(
        loss=lb.jaccard,
        title="Jaccard",
        chinese="Jaccard 损失",
        value=r"1 - \frac{T + s}{T + F + N + s}",
        gradient=r"\frac{(1 - y_c) (1 - L) - y_c}{T + F + N + s}",
        where=(*SUMS, ("L", r"1 - \frac{T + s}{T + F + N + s}")),
        legend=LEGEND + "; L the loss",
        vectors=_masks,
        minimiser="the mask itself, if it is hard",
        asks=lowest(_perfect),
        convex=False,
        smooth=SMOOTH,
        bound=r"\begin{cases} 1 & s = 0 \\ \frac{1}{s} & \text{otherwise} \end{cases}",
        activation="sigmoid",
        sample=_some_empty,
        special_case=SpecialCase(
            lb.tversky,
            "tversky with α = β = 1",
            lambda smooth: {"alpha": 1.0, "beta": 1.0, "smooth": smooth},
        ),
        examples=({}, {"smooth": 0.01}, {"smooth": 2.0}),
        source="rahman2016",
    ),
    Entry(
        loss=lb.lovasz_hinge,
        title="Lovász hinge",
        chinese="Lovász 合页损失",
        value=r"\sum_j (g_j \max(0, e_j))",
        gradient=r"(1 - 2 y_c) g_c \operatorname{sign}(\max(0, e_c))",
        legend="e: the margin errors 1 - (2 y - 1) z; g: by how much the Jaccard loss of a hard "
        "mask grows at each pixel, if the largest errors go wrong first",
        vectors=_lovasz_hinge,
        minimiser="scores on the right side by 1 or more",
        asks=lowest(lambda rng: (np.array([1.0, 0, 1, 0]), np.array([1.5, -2.0, 1.0, -9.0]))),
        convex=True,
        smooth=False,
        bound=r"1",
        activation="identity",
        source="yu2015",
    ),
    Entry(
        loss=lb.lovasz_softmax,
        title="Lovász-Softmax",
        chinese="Lovász-Softmax 损失",
        value=r"\sum_j (g_j e_j)",
        gradient=r"p_c (d_c - h_c)",
        legend="j runs over the pixels and the classes; e: the error of the probability p; g: by "
        "how much the Jaccard loss grows there, over the number of classes present; d: g with the "
        "sign of the error's slope; h: the sum of p d over the classes of the pixel",
        vectors=_lovasz_softmax,
        minimiser="all probability at each label, in the limit",
        asks=lowest(lambda rng: (np.array([0, 1, 1, 3]), 60.0 * np.eye(4)[[0, 1, 1, 3]])),
        convex=False,
        smooth=False,
        bound="bounded",
        activation="softmax",
        inside=True,
        source="berman2018",
    ),
)
