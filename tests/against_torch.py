"""Value and gradient of a loss against torch, in both floating types: one check for families."""

import numpy as np
import pytest
from optional import torch

both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
TOLERANCE = {np.float32: {"rtol": 1e-5, "atol": 1e-6}, np.float64: {"rtol": 1e-12, "atol": 1e-15}}


def assert_value_and_gradient_equal_torch(ours, theirs, target, prediction, dtype):
    """``ours(target, prediction)`` is a Loss call; ``theirs(prediction, target)`` is torch's."""
    leaf = torch.tensor(prediction, requires_grad=True)
    expected = theirs(leaf, torch.tensor(target))
    expected.sum().backward()
    value, gradient = ours(target, prediction)
    np.testing.assert_allclose(value, expected.detach().numpy(), **TOLERANCE[dtype])
    np.testing.assert_allclose(gradient, leaf.grad.numpy(), **TOLERANCE[dtype])


def both(loss, **arguments):
    """A call of the loss that gives its value and its gradient."""
    return lambda y, p: (loss(y, p, **arguments), loss.gradient(y, p, **arguments))
