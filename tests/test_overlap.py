"""Losses of overlap: what is particular to them, and how other libraries differ."""

import itertools

import numpy as np
import pytest
from compiled import check_under_compilers
from optional import jax, keras, optax, torch
from structured_cases import STRUCTURED_CASES, STRUCTURED_RUNS, jaccard_of_errors

from lossbook import dice, jaccard, lovasz_hinge, lovasz_softmax, tversky

OVERLAP = ("tversky", "dice", "jaccard", "lovasz_hinge", "lovasz_softmax")
RUNS = [run for run in STRUCTURED_RUNS if run[0].loss.name in OVERLAP]


def images(n=3, pixels=20):
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, size=(n, pixels)).astype(float)
    target[0] *= np.arange(pixels) < 4  # one small object, so that global and per image differ
    return target, rng.uniform(size=(n, pixels))


@pytest.mark.parametrize(("case", "parameters"), RUNS)
def test_under_compilers(case, parameters):
    check_under_compilers(case, parameters)


class TestTversky:
    def test_alpha_weighs_what_is_predicted_and_not_there(self):
        target, extra = np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 1, 0])
        missing = np.array([1.0, 0, 0, 0])
        assert tversky(target, extra, alpha=1.0, beta=0.0) == pytest.approx(1 / 3)
        assert tversky(target, missing, alpha=1.0, beta=0.0) == 0
        assert tversky(target, missing, alpha=0.0, beta=1.0) == pytest.approx(1 / 2)

    def test_keras_has_alpha_and_beta_interchanged(self):
        target, extra = np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 1, 0])
        theirs = float(keras.losses.tversky(target, extra, alpha=1.0, beta=0.0))
        assert theirs == pytest.approx(0, abs=1e-6)
        target, prediction = images()
        theirs = float(keras.losses.tversky(target, prediction, alpha=0.3, beta=0.9))
        ours = tversky(target.ravel(), prediction.ravel(), alpha=0.9, beta=0.3)
        assert theirs == pytest.approx(ours, abs=1e-6)

    @pytest.mark.parametrize(("alpha", "beta", "smooth"), [(0.3, 0.9, 1.0), (0.5, 0.5, 0.1)])
    def test_equals_optax(self, alpha, beta, smooth):
        target, prediction = images()
        with jax.enable_x64(True):
            logits = np.log(prediction) - np.log1p(-prediction)
            options = {"alpha": alpha, "beta": beta, "smooth": smooth}
            theirs = optax.losses.dice_loss(logits[..., None], target[..., None], **options)
            theirs = np.asarray(theirs)
        ours = tversky(target, prediction, reduction="none", **options)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)

    @pytest.mark.parametrize("make", [np.asarray, lambda array: torch.tensor(array)])
    def test_two_empty_masks_are_a_perfect_match(self, make):
        target, prediction = make(np.zeros((1, 3))), make(np.zeros((1, 3)))
        assert float(tversky(target, prediction)) == 0
        assert np.asarray(tversky.gradient(target, prediction)).tolist() == [[0, 0, 0]]
        assert float(tversky(target, prediction, smooth=1.0)) == 0
        if not isinstance(prediction, np.ndarray):
            prediction.requires_grad_()
            tversky(target, prediction).backward()
            assert prediction.grad.tolist() == [[0, 0, 0]]

    def test_an_empty_target_teaches_only_with_smoothing(self):
        target, prediction = np.zeros((1, 3)), np.array([[1e-30, 0.5, 1e-3]])
        assert tversky(target, prediction) == 1
        assert (tversky.gradient(target, prediction) == 0).all()
        assert (tversky.gradient(target, prediction, smooth=1.0) > 0).all()

    def test_a_nearly_perfect_mask_keeps_its_digits_in_float32(self):
        target = np.ones(1000, np.float32)
        prediction = target - np.float32(2**-20)
        exact = 2.0**-20 / 2 / (1 - 2.0**-20 / 2)  # of Dice: ½ FN over TP + ½ FN
        assert dice(target, prediction) == pytest.approx(exact, rel=1e-6)

    def test_labels_out_of_range_are_an_error(self):
        with pytest.raises(ValueError, match=r"prediction must be in \[0, 1\].*sigmoid"):
            tversky(np.zeros(2), np.array([0.5, 3.0]))
        with pytest.raises(ValueError, match=r"target must be in \[0, 1\].*255"):
            tversky(np.array([0, 255]), np.array([0.5, 0.5]))


