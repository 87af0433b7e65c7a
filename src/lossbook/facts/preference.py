r"""Facts about the losses for preferences."""

import numpy as np

import lossbook as lb
from lossbook.asks import best_difference
from lossbook.entry import Entry, SpecialCase

LEGEND = "Δ: how much more the policy raised the chosen answer than the rejected one"


def _gain(arrays):
    chosen, rejected, reference_chosen, reference_rejected = arrays
    return (chosen - reference_chosen) - (rejected - reference_rejected)


def _answers(gain):
    zeros = np.zeros(1)
    return np.array([gain]), zeros, zeros, zeros


def _both_orders(gain, **parameters):
    return [_answers(gain), _answers(-gain)]


def _vectors(arrays, parameters):
    return {r"\Delta": float(_gain(arrays))}


ENTRIES = (
    Entry(
        loss=lb.dpo,
        title="direct preference optimisation",
        chinese="直接偏好优化",
        value=r"\log(1 + \exp(-\beta \Delta))",
        gradient=(r"-\beta \sigma(-\beta \Delta)", r"\beta \sigma(-\beta \Delta)"),
        legend=LEGEND,
        vectors=_vectors,
        minimiser="Δ equal to the log-odds of the preference, divided by β",
        asks=best_difference(
            lambda share, beta, **_: np.log(share / (1 - share)) / beta, _both_orders
        ),
        convex=True,
        smooth=True,
        bound=r"\beta",
        special_case=SpecialCase(
            lb.logistic,
            "logistic of β Δ",
            lambda beta, label_smoothing: {},
            arguments=lambda *arrays, beta, label_smoothing: (
                np.ones_like(arrays[0]),
                beta * _gain(arrays),
            ),
        ),
        examples=({}, {"beta": 0.5}),
        source="rafailov2023",
    ),
    Entry(
        loss=lb.ipo,
        title="identity preference optimisation",
        chinese="恒等偏好优化",
        value=r"(\Delta - \frac{1}{2 \beta})^2",
        gradient=(
            r"2 (\Delta - \frac{1}{2 \beta})",
            r"-2 (\Delta - \frac{1}{2 \beta})",
        ),
        legend=LEGEND,
        vectors=_vectors,
        minimiser="Δ = (2 η - 1)/(2 β), with η the probability of the preference",
        asks=best_difference(lambda share, beta: (2 * share - 1) / (2 * beta), _both_orders),
        convex=True,
        smooth=True,
        bound=r"\infty",
        special_case=SpecialCase(
            lb.mse,
            "mse of Δ, with target 1/(2 β)",
            lambda beta: {},
            arguments=lambda *arrays, beta: (
                np.full_like(arrays[0], 1 / (2 * beta)),
                _gain(arrays),
            ),
        ),
        examples=({}, {"beta": 0.5}),
        source="azar2024",
    ),
)
