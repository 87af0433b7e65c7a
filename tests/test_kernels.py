"""The fast ways to a loss give what its formula gives: the kernels, and the faster NumPy."""

import mpmath
import numpy as np
import pytest
from cases import RUN_NAMES, RUNS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import lossbook
from lossbook import backend, fast_numpy, kernels
from lossbook.checks import NUMPY

TYPES = [np.float32, np.float64]
both_types = pytest.mark.parametrize("dtype", TYPES)
every_run = pytest.mark.parametrize(("case", "parameters"), RUNS, ids=RUN_NAMES)

HOT = {
    "mse": ({},),
    "rmse": ({},),
    "mae": ({},),
    "brier": ({},),
    "huber": ({"delta": 1.0}, {"delta": 1e-3}, {"delta": np.float64(7.5)}, {"delta": 1e30}),
    "bce_with_logits": ({},),
    "cross_entropy": ({}, {"label_smoothing": 0.1}),
}
every_kernel = pytest.mark.parametrize(
    ("name", "parameters"),
    [(name, parameters) for name, sets in HOT.items() for parameters in sets],
    ids=str,
)


def eps(dtype):
    return float(np.finfo(dtype).eps)


def by_formula(function):
    """What the function returns with neither kernel nor faster NumPy."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(invalid="ignore"):
        patch.setattr(kernels, "run", lambda *arguments: None)
        patch.setattr(fast_numpy, "FROM", 10**12)
        return function()


def roundings(name, target, prediction):
    """How far formula and kernel may be apart, relatively, and in units of the largest slope."""
    if name == "cross_entropy":
        with np.errstate(invalid="ignore"):
            widest = np.nan_to_num(np.ptp(prediction, axis=-1), posinf=0).max()
        # the formula rounds the difference of two logits, whose exponential it takes
        return 8 + min(widest, 1000), 0
    if name == "bce_with_logits":
        is_soft = ((target > 0) & (target < 1)).any()
        return 8, 2 * is_soft  # the slope σ(z) - y of a label between 0 and 1 is a difference
    return 8, 0


def arguments(name, dtype, values, seed):
    """A target for the predictions ``values``, and these with a class axis where one is needed."""
    rng = np.random.default_rng(seed)
    if name == "brier":
        with np.errstate(invalid="ignore"):
            share = np.abs(values) - np.floor(np.abs(values))  # in [0, 1), or NaN
        return rng.integers(0, 2, values.shape).astype(dtype), share
    if name == "cross_entropy":
        table = values[: values.size // 3 * 3].reshape(-1, 3)
        return rng.integers(0, 3, len(table)), table
    if name == "bce_with_logits":
        soft = rng.random(values.shape)
        return np.where(soft < 0.3, 0, np.where(soft < 0.6, 1, soft)).astype(dtype), values
    return rng.permutation(values), values


def check_equal(name, dtype, target, prediction, parameters):
    loss = getattr(lossbook, name)
    for reduction in ("mean", "sum")[: 1 if name == "rmse" else 2]:
        options = {**parameters} if name == "rmse" else {"reduction": reduction, **parameters}
        with np.errstate(invalid="ignore"):
            value, slope = loss.value_and_gradient(target, prediction, **options)
            assert np.array_equal(loss(target, prediction, **options), value, equal_nan=True)
            alone = loss.gradient(target, prediction, **options)
        expected, slopes = by_formula(
            lambda options=options: loss.value_and_gradient(target, prediction, **options)
        )
        relative, absolute = roundings(name, target, prediction)
        rtol = relative * eps(dtype)
        tiny = float(np.finfo(dtype).tiny)  # below it no type has relative accuracy
        np.testing.assert_allclose(value, expected, rtol=rtol, atol=tiny)
        largest = np.abs(slopes[np.isfinite(slopes)]).max(initial=0)
        atol = tiny + absolute * eps(dtype) * largest
        np.testing.assert_allclose(alone, slopes, rtol=rtol, atol=atol)
        np.testing.assert_allclose(slope, slopes, rtol=rtol, atol=atol)
        assert value.dtype == slope.dtype == dtype


@every_kernel
@both_types
@pytest.mark.parametrize("scale", [1e-30, 1e-6, 0.1, 1.0, 10.0, 100.0, 1e5])
@pytest.mark.parametrize("size", [3, 511, 1500, 4099, 70_000])
def test_kernels_equal_the_formula(name, parameters, dtype, scale, size):
    values = (scale * np.random.default_rng(size).normal(size=size)).astype(dtype)
    target, prediction = arguments(name, dtype, values, 1)
    check_equal(name, dtype, target, prediction, parameters)


@every_kernel
@both_types
@settings(max_examples=60, deadline=None)
@given(data=st.data(), seed=st.integers(0, 99))
def test_kernels_equal_the_formula_for_any_number(name, parameters, dtype, data, seed):
    numbers = st.one_of(
        st.floats(-8, 8, width=32),
        # NaN, infinity and the smallest among them; above 8e37 the formula's 2 (ŷ - y) overflows
        st.floats(width=32).filter(lambda x: not 8e37 < abs(x) < np.inf),
        st.sampled_from([0.0, -0.0, 1e-30, 88.0, -88.0, 104.0, 1e19, -1e19, 8e37, np.inf]),
    )
    size = data.draw(st.integers(3, 30))
    values = data.draw(arrays(dtype, size, elements=numbers))
    target, prediction = arguments(name, dtype, values, seed)
    check_equal(name, dtype, target, prediction, parameters)


@every_kernel
@both_types
def test_kernels_take_any_memory(name, parameters, dtype):
    values = np.random.default_rng(0).normal(size=6000).astype(dtype)
    target, prediction = arguments(name, dtype, values, 2)
    wide = np.repeat(prediction, 2, axis=0)
    frozen = prediction.copy()
    frozen.flags.writeable = False
    loss = getattr(lossbook, name)
    expected = loss.value_and_gradient(target, prediction, **parameters)
    for same in (wide[::2], np.asfortranarray(prediction), frozen):
        value, slope = loss.value_and_gradient(target, same, **parameters)
        assert value == expected[0]
        np.testing.assert_array_equal(slope, expected[1])
    one = np.broadcast_to(prediction[:1], prediction.shape)  # strides of zero
    labels = np.broadcast_to(target[:1], target.shape)
    check_equal(name, dtype, labels, one, parameters)


@both_types
@pytest.mark.parametrize("shape", [(6, 50, 20), (1, 1), (), (3, 1, 7)], ids=str)
def test_kernels_take_any_shape(dtype, shape):
    rng = np.random.default_rng(0)
    prediction, target = (rng.normal(size=shape).astype(dtype) for _ in "ab")
    for name in ("mse", "mae", "huber"):
        check_equal(name, dtype, target, prediction, {})
    logits = rng.normal(size=(*shape, 4)).astype(dtype)
    labels = rng.integers(0, 4, shape)
    check_equal("cross_entropy", dtype, labels, logits, {})
    assert lossbook.cross_entropy.gradient(labels, logits).shape == logits.shape


@pytest.mark.parametrize("integer", [bool, np.int8, np.uint8, np.int64, np.uint64])
def test_kernels_take_any_integer(integer):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(500, 2)).astype(np.float32)
    labels = rng.integers(0, 2, 500).astype(integer)
    if integer is not bool:
        check_equal("cross_entropy", np.float32, labels, logits, {})
    check_equal("bce_with_logits", np.float32, labels, logits[:, 0], {})
    check_equal("mse", np.float32, labels, logits[:, 0], {})


@both_types
@pytest.mark.parametrize("gap", [5, 20, 40, 80, 95, 300])
def test_confident_predictions_keep_the_digits_of_a_tiny_loss(dtype, gap):
    logits = np.zeros((2000, 3), dtype)
    logits[:, 0] = gap
    labels = np.zeros(2000, int)
    exact = float(mpmath.log1p(2 * mpmath.exp(-gap)))
    atol = 4 * float(np.finfo(dtype).smallest_subnormal)
    value, slope = lossbook.cross_entropy.value_and_gradient(labels, logits, reduction="sum")
    assert float(value) / 2000 == pytest.approx(exact, rel=8 * eps(dtype), abs=atol)
    assert slope[0, 0] == pytest.approx(-exact, rel=max(exact, 8 * eps(dtype)), abs=atol)
    exact = float(mpmath.log1p(mpmath.exp(-gap)))
    ones = np.ones(2000, dtype)
    value, slope = lossbook.bce_with_logits.value_and_gradient(ones, logits[:, 0], reduction="sum")
    assert float(value) / 2000 == pytest.approx(exact, rel=8 * eps(dtype), abs=atol)
    assert slope[0] == pytest.approx(-exact, rel=max(exact, 8 * eps(dtype)), abs=atol)


@pytest.mark.parametrize("name", ["mse", "mae", "huber", "bce_with_logits"])
def test_float32_sums_are_right_to_a_last_digit_or_two(name):
    # equal numbers are the worst case: every addition rounds the same way
    rng = np.random.default_rng(0)
    loss = getattr(lossbook, name)
    target = np.zeros(300_000, np.float32)
    for constant in rng.uniform(0.5, 2, size=30).astype(np.float32):
        value = float(loss(target, np.full(300_000, constant)))
        exact = float(loss(np.zeros(1), np.full(1, constant, np.float64)))
        assert value == pytest.approx(exact, rel=4 * eps(np.float32))
    prediction = rng.normal(size=300_000).astype(np.float32)
    value = float(loss(target, prediction))
    exact = float(loss(target.astype(float), prediction.astype(float)))
    assert value == pytest.approx(exact, rel=1.1 * eps(np.float32))


def test_what_float32_cannot_hold_on_the_way():
    error = np.array([3e38, 0], np.float32)
    assert lossbook.mse.gradient(0 * error, error).tolist() == error.tolist()  # not 2 · inf / 2
    error = np.full(100_000, 1e19, np.float32)  # squares are 1e38, and their sum is infinite
    expected = lossbook.mse(np.zeros(1), error[:1].astype(float))
    assert lossbook.mse(0 * error, error) == pytest.approx(expected, rel=1e-6)
    values = np.full(100_000, 3e38, np.float32)
    assert lossbook.mae(0 * values, values) == pytest.approx(3e38, rel=1e-6)


# The faster NumPy


def spread(dtype, low, high, signed=True):
    rng = np.random.default_rng(0)
    sizes = np.exp(rng.uniform(low, high, 20_000))
    return (sizes * rng.choice([-1, 1], sizes.size) if signed else sizes).astype(dtype)


def errors(found, function, x):
    """How many units of the last place each is from mpmath's value."""
    exact = np.array([float(function(mpmath.mpf(float(v)))) for v in x[:3000]])
    unit = np.spacing(np.abs(exact).astype(found.dtype)).astype(float)
    return np.abs(found[:3000].astype(float) - exact) / unit


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("log1p", spread(np.float32, -40, 0, signed=True) * np.float32(0.99)),
        ("log1p", spread(np.float32, -3, 40, signed=False)),
        ("expm1", spread(np.float32, -40, 0)),
        ("expm1", np.clip(spread(np.float32, -40, 5), -100, 80)),
        ("sinh", spread(np.float32, -40, 0) * np.float32(0.99)),
    ],
)
def test_functions_of_float32_are_exact_to_four_units(name, x):
    found = getattr(fast_numpy, name)(x)
    assert found.dtype == np.float32
    assert errors(found, getattr(mpmath, name), x).max() <= 4


