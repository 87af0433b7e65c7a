"""Classification losses against torch, at the ends of their domain, with weights and masks."""

import mpmath
import numpy as np
import pytest
from against_torch import (
    assert_value_and_gradient_equal_torch,
    both,
    both_types,
    every_reduction,
)
from cases import CASES
from compiled import check_under_compilers
from hypothesis import given
from hypothesis import strategies as st
from optional import functional as F
from optional import torch
from scipy.optimize import minimize
from scipy.spatial import distance
from sklearn import metrics

from lossbook import (
    bce,
    bce_with_logits,
    brier,
    cross_entropy,
    hinge,
    jensen_shannon,
    kl_divergence,
    mse,
    multiclass_brier,
    nll,
)

large = st.floats(-1e4, 1e4)


def binary(dtype, n=101):
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, n).astype(dtype), (4 * rng.normal(size=n)).astype(dtype)


def many_classes(dtype, n=101, classes=5):
    rng = np.random.default_rng(0)
    return rng.integers(0, classes, n), (4 * rng.normal(size=(n, classes))).astype(dtype)


@both_types
@every_reduction
class TestAgainstTorch:
    def test_bce(self, reduction, dtype):
        labels, logits = binary(dtype)
        probabilities = (1 / (1 + np.exp(-logits))).astype(dtype)
        assert_value_and_gradient_equal_torch(
            both(bce, reduction=reduction),
            lambda p, y: F.binary_cross_entropy(p, y, reduction=reduction),
            labels,
            probabilities,
            dtype,
        )

    def test_bce_with_logits(self, reduction, dtype):
        labels, logits = binary(dtype)
        for target in (labels, 0.1 + 0.8 * labels):
            assert_value_and_gradient_equal_torch(
                both(bce_with_logits, reduction=reduction),
                lambda z, y: F.binary_cross_entropy_with_logits(z, y, reduction=reduction),
                target.astype(dtype),
                logits,
                dtype,
            )

    def test_nll(self, reduction, dtype):
        labels, logits = many_classes(dtype)
        log_probabilities = F.log_softmax(torch.tensor(logits), -1).numpy()
        assert_value_and_gradient_equal_torch(
            both(nll, reduction=reduction),
            lambda z, y: F.nll_loss(z, y, reduction=reduction),
            labels,
            log_probabilities,
            dtype,
        )

    @pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
    def test_cross_entropy_with_class_indices(self, reduction, dtype, label_smoothing):
        labels, logits = many_classes(dtype)
        options = {"reduction": reduction, "label_smoothing": label_smoothing}
        assert_value_and_gradient_equal_torch(
            both(cross_entropy, **options),
            lambda z, y: F.cross_entropy(z, y, **options),
            labels,
            logits,
            dtype,
        )

    @pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
    def test_cross_entropy_with_distributions(self, reduction, dtype, label_smoothing):
        _, logits = many_classes(dtype)
        target = np.random.default_rng(1).dirichlet(np.ones(5), size=101).astype(dtype)
        options = {"reduction": reduction, "label_smoothing": label_smoothing}
        assert_value_and_gradient_equal_torch(
            both(cross_entropy, **options),
            lambda z, y: F.cross_entropy(z, y, **options),
            target,
            logits,
            dtype,
        )

    def test_class_weights_with_class_indices(self, reduction, dtype):
        labels, logits = many_classes(dtype)
        weight = np.array([1, 2, 0.5, 0, 3], dtype)
        assert_value_and_gradient_equal_torch(
            both(cross_entropy, reduction=reduction, class_weight=weight),
            lambda z, y: F.cross_entropy(z, y, reduction=reduction, weight=torch.tensor(weight)),
            labels,
            logits,
            dtype,
        )

    def test_ignore_index(self, reduction, dtype):
        labels, logits = many_classes(dtype)
        labels[::3] = -100
        assert_value_and_gradient_equal_torch(
            both(cross_entropy, reduction=reduction, ignore_index=-100),
            lambda z, y: F.cross_entropy(z, y, reduction=reduction),
            labels,
            logits,
            dtype,
        )


