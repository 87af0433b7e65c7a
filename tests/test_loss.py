"""The checks that all losses share: each bad input gives the error it deserves."""

import subprocess
import sys

import numpy as np
import pytest
from cases import CASES
from optional import torch

import lossbook
from lossbook import bce, bce_with_logits, cross_entropy, hinge, huber, mse, nll, pinball, rmse

every_loss = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
every_call = pytest.mark.parametrize("call", ["value", "gradient"])


def called(loss, call):
    return loss if call == "value" else loss.gradient


@every_loss
@every_call
def test_different_shapes_never_broadcast(case, call):
    target, prediction = case.draw(0, (3,))
    with pytest.raises(ValueError, match=r"shape \(3,\).*shape|shape \(2,\).*shape \(3,"):
        called(case.loss, call)(target, prediction[:2])


def test_column_against_vector_names_the_remedy():
    with pytest.raises(ValueError, match=r"\(4,\).*\(4, 1\).*prediction\[\.\.\., 0\]"):
        mse(np.zeros(4), np.zeros((4, 1)))
    with pytest.raises(ValueError, match=r"target\[\.\.\., 0\]"):
        mse(np.zeros((4, 1)), np.zeros(4))


@every_loss
@every_call
def test_empty_arrays_are_an_error(case, call):
    target, prediction = case.draw(0, (3,))
    with pytest.raises(ValueError, match=r"empty|at least one"):
        called(case.loss, call)(target[:0], prediction[:0])


@every_loss
@every_call
def test_integer_predictions_are_an_error(case, call):
    target, prediction = case.draw(0, (3,))
    with pytest.raises(TypeError, match=r"must be floating.*int64"):
        called(case.loss, call)(target, prediction.astype(np.int64))


@every_loss
@pytest.mark.parametrize("bad", [[0.5, 0.5, 0.5], 0.5, "0.5"], ids=["list", "float", "str"])
def test_what_is_no_array_is_an_error(case, bad):
    target, prediction = case.draw(0, (3,))
    with pytest.raises(TypeError, match=f"must be a NumPy.*{type(bad).__name__}"):
        case.loss(target, bad)
    with pytest.raises(TypeError, match="target must be a NumPy"):
        case.loss(bad, prediction)


@every_loss
def test_mixed_libraries_are_an_error(case):
    target, prediction = case.draw(0, (3,))
    with pytest.raises(TypeError, match=r"one library.*target from numpy.*from torch"):
        case.loss(target, torch.tensor(prediction))
    with pytest.raises(TypeError, match="one library"):
        case.loss(target, prediction, weight=torch.ones(3))


@every_loss
def test_a_masked_array_is_an_error(case):
    target, prediction = case.draw(0, (3,))
    with pytest.raises(TypeError, match=r"masked array.*weight=~mask"):
        case.loss(np.ma.masked_array(target, [True, False, False]), prediction)


def test_floating_types_are_not_promoted():
    with pytest.raises(TypeError, match="target is float64 and prediction is float32"):
        mse(np.zeros(2), np.zeros(2, np.float32))
    with pytest.raises(TypeError, match="weight is float64 and logits is float32"):
        bce_with_logits(np.zeros(2, int), np.zeros(2, np.float32), weight=np.ones(2))


def test_complex_numbers_are_an_error():
    with pytest.raises(TypeError, match=r"must be floating.*complex128"):
        mse(np.zeros(2), np.zeros(2, complex))
    with pytest.raises(TypeError, match=r"target must hold real numbers.*complex128"):
        mse(np.zeros(2, complex), np.zeros(2))


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64])
def test_integer_and_boolean_targets_take_the_type_of_the_prediction(dtype):
    target, logits = np.array([0, 1, 1], dtype=dtype), np.array([0.5, -1.0, 2.0], np.float32)
    value = bce_with_logits(target, logits)
    assert value.dtype == np.float32
    assert value == bce_with_logits(target.astype(np.float32), logits)


def test_unsigned_targets_do_not_wrap_around():
    assert mse(np.array([1], np.uint8), np.array([3.0])) == 4.0


