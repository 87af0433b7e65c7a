r"""Facts about the losses that ask for an order."""

import numpy as np

import lossbook as lb
from lossbook.asks import best_difference, lowest
from lossbook.entry import Entry, SpecialCase
from lossbook.sampling import softmax


def _log_odds(share):
    return np.log(share / (1 - share))


def _of_labels(arrays, parameters):
    y, z = arrays
    return {"y": y, "z": z, "C": len(z), "N": max(1.0, y.sum() * (1 - y).sum())}


def _scores(difference):
    return np.array([difference]), np.zeros(1)


def _listwise_asks(entry, parameters):
    """For random relevances: no score is better than the logarithm of the mean relevance."""
    rng = np.random.default_rng(0)
    relevance = rng.exponential(size=(30, 4))

    def risk(scores):
        return float(entry.loss(relevance, np.tile(scores, (30, 1)), **parameters))

    claimed = np.log(relevance.mean(axis=0))
    sizes = np.repeat((0.01, 0.1, 1.0), 10)
    nearby = [risk(claimed + size * rng.normal(size=4)) for size in sizes]
    return "" if risk(claimed) <= min(nearby) else "other scores cost less"


ENTRIES = (
    Entry(
        loss=lb.margin_ranking,
        title="margin ranking",
        chinese="间隔排序损失",
        value=r"\max(0, m - y (a - b))",
        gradient=(
            r"\begin{cases} -y & y (a - b) < m \\ 0 & \text{otherwise} \end{cases}",
            r"\begin{cases} y & y (a - b) < m \\ 0 & \text{otherwise} \end{cases}",
        ),
        legend="a and b the first and the second score",
        vectors=lambda arrays, parameters: dict(zip("yab", map(float, arrays), strict=True)),
        minimiser="a difference of m in favour of the more frequent order",
        asks=best_difference(
            lambda share, margin: margin if share > 0.5 else -margin,
            lambda d, **_: [(np.full(1, sign), *_scores(d)) for sign in (1.0, -1.0)],
        ),
        convex=True,
        smooth=False,
        bound=r"1",
        examples=({}, {"margin": 1.0}),
        source="herbrich1999",
    ),
    Entry(
        loss=lb.bpr,
        title="Bayesian personalised ranking",
        chinese="贝叶斯个性化排序",
        value=r"\log(1 + \exp(b - a))",
        gradient=(r"-\sigma(b - a)", r"\sigma(b - a)"),
        legend="a the score of the preferred item, b of the other",
        vectors=lambda arrays, parameters: dict(zip("ab", map(float, arrays), strict=True)),
        minimiser="a difference equal to the log-odds of the preference",
        asks=best_difference(_log_odds, lambda d: [_scores(d), _scores(d)[::-1]]),
        convex=True,
        smooth=True,
        bound=r"1",
        special_case=SpecialCase(
            lb.logistic,
            "logistic of the difference",
            arguments=lambda a, b: (np.ones_like(a), a - b),
        ),
        source="rendle2009",
    ),
    Entry(
        loss=lb.listwise_softmax,
        title="listwise softmax",
        chinese="列表式 softmax 损失",
        value=r"-\sum_j (y_j \log(p_j))",
        gradient=r"p_c \sum_j (y_j) - y_c",
        legend="p: the softmax of the scores",
        vectors=lambda arrays, parameters: {"y": arrays[0], "p": softmax(arrays[1])},
        minimiser="the logarithm of the mean relevance, up to a constant",
        asks=_listwise_asks,
        convex=True,
        smooth=True,
        bound=r"\infty",
        source="cao2007",
    ),
    Entry(
        loss=lb.multilabel_margin,
        title="multilabel margin",
        chinese="多标签间隔损失",
        value=r"\frac1C \sum_j (y_j \sum_k ((1 - y_k) \max(0, 1 - z_j + z_k)))",
        gradient=r"""\frac1C ((1 - y_c) \sum_k (y_k \operatorname{sign}(\max(0, 1 - z_k + z_c)))
            - y_c \sum_k ((1 - y_k) \operatorname{sign}(\max(0, 1 - z_c + z_k))))""",
        vectors=_of_labels,
        minimiser="labels of the sample ahead of all others by 1 or more",
        asks=lowest(lambda rng: (np.array([1, 0, 1, 0]), np.array([2.5, 1.0, 2.0, -3.0]))),
        convex=True,
        smooth=False,
        bound=r"\frac{C - 1}{C}",
        source="elisseeff2001",
    ),
    Entry(
        loss=lb.label_ranking,
        title="label ranking",
        chinese="标签排序损失",
        value=r"""\frac1N \sum_j (y_j \sum_k ((1 - y_k)
            (1 - \operatorname{sign}(\max(0, z_j - z_k)))))""",
        gradient=r"0",
        legend="N the number of pairs of a label and a label that is missing",
        vectors=_of_labels,
        minimiser="every label of the sample ahead of all others",
        asks=lowest(lambda rng: (np.array([1, 0, 1, 0]), np.array([2.5, 1.0, 2.0, -3.0]))),
        convex=False,
        smooth=False,
        bound=r"0",
        source="schapire1999",
    ),
)
