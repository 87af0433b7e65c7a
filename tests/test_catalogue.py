"""Every fact of the catalogue holds, and each check would notice if it did not."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pybtex.database import parse_file

import lossbook
from lossbook.catalogue import CATALOGUE, markdown
from lossbook.entry import FACTS, When
from lossbook.latex import evaluate
from lossbook.properties import CHECKS, check
from lossbook.sampling import Drawn

ROOT = Path(__file__).resolve().parents[1]
STATED = [
    pytest.param(entry, fact, id=f"{entry.name}-{fact}")
    for entry in CATALOGUE.values()
    for fact in CHECKS
    if getattr(entry, fact, True) is not None
]
every_entry = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)


def test_the_catalogue_holds_every_loss_and_every_fact_has_a_check():
    assert set(CATALOGUE) == set(lossbook.__all__)
    assert set(FACTS) <= set(CHECKS)
    fields = {field.name for field in dataclasses.fields(next(iter(CATALOGUE.values())))}
    about_the_checks = {"loss", "inside", "canonical", "times", "where"}  # parts of other facts
    about_the_checks |= {"examples", "vectors", "sample", "title", "chinese"}
    assert fields - about_the_checks == set(FACTS) - {"domain"}  # said by the loss itself


@pytest.mark.parametrize(("entry", "fact"), STATED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # searches step where a loss overflows
def test_the_fact_holds(entry, fact):
    assert check(entry, fact) == ""


@every_entry
def test_the_first_source_is_in_the_bibliography(entry):
    assert entry.source in parse_file(ROOT / "book" / "references.bib").entries


@pytest.fixture(scope="module")
def table():
    return markdown(facts=("value", "gradient", "bound", "activation", "source"))


def test_the_table_prints_a_tick_behind_every_fact_and_nothing_else(table):
    rows = table.splitlines()[2:]
    assert len(rows) == len(CATALOGUE)
    for row, entry in zip(rows, CATALOGUE.values(), strict=True):
        cells = row.strip("|").split("|")[1:]
        assert all(cell.strip() == "" or cell.strip().endswith("✓") for cell in cells)
        assert row.count("✓") == 4 + (entry.activation is not None)


def test_a_false_fact_is_not_printed():
    false = dataclasses.replace(CATALOGUE["mse"], bound="7", gradient="3 e")
    assert markdown([false], facts=("value", "gradient", "bound")).splitlines()[2] == (
        "| `mse` | $e^2$ ✓ |  |  |"
    )


# Each check must be able to fail: what is false of every loss is noticed of every loss.


def wrong(entry, **changes):
    """What the checks say of an entry with false facts: all examples, one by one."""
    false = dataclasses.replace(entry, **changes)
    (fact,) = changes
    return [CHECKS[fact](false, parameters) for parameters in entry.examples]


def scaled(latex, factor):
    """The formula times a number; each piece of it, if it has cases."""
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
        ("poly1_cross_entropy", "flatter than the class frequencies"),
        ("focal_cross_entropy", "sharper than the class frequencies"),
        ("generalised_cross_entropy", "the class frequencies"),
        ("mse", "no closed form"),
        ("mae", "no closed form"),
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


# A loss is tested by being listed: what holds of every one, with arguments from its own domain.


@every_entry
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 7),
    spread=st.sampled_from([0.1, 1.0, 10.0]),
    data=st.data(),
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_of_every_loss(entry, seed, n, spread, data):
    parameters = data.draw(st.sampled_from(entry.examples))
    drawn = Drawn(entry, parameters, np.random.default_rng(seed), n, spread)
    rows = drawn.rows
    values, slopes = drawn.values(rows), drawn.slopes(rows)
    assert values.shape == (n,) and slopes.shape == rows.shape
    assert np.isfinite(values).all() and np.isfinite(slopes).all()
    # along a short step the value changes as the gradient says, up to the curvature
    step = 1e-7 * np.random.default_rng(seed + 1).normal(size=rows.shape)
    for domain in entry.domains(parameters)[1:2]:
        if domain is not None:
            step = np.where(domain.outside(np, rows + step), 0, step)
            step = np.where(domain.outside(np, rows - step), 0, step)
    change = drawn.values(rows + step) - drawn.values(rows - step)
    first_order = 2 * (slopes * step).sum(axis=1)
    curvature = np.abs(drawn.slopes(rows + step) - drawn.slopes(rows - step)).max(axis=1)
    room = 1e-6 * np.abs(step).sum(axis=1) * (1 + np.abs(slopes).max(axis=1))
    room += curvature * np.abs(step).sum(axis=1) + 8e-16 * (1 + np.abs(values))
    assert (np.abs(change - first_order) <= 4 * room).all()


def test_formulas_are_read_as_they_are_written():
    classes = {"z_k": [1.0, 5.0, 2.0], "z_y": 5.0, "y": 1}
    assert evaluate(r"\sum_k (z_k)", classes) == 8
    assert evaluate(r"\sum_{k \ne y} (z_k (z_y - z_k))", classes) == 4 + 6
    assert evaluate(r"\max_{k \ne y} (z_k)", classes) == 2
    assert evaluate(r"2 x (1 - x)^2 (3)", {"x": 2.0}) == 12
    assert evaluate(r"\frac12 \log(2 \pi)", {}) == pytest.approx(0.9189385332046727)
    assert evaluate(r"\begin{cases} 1 & x < 0 \\ 2 & x \ge 0 \end{cases}", {"x": 0.0}) == 2
    with pytest.raises(KeyError, match="the formula has the symbol w, which has no value"):
        evaluate("w + 1", {})