class TestDice:
    def test_the_mean_over_images_is_not_the_dice_of_all_pixels(self):
        target, prediction = images()
        per_image = dice(target, prediction)
        of_all = dice(target.ravel(), prediction.ravel())
        assert per_image == pytest.approx(dice(target, prediction, reduction="none").mean())
        assert abs(per_image - of_all) > 0.02
        assert float(keras.losses.dice(target, prediction)) == pytest.approx(of_all, abs=1e-6)

    def test_is_one_minus_f1_of_hard_masks(self):
        from sklearn.metrics import f1_score, jaccard_score

        target, prediction = images()
        target, prediction = target.ravel(), (prediction > 0.4).ravel().astype(float)
        assert dice(target, prediction) == pytest.approx(1 - f1_score(target, prediction))
        assert jaccard(target, prediction) == pytest.approx(1 - jaccard_score(target, prediction))

    def test_jaccard_is_a_function_of_dice(self):
        target, prediction = images()
        d = dice(target, prediction, reduction="none")
        np.testing.assert_allclose(
            jaccard(target, prediction, reduction="none"), 2 * d / (1 + d), rtol=1e-13
        )

    def test_the_minimiser_for_many_random_pixels_is_a_hard_mask(self):
        # with many pixels the sums are what they are on average: the expected target does
        rng = np.random.default_rng(4)
        frequencies = rng.uniform(size=50)
        threshold = 0.5
        for _ in range(50):
            mask = (frequencies > threshold).astype(float)
            threshold = (1 - dice(frequencies, mask)) / 2
        assert 0.3 < threshold < 0.45
        # no step inside the box goes down, and no other mask that was tried is better
        downhill = dice.gradient(frequencies, mask) < 0
        np.testing.assert_array_equal(downhill, mask == 1)
        others = np.concatenate([rng.uniform(size=(500, 50)), rng.integers(0, 2, size=(500, 50))])
        values = dice(np.tile(frequencies, (1000, 1)), others, reduction="none")
        assert values.min() > dice(frequencies, mask)
        assert dice(frequencies, frequencies) > dice(frequencies, mask)

    def test_is_not_convex_in_the_prediction(self):
        target, far, near = np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([0.0, 0.0])
        middle = dice(target, (far + near) / 2)
        assert middle >= (dice(target, far) + dice(target, near)) / 2
        target, a, b = np.array([1.0, 0.0]), np.array([0.1, 0.0]), np.array([0.1, 1.0])
        assert dice(target, (a + b) / 2) > (dice(target, a) + dice(target, b)) / 2


