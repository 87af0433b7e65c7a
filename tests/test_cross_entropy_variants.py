"""Variants of cross-entropy: limits, minimisers, soft targets, and a focal loss without NaN."""

import mpmath
import numpy as np
import pytest
from cases import CASES, exact
from optional import functional as F
from optional import torch
from scipy.optimize import minimize

from lossbook import (
    bce_with_logits,
    cross_entropy,
    focal,
    focal_cross_entropy,
    generalised_cross_entropy,
    poly1_cross_entropy,
    symmetric_cross_entropy,
)

BY_CLASS = [focal_cross_entropy, poly1_cross_entropy, generalised_cross_entropy]
every_loss_by_class = pytest.mark.parametrize("loss", BY_CLASS, ids=lambda loss: loss.name)
both_parts = pytest.mark.parametrize("part", ["value", "gradient"])


def binary(n=101):
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, n), 4 * rng.normal(size=n)


def many_classes(n=101, classes=5):
    rng = np.random.default_rng(0)
    return rng.integers(0, classes, n), 3 * rng.normal(size=(n, classes))


def called(loss, part):
    return loss if part == "value" else loss.gradient


class TestLimits:
    """Each is the plain cross-entropy at one value of its parameter."""

    @both_parts
    @pytest.mark.parametrize("reduction", ["mean", "none"])
    def test_plain_cross_entropy(self, part, reduction):
        labels, logits = many_classes()
        expected = called(cross_entropy, part)(labels, logits, reduction=reduction)
        for loss, parameters in [
            (focal_cross_entropy, {"gamma": 0}),
            (poly1_cross_entropy, {"epsilon": 0}),
            (generalised_cross_entropy, {"q": 1e-12}),
            (symmetric_cross_entropy, {"alpha": 1, "beta": 0}),
        ]:
            ours = called(loss, part)(labels, logits, reduction=reduction, **parameters)
            np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-14)

    @both_parts
    def test_binary_focal_of_gamma_0(self, part):
        target, logits = binary()
        target = 0.1 + 0.8 * target
        expected = called(bce_with_logits, part)(target, logits)
        np.testing.assert_allclose(
            called(focal, part)(target, logits, gamma=0), expected, rtol=1e-12, atol=1e-16
        )
        half = called(focal, part)(target, logits, gamma=0, alpha=0.5)
        np.testing.assert_allclose(half, expected / 2, rtol=1e-12, atol=1e-16)

    @pytest.mark.parametrize("gamma", [0, 0.5, 2, 5])
    def test_softmax_focal_of_two_classes_is_binary_focal_of_the_difference(self, gamma):
        labels, logits = binary()
        rows = np.stack((np.zeros_like(logits), logits), axis=-1)
        np.testing.assert_allclose(
            focal_cross_entropy(labels, rows, gamma=gamma, reduction="none"),
            focal(labels, logits, gamma=gamma, reduction="none"),
            rtol=1e-12,
            atol=1e-16,
        )

    def test_generalised_of_q_1_is_half_the_absolute_distance_to_the_label(self):
        labels, logits = many_classes()
        probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        distance = abs(probabilities - np.eye(5)[labels]).sum(-1)
        values = generalised_cross_entropy(labels, logits, q=1, reduction="none")
        np.testing.assert_allclose(values, distance / 2, rtol=1e-12)

    @both_parts
    def test_symmetric_of_labels_is_poly_1(self, part):
        labels, logits = many_classes()
        options = {"alpha": 0.3, "beta": 0.7, "log_zero": -4.0}
        expected = called(poly1_cross_entropy, part)(labels, logits, epsilon=4.0 * 0.7 / 0.3)
        np.testing.assert_allclose(
            called(symmetric_cross_entropy, part)(labels, logits, **options),
            0.3 * expected,
            rtol=1e-12,
            atol=1e-15,
        )


