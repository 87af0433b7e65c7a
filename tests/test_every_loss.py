"""What must hold for every loss: exact values, gradients, weights, reductions, types, extremes."""

import numpy as np
import pytest
from against_torch import both_types
from cases import CASES, RUN_NAMES, RUNS, exact_values
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import torch
from structured_cases import STRUCTURED_CASES

import lossbook

every_run = pytest.mark.parametrize(("case", "parameters"), RUNS, ids=RUN_NAMES)
# RMSE and RMSLE have no value per sample; test_regression has its own tests of them
every_run_by_sample = pytest.mark.parametrize(
    ("case", "parameters"),
    [run for run in RUNS if not run[0].has_mean_only],
    ids=[name for run, name in zip(RUNS, RUN_NAMES, strict=True) if not run[0].has_mean_only],
)
every_shape = pytest.mark.parametrize("shape", [(1,), (7,), (3, 5)], ids=str)
shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)
reductions = st.sampled_from(["mean", "sum", "none"])

EPS = {np.float32: 1.2e-7, np.float64: 2.3e-16, np.float16: 9.8e-4}


def keep_reduction(case, reduction):
    """RMSE has a mean only, and no argument to say so."""
    return {} if case.has_mean_only else {"reduction": reduction}


def test_every_public_loss_has_a_case():
    assert set(CASES) | set(STRUCTURED_CASES) == set(lossbook.__all__)


@every_run_by_sample
@every_shape
@both_types
def test_values_equal_the_formula_in_50_digits(case, parameters, shape, dtype):
    target, prediction = case.draw(0, shape, dtype)
    values = case.loss(target, prediction, reduction="none", **parameters)
    expected = exact_values(case, target, prediction, parameters)
    assert values.dtype == dtype and values.shape == expected.shape
    # 1 + |expected|: near a zero of the loss the inputs' own rounding decides
    error = np.abs(values - expected) / (1 + np.abs(expected))
    assert error.max() < 16 * EPS[dtype]


@every_run
@every_shape
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_equals_finite_differences(case, parameters, shape, weighted):
    target, prediction = case.draw(1, shape)
    weight = np.random.default_rng(2).uniform(0.1, 2, size=shape) if weighted else None
    step = 1e-6
    if case.takes_logarithms:
        prediction = prediction - 2 * step  # so that a step up stays a log-probability
    gradient = case.loss.gradient(target, prediction, weight=weight, **parameters)
    assert gradient.shape == prediction.shape
    for index in np.ndindex(prediction.shape):
        up, down = prediction.copy(), prediction.copy()
        up[index] += step
        down[index] -= step
        rise = case.loss(target, up, weight=weight, **parameters) - case.loss(
            target, down, weight=weight, **parameters
        )
        assert rise / (2 * step) == pytest.approx(gradient[index], rel=2e-6, abs=2e-8)


def second_derivative(case, parameters, target, prediction):
    """The sum of the rows of the Hessian, by torch; a gradient without a graph is constant."""
    leaf = torch.tensor(prediction, requires_grad=True)
    value = case.loss(torch.tensor(target), leaf, **keep_reduction(case, "sum"), **parameters)
    (slope,) = torch.autograd.grad(value, leaf, create_graph=True)
    if not slope.requires_grad:
        return np.zeros_like(prediction)
    return torch.autograd.grad(slope.sum(), leaf)[0].numpy(force=True)


@every_run
def test_second_derivative_equals_finite_differences_of_the_gradient(case, parameters):
    target, prediction = case.draw(9, (5,))
    if case.takes_logarithms:
        prediction = prediction - 1e-5  # so that a step up stays a log-probability
    second = second_derivative(case, parameters, target, prediction)
    options = {**keep_reduction(case, "sum"), **parameters}
    step = 1e-6
    for index in np.ndindex(prediction.shape):
        up, down = prediction.copy(), prediction.copy()
        up[index] += step
        down[index] -= step
        rise = case.loss.gradient(target, up, **options) - case.loss.gradient(
            target, down, **options
        )
        assert rise.sum() / (2 * step) == pytest.approx(second[index], rel=1e-5, abs=1e-7)


