"""Likelihoods and scores against torch and scikit-learn, their minimisers, tiny variances."""

import mpmath
import numpy as np
import pytest
from against_torch import (
    assert_value_and_gradient_equal_torch,
    both,
    both_types,
    every_reduction,
)
from cases import CASES, exact
from compiled import check_under_compilers
from optional import functional as F
from optional import jax, optax, torch
from scipy import stats
from scipy.optimize import minimize, minimize_scalar
from sklearn import metrics
from sklearn._loss import loss as sklearn_loss
from structured_cases import STRUCTURED_CASES

from lossbook import (
    crps_gaussian,
    crps_quantiles,
    gamma_deviance,
    gamma_nll,
    gaussian_nll,
    laplace_nll,
    mae,
    mse,
    pinball,
    poisson_deviance,
    poisson_nll,
    tweedie_deviance,
)


def counts(dtype=np.float64, n=101):
    rng = np.random.default_rng(0)
    return rng.poisson(2, n).astype(dtype), rng.normal(size=n).astype(dtype)


def amounts(n=101):
    rng = np.random.default_rng(0)
    return rng.exponential(size=n) + 0.01, rng.exponential(size=n) + 0.01


def two_columns(dtype=np.float64, n=101):
    rng = np.random.default_rng(0)
    return rng.normal(size=n).astype(dtype), (2 * rng.normal(size=(n, 2))).astype(dtype)


class TestAgainstTorch:
    @both_types
    @every_reduction
    def test_poisson(self, dtype, reduction):
        target, log_rate = counts(dtype)
        assert_value_and_gradient_equal_torch(
            both(poisson_nll, reduction=reduction),
            lambda z, y: F.poisson_nll_loss(z, y, reduction=reduction),
            target,
            log_rate,
            dtype,
        )

    @both_types
    @every_reduction
    @pytest.mark.parametrize("full", [False, True])
    def test_gaussian(self, dtype, reduction, full):
        target, prediction = two_columns(dtype)
        options = {"full": full, "reduction": reduction}

        def theirs(columns, y):
            return F.gaussian_nll_loss(columns[:, 0], y, columns[:, 1].exp(), eps=1e-9, **options)

        assert_value_and_gradient_equal_torch(
            both(gaussian_nll, **options), theirs, target, prediction, dtype
        )


class TestAgainstScikitLearn:
    @pytest.mark.parametrize("power", [-1, 0, 1, 1.3, 1.9, 2, 3])
    def test_tweedie_deviance(self, power):
        target, prediction = amounts()
        expected = metrics.mean_tweedie_deviance(target, prediction, power=power)
        assert tweedie_deviance(target, prediction, power=power) == pytest.approx(expected)

    def test_deviances_of_zeros_among_the_targets(self):
        target, log_rate = counts()
        rate = np.exp(log_rate)
        assert poisson_deviance(target, rate) == pytest.approx(
            metrics.mean_poisson_deviance(target, rate)
        )
        assert tweedie_deviance(target, rate, power=1.5) == pytest.approx(
            metrics.mean_tweedie_deviance(target, rate, power=1.5)
        )

    @pytest.mark.parametrize(
        ("loss", "theirs", "data"),
        [
            (poisson_nll, sklearn_loss.HalfPoissonLoss, counts),
            (gamma_nll, sklearn_loss.HalfGammaLoss, amounts),
        ],
    )
    def test_losses_on_the_log_scale(self, loss, theirs, data):
        target, raw = data()
        np.testing.assert_allclose(
            loss(target, raw, reduction="none"), theirs().loss(target, raw), rtol=1e-12, atol=1e-14
        )
        np.testing.assert_allclose(
            loss.gradient(target, raw, reduction="none"),
            theirs().gradient(target, raw),
            rtol=1e-12,
            atol=1e-14,
        )

    @pytest.mark.parametrize("power", [1, 1.5, 2, 3])
    def test_half_tweedie_is_half_the_deviance_up_to_a_constant(self, power):
        target, raw = amounts()
        theirs = sklearn_loss.HalfTweedieLoss(power=power).loss(target, raw)
        ours = tweedie_deviance(target, np.exp(raw), power=power, reduction="none")
        constant = tweedie_deviance(target, np.ones_like(target), power=power, reduction="none")
        at_1 = sklearn_loss.HalfTweedieLoss(power=power).loss(target, np.zeros_like(target))
        np.testing.assert_allclose(ours / 2 - theirs, constant / 2 - at_1, rtol=1e-9, atol=1e-9)


