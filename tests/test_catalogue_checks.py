"""Each check of the catalogue must be able to fail: what is false of a loss is noticed of it."""

import copy
import dataclasses
import re

import numpy as np
import pytest

import lossbook
from lossbook.asks import best_difference, lowest, no_lower
from lossbook.catalogue import CATALOGUE
from lossbook.entry import When
from lossbook.properties import CHECKS, check

every_entry = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # searches overflow on their way


def wrong(entry, **changes):
    """What the checks say of an entry with false facts: all examples, one by one."""
    false = dataclasses.replace(entry, **changes)
    (fact,) = changes
    return [CHECKS[fact](false, parameters) for parameters in entry.examples]


def scaled(latex, factor):
    """The formula times a number, each piece if it has cases; instead of 0 a number near it."""
    if latex == "0":
        return str(abs(factor - 1))
    if r"\begin{cases}" not in latex:
        return rf"{factor} \cdot ({latex})"
    return re.sub(
        r"(\\begin\{cases\}|\\\\)(.*?)&", rf"\1 {factor} \\cdot (\2) &", latex, flags=re.DOTALL
    )


@every_entry
def test_a_wrong_formula_is_noticed(entry):
    assert all(wrong(entry, value=scaled(entry.value, 1.001)))
    gradient = entry.gradient
    if isinstance(gradient, tuple):
        for k, part in enumerate(gradient):
            changed = (*gradient[:k], scaled(part, 1.001), *gradient[k + 1 :])
            assert all(wrong(entry, gradient=changed))
    else:
        assert all(wrong(entry, gradient=scaled(gradient, 1.001)))


@every_entry
def test_the_opposite_shape_is_noticed(entry):
    for fact in ("convex", "smooth"):
        claim = getattr(entry, fact)
        for parameters in entry.examples:
            holds = claim
            if isinstance(claim, When):
                holds = claim.holds(**{**entry.loss.defaults, **parameters})
            opposite = dataclasses.replace(entry, **{fact: not holds})
            assert CHECKS[fact](opposite, parameters), (fact, parameters)


@every_entry
def test_a_wrong_bound_is_noticed(entry):
    if entry.bound == "bounded":
        assert all(wrong(entry, bound=r"\infty"))
    elif entry.bound == r"\infty":
        assert all(wrong(entry, bound="bounded")) and all(wrong(entry, bound="1"))
    else:
        for factor in (0.95, 1.05):
            false = dataclasses.replace(entry, bound=scaled(entry.bound, factor))
            unbounded = r"\infty" in entry.bound  # for some parameters: no number is a bound
            assert any(wrong(entry, bound=false.bound)) and (
                unbounded or all(wrong(entry, bound=false.bound))
            )


@pytest.mark.parametrize(
    ("name", "minimiser"),
    [
        ("mse", "the median"),
        ("mae", "the mean"),
        ("huber", "the mean"),
        ("log_cosh", "the mean"),
        ("pinball", "the mean"),
        ("expectile", "the mean"),
        ("mape", "the median"),
        ("msle", "the mean"),
        ("poisson_nll", "the mean"),
        ("bce_with_logits", "the mean"),
        ("exponential", "the log-odds of class 1"),
        ("hinge", "the mean"),
        ("squared_hinge", "the sign of the mean"),
        ("cross_entropy", "the class frequencies themselves, as scores"),
        ("sparsemax_loss", "the class frequencies"),
        ("focal_cross_entropy", "the class frequencies"),
        (
            "poly1_cross_entropy",
            "flatter than the class frequencies if one is above ½, unless γ = 0",
        ),
        ("focal_cross_entropy", "sharper than the class frequencies, unless β = 0"),
        ("generalised_cross_entropy", "the class frequencies"),
        ("mse", "neither the mean nor the median"),
        ("mae", "neither the mean nor the median"),
    ],
)
def test_a_wrong_minimiser_is_noticed(name, minimiser):
    assert any(wrong(CATALOGUE[name], minimiser=minimiser))


@pytest.mark.parametrize(
    ("name", "fact", "false"),
    [
        ("bce", "proper", False),
        ("cross_entropy", "proper", False),
        ("focal", "proper", True),
        ("focal_cross_entropy", "proper", True),
        ("poly1_cross_entropy", "proper", True),
        ("crps_gaussian", "proper", False),
        ("mae", "likelihood", "normal"),
        ("mse", "likelihood", "Laplace"),
        ("gamma_nll", "likelihood", "normal"),
        ("mse", "times", 1.0),
        ("poisson_deviance", "times", 1.0),
        ("bce", "activation", "identity"),
        ("gamma_deviance", "activation", "identity"),
        ("nll", "activation", "identity"),
        ("mae", "canonical", True),
        ("brier", "canonical", True),
        ("gamma_nll", "canonical", True),
        ("mse", "source", "huber1964"),
        ("mse", "source", "legendre1806"),
    ],
)
def test_other_false_facts_are_noticed(name, fact, false):
    false = dataclasses.replace(CATALOGUE[name], **{fact: false})
    checked = {"times": "likelihood", "canonical": "activation"}.get(fact, fact)
    assert check(false, checked)