@every_loss
def test_unknown_reduction(case):
    target, prediction = case.draw(0, (3,))
    with pytest.raises(ValueError, match=r"reduction must be 'mean'.*it is 'average'"):
        case.loss(target, prediction, reduction="average")


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_rmse_has_no_other_reduction_than_the_mean(reduction):
    with pytest.raises(ValueError, match="rmse: reduction must be 'mean'"):
        rmse(np.zeros(2), np.zeros(2), reduction=reduction)


@every_loss
def test_unknown_parameter_shows_the_signature(case):
    target, prediction = case.draw(0, (3,))
    with pytest.raises(TypeError, match=rf"unknown argument 'betta'.*{case.loss.name}\(target"):
        case.loss(target, prediction, betta=1.0)


@every_loss
def test_missing_prediction(case):
    with pytest.raises(TypeError, match=f"{case.loss.prediction_name} is missing"):
        case.loss(np.zeros(3))


@every_loss
def test_arguments_can_be_named(case):
    target, prediction = case.draw(0, (3,))
    expected = case.loss(target, prediction)
    assert case.loss(target=target, prediction=prediction) == expected
    assert case.loss(**{"target": target, case.loss.prediction_name: prediction}) == expected


@pytest.mark.parametrize("delta", [0, 0.0, -1.0, np.nan, np.inf, "1", True])
def test_huber_delta_must_be_positive(delta):
    with pytest.raises(ValueError, match="huber: delta must be a finite number above 0"):
        huber(np.zeros(2), np.zeros(2), delta=delta)


@pytest.mark.parametrize("quantile", [0, 1, -0.1, 50, np.nan])
def test_quantile_lies_between_0_and_1(quantile):
    with pytest.raises(ValueError, match="pinball: quantile must lie strictly between 0 and 1"):
        pinball(np.zeros(2), np.zeros(2), quantile=quantile)


@pytest.mark.parametrize("label_smoothing", [-0.1, 1, 2, np.nan])
def test_label_smoothing_is_a_fraction(label_smoothing):
    with pytest.raises(ValueError, match="label_smoothing must be at least 0 and below 1"):
        cross_entropy(np.zeros(1, int), np.zeros((1, 2)), label_smoothing=label_smoothing)


@every_loss
def test_weights_are_checked(case):
    target, prediction = case.draw(0, (3,))
    with pytest.raises(ValueError, match=r"weight must have one entry.*\(3,\).*\(2,\)"):
        case.loss(target, prediction, weight=np.ones(2))
    with pytest.raises(ValueError, match="weight must not be negative; -1 at index 1"):
        case.loss(target, prediction, weight=np.array([1.0, -1.0, 1.0]))
    with pytest.raises(ValueError, match="every sample has weight 0"):
        case.loss(target, prediction, weight=np.zeros(3))
    with pytest.raises(ValueError, match="every sample has weight 0"):
        case.loss.gradient(target, prediction, weight=np.zeros(3))


def test_boolean_masks_are_weights():
    target, prediction = np.array([0.0, 0.0]), np.array([1.0, 3.0])
    assert mse(target, prediction, weight=np.array([True, False])) == 1.0


class TestDomains:
    @pytest.mark.parametrize("bad", [-0.1, 1.1, 7.0, -np.inf])
    def test_probabilities(self, bad):
        with pytest.raises(ValueError, match=r"bce: prediction must be in \[0, 1\].*index 1"):
            bce(np.array([0, 1]), np.array([0.5, bad]))

    @pytest.mark.parametrize("loss", [bce, bce_with_logits])
    def test_binary_targets(self, loss):
        with pytest.raises(ValueError, match=r"target must be in \[0, 1\]; it has -1 at index 0"):
            loss(np.array([-1, 1]), np.array([0.5, 0.5]))

    def test_signs(self):
        with pytest.raises(ValueError, match=r"-1 or 1; it has 0 at index 1.*2 \* target - 1"):
            hinge(np.array([1, 0]), np.array([0.5, 0.5]))

    def test_log_probabilities(self):
        with pytest.raises(ValueError, match=r"at most 0; it has 0.7.*cross_entropy"):
            nll(np.array([0]), np.array([[0.7, 0.3]]))

    @pytest.mark.parametrize("bad", [-1, 3, -100])
    def test_class_indices(self, bad):
        with pytest.raises(ValueError, match=rf"0\.\.2 for 3 classes; target has {bad} at index 1"):
            cross_entropy(np.array([0, bad]), np.zeros((2, 3)))

    def test_rows_that_are_no_distribution(self):
        with pytest.raises(ValueError, match=r"sums to 1.*1.2 at index 0"):
            cross_entropy(np.array([[0.6, 0.6]]), np.zeros((1, 2)))
        with pytest.raises(ValueError, match=r"in \[0, 1\]; it has 1.5 at index \(0, 0\)"):
            cross_entropy(np.array([[1.5, -0.5]]), np.zeros((1, 2)))

    def test_nan_is_no_domain_error(self):
        assert np.isnan(bce(np.array([1]), np.array([np.nan])))
        assert np.isnan(hinge(np.array([np.nan]), np.array([1.0])))