class TestSpecialCases:
    def test_deviances_are_twice_the_likelihoods_up_to_what_no_prediction_changes(self):
        target, raw = amounts()
        for deviance, likelihood in ((poisson_deviance, poisson_nll), (gamma_deviance, gamma_nll)):
            double = deviance(target, np.exp(raw), reduction="none") / 2
            difference = double - likelihood(target, raw, reduction="none")
            # the deviance is 0 where the prediction is the target
            best = likelihood(target, np.log(target), reduction="none")
            np.testing.assert_allclose(difference, -best, rtol=1e-10, atol=1e-12)

    def test_tweedie_of_power_0_1_and_2(self):
        target, prediction = amounts()
        for power, loss in ((0, mse), (1, poisson_deviance), (2, gamma_deviance)):
            value = tweedie_deviance(target, prediction, power=power)
            assert value == pytest.approx(loss(target, prediction), rel=1e-14)

    @pytest.mark.parametrize("power", [1, 2])
    def test_tweedie_is_continuous_in_the_power(self, power):
        # the textbook's form divides differences by 1 - p and 2 - p and loses seven digits here
        target, prediction = amounts()
        near = tweedie_deviance(target, prediction, power=power + 1e-9)
        assert near == pytest.approx(tweedie_deviance(target, prediction, power=power), rel=1e-7)
        value = tweedie_deviance(target[:1], prediction[:1], power=power + 1e-9)
        with mpmath.workdps(60):
            reference = CASES["tweedie_deviance"].reference
            expected = reference(exact(target[0]), exact(prediction[0]), power + 1e-9)
        assert value == pytest.approx(float(expected), rel=1e-13)

    def test_laplace_of_scale_1_and_crps_of_scale_0_are_the_absolute_error(self):
        target, prediction = two_columns()
        prediction[:, 1] = 0
        assert laplace_nll(target, prediction) == pytest.approx(mae(target, prediction[:, 0]))
        prediction[:, 1] = -np.inf
        assert crps_gaussian(target, prediction) == mae(target, prediction[:, 0])

    def test_full_is_the_negative_log_density(self):
        target, prediction = two_columns()
        prediction = np.clip(prediction, -3, 3)  # SciPy's Laplace density underflows farther out
        mean, log_scale = prediction.T
        densities = [
            (gaussian_nll, stats.norm(mean, np.exp(log_scale / 2)).logpdf(target)),
            (laplace_nll, stats.laplace(mean, np.exp(log_scale)).logpdf(target)),
        ]
        for loss, log_density in densities:
            values = loss(target, prediction, full=True, reduction="none")
            np.testing.assert_allclose(values, -log_density, rtol=1e-12)
        count, log_rate = counts()
        np.testing.assert_allclose(
            poisson_nll(count, log_rate, full=True, reduction="none"),
            -stats.poisson(np.exp(log_rate)).logpmf(count),
            rtol=1e-11,
        )
        amount, log_mean = amounts()
        np.testing.assert_allclose(
            gamma_nll(amount, log_mean, reduction="none"),
            -stats.expon(scale=np.exp(log_mean)).logpdf(amount),
            rtol=1e-12,
        )

    def test_torch_adds_stirlings_approximation_to_poisson(self):
        # pytorch issue 28575: .6518 instead of log 2! = .6931 at a count of 2
        count, log_rate = np.array([2.0]), np.array([0.0])
        added = poisson_nll(count, log_rate, full=True) - poisson_nll(count, log_rate)
        assert added == pytest.approx(np.log(2), rel=1e-14)
        z, y = torch.tensor(log_rate), torch.tensor(count)
        theirs = F.poisson_nll_loss(z, y, full=True) - F.poisson_nll_loss(z, y)
        assert float(theirs) == pytest.approx(0.6518, abs=1e-4)

    def test_crps_is_the_integral_of_the_squared_distance_of_the_distribution_functions(self):
        mean, deviation, target = 0.7, 1.3, -0.4
        grid = np.linspace(-15, 15, 300_001)
        distance = (stats.norm(mean, deviation).cdf(grid) - (grid >= target)) ** 2
        prediction = np.array([[mean, 2 * np.log(deviation)]])
        value = crps_gaussian(np.array([target]), prediction)
        assert value == pytest.approx(np.trapezoid(distance, grid), abs=1e-4)


