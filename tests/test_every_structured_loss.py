"""What must hold for every loss of several arrays: values, gradients, weights, types, errors."""

import numpy as np
import pytest
from against_torch import both_types
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import torch
from structured_cases import STRUCTURED_CASES, STRUCTURED_RUN_NAMES, STRUCTURED_RUNS

import lossbook
from lossbook.structured import SAMPLES, StructuredLoss

every_run = pytest.mark.parametrize(
    ("case", "parameters"), STRUCTURED_RUNS, ids=STRUCTURED_RUN_NAMES
)
every_loss = pytest.mark.parametrize("case", STRUCTURED_CASES.values(), ids=STRUCTURED_CASES)
EPS = {np.float32: 1.2e-7, np.float64: 2.3e-16}


def as_tuple(slopes):
    return slopes if isinstance(slopes, tuple) else (slopes,)


def in_torch(arrays, **changes):
    return {name: torch.tensor(array) for name, array in {**arrays, **changes}.items()}


def autograd(loss, arrays, options):
    """The gradients that torch finds by itself."""
    tensors = in_torch(arrays)
    leaves = [tensors[name].requires_grad_() for name in loss.predictions]
    value = loss(**tensors, **options)
    gradients = torch.autograd.grad(value.sum(), leaves, allow_unused=True)
    return [
        np.zeros(leaf.shape) if gradient is None else gradient.numpy()
        for leaf, gradient in zip(leaves, gradients, strict=True)
    ]


def values_of(case, arrays, parameters):
    return case.loss(**arrays, reduction="none", **parameters)


def test_every_public_structured_loss_has_a_case():
    public = {
        name for name in lossbook.__all__ if isinstance(getattr(lossbook, name), StructuredLoss)
    }
    assert set(STRUCTURED_CASES) == public


@every_run
@both_types
@pytest.mark.parametrize("n", [1, 5])
def test_values_equal_the_formula_in_50_digits(case, parameters, dtype, n):
    arrays = case.draw(0, n, dtype)
    values = values_of(case, arrays, parameters)
    expected = case.exact_values(arrays, parameters)
    assert values.dtype == dtype and values.shape == expected.shape
    error = np.abs(values - expected) / (1 + np.abs(expected))
    assert error.max() < 32 * EPS[dtype]


@every_run
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_gradient_equals_finite_differences(case, parameters, weighted, reduction):
    arrays = case.draw(1, 4)
    samples = values_of(case, arrays, parameters).shape
    weight = np.random.default_rng(2).uniform(0.1, 2, size=samples) if weighted else None
    options = {"weight": weight, "reduction": reduction, **parameters}
    slopes = as_tuple(case.loss.gradient(**arrays, **options))
    step = 1e-6
    for name, slope in zip(case.loss.predictions, slopes, strict=True):
        assert slope.shape == arrays[name].shape
        for index in np.ndindex(slope.shape):
            up, down = arrays[name].copy(), arrays[name].copy()
            up[index] += step
            down[index] -= step
            rise = case.loss(**{**arrays, name: up}, **options) - case.loss(
                **{**arrays, name: down}, **options
            )
            assert rise / (2 * step) == pytest.approx(slope[index], rel=2e-6, abs=2e-8)


@every_run
@both_types
@settings(max_examples=15, deadline=None)
@given(
    n=st.integers(1, 5),
    seed=st.integers(0, 999),
    reduction=st.sampled_from(["mean", "sum"]),
    weighted=st.booleans(),
)
def test_gradient_equals_torch_autograd(case, parameters, dtype, n, seed, reduction, weighted):
    arrays = case.draw(seed, n, dtype)
    options = {"reduction": reduction, **parameters}
    if weighted:
        samples = values_of(case, arrays, parameters).shape
        options["weight"] = np.random.default_rng(seed).uniform(0.1, 2, size=samples).astype(dtype)
    slopes = as_tuple(case.loss.gradient(**arrays, **options))
    if weighted:
        options["weight"] = torch.tensor(options["weight"])
    by_hand = as_tuple(case.loss.gradient(**in_torch(arrays), **options))
    for slope, automatic, tensor in zip(
        slopes, autograd(case.loss, arrays, options), by_hand, strict=True
    ):
        tolerance = {"rtol": 128 * EPS[dtype], "atol": 16 * EPS[dtype]}
        np.testing.assert_allclose(slope, automatic, **tolerance)
        np.testing.assert_allclose(tensor.numpy(), slope, **tolerance)


