"""Traps of other libraries, as the installed versions have them, and the right value here.

A test here that fails after an update says that a library was repaired: then the texts that name
the trap are to be changed with it.
"""

import math

import numpy as np
import pytest
from optional import functional as F
from optional import jax, keras, optax, torch
from scipy.optimize import minimize_scalar

from lossbook import (
    bce,
    bce_with_logits,
    bpr,
    cross_entropy,
    ctc,
    dice,
    focal,
    gaussian_nll,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    logistic,
    mae,
    mse,
    multiclass_hinge,
    nll,
    poisson_deviance,
    poisson_nll,
    triplet,
    tversky,
)

LOGITS = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
LABELS = np.array([1, 2])
CLASS_WEIGHT = np.array([1.0, 3.0, 0.5])


def gradient(loss, *values):
    """The derivative of a torch loss with respect to one number, or a few."""
    x = torch.tensor(values, requires_grad=True)
    loss(x).sum().backward()
    return x.grad.tolist() if len(values) > 1 else x.grad.item()


class TestWeightedMeans:
    """P1, pytorch#107680, #65329, #8062: three values of one weighted cross-entropy."""

    def torch_values(self):
        logits, labels = torch.tensor(LOGITS), torch.tensor(LABELS)
        weight = torch.tensor(CLASS_WEIGHT)
        distributions = torch.eye(3, dtype=torch.float64)[labels]
        return (
            F.cross_entropy(logits, labels, weight=weight).item(),
            F.cross_entropy(logits, labels, weight=weight, reduction="none").mean().item(),
            F.cross_entropy(logits, distributions, weight=weight).item(),
        )

    def test_torch_divides_by_the_weights_or_by_n(self):
        of_labels, mean_of_each, of_distributions = self.torch_values()
        assert round(of_labels, 3) == 1.231
        assert round(mean_of_each, 3) == round(of_distributions, 3) == 2.154

    def test_here_labels_and_distributions_agree(self):
        of_labels = cross_entropy(LABELS, LOGITS, class_weight=CLASS_WEIGHT)
        of_distributions = cross_entropy(np.eye(3)[LABELS], LOGITS, class_weight=CLASS_WEIGHT)
        assert of_labels == pytest.approx(self.torch_values()[0], rel=1e-12)
        assert of_distributions == pytest.approx(of_labels, rel=1e-12)

    def test_the_other_losses_of_torch_differ_among_themselves(self):
        """mse_loss and l1_loss divide by Σw, huber_loss by n; Keras by n unless told otherwise."""
        prediction, weight = torch.tensor([1.0, 3.0]), torch.tensor([1.0, 3.0])
        zeros = torch.zeros(2)
        assert F.mse_loss(prediction, zeros, weight=weight).item() == 28 / 4
        assert F.l1_loss(prediction, zeros, weight=weight).item() == 10 / 4
        assert F.huber_loss(prediction, zeros, weight=weight).item() == 8 / 2
        columns = zeros[:, None], prediction[:, None]
        of_keras = keras.losses.MeanSquaredError()
        assert of_keras(*columns, sample_weight=weight).item() == 28 / 2
        of_keras = keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
        assert of_keras(*columns, sample_weight=weight).item() == 28 / 4

    def test_here_every_loss_divides_by_the_weights(self):
        prediction, weight = np.array([1.0, 3.0]), np.array([1.0, 3.0])
        values = [loss(np.zeros(2), prediction, weight=weight) for loss in (mse, mae, huber)]
        assert values == [28 / 4, 10 / 4, 8 / 4]


class TestEveryTargetIgnored:
    """P2, pytorch#70348: the mean of nothing is NaN, the sum 0."""

    def test_torch(self):
        logits, labels = torch.tensor(LOGITS), torch.full((2,), -100)
        assert F.cross_entropy(logits, labels).isnan().item()
        assert F.cross_entropy(logits, labels, reduction="sum").item() == 0

    def test_here_the_mean_is_an_error_that_says_so(self):
        labels = np.full(2, -100)
        with pytest.raises(ValueError, match="every sample has weight 0 or is ignored"):
            cross_entropy(labels, LOGITS, ignore_index=-100)
        assert cross_entropy(labels, LOGITS, ignore_index=-100, reduction="sum") == 0