class TestFocal:
    @staticmethod
    def plain(z, y, gamma):
        """The formula as it is often written."""
        p = torch.sigmoid(z)
        p_of_label = y * p + (1 - y) * (1 - p)
        surprise = F.binary_cross_entropy_with_logits(z, y, reduction="none")
        return ((1 - p_of_label) ** gamma * surprise).mean()

    @pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
    def test_equals_the_plain_formula_where_that_works(self, gamma):
        target, logits = binary()
        leaf = torch.tensor(logits, requires_grad=True)
        expected = self.plain(leaf, torch.tensor(target, dtype=torch.float64), gamma)
        expected.backward()
        assert focal(target, logits, gamma=gamma) == pytest.approx(expected.item(), rel=1e-12)
        np.testing.assert_allclose(
            focal.gradient(target, logits, gamma=gamma), leaf.grad.numpy(), rtol=1e-9, atol=1e-15
        )

    def test_the_plain_formula_has_no_gradient_for_a_confident_right_answer(self):
        # optax issue 1267, and the same in other libraries: γ < 1 and a saturated sigmoid
        leaf = torch.tensor([20.0], requires_grad=True)
        self.plain(leaf, torch.ones(1), 0.5).backward()
        assert torch.isnan(leaf.grad).all()

    @pytest.mark.parametrize("gamma", [0, 0.1, 0.5, 1, 2])
    @pytest.mark.parametrize("logit", [20.0, 100.0, 1e4, np.inf])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_a_confident_right_answer_has_a_tiny_finite_gradient(self, gamma, logit, dtype):
        logits, rows = np.array([logit], dtype), np.array([[0, logit]], dtype)
        calls = [(focal, np.array([1]), logits), (focal, np.array([0]), -logits)]
        if np.isfinite(logit):
            calls.append((focal_cross_entropy, np.array([1]), rows))
        for loss, target, prediction in calls:
            slope = loss.gradient(target, prediction, gamma=gamma)
            leaf = torch.tensor(prediction, requires_grad=True)
            value = loss(torch.tensor(target), leaf, gamma=gamma)
            value.backward()
            assert abs(slope).max() < 1e-7 and abs(leaf.grad).max() < 1e-7 and value.item() < 1e-7

    @pytest.mark.parametrize("gamma", [0.5, 2.0])
    @pytest.mark.parametrize("logit", [-1e4, -50.0, -1.0, 0.0, 5.0, 20.0, 200.0])
    def test_is_exact_in_both_tails(self, gamma, logit):
        arguments = np.ones(1), np.array([logit])
        with mpmath.workdps(200):
            reference = CASES["focal"].reference
            value = reference(exact(1), exact(logit), gamma)
            slope = mpmath.diff(lambda z: reference(1, z, gamma), exact(logit))
        assert focal(*arguments, gamma=gamma) == pytest.approx(float(value), rel=1e-13)
        assert focal.gradient(*arguments, gamma=gamma)[0] == pytest.approx(float(slope), rel=1e-12)

    def test_alpha_weighs_the_two_classes(self):
        target, logits = binary()
        values = focal(target, logits, reduction="none")
        weights = np.where(target == 1, 0.25, 0.75)
        np.testing.assert_allclose(
            focal(target, logits, alpha=0.25, reduction="none"), weights * values, rtol=1e-14
        )

    @pytest.mark.parametrize("alpha", [0, 1])
    def test_a_class_without_a_share_hides_even_an_infinite_loss(self, alpha):
        wrong = np.array([(1 - 2 * alpha) * -np.inf])
        value = focal(np.array([1 - alpha]), -wrong, alpha=alpha)
        assert value == 0

    def test_masked_classes_have_no_gradient_by_torch_either(self):
        leaf = torch.tensor([[0.0, -np.inf, -np.inf], [0.5, 0.0, -np.inf]], requires_grad=True)
        focal_cross_entropy(torch.tensor([0, 1]), leaf, gamma=0.5).backward()
        assert torch.isfinite(leaf.grad).all()
        by_hand = focal_cross_entropy.gradient(torch.tensor([0, 1]), leaf.detach(), gamma=0.5)
        torch.testing.assert_close(leaf.grad, by_hand)

    def test_large_logits_of_float32_lose_no_digits(self):
        small, labels = np.array([[0.0, 0.0, -1.0]], np.float32), np.array([0])
        for loss in BY_CLASS[::2]:
            assert loss(labels, small + 8192) == pytest.approx(loss(labels, small), rel=1e-6)


