"""Where the accuracy of a loss is measured: ordinary inputs, and those where formulas break.

`inputs(name)` holds sets of arrays by what is special about them. Every number is one of float32,
so that both types compute with the same input, and no input lies on a kink.
"""

import numpy as np
from cases import CASES
from structured_cases import STRUCTURED_CASES

SAMPLES = 24
ORDINARY = "ordinary"

SMALL = np.array([1e-7, 3e-7, 1e-6, 1e-5, 7e-5, 1e-4])
LARGE = np.array([1e4, 3e5, 1e7, 1e10, 1e14, 1e18])
LOGITS = np.array([15.0, 20, 50, 90])  # exp(-90) is still a number in float32
RATES = np.array([12.5, 20, 50, 80])  # exp(80) is
STEPS = np.array([1, 2, 3, 17, 301, 4001])  # neighbours of a number, in units of its last place


def both_signs(x):
    return np.concatenate([x, -x])


def near(x):
    """Numbers that differ from x by a few units of the last place to the third digit."""
    offsets = np.resize(both_signs(STEPS), len(x))
    return x * (1 + offsets * 2.0**-22)


def normals(size, scale=2.0, seed=7):
    return scale * np.random.default_rng(seed).normal(size=size)


def paired(targets, predictions):
    """Every target with every prediction."""
    target, prediction = np.meshgrid(targets, predictions, indexing="ij")
    return target.ravel(), prediction.ravel()


# Each function gives {name of the set: (target, prediction)}.


def errors(name):
    zeros, some = np.zeros(12), normals(12)
    return {
        "errors of 1e-7 to 1e-4": (zeros, both_signs(SMALL)),
        "nearly equal": (some, near(some)),
        "errors of 1e4 to 1e18": (some, both_signs(LARGE)),
    }


def relative_errors(name):
    some = normals(12)
    return {
        "nearly equal": (some, near(some)),
        "targets of 1e-7 to 1e-4": (both_signs(SMALL), some),
        "predictions of 1e4 to 1e18": (some, both_signs(LARGE)),
    }


def above_minus_1(name):
    some = np.abs(normals(12)) + 0.01
    return {
        "nearly equal": (some, near(some)),
        "values of 1e-7 to 1e-4": (SMALL, SMALL[::-1] * 1.5),
        "close to -1": (some[:6], -1 + np.maximum(SMALL, 6e-7)),
        "values of 1e4 to 1e18": paired(LARGE[::2], LARGE[1::2]),
    }


def log_means(name):
    targets = (0.0, 1.0, 7.0) if name == "poisson_nll" else (1e-4, 1.0, 7.0)
    return {
        "logarithms of 1e-7 to 1e-4": paired(targets, both_signs(SMALL)),
        "logarithms of 12 to 80": paired(targets, both_signs(RATES)),
    }


def means(name):
    some = np.abs(normals(12)) + 0.1
    targets = (0.0, 1.0, 3.0) if name == "poisson_deviance" else (0.5, 1.0, 3.0)
    return {
        "nearly equal": (some, near(some)),
        "means of 1e-7 to 1e-4": paired(targets, SMALL),
        "means of 1e4 to 1e9": paired(targets, LARGE[:3] * 100),
    }


def distributions(name):
    some = normals(12)
    ordinary = normals(12, 1.0, 8)

    def of(mean, log):
        return np.stack([mean, log], axis=-1)

    target, log = paired((0.0, 1.5), both_signs(LOGITS[1:3]))
    return {
        "errors of 1e-7 to 1e-4": (np.zeros(12), of(both_signs(SMALL), ordinary)),
        "errors of 1e4 to 1e14": (some[:10], of(both_signs(LARGE[:5]), ordinary[:10])),
        "logarithms of 20 and 50": (target, of(target + 0.75, log)),
    }