@every_run
def test_second_derivatives_are_finite_and_equal_finite_differences(case, parameters):
    arrays = case.draw(9, 3)
    options = {"reduction": "sum", **parameters}
    tensors = in_torch(arrays)
    leaves = [tensors[name].requires_grad_() for name in case.loss.predictions]
    firsts = torch.autograd.grad(
        case.loss(**tensors, **options), leaves, create_graph=True, allow_unused=True
    )
    total = sum(first.sum() for first in firsts if first is not None)
    step = 1e-6
    for name, leaf in zip(case.loss.predictions, leaves, strict=True):
        second = np.zeros(leaf.shape)
        if torch.is_tensor(total) and total.requires_grad:
            (found,) = torch.autograd.grad(total, leaf, retain_graph=True, allow_unused=True)
            second = second if found is None else found.numpy()
        assert np.isfinite(second).all()
        for index in np.ndindex(second.shape):
            up, down = arrays[name].copy(), arrays[name].copy()
            up[index] += step
            down[index] -= step
            rise = sum(
                (a - b).sum()
                for a, b in zip(
                    as_tuple(case.loss.gradient(**{**arrays, name: up}, **options)),
                    as_tuple(case.loss.gradient(**{**arrays, name: down}, **options)),
                    strict=True,
                )
            )
            assert rise / (2 * step) == pytest.approx(second[index], rel=1e-5, abs=1e-7)