class TestSmoothedAndWeighted:
    """P3, pytorch#73205, #69339 and #91383 (repaired), #104776: smoothing with weights.

    With equal logits every class costs log C, so every weighted mean is log C.
    """

    def test_torch_divides_by_the_weight_of_the_label_alone(self):
        options = {"weight": torch.tensor([1.0, 9.0]), "label_smoothing": 0.2}
        value = F.cross_entropy(torch.zeros(1, 2), torch.tensor([0]), **options).item()
        assert value == pytest.approx(1.8 * math.log(2), rel=1e-6)

    def test_here_it_divides_by_the_weights_of_the_smoothed_target(self):
        options = {"class_weight": np.array([1.0, 9.0]), "label_smoothing": 0.2}
        value = cross_entropy(np.array([0]), np.zeros((1, 2)), **options)
        assert value == pytest.approx(math.log(2), rel=1e-12)

    def test_an_ignored_row_counts_nothing_in_both(self):
        """What the three older threads report no longer happens."""
        labels = np.array([1, -100])
        weight = torch.tensor(CLASS_WEIGHT)
        both, one = (
            F.cross_entropy(
                torch.tensor(LOGITS[:n]),
                torch.tensor(labels[:n]),
                weight=weight,
                label_smoothing=0.2,
            ).item()
            for n in (2, 1)
        )
        assert both == pytest.approx(one, rel=1e-12)
        options = {"class_weight": CLASS_WEIGHT, "label_smoothing": 0.2}
        both = cross_entropy(labels, LOGITS, ignore_index=-100, **options)
        one = cross_entropy(labels[:1], LOGITS[:1], **options)
        assert both == pytest.approx(one, rel=1e-12)


class TestSigmoidBeforeTheLoss:
    """P4, pytorch#103316, #24933, #171327: a saturated sigmoid hides the error and its gradient."""

    @pytest.mark.parametrize(
        "logit, label, value, slope, right_value, right_slope",
        [(20.0, 0.0, 100.0, 0.0, 20.0, 1.0), (-50.0, 1.0, 50.0, -1.9287e-10, 50.0, -1.0)],
    )
    def test_both(self, logit, label, value, slope, right_value, right_slope):
        target = torch.tensor([label])

        def on_probabilities(z):
            return F.binary_cross_entropy(torch.sigmoid(z), target)

        assert on_probabilities(torch.tensor([logit])).item() == pytest.approx(value)
        assert gradient(on_probabilities, logit) == pytest.approx(slope, rel=1e-3, abs=1e-15)
        target, logits = np.array([label], np.float32), np.array([logit], np.float32)
        assert bce_with_logits(target, logits) == pytest.approx(right_value, rel=1e-6)
        assert bce_with_logits.gradient(target, logits).item() == pytest.approx(right_slope)

    def test_a_confident_error_has_the_full_gradient_and_the_squared_error_none(self):
        """Saturation belongs to the squared error of a sigmoid, not to cross-entropy."""
        logits, ones = np.array([-20.0]), np.array([1.0])
        assert bce_with_logits.gradient(ones, logits).item() == pytest.approx(-1, abs=1e-8)
        squared = gradient(lambda z: (torch.sigmoid(z) - 1) ** 2, -20.0)
        assert abs(squared) < 1e-8