class TestLovasz:
    @pytest.mark.parametrize("target", list(itertools.product([0, 1], repeat=4)))
    def test_the_corners_are_the_jaccard_losses_of_hard_masks(self, target):
        # logits ±1: the margin error is 0 where the sign is right and 2 where it is wrong
        for wrong in itertools.product([0, 1], repeat=4):
            signs = (2 * np.array(target) - 1) * (1 - 2 * np.array(wrong))
            value = lovasz_hinge(np.array(target), signs.astype(float))
            expected = jaccard_of_errors(target, {i for i in range(4) if wrong[i]})
            assert value == pytest.approx(2 * float(expected), abs=1e-15)

    def test_the_hinge_is_convex_and_its_gradient_a_subgradient_even_at_ties(self):
        rng = np.random.default_rng(1)
        for _ in range(200):
            target = rng.integers(0, 2, size=6)
            here, there = rng.integers(-2, 3, size=(2, 6)).astype(float)  # many ties
            rise = lovasz_hinge(target, there) - lovasz_hinge(target, here)
            assert rise >= lovasz_hinge.gradient(target, here) @ (there - here) - 1e-12

    def test_the_gradient_at_equal_logits_adds_up(self):
        # whichever order the ties have, the increments add up to the Jaccard loss of all wrong: 1
        for target in ([0, 0, 1], [1, 0, 1], [0, 0, 0]):
            slope = lovasz_hinge.gradient(np.array(target), np.zeros(3))
            assert abs(slope).sum() == pytest.approx(1)

    def test_an_empty_mask_costs_its_largest_error(self):
        logits = np.array([[-3.0, 0.5, 2.0]])
        assert lovasz_hinge(np.zeros((1, 3)), logits) == 3
        assert lovasz_hinge.gradient(np.zeros((1, 3)), logits).tolist() == [[0, 0, 1]]

    def test_one_pixel_is_the_hinge(self):
        assert lovasz_hinge(np.array([1]), np.array([-0.5])) == 1.5
        assert lovasz_hinge(np.array([0]), np.array([-0.5])) == 0.5

    def test_infinite_logits(self):
        target, logits = np.array([1, 0, 0]), np.array([-np.inf, np.inf, -np.inf])
        assert lovasz_hinge(target, logits) == np.inf
        assert lovasz_hinge(target, -logits * np.array([1, 1, -1])) == 0

    def test_many_pixels_in_float32_keep_their_digits(self):
        rng = np.random.default_rng(2)
        target = rng.integers(0, 2, size=200_000)
        logits = (rng.normal(size=200_000) * 512).round().astype(
            np.float32
        ) / 512  # exact, with ties
        wide = lovasz_hinge(target, logits.astype(np.float64))
        assert lovasz_hinge(target, logits) == pytest.approx(wide, rel=1e-6)
        slopes = lovasz_hinge.gradient(target, logits)
        exact = lovasz_hinge.gradient(target, logits.astype(np.float64))
        np.testing.assert_allclose(slopes, exact, rtol=2e-6)

    def test_softmax_of_hard_right_and_wrong_predictions(self):
        labels = np.array([0, 0, 1, 2])
        logits = 100.0 * np.eye(3)[labels]
        assert lovasz_softmax(labels, logits) == pytest.approx(0, abs=1e-40)
        said = np.array([0, 1, 1, 2])  # class 0: 1 of 2, class 1: 1 of 2, class 2: right
        expected = np.mean([1 - 1 / 2, 1 - 1 / 2, 0])
        assert lovasz_softmax(labels, 100.0 * np.eye(3)[said]) == pytest.approx(expected)

    def test_an_absent_class_is_left_out_of_the_mean(self):
        labels, logits = np.array([0, 0, 1]), np.random.default_rng(3).normal(size=(3, 2))
        with_third = np.concatenate([logits, np.full((3, 1), -np.inf)], axis=1)
        assert lovasz_softmax(labels, with_third) == pytest.approx(
            lovasz_softmax(labels, logits), rel=1e-14
        )
        assert np.isfinite(lovasz_softmax.gradient(labels, with_third)).all()

    def test_classes_out_of_range_are_an_error(self):
        with pytest.raises(ValueError, match=r"class indices in 0\.\.1 for 2 classes; it has 2"):
            lovasz_softmax(np.array([0, 2]), np.zeros((2, 2)))
        with pytest.raises(ValueError, match="target must be 0 or 1"):
            lovasz_hinge(np.array([0.5, 1.0]), np.zeros(2))


def test_every_loss_of_overlap_has_its_case():
    assert set(OVERLAP) <= set(STRUCTURED_CASES)
