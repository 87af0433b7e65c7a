"""Gradients under the compilers of JAX and torch: one check, for the test files of families."""

import contextlib
import functools
import warnings

import numpy as np
from drawn import as_tuple, gradients, kept, predictions_of
from optional import jax, torch

from lossbook.structured import StructuredLoss


def check_under_compilers(case, parameters):
    """jax.jit(jax.grad(loss)) and torch.compile with one graph find the gradient written here."""
    loss = case.loss
    if isinstance(loss, StructuredLoss):
        arrays = case.draw(11, 4)
    else:
        arrays = dict(zip(("target", loss.prediction_name), case.draw(11, (4,)), strict=True))
    check_call_under_compilers(loss, arrays, {"reduction": "sum", **parameters})


def check_call_under_compilers(loss, arrays, options):
    """One call: value and gradient under both compilers, and what automatic ones find there."""
    expected = loss(**arrays, **options), gradients(loss, arrays, **options)
    for find in (in_jax, in_torch):
        value, by_hand, automatic = find(loss, arrays, options)
        np.testing.assert_allclose(value, expected[0], rtol=1e-11, atol=1e-13)
        for name, slope in (*by_hand.items(), *automatic.items()):
            np.testing.assert_allclose(slope, expected[1][name], rtol=1e-11, atol=1e-13)


def in_jax(loss, arrays, options):
    """The value, the gradient written here and jax.grad's, from one jitted function."""

    def value(leaves, others):
        return loss(**leaves, **others, **options)

    @jax.jit
    def all_three(leaves, others):
        found, automatic = jax.value_and_grad(value)(leaves, others)
        return found, gradients(loss, {**leaves, **others}, **options), automatic

    with jax.enable_x64(True):
        arrays = {name: jax.numpy.asarray(array) for name, array in arrays.items()}
        return all_three(*kept(arrays, predictions_of(loss)))


def in_torch(loss, arrays, options, backend="aot_eager", together=True):
    """The value, the gradient written here and autograd's, from one graph or from two."""

    compiled = functools.partial(torch.compile, fullgraph=True, backend=backend)

    def both(arrays):
        return loss(**arrays, **options), loss.gradient(**arrays, **options)

    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    leaves = {name: tensors[name].requires_grad_() for name in predictions_of(loss)}
    with compiling():
        if together:
            value, slopes = compiled(both)(tensors)
        else:
            value = compiled(lambda arrays: loss(**arrays, **options))(tensors)
            slopes = compiled(lambda arrays: loss.gradient(**arrays, **options))(tensors)
        found = torch.autograd.grad(value, list(leaves.values()), allow_unused=True)
    by_hand = [slope.numpy(force=True) for slope in as_tuple(slopes)]
    automatic = [
        np.zeros(leaf.shape) if slope is None else slope.numpy()
        for slope, leaf in zip(found, leaves.values(), strict=True)
    ]
    return (
        value.numpy(force=True),
        dict(zip(leaves, by_hand, strict=True)),
        dict(zip(leaves, automatic, strict=True)),
    )


@contextlib.contextmanager
def compiling():
    torch._dynamo.reset()  # it compiles one function only so many times
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Dynamo detected a call to a `functools.lru_cache`")
        yield
