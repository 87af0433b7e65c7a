"""Barron's family: its special cases and limits, how little outliers pull, its extremes."""

import mpmath
import numpy as np
import pytest
from cases import CASES, exact
from compiled import check_under_compilers
from hypothesis import given
from hypothesis import strategies as st
from optional import torch
from scipy.optimize import minimize_scalar

from lossbook import (
    barron,
    cauchy,
    charbonnier,
    geman_mcclure,
    huber,
    mae,
    mse,
    welsch,
    wing,
)

NAMED = {charbonnier: 1.0, cauchy: 0.0, geman_mcclure: -2.0, welsch: -np.inf}
every_alpha = pytest.mark.parametrize(
    "alpha", [-np.inf, -1e9, -2.0, -1e-9, 0.0, 1e-9, 1.0, 1.5, 2 - 1e-9, 2.0, 2 + 1e-9, 3.0]
)
FORMULAS = {
    charbonnier: lambda x: np.sqrt(x**2 + 1) - 1,
    cauchy: lambda x: np.log(x**2 / 2 + 1),
    geman_mcclure: lambda x: 2 * x**2 / (x**2 + 4),
    welsch: lambda x: 1 - np.exp(-(x**2) / 2),
}


@pytest.mark.parametrize("loss", NAMED)
@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
def test_the_named_losses_equal_their_own_formulas(loss, scale):
    error = np.linspace(-6, 6, 41)
    values = loss(np.zeros(41), error, scale=scale, reduction="none")
    np.testing.assert_allclose(values, FORMULAS[loss](error / scale), rtol=1e-12, atol=1e-15)
    general = barron(np.zeros(41), error, alpha=NAMED[loss], scale=scale, reduction="none")
    np.testing.assert_array_equal(values, general)


def test_alpha_2_is_half_the_squared_error():
    error = np.linspace(-3, 3, 13)
    assert barron(np.zeros(13), error, alpha=2) == mse(np.zeros(13), error) / 2


@every_alpha
@pytest.mark.parametrize("error", [0.0, 1e-8, 0.3, -2.0, 50.0])
def test_every_alpha_is_exact_its_limits_and_their_neighbours_too(alpha, error):
    arguments = np.zeros(1), np.array([error])
    with mpmath.workdps(60):
        expected = float(CASES["barron"].reference(exact(0), exact(error), alpha))
    value = float(barron(*arguments, alpha=alpha))
    assert value == pytest.approx(expected, rel=1e-13, abs=1e-300)
    with mpmath.workdps(60):
        slope = mpmath.diff(lambda p: CASES["barron"].reference(0, p, alpha), exact(error))
    assert barron.gradient(*arguments, alpha=alpha)[0] == pytest.approx(float(slope), rel=1e-12)


@given(st.floats(-20, 2), st.floats(0.1, 10), st.floats(-100, 100))
def test_the_weight_of_an_error_falls_with_its_size(alpha, scale, error):
    """slope / error lies between 0 and 1/c², its value at 0: none counts more than under ½ e²."""
    slope = barron.gradient(np.zeros(1), np.array([error]), alpha=alpha, scale=scale)[0]
    assert slope * error >= 0
    assert abs(slope) <= abs(error) / scale**2 * (1 + 1e-12) + 1e-300


@pytest.mark.parametrize("alpha", [-np.inf, -2.0, 0.0, 1.0, 2.0, 3.0])
def test_small_errors_cost_half_their_square_for_every_alpha(alpha):
    value = barron(np.zeros(1), np.array([1e-6]), alpha=alpha)
    assert value == pytest.approx(5e-13, rel=1e-10)