class TestMinimisers:
    data = np.random.default_rng(0).exponential(size=501) + 0.01

    def best_constant(self, loss, bounds, **parameters):
        def cost(constant):
            return loss(self.data, np.full_like(self.data, constant), **parameters)

        return minimize_scalar(cost, bounds=bounds, options={"xatol": 1e-10}, method="bounded").x

    @pytest.mark.parametrize("loss", [poisson_nll, gamma_nll])
    def test_likelihoods_on_the_log_scale_ask_for_the_logarithm_of_the_mean(self, loss):
        best = self.best_constant(loss, (-5, 5))
        assert best == pytest.approx(np.log(self.data.mean()), abs=1e-6)

    @pytest.mark.parametrize("power", [-1, 0, 1, 1.5, 2, 3])
    def test_deviances_ask_for_the_mean(self, power):
        best = self.best_constant(tweedie_deviance, (0.01, 10), power=power)
        assert best == pytest.approx(self.data.mean(), abs=1e-6)

    def test_a_rate_passed_as_a_log_rate_is_fitted_to_the_logarithm(self):
        # with a count of 5 the best "rate" comes out near log 5 = 1.6
        def cost(rate):
            return poisson_nll(np.array([5.0]), np.array([rate]))

        assert minimize_scalar(cost).x == pytest.approx(np.log(5), abs=1e-6)

        def of_rates(rate):
            return poisson_deviance(np.array([5.0]), np.array([rate]))

        best = minimize_scalar(of_rates, bounds=(0.1, 20), options={"xatol": 1e-9}).x
        assert best == pytest.approx(5, abs=1e-6)

    def best_pair(self, loss, data):
        def cost(pair):
            return loss(data, np.tile(pair, (len(data), 1)))

        def slope(pair):
            return loss.gradient(data, np.tile(pair, (len(data), 1))).sum(axis=0)

        return minimize(cost, np.array([data.mean(), 0.0]), jac=slope, options={"gtol": 1e-10}).x

    def test_gaussian_asks_for_the_mean_and_the_variance(self):
        mean, log_variance = self.best_pair(gaussian_nll, self.data)
        assert mean == pytest.approx(self.data.mean(), abs=1e-6)
        assert np.exp(log_variance) == pytest.approx(self.data.var(), rel=1e-6)

    def test_laplace_asks_for_the_median_and_the_mean_deviation_from_it(self):
        median = np.median(self.data)
        deviation = abs(self.data - median).mean()
        best = laplace_nll(self.data, np.tile([median, np.log(deviation)], (501, 1)))
        rng = np.random.default_rng(1)
        for other in rng.normal((median, np.log(deviation)), 0.3, size=(200, 2)):
            assert laplace_nll(self.data, np.tile(other, (501, 1))) >= best
        slope = laplace_nll.gradient(self.data, np.tile([median, np.log(deviation)], (501, 1)))
        np.testing.assert_allclose(slope.sum(axis=0), 0, atol=1e-12)

    def test_crps_asks_for_the_true_mean_and_variance(self):
        truth = stats.norm(1.0, 2.0)
        data = truth.ppf((np.arange(4000) + 0.5) / 4000)  # the distribution itself, no sample
        mean, log_variance = self.best_pair(crps_gaussian, data)
        assert mean == pytest.approx(1, abs=1e-4)
        assert np.exp(log_variance / 2) == pytest.approx(2, rel=1e-3)


class TestTinyVariances:
    @pytest.mark.parametrize("log_variance", [-20.0, -60.0, -700.0])
    def test_gaussian_is_exact(self, log_variance):
        deviation = np.exp(log_variance / 2)
        for error in (0.0, 0.5 * deviation, 3 * deviation):
            arguments = np.zeros(1), np.array([[error, log_variance]])
            expected = CASES["gaussian_nll"].reference(
                exact(0), (exact(error), exact(log_variance))
            )
            assert gaussian_nll(*arguments) == pytest.approx(float(expected), rel=1e-12)
            residual = exact(error) * mpmath.exp(-exact(log_variance) / 2)
            slope = gaussian_nll.gradient(*arguments)[0]
            assert slope[0] == pytest.approx(
                float(residual * mpmath.exp(-exact(log_variance) / 2)), rel=1e-12
            )
            assert slope[1] == pytest.approx(float((1 - residual**2) / 2), rel=1e-12)

    def test_torch_raises_the_variance_to_1e_6(self):
        # at a variance of 1e-9 and an error of one deviation: ½ (1 - 20.7), not ½ (0.001 - 13.8)
        log_variance = np.log(1e-9)
        error = np.exp(log_variance / 2)
        ours = gaussian_nll(np.zeros(1), np.array([[error, log_variance]]))
        assert ours == pytest.approx((1 + log_variance) / 2, rel=1e-12)
        variance = torch.tensor([1e-9], dtype=torch.float64, requires_grad=True)
        mean = torch.tensor([error], dtype=torch.float64)
        theirs = F.gaussian_nll_loss(mean, torch.zeros(1, dtype=torch.float64), variance)
        assert theirs.item() == pytest.approx((1e-3 + np.log(1e-6)) / 2)
        slope = gaussian_nll.gradient(np.zeros(1), np.array([[0.0, log_variance]]))
        assert slope.tolist() == [[0.0, 0.5]]  # bounded, where torch's by the variance is 5e8

    @pytest.mark.parametrize("loss", [gaussian_nll, laplace_nll, crps_gaussian])
    @pytest.mark.parametrize("log_scale", [-1e4, -np.inf])
    def test_a_perfect_prediction_of_vanishing_scale_has_a_finite_gradient(self, loss, log_scale):
        arguments = np.zeros(1), np.array([[0.0, log_scale]])
        assert np.isfinite(loss.gradient(*arguments)).all()
        leaf = torch.tensor(arguments[1], requires_grad=True)
        loss(torch.tensor(arguments[0]), leaf).backward()
        np.testing.assert_allclose(leaf.grad.numpy(), loss.gradient(*arguments))

    def test_a_wrong_prediction_of_vanishing_scale_costs_infinity(self):
        for loss in (gaussian_nll, laplace_nll):
            assert loss(np.zeros(1), np.array([[1.0, -np.inf]])) == np.inf


