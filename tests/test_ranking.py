"""Losses of ranking: what is particular to them, and how other libraries differ."""

import numpy as np
import pytest
from against_torch import both_types
from compiled import check_under_compilers
from optional import functional as F
from optional import jax, optax, torch
from scipy.optimize import minimize_scalar
from sklearn.metrics import label_ranking_loss
from structured_cases import STRUCTURED_CASES, STRUCTURED_RUNS

from lossbook import (
    bpr,
    cross_entropy,
    hinge,
    label_ranking,
    listwise_softmax,
    logistic,
    margin_ranking,
    multilabel_margin,
)

RANKING = ("margin_ranking", "bpr", "listwise_softmax", "multilabel_margin", "label_ranking")
RUNS = [run for run in STRUCTURED_RUNS if run[0].loss.name in RANKING]


def scores(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def labels_of(n=6, classes=5):
    return STRUCTURED_CASES["multilabel_margin"].draw(0, n)["target"][:, :classes]


@pytest.mark.parametrize(("case", "parameters"), RUNS)
def test_under_compilers(case, parameters):
    check_under_compilers(case, parameters)


@pytest.mark.parametrize("name", RANKING)
def test_torch_takes_the_gradient_of_each_sample_by_vmap(name):
    loss = STRUCTURED_CASES[name].loss
    arrays = STRUCTURED_CASES[name].draw(0, 4)
    tensors = [torch.tensor(array) for array in arrays.values()]

    def value(*one):
        return loss(**dict(zip(arrays, one, strict=True)), reduction="none")

    place = list(arrays).index(loss.predictions[0])
    found = torch.func.vmap(torch.func.grad(value, argnums=place))(*tensors)
    slopes = loss.gradient(**arrays, reduction="sum")
    expected = slopes[0] if isinstance(slopes, tuple) else slopes
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-15)


class TestMarginRanking:
    @pytest.mark.parametrize("margin", [0.0, 0.7])
    @pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
    def test_equals_torch(self, margin, reduction):
        target, first, second = 2 * (scores(50) > 0) - 1, scores(50, seed=1), scores(50, seed=2)
        leaf = torch.tensor(first, requires_grad=True)
        theirs = F.margin_ranking_loss(
            leaf, torch.tensor(second), torch.tensor(target), margin=margin, reduction=reduction
        )
        theirs.sum().backward()
        options = {"margin": margin, "reduction": reduction}
        values = margin_ranking(target, first, second, **options)
        np.testing.assert_allclose(values, theirs.detach().numpy(), rtol=1e-12)
        slopes = margin_ranking.gradient(target, first, second, **options)
        np.testing.assert_allclose(slopes[0], leaf.grad.numpy(), rtol=1e-12)
        np.testing.assert_array_equal(slopes[1], -slopes[0])

    def test_a_margin_of_1_makes_it_the_hinge_of_the_difference(self):
        target, first, second = 2 * (scores(50) > 0) - 1, scores(50, seed=1), scores(50, seed=2)
        value = margin_ranking(target, first, second, margin=1.0)
        assert value == pytest.approx(hinge(target, first - second), rel=1e-14)

    def test_the_edge_of_the_margin_is_free_and_flat(self):
        one, zero = np.array([1.0]), np.array([0.0])
        value, slopes = margin_ranking.value_and_gradient(one, one, zero, margin=1.0)
        assert value == 0 and slopes[0] == 0 and slopes[1] == 0

    @pytest.mark.parametrize(("share", "best"), [(0.3, -2.0), (0.8, 2.0)])
    def test_the_minimiser_is_the_margin_in_the_more_frequent_order(self, share, best):
        grid = np.linspace(-4, 4, 81)
        weight = np.array([share, 1 - share])
        target, zeros = np.array([1, -1]), np.zeros(2)
        risks = [
            margin_ranking(target, np.full(2, d), zeros, margin=2.0, weight=weight) for d in grid
        ]
        assert grid[np.argmin(risks)] == pytest.approx(best)

    def test_the_labels_0_and_1_are_an_error(self):
        with pytest.raises(ValueError, match="target must be -1 or 1; it has 0"):
            margin_ranking(np.array([0]), np.array([1.0]), np.array([0.0]))


