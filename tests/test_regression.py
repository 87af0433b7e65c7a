"""Regression losses against torch and scikit-learn, their minimisers, their extremes, the RMSE."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import functional as F
from optional import torch
from scipy.optimize import minimize_scalar
from sklearn import metrics
from sklearn.linear_model import _sgd_fast as sgd

from lossbook import (
    epsilon_insensitive,
    expectile,
    huber,
    log_cosh,
    mae,
    mape,
    mse,
    msle,
    pinball,
    rmse,
    rmsle,
    smooth_l1,
    squared_epsilon_insensitive,
)

finite = st.floats(-1e4, 1e4)


def pair(dtype, n=101, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=n).astype(dtype), (3 * rng.normal(size=n)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("loss", "theirs", "parameters"),
    [
        (mse, "mse_loss", {}),
        (mae, "l1_loss", {}),
        (huber, "huber_loss", {"delta": 1.0}),
        (huber, "huber_loss", {"delta": 0.25}),
        (smooth_l1, "smooth_l1_loss", {"beta": 1.0}),
        (smooth_l1, "smooth_l1_loss", {"beta": 0.25}),
    ],
)
def test_values_and_gradients_equal_torch(loss, theirs, parameters, reduction, dtype):
    target, prediction = pair(dtype)
    leaf = torch.tensor(prediction, requires_grad=True)
    expected = getattr(F, theirs)(leaf, torch.tensor(target), reduction=reduction, **parameters)
    expected.sum().backward()
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-13}
    ours = loss(target, prediction, reduction=reduction, **parameters)
    np.testing.assert_allclose(ours, expected.detach().numpy(), **tolerance)
    gradient = loss.gradient(target, prediction, reduction=reduction, **parameters)
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), **tolerance)


def test_smooth_l1_is_huber_divided_by_beta():
    target, prediction = (torch.tensor(array) for array in pair(np.float64))
    theirs = F.smooth_l1_loss(prediction, target, beta=0.4)
    assert float(huber(target, prediction, delta=0.4) / 0.4) == pytest.approx(float(theirs))


def test_scikit_learn_agrees():
    target, prediction = pair(np.float64)
    assert mse(target, prediction) == pytest.approx(metrics.mean_squared_error(target, prediction))
    assert rmse(target, prediction) == pytest.approx(
        metrics.root_mean_squared_error(target, prediction)
    )
    assert mae(target, prediction) == pytest.approx(metrics.mean_absolute_error(target, prediction))
    assert pinball(target, prediction, quantile=0.8) == pytest.approx(
        metrics.mean_pinball_loss(target, prediction, alpha=0.8)
    )


def test_scikit_learn_agrees_on_relative_and_logarithmic_errors():
    target, prediction = (abs(array) + 0.1 for array in pair(np.float64))
    assert mape(target, prediction) == pytest.approx(
        metrics.mean_absolute_percentage_error(target, prediction)
    )
    assert msle(target, prediction) == pytest.approx(
        metrics.mean_squared_log_error(target, prediction)
    )
    assert rmsle(target, prediction) == pytest.approx(
        metrics.root_mean_squared_log_error(target, prediction)
    )


@pytest.mark.parametrize(
    ("loss", "theirs"),
    [
        (epsilon_insensitive, sgd.EpsilonInsensitive),
        (squared_epsilon_insensitive, sgd.SquaredEpsilonInsensitive),
    ],
)
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 2.0])
def test_epsilon_insensitive_losses_equal_those_of_scikit_learn(loss, theirs, epsilon):
    target, prediction = pair(np.float64)
    reference = theirs(epsilon)
    for y, p in zip(target, prediction, strict=True):
        arguments = np.array([y]), np.array([p])
        assert loss(*arguments, epsilon=epsilon) == pytest.approx(reference.py_loss(p, y))
        slope = loss.gradient(*arguments, epsilon=epsilon)[0]
        assert slope == pytest.approx(reference.py_dloss(p, y))


class TestSpecialCases:
    target, prediction = pair(np.float64)

    @pytest.mark.parametrize("part", ["value", "gradient"])
    def test_each_is_the_other(self, part):
        def of(loss, **parameters):
            function = loss if part == "value" else loss.gradient
            return function(self.target, self.prediction, **parameters)

        for ours, theirs in [
            (0.4 * of(smooth_l1, beta=0.4), of(huber, delta=0.4)),
            (2 * of(expectile), of(mse)),
            (of(epsilon_insensitive, epsilon=0), of(mae)),
            (of(squared_epsilon_insensitive, epsilon=0), of(mse)),
        ]:
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)

    def test_rmsle_is_the_root_of_the_msle_and_the_rmse_of_the_logarithms(self):
        target, prediction = abs(self.target), abs(self.prediction)
        weight = np.random.default_rng(1).uniform(size=target.shape)
        value = rmsle(target, prediction, weight=weight)
        assert value == pytest.approx(np.sqrt(msle(target, prediction, weight=weight)))
        assert value == pytest.approx(
            rmse(np.log1p(target), np.log1p(prediction), weight=weight), rel=1e-12
        )


class TestKinks:
    """At a kink the gradient is the subgradient of smallest size, here 0."""

    @pytest.mark.parametrize("error", [-2.0, 2.0, 0.0])
    @pytest.mark.parametrize("loss", [epsilon_insensitive, squared_epsilon_insensitive])
    def test_the_edge_of_the_band(self, loss, error):
        assert loss.gradient(np.zeros(1), np.array([error]), epsilon=2.0).tolist() == [0.0]

    def test_mape_and_expectile_at_the_target(self):
        assert mape.gradient(np.full(1, 2.0), np.full(1, 2.0)).tolist() == [0.0]
        assert expectile.gradient(np.ones(1), np.ones(1), tau=0.9).tolist() == [0.0]


class TestMinimisers:
    """The constant that minimises the loss is the statistic that the docstring names."""

    data = np.random.default_rng(0).exponential(size=501)

    def best_constant(self, loss, **parameters):
        def cost(constant):
            return loss(self.data, np.full_like(self.data, constant), **parameters)

        return minimize_scalar(cost, bounds=(0, 10), options={"xatol": 1e-10}, method="bounded").x

    def test_mse_and_rmse_ask_for_the_mean(self):
        for loss in (mse, rmse):
            assert self.best_constant(loss) == pytest.approx(self.data.mean(), abs=1e-6)

    def test_mae_asks_for_the_median(self):
        assert self.best_constant(mae) == pytest.approx(np.median(self.data), abs=1e-6)

    @pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
    def test_pinball_asks_for_the_quantile(self, quantile):
        best = self.best_constant(pinball, quantile=quantile)
        assert best == pytest.approx(np.quantile(self.data, quantile), abs=1e-6)

    @pytest.mark.parametrize("delta", [0.1, 0.5, 2.0])
    def test_huber_asks_for_the_mean_with_far_targets_moved_to_delta(self, delta):
        best = self.best_constant(huber, delta=delta)
        assert np.clip(self.data, best - delta, best + delta).mean() == pytest.approx(
            best, abs=1e-6
        )

    def test_log_cosh_balances_the_tanh_of_the_errors(self):
        assert np.tanh(self.best_constant(log_cosh) - self.data).sum() == pytest.approx(0, abs=1e-4)

    def test_huber_can_leave_the_interval_between_median_and_mean(self):
        data = np.array([0.0] * 5 + [1.0] * 4 + [-4.0])
        assert np.median(data) == data.mean() == 0
        third = np.full_like(data, 1 / 3)
        assert huber.gradient(data, third).sum() == pytest.approx(0, abs=1e-12)
        assert huber(data, third) < huber(data, np.zeros_like(data))

    def test_huber_tends_to_the_median_and_to_the_mean(self):
        assert self.best_constant(huber, delta=1e-6) == pytest.approx(
            np.median(self.data), abs=1e-3
        )
        assert self.best_constant(huber, delta=1e3) == pytest.approx(self.data.mean(), abs=1e-6)

    def test_smooth_l1_asks_for_what_huber_asks_for(self):
        assert self.best_constant(smooth_l1, beta=0.3) == pytest.approx(
            self.best_constant(huber, delta=0.3), abs=1e-6
        )

    @pytest.mark.parametrize("tau", [0.1, 0.5, 0.9])
    def test_expectile_balances_shortfalls_and_excesses(self, tau):
        best = self.best_constant(expectile, tau=tau)
        short = np.maximum(self.data - best, 0).sum()
        excess = np.maximum(best - self.data, 0).sum()
        assert tau * short == pytest.approx((1 - tau) * excess, rel=1e-5)
        if tau == 0.5:
            assert best == pytest.approx(self.data.mean(), abs=1e-6)

    def test_epsilon_insensitive_leaves_as_many_above_the_band_as_below(self):
        best = self.best_constant(epsilon_insensitive, epsilon=0.3)
        above, below = (self.data > best + 0.3).sum(), (self.data < best - 0.3).sum()
        # the cost is flat between two data points; a point on the edge belongs to either side
        assert abs(int(above) - int(below)) <= 1
        assert self.best_constant(epsilon_insensitive, epsilon=0) == pytest.approx(
            np.median(self.data), abs=1e-6
        )

    def test_squared_epsilon_insensitive_balances_the_distances_beyond_the_band(self):
        best = self.best_constant(squared_epsilon_insensitive, epsilon=0.3)
        above = np.maximum(self.data - best - 0.3, 0).sum()
        below = np.maximum(best - self.data - 0.3, 0).sum()
        assert above == pytest.approx(below, rel=1e-5)

    def test_mape_asks_for_the_median_under_weights_1_over_y(self):
        best = self.best_constant(mape)
        weights = 1 / self.data
        assert weights[self.data < best - 1e-6].sum() <= weights.sum() / 2
        assert weights[self.data > best + 1e-6].sum() <= weights.sum() / 2
        assert best < np.median(self.data)

    def test_msle_and_rmsle_ask_for_the_shifted_geometric_mean(self):
        expected = np.expm1(np.log1p(self.data).mean())
        for loss in (msle, rmsle):
            assert self.best_constant(loss) == pytest.approx(expected, abs=1e-6)
        assert expected < self.data.mean()


class TestDomains:
    @pytest.mark.parametrize("loss", [msle, rmsle])
    def test_logarithmic_errors_need_values_above_minus_1(self, loss):
        with pytest.raises(ValueError, match="target must be above -1; it has -1 at index 1"):
            loss(np.array([0.0, -1.0]), np.zeros(2))
        with pytest.raises(ValueError, match="prediction must be above -1; it has -3 at index 0"):
            loss(np.zeros(2), np.array([-3.0, 0.0]))

    def test_a_relative_error_needs_a_target_that_is_not_0(self):
        message = "mape: target must be different from 0; it has 0 at index 1.*use mae"
        with pytest.raises(ValueError, match=message):
            mape(np.array([1.0, 0.0]), np.zeros(2))

    @pytest.mark.parametrize("loss", [epsilon_insensitive, squared_epsilon_insensitive])
    @pytest.mark.parametrize("epsilon", [-0.1, np.nan, np.inf, None])
    def test_epsilon(self, loss, epsilon):
        with pytest.raises(ValueError, match="epsilon must be a finite number of at least 0"):
            loss(np.zeros(1), np.zeros(1), epsilon=epsilon)

    def test_beta_and_tau(self):
        with pytest.raises(ValueError, match="smooth_l1: beta must be a finite number above 0"):
            smooth_l1(np.zeros(1), np.zeros(1), beta=0)
        with pytest.raises(ValueError, match="expectile: tau must lie strictly between 0 and 1"):
            expectile(np.zeros(1), np.zeros(1), tau=1)


class TestRMSE:
    def test_equals_the_root_of_the_mse(self):
        target, prediction = pair(np.float64)
        weight = np.random.default_rng(1).uniform(size=target.shape)
        assert rmse(target, prediction) == pytest.approx(np.sqrt(mse(target, prediction)))
        assert rmse(target, prediction, weight=weight) == pytest.approx(
            np.sqrt(np.average((target - prediction) ** 2, weights=weight))
        )

    @pytest.mark.parametrize("rmse", [rmse, rmsle])
    @pytest.mark.parametrize("library", ["numpy", "torch"])
    def test_a_perfect_fit_has_value_0_and_gradient_0(self, library, rmse):
        zeros = np.zeros(3)
        if library == "torch":
            zeros = torch.zeros(3, requires_grad=True)
            value = rmse(zeros.detach(), zeros)
            value.backward()
            assert (zeros.grad == 0).all()
            zeros = zeros.detach()
        assert float(rmse(zeros, zeros)) == 0
        assert (rmse.gradient(zeros, zeros) == 0).all()

    def test_is_not_the_mean_of_the_rmses_of_parts(self):
        target, prediction = np.zeros(2), np.array([0.0, 2.0])
        parts = [rmse(target[i : i + 1], prediction[i : i + 1]) for i in range(2)]
        assert np.mean(parts) == 1.0
        assert rmse(target, prediction) == pytest.approx(np.sqrt(2))


class TestExtremes:
    def test_log_cosh_keeps_the_digits_of_tiny_errors(self):
        tiny = np.array([1e-4], np.float32)
        assert log_cosh(np.zeros(1, np.float32), tiny) == pytest.approx(5e-9, rel=1e-6)

    @given(finite)
    def test_log_cosh_is_finite_and_close_to_its_asymptotes(self, error):
        value = float(log_cosh(np.zeros(1), np.array([error])))
        assert max(0, abs(error) - np.log(2)) <= value <= min(error**2 / 2, abs(error)) + 1e-12

    @given(finite, st.floats(1e-3, 1e3))
    def test_huber_lies_below_both_of_its_pieces(self, error, delta):
        value = float(huber(np.zeros(1), np.array([error]), delta=delta))
        # both bounds hold exactly in real numbers; allow a few roundings
        assert value <= error**2 / 2 * (1 + 1e-12) + 1e-300
        assert value <= delta * abs(error) * (1 + 1e-12)

    @pytest.mark.parametrize("loss", [mae, huber, log_cosh, pinball])
    def test_errors_of_1e300_are_finite(self, loss):
        assert np.isfinite(loss(np.zeros(1), np.array([1e300])))
        assert np.isfinite(loss.gradient(np.zeros(1), np.array([-1e300]))).all()

    @pytest.mark.parametrize("loss", [mae, huber, log_cosh, pinball])
    def test_an_infinite_error_costs_infinity(self, loss):
        assert loss(np.zeros(1), np.array([np.inf])) == np.inf

    @pytest.mark.parametrize("loss", [mse, rmse, mae, huber, log_cosh, pinball])
    def test_the_gradient_at_no_error_is_0(self, loss):
        assert loss.gradient(np.ones(1), np.ones(1)).tolist() == [0.0]
        leaf = torch.ones(1, requires_grad=True)
        loss(torch.ones(1), leaf).backward()
        assert leaf.grad.tolist() == [0.0]

    def test_pinball_at_one_half_is_half_the_absolute_error(self):
        target, prediction = pair(np.float64)
        assert 2 * pinball(target, prediction) == pytest.approx(mae(target, prediction))
