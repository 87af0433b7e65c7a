"""Losses of similarity: what is particular to them, and how other libraries differ."""

import numpy as np
import pytest
from against_torch import both_types
from cases import CASES
from compiled import check_under_compilers
from optional import functional as F
from optional import jax, keras, optax, torch
from scipy.optimize import minimize_scalar
from structured_cases import STRUCTURED_CASES, STRUCTURED_RUNS

from lossbook import (
    circle,
    contrastive,
    cosine_distance,
    cosine_embedding,
    hinge_embedding,
    info_nce,
    margin_ranking,
    nt_xent,
    siglip,
    supervised_contrastive,
    triplet,
)

PAIRS = ("cosine_distance", "cosine_embedding", "triplet")
BATCHES = ("info_nce", "nt_xent", "supervised_contrastive", "siglip", "circle")
RUNS = [run for run in STRUCTURED_RUNS if run[0].loss.name in PAIRS + BATCHES]
RUNS += [(CASES[name], {}) for name in ("hinge_embedding", "contrastive")]
every_batch_loss = pytest.mark.parametrize("name", BATCHES)


def rows(n=6, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def signs(n=6):
    return 2 * np.random.default_rng(1).integers(0, 2, n) - 1


def units(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def as_tuple(slopes):
    return slopes if isinstance(slopes, tuple) else (slopes,)


def value_and_gradients_of(function, *arrays):
    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    value = function(*leaves)
    return float(value), [g.numpy() for g in torch.autograd.grad(value, leaves)]


@pytest.mark.parametrize(("case", "parameters"), RUNS)
def test_under_compilers(case, parameters):
    check_under_compilers(case, parameters)


class TestCosineDistance:
    def test_is_1_minus_the_cosine_of_torch(self):
        target, prediction = rows(), rows(seed=1)
        expected = 1 - F.cosine_similarity(torch.tensor(prediction), torch.tensor(target))
        values = cosine_distance(target, prediction, reduction="none")
        np.testing.assert_allclose(values, expected.numpy(), rtol=1e-12)

    def test_keras_gives_minus_the_cosine(self):
        target, prediction = rows().astype(np.float32), rows(seed=1).astype(np.float32)
        theirs = keras.losses.cosine_similarity(torch.tensor(target), torch.tensor(prediction))
        values = cosine_distance(target, prediction, reduction="none")
        np.testing.assert_allclose(values - 1, theirs.numpy(), atol=1e-6)

    @pytest.mark.parametrize("library", ["numpy", "torch"])
    @pytest.mark.parametrize("zero", ["target", "prediction"])
    def test_a_vector_of_length_0_costs_1_and_has_no_slope(self, library, zero):
        arrays = {"target": rows(1), "prediction": rows(1, seed=1)}
        arrays[zero] = np.zeros((1, 5))
        if library == "torch":
            arrays = {name: torch.tensor(array) for name, array in arrays.items()}
            leaf = arrays["prediction"].requires_grad_()
            value = cosine_distance(**arrays)
            (slope,) = torch.autograd.grad(value, leaf)
            assert (slope == 0).all()
        else:
            value = cosine_distance(**arrays)
            assert (cosine_distance.gradient(**arrays) == 0).all()
        assert float(value) == 1

    def test_optax_has_a_gradient_of_nan_at_length_0(self):
        jnp = jax.numpy
        slope = jax.grad(lambda x: optax.cosine_distance(x, jnp.ones(3)))(jnp.zeros(3))
        assert jnp.isnan(slope).all()

    def test_keeps_its_digits_where_the_directions_are_almost_equal(self):
        target, prediction = np.array([1.0, 0.0]), np.array([1.0, 1e-9])
        assert 1 - np.sum(target * units(prediction)) == 0
        assert cosine_distance(target, prediction) == pytest.approx(0.5e-18, rel=1e-12)
        slope = cosine_distance.gradient(target, prediction)
        np.testing.assert_allclose(slope, [-1e-18, 1e-9], rtol=1e-6)

    @both_types
    def test_the_length_does_not_matter_and_the_slope_is_divided_by_it(self, dtype):
        target, prediction = rows().astype(dtype), rows(seed=1).astype(dtype)
        value, slope = cosine_distance.value_and_gradient(target, prediction)
        for factor in (2.0**-100, 2.0**100):
            scaled = cosine_distance.value_and_gradient(target, dtype(factor) * prediction)
            assert scaled[0] == pytest.approx(value, rel=1e-6)
            np.testing.assert_allclose(scaled[1] * dtype(factor), slope, rtol=1e-5, atol=1e-7)

    def test_is_0_to_2_and_its_minimiser_is_the_mean_direction(self):
        target = rows(20)
        best = units(target).mean(axis=0)
        at_best = cosine_distance(target, np.tile(best, (20, 1)))
        slope = cosine_distance.gradient(target, np.tile(best, (20, 1))).sum(axis=0)
        np.testing.assert_allclose(slope, 0, atol=1e-14)
        for other in rows(50, seed=3):
            assert cosine_distance(target, np.tile(other, (20, 1))) >= at_best
        assert cosine_distance(target, -3 * target) == pytest.approx(2, rel=1e-14)
        assert cosine_distance(target, 3 * target) == pytest.approx(0, abs=1e-14)


class TestPairs:
    @pytest.mark.parametrize("margin", [0.0, 0.3, -0.5])
    def test_cosine_embedding_equals_torch(self, margin):
        target, first, second = signs(), rows(), rows(seed=1)

        def theirs(a, b):
            return F.cosine_embedding_loss(a, b, torch.tensor(target), margin=margin)

        value, gradients = value_and_gradients_of(theirs, first, second)
        ours = cosine_embedding.value_and_gradient(target, first, second, margin=margin)
        assert ours[0] == pytest.approx(value, rel=1e-10)
        for slope, gradient in zip(ours[1], gradients, strict=True):
            np.testing.assert_allclose(slope, gradient, rtol=1e-8, atol=1e-12)

    def test_cosine_embedding_is_the_hinge_embedding_of_the_distance(self):
        target, first, second = signs(), rows(), rows(seed=1)
        distance = cosine_distance(first, second, reduction="none")
        value = cosine_embedding(target, first, second, margin=0.2)
        assert value == hinge_embedding(target, distance, margin=0.8)

    def test_the_margin_is_a_cosine(self):
        with pytest.raises(ValueError, match=r"margin must lie in \[-1, 1\]; it is 1.5"):
            cosine_embedding(signs(), rows(), rows(), margin=1.5)

    @pytest.mark.parametrize("margin", [1.0, 2.5])
    @pytest.mark.parametrize("reduction", ["mean", "sum"])
    def test_hinge_embedding_equals_torch(self, margin, reduction):
        target, distance = signs(50), np.random.default_rng(0).uniform(0, 3, 50)

        def theirs(d):
            return F.hinge_embedding_loss(
                d, torch.tensor(target), margin=margin, reduction=reduction
            )

        value, (gradient,) = value_and_gradients_of(theirs, distance)
        arguments = {"margin": margin, "reduction": reduction}
        assert hinge_embedding(target, distance, **arguments) == pytest.approx(value, rel=1e-12)
        slope = hinge_embedding.gradient(target, distance, **arguments)
        np.testing.assert_allclose(slope, gradient, rtol=1e-12)

    def test_the_edge_of_the_margin_is_free_and_flat(self):
        target, edge = np.array([-1]), np.array([1.0])
        assert hinge_embedding(target, edge) == 0 and hinge_embedding.gradient(target, edge) == 0
        assert contrastive(np.array([0]), edge) == 0

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
    def test_the_minimiser_of_contrastive_is_between_0_and_the_margin(self, share):
        def risk(d):
            target, distance = np.array([1, 0]), np.array([d, d])
            return contrastive(target, distance, margin=2.0, weight=np.array([share, 1 - share]))

        found = minimize_scalar(risk, bounds=(0, 4), method="bounded", options={"xatol": 1e-10})
        assert found.x == pytest.approx((1 - share) * 2, abs=1e-6)

    @pytest.mark.parametrize(("share", "best"), [(0.4, 2.0), (0.6, 0.0)])
    def test_the_minimiser_of_hinge_embedding_is_at_an_end(self, share, best):
        grid = np.linspace(0, 4, 41)
        risks = [
            share * hinge_embedding(np.array([1]), np.array([d]), margin=2.0)
            + (1 - share) * hinge_embedding(np.array([-1]), np.array([d]), margin=2.0)
            for d in grid
        ]
        assert grid[np.argmin(risks)] == pytest.approx(best)

    def test_contrastive_is_the_square_of_hinge_embedding(self):
        target, distance = signs(50), np.random.default_rng(0).uniform(0, 3, 50)
        values = contrastive((target + 1) // 2, distance, reduction="none")
        expected = hinge_embedding(target, distance, reduction="none") ** 2
        np.testing.assert_array_equal(values, expected)

    def test_which_label_means_the_same(self):
        far = np.array([10.0])
        assert contrastive(np.array([1]), far) == 100 and contrastive(np.array([0]), far) == 0
        with pytest.raises(ValueError, match="target must be 0 or 1; it has -1"):
            contrastive(np.array([-1]), far)
        with pytest.raises(ValueError, match="distance must be at least 0; it has -1"):
            contrastive(np.array([1]), np.array([-1.0]))


class TestTriplet:
    @pytest.mark.parametrize("swap", [False, True])
    def test_equals_torch(self, swap):
        arrays = rows(20), rows(20, seed=1), rows(20, seed=2)

        def theirs(*leaves):
            return F.triplet_margin_loss(*leaves, margin=0.7, eps=0.0, swap=swap)

        value, gradients = value_and_gradients_of(theirs, *arrays)
        ours = triplet.value_and_gradient(*arrays, margin=0.7, swap=swap)
        assert ours[0] == pytest.approx(value, rel=1e-12)
        for slope, gradient in zip(ours[1], gradients, strict=True):
            np.testing.assert_allclose(slope, gradient, rtol=1e-9, atol=1e-14)

    def test_with_another_distance_is_margin_ranking_of_the_distances(self):
        anchor, positive, negative = rows(20), rows(20, seed=1), rows(20, seed=2)

        def theirs(*leaves):
            def distance(a, b):
                return 1 - F.cosine_similarity(a, b)

            return F.triplet_margin_with_distance_loss(
                *leaves, distance_function=distance, margin=0.3
            )

        value, _ = value_and_gradients_of(theirs, anchor, positive, negative)
        near = cosine_distance(anchor, positive, reduction="none")
        far = cosine_distance(anchor, negative, reduction="none")
        assert margin_ranking(-np.ones(20), near, far, margin=0.3) == pytest.approx(value)

    def test_the_gradient_at_distance_0_is_0(self):
        point = np.ones((1, 3))
        slopes = triplet.gradient(point, point, point)
        assert all((slope == 0).all() for slope in slopes)
        _, automatic = value_and_gradients_of(lambda *leaves: triplet(*leaves), *[point] * 3)
        assert all((slope == 0).all() for slope in automatic)

    @both_types
    def test_no_square_overflows(self, dtype):
        large = dtype(np.finfo(dtype).max / 8)
        anchor, positive = np.array([large, 0], dtype=dtype), np.array([0, large], dtype=dtype)
        value, slopes = triplet.value_and_gradient(anchor, positive, anchor)
        assert value == pytest.approx(large * np.sqrt(2), rel=1e-6)
        np.testing.assert_allclose(slopes[1], [-(0.5**0.5), 0.5**0.5], rtol=1e-6)


class TestInfoNCE:
    @both_types
    @pytest.mark.parametrize("symmetric", [False, True])
    def test_is_the_cross_entropy_of_the_similarities(self, dtype, symmetric):
        queries, keys = rows().astype(dtype), rows(seed=1).astype(dtype)

        def theirs(q, k):
            logits = F.normalize(q) @ F.normalize(k).T / 0.1
            own = torch.arange(len(q))
            value = F.cross_entropy(logits, own)
            return (value + F.cross_entropy(logits.T, own)) / 2 if symmetric else value

        value, gradients = value_and_gradients_of(theirs, queries, keys)
        ours = info_nce.value_and_gradient(queries, keys, symmetric=symmetric)
        tolerance = 1e-5 if dtype is np.float32 else 1e-12
        assert ours[0] == pytest.approx(value, rel=tolerance)
        for slope, gradient in zip(ours[1], gradients, strict=True):
            np.testing.assert_allclose(slope, gradient, atol=tolerance * abs(gradient).max())

    def test_the_symmetric_one_does_not_tell_queries_from_keys(self):
        first, second = rows(), rows(seed=1)
        one, other = (
            info_nce(*pair, symmetric=True, reduction="none")
            for pair in ((first, second), (second, first))
        )
        np.testing.assert_allclose(one, other, rtol=1e-14)
        assert info_nce(first, second) != pytest.approx(info_nce(second, first))

    def test_keys_that_say_nothing_cost_log_n(self):
        same = np.ones((8, 3))
        assert info_nce(rows(8, 3), same) == pytest.approx(np.log(8))

    def test_the_minimiser_is_the_log_of_the_density_ratio(self):
        """Two kinds of query and key, which agree with probability 0.9."""
        rng = np.random.default_rng(0)
        n = 4000
        kinds = rng.integers(0, 2, n)
        keys_of = np.where(rng.random(n) < 0.9, kinds, 1 - kinds)
        queries, keys = np.eye(2)[kinds], np.eye(2)[keys_of]
        best = np.log(0.9 / 0.1)  # log(0.9/0.5) - log(0.1/0.5)

        def risk(similarity):
            return info_nce(similarity * queries, keys, temperature=1.0, normalise=False)

        found = minimize_scalar(risk, bounds=(0, 6), method="bounded")
        assert found.x == pytest.approx(best, abs=0.1)

    def test_the_length_counts_only_if_it_is_asked_to(self):
        queries, keys = rows(), rows(seed=1)
        assert info_nce(7 * queries, keys) == pytest.approx(info_nce(queries, keys), rel=1e-12)
        options = {"normalise": False, "temperature": 1.0}
        assert info_nce(7 * queries, keys, **options) != info_nce(queries, keys, **options)


class TestNTXent:
    def test_is_the_mean_over_all_views_of_their_cross_entropy(self):
        first, second = rows(), rows(seed=1)

        def theirs(a, b):
            views = F.normalize(torch.cat([a, b]))
            logits = (views @ views.T / 0.2).fill_diagonal_(-torch.inf)
            partner = torch.arange(12).roll(6)
            return F.cross_entropy(logits, partner)

        value, gradients = value_and_gradients_of(theirs, first, second)
        ours = nt_xent.value_and_gradient(first, second, temperature=0.2)
        assert ours[0] == pytest.approx(value, rel=1e-12)
        for slope, gradient in zip(ours[1], gradients, strict=True):
            np.testing.assert_allclose(slope, gradient, rtol=1e-9, atol=1e-13)

    def test_equals_optax_for_pairs(self):
        first, second = rows(), rows(seed=1)
        labels = jax.numpy.concatenate([jax.numpy.arange(6)] * 2)
        with jax.enable_x64(True):
            views = jax.numpy.asarray(np.concatenate([first, second]))
            theirs = float(optax.ntxent(views, labels, temperature=0.2))
        assert nt_xent(first, second, temperature=0.2) == pytest.approx(theirs, rel=1e-10)

    def test_one_pair_has_nothing_to_be_told_from(self):
        value, slopes = nt_xent.value_and_gradient(rows(1), rows(1, seed=1))
        assert value == 0 and all((slope == 0).all() for slope in slopes)


class TestSupervisedContrastive:
    def test_one_class_a_sample_makes_it_nt_xent(self):
        first, second = rows(), rows(seed=1)
        labels = np.concatenate([np.arange(6), np.arange(6)])
        value = supervised_contrastive(labels, np.concatenate([first, second]))
        assert value == pytest.approx(nt_xent(first, second), rel=1e-14)

    def test_optax_leaves_the_other_positives_out_of_the_denominator(self):
        labels, embeddings = np.array([0, 0, 0, 1, 1, 1]), rows()
        with jax.enable_x64(True):
            theirs = float(
                optax.ntxent(jax.numpy.asarray(embeddings), jax.numpy.asarray(labels), 0.5)
            )
        assert theirs < supervised_contrastive(labels, embeddings, temperature=0.5)

    def test_a_vector_alone_in_its_class_costs_0_and_is_a_negative_of_the_others(self):
        labels, embeddings = np.array([0, 0, 1]), rows(3)
        values = supervised_contrastive(labels, embeddings, reduction="none")
        assert values[2] == 0 and (values[:2] > 0).all()
        assert supervised_contrastive(labels, embeddings) == pytest.approx(values.sum() / 3)
        kept = supervised_contrastive(labels, embeddings, weight=np.array([1.0, 1.0, 0.0]))
        assert kept == pytest.approx(values.sum() / 2)
        assert np.abs(supervised_contrastive.gradient(labels, embeddings)[2]).max() > 0

    def test_a_batch_without_pairs_costs_0(self):
        for n in (1, 4):
            arrays = np.arange(n), rows(n)
            value, slope = supervised_contrastive.value_and_gradient(*arrays)
            assert value == 0 and (slope == 0).all()

    def test_classes_at_the_corners_of_a_simplex_are_the_best(self):
        labels = np.arange(3).repeat(4)
        angles = 2 * np.pi / 3 * labels
        best = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        value, slope = supervised_contrastive.value_and_gradient(labels, best)
        np.testing.assert_allclose(slope, 0, atol=1e-15)
        for seed in range(20):
            assert supervised_contrastive(labels, best + 0.1 * rows(12, 2, seed)) > value

    def test_labels_are_integers(self):
        with pytest.raises(TypeError, match="labels must hold integers"):
            supervised_contrastive(np.zeros(6), rows())


class TestSigLIP:
    def test_is_the_sum_over_all_pairs_divided_by_n(self):
        first, second = rows(), rows(seed=1)

        def theirs(a, b):
            logits = 10 * F.normalize(a) @ F.normalize(b).T - 10
            return -F.logsigmoid((2 * torch.eye(6) - 1) * logits).sum() / 6

        value, gradients = value_and_gradients_of(theirs, first, second)
        ours = siglip.value_and_gradient(first, second)
        assert ours[0] == pytest.approx(value, rel=1e-12)
        for slope, gradient in zip(ours[1], gradients, strict=True):
            np.testing.assert_allclose(slope, gradient, rtol=1e-9, atol=1e-12)

    def test_the_minimiser_is_the_log_odds_of_a_pair(self):
        """All vectors equal: one pair in n belongs together, so the logit is -log(n - 1)."""
        same = np.ones((5, 3))
        found = minimize_scalar(lambda b: siglip(same, same, scale=1.0, bias=float(b)))
        assert found.x + 1 == pytest.approx(-np.log(4), abs=1e-6)


class TestCircle:
    def test_equals_keras_for_vectors_of_length_1(self):
        labels, embeddings = np.array([0, 0, 1, 1, 2, 2]), units(rows())
        leaf = torch.tensor(embeddings, requires_grad=True)
        theirs = keras.losses.circle(torch.tensor(labels), leaf)
        values = circle(labels, embeddings, reduction="none")
        np.testing.assert_allclose(values, theirs.detach().numpy(), rtol=1e-5)
        theirs.mean().backward()
        # Keras does not divide by the length, so its gradient has a part along the vector
        along = (leaf.grad.numpy() * embeddings).sum(axis=1, keepdims=True) * embeddings
        slope = circle.gradient(labels, embeddings)
        np.testing.assert_allclose(slope, leaf.grad.numpy() - along, rtol=1e-4, atol=1e-6)

    def test_the_minimum_is_at_cosines_of_1_and_0(self):
        labels = np.array([0, 0, 1, 1])
        best = np.eye(2)[labels]
        value, slope = circle.value_and_gradient(labels, best, margin=0.25, scale=4.0)
        pairs = 2 * np.exp(-4 * 0.25**2) * np.exp(-4 * 0.25**2)  # one other, two of the other class
        assert value == pytest.approx(np.log1p(pairs), rel=1e-12)
        np.testing.assert_allclose(slope, 0, atol=1e-15)
        for seed in range(20):
            moved = best + 0.3 * rows(4, 2, seed)
            assert circle(labels, moved, margin=0.25, scale=4.0) > value

    @pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [7]])
    def test_costs_0_without_others_of_the_class_or_of_another(self, labels):
        labels = np.array(labels)
        value, slope = circle.value_and_gradient(labels, rows(len(labels)))
        assert value == 0 and (slope == 0).all()


class TestBatches:
    """What the losses of a whole batch share."""

    @every_batch_loss
    def test_with_its_own_defaults_float32_is_as_good_as_its_digits(self, name):
        case = STRUCTURED_CASES[name]
        for seed in range(5):
            narrow = case.draw(seed, 12, np.float32)
            wide = {
                key: array.astype(np.float64) if array.dtype == np.float32 else array
                for key, array in narrow.items()
            }
            value, slopes = case.loss.value_and_gradient(**narrow)
            exact, exact_slopes = case.loss.value_and_gradient(**wide)
            assert value == pytest.approx(exact, rel=1e-5)
            for slope, expected in zip(as_tuple(slopes), as_tuple(exact_slopes), strict=True):
                np.testing.assert_allclose(slope, expected, atol=2e-5 * abs(expected).max())

    @every_batch_loss
    @pytest.mark.parametrize("library", ["numpy", "torch"])
    def test_a_vector_of_length_0_is_at_right_angles_to_all(self, name, library):
        case = STRUCTURED_CASES[name]
        arrays = case.draw(0, 4)
        for key in case.loss.predictions:
            arrays[key][1] = 0
        if library == "torch":
            arrays = {key: torch.tensor(array) for key, array in arrays.items()}
            leaves = [arrays[key].requires_grad_() for key in case.loss.predictions]
            slopes = torch.autograd.grad(case.loss(**arrays), leaves)
        else:
            slopes = as_tuple(case.loss.gradient(**arrays))
        assert np.isfinite(float(case.loss(**arrays)))
        for slope in slopes:
            slope = np.asarray(slope)
            assert np.isfinite(slope).all() and (slope[1] == 0).all() and (slope != 0).any()

    @every_batch_loss
    @both_types
    def test_nothing_is_nan_at_extremes(self, name, dtype):
        case = STRUCTURED_CASES[name]
        extreme = {"scale": 1e4} if "scale" in case.loss.defaults else {"temperature": 1e-4}
        for factor in (1e-30, 1.0, 1e30):
            arrays = case.draw(0, 6, dtype)
            for key in case.loss.predictions:
                arrays[key] = (arrays[key] * factor).astype(dtype)
            value, slopes = case.loss.value_and_gradient(**arrays, **extreme)
            assert np.isfinite(value)
            assert all(np.isfinite(slope).all() for slope in as_tuple(slopes))

    @every_batch_loss
    def test_the_order_of_the_batch_does_not_matter(self, name):
        case = STRUCTURED_CASES[name]
        arrays, order = case.draw(0, 6), np.random.default_rng(1).permutation(6)
        shuffled = {key: array[order] for key, array in arrays.items()}
        values, others = (case.loss(**a, reduction="none") for a in (arrays, shuffled))
        np.testing.assert_allclose(values[order], others, rtol=1e-11, atol=1e-14)
