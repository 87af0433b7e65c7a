"""Every loss of the catalogue, whatever the type, the layout and the size of its arrays."""

import warnings

import numpy as np
import pytest
from drawn import (
    as_tuple,
    draw,
    every_entry,
    every_entry_by_sample,
    every_entry_of_one_number,
    predictions_of,
    summed,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import jax, torch

from lossbook import cross_entropy, hinge, msle, rmse
from lossbook.catalogue import CATALOGUE
from lossbook.sampling import Drawn, is_of_a_batch
from lossbook.structured import StructuredLoss


def parameters_of(entry):
    return entry.examples[-1]


def value_and_gradients(loss, arrays, **options):
    value, slopes = loss.value_and_gradient(**arrays, **options)
    return value, dict(zip(predictions_of(loss), as_tuple(slopes), strict=True))


def check_same(found, expected, rtol=1e-13, atol=1e-15):
    np.testing.assert_allclose(found[0], expected[0], rtol=rtol, atol=atol)
    for name, slope in expected[1].items():
        np.testing.assert_allclose(found[1][name], slope, rtol=rtol, atol=atol)


def in_torch(arrays):
    return {name: torch.tensor(array) for name, array in arrays.items()}


# Types

TYPES = [
    ("numpy", "float16"),
    ("numpy", "float32"),
    ("numpy", "float64"),
    ("torch", "float16"),
    ("torch", "bfloat16"),
    ("torch", "float32"),
    ("torch", "float64"),
    ("jax", "bfloat16"),
    ("jax", "float32"),
]
# in half precision one rounding of a result from float32; in the others a few roundings on the way
RTOL = {"float16": 0.5 * 2.0**-10, "bfloat16": 0.5 * 2.0**-7}
EPS = {"float16": 2.0**-23, "bfloat16": 2.0**-23, "float32": 2.0**-23, "float64": 2.0**-52}


def in_type(array, library, dtype):
    """The array in the type of a library, and what of it is left, in float64."""
    if array.dtype.kind != "f":
        if library == "numpy":
            return array, array
        return (torch.tensor(array) if library == "torch" else jax.numpy.asarray(array)), array
    if library == "numpy":
        narrow = array.astype(dtype)
        return narrow, narrow.astype(np.float64)
    if library == "torch":
        narrow = torch.tensor(array).to(getattr(torch, dtype))
        return narrow, narrow.double().numpy()
    narrow = jax.numpy.asarray(array.astype(np.float32)).astype(dtype)
    return narrow, wide(narrow)


def wide(array):
    if type(array).__module__ == "torch":
        return array.double().numpy()
    return np.asarray(array.astype(np.float32) if array.dtype.itemsize < 4 else array, np.float64)


@every_entry
@pytest.mark.parametrize(("library", "dtype"), TYPES, ids=map("-".join, TYPES))
def test_the_result_has_the_type_of_the_prediction_and_its_digits(entry, library, dtype):
    loss, parameters = entry.loss, parameters_of(entry)
    pairs = {
        name: in_type(array, library, dtype)
        for name, array in draw(entry, 5, n=6, parameters=parameters).items()
    }
    narrow = {name: pair[0] for name, pair in pairs.items()}
    with warnings.catch_warnings():
        if library == "jax":
            warnings.simplefilter("error")  # such as one about a type that JAX lacks by default
        value, slopes = value_and_gradients(loss, narrow, **parameters)
    arrays = {name: pair[1] for name, pair in pairs.items()}
    exact = value_and_gradients(loss, arrays, **parameters)
    rtol = RTOL.get(dtype, 0)
    for found, sought in [(value, exact[0]), *((slopes[k], exact[1][k]) for k in slopes)]:
        assert str(found.dtype).removeprefix("torch.") == dtype
        assert found.shape == sought.shape
        scale = 1 + np.abs(sought).max()
        np.testing.assert_allclose(wide(found), sought, rtol=rtol, atol=64 * EPS[dtype] * scale)


# Layouts

LAYOUTS = {
    "fortran": np.asfortranarray,
    "transposed": lambda array: np.ascontiguousarray(array.T).T,
    "backwards": lambda array: np.flip(np.flip(array).copy()),
    "every second": lambda array: np.repeat(array, 2, axis=0)[::2],
    "every second column": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    # floating arrays of one call must agree in it, like in every type; the value is a NumPy scalar
    "big-endian": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "unaligned": lambda array: np.frombuffer(b"x" + array.tobytes(), array.dtype, offset=1).reshape(
        array.shape
    ),
    "of a subclass": lambda array: array.view(type("Subclass", (np.ndarray,), {})),
}


@every_entry
def test_the_layout_in_memory_does_not_matter(entry):
    loss, parameters = entry.loss, parameters_of(entry)
    arrays = draw(entry, 3, parameters=parameters)
    expected = value_and_gradients(loss, arrays, **parameters)
    for layout in LAYOUTS.values():
        laid = {name: layout(array) for name, array in arrays.items()}
        for array in laid.values():
            array.flags.writeable = False
        check_same(value_and_gradients(loss, laid, **parameters), expected)
        for name, array in laid.items():
            np.testing.assert_array_equal(array, arrays[name])


@every_entry
def test_a_sample_repeated_without_memory(entry):
    """Arrays of np.broadcast_to and torch.expand, whose samples are one."""
    loss, parameters = entry.loss, parameters_of(entry)
    arrays = draw(entry, 4, parameters=parameters)
    thin = {name: np.broadcast_to(array[:1], array.shape) for name, array in arrays.items()}
    copied = {name: array.copy() for name, array in thin.items()}
    expected = value_and_gradients(loss, copied, **parameters)
    check_same(value_and_gradients(loss, thin, **parameters), expected)
    expanded = {name: torch.tensor(array[:1]).expand(array.shape) for name, array in arrays.items()}
    check_same(value_and_gradients(loss, expanded, **parameters), expected, 1e-12, 1e-13)


@every_entry
def test_tensors_of_other_strides_and_tensors_that_require_a_gradient(entry):
    loss, parameters = entry.loss, parameters_of(entry)
    arrays = draw(entry, 3, parameters=parameters)
    expected = value_and_gradients(loss, arrays, **parameters)
    strided = {
        name: torch.tensor(np.repeat(array.T, 2, axis=0)).mT[..., ::2]
        if array.ndim == 2
        else torch.tensor(array)
        for name, array in arrays.items()
    }
    check_same(value_and_gradients(loss, strided, **parameters), expected, 1e-12, 1e-13)
    attached = {
        name: tensor.requires_grad_(tensor.is_floating_point())
        for name, tensor in in_torch(arrays).items()
    }
    value, slopes = value_and_gradients(loss, attached, **parameters)
    slopes = {name: slope.detach() for name, slope in slopes.items()}
    check_same((value.detach(), slopes), expected, 1e-12, 1e-13)


@every_entry_by_sample
def test_one_sample_alone(entry):
    """Its arrays have an axis less: where there was one, NumPy's numbers and arrays of shape ()."""
    loss, parameters = entry.loss, parameters_of(entry)
    arrays = draw(entry, 6, parameters=parameters)
    expected = value_and_gradients(
        loss, {name: array[:1] for name, array in arrays.items()}, **parameters
    )
    expected = expected[0], {name: slope[0] for name, slope in expected[1].items()}
    alone = {name: array[0] for name, array in arrays.items()}
    for some in (alone, {name: np.asarray(array) for name, array in alone.items()}):
        found = value_and_gradients(loss, some, **parameters)
        check_same(found, expected)
        for name, slope in found[1].items():
            assert slope.shape == alone[name].shape and slope.dtype == np.float64
        each = loss(**some, reduction="none", **parameters)
        assert each.shape == () and each.dtype == np.float64
    tensors = {name: torch.tensor(array) for name, array in alone.items()}
    check_same(value_and_gradients(loss, tensors, **parameters), expected, 1e-12, 1e-13)


# Arguments that are wrong, or right in another type


@every_entry
def test_what_is_no_array_of_numbers_is_an_error_that_names_it(entry):
    loss, parameters = entry.loss, parameters_of(entry)
    arrays = draw(entry, 3, parameters=parameters)
    for name, array in arrays.items():
        wrong = [
            None,
            "a string",
            1,
            1.5,
            array.tolist(),
            array.astype(object),
            array.astype(complex),
            array.astype(str),
            np.ma.masked_array(array),
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            wrong.append(np.matrix(array.reshape(len(array), -1)))
        if name in predictions_of(loss) or array.dtype.kind != "f":
            wrong.append(array.astype(bool))
        wrong.append(array.astype(np.int64 if name in predictions_of(loss) else np.float32))
        for bad in wrong:
            for function in (loss, loss.gradient):
                with pytest.raises(TypeError, match=rf"^{loss.name}: .*\b{name}\b"):
                    function(**{**arrays, name: bad}, **parameters)


@every_entry
def test_empty_arrays_are_an_error(entry):
    arrays = draw(entry, 3)
    empty = {name: array[:0] for name, array in arrays.items()}
    for some in (empty, in_torch(empty)):
        with pytest.raises(ValueError, match=rf"^{entry.loss.name}: .*(is|are) empty|at least one"):
            entry.loss(**some)


@every_entry
def test_targets_of_other_types_are_converted(entry):
    loss, parameters = entry.loss, parameters_of(entry)
    arrays = draw(entry, 3, parameters=parameters)
    for name, array in arrays.items():
        if name in predictions_of(loss):
            continue
        is_label = array.dtype.kind == "i"
        numbers = array if is_label else np.ones_like(array)  # 1 lies in every domain
        expected = value_and_gradients(loss, {**arrays, name: numbers}, **parameters)
        for dtype in (np.int8, np.uint8, np.int32, np.uint64) + (() if is_label else (bool,)):
            some = {**arrays, name: numbers.astype(dtype)}
            check_same(value_and_gradients(loss, some, **parameters), expected)
        for dtype in ("int8", "uint8", "int32"):
            some = in_torch(arrays)
            some[name] = torch.tensor(numbers).to(getattr(torch, dtype))
            check_same(value_and_gradients(loss, some, **parameters), expected, 1e-12, 1e-13)


def test_the_unsigned_integers_of_torch_are_compared_as_numbers():
    """In torch -1 is 255 to them: as a label of hinge 255 is wrong, and 1 is more than -1."""
    one, other = (torch.tensor([number], dtype=torch.uint8) for number in (1, 255))
    with pytest.raises(ValueError, match="target must be -1 or 1; it has 255"):
        hinge(other, torch.zeros(1))
    assert float(msle(one, torch.ones(1))) == 0
    logits = torch.zeros(1, 256)
    assert float(cross_entropy(other, logits, ignore_index=-1)) == pytest.approx(np.log(256))


# Extremes

SIZES = np.array([0, 1e-30, -1e-30, 0.5, 1, -1, 1e4, -1e4, 1e30, -1e30])
ROOM = 16  # what a loss may multiply or add before it divides, near the largest number of a type
# how large a prediction may be at which these losses must still be finite, and why not larger
LARGEST = {
    "rmse": (1e18, "the root is taken of a mean of squares, which must fit the type"),
    "info_nce": (1e15, "without normalising, queries and keys are multiplied, both extreme"),
    "linear_cross_entropy": (1e15, "features and head are multiplied, and both are extreme"),
    "ctc": (1e15, "a log-probability of -1e30 stands for what cannot happen"),
}


def extreme_samples(entry, dtype, beyond=()):
    """Samples whose predictions are extreme, alone and together; targets are ordinary."""
    loss, parameters = entry.loss, parameters_of(entry)
    limit = min(LARGEST.get(entry.name, (np.inf,))[0], float(np.finfo(dtype).max) / ROOM)
    values = np.array([*SIZES[abs(SIZES) <= limit], *{limit, -limit}, *beyond], dtype)
    if isinstance(loss, StructuredLoss):
        domain = loss.domains.get(loss.predictions[0])
    else:
        domain = entry.domains(parameters)[1]
    if domain is not None:
        near_1 = np.array([1 - np.finfo(dtype).epsneg], dtype)
        values = np.concatenate([values, near_1])
        values = values[~domain.outside(np, values)]
    rng = np.random.default_rng(7)
    ordinary = Drawn(entry, parameters, rng, 1).rows[0].astype(dtype)
    size = len(ordinary)
    rows = [np.full(size, value, dtype) for value in values]
    for value in values if size > 1 else ():
        row = ordinary.copy()
        row[rng.integers(size)] = value
        rows += [row, rng.choice(values, size=size), rng.choice(values, size=size)]
    drawn = Drawn(entry, parameters, rng, len(rows))
    drawn.arrays = tuple(
        array.astype(dtype) if array.dtype.kind == "f" else array for array in drawn.arrays
    )
    return drawn, np.array(rows)


def by_torch(drawn, entry, rows, together):
    """First and second derivatives as autograd finds them; the sums of the rows of Hessians."""
    arrays = dict(zip(entry.arguments, drawn.at(rows), strict=True))
    firsts, seconds = np.zeros_like(rows), np.zeros_like(rows)
    for part in [slice(i, i + 1) for i in range(len(rows))] if together else [slice(None)]:
        tensors = {
            name: torch.tensor(array[part][0] if together else array[part])
            for name, array in arrays.items()
        }
        leaves = [tensors[name].requires_grad_() for name in predictions_of(entry.loss)]
        value = entry.loss(**tensors, **summed(entry.loss, parameters_of(entry)))
        first = grad(value, leaves, create_graph=True)
        firsts[part] = flat(first, len(firsts[part]))
        total = sum(slope.sum() for slope in first)
        if total.requires_grad:
            seconds[part] = flat(grad(total, leaves), len(firsts[part]))
    return firsts, seconds


def grad(value, leaves, **options):
    return torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True, **options)


def flat(slopes, n):
    return np.concatenate([slope.numpy(force=True).reshape(n, -1) for slope in slopes], axis=1)


@every_entry
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow is what is asked for
def test_nothing_is_nan_at_extreme_predictions(entry, dtype):
    drawn, rows = extreme_samples(entry, dtype)
    values, slopes = drawn.values(rows), drawn.slopes(rows)
    assert not np.isnan(values).any() and not np.isnan(slopes[np.isfinite(values)]).any()
    finite = np.isfinite(values)
    drawn.arrays = tuple(array[finite] for array in drawn.arrays)
    drawn._n = int(finite.sum())
    firsts, seconds = by_torch(drawn, entry, rows[finite], is_of_a_batch(entry.loss))
    assert not np.isnan(firsts).any()
    if dtype is np.float64:  # in float32 1e-30 squared is 0
        assert np.isfinite(firsts).all() and np.isfinite(seconds).all()


@every_entry
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_finite_in_float64_and_fits_float32_is_finite_there(entry):
    drawn, rows = extreme_samples(entry, np.float32)
    found = drawn.values(rows), drawn.slopes(rows)
    drawn.arrays = tuple(
        array.astype(np.float64) if array.dtype.kind == "f" else array for array in drawn.arrays
    )
    exact = drawn.values(rows.astype(np.float64)), drawn.slopes(rows.astype(np.float64))
    for here, there in zip(found, exact, strict=True):
        fits = abs(there) < np.finfo(np.float32).max / ROOM
        assert np.isfinite(here[fits]).all()


@every_entry_of_one_number
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinite_and_largest_predictions(entry, dtype):
    """It has a limit at infinity, and so has its gradient; of several inf - inf would be NaN."""
    largest = np.finfo(dtype).max
    drawn, rows = extreme_samples(entry, dtype, (np.inf, -np.inf, largest, -largest))
    assert not np.isnan(drawn.values(rows)).any()
    assert not np.isnan(drawn.slopes(rows)).any()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_squares_of_the_rmse_must_fit_the_type():
    errors = np.array([1e30, 3e30], np.float32)
    assert rmse(np.zeros_like(errors), errors) == np.inf  # the square overflows
    assert rmse(np.zeros(2), errors.astype(np.float64)) == pytest.approx(np.sqrt(5) * 1e30)
    infinite = np.array([1.0, np.inf])
    assert rmse(np.zeros(2), infinite) == np.inf
    assert np.isnan(rmse.gradient(np.zeros(2), infinite)[1])  # inf / inf
    assert rmse.gradient(np.zeros(2), infinite)[0] == 0


# All of it at once


@settings(max_examples=400, deadline=None)
@given(
    entry=st.sampled_from(list(CATALOGUE.values())),
    n=st.integers(1, 6),
    seed=st.integers(0, 10_000),
    spread=st.sampled_from([0.1, 1.0, 4.0]),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    weighted=st.booleans(),
    reduction=st.sampled_from(["mean", "sum", "none"]),
    data=st.data(),
)
def test_of_every_loss(entry, n, seed, spread, dtype, weighted, reduction, data):
    loss, parameters = entry.loss, data.draw(st.sampled_from(entry.examples))
    arrays = draw(entry, seed, n, spread, dtype, parameters)
    options = dict(parameters)
    has_values = "reduction" in loss.__signature__.parameters
    if has_values:
        values = loss(**arrays, reduction="none", **parameters)
        options["reduction"] = reduction
        assert values.dtype == dtype
    else:
        reduction = "mean"
        values = np.empty(arrays["target"].shape)
    weight = np.ones(values.shape, dtype)
    if weighted:
        rng = np.random.default_rng(seed)
        weight = (rng.integers(0, 3, size=values.shape) / 2).astype(dtype)  # some are 0
        weight.flat[0] = 1
        options["weight"] = weight
    before = {name: array.copy() for name, array in arrays.items()}
    value = loss(**arrays, **options)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, before[name])
    assert value.dtype == dtype and np.isfinite(value).all()
    eps = float(np.finfo(dtype).eps)
    if has_values:
        total = (weight.astype(np.float64) * values.astype(np.float64)).sum()
        sought = {"mean": total / weight.sum(dtype=np.float64), "sum": total}
        sought = sought.get(reduction, weight * values)
        room = 8 * eps * (1 + np.abs(values.astype(np.float64)).sum())
        np.testing.assert_allclose(value, sought, rtol=0, atol=room)
    if getattr(loss, "coupled", False) and reduction == "none":
        return
    both, slopes = value_and_gradients(loss, arrays, **options)
    np.testing.assert_array_equal(both, value)
    for name, slope in slopes.items():
        assert slope.dtype == dtype and slope.shape == arrays[name].shape
        assert np.isfinite(slope).all()
    if dtype is np.float64:
        tensors = in_torch(arrays)
        leaves = [tensors[name].requires_grad_() for name in slopes]
        if weighted:
            options["weight"] = torch.tensor(weight)
        found = grad(loss(**tensors, **options).sum(), leaves)
        for slope, automatic in zip(slopes.values(), found, strict=True):
            room = 1e-12 * (1 + np.abs(slope).max())
            np.testing.assert_allclose(automatic.numpy(), slope, rtol=1e-11, atol=room)