def extremes(case, parameters, dtype):
    """Every mix of large, tiny and ordinary predictions that the domain allows."""
    domain = case.loss.prediction_domain
    if callable(domain):
        domain = domain({**case.loss.defaults, **parameters})
    values = np.array([0, 1, -1, 1e-30, -1e-30, 0.5, 1e4, -1e4], dtype)
    if domain is not None:
        values = values[~domain.outside(np, values)]
    columns = np.meshgrid(*[values] * max(1, case.classes), indexing="ij")
    predictions = np.stack([column.ravel() for column in columns], axis=-1)
    predictions = predictions if case.classes else predictions[:, 0]
    targets, _ = case.draw(10, (len(predictions),), dtype)
    return targets, predictions


@every_run_by_sample
@both_types
def test_nothing_is_nan_at_extreme_predictions(case, parameters, dtype):
    target, prediction = extremes(case, parameters, dtype)
    values = case.loss(target, prediction, reduction="none", **parameters)
    assert not np.isnan(values).any()
    slopes = case.loss.gradient(target, prediction, reduction="none", **parameters)
    assert not np.isnan(slopes).any()
    finite = np.isfinite(values)
    target, prediction = target[finite], prediction[finite]
    leaf = torch.tensor(prediction, requires_grad=True)
    case.loss(torch.tensor(target), leaf, **parameters).backward()
    assert not torch.isnan(leaf.grad).any()


@every_run_by_sample
def test_the_second_derivative_is_finite_where_the_loss_is(case, parameters):
    target, prediction = extremes(case, parameters, np.float64)
    values = case.loss(target, prediction, reduction="none", **parameters)
    finite = np.isfinite(values)
    second = second_derivative(case, parameters, target[finite], prediction[finite])
    assert np.isfinite(second).all()


@every_run
@both_types
@settings(max_examples=25, deadline=None)
@given(shape=shapes, seed=st.integers(0, 999), reduction=reductions, weighted=st.booleans())
def test_gradient_equals_torch_autograd(case, parameters, dtype, shape, seed, reduction, weighted):
    target, prediction = case.draw(seed, shape, dtype)
    weight = np.random.default_rng(seed).uniform(0, 2, size=shape).astype(dtype)
    arguments = {"weight": weight if weighted else None, **keep_reduction(case, reduction)}
    gradient = case.loss.gradient(target, prediction, **arguments, **parameters)

    leaf = torch.tensor(prediction, requires_grad=True)
    if weighted:
        arguments["weight"] = torch.tensor(weight)
    value = case.loss(torch.tensor(target), leaf, **arguments, **parameters)
    value.sum().backward()
    np.testing.assert_allclose(
        gradient, leaf.grad.numpy(), rtol=64 * EPS[dtype], atol=8 * EPS[dtype]
    )

    by_hand = case.loss.gradient(torch.tensor(target), leaf.detach(), **arguments, **parameters)
    np.testing.assert_allclose(by_hand.numpy(), gradient, rtol=64 * EPS[dtype], atol=8 * EPS[dtype])


@every_run_by_sample
@settings(max_examples=25, deadline=None)
@given(shape=shapes, seed=st.integers(0, 999))
def test_reductions_agree(case, parameters, shape, seed):
    target, prediction = case.draw(seed, shape)
    weight = np.random.default_rng(seed).uniform(0.1, 2, size=shape)
    values = case.loss(target, prediction, reduction="none", **parameters)
    total = case.loss(target, prediction, reduction="sum", **parameters)
    mean = case.loss(target, prediction, **parameters)
    weighted = case.loss(target, prediction, weight=weight, **parameters)
    assert total == pytest.approx(values.sum(), rel=1e-12, abs=1e-14)
    assert mean == pytest.approx(values.mean(), rel=1e-12, abs=1e-14)
    assert weighted == pytest.approx(np.average(values, weights=weight), rel=1e-12, abs=1e-14)


