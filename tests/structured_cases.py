"""How to draw valid arguments for each loss of several arrays, and reference values of 50 digits.

A `StructuredLoss` that is added to `lossbook` without an entry here makes a test fail.
"""

import dataclasses
from collections.abc import Callable

import mpmath
import numpy as np

from lossbook import (
    bpr,
    dpo,
    ipo,
    label_ranking,
    listwise_softmax,
    margin_ranking,
    multilabel_margin,
    triplet,
)

mpmath.mp.dps = 50


@dataclasses.dataclass(frozen=True)
class StructuredCase:
    """A loss, a sampler of its arrays, its formula in mpmath, and parameter sets."""

    loss: object
    sample: Callable  # (rng, n) -> {name: array} of n samples, floating arrays in float64
    # (**arrays of one sample as nested lists of mpf and int, **parameters) -> one exact value;
    # for a coupled loss all samples come at once, and a list of values goes back
    reference: Callable
    parameters: tuple = ({},)

    def draw(self, seed, n, dtype=np.float64):
        arrays = self.sample(np.random.default_rng(seed), n)
        return {
            name: array.astype(dtype) if np.issubdtype(array.dtype, np.floating) else array
            for name, array in arrays.items()
        }

    def exact_values(self, arrays, parameters):
        """The reference value of each sample, rounded once, to float64."""
        if self.loss.coupled:
            values = self.reference(**{k: exact(a) for k, a in arrays.items()}, **parameters)
            return np.array([float(value) for value in values])
        n = len(next(iter(arrays.values())))
        return np.array(
            [
                float(self.reference(**{k: exact(a[i]) for k, a in arrays.items()}, **parameters))
                for i in range(n)
            ]
        )


def exact(array):
    """Nested lists of what an array holds: integers as they are, floats as mpmath holds them."""
    array = np.asarray(array)
    if array.ndim:
        return [exact(entry) for entry in array]
    if np.issubdtype(array.dtype, np.floating):
        return mpmath.mpf(float(array))
    return array.item()


# Samplers


def vectors(*names, d=3):
    return lambda rng, n: {name: rng.normal(size=(n, d)) for name in names}


def with_signs(sample):
    """The same arrays, with a target of -1 or 1 before them."""
    return lambda rng, n: {"target": 2 * rng.integers(0, 2, n) - 1, **sample(rng, n)}


def numbers(*names):
    return lambda rng, n: {name: rng.normal(size=n) for name in names}


def padded_lists(rng, n, items=5):
    """Relevances and scores of lists; the first two items are always there, the first counts."""
    target = rng.integers(0, 4, size=(n, items))
    target[:, 0] += 1
    mask = rng.random((n, items)) < 0.7
    mask[:, :2] = True
    return {"target": target, "scores": rng.normal(size=(n, items)), "mask": mask}


def many_labels(rng, n, labels=5):
    """Every sample has a label, and lacks one."""
    target = rng.integers(0, 2, size=(n, labels))
    target[:, 0], target[:, -1] = 1, 0
    return {"target": target, "scores": rng.normal(size=(n, labels))}


LOG_PROBABILITIES = ("policy_chosen", "policy_rejected", "reference_chosen", "reference_rejected")


# References


def length(x):
    return mpmath.sqrt(mpmath.fsum(value**2 for value in x))


def minus(x, y):
    return [a - b for a, b in zip(x, y, strict=True)]


def triplet_reference(anchor, positive, negative, margin=1.0):
    difference = length(minus(anchor, positive)) - length(minus(anchor, negative))
    return max(0, difference + mpmath.mpf(margin))


def margin_ranking_reference(target, first, second, margin=0.0):
    return max(0, mpmath.mpf(margin) - target * (first - second))


def surprise(x):
    """log(1 + exp(-x)), the cost of the log-odds x."""
    return mpmath.log1p(mpmath.exp(-x))


def listwise_softmax_reference(target, scores, mask):
    items = [j for j, inside in enumerate(mask) if inside]
    total = mpmath.log(mpmath.fsum(mpmath.exp(scores[j]) for j in items))
    return mpmath.fsum(target[j] * (total - scores[j]) for j in items)


def pairs_of_labels(target, scores):
    """The scores of each pair of a label that the sample has and one that it lacks."""
    has = [z for y, z in zip(target, scores, strict=True) if y]
    lacks = [z for y, z in zip(target, scores, strict=True) if not y]
    return [(a, b) for a in has for b in lacks]


def multilabel_margin_reference(target, scores):
    costs = [max(0, 1 - (a - b)) for a, b in pairs_of_labels(target, scores)]
    return mpmath.fsum(costs) / len(scores)


def label_ranking_reference(target, scores):
    pairs = pairs_of_labels(target, scores)
    return mpmath.mpf(sum(a <= b for a, b in pairs)) / len(pairs)


def gain(policy_chosen, policy_rejected, reference_chosen, reference_rejected):
    return policy_chosen - reference_chosen - policy_rejected + reference_rejected


def dpo_reference(beta=0.1, label_smoothing=0.0, **logs):
    log_odds, smooth = mpmath.mpf(beta) * gain(**logs), mpmath.mpf(label_smoothing)
    return (1 - smooth) * surprise(log_odds) + smooth * surprise(-log_odds)


def ipo_reference(beta=0.1, **logs):
    return (gain(**logs) - 1 / (2 * mpmath.mpf(beta))) ** 2


STRUCTURED_CASES = {
    case.loss.name: case
    for case in (
        StructuredCase(
            triplet,
            vectors("anchor", "positive", "negative"),
            triplet_reference,
            ({}, {"margin": 0.2}),
        ),
        StructuredCase(
            margin_ranking,
            with_signs(numbers("first", "second")),
            margin_ranking_reference,
            ({}, {"margin": 0.7}),
        ),
        StructuredCase(
            bpr,
            numbers("preferred", "other"),
            lambda preferred, other: surprise(preferred - other),
        ),
        StructuredCase(listwise_softmax, padded_lists, listwise_softmax_reference),
        StructuredCase(multilabel_margin, many_labels, multilabel_margin_reference),
        StructuredCase(label_ranking, many_labels, label_ranking_reference),
        StructuredCase(
            dpo,
            numbers(*LOG_PROBABILITIES),
            dpo_reference,
            ({}, {"beta": 2.0, "label_smoothing": 0.1}),
        ),
        StructuredCase(ipo, numbers(*LOG_PROBABILITIES), ipo_reference, ({}, {"beta": 1.5})),
    )
}

STRUCTURED_RUNS = [
    (case, parameters) for case in STRUCTURED_CASES.values() for parameters in case.parameters
]
STRUCTURED_RUN_NAMES = [
    f"{case.loss.name}{parameters or ''}" for case, parameters in STRUCTURED_RUNS
]
