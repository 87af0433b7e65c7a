"""The functions that the array API lacks: values, first and second derivatives, both libraries."""

import mpmath
import numpy as np
import pytest
from array_api_compat import array_namespace
from optional import torch

from lossbook import backend

POINTS = [-800.0, -100.0, -20.0, -1e-3, 0.0, 1e-3, 20.0, 100.0, 800.0]
libraries = pytest.mark.parametrize(
    "make", [np.asarray, lambda array: torch.tensor(array)], ids=["numpy", "torch"]
)

EXACT = {
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "log_sigmoid": lambda x: -mpmath.log1p(mpmath.exp(-x)),
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "log1p_square": lambda x: mpmath.log1p(x**2),
    "erf": mpmath.erf,
}


@libraries
@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("x", POINTS)
def test_values_over_the_whole_range(make, name, x):
    array = make(np.array([x]))
    value = float(getattr(backend, name)(array_namespace(array), array)[0])
    expected = float(EXACT[name](mpmath.mpf(x)))
    assert value == pytest.approx(expected, rel=4e-15, abs=np.finfo(float).tiny)


@pytest.mark.parametrize("x", POINTS)
def test_softplus_has_its_first_and_second_derivative_everywhere(x):
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    value = backend.softplus(array_namespace(leaf), leaf)
    (first,) = torch.autograd.grad(value, leaf, create_graph=True)
    (second,) = torch.autograd.grad(first, leaf)
    sigmoid = EXACT["sigmoid"](mpmath.mpf(x))
    assert first.item() == pytest.approx(float(sigmoid), rel=1e-14)
    assert second.item() == pytest.approx(float(sigmoid * (1 - sigmoid)), abs=1e-16)


@libraries
def test_logsumexp_of_infinities(make):
    rows = make(np.array([[-np.inf, -np.inf], [-np.inf, 3.0], [np.inf, 0.0], [1e4, 1e4]]))
    value = backend.logsumexp(array_namespace(rows), rows)
    assert value.tolist() == [-np.inf, 3.0, np.inf, pytest.approx(1e4 + np.log(2))]


def test_the_gradient_of_logsumexp_where_the_largest_tie():
    rows = torch.tensor([[1.0, 1.0, 1.0], [0.0, 0.0, -5.0]], dtype=torch.float64)
    leaf = rows.clone().requires_grad_()
    (slope,) = torch.autograd.grad(backend.logsumexp(array_namespace(leaf), leaf).sum(), leaf)
    np.testing.assert_allclose(slope.numpy(), torch.softmax(rows, -1).numpy(), rtol=1e-14)


@libraries
@pytest.mark.parametrize("function", [backend.log_softmax, backend.softmax])
def test_softmax_rows(make, function):
    rows = make(np.array([[1000.0, 1000.0], [0.0, np.log(3.0)]]))
    value = np.asarray(function(array_namespace(rows), rows))
    probabilities = np.exp(value) if function is backend.log_softmax else value
    np.testing.assert_allclose(probabilities, [[0.5, 0.5], [0.25, 0.75]])


@pytest.mark.parametrize(
    ("function", "pole"),
    [(backend.xlogy, 0.0), (backend.xlog1py, -1.0), (backend.product, np.inf)],
)
def test_zero_wins_over_the_pole_in_value_and_gradient(function, pole):
    assert function(np, np.zeros(1), np.array([pole])).tolist() == [0.0]
    leaf = torch.tensor([pole], dtype=torch.float64, requires_grad=True)
    function(array_namespace(leaf), torch.zeros(1, dtype=torch.float64), leaf).backward()
    assert leaf.grad.tolist() == [0.0]


@libraries
@pytest.mark.parametrize("x", [1e-160, 1e-9, 1.0, 1e9, 1e300, np.inf])
def test_log1p_square_of_tiny_and_huge_numbers(make, x):
    array = make(np.array([x, -x]))
    value = backend.log1p_square(array_namespace(array), array)
    expected = float(mpmath.log1p(mpmath.mpf(x) ** 2))
    assert value.tolist() == [pytest.approx(expected, rel=4e-15)] * 2


@libraries
@pytest.mark.parametrize("x", [0.5, 1.0, 2.0, 3.5, 1e4])
def test_lgamma(make, x):
    array = make(np.array([x]))
    value = float(backend.lgamma(array_namespace(array), array)[0])
    assert value == pytest.approx(float(mpmath.loggamma(x)), rel=1e-14, abs=1e-15)


@libraries
def test_the_softmax_of_large_float32_logits_keeps_its_digits(make):
    rows = make(np.array([[10000.0, 10000.0]], np.float32))
    value = np.asarray(backend.softmax(array_namespace(rows), rows))
    np.testing.assert_allclose(value, [[0.5, 0.5]], rtol=2e-7)


@libraries
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_pick_and_one_hot(make, dtype):
    table = make(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    labels = make(np.array([2, 0], dtype=dtype))
    xp = array_namespace(table)
    assert backend.pick(xp, table, labels).tolist() == [3.0, 4.0]
    assert backend.one_hot(xp, labels, table).tolist() == [[0, 0, 1], [1, 0, 0]]