@every_run
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(2, 6))
def test_integer_weights_repeat_samples(case, parameters, seed, n):
    target, prediction = case.draw(seed, (n,))
    weight = np.random.default_rng(seed).integers(0, 4, size=n)
    weight[0] = 1
    repeated = case.loss(
        np.repeat(target, weight), np.repeat(prediction, weight, axis=0), **parameters
    )
    assert case.loss(target, prediction, weight=weight, **parameters) == pytest.approx(
        repeated, rel=1e-12, abs=1e-14
    )


@every_run
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_weight_zero_leaves_even_nan_out(case, parameters, library):
    target, prediction = case.draw(3, (4,))
    kept = case.loss(target[:3], prediction[:3], **parameters)
    prediction[3] = np.nan
    weight = np.array([1.0, 1.0, 1.0, 0.0])
    if library == "torch":
        target, weight = torch.tensor(target), torch.tensor(weight)
        prediction = torch.tensor(prediction, requires_grad=True)
        case.loss(target, prediction, weight=weight, **parameters).backward()
        assert torch.isfinite(prediction.grad).all() and (prediction.grad[3] == 0).all()
        prediction = prediction.detach()
    value = case.loss(target, prediction, weight=weight, **parameters)
    assert float(value) == pytest.approx(kept, rel=1e-12)
    gradient = case.loss.gradient(target, prediction, weight=weight, **parameters)
    assert (gradient[3] == 0).all()


@every_run_by_sample
def test_nan_in_nan_out(case, parameters):
    target, prediction = case.draw(4, (3,))
    prediction[1] = np.nan
    assert np.isnan(case.loss(target, prediction, **parameters))
    values = case.loss(target, prediction, reduction="none", **parameters)
    assert np.isnan(values).tolist() == [False, True, False]
    slopes = case.loss.gradient(target, prediction, reduction="none", **parameters)
    assert not np.isnan(slopes[[0, 2]]).any()
    if not case.is_linear:
        assert np.isnan(slopes[1]).all()


@every_run
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_is_rounded_once(case, parameters, name):
    target, prediction = case.draw(5, (50,), np.float32)
    dtype = getattr(torch, name)
    prediction = torch.tensor(prediction).to(dtype)
    target = torch.tensor(target)
    if target.is_floating_point():
        target = target.to(dtype)
    value = case.loss(target, prediction, **parameters)
    gradient = case.loss.gradient(target, prediction, **parameters)
    assert value.dtype == dtype and gradient.dtype == dtype
    wide = target.float() if target.is_floating_point() else target
    expected = case.loss(wide, prediction.float(), **parameters)
    assert float(value) == float(expected.to(dtype))


@every_run
@both_types
def test_a_million_values_are_summed_without_loss_of_digits(case, parameters, dtype):
    target, prediction = case.draw(6, (1_000_000,), dtype)
    value = float(case.loss(target, prediction, **parameters))
    wide = target.astype(np.float64) if target.dtype == dtype else target
    expected = float(case.loss(wide, prediction.astype(np.float64), **parameters))
    assert value == pytest.approx(expected, rel=4 * EPS[dtype])


@every_run
def test_inputs_are_not_changed(case, parameters):
    target, prediction = case.draw(7, (6,))
    weight = np.array([0.0, 1, 1, 2, 1, 1])
    for array in (target, prediction, weight):
        array.flags.writeable = False
    before = prediction.copy()
    case.loss(target, prediction, weight=weight, **parameters)
    case.loss.gradient(target, prediction, weight=weight, **parameters)
    np.testing.assert_array_equal(prediction, before)


@every_run
def test_strided_arrays_give_the_same_value(case, parameters):
    target, prediction = case.draw(8, (10,))
    value = case.loss(target[::2], prediction[::2], **parameters)
    assert value == case.loss(target[::2].copy(), prediction[::2].copy(), **parameters)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_docstring_says_what_a_reader_looks_for(case):
    for word in ("Shapes:", "Domain:", "Minimiser:", "Convention:", "Errors:", "Source:", ">>>"):
        assert word in case.loss.__doc__, word
