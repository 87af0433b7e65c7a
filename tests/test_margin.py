"""Margin losses against torch and scikit-learn, their minimisers, kinks, and what Keras floors."""

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
from optional import jax, keras, optax, torch
from scipy.optimize import minimize_scalar
from sklearn import metrics
from sklearn._loss import loss as sklearn_loss
from sklearn.linear_model import _sgd_fast as sgd

from lossbook import (
    bce_with_logits,
    entmax15_loss,
    exponential,
    hinge,
    huber,
    logistic,
    modified_huber,
    multiclass_hinge,
    multiclass_perceptron,
    perceptron,
    sparsemax_loss,
    squared_hinge,
    weston_watkins,
    zero_one,
)

BINARY = [squared_hinge, modified_huber, logistic, exponential, perceptron]


def signs(dtype=np.float64, n=101):
    rng = np.random.default_rng(0)
    return (2 * rng.integers(0, 2, n) - 1).astype(dtype), (3 * rng.normal(size=n)).astype(dtype)


def many_classes(dtype=np.float64, n=101, classes=5):
    rng = np.random.default_rng(0)
    return rng.integers(0, classes, n), (2 * rng.normal(size=(n, classes))).astype(dtype)


class TestTwoClasses:
    @both_types
    @every_reduction
    def test_logistic_is_the_soft_margin_loss_of_torch(self, dtype, reduction):
        target, scores = signs(dtype)
        assert_value_and_gradient_equal_torch(
            both(logistic, reduction=reduction),
            lambda z, y: F.soft_margin_loss(z, y, reduction=reduction),
            target,
            scores,
            dtype,
        )

    @pytest.mark.parametrize(
        ("loss", "theirs"),
        [
            (hinge, sgd.Hinge(1.0)),
            (perceptron, sgd.Hinge(0.0)),
            (squared_hinge, sgd.SquaredHinge(1.0)),
            (modified_huber, sgd.ModifiedHuber()),
        ],
        ids=["hinge", "perceptron", "squared_hinge", "modified_huber"],
    )
    def test_values_and_slopes_of_scikit_learns_sgd(self, loss, theirs):
        for y, z in zip(*signs(), strict=True):
            arguments = np.array([y]), np.array([z])
            assert loss(*arguments) == pytest.approx(theirs.py_loss(z, y))
            assert loss.gradient(*arguments)[0] == pytest.approx(theirs.py_dloss(z, y))

    def test_exponential_equals_scikit_learn(self):
        target, scores = signs()
        theirs = sklearn_loss.ExponentialLoss()
        labels = (target + 1) / 2
        np.testing.assert_allclose(
            exponential(target, scores, reduction="none"), theirs.loss(labels, scores)
        )
        np.testing.assert_allclose(
            exponential.gradient(target, scores, reduction="none"), theirs.gradient(labels, scores)
        )

    def test_special_cases(self):
        target, scores = signs()
        shortfall = hinge(target, scores, reduction="none")
        assert squared_hinge(target, scores) == pytest.approx((shortfall**2).mean())
        zero = np.zeros_like(shortfall)
        assert modified_huber(target, scores) == pytest.approx(2 * huber(zero, shortfall, delta=2))
        assert logistic(target, scores) == bce_with_logits((target + 1) / 2, scores)

    @pytest.mark.parametrize("loss", BINARY)
    def test_labels_0_and_1_are_an_error(self, loss):
        # torch's soft_margin_loss gives log 2 and no gradient for a label of 0
        with pytest.raises(ValueError, match=r"-1 or 1; it has 0 at index 0.*2 \* target - 1"):
            loss(np.array([0, 1]), np.array([0.5, 0.5]))
        leaf = torch.tensor([3.0], requires_grad=True)
        silent = F.soft_margin_loss(leaf, torch.zeros(1))
        silent.backward()
        assert silent.item() == pytest.approx(np.log(2)) and leaf.grad.item() == 0

    @pytest.mark.parametrize("loss", [squared_hinge, modified_huber])
    @pytest.mark.parametrize("score", [1.0, 2.0])
    def test_beyond_the_margin_there_is_no_slope(self, loss, score):
        assert loss.gradient(np.ones(1), np.array([score])).tolist() == [0.0]

    def test_the_kink_of_the_perceptron(self):
        assert perceptron.gradient(np.array([1, -1]), np.zeros(2)).tolist() == [0, 0]

    @pytest.mark.parametrize("score", [-1e4, -30.0, 30.0, 1e4])
    def test_logistic_keeps_its_digits(self, score):
        value = logistic(np.ones(1), np.array([score]))
        expected = mpmath.log1p(mpmath.exp(-exact(score)))
        assert value == pytest.approx(float(expected), rel=1e-14, abs=1e-300)

    @pytest.mark.parametrize("loss", BINARY)
    def test_infinite_scores(self, loss):
        right, wrong = np.array([np.inf]), np.array([-np.inf])
        assert loss(np.ones(1), right) == 0 and loss(np.ones(1), wrong) == np.inf
        assert loss.gradient(np.ones(1), right)[0] == 0
        assert loss.gradient(np.ones(1), wrong)[0] < 0