class TestClassWeights:
    """Where torch's two kinds of target disagree, there is one answer here."""

    labels, logits = many_classes(np.float64)
    weight = np.array([1.0, 2.0, 0.5, 0.0, 3.0])
    one_hot = np.eye(5)[labels]

    @pytest.mark.parametrize("label_smoothing", [0.0, 0.2])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_indices_and_one_hot_rows_agree(self, label_smoothing, reduction):
        # pytorch issue 107680: F.cross_entropy gives two different means
        options = {
            "class_weight": self.weight,
            "label_smoothing": label_smoothing,
            "reduction": reduction,
        }
        for function in (cross_entropy, cross_entropy.gradient):
            np.testing.assert_allclose(
                function(self.labels, self.logits, **options),
                function(self.one_hot, self.logits, **options),
                rtol=1e-12,
                atol=1e-16,
            )

    def test_torch_gives_two_answers(self):
        z, weight = torch.tensor(self.logits), torch.tensor(self.weight)
        by_index = F.cross_entropy(z, torch.tensor(self.labels), weight=weight)
        by_row = F.cross_entropy(z, torch.tensor(self.one_hot), weight=weight)
        assert abs(by_index - by_row) > 0.05
        ours = cross_entropy(self.labels, self.logits, class_weight=self.weight)
        assert float(by_index) == pytest.approx(ours)

    def test_smoothing_is_the_same_as_smoothing_the_target(self):
        smooth = 0.8 * self.one_hot + 0.2 / 5
        for reduction in ("mean", "sum", "none"):
            np.testing.assert_allclose(
                cross_entropy(
                    self.labels,
                    self.logits,
                    label_smoothing=0.2,
                    class_weight=self.weight,
                    reduction=reduction,
                ),
                cross_entropy(smooth, self.logits, class_weight=self.weight, reduction=reduction),
                rtol=1e-12,
            )

    def test_constant_class_weights_change_nothing(self):
        assert cross_entropy(self.labels, self.logits, class_weight=np.full(5, 7.0)) == (
            pytest.approx(cross_entropy(self.labels, self.logits), rel=1e-12)
        )

    def test_sample_and_class_weights_multiply(self):
        sample_weight = np.random.default_rng(2).uniform(size=101)
        combined = sample_weight * self.weight[self.labels]
        values = cross_entropy(self.labels, self.logits, reduction="none")
        assert cross_entropy(
            self.labels, self.logits, weight=sample_weight, class_weight=self.weight
        ) == pytest.approx(np.average(values, weights=combined), rel=1e-12)

    def test_a_class_of_weight_0_hides_even_an_infinite_loss(self):
        logits = np.array([[0.0, 0.0], [-np.inf, 0.0]])
        value = cross_entropy(np.array([1, 0]), logits, class_weight=np.array([0.0, 1.0]))
        assert value == pytest.approx(np.log(2))


class TestIgnoreIndex:
    def test_ignored_rows_may_hold_anything(self):
        logits = np.array([[0.0, 1.0], [np.nan, np.inf]])
        labels = np.array([1, -1])
        kept = cross_entropy(labels[:1], logits[:1])
        assert cross_entropy(labels, logits, ignore_index=-1) == pytest.approx(kept)
        gradient = cross_entropy.gradient(labels, logits, ignore_index=-1)
        assert gradient[1].tolist() == [0.0, 0.0]

    def test_an_index_that_is_a_class_can_be_ignored(self):
        labels, logits = many_classes(np.float64)
        keep = labels != 2
        assert cross_entropy(labels, logits, ignore_index=2) == pytest.approx(
            cross_entropy(labels[keep], logits[keep])
        )

    def test_smoothing_and_weights_do_not_reach_ignored_rows(self):
        # pytorch issue 73205
        labels, logits = many_classes(np.float64)
        options = {"label_smoothing": 0.1, "class_weight": np.array([1.0, 2, 3, 4, 5])}
        masked = np.where(np.arange(101) % 2, labels, -100)
        assert cross_entropy(masked, logits, ignore_index=-100, **options) == pytest.approx(
            cross_entropy(labels[1::2], logits[1::2], **options)
        )