def probabilities(name):
    right = np.array([1e-7, 1e-6, 1e-4, 0.01])
    both = np.concatenate([right, 1 - right])
    return {
        "nearly 0 or 1": paired((0.0, 1.0), both),
        "soft targets, nearly 0 or 1": paired((0.25, 0.9), both),
        "exactly 0 or 1": paired((0.0, 1.0), (0.0, 1.0)),
        "nearly equal": ((y := np.linspace(0.05, 0.95, 12)), near(y)),
    }


def logits_of_two(name):
    labels = (-1.0, 1.0) if name in SIGNED else (0.0, 1.0)
    sets = {
        "logits of 1e-7 to 1e-4": paired(labels, both_signs(SMALL)),
        "logits of 15 to 90": paired(labels, both_signs(LOGITS)),
        "logits of 1000": paired(labels, (-1000.0, 1000.0)),
    }
    if name not in SIGNED:
        sets["soft targets, logits of 15 to 90"] = paired((0.25, 0.9), both_signs(LOGITS))
    return sets


def scores_of_two(name):
    target, distance = paired((-1.0, 1.0), both_signs(STEPS) * 2.0**-22)
    return {
        "near the margin": (target, target * (1 + distance)),
        "scores of 1e-7 to 1e-4": paired((-1.0, 1.0), both_signs(SMALL)),
        "scores of 1e4 to 1e18": paired((-1.0, 1.0), both_signs(LARGE)),
    }


def distances(name):
    labels = (-1.0, 1.0) if name == "hinge_embedding" else (0.0, 1.0)
    return {
        "near the margin": paired(labels, 1 + both_signs(STEPS) * 2.0**-22),
        "distances of 1e-7 to 1e-4": paired(labels, SMALL),
        "distances of 1e4 to 1e18": paired(labels, LARGE),
    }


def rows_of_logits(name=None):
    """The label's score ahead of three others by so much, or behind one of them."""
    sets = {}
    for what, gaps in (("15 to 90", LOGITS), ("1000", [1000.0])):
        right = [[gap, 0.5, -0.25, 0.1] for gap in gaps]
        sets[f"right by {what}"] = (np.zeros(len(right), int), np.array(right))
        sets[f"wrong by {what}"] = (np.ones(len(right), int), np.array(right))
    rows = np.array([[1.3, 1.3, 1.3, 0.2]] * 6)
    rows[:, 0] = near(rows[:, 0])
    rows[:, 2] *= 1 - 2.0**-20
    sets["nearly tied"] = (np.array([0, 1, 2, 0, 1, 2]), rows)
    sets["large, close to each other"] = (
        np.arange(6) % 4,
        np.array([1000, -1000, 5e4, 300, -300, 80])[:, None] + normals((6, 4), 1.0),
    )
    return sets


def rows_of_scores(name):
    """Around the margin of 1 as well."""
    sets = rows_of_logits()
    rows = np.array([[1.5, 0.5, -0.25, -2.0]] * 12)
    rows[:, 0] += both_signs(STEPS) * 2.0**-22
    sets["near the margin"] = (np.zeros(12, int), rows)
    return sets


def rows_of_log_probabilities(name):
    sets = {}
    for what, (target, rows) in rows_of_logits().items():
        if what.startswith(("right", "wrong")):
            shifted = rows - rows.max(-1, keepdims=True)
            sets[what] = target, shifted - np.log1p(np.exp(shifted[:, 1:]).sum(-1))[:, None]
    return sets


SIGNED = ("logistic", "exponential", "hinge", "squared_hinge", "modified_huber", "perceptron")