class TestMinimisersOfTwoClasses:
    """The best constant score for a class 1 of frequency η."""

    def best_score(self, loss, frequency):
        target, weight = np.array([1.0, -1.0]), np.array([frequency, 1 - frequency])

        def cost(score):
            return loss(target, np.full(2, score), weight=weight)

        return minimize_scalar(cost, bounds=(-8, 8), options={"xatol": 1e-10}, method="bounded").x

    @pytest.mark.parametrize("frequency", [0.1, 0.5, 0.7])
    def test_each_has_its_own_scale(self, frequency):
        log_odds = np.log(frequency / (1 - frequency))
        assert self.best_score(logistic, frequency) == pytest.approx(log_odds, abs=1e-6)
        assert self.best_score(exponential, frequency) == pytest.approx(log_odds / 2, abs=1e-6)
        for loss in (squared_hinge, modified_huber):
            assert self.best_score(loss, frequency) == pytest.approx(2 * frequency - 1, abs=1e-6)

    @pytest.mark.parametrize("frequency", [0.1, 0.4, 0.7])
    def test_the_perceptron_asks_for_no_margin(self, frequency):
        assert self.best_score(perceptron, frequency) == pytest.approx(0, abs=1e-6)


class TestMulticlassHinge:
    def test_equals_scikit_learn(self):
        labels, scores = many_classes()
        assert multiclass_hinge(labels, scores) == pytest.approx(metrics.hinge_loss(labels, scores))

    def test_negative_scores_are_not_raised_to_0(self):
        # keras issue 8083: its CategoricalHinge gives 2 here
        scores = np.array([[-1.0, -5.0, -6.0]])
        assert multiclass_hinge(np.array([0]), scores) == 0
        assert multiclass_hinge(np.array([0]), scores + 100) == 0

    def test_two_classes_are_the_hinge_of_the_difference(self):
        target, scores = signs()
        rows = np.stack((np.zeros_like(scores), scores), axis=-1)
        labels = ((target + 1) / 2).astype(int)
        for loss in (multiclass_hinge, weston_watkins):
            np.testing.assert_allclose(
                loss(labels, rows, reduction="none"), hinge(target, scores, reduction="none")
            )

    def test_ties_share_the_slope(self):
        slope = multiclass_hinge.gradient(np.array([0]), np.array([[0.0, 2.0, 2.0, 1.0]]))
        assert slope.tolist() == [[-1.0, 0.5, 0.5, 0.0]]

    def test_the_kink(self):
        scores = np.array([[2.0, 1.0, 0.0]])
        for loss in (multiclass_hinge, weston_watkins):
            assert loss.gradient(np.array([0]), scores).tolist() == [[0.0, 0.0, 0.0]]

    @pytest.mark.parametrize(
        ("frequencies", "best"),
        [((0.6, 0.25, 0.15), (1.0, 0.0, 0.0)), ((0.4, 0.35, 0.25), (0.0, 0.0, 0.0))],
    )
    def test_asks_for_the_most_frequent_class_only_if_it_has_more_than_half(
        self, frequencies, best
    ):
        self.assert_best(multiclass_hinge, frequencies, best)

    def test_the_sum_over_the_classes_may_ask_for_a_tie(self):
        self.assert_best(weston_watkins, (0.46, 0.44, 0.10), (1.0, 1.0, 0.0))

    def assert_best(self, loss, frequencies, best):
        """No scores are better: a convex cost has no other minimum than the global one."""
        labels, weight = np.arange(3), np.array(frequencies)

        def cost(scores):
            return loss(labels, np.tile(scores, (3, 1)), weight=weight)

        around = np.array(best) + 0.1 * np.random.default_rng(0).normal(size=(2000, 3))
        assert min(cost(scores) for scores in around) >= cost(np.array(best)) - 1e-12
        assert cost(np.array(best)) < min(cost(np.eye(3)[c]) for c in (1, 2))