class TestClassArguments:
    def test_floating_class_indices(self):
        with pytest.raises(TypeError, match="class indices must be integers; target is float64"):
            cross_entropy(np.array([0.0, 1.0]), np.zeros((2, 3)))

    def test_integer_one_hot_rows(self):
        with pytest.raises(ValueError, match="one-hot rows convert the target"):
            cross_entropy(np.eye(2, dtype=int), np.zeros((2, 2)))

    def test_column_of_labels(self):
        with pytest.raises(ValueError, match=r"Reshape it: target.reshape\(\(2,\)\)"):
            cross_entropy(np.zeros((2, 1), int), np.zeros((2, 3)))

    def test_class_axis_of_torch(self):
        with pytest.raises(ValueError, match="class axis is the last"):
            cross_entropy(np.zeros((2, 5), int), np.zeros((2, 3, 5)))

    def test_no_class_axis(self):
        with pytest.raises(ValueError, match=r"shape \(\.\.\., classes\)"):
            cross_entropy(np.array(0), np.array(0.5))

    def test_class_weight(self):
        labels, logits = np.zeros(2, int), np.zeros((2, 3))
        with pytest.raises(ValueError, match=r"one entry per class, shape \(3,\).*\(2,\)"):
            cross_entropy(labels, logits, class_weight=np.ones(2))
        with pytest.raises(ValueError, match="class_weight must not be negative; -1"):
            cross_entropy(labels, logits, class_weight=np.array([-1.0, 1, 1]))
        with pytest.raises(TypeError, match="one library"):
            cross_entropy(labels, logits, class_weight=torch.ones(3))
        with pytest.raises(TypeError, match="class_weight must be a NumPy"):
            cross_entropy(labels, logits, class_weight=[1.0, 1.0, 1.0])

    def test_all_ignored(self):
        labels, logits = np.array([-100, -100]), np.zeros((2, 3))
        with pytest.raises(ValueError, match="every sample has weight 0 or is ignored"):
            cross_entropy(labels, logits, ignore_index=-100)
        assert cross_entropy(labels, logits, ignore_index=-100, reduction="sum") == 0

    def test_ignore_index_needs_indices(self):
        with pytest.raises(ValueError, match="ignore_index needs class indices"):
            cross_entropy(np.array([[0.5, 0.5]]), np.zeros((1, 2)), ignore_index=1)


def test_importing_lossbook_does_not_import_torch():
    code = "import sys, lossbook; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_losses_show_their_signature():
    assert repr(lossbook.huber) == (
        "<loss huber(target, prediction, *, delta=1.0, weight=None, reduction='mean')>"
    )


@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")
@every_loss
def test_torch_compile_takes_the_whole_loss_as_one_graph(case):
    target, prediction = (torch.tensor(array) for array in case.draw(0, (8,)))
    torch._dynamo.reset()  # one function, many losses: each is a new compilation
    compiled = torch.compile(lambda y, p: case.loss(y, p), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(target, prediction), case.loss(target, prediction))


@every_loss
def test_torch_func_grad_and_vmap(case):
    target, prediction = (torch.tensor(array) for array in case.draw(0, (8,)))
    gradient = torch.func.grad(lambda p: case.loss(target, p))(prediction)
    torch.testing.assert_close(gradient, case.loss.gradient(target, prediction))
    one_by_one = torch.vmap(lambda y, p: case.loss(y[None], p[None]))(target, prediction)
    expected = torch.stack(
        [case.loss(y[None], p[None]) for y, p in zip(target, prediction, strict=True)]
    )
    torch.testing.assert_close(one_by_one, expected)