@both_types
def test_softplus_is_exact_to_four_units(dtype):
    x = np.clip(spread(dtype, -40, 5), -80, None)
    found = backend.softplus(fast_numpy, x)
    assert errors(found, lambda v: mpmath.log1p(mpmath.exp(v)), x).max() <= 4


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 1, -1, 5, 1e-40, 3e38, -3e38, 89, -104])


@both_types
@pytest.mark.parametrize("name", ["log1p", "expm1", "sinh", "softplus"])
def test_special_values_are_those_of_numpy(name, dtype):
    def call(xp, x):
        return backend.softplus(xp, x) if name == "softplus" else getattr(xp, name)(x)

    for count in range(1, len(SPECIAL) + 1):
        x = SPECIAL[:count].astype(dtype)
        for part in (x, x[-1:], x[None]):
            with np.errstate(all="ignore"):
                found, expected = call(fast_numpy, part), call(NUMPY, part)
            np.testing.assert_allclose(found, expected, rtol=4 * eps(dtype), atol=1e-44)


@both_types
def test_where_chooses_bit_by_bit(dtype):
    rng = np.random.default_rng(0)
    with np.errstate(over="ignore"):
        x = np.concatenate([SPECIAL, rng.normal(size=87)]).astype(dtype).reshape(10, 10)
    y = x[::-1].copy()
    condition = rng.random((10, 10)) < 0.5
    cases = [(x, y), (x, 0), (0, x), (x, -np.inf), (0.5, x), (-0.0, x), (x, dtype(3)), (1, 0)]
    cases += [(x, y[:, :1]), (y[:, :1], x), (x[0], y[:, :1]), (x.T, y), (x, y.astype(np.float16))]
    cases += [(np.float64(0.1), x), (x, np.arange(100).reshape(10, 10)), (x[0, 0], x), (2, y[0])]
    for a, b in cases:
        for c in (condition, condition[::2, :].repeat(2, 0), condition[0]):
            found, expected = fast_numpy.where(c, a, b), np.where(c, a, b)
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