FAMILIES = {
    errors: "mse rmse mae huber smooth_l1 log_cosh pinball expectile epsilon_insensitive "
    "squared_epsilon_insensitive barron charbonnier cauchy geman_mcclure welsch wing",
    relative_errors: "mape",
    above_minus_1: "msle rmsle",
    log_means: "poisson_nll gamma_nll",
    means: "tweedie_deviance poisson_deviance gamma_deviance",
    distributions: "gaussian_nll laplace_nll crps_gaussian",
    probabilities: "bce brier",
    logits_of_two: "bce_with_logits focal logistic exponential",
    scores_of_two: "hinge squared_hinge modified_huber perceptron",
    distances: "hinge_embedding contrastive",
    rows_of_logits: "cross_entropy multiclass_brier focal_cross_entropy poly1_cross_entropy "
    "generalised_cross_entropy symmetric_cross_entropy",
    rows_of_scores: "multiclass_hinge multiclass_perceptron zero_one weston_watkins sparsemax_loss "
    "entmax15_loss",
    rows_of_log_probabilities: "nll kl_divergence jensen_shannon",
}


# Losses of several arrays: each function gives {name of the set: arrays}, changed from a draw.


def pairs_of_vectors(draw, first, second):
    arrays = draw()
    orthogonal = np.cross(arrays[first], arrays[second])
    tilt = 2.0**-16 * arrays[first]
    return {
        "nearly the same": {**arrays, second: near(arrays[first].ravel()).reshape(-1, 3)},
        "nearly opposite": {**arrays, second: -2 * near(arrays[first].ravel()).reshape(-1, 3)},
        "nearly orthogonal": {**arrays, second: orthogonal + tilt},
        "lengths of 1e-15": {**arrays, first: 1e-15 * arrays[first], second: arrays[second]},
        "lengths of 1e15": {**arrays, first: 1e15 * arrays[first], second: 1e15 * arrays[second]},
    }


def triplets(draw):
    arrays = draw()
    anchor = arrays["anchor"]
    return {
        "positive nearly the anchor": {
            **arrays,
            "positive": near(anchor.ravel()).reshape(-1, 3),
            "negative": anchor + 0.125 * arrays["negative"],
        },
        "coordinates of 1e15": {name: 1e15 * array for name, array in arrays.items()},
    }


def coupled_pairs(draw, first, second):
    arrays = draw()
    return {
        "pairs nearly the same": {**arrays, second: near(arrays[first].ravel()).reshape(-1, 3)},
        "lengths of 1e-15 and 1e15": {
            **arrays,
            first: 1e-15 * arrays[first],
            second: 1e15 * arrays[second],
        },
    }


def embeddings(draw):
    arrays = draw()
    x = arrays["embeddings"]
    close = x.copy()
    order = np.argsort(arrays["labels"], kind="stable")
    close[order[1::2]] = near(x[order[0::2]].ravel()).reshape(-1, 3)
    return {"classes nearly one vector": {**arrays, "embeddings": close}}


def two_scores(draw, first, second):
    arrays = draw()
    x = arrays[first]
    signs = np.resize([1.0, -1.0], x.shape)
    return {
        "nearly equal": {**arrays, second: near(x)},
        "differences of 15 to 90": {**arrays, second: x + signs * np.resize(LOGITS, x.shape)},
        "differences of 1e4 to 1e18": {**arrays, second: x + signs * np.resize(LARGE, x.shape)},
    }


def log_probabilities_of_answers(draw):
    arrays = draw()
    shift = {"policy_chosen": -600, "reference_chosen": -600}
    shift |= {"policy_rejected": -350, "reference_rejected": -350}
    return {
        "long answers": {name: array + shift[name] for name, array in arrays.items()},
        "far ahead or behind": {
            **arrays,
            "policy_chosen": arrays["policy_chosen"] + np.resize([900.0, -900.0], 6),
        },
    }


def overlaps(draw):
    arrays = draw()
    hard = np.round(arrays["target"] + 0.2)
    hard[:, 0], hard[:, 1] = 1, 0
    small = np.resize(SMALL, hard.shape)
    return {
        "nearly right": {"target": hard, "prediction": np.where(hard == 1, 1 - small, small)},
        "nearly all wrong": {"target": hard, "prediction": np.where(hard == 1, small, 1 - small)},
    }