class TestWestonWatkins:
    @both_types
    @every_reduction
    @pytest.mark.parametrize("p", [1, 2])
    @pytest.mark.parametrize("margin", [1.0, 0.5])
    def test_is_torch_times_the_number_of_classes(self, dtype, reduction, p, margin):
        labels, scores = many_classes(dtype)
        options = {"p": p, "margin": margin, "reduction": reduction}
        assert_value_and_gradient_equal_torch(
            both(weston_watkins, **options),
            lambda z, y: 5 * F.multi_margin_loss(z, y, **options),
            labels,
            scores,
            dtype,
        )

    @pytest.mark.parametrize("p", [1, 2])
    def test_an_impossible_label_costs_infinity(self, p):
        scores = np.array([[100.0, -np.inf, 1e4]])
        assert weston_watkins(np.array([1]), scores, p=p) == np.inf
        slope = weston_watkins.gradient(np.array([1]), scores, p=p)[0]
        rise = 1.0 if p == 1 else np.inf
        assert slope.tolist() == [rise, -2 * rise, rise]

    @pytest.mark.parametrize("p", [0, 3, 1.5, True, "1", None])
    def test_p(self, p):
        with pytest.raises(ValueError, match="weston_watkins: p must be 1 or 2"):
            weston_watkins(np.zeros(1, int), np.zeros((1, 2)), p=p)

    @pytest.mark.parametrize("loss", [weston_watkins, multiclass_hinge])
    def test_distributions_are_an_error(self, loss):
        with pytest.raises(TypeError, match=r"must hold class indices, integers of shape \(2,\)"):
            loss(np.full((2, 2), 0.5), np.zeros((2, 2)))

    @pytest.mark.parametrize("loss", [weston_watkins, multiclass_hinge, sparsemax_loss])
    def test_ignored_rows(self, loss):
        labels, scores = many_classes()
        masked = np.where(np.arange(101) % 2, labels, -1)
        assert loss(masked, scores, ignore_index=-1) == pytest.approx(
            loss(labels[1::2], scores[1::2])
        )

    @pytest.mark.parametrize("loss", [weston_watkins, multiclass_hinge, sparsemax_loss])
    def test_one_class_costs_nothing(self, loss):
        assert loss(np.zeros(2, int), np.array([[3.0], [-1e4]])) == 0
        assert (loss.gradient(np.zeros(2, int), np.array([[3.0], [-1e4]])) == 0).all()