@both_types
@pytest.mark.parametrize("columns", [1, 2, 10, 33, 512, 513])
def test_rows(columns, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000 // columns, columns)).astype(dtype)
    labels = rng.integers(0, columns, len(x))
    for table in (x, x[::2], np.asfortranarray(x)):
        index = labels[: len(table)]
        np.testing.assert_array_equal(fast_numpy.max(table, axis=-1), table.max(-1))
        np.testing.assert_allclose(
            fast_numpy.sum(table, axis=-1, keepdims=True),
            table.sum(-1, keepdims=True),
            atol=eps(dtype) * columns,
        )
        np.testing.assert_array_equal(
            backend.pick(fast_numpy, table, index), backend.pick(NUMPY, table, index)
        )
        np.testing.assert_array_equal(
            backend.one_hot(fast_numpy, index, table), backend.one_hot(NUMPY, index, table)
        )


@both_types
@pytest.mark.parametrize("columns", [1, 2, 3, 40, 700])
def test_centred_scores(columns, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, columns)) * rng.choice([0, 1, 30, 1e4], size=(300, 1))
    x = x.astype(dtype)
    x[0], x[1, columns // 2 :] = 1, 50  # ties
    scores, log_total = backend.centred(fast_numpy, x)
    expected_scores, expected = backend.centred(NUMPY, x)
    np.testing.assert_array_equal(scores, expected_scores)
    np.testing.assert_allclose(log_total, expected, rtol=8 * eps(dtype), atol=1e-44)
    for bad in (np.nan, np.inf, -np.inf):
        x[2] = bad
        with np.errstate(invalid="ignore"):
            found = backend.centred(fast_numpy, x)
            expected = backend.centred(NUMPY, x)
        for part, expected_part in zip(found, expected, strict=True):
            np.testing.assert_allclose(part, expected_part, rtol=8 * eps(dtype), atol=1e-44)


@every_run
@both_types
def test_every_loss_is_what_plain_numpy_gives(case, parameters, dtype):
    target, prediction = case.draw(11, (6000,), dtype)
    if case.takes_logarithms:
        prediction = prediction - dtype(0.01)
    options = {} if case.has_mean_only else {"reduction": "none"}
    for function in (case.loss, case.loss.gradient):
        found = function(target, prediction, **options, **parameters)
        plain = by_formula(lambda f=function: f(target, prediction, **options, **parameters))
        wide = target.astype(float) if target.dtype == dtype else target
        exact = function(wide, prediction.astype(float), **options, **parameters)
        assert found.dtype == plain.dtype == dtype
        largest = np.abs(exact).max()
        if dtype == np.float64:  # there is no wider reference
            atol = 16 * eps(dtype) * largest
            np.testing.assert_allclose(found, plain, rtol=8 * eps(dtype), atol=atol)
            continue
        error, error_of_plain = np.abs(found - exact).max(), np.abs(plain - exact).max()
        assert error <= 4 * error_of_plain + eps(dtype) * largest