def masks_of_logits(draw):
    arrays = draw()
    sign = 2 * arrays["target"] - 1
    gaps = np.resize(np.concatenate([LOGITS, 1 + STEPS * 2.0**-20]), sign.shape)
    gaps = gaps + 2.0**-10 * np.arange(sign.size).reshape(sign.shape)  # no ties
    return {"right and wrong": {**arrays, "logits": sign * gaps * np.resize([1, -1, 1], (6,))}}


def pixels_of_logits(draw):
    arrays = draw()
    return {"logits of 60": {**arrays, "logits": 10 * arrays["logits"]}}


def lists(draw):
    arrays = draw()
    return {
        "scores of 60": {**arrays, "scores": 20 * arrays["scores"]},
        "nearly tied": {
            **arrays,
            "scores": near(np.full(arrays["scores"].size, 1.3)).reshape(-1, 5),
        },
    }


def frames(draw):
    arrays = draw()
    return {"logits of 60": {**arrays, "logits": 10 * arrays["logits"]}}


def heads(draw):
    arrays = draw()
    return {"logits of 60": {**arrays, "features": 20 * arrays["features"]}}


def quantiles(draw):
    arrays = draw()
    y = arrays["target"]
    return {
        "nearly equal": {**arrays, "prediction": near(np.repeat(y, 3)).reshape(-1, 3)},
        "errors of 1e4 to 1e18": {**arrays, "prediction": np.resize(both_signs(LARGE), (6, 3))},
    }


STRUCTURED = {
    "cosine_distance": (pairs_of_vectors, "target", "prediction"),
    "cosine_embedding": (pairs_of_vectors, "first", "second"),
    "triplet": (triplets,),
    "info_nce": (coupled_pairs, "queries", "keys"),
    "nt_xent": (coupled_pairs, "first", "second"),
    "siglip": (coupled_pairs, "first", "second"),
    "supervised_contrastive": (embeddings,),
    "circle": (embeddings,),
    "margin_ranking": (two_scores, "first", "second"),
    "bpr": (two_scores, "preferred", "other"),
    "listwise_softmax": (lists,),
    "multilabel_margin": (lists,),
    "label_ranking": (lists,),
    "dpo": (log_probabilities_of_answers,),
    "ipo": (log_probabilities_of_answers,),
    "tversky": (overlaps,),
    "dice": (overlaps,),
    "jaccard": (overlaps,),
    "lovasz_hinge": (masks_of_logits,),
    "lovasz_softmax": (pixels_of_logits,),
    "crps_quantiles": (quantiles,),
    "ctc": (frames,),
    "linear_cross_entropy": (heads,),
}


def inputs(name):
    """{what is special about the set: {name of the array: array in float64}}."""
    if name in STRUCTURED_CASES:
        case = STRUCTURED_CASES[name]

        def draw():
            arrays = case.draw(0, 4 if case.loss.coupled else 6)
            if name == "ctc":  # Keras takes no lengths of the input
                arrays["input_length"] = np.full_like(
                    arrays["input_length"], arrays["logits"].shape[1]
                )
            return arrays

        change, *names = STRUCTURED[name]
        sets = {ORDINARY: draw(), **change(draw, *names)}
    else:
        case = CASES[name]
        family = next(f for f, names in FAMILIES.items() if name in names.split())
        pairs = {ORDINARY: case.draw(0, (SAMPLES,)), **family(name)}
        sets = {
            what: {
                "target": target if case.classes > 2 else target.astype(float),
                case.loss.prediction_name: prediction,
            }
            for what, (target, prediction) in pairs.items()
        }
    return {what: {k: _in_float32(a) for k, a in arrays.items()} for what, arrays in sets.items()}


def _in_float32(array):
    if array.dtype.kind != "f":
        return array
    return array.astype(np.float32).astype(np.float64)