class TestMinimisers:
    data = np.concatenate([np.random.default_rng(0).normal(size=100), np.full(20, 30.0)])

    def best_constant(self, loss, **parameters):
        def cost(constant):
            return loss(self.data, np.full_like(self.data, constant), **parameters)

        grid = np.linspace(-3, 33, 361)
        start = grid[np.argmin([cost(constant) for constant in grid])]
        bounds = (start - 0.2, start + 0.2)
        return minimize_scalar(cost, bounds=bounds, options={"xatol": 1e-10}, method="bounded").x

    def test_the_smaller_alpha_the_less_outliers_pull(self):
        pulls = [self.best_constant(barron, alpha=a) for a in (2.0, 1.5, 1.0, 0.0, -np.inf)]
        assert pulls == sorted(pulls, reverse=True)
        assert pulls[0] == pytest.approx(self.data.mean(), abs=1e-6)
        assert abs(pulls[-1] - self.data[:100].mean()) < 0.2

    def test_charbonnier_tends_to_the_median_and_to_the_mean(self):
        assert self.best_constant(charbonnier, scale=1e-4) == pytest.approx(
            np.median(self.data), abs=1e-2
        )
        assert self.best_constant(charbonnier, scale=1e4) == pytest.approx(
            self.data.mean(), abs=1e-3
        )

    def test_a_redescending_loss_has_a_local_minimum_at_the_outliers(self):
        def cost(constant):
            return welsch(self.data, np.full_like(self.data, constant))

        assert cost(30.0) < cost(29.0) and cost(30.0) < cost(31.0)
        assert cost(self.best_constant(welsch)) < cost(30.0)

    def test_welsch_asks_for_the_highest_point_of_a_kernel_density(self):
        grid = np.linspace(-3, 33, 7201)
        kernels = np.exp(-0.5 * ((grid[:, None] - self.data) / 0.5) ** 2)
        highest = grid[np.argmax(kernels.sum(axis=1))]
        assert self.best_constant(welsch, scale=0.5) == pytest.approx(highest, abs=0.006)


class TestExtremes:
    @pytest.mark.parametrize("loss", NAMED)
    def test_errors_of_1e300_have_their_exact_cost(self, loss):
        value = float(loss(np.zeros(1), np.array([1e300])))
        with mpmath.workdps(700):
            expected = float(CASES["barron"].reference(0, exact(1e300), NAMED[loss]))
        assert value == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("sign", [-1, 1])
    def test_infinite_errors_have_the_limits(self, sign):
        limits = [(1.5, np.inf, np.inf), (1, np.inf, 0.5), (0, np.inf, 0), (-2, 2, 0)]
        for alpha, value, slope in [*limits, (-np.inf, 1, 0), (2, np.inf, np.inf)]:
            arguments = np.zeros(1), np.array([sign * np.inf])
            assert barron(*arguments, alpha=alpha, scale=2.0) == value
            assert barron.gradient(*arguments, alpha=alpha, scale=2.0)[0] == sign * slope

    @pytest.mark.parametrize("loss", NAMED)
    def test_no_error_costs_0_and_has_the_slope_0_and_curvature_1(self, loss):
        leaf = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        value = loss(torch.zeros(1, dtype=torch.float64), leaf, scale=2.0)
        (slope,) = torch.autograd.grad(value, leaf, create_graph=True)
        (curvature,) = torch.autograd.grad(slope, leaf)
        assert (value.item(), slope.item()) == (0, 0)
        assert curvature.item() == pytest.approx(1 / 4)


@pytest.mark.parametrize("alpha", [np.inf, np.nan, "2", None])
def test_alpha_is_a_number_or_minus_infinity(alpha):
    with pytest.raises(ValueError, match="barron: alpha must be a finite number or -inf"):
        barron(np.zeros(1), np.zeros(1), alpha=alpha)


def test_charbonnier_is_close_to_huber_far_out():
    error = np.array([1e6])
    assert charbonnier(np.zeros(1), error) == pytest.approx(huber(np.zeros(1), error), rel=1e-5)


class TestWing:
    @pytest.mark.parametrize("parameters", [{}, {"width": 1.5, "curvature": 0.5}])
    def test_under_compilers(self, parameters):
        check_under_compilers(CASES["wing"], parameters)

    def test_is_continuous_and_its_slope_jumps_at_the_width_and_at_0(self):
        errors = np.array([-1e-12, 0, 1e-12, 10, 10 + 1e-9])
        slopes = wing.gradient(np.zeros(5), errors, reduction="sum")
        np.testing.assert_allclose(slopes, [-5, 0, 5, 10 / 12, 1])
        values = wing(np.zeros(5), errors, reduction="none")
        assert values[4] == pytest.approx(values[3], abs=1e-8)
        assert values[1] == 0

    def test_far_out_it_is_the_absolute_error_up_to_a_constant(self):
        errors = np.array([20.0, 1000.0])
        rise = np.diff(wing(np.zeros(2), errors, reduction="none"))
        assert rise == pytest.approx(np.diff(mae(np.zeros(2), errors, reduction="none")))

    def test_asks_for_one_of_the_targets(self):
        target = np.array([0.0, 0.5, 3.0, 4.0, 4.2])
        grid = np.linspace(-1, 6, 1401)
        costs = [wing(target, np.full(5, point)) for point in grid]
        assert np.abs(target - grid[np.argmin(costs)]).min() < 1e-9

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_a_tiny_error_keeps_its_digits(self, dtype):
        value = wing(np.zeros(1, dtype), np.full(1, 1e-20, dtype))
        assert value == pytest.approx(5e-20, rel=1e-6)
