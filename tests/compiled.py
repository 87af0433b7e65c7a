"""Gradients under the compilers of JAX and torch: one check, for the test files of families."""

import warnings

import numpy as np
from optional import jax, torch

from lossbook.structured import StructuredLoss


def check_under_compilers(case, parameters):
    """jax.jit(jax.grad(loss)) and torch.compile with one graph find the gradient written here."""
    loss = case.loss
    if isinstance(loss, StructuredLoss):
        arrays, predictions = case.draw(11, 4), loss.predictions
    else:
        arrays = dict(zip(("target", loss.prediction_name), case.draw(11, (4,)), strict=True))
        predictions = (loss.prediction_name,)
    options = {"reduction": "sum", **parameters}
    expected = loss.gradient(**arrays, **options)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for name, slope in in_jax(loss, arrays, predictions, options).items():
        np.testing.assert_allclose(slope, expected[predictions.index(name)], rtol=1e-11, atol=1e-13)
    for name, slope in in_torch(loss, arrays, predictions, options).items():
        np.testing.assert_allclose(slope, expected[predictions.index(name)], rtol=1e-11, atol=1e-13)


def in_jax(loss, arrays, predictions, options):
    def value(leaves, others):
        return loss(**leaves, **others, **options)

    with jax.enable_x64(True):
        arrays = {name: jax.numpy.asarray(array) for name, array in arrays.items()}
        leaves = {name: arrays.pop(name) for name in predictions}
        return jax.jit(jax.grad(value))(leaves, arrays)


def in_torch(loss, arrays, predictions, options):
    torch._dynamo.reset()  # it compiles one function only so many times

    @torch.compile(fullgraph=True, backend="aot_eager")
    def value(arrays):
        return loss(**arrays, **options)

    arrays = {name: torch.tensor(array) for name, array in arrays.items()}
    leaves = {name: arrays[name].requires_grad_() for name in predictions}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Dynamo detected a call to a `functools.lru_cache`")
        value(arrays).backward()
    return {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}