class TestInfinities:
    def test_infinite_rates_and_means_cost_infinity(self):
        for loss in (poisson_nll, gamma_nll):
            for log_mean in (-np.inf, np.inf):
                assert loss(np.ones(1), np.array([log_mean])) == np.inf
        assert poisson_nll(np.zeros(1), np.array([-np.inf])) == 0
        for power in (1, 1.5, 2):
            assert tweedie_deviance(np.ones(1), np.array([np.inf]), power=power) == np.inf
        assert tweedie_deviance(np.ones(1), np.array([np.inf]), power=3) == pytest.approx(1)

    def test_an_overflowing_rate_warns_of_nothing(self, recwarn):
        assert poisson_nll(np.ones(1), np.array([1e4])) == np.inf
        assert gaussian_nll(np.zeros(1), np.array([[1.0, -1e4]])) == np.inf
        assert not recwarn.list

    @pytest.mark.parametrize("ratio", [1e-300, 1e-12, 1e12, 1e300])
    @pytest.mark.parametrize("power", [1, 1.5, 2])
    def test_extreme_ratios_are_exact(self, ratio, power):
        value = tweedie_deviance(np.ones(1), np.array([ratio]), power=power)
        expected = CASES["tweedie_deviance"].reference(exact(1), exact(ratio), power)
        assert value == pytest.approx(float(expected), rel=1e-12)


class TestDomains:
    @pytest.mark.parametrize("power", [0.5, 1e-3, np.nan, np.inf, "1"])
    def test_powers_without_a_distribution(self, power):
        with pytest.raises(ValueError, match="tweedie_deviance: power must be a finite number"):
            tweedie_deviance(np.ones(1), np.ones(1), power=power)

    def test_the_domain_of_tweedie_depends_on_the_power(self):
        zero, minus, one = np.zeros(1), np.full(1, -1.0), np.ones(1)
        assert np.isfinite(tweedie_deviance(minus, minus, power=0))
        assert np.isfinite(tweedie_deviance(minus, one, power=-1))
        with pytest.raises(ValueError, match="target must be at least 0; it has -1"):
            tweedie_deviance(minus, one, power=1.5)
        with pytest.raises(ValueError, match="target must be above 0; it has 0 at index 0"):
            tweedie_deviance(zero, one, power=2)
        with pytest.raises(ValueError, match=r"prediction must be above 0; it has 0.*Pass a mean"):
            tweedie_deviance(one, zero, power=1)

    def test_counts_and_amounts(self):
        with pytest.raises(ValueError, match="poisson_nll: target must be at least 0"):
            poisson_nll(np.array([-1.0]), np.zeros(1))
        with pytest.raises(ValueError, match="gamma_nll: target must be above 0"):
            gamma_nll(np.zeros(1), np.zeros(1))

    def test_full_is_true_or_false(self):
        with pytest.raises(ValueError, match="poisson_nll: full must be True or False; it is 1"):
            poisson_nll(np.ones(1), np.ones(1), full=1)