class TestSparsemax:
    @staticmethod
    def projection(scores):
        """The nearest point of the simplex, by bisection of the threshold."""
        low, high = scores.max() - 1, scores.max()
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (
                (middle, high) if np.maximum(scores - middle, 0).sum() > 1 else (low, middle)
            )
        return np.maximum(scores - low, 0)

    def test_the_gradient_is_the_projection_minus_the_target(self):
        labels, scores = many_classes()
        slopes = sparsemax_loss.gradient(labels, scores, reduction="sum")
        expected = [self.projection(row) for row in scores] - np.eye(5)[labels]
        np.testing.assert_allclose(slopes, expected, atol=1e-12)
        assert (slopes + np.eye(5)[labels] == 0).any()  # probabilities of exactly 0

    def test_a_label_that_is_ahead_by_1_costs_nothing(self):
        scores = np.array([[1.0, 0.0, -3.0], [0.9, 0.0, -3.0]])
        values = sparsemax_loss(np.zeros(2, int), scores, reduction="none")
        assert values[0] == 0 and values[1] > 0

    def test_asks_for_the_frequencies(self):
        frequencies = np.array([0.55, 0.35, 0.1, 0.0])
        scores = np.tile(frequencies - 7, (4, 1))
        slope = sparsemax_loss.gradient(np.arange(4), scores, weight=frequencies)
        np.testing.assert_allclose(slope.sum(axis=0), 0, atol=1e-12)
        of_distribution = sparsemax_loss.gradient(frequencies[None], scores[:1])
        np.testing.assert_allclose(of_distribution, 0, atol=1e-12)

    @pytest.mark.parametrize("shift", [-1e4, 1e4])
    def test_a_shift_of_the_scores_changes_nothing(self, shift):
        labels, scores = many_classes()
        scores = np.round(scores, 6)
        assert sparsemax_loss(labels, scores + shift) == pytest.approx(
            sparsemax_loss(labels, scores), rel=1e-9
        )

    def test_an_impossible_class(self):
        scores = np.array([[0.5, -np.inf, 0.0]])
        value = sparsemax_loss(np.array([0]), scores)
        assert value == pytest.approx(sparsemax_loss(np.array([0]), scores[:, ::2]))
        assert sparsemax_loss(np.array([1]), scores) == np.inf
        assert sparsemax_loss.gradient(np.array([0]), scores)[0, 1] == 0


@pytest.mark.parametrize("name", ["multiclass_perceptron", "zero_one", "entmax15_loss"])
def test_under_compilers(name):
    check_under_compilers(CASES[name], {})


class TestMulticlassPerceptron:
    def test_equals_optax(self):
        labels, scores = many_classes()
        with jax.enable_x64(True):
            expected = np.asarray(optax.losses.multiclass_perceptron_loss(scores, labels))
        values = multiclass_perceptron(labels, scores, reduction="none")
        np.testing.assert_allclose(values, expected, rtol=1e-14)

    def test_is_the_multiclass_hinge_without_its_margin(self):
        labels, scores = many_classes()
        ahead = scores + np.eye(5)[labels]
        values = multiclass_hinge(labels, ahead, reduction="none")
        np.testing.assert_allclose(
            values, multiclass_perceptron(labels, scores, reduction="none"), atol=1e-14
        )

    def test_two_classes_are_the_perceptron_of_the_difference(self):
        labels, scores = many_classes(classes=2)
        values = multiclass_perceptron(labels, scores, reduction="none")
        difference = scores[:, 1] - scores[:, 0]
        expected = perceptron(2 * labels - 1, difference, reduction="none")
        np.testing.assert_array_equal(values, expected)

    def test_ties(self):
        scores = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
        slopes = multiclass_perceptron.gradient(np.array([0, 0]), scores, reduction="none")
        assert slopes.tolist() == [[0, 0, 0], [-1, 0.5, 0.5]]


class TestZeroOne:
    def test_is_one_minus_accuracy(self):
        labels, scores = many_classes()
        expected = metrics.zero_one_loss(labels, scores.argmax(axis=1))
        assert zero_one(labels, scores) == pytest.approx(expected)
        weight = np.random.default_rng(1).uniform(size=101)
        expected = metrics.zero_one_loss(labels, scores.argmax(axis=1), sample_weight=weight)
        assert zero_one(labels, scores, weight=weight) == pytest.approx(expected)

    def test_a_tie_is_wrong_whichever_comes_first(self):
        scores = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]])
        assert zero_one(np.array([0, 1]), scores, reduction="none").tolist() == [1, 1]

    def test_the_multiclass_hinge_lies_above_it_and_it_has_no_slope(self):
        labels, scores = many_classes()
        values = zero_one(labels, scores, reduction="none")
        assert (multiclass_hinge(labels, scores, reduction="none") >= values).all()
        slopes = zero_one.gradient(labels, scores)
        assert (slopes == 0).all() and slopes.shape == scores.shape