class TestKullbackLeibler:
    """P5, pytorch#2259, #60928, #89558: the mean, the order, and a forgotten logarithm."""

    q = np.array([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]])
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])

    def test_the_mean_of_torch_divides_by_the_classes_too(self):
        q, p = torch.tensor(self.q), torch.tensor(self.p)
        with pytest.warns(UserWarning, match="batchmean"):
            mean = F.kl_div(p.log(), q).item()
        right = kl_divergence(self.q, np.log(self.p))
        assert mean == pytest.approx(right / 3, rel=1e-12)
        assert F.kl_div(p.log(), q, reduction="batchmean").item() == pytest.approx(right, rel=1e-12)

    def test_the_order_matters(self):
        right = kl_divergence(self.q, np.log(self.p))
        q, p = torch.tensor(self.q), torch.tensor(self.p)
        swapped = F.kl_div(q.log(), p, reduction="batchmean").item()
        assert (round(float(right), 3), round(swapped, 3)) == (0.111, 0.095)

    def test_a_forgotten_logarithm_is_negative_there_and_an_error_here(self):
        q, p = torch.tensor(self.q), torch.tensor(self.p)
        assert F.kl_div(p, q, reduction="batchmean").item() == pytest.approx(-1.4675, abs=1e-4)
        with pytest.raises(ValueError, match="Pass logarithms of probabilities"):
            kl_divergence(self.q, self.p)


class TestFocalOfASaturatedLogit:
    """P6, optax#1267 (repaired there): the power of a probability that was rounded to 0."""

    def test_keras_has_nan(self):
        loss = keras.losses.BinaryFocalCrossentropy(gamma=0.5, from_logits=True)
        assert math.isnan(gradient(lambda z: loss(torch.tensor([1.0]), z), 20.0))

    def test_optax_and_here_it_is_finite_and_equal(self):
        slope = jax.grad(lambda z: optax.sigmoid_focal_loss(z, jax.numpy.array(1.0), gamma=0.5))
        ours = focal.gradient(np.array([1.0]), np.array([20.0]), gamma=0.5).item()
        assert ours == pytest.approx(float(slope(20.0)), rel=1e-4)
        assert ours < 0


class TestTverskyWeights:
    """P7, keras PRs #23322 and #23333 (merged after 3.15.1): α and β interchanged."""

    def test_keras_gives_a_false_positive_the_weight_of_a_false_negative(self):
        target, prediction = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]])
        value = keras.losses.Tversky(alpha=1.0, beta=0.0)(target, prediction)
        assert value.item() == pytest.approx(0, abs=1e-6)

    def test_here_it_costs_alpha(self):
        target, prediction = np.array([1.0, 0.0]), np.array([1.0, 1.0])
        assert tversky(target, prediction, alpha=1.0, beta=0.0) == 0.5


class TestNegativeScores:
    """P8, keras#8083: the best other score is never below 0 in CategoricalHinge."""

    scores = ((-1.0, -5.0, -6.0),)

    def test_keras(self):
        target = torch.tensor([[1.0, 0.0, 0.0]])
        assert keras.losses.CategoricalHinge()(target, torch.tensor(self.scores)).item() == 2

    def test_others_and_here(self):
        from sklearn.metrics import hinge_loss

        scores, labels = np.array(self.scores), np.array([0])
        assert multiclass_hinge(labels, scores) == 0
        assert hinge_loss(labels, scores, labels=range(3)) == 0
        assert (
            optax.losses.multiclass_hinge_loss(jax.numpy.array(scores), jax.numpy.array(labels))
            == 0
        )


class TestColumnAgainstRow:
    """P9, pytorch#16045: (n, 1) against (n,) compares every value with every other."""

    def test_torch_warns_and_goes_on(self):
        values = torch.tensor([1.0, 2.0, 3.0, 4.0])
        with pytest.warns(UserWarning, match="broadcasting"):
            assert F.mse_loss(values[:, None], values).item() == 2.5

    def test_optax_says_nothing(self):
        values = jax.numpy.arange(4.0)
        assert optax.huber_loss(values[:, None], values).shape == (4, 4)

    @pytest.mark.parametrize("loss", [mse, huber], ids=lambda loss: loss.name)
    def test_here_it_is_an_error_with_the_remedy(self, loss):
        values = np.arange(4.0)
        with pytest.raises(ValueError, match=r"Take the column out: prediction\[\.\.\., 0\]"):
            loss(values, values[:, None])


