"""The linear layer and its cross-entropy in one: the same numbers, in less memory."""

import tracemalloc

import numpy as np
import pytest
from compiled import check_under_compilers
from optional import functional, torch
from structured_cases import STRUCTURED_CASES

from lossbook import cross_entropy, linear_cross_entropy


def layer(n=60, d=8, classes=30, dtype=np.float64):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, size=n)
    return (
        labels,
        rng.normal(size=(n, d)).astype(dtype),
        rng.normal(size=(classes, d)).astype(dtype),
    )


@pytest.mark.parametrize("parameters", [{}, {"chunk": 3}])
def test_under_compilers(parameters):
    check_under_compilers(STRUCTURED_CASES["linear_cross_entropy"], parameters)


@pytest.mark.parametrize("chunk", [None, 1, 7, 60, 1000])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_the_cross_entropy_of_the_product(chunk, weighted):
    labels, features, head = layer()
    weight = np.random.default_rng(1).uniform(0, 2, size=60) if weighted else None
    options = {"weight": weight, "chunk": chunk}
    value, (of_features, of_head) = linear_cross_entropy.value_and_gradient(
        labels, features, head, **options
    )
    logits = features @ head.T
    assert value == pytest.approx(cross_entropy(labels, logits, weight=weight), rel=1e-14)
    slopes = cross_entropy.gradient(labels, logits, weight=weight)
    np.testing.assert_allclose(of_features, slopes @ head, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(of_head, slopes.T @ features, rtol=1e-12, atol=1e-15)


def test_sequences_of_tokens():
    labels, features, head = layer()
    value, (of_features, of_head) = linear_cross_entropy.value_and_gradient(
        labels.reshape(4, 15), features.reshape(4, 15, 8), head, chunk=11
    )
    flat, (of_rows, of_same_head) = linear_cross_entropy.value_and_gradient(labels, features, head)
    assert value == pytest.approx(flat, rel=1e-14) and of_features.shape == (4, 15, 8)
    np.testing.assert_allclose(of_features.reshape(60, 8), of_rows, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(of_head, of_same_head, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("options", [None, "chunked"])
def test_equals_torch(options):
    if not hasattr(functional, "linear_cross_entropy"):
        pytest.skip("this torch is older than its linear_cross_entropy")
    labels, features, head = layer()
    options = options and torch.nn.LinearCrossEntropyOptions()
    leaves = [torch.tensor(array, requires_grad=True) for array in (features, head)]
    theirs = functional.linear_cross_entropy(*leaves, torch.tensor(labels), options=options)
    theirs.backward()
    value, slopes = linear_cross_entropy.value_and_gradient(labels, features, head)
    assert value == pytest.approx(theirs.item(), rel=1e-12)
    for slope, leaf in zip(slopes, leaves, strict=True):
        np.testing.assert_allclose(slope, leaf.grad.numpy(), rtol=1e-10, atol=1e-14)


def peak(function):
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_logits_are_never_whole():
    labels, features, head = layer(n=2000, d=4, classes=3000, dtype=np.float32)
    logits = 2000 * 3000 * 4  # bytes
    whole = peak(lambda: cross_entropy.value_and_gradient(labels, features @ head.T))
    in_chunks = peak(
        lambda: linear_cross_entropy.value_and_gradient(labels, features, head, chunk=20)
    )
    assert whole > logits  # the measure sees what the other holds
    assert in_chunks < logits / 10


def kept_for_backward(function):
    """The bytes of the tensors that torch keeps for its backward pass."""
    sizes = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        value = function()
    return sum(sizes.values()), value


def test_torch_autograd_does_not_keep_them_either():
    labels, features, head = layer(n=200, d=4, classes=300)
    labels = torch.tensor(labels)
    leaves = [torch.tensor(array, requires_grad=True) for array in (features, head)]
    logits = 200 * 300 * 8  # bytes
    whole, _ = kept_for_backward(lambda: cross_entropy(labels, leaves[0] @ leaves[1].T))
    in_chunks, value = kept_for_backward(lambda: linear_cross_entropy(labels, *leaves, chunk=10))
    assert whole > logits and in_chunks < logits / 10
    value.backward()
    expected = linear_cross_entropy.gradient(labels.numpy(), features, head)
    for slope, leaf in zip(expected, leaves, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), slope, rtol=1e-12, atol=1e-15)


def test_a_row_without_a_label_has_weight_0():
    labels, features, head = layer(n=3)
    features[1] = np.nan
    weight = np.array([1.0, 0, 1])
    value, (of_features, of_head) = linear_cross_entropy.value_and_gradient(
        labels, features, head, weight=weight
    )
    alone, (_, of_same_head) = linear_cross_entropy.value_and_gradient(
        labels[::2], features[::2], head
    )
    assert value == pytest.approx(alone, rel=1e-14) and (of_features[1] == 0).all()
    np.testing.assert_allclose(of_head, of_same_head, rtol=1e-13, atol=1e-16)
    leaves = [torch.tensor(array, requires_grad=True) for array in (features, head)]
    linear_cross_entropy(torch.tensor(labels), *leaves, weight=torch.tensor(weight)).backward()
    for slope, leaf in zip((of_features, of_head), leaves, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), slope, rtol=1e-12, atol=1e-15)


def test_a_confident_row_keeps_its_digits_in_float32():
    features, head = np.float32([[18, 0]]), np.eye(2, dtype=np.float32)
    value, (of_features, _) = linear_cross_entropy.value_and_gradient(np.array([0]), features, head)
    assert value == pytest.approx(np.log1p(np.exp(-18.0)), rel=1e-6)
    assert of_features[0, 0] == pytest.approx(-1 / (1 + np.exp(18.0)), rel=1e-5)


def test_what_does_not_fit():
    labels, features, head = layer()
    with pytest.raises(ValueError, match=r"target must hold class indices in 0\.\.29.*it has 30"):
        linear_cross_entropy(labels * 0 + 30, features, head)
    with pytest.raises(ValueError, match="the axis d differs"):
        linear_cross_entropy(labels, features, head[:, :4])
    with pytest.raises(ValueError, match="chunk must be an integer of at least 1 or None"):
        linear_cross_entropy(labels, features, head, chunk=0)