def test_the_binary_sparsemax_loss_of_optax_is_a_quarter_of_modified_huber():
    labels, scores = signs()
    with jax.enable_x64(True):
        expected = np.asarray(optax.losses.sparsemax_loss(scores, (labels > 0).astype(int)))
    values = modified_huber(labels, scores, reduction="none") / 4
    np.testing.assert_allclose(values, expected, rtol=1e-13, atol=1e-16)


def test_the_categorical_hinge_of_keras_asks_for_a_positive_score_too():
    scores, label = np.array([[-1.0, -5.0, -6.0]]), np.array([0])
    assert float(keras.losses.categorical_hinge(np.eye(3)[label], scores)[0]) == 2
    assert multiclass_hinge(label, scores) == 0
    assert multiclass_hinge(label, scores + 10) == 0  # a shift changes nothing


class TestEntmax15:
    def test_the_probabilities_are_those_of_its_authors_package(self):
        # entmax15([-2, 0, 0.5]), from the package's own page
        slopes = entmax15_loss.gradient(np.array([0]), np.array([[-2.0, 0.0, 0.5]]))
        np.testing.assert_allclose(slopes + np.eye(3)[:1], [[0, 0.3260, 0.6740]], atol=5e-5)

    @both_types
    @pytest.mark.parametrize("classes", [1, 2, 30, 3000])
    def test_the_probabilities_sum_to_1(self, dtype, classes):
        labels, scores = many_classes(dtype, classes=classes)
        slopes = entmax15_loss.gradient(labels, scores, reduction="none")
        tolerance = 1e-5 if dtype == np.float32 else 1e-13
        np.testing.assert_allclose(slopes.sum(axis=-1), 0, atol=tolerance)
        values = entmax15_loss(labels, scores, reduction="none")
        wide = entmax15_loss(labels, scores.astype(np.float64), reduction="none")
        np.testing.assert_allclose(values, wide, rtol=1e-5, atol=1e-6)

    def test_a_label_that_is_ahead_by_2_costs_nothing(self):
        scores = np.array([[2.0, 0.0, -3.0], [1.9, 0.0, -3.0]])
        values = entmax15_loss(np.zeros(2, int), scores, reduction="none")
        assert values[0] == 0 and values[1] > 0

    def test_lies_between_sparsemax_and_cross_entropy(self):
        # in what it keeps: its support holds that of sparsemax, and need not be everything
        labels, scores = many_classes()
        of_sparsemax = sparsemax_loss.gradient(labels, scores, reduction="sum") + np.eye(5)[labels]
        ours = entmax15_loss.gradient(labels, scores, reduction="sum") + np.eye(5)[labels]
        assert (ours[of_sparsemax > 1e-12] > 0).all()
        assert (ours < 1e-12).any() and (ours > 1e-12).sum() > (of_sparsemax > 1e-12).sum()

    def test_asks_for_the_frequencies(self):
        frequencies = np.array([0.55, 0.35, 0.1, 0.0])
        scores = np.tile(2 * np.sqrt(frequencies) - 7, (4, 1))
        slope = entmax15_loss.gradient(np.arange(4), scores, weight=frequencies)
        np.testing.assert_allclose(slope.sum(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(
            entmax15_loss.gradient(frequencies[None], scores[:1]), 0, atol=1e-12
        )
        assert entmax15_loss(frequencies[None], scores[:1]) == pytest.approx(0, abs=1e-15)

    @pytest.mark.parametrize("shift", [-1e4, 1e4])
    def test_a_shift_of_the_scores_changes_nothing(self, shift):
        labels, scores = many_classes()
        scores = np.round(scores, 6)
        assert entmax15_loss(labels, scores + shift) == pytest.approx(
            entmax15_loss(labels, scores), rel=1e-9
        )

    def test_an_impossible_class(self):
        scores = np.array([[0.5, -np.inf, 0.0]])
        value = entmax15_loss(np.array([0]), scores)
        assert value == pytest.approx(entmax15_loss(np.array([0]), scores[:, ::2]))
        assert entmax15_loss(np.array([1]), scores) == np.inf
        assert entmax15_loss.gradient(np.array([0]), scores)[0, 1] == 0
