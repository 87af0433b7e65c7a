r"""Facts about the losses of sequences, and of a linear layer with many outputs."""

import itertools

import numpy as np

import lossbook as lb
from lossbook.asks import lowest, no_lower
from lossbook.entry import Entry, SpecialCase


def _sequences(rng, n, spread):
    """Two labels in five frames of four classes, of which class 0 is the blank."""
    return rng.integers(1, 4, size=(n, 2)), spread * rng.normal(size=(n, 5, 4))


def _all_alignments(arrays, parameters):
    """The probability of the labels, and of each class at each frame given them, by listing."""
    labels, logits = arrays
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    total, of_class = 0.0, np.zeros_like(p)
    for alignment in itertools.product(range(p.shape[1]), repeat=len(p)):
        merged = [label for label, _ in itertools.groupby(alignment) if label]
        if merged == labels.tolist():
            probability = np.prod(p[np.arange(len(p)), alignment])
            total += probability
            of_class[np.arange(len(p)), alignment] += probability
    return {"P": total, "p": p.ravel(), "g": of_class.ravel() / total}


def _rows(arrays, parameters):
    labels, features, head = arrays
    found = []
    for label, logits in zip(labels, features @ head.T, strict=True):
        powers = np.exp(logits)
        own = np.eye(len(logits))[label]
        found.append({"z": logits, "p": powers / powers.sum(), "q": own, "y": int(label)})
    return found


ENTRIES = (
    Entry(
        loss=lb.ctc,
        title="connectionist temporal classification",
        chinese="连接时序分类",
        value=r"-\log(P)",
        gradient=r"p_c - g_c",
        legend="P the probability of all alignments that become the labels; c runs over the frames "
        "and the classes: p_c their probability, and g_c the same given the labels",
        vectors=_all_alignments,
        minimiser="all probability on alignments of the labels, in the limit",
        asks=lowest(lambda rng: (np.array([2, 1]), 60.0 * np.eye(4)[[0, 2, 2, 0, 1]])),
        convex=False,
        smooth=True,
        bound=r"1",
        activation="softmax",
        inside=True,
        sample=_sequences,
        source="graves2006",
    ),
    Entry(
        loss=lb.linear_cross_entropy,
        title="cross-entropy of a linear layer",
        chinese="线性层交叉熵",
        value=r"\log(\sum_j (\exp(z_j))) - z_y",
        gradient=r"p_c - q_c",
        of="z",
        legend="z the logits W x; p: softmax(z); q: 1 for the label and 0 elsewhere",
        vectors=_rows,
        minimiser="for samples of equal features, the class frequencies",
        asks=no_lower(
            lambda **_: (np.array([0, 0, 0, 1]), np.ones((4, 1)), np.log([[0.75], [0.25]])),
            value=lambda **_: -0.75 * np.log(0.75) - 0.25 * np.log(0.25),
            moved=("head",),
        ),
        convex=False,
        smooth=True,
        bound=r"\infty",
        special_case=SpecialCase(
            lb.cross_entropy,
            "cross_entropy of the product of features and head",
            lambda chunk: {},
            arguments=lambda labels, features, head, chunk: (labels, features @ head.T),
        ),
        source="hsu2024",
    ),
)