class TestColumns:
    @pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 3), (2, 3), (3, 2, 1)])
    def test_two_columns_are_needed(self, shape):
        with pytest.raises(ValueError, match=r"mean and log_variance on its last axis.*\(3, 2\)"):
            gaussian_nll(np.zeros(3), np.zeros(shape))

    def test_more_than_one_row_axis(self):
        target, prediction = two_columns(n=12)
        stacked = gaussian_nll(target.reshape(3, 4), prediction.reshape(3, 4, 2), reduction="none")
        flat = gaussian_nll(target, prediction, reduction="none")
        np.testing.assert_array_equal(stacked.ravel(), flat)

    def test_one_number_alone(self):
        assert gaussian_nll(np.array(0.0), np.array([2.0, 0.0])) == 2.0

    def test_a_weight_of_0_leaves_out_a_target_that_is_nan(self):
        target, prediction = two_columns(n=3)
        target[1] = np.nan
        weight = np.array([1.0, 0.0, 2.0])
        values = gaussian_nll(target, prediction, reduction="none")
        expected = (values[0] + 2 * values[2]) / 3
        assert gaussian_nll(target, prediction, weight=weight) == pytest.approx(expected)
        assert gaussian_nll.gradient(target, prediction, weight=weight)[1].tolist() == [0, 0]


class TestQuantiles:
    @pytest.mark.parametrize("parameters", [{}, {"levels": (0.1, 0.5, 0.75)}])
    def test_under_compilers(self, parameters):
        check_under_compilers(STRUCTURED_CASES["crps_quantiles"], parameters)

    def test_approaches_the_score_of_the_distribution(self):
        target = np.linspace(-3, 3, 31)
        normal = np.tile([0.5, 2 * np.log(1.5)], (31, 1))
        expected = crps_gaussian(target, normal, reduction="none")
        gaps = []
        for size in (10, 100, 1000):
            levels = (np.arange(size) + 0.5) / size
            quantiles = np.tile(stats.norm.ppf(levels, 0.5, 1.5), (31, 1))
            values = crps_quantiles(target, quantiles, reduction="none")
            gaps.append(np.abs(values - expected).max())
        assert gaps[0] < 0.05 and gaps[1] < gaps[0] / 5 and gaps[2] < gaps[1] / 5

    def test_is_the_score_of_the_values_with_equal_probabilities(self):
        # E|X - y| - ½ E|X - X'|, the other formula of the score
        rng = np.random.default_rng(0)
        target, values = rng.normal(size=20), np.sort(rng.normal(size=(20, 7)))
        to_target = np.abs(values - target[:, None]).mean(axis=1)
        to_each_other = np.abs(values[:, :, None] - values[:, None, :]).mean(axis=(1, 2))
        scores = crps_quantiles(target, values, reduction="none")
        np.testing.assert_allclose(scores, to_target - to_each_other / 2, rtol=1e-12)

    def test_one_quantile_is_the_absolute_error(self):
        target, prediction = np.array([1.0, -2.0]), np.array([[3.0], [0.5]])
        assert crps_quantiles(target, prediction, reduction="none").tolist() == [2, 2.5]

    def test_asks_for_the_quantiles(self):
        target = np.random.default_rng(1).normal(size=999)
        levels = [0.1, 0.5, 0.9]
        quantiles = np.tile(np.quantile(target, levels, method="inverted_cdf"), (999, 1))
        slope = crps_quantiles.gradient(target, quantiles, levels=levels).sum(axis=0)
        assert np.abs(slope).max() <= 2 / 3 / 999 + 1e-12  # less than one sample's pull
        losses = [pinball(target, quantiles[:, k], quantile=levels[k]) for k in range(3)]
        value = crps_quantiles(target, quantiles, levels=levels)
        assert value == pytest.approx(2 * np.mean(losses), rel=1e-13)

    @pytest.mark.parametrize(
        "levels", [[], [0.5, 0.5], [0.9, 0.1], [0.0, 0.5], [0.5, 1], "0.5", 0.5]
    )
    def test_levels_that_do_not_fit(self, levels):
        with pytest.raises(
            ValueError, match=r"levels must be a rising list of numbers in \(0, 1\)"
        ):
            crps_quantiles(np.zeros(2), np.zeros((2, 2)), levels=levels)

    def test_a_prediction_for_each_level(self):
        with pytest.raises(ValueError, match=r"for each of the 3 levels; the last axis .* has 2"):
            crps_quantiles(np.zeros(2), np.zeros((2, 2)), levels=[0.1, 0.5, 0.9])


def test_half_the_poisson_deviance_is_the_generalised_kullback_leibler_divergence():
    rng = np.random.default_rng(0)
    target, rates = rng.uniform(0.1, 3, size=(2, 5, 4))
    with jax.enable_x64(True):
        expected = np.asarray(optax.losses.generalized_kl_divergence(np.log(rates), target))
    values = poisson_deviance(target, rates, reduction="none").sum(axis=-1) / 2
    np.testing.assert_allclose(values, expected, rtol=1e-12)