class TestLogLossOfACertainError:
    """P10, scikit-learn#24315: the cost of certainty is the precision of the array's type."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_both(self, dtype):
        from sklearn.metrics import log_loss

        labels, certain = np.array([0, 1]), np.ones(2, dtype)
        value = log_loss(labels, certain)
        assert value == pytest.approx(-math.log(np.finfo(dtype).eps) / 2, rel=1e-6)
        assert bce(labels, certain) == math.inf


class TestGradientAccumulation:
    """P11, transformers PR #34191, torchtune PR #1875: a mean of means is not the mean."""

    labels = np.array([0, 1, 1, -100, -100, -100, 2, -100])
    batches = slice(0, 4), slice(4, 8)  # three tokens, and one

    def logits(self):
        return np.random.default_rng(0).normal(size=(8, 3))

    def test_torch_weighs_the_short_batch_three_times_as_much(self):
        logits, labels = torch.tensor(self.logits()), torch.tensor(self.labels)
        means = [F.cross_entropy(logits[part], labels[part]).item() for part in self.batches]
        each = F.cross_entropy(logits, labels, reduction="none")
        of_three, of_one = each[:3].mean().item(), each[6].item()
        assert means == pytest.approx([of_three, of_one], rel=1e-12)
        whole = F.cross_entropy(logits, labels).item()
        assert whole == pytest.approx((3 * of_three + of_one) / 4, rel=1e-12)
        assert abs(np.mean(means) - whole) > 0.05

    def test_sums_divided_once_are_right(self):
        logits = self.logits()
        whole = cross_entropy(self.labels, logits, ignore_index=-100)
        sums = [
            cross_entropy(self.labels[part], logits[part], ignore_index=-100, reduction="sum")
            for part in self.batches
        ]
        assert sum(sums) / (self.labels != -100).sum() == pytest.approx(whole, rel=1e-12)


class TestLogCoshOfASmallError:
    """P12: log 2 is subtracted from a number that was rounded to log 2."""

    def test_keras_and_optax_lose_it(self):
        error = np.full(1, 1e-4, np.float32)
        assert keras.losses.LogCosh()(torch.zeros(1), torch.tensor(error)).item() == 0
        assert optax.log_cosh(jax.numpy.array(error), jax.numpy.zeros(1)).item() == 0

    def test_here_it_is_half_the_square(self):
        value = log_cosh(np.zeros(1, np.float32), np.full(1, 1e-4, np.float32))
        assert value == pytest.approx(5e-9, rel=1e-6)


class TestPoissonOfARate:
    """P13: torch's default takes the prediction for a log-rate; a rate is fitted to log y."""

    def test_torch(self):
        target = torch.tensor([5.0])
        rates = torch.linspace(0.5, 9.5, 901)
        values = torch.stack([F.poisson_nll_loss(rate[None], target) for rate in rates])
        assert rates[values.argmin()].item() == pytest.approx(math.log(5), abs=0.01)

    def test_here_the_argument_is_called_log_rate_and_there_is_a_loss_for_rates(self):
        assert poisson_nll.prediction_name == "log_rate"
        best = minimize_scalar(
            lambda r: poisson_deviance(np.array([5.0]), np.array([float(r)])), (1, 9)
        )
        assert best.x == pytest.approx(5, rel=1e-6)

    def test_the_constant_of_torch_is_an_approximation(self):
        value = F.poisson_nll_loss(torch.zeros(1), torch.tensor([2.0]), full=True).item() - 1
        assert round(value, 4) == 0.6518
        ours = poisson_nll(np.array([2.0]), np.zeros(1), full=True) - 1
        assert ours == pytest.approx(math.log(2), rel=1e-12)