@pytest.mark.parametrize("name", [n for n, e in CATALOGUE.items() if e.special_case])
def test_a_wrong_special_case_is_noticed(name):
    entry = CATALOGUE[name]
    case = dataclasses.replace(entry.special_case, factor=0.999)
    assert check(dataclasses.replace(entry, special_case=case), "special_case")


def test_a_domain_that_is_not_kept_is_noticed():
    class Careless:
        """mse, said to be for positive targets alone."""

        def __getattr__(self, name):
            return getattr(lossbook.mse, name)

        def __call__(self, *arrays, **options):
            return lossbook.mse(*arrays, **options)

        target_domain = lossbook.gamma_nll.target_domain

    assert check(dataclasses.replace(CATALOGUE["mse"], loss=Careless()), "domain")


# What only corners show: ties, kinks, hard or empty masks. Random numbers never hit them.


@pytest.mark.parametrize(
    ("name", "fact", "false"),
    [
        (
            "label_ranking",  # a tie would be right
            "value",
            r"\frac1N \sum_j (y_j \sum_k ((1 - y_k) \operatorname{sign}(\max(0, z_k - z_j))))",
        ),
        (
            "pinball",
            "gradient",
            r"\begin{cases} -\tau & e < 0 \\ 1 - \tau & \text{otherwise} \end{cases}",
        ),
        ("dice", "smooth", True),
        ("tversky", "bound", r"\max(\alpha, \frac{1}{\beta})"),
    ],
)
def test_what_is_false_at_corners_alone_is_noticed(name, fact, false):
    assert check(dataclasses.replace(CATALOGUE[name], **{fact: false}), fact)


def test_a_bound_without_a_number_is_noticed():
    nowhere = (
        r"\begin{cases} 1 & \delta < 0 \\ \frac{\infty}{\infty} & \text{otherwise} \end{cases}"
    )
    assert check(dataclasses.replace(CATALOGUE["huber"], bound=nowhere), "bound")


def test_a_property_that_depends_on_a_parameter_may_be_propriety_too():
    always = When("always", lambda **_: True)
    assert check(dataclasses.replace(CATALOGUE["focal"], proper=always), "proper")


def test_integers_are_printed_as_such_and_real_labels_noticed():
    entry = CATALOGUE["ctc"]
    assert entry.domain == "target an integer, logits real"

    careless = copy.copy(lossbook.supervised_contrastive)
    careless._check_types = lambda *arrays: None
    assert check(dataclasses.replace(CATALOGUE["supervised_contrastive"], loss=careless), "domain")


def in_both_orders(difference):
    first, second = np.array([difference]), np.zeros(1)
    return [(first, second), (second, first)]


@pytest.mark.parametrize(
    ("name", "asks"),
    [
        ("dice", lowest(lambda rng: (np.array([1.0, 0.0]), np.array([1.0, 0.1])))),
        ("dice", lowest(lambda rng: (np.array([1.0, 0.0]), np.array([0.5, 0.5])), value=0.5)),
        ("bpr", best_difference(lambda share: 0.99 * np.log(share / (1 - share)), in_both_orders)),
        (
            "circle",
            no_lower(
                lambda **_: (
                    np.array([0, 0, 1, 1]),
                    np.repeat([[1.0, 0, 0], [1.0, 1, 0]], 2, axis=0),
                )
            ),
        ),
        # right angles are not as far apart as directions can be
        ("info_nce", no_lower(lambda **_: (np.eye(4), np.eye(4)))),
        ("info_nce", no_lower(lambda **_: (np.eye(4), np.eye(4)), value=lambda **_: 0.0)),
        (
            "weston_watkins",
            best_difference(
                lambda share, margin, p, **_: margin * (2 * share - 1),
                lambda d, **_: [(np.array([label]), np.array([[d, 0.0]])) for label in (0, 1)],
            ),
        ),
    ],
)
def test_a_wrong_minimiser_of_several_arrays_is_noticed(name, asks):
    assert check(dataclasses.replace(CATALOGUE[name], asks=asks), "minimiser")
