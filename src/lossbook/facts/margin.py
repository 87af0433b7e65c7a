r"""Facts about the losses for classification by margins."""

import numpy as np

import lossbook as lb
from lossbook.asks import best_difference
from lossbook.entry import Entry, SpecialCase, When


def _lead_of_two_classes(share, margin, p, **_):
    return margin * (np.sign(2 * share - 1) if p == 1 else 2 * share - 1)


ENTRIES = (
    Entry(
        loss=lb.hinge,
        title="hinge",
        chinese="合页损失",
        value=r"\max(0, 1 - y z)",
        gradient=r"\begin{cases} -y & y z < 1 \\ 0 & \text{otherwise} \end{cases}",
        minimiser="the sign of the mean",
        convex=True,
        smooth=False,
        bound=r"1",
        activation="identity",
        source="cortes1995",
    ),
    Entry(
        loss=lb.squared_hinge,
        title="squared hinge",
        chinese="平方合页损失",
        value=r"\max(0, 1 - y z)^2",
        gradient=r"-2 y \max(0, 1 - y z)",
        minimiser="the mean",
        convex=True,
        smooth=True,
        bound=r"\infty",
        activation="identity",
        source="lee2001",
    ),
    Entry(
        loss=lb.modified_huber,
        title="modified Huber",
        chinese="修正的 Huber 损失",
        value=r"""\begin{cases} \max(0, 1 - y z)^2 & y z \ge -1 \\
            -4 y z & \text{otherwise} \end{cases}""",
        gradient=r"""\begin{cases} -2 y \max(0, 1 - y z) & y z \ge -1 \\
            -4 y & \text{otherwise} \end{cases}""",
        minimiser="the mean",
        convex=True,
        smooth=True,
        bound=r"4",
        activation="identity",
        source="zhang2004",
    ),
    Entry(
        loss=lb.logistic,
        title="logistic",
        chinese="逻辑损失",
        value=r"\log(1 + \exp(-y z))",
        gradient=r"-y \sigma(-y z)",
        minimiser="the log-odds of class 1",
        convex=True,
        smooth=True,
        bound=r"1",
        activation="identity",
        special_case=SpecialCase(
            lb.bce_with_logits,
            "bce_with_logits with labels (y + 1) / 2",
            arguments=lambda y, z, **_: ((y + 1) / 2, z),
        ),
        source="cox1958",
    ),
    Entry(
        loss=lb.exponential,
        title="exponential",
        chinese="指数损失",
        value=r"\exp(-y z)",
        gradient=r"-y \exp(-y z)",
        minimiser="half the log-odds of class 1",
        convex=True,
        smooth=True,
        bound=r"\infty",
        activation="identity",
        source="friedman2000",
    ),
    Entry(
        loss=lb.perceptron,
        title="perceptron",
        chinese="感知机损失",
        value=r"\max(0, -y z)",
        gradient=r"\begin{cases} -y & y z < 0 \\ 0 & \text{otherwise} \end{cases}",
        minimiser="0, whatever the classes",
        convex=True,
        smooth=False,
        bound=r"1",
        activation="identity",
        source="rosenblatt1958",
    ),
    Entry(
        loss=lb.multiclass_hinge,
        title="hinge of many classes",
        chinese="多类合页损失",
        value=r"\max(0, 1 + \max_{k \ne y} (z_k) - z_y)",
        gradient=r"\begin{cases} r_c - q_c & 1 + a > 0 \\ 0 & \text{otherwise} \end{cases}",
        legend="r: 1 for the best wrong class, in equal shares if several tie, and 0 elsewhere; "
        "a: how far it is ahead of the label",
        vectors=lambda arrays, parameters: _rival(*arrays),
        minimiser="the class of more than half the samples, ahead by 1",
        convex=True,
        smooth=False,
        bound=r"1",
        activation="identity",
        source="crammer2001",
    ),
    Entry(
        loss=lb.weston_watkins,
        title="Weston-Watkins hinge",
        chinese="Weston-Watkins 合页损失",
        value=r"\sum_{k \ne y} (\max(0, m + z_k - z_y)^r)",
        gradient=r"s_c - q_c \sum_k (s_k)",
        legend="s: r max(0, m + z_c - z_y)^(r - 1) for each wrong class within the margin, else 0",
        vectors=lambda arrays, parameters: _slopes(*arrays, **parameters),
        minimiser="of two classes, a lead of m if r = 1, of m (2 η - 1) if r = 2",
        asks=best_difference(
            _lead_of_two_classes,
            lambda d, **_: [(np.array([label]), np.array([[d, 0.0]])) for label in (0, 1)],
        ),
        convex=True,
        smooth=When("r = 2", lambda margin, p, ignore_index: p == 2),
        bound=r"""\begin{cases} C - 1 & r = 1 \\ \infty & \text{otherwise} \end{cases}""",
        activation="identity",
        examples=({}, {"margin": 2.5, "p": 2}),
        source="weston1999",
    ),
    Entry(
        loss=lb.multiclass_perceptron,
        title="perceptron of many classes",
        chinese="多类感知机损失",
        value=r"\max_k (z_k) - z_y",
        gradient=r"\begin{cases} r_c - q_c & a > 0 \\ 0 & \text{otherwise} \end{cases}",
        legend="r and a as for the hinge of many classes",
        vectors=lambda arrays, parameters: _rival(*arrays),
        minimiser="equal scores, whatever the classes",
        convex=True,
        smooth=False,
        bound=r"1",
        activation="identity",
        source="collins2002",
    ),
    Entry(
        loss=lb.entmax15_loss,
        title="1.5-entmax loss",
        chinese="1.5-entmax 损失",
        value=r"\sum_k ((s_k - q_k) z_k) - \frac43 \sum_k (s_k^{\frac32} - q_k^{\frac32})",
        gradient=r"s_c - q_c",
        legend="s: the 1.5-entmax of z, max(0, z/2 - τ)² with the τ that makes it sum to 1",
        vectors=lambda arrays, parameters: {"s": _entmax15(arrays[1])},
        minimiser="twice the square roots of the class frequencies, as scores",
        convex=True,
        smooth=True,
        bound=r"1",
        activation="1.5-entmax",
        inside=True,
        source="peters2019",
    ),
    Entry(
        loss=lb.sparsemax_loss,
        title="sparsemax loss",
        chinese="sparsemax 损失",
        value=r"\sum_k ((s_k - q_k) (z_k - \frac12 (s_k + q_k)))",
        gradient=r"s_c - q_c",
        legend="s: the sparsemax of z, the nearest point whose entries are probabilities",
        vectors=lambda arrays, parameters: {"s": _sparsemax(arrays[1])},
        minimiser="the class frequencies themselves, as scores",
        convex=True,
        smooth=True,
        bound=r"1",
        activation="sparsemax",
        inside=True,
        source="martins2016",
    ),
)


def _rival(label, scores):
    """r_c is 1 for the best wrong class, shared by those that tie; a its lead over the label."""
    others = np.where(np.arange(len(scores)) == label, -np.inf, scores)
    best = others == others.max()
    return {"r": best / best.sum(), "a": others.max() - scores[label]}


def _slopes(label, scores, margin, p, ignore_index):
    """s_c is what the class c adds to the slope: r max(0, m + z_c - z_y)^(r - 1)."""
    ahead = margin + scores - scores[label]
    slopes = p * np.where(ahead > 0, ahead, 0.0) ** (p - 1) * (ahead > 0)
    slopes[label] = 0
    return {"s": slopes}


def _sparsemax(scores):
    """The point of the simplex nearest to the scores."""
    return _with_threshold(lambda t: np.maximum(scores - t, 0), scores)


def _entmax15(scores):
    return _with_threshold(lambda t: np.maximum(scores / 2 - t, 0) ** 2, scores)


def _with_threshold(probabilities, scores):
    """The probabilities at the threshold at which they sum to 1, by bisection."""
    low, high = -abs(scores).max() - 1, abs(scores).max()
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if probabilities(middle).sum() > 1 else (low, middle)
    return probabilities(low)