class TestMinimisers:
    """What probabilities the best logits give to classes of known frequencies."""

    frequencies = np.array([0.6, 0.3, 0.1])

    def best_probabilities(self, loss, frequencies=frequencies, **parameters):
        labels = np.arange(len(frequencies))

        def cost(logits):
            rows = np.tile(logits, (len(labels), 1))
            return loss(labels, rows, weight=frequencies, **parameters)

        def slope(logits):
            rows = np.tile(logits, (len(labels), 1))
            return loss.gradient(labels, rows, weight=frequencies, **parameters).sum(axis=0)

        logits = minimize(cost, np.log(frequencies), jac=slope, options={"gtol": 1e-10}).x
        return np.exp(logits) / np.exp(logits).sum()

    def test_focal_is_flatter_than_a_majority_and_sharper_than_many_small_classes(self):
        best = self.best_probabilities(focal_cross_entropy, gamma=2.0)
        assert best[0] < 0.6 - 0.01
        many = np.array([0.1] + 99 * [0.9 / 99])
        best = self.best_probabilities(focal_cross_entropy, many, gamma=2.0)
        assert best[0] > 0.1 + 0.01
        # where the expected gradient vanishes, frequencies are as p / w, w the loss's own factor
        factor = (1 - best) ** 2 - 2 * best * (1 - best) * np.log(best)
        np.testing.assert_allclose(many / many[1], (best / factor) / (best / factor)[1], rtol=1e-5)

    @pytest.mark.parametrize("q", [0.2, 0.5])
    def test_generalised_asks_for_a_power_of_the_frequencies(self, q):
        expected = self.frequencies ** (1 / (1 - q))
        best = self.best_probabilities(generalised_cross_entropy, q=q)
        np.testing.assert_allclose(best, expected / expected.sum(), atol=1e-6)

    def spread(self, probabilities):
        return probabilities.max() - probabilities.min()

    def test_the_others_are_too_modest_or_too_sure(self):
        truth = self.spread(self.frequencies)
        assert self.spread(self.best_probabilities(focal_cross_entropy)) < truth - 0.05
        modest = self.best_probabilities(poly1_cross_entropy, epsilon=-0.5)
        sure = self.best_probabilities(poly1_cross_entropy, epsilon=0.5)
        assert self.spread(modest) < truth - 0.05
        assert self.spread(sure) > truth + 0.05
        both_ways = self.best_probabilities(symmetric_cross_entropy, alpha=1.0, beta=0.3)
        assert self.spread(both_ways) > truth + 0.05

    def test_binary_focal_is_nearer_to_one_half(self):
        target, weight = np.array([1, 0]), np.array([0.9, 0.1])

        def cost(logit):
            return focal(target, np.full(2, logit[0]), weight=weight)

        best = 1 / (1 + np.exp(-minimize(cost, [1.0]).x[0]))
        assert 0.5 < best < 0.85


