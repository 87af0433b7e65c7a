"""Every fact of the catalogue holds, with numbers; test_catalogue_checks: and would be noticed."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pybtex.database import parse_file

import lossbook
from lossbook.catalogue import CATALOGUE, markdown
from lossbook.entry import FACTS
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
    about_the_checks = {"loss", "examples", "vectors", "sample", "asks"}
    parts_of_other_facts = {"title", "chinese", "where", "legend", "of"}
    parts_of_other_facts |= {"inside", "canonical", "times"}
    said_by_the_loss = {"domain"}
    assert fields - about_the_checks - parts_of_other_facts == set(FACTS) - said_by_the_loss


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
        cells = row.removeprefix("|").removesuffix("|").split("|")[1:]
        assert all(cell.strip() == "" or cell.strip().endswith("✓") for cell in cells)
        assert row.count("✓") == 4 + (entry.activation is not None)


def test_a_false_fact_is_not_printed():
    false = dataclasses.replace(CATALOGUE["mse"], bound="7", gradient="3 e")
    assert markdown([false], facts=("value", "gradient", "bound")).splitlines()[2] == (
        "| `mse` | $e^2$ ✓ |  |  |"
    )


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