class TestExtremes:
    @pytest.mark.parametrize(
        ("label", "probability", "expected"),
        [(0.0, 0.0, 0.0), (1.0, 1.0, 0.0), (1.0, 0.0, np.inf), (0.0, 1.0, np.inf)],
    )
    def test_probabilities_of_exactly_0_and_1(self, label, probability, expected):
        target, prediction = np.array([label]), np.array([probability])
        assert bce(target, prediction) == expected
        assert not np.signbit(bce(target, prediction))
        slope = bce.gradient(target, prediction)[0]
        assert slope == {0.0: 1.0 - 2.0 * label, np.inf: np.inf * (1 - 2 * label)}[expected]
        leaf = torch.tensor(prediction, requires_grad=True)
        bce(torch.tensor(target), leaf).backward()
        assert leaf.grad.item() == slope

    def test_tiny_probabilities_keep_their_digits(self):
        value = float(bce(np.array([0.0]), np.array([1e-20])))
        assert value == pytest.approx(1e-20, rel=1e-12)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @given(logit=large, label=st.sampled_from([0, 1]))
    def test_logits_of_ten_thousand(self, dtype, logit, label):
        logit = dtype(logit)
        value = bce_with_logits(np.array([label]), np.array([logit]))
        sign = 1 - 2 * label
        expected = mpmath.log1p(mpmath.exp(sign * mpmath.mpf(float(logit))))
        eps = float(np.finfo(dtype).eps)
        assert float(value) == pytest.approx(
            float(expected), rel=8 * eps, abs=float(np.finfo(dtype).tiny)
        )
        slope = bce_with_logits.gradient(np.array([label]), np.array([logit]))[0]
        exact_slope = sign / (1 + mpmath.exp(-sign * mpmath.mpf(float(logit))))
        assert float(slope) == pytest.approx(
            float(exact_slope), rel=8 * eps, abs=float(np.finfo(dtype).tiny)
        )

    def test_a_confident_right_answer_keeps_its_tiny_loss(self):
        value = bce_with_logits(np.array([1]), np.array([20.0], np.float32))
        assert float(value) == pytest.approx(2.0611537e-9, rel=1e-6)

    @given(st.lists(large, min_size=1, max_size=6), st.integers(0, 5))
    def test_cross_entropy_of_logits_of_ten_thousand(self, logits, label):
        label = label % len(logits)
        z = [mpmath.mpf(value) for value in logits]
        # Σ exp(z_c - z_y) over the other classes: the loss is log1p of it
        others = mpmath.fsum(mpmath.exp(v - z[label]) for k, v in enumerate(z) if k != label)
        labels, rows = np.array([label]), np.array([logits])
        value = float(cross_entropy(labels, rows))
        # the differences of the logits are rounded, so their size counts
        rel = 4e-16 * (4 + max(abs(v - max(logits)) for v in logits))
        assert value == pytest.approx(float(mpmath.log1p(others)), rel=rel, abs=1e-300)
        gradient = cross_entropy.gradient(labels, rows)[0]
        exact = [mpmath.exp(v - z[label]) / (1 + others) for v in z]
        exact[label] = -others / (1 + others)
        assert gradient.tolist() == pytest.approx([float(g) for g in exact], rel=rel, abs=1e-300)

    @pytest.mark.parametrize("library", ["numpy", "torch"])
    @pytest.mark.parametrize("shift", [0.0, 1e3, 1e4])
    def test_a_confident_right_class_keeps_its_tiny_loss(self, library, shift):
        # torch and the usual log-sum-exp give 0 here
        rows = np.array([[30.0, 0.0, -1.0]], np.float32) + np.float32(shift)
        labels = np.array([0])
        expected = float(mpmath.log1p(mpmath.exp(-30) + mpmath.exp(-31)))
        if library == "torch":
            rows, labels = torch.tensor(rows, requires_grad=True), torch.tensor(labels)
            cross_entropy(labels, rows).backward()
            assert rows.grad[0, 0].item() == pytest.approx(-expected, rel=1e-5)
            rows = rows.detach()
        assert float(cross_entropy(labels, rows)) == pytest.approx(expected, rel=1e-5)
        assert float(cross_entropy.gradient(labels, rows)[0, 0]) == pytest.approx(
            -expected, rel=1e-5
        )

    def test_the_error_does_not_grow_with_the_logits(self):
        rows = np.array([[1e4, 1e4 - 5, 1e4 - 6]], np.float32)
        expected = float(mpmath.log1p(mpmath.exp(-5) + mpmath.exp(-6)))
        assert float(cross_entropy(np.array([0]), rows)) == pytest.approx(expected, rel=1e-6)
        one_hot = np.eye(3, dtype=np.float32)[:1]
        assert float(cross_entropy(one_hot, rows)) == pytest.approx(expected, rel=1e-6)

    def test_impossible_classes(self):
        logits = np.array([[0.0, -np.inf, 0.0]])
        assert cross_entropy(np.array([0]), logits) == pytest.approx(np.log(2))
        assert cross_entropy(np.array([[0.5, 0.0, 0.5]]), logits) == pytest.approx(np.log(2))
        assert cross_entropy(np.array([1]), logits) == np.inf
        assert cross_entropy.gradient(np.array([0]), logits).tolist() == [[-0.5, 0.0, 0.5]]

    @pytest.mark.parametrize("label", [0, 1])
    def test_infinite_logits(self, label):
        right, wrong = (np.array([s * np.inf]) for s in (2 * label - 1, 1 - 2 * label))
        assert bce_with_logits(np.array([label]), right) == 0
        assert bce_with_logits(np.array([label]), wrong) == np.inf
        assert bce_with_logits.gradient(np.array([label]), right)[0] == 0
        assert bce_with_logits.gradient(np.array([label]), wrong)[0] == 1 - 2 * label

    def test_one_class_costs_nothing(self):
        assert cross_entropy(np.array([0, 0]), np.array([[3.0], [-1e4]])) == 0