@every_run
@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 5), seed=st.integers(0, 999))
def test_reductions_agree(case, parameters, n, seed):
    arrays = case.draw(seed, n)
    values = values_of(case, arrays, parameters)
    weight = np.random.default_rng(seed).uniform(0.1, 2, size=values.shape)
    total = case.loss(**arrays, reduction="sum", **parameters)
    weighted = case.loss(**arrays, weight=weight, **parameters)
    assert total == pytest.approx(values.sum(), rel=1e-12, abs=1e-14)
    assert case.loss(**arrays, **parameters) == pytest.approx(values.mean(), rel=1e-12, abs=1e-14)
    assert weighted == pytest.approx(np.average(values, weights=weight), rel=1e-12, abs=1e-14)
    both = case.loss.value_and_gradient(**arrays, **parameters)
    assert both[0] == case.loss(**arrays, **parameters)
    for one, other in zip(
        as_tuple(both[1]), as_tuple(case.loss.gradient(**arrays, **parameters)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@every_run
def test_the_gradient_of_each_value(case, parameters):
    arrays = case.draw(2, 4)
    if case.loss.coupled:
        with pytest.raises(ValueError, match="the gradient needs reduction 'mean' or 'sum'"):
            case.loss.gradient(**arrays, reduction="none", **parameters)
        return
    each = as_tuple(case.loss.gradient(**arrays, reduction="none", **parameters))
    total = as_tuple(case.loss.gradient(**arrays, reduction="sum", **parameters))
    for one, other in zip(each, total, strict=True):
        np.testing.assert_array_equal(one, other)


@every_run
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_weight_zero_leaves_a_sample_out(case, parameters, library):
    arrays = case.draw(3, 4)
    samples = values_of(case, arrays, parameters).shape
    if case.loss.coupled:
        kept = np.average(values_of(case, arrays, parameters)[:-1])
    else:
        kept = case.loss(**{name: array[:3] for name, array in arrays.items()}, **parameters)
        for name in case.loss.predictions:
            arrays[name][3] = np.nan
    weight = np.ones(samples)
    weight[-1] = 0
    slopes = as_tuple(case.loss.gradient(**arrays, weight=weight, **parameters))
    for slope in slopes:
        assert np.isfinite(slope).all()
        if not case.loss.coupled:
            assert (slope[3] == 0).all()
    if library == "torch":
        for found, expected in zip(
            autograd(case.loss, arrays, {"weight": torch.tensor(weight), **parameters}),
            slopes,
            strict=True,
        ):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
        arrays, weight = in_torch(arrays), torch.tensor(weight)
    value = case.loss(**arrays, weight=weight, **parameters)
    assert float(value) == pytest.approx(kept, rel=1e-12)


@every_run
def test_nan_in_nan_out(case, parameters):
    arrays = case.draw(4, 3)
    for name in case.loss.predictions:
        changed = arrays[name].copy()
        changed[1] = np.nan
        values = values_of(case, {**arrays, name: changed}, parameters)
        assert np.isnan(values[1])
        if not case.loss.coupled:
            assert not np.isnan(values[[0, 2]]).any()
        options = {"reduction": "mean" if case.loss.coupled else "none", **parameters}
        slopes = as_tuple(case.loss.gradient(**{**arrays, name: changed}, **options))
        assert any(np.isnan(slope[1]).any() for slope in slopes)


@every_run
@pytest.mark.parametrize("half", ["float16", "bfloat16"])
def test_half_precision_is_rounded_once(case, parameters, half):
    dtype = getattr(torch, half)
    narrow, wide = {}, {}
    for name, tensor in in_torch(case.draw(5, 6, np.float32)).items():
        narrow[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
        wide[name] = narrow[name].float() if tensor.is_floating_point() else tensor
    value = case.loss(**narrow, **parameters)
    assert value.dtype == dtype
    assert float(value) == float(case.loss(**wide, **parameters).to(dtype))
    for slope in as_tuple(case.loss.gradient(**narrow, **parameters)):
        assert slope.dtype == dtype and torch.isfinite(slope).all()


@every_run
def test_read_only_and_strided_arrays(case, parameters):
    arrays = case.draw(7, 6)
    for array in arrays.values():
        array.flags.writeable = False
    value = case.loss(**arrays, **parameters)
    case.loss.gradient(**arrays, **parameters)
    backwards = {name: array[::-1] for name, array in arrays.items()}
    if not case.loss.coupled:
        assert case.loss(**backwards, **parameters) == pytest.approx(value, rel=1e-14)
    strided = {name: np.repeat(array, 2, axis=0)[::2] for name, array in arrays.items()}
    assert case.loss(**strided, **parameters) == value


@every_loss
def test_shapes_that_do_not_fit(case):
    arrays = case.draw(0, 3)
    for name in arrays:
        axes = case.loss.shapes[name]
        if SAMPLES in axes or axes[0] in {
            axis for other, axes in case.loss.shapes.items() if other != name for axis in axes
        }:
            if len(arrays) > 1:
                with pytest.raises(ValueError, match=r"they need shapes .* Nothing is broadcast"):
                    case.loss(**{**arrays, name: arrays[name][:2]})
        with pytest.raises(ValueError, match=r"is empty|differs"):
            case.loss(**{**arrays, name: arrays[name][:0]})
    with pytest.raises(ValueError, match="is empty"):
        case.loss(**{name: array[:0] for name, array in arrays.items()})


@every_loss
def test_types_that_do_not_fit(case):
    arrays = case.draw(0, 3)
    for name in case.loss.predictions:
        with pytest.raises(TypeError, match=rf"{name} must be floating.*int64"):
            case.loss(**{**arrays, name: arrays[name].astype(np.int64)})
        with pytest.raises(TypeError, match=rf"{name} must be a NumPy, PyTorch or JAX array.*list"):
            case.loss(**{**arrays, name: arrays[name].tolist()})
        if len(arrays) > 1:
            with pytest.raises(TypeError, match="one library"):
                case.loss(**{**arrays, name: torch.tensor(arrays[name])})
    for name in case.loss.predictions[1:]:
        with pytest.raises(TypeError, match="Types are not promoted in silence"):
            case.loss(**{**arrays, name: arrays[name].astype(np.float32)})
    with pytest.raises(TypeError, match=r"argument 'nonsense'.*the signature is"):
        case.loss(**arrays, nonsense=1)


@every_loss
def test_weights_and_reductions_that_do_not_fit(case):
    arrays = case.draw(0, 3)
    samples = values_of(case, arrays, {}).shape
    with pytest.raises(ValueError, match="reduction must be"):
        case.loss(**arrays, reduction="average")
    with pytest.raises(ValueError, match="weight must have one entry per loss value"):
        case.loss(**arrays, weight=np.ones((*samples, 2)))
    with pytest.raises(ValueError, match="weight must not be negative"):
        case.loss(**arrays, weight=-np.ones(samples))
    with pytest.raises(ValueError, match="every sample has weight 0"):
        case.loss(**arrays, weight=np.zeros(samples))


@every_loss
def test_parameters_that_do_not_fit(case):
    arrays = case.draw(0, 3)
    for name in case.loss._checks:
        with pytest.raises(ValueError, match=name):
            case.loss(**arrays, **{name: "nonsense"})


@every_loss
def test_the_docstring_says_what_a_reader_looks_for(case):
    for word in ("Shapes:", "Domain:", "Minimiser:", "Convention:", "Errors:", "Source:", ">>>"):
        assert word in case.loss.__doc__, word
