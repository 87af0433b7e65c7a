"""CTC: other libraries' values, targets that do not fit, lengths, extremes."""

import numpy as np
import pytest
from compiled import check_under_compilers
from optional import functional, jax, optax, torch
from structured_cases import STRUCTURED_CASES

from lossbook import cross_entropy, ctc


def batch(dtype=np.float64, n=6, frames=9, classes=5, labels=4):
    rng = np.random.default_rng(0)
    target = rng.integers(1, classes, size=(n, labels))
    target[0] = [1, 1, 2, 2]  # repeated labels need a blank between them
    lengths = {
        "input_length": rng.integers(7, frames + 1, size=n),
        "target_length": np.array([4, 0, 1, 2, 3, 4]),
    }
    return target, 3 * rng.normal(size=(n, frames, classes)).astype(dtype), lengths


def torch_ctc(target, logits, lengths):
    leaf = torch.tensor(logits, requires_grad=True)
    values = functional.ctc_loss(
        leaf.log_softmax(-1).transpose(0, 1),
        torch.tensor(target),
        torch.tensor(lengths["input_length"]),
        torch.tensor(lengths["target_length"]),
        reduction="none",
    )
    values.sum().backward()
    return values.numpy(force=True), leaf.grad.numpy()


def test_under_compilers():
    check_under_compilers(STRUCTURED_CASES["ctc"], {})


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 2e-6)])
def test_equals_torch(dtype, rtol):
    target, logits, lengths = batch(dtype)
    values, slopes = torch_ctc(target, logits, lengths)
    ours = ctc(target, logits, reduction="none", **lengths)
    np.testing.assert_allclose(ours, values, rtol=rtol)
    ours = ctc.gradient(target, logits, reduction="sum", **lengths)
    np.testing.assert_allclose(ours, slopes, atol=4 * rtol)


def test_equals_optax():
    target, logits, lengths = batch()
    frames, labels = logits.shape[1], target.shape[1]
    paddings = (
        np.arange(frames) >= lengths["input_length"][:, None],
        np.arange(labels) >= lengths["target_length"][:, None],
    )
    with jax.enable_x64(True):
        values = optax.losses.ctc_loss(
            logits, paddings[0].astype(float), target, paddings[1].astype(float)
        )
        values = np.asarray(values)
    np.testing.assert_allclose(ctc(target, logits, reduction="none", **lengths), values, rtol=1e-12)


def test_padding_changes_nothing():
    target, logits, lengths = batch()
    value, slope = ctc.value_and_gradient(
        target[3], logits[3], **{k: v[3] for k, v in lengths.items()}
    )
    s, t = lengths["target_length"][3], lengths["input_length"][3]
    alone, of_alone = ctc.value_and_gradient(target[3, :s], logits[3, :t])
    assert value == pytest.approx(alone, rel=1e-14)
    np.testing.assert_allclose(slope[:t], of_alone, rtol=1e-12, atol=1e-15)
    assert (slope[t:] == 0).all()


def test_an_empty_target_is_the_cross_entropy_of_blanks():
    logits = np.random.default_rng(1).normal(size=(5, 3))
    value = ctc(np.array([1]), logits, target_length=np.array(0), blank=2)
    blanks = cross_entropy(np.full(5, 2), logits, reduction="sum")
    assert value == pytest.approx(blanks, rel=1e-14)


def test_as_many_frames_as_labels_is_the_cross_entropy_of_the_labels():
    labels, logits = np.array([1, 2, 1]), np.random.default_rng(2).normal(size=(3, 4))
    value, slope = ctc.value_and_gradient(labels, logits)
    assert value == pytest.approx(cross_entropy(labels, logits, reduction="sum"), rel=1e-14)
    of_labels = cross_entropy.gradient(labels, logits, reduction="sum")
    np.testing.assert_allclose(slope, of_labels, atol=1e-14)