def test_cross_entropy_of_two_classes_is_bce_of_the_difference():
    labels, logits = binary(np.float64)
    rows = np.stack([np.zeros_like(logits), logits], axis=-1)
    np.testing.assert_allclose(
        cross_entropy(labels.astype(int), rows, reduction="none"),
        bce_with_logits(labels, logits, reduction="none"),
        rtol=1e-12,
        atol=1e-15,
    )


def test_cross_entropy_is_nll_of_the_log_softmax():
    labels, logits = many_classes(np.float64)
    log_probabilities = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    assert cross_entropy(labels, logits) == pytest.approx(nll(labels, log_probabilities))


def test_more_than_one_row_axis():
    labels, logits = many_classes(np.float64, n=12)
    stacked = cross_entropy(labels.reshape(3, 4), logits.reshape(3, 4, 5), reduction="none")
    np.testing.assert_array_equal(stacked.ravel(), cross_entropy(labels, logits, reduction="none"))


def test_hinge_equals_its_definition():
    target, scores = np.array([1, 1, 1, -1]), np.array([2.0, 0.5, -1.0, 0.5])
    assert hinge(target, scores, reduction="none").tolist() == [0.0, 0.5, 2.0, 1.5]
    assert hinge.gradient(target, scores, reduction="none").tolist() == [0.0, -1.0, -1.0, 1.0]