class TestTargets:
    @pytest.mark.parametrize(
        "loss", [*BY_CLASS, symmetric_cross_entropy], ids=lambda loss: loss.name
    )
    @pytest.mark.parametrize("reduction", ["mean", "none"])
    @both_parts
    def test_indices_and_one_hot_rows_agree(self, loss, reduction, part):
        labels, logits = many_classes()
        np.testing.assert_allclose(
            called(loss, part)(labels, logits, reduction=reduction),
            called(loss, part)(np.eye(5)[labels], logits, reduction=reduction),
            rtol=1e-12,
            atol=1e-15,
        )

    @every_loss_by_class
    @pytest.mark.parametrize("part", ["value", "gradient"])
    def test_a_distribution_mixes_the_labels(self, loss, part):
        _, logits = many_classes()
        target = np.random.default_rng(1).dirichlet(np.ones(5), size=101)
        mixed = 0
        for c in range(5):
            values = called(loss, part)(np.full(101, c), logits, reduction="none")
            mixed = mixed + (target[:, c] if part == "value" else target[:, c : c + 1]) * values
        ours = called(loss, part)(target, logits, reduction="none")
        np.testing.assert_allclose(ours, mixed, rtol=1e-11, atol=1e-13)

    def test_symmetric_clips_the_logarithm_of_the_target(self):
        target = np.array([[0.7, 0.3 - 1e-6, 1e-6, 0.0]])
        logits = np.random.default_rng(0).normal(size=(1, 4))
        p = np.exp(logits) / np.exp(logits).sum()
        logs = np.array([np.log(0.7), np.log(0.3 - 1e-6), -4.0, -4.0])
        value = symmetric_cross_entropy(target, logits, alpha=0.0, beta=1.0)
        assert value == pytest.approx(-(p * logs).sum(), rel=1e-12)

    @pytest.mark.parametrize(
        "loss", [*BY_CLASS, symmetric_cross_entropy], ids=lambda loss: loss.name
    )
    def test_gradient_for_distributions_equals_autograd(self, loss):
        _, logits = many_classes()
        target = np.random.default_rng(1).dirichlet(np.ones(5), size=101)
        leaf = torch.tensor(logits, requires_grad=True)
        loss(torch.tensor(target), leaf).backward()
        np.testing.assert_allclose(
            loss.gradient(target, logits), leaf.grad.numpy(), rtol=1e-11, atol=1e-15
        )

    @every_loss_by_class
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    @both_parts
    def test_class_weights_weigh_the_sample_of_each_label(self, loss, reduction, part):
        labels, logits = many_classes()
        class_weight = np.array([1.0, 2.0, 0.5, 0.0, 3.0])
        expected = called(loss, part)(
            labels, logits, weight=class_weight[labels], reduction=reduction
        )
        for target in (labels, np.eye(5)[labels]):
            ours = called(loss, part)(
                target, logits, class_weight=class_weight, reduction=reduction
            )
            np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-15)

    @every_loss_by_class
    def test_ignored_rows_may_hold_anything(self, loss):
        labels, logits = many_classes()
        masked = np.where(np.arange(101) % 2, labels, -100)
        logits[::2] = np.nan
        assert loss(masked, logits, ignore_index=-100) == pytest.approx(
            loss(labels[1::2], logits[1::2])
        )


class TestParameters:
    @pytest.mark.parametrize("loss", [focal, focal_cross_entropy])
    @pytest.mark.parametrize("gamma", [-1, np.nan, np.inf, "2"])
    def test_gamma(self, loss, gamma):
        with pytest.raises(ValueError, match="gamma must be a finite number of at least 0"):
            loss(
                np.zeros(1, int),
                np.zeros((1, 2) if loss is focal_cross_entropy else 1),
                gamma=gamma,
            )

    @pytest.mark.parametrize("alpha", [-0.1, 1.1, np.nan, "0.25"])
    def test_alpha(self, alpha):
        with pytest.raises(ValueError, match=r"focal: alpha must lie in \[0, 1\] or be None"):
            focal(np.zeros(1), np.zeros(1), alpha=alpha)

    @pytest.mark.parametrize("q", [0, -1, 1.5, np.nan])
    def test_q(self, q):
        with pytest.raises(ValueError, match="q must be above 0 and at most 1"):
            generalised_cross_entropy(np.zeros(1, int), np.zeros((1, 2)), q=q)

    @pytest.mark.parametrize("epsilon", [-1.5, np.nan, np.inf])
    def test_epsilon(self, epsilon):
        with pytest.raises(ValueError, match="epsilon must be a finite number of at least -1"):
            poly1_cross_entropy(np.zeros(1, int), np.zeros((1, 2)), epsilon=epsilon)

    @pytest.mark.parametrize("log_zero", [0, 1e-4, -np.inf])
    def test_log_zero(self, log_zero):
        with pytest.raises(ValueError, match="log_zero must be a finite number below 0"):
            symmetric_cross_entropy(np.zeros(1, int), np.zeros((1, 2)), log_zero=log_zero)