class TestTinyVariance:
    """P14: a variance is raised to 1e-6, and its gradient is that at 1e-6."""

    def test_torch(self):
        one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
        variance = torch.tensor([1e-9], dtype=torch.float64, requires_grad=True)
        value = F.gaussian_nll_loss(one, zero, variance)
        value.backward()
        assert value.item() == pytest.approx(0.5 * (math.log(1e-6) + 1e6), rel=1e-9)
        assert variance.grad.item() == pytest.approx(-5e11, rel=1e-5)

    def test_here_the_logarithm_needs_no_floor(self):
        prediction = np.array([[1.0, math.log(1e-9)]])
        value = gaussian_nll(np.zeros(1), prediction)
        assert value == pytest.approx(0.5 * (math.log(1e-9) + 1e9), rel=1e-9)
        slope = gaussian_nll.gradient(np.full(1, 1 - 1e-5), prediction)[0, 1]
        assert slope == pytest.approx(0.5 * (1 - 0.1), rel=1e-6)  # an error of σ / √10


class TestLabelsOf0And1:
    """P15: losses for labels -1 and 1 take a label 0 in silence."""

    def test_torch_is_constant(self):
        def soft_margin(score):
            return F.soft_margin_loss(score, torch.zeros(1))

        for score in (-3.0, 3.0):
            assert soft_margin(torch.tensor([score])).item() == pytest.approx(math.log(2))
            assert gradient(soft_margin, score) == 0

    def test_optax_is_constant(self):
        for score in (-3.0, 3.0):
            assert optax.hinge_loss(jax.numpy.array([score]), jax.numpy.zeros(1)).item() == 1

    def test_keras_converts_a_batch_of_0_and_1_and_no_other(self):
        loss, scores = keras.losses.Hinge(), torch.full((3,), 2.0)
        assert loss(torch.tensor([0.0, 1.0]), scores[:2]).item() == 1.5  # (3 + 0) / 2
        mixed = loss(torch.tensor([0.0, 1.0, -1.0]), scores).item()
        assert mixed == pytest.approx(4 / 3)  # the label 0 costs 1 instead of 3

    @pytest.mark.parametrize("loss", [logistic, hinge], ids=lambda loss: loss.name)
    def test_here_it_is_an_error_with_the_remedy(self, loss):
        with pytest.raises(ValueError, match=r"use 2 \* target - 1"):
            loss(np.array([0.0, 1.0]), np.array([3.0, 3.0]))


class TestLogarithmOfASigmoid:
    """P16: -log(1e-10 + σ(d)), as BPR is often written, gives up where the order is worst."""

    def test_often_written(self):
        def often_written(difference):
            return -torch.log(1e-10 + torch.sigmoid(difference))

        assert often_written(torch.tensor(-40.0)).item() == pytest.approx(23.026, abs=1e-3)
        assert gradient(often_written, -40.0) == pytest.approx(-4.248e-8, rel=1e-3)

    def test_here(self):
        scores = np.array([-40.0]), np.array([0.0])
        assert bpr(*scores) == 40
        assert bpr.gradient(*scores)[0].item() == -1


class TestImpossibleAlignment:
    """P17, pytorch#31557: "aa" needs three frames, one for the blank between; here are two."""

    target, logits = np.array([[1, 1], [1, 2]]), np.zeros((2, 2, 3))  # "aa" and "ab"

    def torch_values(self, **options):
        two = torch.tensor([2, 2])
        log_p = torch.tensor(self.logits).log_softmax(-1).movedim(1, 0)
        return F.ctc_loss(log_p, torch.tensor(self.target), two, two, **options)

    def test_torch_is_infinite_and_zero_infinity_counts_it_as_0(self):
        assert self.torch_values(reduction="none").tolist()[0] == math.inf
        zeroed = self.torch_values(reduction="none", zero_infinity=True).tolist()
        assert zeroed == pytest.approx([0, 2 * math.log(3)])
        mean = self.torch_values(zero_infinity=True).item()
        assert mean == pytest.approx(zeroed[1] / 2 / 2)  # over the length, and over both samples

    def test_optax_costs_1e5(self):
        paddings = jax.numpy.zeros((2, 2))
        arrays = jax.numpy.array(self.logits), paddings, jax.numpy.array(self.target), paddings
        assert optax.ctc_loss(*arrays)[0].item() == pytest.approx(1e5, rel=1e-6)

    def test_here_it_is_infinite_and_weight_0_leaves_it_out(self):
        values = ctc(self.target, self.logits, reduction="none")
        assert values.tolist() == [math.inf, pytest.approx(2 * math.log(3))]
        weight = np.isfinite(values)
        assert ctc(self.target, self.logits, weight=weight) == pytest.approx(2 * math.log(3))
        assert np.isfinite(ctc.gradient(self.target, self.logits, weight=weight)).all()


