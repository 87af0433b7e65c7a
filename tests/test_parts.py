"""Evaluation in blocks gives what evaluation at once gives, and errors name the reader's index."""

import numpy as np
import pytest
from cases import CASES, RUN_NAMES, RUNS

import lossbook.parts
from lossbook import bce, cross_entropy, mse

every_run = pytest.mark.parametrize(("case", "parameters"), RUNS, ids=RUN_NAMES)


@pytest.fixture
def tiny_blocks(monkeypatch):
    """Blocks of eight values, so that small arrays take the path of large ones."""
    monkeypatch.setattr(lossbook.parts, "BLOCK", 8)


def at_once_and_in_blocks(monkeypatch, call):
    monkeypatch.setattr(lossbook.parts, "BLOCK", 10**9)
    at_once = call()
    monkeypatch.setattr(lossbook.parts, "BLOCK", 8)
    return at_once, call()


@every_run
@pytest.mark.parametrize("shape", [(100,), (16,), (17,), (5, 21)], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_blocks_change_nothing(case, parameters, shape, weighted, reduction, dtype, monkeypatch):
    if reduction != "mean" and case.has_mean_only:
        reduction = "mean"  # it has no other
    target, prediction = case.draw(0, shape, dtype)
    if case.is_linear:
        prediction = prediction - dtype(0.01)  # rounding to half precision can reach past 0
    arguments = {"reduction": reduction, **parameters}
    if weighted:
        arguments["weight"] = np.random.default_rng(1).integers(0, 3, shape).astype(dtype)
    for function in (case.loss, case.loss.gradient):
        at_once, in_blocks = at_once_and_in_blocks(
            monkeypatch, lambda f=function: f(target, prediction, **arguments)
        )
        assert in_blocks.dtype == at_once.dtype == dtype
        assert in_blocks.shape == at_once.shape
        np.testing.assert_allclose(in_blocks, at_once, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_value_and_gradient_are_the_value_and_the_gradient(case, tiny_blocks):
    target, prediction = case.draw(0, (50,))
    value, gradient = case.loss.value_and_gradient(target, prediction)
    assert value == case.loss(target, prediction)
    np.testing.assert_array_equal(gradient, case.loss.gradient(target, prediction))


def test_arrays_that_are_not_contiguous(monkeypatch):
    target, prediction = CASES["mse"].draw(0, (60, 60))
    for change in (np.transpose, lambda a: a[:, ::2], lambda a: np.broadcast_to(a[0], (60, 60))):
        y, p = change(target), change(prediction)
        at_once, in_blocks = at_once_and_in_blocks(monkeypatch, lambda y=y, p=p: mse.gradient(y, p))
        np.testing.assert_array_equal(in_blocks, at_once)


def test_errors_name_the_index_in_the_whole_array(tiny_blocks):
    probabilities = np.full((10, 10), 0.5)
    probabilities[7, 3] = 1.5
    with pytest.raises(ValueError, match=r"1\.5 at index \(7, 3\)"):
        bce(np.ones((10, 10)), probabilities)
    labels = np.zeros(50, int)
    labels[40] = 9
    with pytest.raises(ValueError, match=r"target has 9 at index 40"):
        cross_entropy(labels, np.zeros((50, 3)))


def test_class_weights_and_ignored_rows_in_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 3, 50), rng.normal(size=(50, 3))
    labels[::7] = -1
    options = {"ignore_index": -1, "class_weight": np.array([1.0, 2.0, 0.0])}
    for function in (cross_entropy, cross_entropy.gradient):
        at_once, in_blocks = at_once_and_in_blocks(
            monkeypatch, lambda f=function: f(labels, logits, **options)
        )
        np.testing.assert_allclose(in_blocks, at_once, rtol=1e-15)


def test_all_samples_left_out_in_blocks(tiny_blocks):
    with pytest.raises(ValueError, match="every sample has weight 0"):
        mse(np.zeros(50), np.zeros(50), weight=np.zeros(50))