class TestBPR:
    @both_types
    def test_is_exact_where_the_usual_form_has_lost_its_gradient(self, dtype):
        preferred, other = np.array([-40.0], dtype=dtype), np.array([0.0], dtype=dtype)
        value, slopes = bpr.value_and_gradient(preferred, other)
        assert value == 40
        assert slopes[0] == -1 and slopes[1] == 1
        leaf = torch.tensor(preferred, requires_grad=True)
        usual = -torch.log(torch.sigmoid(leaf - torch.tensor(other)) + 1e-10)
        usual.backward()
        assert float(usual.detach()) == pytest.approx(23.03, abs=0.01)
        assert abs(float(leaf.grad)) < 1e-7

    def test_keeps_the_digits_of_a_small_loss(self):
        value, slopes = bpr.value_and_gradient(np.array([40.0]), np.array([0.0]))
        assert value == pytest.approx(np.exp(-40), rel=1e-14)
        assert slopes[0] == pytest.approx(-np.exp(-40), rel=1e-14)

    @pytest.mark.parametrize("difference", [-1e30, 1e30])
    def test_extremes(self, difference):
        arrays = np.array([difference], dtype=np.float32), np.zeros(1, dtype=np.float32)
        value, slopes = bpr.value_and_gradient(*arrays)
        assert value == np.float32(max(0, -difference))
        assert slopes[0] == (-1 if difference < 0 else 0)

    def test_is_the_logistic_loss_of_the_difference(self):
        preferred, other = scores(50), scores(50, seed=1)
        assert bpr(preferred, other) == logistic(np.ones(50), preferred - other)

    def test_the_minimiser_is_the_log_odds(self):
        def risk(difference):
            first, second = np.array([difference, 0.0]), np.array([0.0, difference])
            return bpr(first, second, weight=np.array([0.8, 0.2]))

        assert minimize_scalar(risk).x == pytest.approx(np.log(4), abs=1e-6)


class TestListwiseSoftmax:
    @pytest.mark.parametrize("masked", [False, True])
    def test_equals_optax(self, masked):
        arrays = STRUCTURED_CASES["listwise_softmax"].draw(0, 6)
        if not masked:
            del arrays["mask"]
        ours = listwise_softmax.value_and_gradient(**arrays)
        with jax.enable_x64(True):
            where = jax.numpy.asarray(arrays["mask"]) if masked else None

            def theirs(z):
                target = jax.numpy.asarray(arrays["target"])
                return optax.losses.ranking_softmax_loss(z, target, where=where)

            value, slope = jax.value_and_grad(theirs)(jax.numpy.asarray(arrays["scores"]))
        assert ours[0] == pytest.approx(float(value), rel=1e-12)
        np.testing.assert_allclose(ours[1], slope, rtol=1e-10, atol=1e-14)

    def test_relevances_that_sum_to_1_make_it_cross_entropy(self):
        z = scores(6, 4)
        target = np.random.default_rng(1).dirichlet(np.ones(4), size=6)
        assert listwise_softmax(target, z) == cross_entropy(target, z)

    def test_the_minimiser_is_the_share_of_each_relevance(self):
        target = np.array([[3.0, 1.0, 4.0]])
        slope = listwise_softmax.gradient(target, np.log(target))
        np.testing.assert_allclose(slope, 0, atol=1e-15)
        assert listwise_softmax(target, np.log(target)) < listwise_softmax(target, scores(1, 3))

    def test_a_list_without_relevance_costs_0(self):
        value, slope = listwise_softmax.value_and_gradient(np.zeros((1, 3)), scores(1, 3))
        assert value == 0 and (slope == 0).all()

    @pytest.mark.parametrize("library", ["numpy", "torch"])
    def test_padding_counts_for_nothing_even_if_it_is_nan(self, library):
        target, z = np.array([[2.0, 1.0, 0.0]]), scores(1, 3)
        short = listwise_softmax(target[:, :2], z[:, :2])
        z[0, 2] = np.nan
        arrays = target, z, np.array([[True, True, False]])
        if library == "torch":
            target, z, mask = (torch.tensor(array) for array in arrays)
            value = listwise_softmax(target, z.requires_grad_(), mask=mask)
            (slope,) = torch.autograd.grad(value, z)
            value, slope = value.detach(), slope.numpy()
        else:
            value, slope = listwise_softmax.value_and_gradient(*arrays[:2], mask=arrays[2])
        assert float(value) == pytest.approx(short, rel=1e-14)
        assert np.isfinite(slope).all() and slope[0, 2] == 0

    def test_a_list_of_padding_alone_costs_0_and_weight_0_leaves_it_out(self):
        target, z = np.array([[1.0, 0.0], [1.0, 0.0]]), scores(2, 2)
        mask = np.array([[True, True], [False, False]])
        values = listwise_softmax(target, z, mask=mask, reduction="none")
        slope = listwise_softmax.gradient(target, z, mask=mask)
        assert values[0] > 0 and values[1] == 0 and (slope[1] == 0).all()
        kept = listwise_softmax(target, z, mask=mask, weight=np.array([1.0, 0.0]))
        assert kept == values[0]

    @both_types
    def test_extreme_scores(self, dtype):
        target, z = np.array([[0, 1]]), np.array([[1e30, -1e30]], dtype=dtype)
        value, slope = listwise_softmax.value_and_gradient(target, z)
        assert value == dtype(2e30)
        np.testing.assert_array_equal(slope, [[1, -1]])

    def test_a_negative_relevance_is_an_error_that_names_the_mask(self):
        with pytest.raises(ValueError, match=r"at least 0; it has -1.*leave it out by mask"):
            listwise_softmax(np.array([[1, -1]]), scores(1, 2))