class TestSoftmaxBeforeTheLoss:
    """P18, pytorch#82081, #15283: probabilities given as logits bound the loss from below."""

    def test_torch_cannot_get_below_a_bound(self):
        certain = torch.tensor([[100.0, 0.0, 0.0]]).softmax(-1)
        value = F.cross_entropy(certain, torch.tensor([0])).item()
        assert value == pytest.approx(math.log(math.e + 2) - 1, rel=1e-6)
        assert round(value, 4) == 0.5514

    def test_here_logits_and_log_probabilities_are_right_and_probabilities_an_error(self):
        label, certain = np.array([0]), np.array([[1.0, 1e-40, 1e-40]])
        assert cross_entropy(label, np.array([[100.0, 0.0, 0.0]])) < 1e-40
        assert cross_entropy(label, np.log(certain)) == pytest.approx(2e-40, rel=1e-9)
        assert nll(label, np.log(certain)) == 0
        with pytest.raises(ValueError, match="Pass logarithms of probabilities"):
            nll(label, certain)


class TestDiceOfProbabilities:
    """P19: optax.binary_dice_loss(apply_sigmoid=False) takes no probabilities."""

    def test_optax_raises(self):
        predictions, targets = jax.numpy.array([[0.9, 0.2]]), jax.numpy.array([[1.0, 0.0]])
        with pytest.raises(ValueError, match="must be valid probability distributions"):
            optax.losses.binary_dice_loss(predictions, targets, apply_sigmoid=False)

    def test_here(self):
        value = dice(np.array([[1.0, 0.0]]), np.array([[0.9, 0.2]]))
        assert value == pytest.approx(1 - 1.8 / 2.1, rel=1e-12)


class TestVectorsOfLength0:
    """A distance or a cosine of a vector without length has no gradient, and NaN is none."""

    def test_optax_cosine_is_nan(self):
        slope = jax.grad(lambda x: optax.cosine_distance(x, jax.numpy.array([1.0, 0.0])))
        assert np.isnan(slope(jax.numpy.zeros(2))).all()

    def test_optax_triplet_of_degree_1_lacks_the_absolute_value(self):
        points = [[1.0, 0.0]], [[3.0, 0.0]], [[-1.0, 0.0]]
        arrays = [jax.numpy.array(point) for point in points]
        value = optax.losses.triplet_margin_loss(*arrays, norm_degree=1)
        assert value.item() == 0  # -2 - 2 + 1 is below 0
        tensors = [torch.tensor(point) for point in points]
        assert F.triplet_margin_loss(*tensors, p=1, eps=0.0).item() == 1  # 2 - 2 + 1

    def test_here_it_is_0(self):
        zero, one = np.zeros((1, 2)), np.array([[1.0, 0.0]])
        assert triplet(zero, zero, one, margin=2.0) == 1
        for slope in triplet.gradient(zero, zero, one, margin=2.0):
            assert np.isfinite(slope).all()

    def test_the_kink_of_the_absolute_error(self):
        """At a perfect fit JAX has slope 1, torch 0; here it is 0 in every library."""
        zero = jax.numpy.zeros(())
        assert jax.grad(abs)(zero).item() == 1
        assert gradient(lambda x: F.l1_loss(x, torch.zeros(1)), 0.0) == 0
        assert mae.gradient(np.zeros(1), np.zeros(1)).item() == 0
        assert mae.gradient(jax.numpy.zeros(1), jax.numpy.zeros(1)).item() == 0
