"""Losses of preference: their definitions, their minimisers, and where they keep their digits."""

import numpy as np
import pytest
from compiled import check_under_compilers
from optional import functional as F
from optional import torch
from scipy.optimize import minimize_scalar
from structured_cases import LOG_PROBABILITIES, STRUCTURED_RUNS

from lossbook import bce_with_logits, dpo, ipo, logistic

RUNS = [run for run in STRUCTURED_RUNS if run[0].loss.name in ("dpo", "ipo")]
both_losses = pytest.mark.parametrize("loss", [dpo, ipo])


def logs(n=20, seed=0):
    """Log-probabilities of long answers: sums over hundreds of tokens."""
    return [-100 + 5 * row for row in np.random.default_rng(seed).normal(size=(4, n))]


def with_gain(gain):
    """Four log-probabilities whose difference of differences is the gain."""
    gain = np.asarray([gain], dtype=float)
    return gain - 50, np.full_like(gain, -60.0), np.full_like(gain, -50.0), np.full_like(gain, -60)


def best_gain(loss, share, **parameters):
    """The gain of smallest risk, if the chosen answer is the better one with this probability."""

    def risk(gain):
        chosen, rejected, *reference = with_gain(gain)
        one = loss(chosen, rejected, *reference, **parameters)
        other = loss(rejected, chosen, *reference[::-1], **parameters)
        return share * one + (1 - share) * other

    return minimize_scalar(risk, bounds=(-50, 50), method="bounded", options={"xatol": 1e-9}).x


@pytest.mark.parametrize(("case", "parameters"), RUNS)
def test_under_compilers(case, parameters):
    check_under_compilers(case, parameters)


@both_losses
def test_torch_takes_the_gradient_of_each_sample_by_vmap(loss):
    arrays = logs()

    def value(*one):
        return loss(*one, reduction="none")

    found = torch.func.vmap(torch.func.grad(value))(*(torch.tensor(array) for array in arrays))
    expected = loss.gradient(*arrays, reduction="sum")[0]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


@both_losses
def test_the_gradient_is_that_of_the_policy_and_sums_to_0(loss):
    assert loss.predictions == LOG_PROBABILITIES[:2]
    chosen, rejected = loss.gradient(*logs())
    np.testing.assert_array_equal(chosen, -rejected)


@both_losses
def test_only_the_gain_over_the_reference_counts(loss):
    chosen, rejected, *reference = logs()
    shifted = chosen + 3, rejected + 3, *reference  # both answers more probable
    assert loss(*shifted) == pytest.approx(loss(chosen, rejected, *reference), rel=1e-10)


@both_losses
def test_the_reference_is_taken_out_before_the_answers_are_compared(loss):
    """Sums of -1000 have a spacing of 6e-5 in float32; the differences here are exact."""
    chosen = np.array([-1000.0], dtype=np.float32)
    reference = chosen - np.float32(2**-13)
    rejected = np.array([-3.0], dtype=np.float32) - np.float32(2**-20)
    gain = 2**-13 + 2**-20
    value = loss(chosen, rejected, reference, np.array([-3.0], dtype=np.float32), beta=1.0)
    expected = np.log1p(np.exp(-gain)) if loss is dpo else (gain - 0.5) ** 2
    assert value == pytest.approx(expected, rel=1.2e-7)


class TestDPO:
    @pytest.mark.parametrize("smooth", [0.0, 0.1])
    def test_is_the_log_sigmoid_of_the_gain(self, smooth):
        arrays = logs()
        leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
        policy, reference = leaves[0] - leaves[1], leaves[2] - leaves[3]
        log_odds = 0.3 * (policy - reference)
        theirs = -(1 - smooth) * F.logsigmoid(log_odds) - smooth * F.logsigmoid(-log_odds)
        slopes = torch.autograd.grad(theirs.mean(), leaves[:2])
        value, ours = dpo.value_and_gradient(*arrays, beta=0.3, label_smoothing=smooth)
        assert value == pytest.approx(theirs.mean().item(), rel=1e-12)
        for slope, expected in zip(ours, slopes, strict=True):
            np.testing.assert_allclose(slope, expected.numpy(), rtol=1e-10)

    def test_is_logistic_and_smoothed_binary_cross_entropy_on_logits(self):
        chosen, rejected, *reference = logs()
        log_odds = 0.1 * ((chosen - reference[0]) - (rejected - reference[1]))
        assert dpo(chosen, rejected, *reference) == logistic(np.ones(20), log_odds)
        smoothed = dpo(chosen, rejected, *reference, label_smoothing=0.2)
        assert smoothed == pytest.approx(bce_with_logits(np.full(20, 0.8), log_odds), rel=1e-14)

    def test_a_policy_equal_to_the_reference_costs_log_2(self):
        chosen, rejected, *_ = logs()
        assert dpo(chosen, rejected, chosen, rejected) == pytest.approx(np.log(2), rel=1e-15)

    def test_the_minimiser_is_the_log_odds_of_the_preference_over_beta(self):
        assert best_gain(dpo, 0.8, beta=0.5) == pytest.approx(np.log(4) / 0.5, abs=1e-5)

    def test_smoothing_makes_the_minimiser_finite(self):
        best = best_gain(dpo, 1.0, beta=0.5, label_smoothing=0.1)
        assert best == pytest.approx(np.log(9) / 0.5, abs=1e-5)
        assert best_gain(dpo, 1.0, beta=0.5) > 49  # the end of the search: there is no minimum

    def test_a_wrong_preference_far_out_costs_its_distance(self):
        arrays = [array.astype(np.float32) for array in with_gain(-1e6)]
        value, (chosen, rejected) = dpo.value_and_gradient(*arrays, beta=1.0)
        assert value == pytest.approx(1e6, rel=1e-6) and chosen == -1 and rejected == 1

    def test_keeps_the_digits_of_a_small_gradient(self):
        chosen, _ = dpo.gradient(*with_gain(40.0), beta=1.0)
        assert chosen == pytest.approx(-np.exp(-40), rel=1e-12)


class TestIPO:
    def test_is_the_square_of_the_distance_to_half_of_1_over_beta(self):
        chosen, rejected, *reference = logs()
        gain = (chosen - reference[0]) - (rejected - reference[1])
        value = ipo(chosen, rejected, *reference, beta=0.2)
        assert value == pytest.approx(np.mean((gain - 2.5) ** 2), rel=1e-13)

    @pytest.mark.parametrize("share", [0.5, 0.8, 1.0])
    def test_the_minimiser_is_finite_even_for_a_certain_preference(self, share):
        assert best_gain(ipo, share, beta=0.2) == pytest.approx((2 * share - 1) / 0.4, abs=1e-6)

    def test_a_gain_that_is_too_large_costs_as_one_that_is_too_small(self):
        assert ipo(*with_gain(7.0), beta=0.1) == ipo(*with_gain(3.0), beta=0.1) == 4


@both_losses
@pytest.mark.parametrize("beta", [0, -1, np.inf])
def test_beta_is_positive(loss, beta):
    with pytest.raises(ValueError, match="beta must be a finite number above 0"):
        loss(*logs(), beta=beta)