class TestMultilabelMargin:
    @both_types
    def test_equals_torch_whose_target_lists_indices(self, dtype):
        target, z = labels_of(), scores(6, 5).astype(dtype)
        lists = np.full((6, 5), -1)
        for row, members in zip(lists, target, strict=True):
            (indices,) = np.nonzero(members)
            row[: len(indices)] = indices
        leaf = torch.tensor(z, requires_grad=True)
        theirs = F.multilabel_margin_loss(leaf, torch.tensor(lists))
        theirs.backward()
        value, slope = multilabel_margin.value_and_gradient(target, z)
        assert value == pytest.approx(theirs.item(), rel=1e-6)
        np.testing.assert_allclose(slope, leaf.grad.numpy(), rtol=1e-6, atol=1e-8)

    def test_all_labels_ahead_by_1_cost_nothing(self):
        value, slope = multilabel_margin.value_and_gradient(
            np.array([[1, 1, 0]]), np.array([[1.0, 5.0, 0.0]])
        )
        assert value == 0 and (slope == 0).all()

    @pytest.mark.parametrize("members", [0, 1])
    def test_all_labels_or_none_cost_nothing(self, members):
        target = np.full((1, 3), members)
        for loss in (multilabel_margin, label_ranking):
            value, slope = loss.value_and_gradient(target, scores(1, 3))
            assert value == 0 and (slope == 0).all()

    def test_a_list_of_indices_is_an_error(self):
        with pytest.raises(ValueError, match="target must be 0 or 1; it has 3"):
            multilabel_margin(np.array([[3, 0, -1, 1]]), scores(1, 4))


class TestLabelRanking:
    def test_equals_scikit_learn_ties_included(self):
        rng = np.random.default_rng(0)
        target, z = rng.integers(0, 2, (200, 5)), rng.integers(0, 4, (200, 5)).astype(float)
        assert label_ranking(target, z) == pytest.approx(label_ranking_loss(target, z), rel=1e-12)
        weight = rng.uniform(size=200)
        assert label_ranking(target, z, weight=weight) == pytest.approx(
            label_ranking_loss(target, z, sample_weight=weight), rel=1e-12
        )

    def test_from_0_for_the_right_order_to_1_for_the_reverse(self):
        target, z = np.array([[1, 1, 0, 0]]), np.array([[4.0, 3.0, 2.0, 1.0]])
        assert label_ranking(target, z) == 0
        assert label_ranking(target, -z) == 1
        assert label_ranking(target, np.zeros((1, 4))) == 1  # all tied

    def test_has_no_slope_to_train_with(self):
        target, z = labels_of(), scores(6, 5)
        assert (label_ranking.gradient(target, z) == 0).all()
        leaf = torch.tensor(z, requires_grad=True)
        label_ranking(torch.tensor(target), leaf).backward()
        assert (leaf.grad == 0).all()

    def test_the_order_of_the_probabilities_is_the_best_for_one_label_a_sample(self):
        probabilities = np.array([0.5, 0.3, 0.2])
        orders = [(3.0, 2.0, 1.0), (3.0, 1.0, 2.0), (2.0, 3.0, 1.0), (1.0, 2.0, 3.0)]
        risks = [
            label_ranking(np.eye(3), np.tile(order, (3, 1)), weight=probabilities)
            for order in orders
        ]
        assert np.argmin(risks) == 0