def test_hinge_equals_torch_multi_margin_of_two_classes():
    rng = np.random.default_rng(0)
    target, scores = 2 * rng.integers(0, 2, 20) - 1, rng.normal(size=20)
    rows = torch.tensor(np.stack([np.zeros(20), scores], axis=-1))
    # torch averages over the classes: half the hinge of the difference
    theirs = 2 * F.multi_margin_loss(rows, torch.tensor((target + 1) // 2))
    assert hinge(target, scores) == pytest.approx(float(theirs))


class TestKullbackLeibler:
    target = np.random.default_rng(1).dirichlet(np.ones(5), size=101)
    log_probabilities = np.log(np.random.default_rng(2).dirichlet(np.ones(5), size=101))

    @both_types
    @pytest.mark.parametrize(("ours", "theirs"), [("mean", "batchmean"), ("sum", "sum")])
    def test_equals_torch(self, ours, theirs, dtype):
        assert_value_and_gradient_equal_torch(
            both(kl_divergence, reduction=ours),
            lambda z, q: F.kl_div(z, q, reduction=theirs),
            self.target.astype(dtype),
            self.log_probabilities.astype(dtype),
            dtype,
        )

    @pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss")
    def test_the_mean_is_over_rows_and_not_over_rows_times_classes(self):
        # pytorch issues 2259, 60928, 89558: the default reduction is not the divergence's mean
        z, q = torch.tensor(self.log_probabilities), torch.tensor(self.target)
        ours = kl_divergence(self.target, self.log_probabilities)
        by_definition = (self.target * (np.log(self.target) - self.log_probabilities)).sum(-1)
        assert ours == pytest.approx(by_definition.mean(), rel=1e-12)
        assert F.kl_div(z, q, reduction="mean").item() == pytest.approx(ours / 5)

    def test_a_forgotten_logarithm_is_an_error(self):
        probabilities = np.exp(self.log_probabilities)
        with pytest.raises(ValueError, match="log_probabilities must be at most 0"):
            kl_divergence(self.target, probabilities)
        forgotten = F.kl_div(
            torch.tensor(probabilities), torch.tensor(self.target), reduction="sum"
        )
        assert forgotten.item() < 0

    def test_is_nll_minus_the_entropy_of_the_target(self):
        entropy = -(self.target * np.log(self.target)).sum(-1).mean()
        assert kl_divergence(self.target, self.log_probabilities) == pytest.approx(
            nll(self.target, self.log_probabilities) - entropy
        )

    def test_of_a_distribution_from_itself_is_0(self):
        assert kl_divergence(self.target, np.log(self.target)) == 0

    def test_impossible_classes(self):
        target = np.array([[0.5, 0.5, 0.0]])
        possible = np.array([[np.log(0.5), np.log(0.5), -np.inf]])
        assert kl_divergence(target, possible) == 0
        assert kl_divergence(target, possible[:, ::-1]) == np.inf

    def test_asks_for_the_mean_of_the_targets(self):
        expected = np.log(self.target.mean(axis=0))

        def cost(logits):
            z = logits - np.log(np.exp(logits).sum())
            return kl_divergence(self.target, np.tile(np.minimum(z, 0), (101, 1)))

        best = minimize(cost, np.zeros(5), options={"gtol": 1e-8}).x
        np.testing.assert_allclose(best - np.log(np.exp(best).sum()), expected, atol=1e-5)


class TestBrier:
    def test_of_two_classes(self):
        labels, logits = binary(np.float64)
        p = 1 / (1 + np.exp(-logits))
        assert brier(labels, p) == pytest.approx(metrics.brier_score_loss(labels, p))
        assert brier(labels, p) == mse(labels, p)
        rows = np.stack((np.zeros_like(logits), logits), axis=-1)
        assert multiclass_brier(labels.astype(int), rows) == pytest.approx(2 * brier(labels, p))

    def test_of_many_classes_equals_its_definition_on_probabilities(self):
        labels, logits = many_classes(np.float64)
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        expected = ((p - np.eye(5)[labels]) ** 2).sum(-1).mean()
        assert multiclass_brier(labels, logits) == pytest.approx(expected, rel=1e-12)
        assert multiclass_brier(labels, np.log(p)) == pytest.approx(expected, rel=1e-12)

    def test_distributions(self):
        _, logits = many_classes(np.float64)
        target = np.random.default_rng(1).dirichlet(np.ones(5), size=101)
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        leaf = torch.tensor(logits, requires_grad=True)
        multiclass_brier(torch.tensor(target), leaf).backward()
        assert multiclass_brier(target, logits) == pytest.approx(((p - target) ** 2).sum(-1).mean())
        np.testing.assert_allclose(
            multiclass_brier.gradient(target, logits), leaf.grad.numpy(), rtol=1e-11, atol=1e-15
        )

    def test_asks_for_the_frequencies(self):
        frequencies = np.array([0.6, 0.3, 0.1])

        def cost(logits):
            return multiclass_brier(np.arange(3), np.tile(logits, (3, 1)), weight=frequencies)

        best = np.exp(minimize(cost, np.zeros(3), options={"gtol": 1e-9}).x)
        np.testing.assert_allclose(best / best.sum(), frequencies, atol=1e-5)

    def test_is_bounded_and_flat_for_a_confident_wrong_answer(self):
        # the reason to train on cross-entropy: its slope is 1 here
        labels, logits = np.array([0]), np.array([[0.0, 30.0]])
        assert multiclass_brier(labels, logits) == pytest.approx(2)
        assert abs(multiclass_brier.gradient(labels, logits)).max() < 1e-12
        assert abs(cross_entropy.gradient(labels, logits)).max() == pytest.approx(1)

    def test_probabilities_outside_of_0_and_1(self):
        with pytest.raises(ValueError, match=r"brier: prediction must be in \[0, 1\].*logits"):
            brier(np.array([1]), np.array([1.5]))


class TestJensenShannon:
    def distributions(self, n=50, classes=4):
        rng = np.random.default_rng(0)
        return rng.dirichlet(np.ones(classes), n), rng.dirichlet(np.ones(classes), n)

    def test_under_compilers(self):
        check_under_compilers(CASES["jensen_shannon"], {})

    def test_is_the_square_of_scipys_distance_and_symmetric(self):
        q, p = self.distributions()
        values = jensen_shannon(q, np.log(p), reduction="none")
        np.testing.assert_allclose(values, distance.jensenshannon(q, p, axis=-1) ** 2, rtol=1e-12)
        np.testing.assert_allclose(
            values, jensen_shannon(p, np.log(q), reduction="none"), rtol=1e-12
        )

    def test_is_the_mean_of_two_divergences_to_the_mean(self):
        q, p = self.distributions()
        to_mean = [kl_divergence(first, np.log((p + q) / 2)) for first in (q, p)]
        assert jensen_shannon(q, np.log(p)) == pytest.approx(np.mean(to_mean), rel=1e-13)

    def test_is_at_most_log_2_and_0_for_what_is_equal(self):
        q, _ = self.distributions()
        assert jensen_shannon(q, np.log(q)) == pytest.approx(0, abs=1e-16)
        labels = np.array([0, 1])
        with np.errstate(divide="ignore"):
            wrong = np.log(np.eye(3)[[1, 2]])
        np.testing.assert_allclose(jensen_shannon(labels, wrong, reduction="none"), np.log(2))
        slopes = jensen_shannon.gradient(labels, wrong, reduction="sum")
        np.testing.assert_allclose(slopes, np.log(2) / 2 * np.eye(3)[[1, 2]])

    def test_labels_are_one_hot_distributions(self):
        _, p = self.distributions()
        labels = np.random.default_rng(1).integers(0, 4, 50)
        of_labels = jensen_shannon(labels, np.log(p), reduction="none")
        of_rows = jensen_shannon(np.eye(4)[labels], np.log(p), reduction="none")
        np.testing.assert_array_equal(of_labels, of_rows)

    def best(self, frequencies):
        """The probability of class 1 that labels of these frequencies ask for."""

        def cost(z):
            row = [-np.logaddexp(0, z), -np.logaddexp(0, -z)]
            return jensen_shannon(np.arange(2), np.array([row, row]), weight=np.array(frequencies))

        grid = np.linspace(-8, 8, 1601)
        return 1 / (1 + np.exp(-grid[np.argmin([cost(z) for z in grid])]))

    def test_several_labels_do_not_ask_for_their_frequencies(self):
        assert self.best([0.5, 0.5]) == pytest.approx(0.5, abs=1e-3)
        assert abs(self.best([0.7, 0.3]) - 0.3) > 0.02

    def test_the_gradient_fades_for_a_prediction_that_excludes_the_label(self):
        leaf = torch.tensor([[-30.0, 0.0]], dtype=torch.float64, requires_grad=True)
        label = torch.tensor([0])
        jensen_shannon(label, torch.log_softmax(leaf, -1)).backward()
        assert leaf.grad.abs().max() < 1e-9
        slopes = cross_entropy.gradient(label.numpy(), leaf.detach().numpy())
        assert abs(slopes).max() == pytest.approx(1)


class TestOtherNamesOfBinaryCrossEntropy:
    def test_pos_weight_of_torch_is_a_weight_whose_mean_divides_by_n(self):
        target, logits = binary(np.float64)
        theirs = F.binary_cross_entropy_with_logits(
            torch.tensor(logits), torch.tensor(target), pos_weight=torch.tensor(3.0)
        )
        weight = np.where(target == 1, 3.0, 1.0)
        ours = bce_with_logits(target, logits, weight=weight, reduction="sum") / target.size
        assert ours == pytest.approx(theirs.item(), rel=1e-12)

    def test_multi_label_soft_margin_is_the_mean_over_labels(self):
        rng = np.random.default_rng(0)
        target, logits = rng.integers(0, 2, size=(6, 4)), rng.normal(size=(6, 4))
        theirs = F.multilabel_soft_margin_loss(
            torch.tensor(logits), torch.tensor(target, dtype=torch.float64), reduction="none"
        )
        ours = bce_with_logits(target, logits, reduction="none").mean(axis=-1)
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12)