class TestImpossible:
    target = np.array([[1, 1], [1, 2]])  # the first needs three frames
    logits = np.random.default_rng(3).normal(size=(2, 2, 3))

    def test_costs_infinity_and_has_no_gradient(self):
        values = ctc(self.target, self.logits, reduction="none")
        assert values[0] == np.inf and np.isfinite(values[1])
        slopes = ctc.gradient(self.target, self.logits, reduction="none")
        assert np.isnan(slopes[0]).all() and np.isfinite(slopes[1]).all()
        theirs, of_theirs = torch_ctc(
            self.target, self.logits, {"input_length": [2, 2], "target_length": [2, 2]}
        )
        assert theirs[0] == np.inf and np.isnan(of_theirs[0]).all()

    def test_automatic_differentiation_finds_nan_too(self):
        for frames in (1, 2):
            leaf = torch.tensor(self.logits[:, :frames], requires_grad=True)
            ctc(torch.tensor(self.target), leaf).backward()
            assert torch.isnan(leaf.grad[0]).all()
        with jax.enable_x64(True):
            slope = jax.grad(lambda logits: ctc(jax.numpy.asarray(self.target), logits))(
                jax.numpy.asarray(self.logits[:, :1])
            )
            assert np.isnan(np.asarray(slope)[0]).all()

    def test_is_left_out_with_weight_0(self):
        weight = np.array([0.0, 1.0])
        value, slope = ctc.value_and_gradient(self.target, self.logits, weight=weight)
        alone, of_alone = ctc.value_and_gradient(self.target[1:], self.logits[1:])
        assert value == alone
        np.testing.assert_array_equal(slope, np.concatenate([np.zeros((1, 2, 3)), of_alone]))
        leaf = torch.tensor(self.logits, requires_grad=True)
        ctc(torch.tensor(self.target), leaf, weight=torch.tensor(weight)).backward()
        np.testing.assert_allclose(leaf.grad.numpy(), slope, atol=1e-15)

    def test_a_class_that_cannot_be(self):
        logits = self.logits[1].copy()
        logits[0, 1] = -np.inf  # the first label has to be said in the first frame
        assert ctc(self.target[1], logits) == np.inf
        longer = np.concatenate([logits, logits[1:]])
        assert np.isfinite(ctc(self.target[1], longer))
        assert ctc.gradient(self.target[1], longer)[0, 1] == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e4, 1e30])
def test_extreme_logits(dtype, size):
    target, right = np.array([1, 2]), np.array([1, 0, 2])
    logits = np.zeros((3, 3), dtype)
    logits[np.arange(3), right] = size
    assert ctc(target, logits) == 0
    np.testing.assert_array_equal(ctc.gradient(target, logits), np.zeros((3, 3)))
    if size < 1e10:  # what is said reads 1, 2; for 2, 1 two of three frames have to say another
        value, slope = ctc.value_and_gradient(target[::-1], logits)
        assert value == pytest.approx(2 * size) and np.isfinite(slope).all()


def test_a_confident_sequence_keeps_its_digits_in_float32():
    logits = np.float32([[0, 18, 0], [18, 0, 0]])  # label 1, then a blank
    wide = ctc(np.array([1]), logits.astype(np.float64))
    assert ctc(np.array([1]), logits) == pytest.approx(wide, rel=1e-5)


def test_a_long_sequence():
    rng = np.random.default_rng(4)
    logits = 5 * rng.normal(size=(400, 6)).astype(np.float32)
    target = rng.integers(1, 6, size=50)
    wide, of_wide = ctc.value_and_gradient(target, logits.astype(np.float64))
    value, slope = ctc.value_and_gradient(target, logits)
    assert value == pytest.approx(wide, rel=1e-6)
    np.testing.assert_allclose(slope, of_wide, atol=1e-3)


def test_the_gradient_of_each_frame_sums_to_0():
    target, logits, lengths = batch()
    slope = ctc.gradient(target, logits, reduction="sum", **lengths)
    np.testing.assert_allclose(slope.sum(axis=-1), 0, atol=1e-13)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": np.array([[1, 0]])}, r"class indices in 0\.\.2 without the blank, 0; it has 0"),
        ({"target": np.array([[1, 3]])}, r"it has 3 at index \(0, 1\)"),
        ({"target": np.array([[1, -1]])}, "Say with target_length where the padding begins"),
        ({"input_length": np.array([5])}, r"input_length must lie in 1\.\.4.*it has 5"),
        ({"input_length": np.array([0])}, r"input_length must lie in 1\.\.4"),
        ({"target_length": np.array([3])}, r"target_length must lie in 0\.\.2"),
        ({"blank": 3}, "blank is 3, but there are 3 classes"),
        ({"blank": -1}, "blank must be an integer of at least 0"),
    ],
)
def test_what_does_not_fit(changes, message):
    arguments = {"target": np.array([[1, 2]]), "logits": np.zeros((1, 4, 3)), **changes}
    with pytest.raises(ValueError, match=message):
        ctc(**arguments)
    with pytest.raises(TypeError, match="input_length must hold integers"):
        ctc(np.array([[1, 2]]), np.zeros((1, 4, 3)), input_length=np.array([4.0]))
