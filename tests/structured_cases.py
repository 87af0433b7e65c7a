"""How to draw valid arguments for each loss of several arrays, and reference values of 50 digits.

A `StructuredLoss` that is added to `lossbook` without an entry here makes a test fail.
"""

import dataclasses
import itertools
from collections.abc import Callable

import mpmath
import numpy as np
from cases import categorical, pinball, softmax

from lossbook import (
    bpr,
    circle,
    cosine_distance,
    cosine_embedding,
    crps_quantiles,
    ctc,
    dice,
    dpo,
    info_nce,
    ipo,
    jaccard,
    label_ranking,
    linear_cross_entropy,
    listwise_softmax,
    lovasz_hinge,
    lovasz_softmax,
    margin_ranking,
    multilabel_margin,
    nt_xent,
    siglip,
    supervised_contrastive,
    triplet,
    tversky,
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


def directions(*names, d=3):
    """Vectors of length 1 to 2: the gradient of a cosine, and its error, grow with 1/length."""

    def sample(rng, n):
        rows = {name: rng.normal(size=(n, d)) for name in names}
        return {
            name: x / np.linalg.norm(x, axis=1, keepdims=True) * rng.uniform(1, 2, (n, 1))
            for name, x in rows.items()
        }

    return sample


def with_signs(sample):
    """The same arrays, with a target of -1 or 1 before them."""
    return lambda rng, n: {"target": 2 * rng.integers(0, 2, n) - 1, **sample(rng, n)}


def with_labels(*names):
    """The same arrays, with class labels before them: pairs, and one alone if n is odd."""
    return lambda rng, n: {"labels": rng.permutation(n) // 2, **directions(*names)(rng, n)}


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


def masks(rng, n, pixels=6):
    """Masks that are soft where they are not 0, and probabilities."""
    target = rng.uniform(size=(n, pixels)) * rng.integers(0, 2, size=(n, pixels))
    return {"target": target, "prediction": rng.uniform(0.05, 0.95, size=(n, pixels))}


def hard_masks(rng, n, pixels=6):
    return {
        "target": rng.integers(0, 2, size=(n, pixels)),
        "logits": 2 * rng.normal(size=(n, pixels)),
    }


def labelled_pixels(rng, n, pixels=5, classes=4):
    return {
        "target": rng.integers(0, classes, size=(n, pixels)),
        "logits": 2 * rng.normal(size=(n, pixels, classes)),
    }


def sequences(rng, n, frames=4, labels=2, classes=3):
    """Labels of 0 to 2 classes that fit into 3 or 4 frames, padded with -1."""
    target_length = rng.integers(0, labels + 1, size=n)
    target = rng.integers(1, classes, size=(n, labels))
    padding = np.arange(labels) >= target_length[:, None]
    return {
        "target": np.where(padding, -1, target),
        "logits": 2 * rng.normal(size=(n, frames, classes)),
        "input_length": rng.integers(3, frames + 1, size=n),
        "target_length": target_length,
    }


def features_and_head(rng, n, d=3, classes=4):
    return {
        "target": rng.integers(0, classes, size=n),
        "features": rng.normal(size=(n, d)),
        "head": rng.normal(size=(classes, d)),
    }


def target_and_quantiles(rng, n, levels=3):
    return {"target": 2 * rng.normal(size=n), "prediction": 2 * rng.normal(size=(n, levels))}


# References


def length(x):
    return mpmath.sqrt(mpmath.fsum(value**2 for value in x))


def minus(x, y):
    return [a - b for a, b in zip(x, y, strict=True)]


def triplet_reference(anchor, positive, negative, margin=1.0, swap=False):
    far = length(minus(anchor, negative))
    if swap:
        far = min(far, length(minus(positive, negative)))
    return max(0, length(minus(anchor, positive)) - far + mpmath.mpf(margin))


def dot(x, y):
    return mpmath.fsum(a * b for a, b in zip(x, y, strict=True))


def cosine(x, y):
    return dot(x, y) / (length(x) * length(y))


def cosine_embedding_reference(target, first, second, margin=0.0):
    cos = cosine(first, second)
    return 1 - cos if target == 1 else max(0, cos - mpmath.mpf(margin))


def log_sum_exp(values):
    return mpmath.log(mpmath.fsum(mpmath.exp(value) for value in values))


def info_nce_reference(queries, keys, temperature=0.1, normalise=True, symmetric=False):
    similarity = cosine if normalise else dot
    s = [[similarity(q, k) / mpmath.mpf(temperature) for k in keys] for q in queries]
    values = [log_sum_exp(row) - row[i] for i, row in enumerate(s)]
    if symmetric:
        columns = list(zip(*s, strict=True))
        others = [log_sum_exp(column) - column[i] for i, column in enumerate(columns)]
        values = [(a + b) / 2 for a, b in zip(values, others, strict=True)]
    return values


def supervised_contrastive_reference(labels, embeddings, temperature=0.1):
    values = []
    for i, x in enumerate(embeddings):
        s = {
            j: cosine(x, other) / mpmath.mpf(temperature)
            for j, other in enumerate(embeddings)
            if j != i
        }
        costs = [log_sum_exp(s.values()) - s[j] for j in s if labels[j] == labels[i]]
        values.append(mpmath.fsum(costs) / len(costs) if costs else mpmath.mpf(0))
    return values


def nt_xent_reference(first, second, temperature=0.1):
    n, views = len(first), first + second
    values = []
    for i in range(n):
        terms = []
        for one, other in ((i, n + i), (n + i, i)):
            s = {
                k: cosine(views[one], view) / mpmath.mpf(temperature)
                for k, view in enumerate(views)
                if k != one
            }
            terms.append(log_sum_exp(s.values()) - s[other])
        values.append(mpmath.fsum(terms) / 2)
    return values


def siglip_reference(first, second, scale=10.0, bias=-10.0):
    scale, bias = mpmath.mpf(scale), mpmath.mpf(bias)
    return [
        mpmath.fsum(
            surprise((1 if i == j else -1) * (scale * cosine(x, y) + bias))
            for j, y in enumerate(second)
        )
        for i, x in enumerate(first)
    ]


def circle_reference(labels, embeddings, margin=0.4, scale=80.0):
    margin, scale = mpmath.mpf(margin), mpmath.mpf(scale)
    values = []
    for i, x in enumerate(embeddings):
        pull, push = [], []
        for j, y in enumerate(embeddings):
            s = cosine(x, y)
            if labels[j] != labels[i]:
                push.append(mpmath.exp(scale * max(0, s + margin) * (s - margin)))
            elif j != i:
                pull.append(mpmath.exp(scale * max(0, 1 + margin - s) * (1 - margin - s)))
        values.append(mpmath.log1p(mpmath.fsum(pull) * mpmath.fsum(push)))
    return values


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


def tversky_reference(target, prediction, alpha=0.5, beta=0.5, smooth=0.0):
    alpha, beta, smooth = (mpmath.mpf(number) for number in (alpha, beta, smooth))
    pairs = list(zip(target, prediction, strict=True))
    common = mpmath.fsum(y * p for y, p in pairs) + smooth
    extra = mpmath.fsum((1 - y) * p for y, p in pairs)
    missing = mpmath.fsum(y * (1 - p) for y, p in pairs)
    return 1 - common / (common + alpha * extra + beta * missing)


def jaccard_of_errors(target, wrong):
    """The Jaccard loss of the mask that is wrong at these pixels."""
    there = {i for i, y in enumerate(target) if y == 1}
    said = there ^ wrong
    return 1 - mpmath.mpf(len(there & said)) / len(there | said) if there | said else mpmath.mpf(0)


def lovasz_extension(target, errors):
    """Σ e_(k) (J_k - J_(k-1)), from the definition of J."""
    order = sorted(range(len(errors)), key=lambda i: -errors[i])
    losses = [jaccard_of_errors(target, set(order[:k])) for k in range(len(order) + 1)]
    return mpmath.fsum(
        errors[i] * (after - before)
        for i, before, after in zip(order, losses[:-1], losses[1:], strict=True)
    )


def lovasz_hinge_reference(target, logits):
    errors = [max(0, 1 - (2 * y - 1) * z) for y, z in zip(target, logits, strict=True)]
    return lovasz_extension(target, errors)


def lovasz_softmax_reference(target, logits):
    rows = [softmax(row) for row in logits]
    values = []
    for c in sorted(set(target)):
        mask = [int(y == c) for y in target]
        errors = [abs(y - row[c]) for y, row in zip(mask, rows, strict=True)]
        values.append(lovasz_extension(mask, errors))
    return mpmath.fsum(values) / len(values)


def merged(alignment, blank):
    """What an alignment reads: repetitions merged, then blanks taken out."""
    return [label for label, _ in itertools.groupby(alignment) if label != blank]


def ctc_reference(target, logits, input_length, target_length, blank=0):
    """The definition: the sum over all alignments."""
    frames = [softmax(row) for row in logits[:input_length]]
    classes = range(len(logits[0]))
    probability = mpmath.fsum(
        mpmath.fprod(row[c] for row, c in zip(frames, alignment, strict=True))
        for alignment in itertools.product(classes, repeat=input_length)
        if merged(alignment, blank) == target[:target_length]
    )
    return -mpmath.log(probability)


def linear_cross_entropy_reference(target, features, head, chunk=None):
    return [
        categorical(y, [mpmath.fdot(row, w) for w in head])
        for y, row in zip(target, features, strict=True)
    ]


def crps_quantiles_reference(target, prediction, levels=None):
    size = len(prediction)
    levels = levels or [(2 * k + 1) / mpmath.mpf(2 * size) for k in range(size)]
    losses = [pinball(target, p, level) for p, level in zip(prediction, levels, strict=True)]
    return 2 * mpmath.fsum(losses) / size


STRUCTURED_CASES = {
    case.loss.name: case
    for case in (
        StructuredCase(
            triplet,
            vectors("anchor", "positive", "negative"),
            triplet_reference,
            ({}, {"margin": 0.2}, {"swap": True}),
        ),
        StructuredCase(
            cosine_distance,
            directions("target", "prediction"),
            lambda target, prediction: 1 - cosine(target, prediction),
        ),
        StructuredCase(
            cosine_embedding,
            with_signs(directions("first", "second")),
            cosine_embedding_reference,
            ({}, {"margin": 0.3}),
        ),
        StructuredCase(
            info_nce,
            directions("queries", "keys"),
            info_nce_reference,
            (
                {"temperature": 0.5},
                {"temperature": 2.0, "normalise": False},
                {"temperature": 0.5, "symmetric": True},
            ),
        ),
        StructuredCase(
            nt_xent,
            directions("first", "second"),
            nt_xent_reference,
            ({"temperature": 0.5}, {"temperature": 2.0}),
        ),
        StructuredCase(
            supervised_contrastive,
            with_labels("embeddings"),
            supervised_contrastive_reference,
            ({"temperature": 0.5}, {"temperature": 2.0}),
        ),
        StructuredCase(
            siglip,
            directions("first", "second"),
            siglip_reference,
            ({"scale": 3.0}, {"scale": 2.0, "bias": -0.5}),
        ),
        StructuredCase(
            circle,
            with_labels("embeddings"),
            circle_reference,
            ({"scale": 0.5}, {"margin": 0.1, "scale": 0.5}),
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
        StructuredCase(
            tversky,
            masks,
            tversky_reference,
            ({}, {"alpha": 0.2, "beta": 0.9, "smooth": 1.5}),
        ),
        StructuredCase(dice, masks, tversky_reference, ({}, {"smooth": 1.0})),
        StructuredCase(
            jaccard,
            masks,
            lambda **arrays: tversky_reference(alpha=1, beta=1, **arrays),
            ({}, {"smooth": 1.0}),
        ),
        StructuredCase(lovasz_hinge, hard_masks, lovasz_hinge_reference),
        StructuredCase(lovasz_softmax, labelled_pixels, lovasz_softmax_reference),
        StructuredCase(
            crps_quantiles,
            target_and_quantiles,
            crps_quantiles_reference,
            ({}, {"levels": (0.1, 0.5, 0.75)}),
        ),
        StructuredCase(ctc, sequences, ctc_reference),
        StructuredCase(
            linear_cross_entropy,
            features_and_head,
            linear_cross_entropy_reference,
            ({}, {"chunk": 2}),
        ),
    )
}

STRUCTURED_RUNS = [
    (case, parameters) for case in STRUCTURED_CASES.values() for parameters in case.parameters
]
STRUCTURED_RUN_NAMES = [
    f"{case.loss.name}{parameters or ''}" for case, parameters in STRUCTURED_RUNS
]
