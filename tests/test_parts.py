"""Evaluation in blocks gives what evaluation at once gives, and errors name the reader's index."""

import threading

import numpy as np
import pytest
from cases import CASES, RUN_NAMES, RUNS

import lossbook.parts
from lossbook import bce, cross_entropy, gaussian_nll, mse

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
    if case.takes_logarithms:
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


@pytest.fixture
def threads():
    yield lossbook.parts.set_threads
    lossbook.parts.set_threads(1)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("weighted", [False, True])
def test_threads_change_no_bit(case, weighted, threads, tiny_blocks):
    target, prediction = case.draw(0, (203,), np.float32)
    weight = np.random.default_rng(1).integers(0, 3, 203) if weighted else None
    calls = [lambda: case.loss.value_and_gradient(target, prediction, weight=weight)]
    if not case.has_mean_only:
        options = {"weight": weight, "reduction": "none"}
        calls.append(lambda: case.loss.value_and_gradient(target, prediction, **options))
    for call in calls:
        threads(1)
        expected = call()
        for number in (2, 3, 100):
            threads(number)
            for found, alone in zip(call(), expected, strict=True):
                np.testing.assert_array_equal(found, alone)


def test_threads_are_used_and_have_the_error_state_of_the_caller(threads, tiny_blocks, monkeypatch):
    seen = set()
    check = type(mse)._check_values
    both = threading.Barrier(2, timeout=60)  # the first part waits until a second is at work

    def note(*arguments):
        if threading.get_ident() not in seen:
            seen.add(threading.get_ident())
            both.wait()
        check(*arguments)

    monkeypatch.setattr(type(mse), "_check_values", note)
    threads(2)
    error = np.full(64, np.inf)
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
        mse(error, error)  # inf - inf
    assert len(seen) == 2 and threading.get_ident() not in seen
    seen.clear()
    with np.errstate(invalid="ignore"):
        assert np.isnan(mse(error, error))


def test_errors_in_threads_name_the_first_bad_value(threads, tiny_blocks):
    threads(3)
    probabilities = np.full(100, 0.5)
    probabilities[[30, 90]] = 1.5
    with pytest.raises(ValueError, match=r"1\.5 at index 30"):
        bce(np.ones(100), probabilities)


@pytest.mark.parametrize("number", [0, -1, 1.5, "2", True, None])
def test_the_number_of_threads_is_checked(number, threads):
    with pytest.raises(ValueError, match="number must be an integer of at least 1"):
        threads(number)


@pytest.mark.parametrize("block", [7, 64, 10**9])
@pytest.mark.parametrize("name", ["mse", "huber", "bce_with_logits", "cross_entropy", "focal"])
def test_no_size_of_blocks_matters(name, block, monkeypatch):
    case = CASES[name]
    target, prediction = case.draw(0, (5000,), np.float64)
    expected = case.loss.value_and_gradient(target, prediction)
    monkeypatch.setattr(lossbook.parts, "BLOCK", block)
    value, gradient = case.loss.value_and_gradient(target, prediction)
    assert value == pytest.approx(expected[0], rel=1e-15)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-14)


def test_sums_of_blocks_that_overflow_or_cancel(tiny_blocks):
    large = np.full(50, 1e308)
    assert mse(0 * large, large) == np.inf
    both = np.repeat([np.inf, -np.inf], 25)
    assert np.isnan(gaussian_nll(np.zeros(50), np.stack([np.zeros(50), both], -1)))


def test_all_samples_left_out_in_blocks(tiny_blocks):
    with pytest.raises(ValueError, match="every sample has weight 0"):
        mse(np.zeros(50), np.zeros(50), weight=np.zeros(50))
