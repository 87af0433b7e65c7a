"""The libraries side by side: for each, how it computes a loss, its gradient, or both.

A contender is a function of a `Work` and its arrays that returns calls by name: "value",
"gradient" and "both". Arrays are brought into the library's own form before the clock starts.
What a library cannot do is missing from its calls; a library that is not installed is left out.
"""

import functools
import importlib.util
import os

import numpy as np

import lossbook

OURS, LIMIT = "lossbook", "limit"


def lossbook_calls(work, target, prediction):
    loss = getattr(lossbook, work.loss)
    return {
        "value": lambda: loss(target, prediction),
        "gradient": lambda: loss.gradient(target, prediction),
        "both": lambda: loss.value_and_gradient(target, prediction),
    }


def limit_calls(work, target, prediction):
    """A product of two arrays reads as many bytes and hardly computes."""
    if target.dtype == prediction.dtype:
        a, b = target, prediction
    else:
        a, b = np.split(prediction.reshape(-1), 2)
    return {"value": lambda: np.dot(a, b)}


def naive_calls(work, target, prediction):
    """The formula as one writes it down, without care for overflow or small losses."""
    n = len(target)
    if work.loss == "cross_entropy":
        rows = np.arange(n)

        def value():
            exponentials = np.exp(prediction - prediction.max(axis=1, keepdims=True))
            return -np.mean(np.log(exponentials[rows, target] / exponentials.sum(axis=1)))

        def gradient():
            exponentials = np.exp(prediction - prediction.max(axis=1, keepdims=True))
            slope = exponentials / exponentials.sum(axis=1, keepdims=True)
            slope[rows, target] -= 1
            return slope / n

        return {"value": value, "gradient": gradient, "both": lambda: (value(), gradient())}

    def softplus(z):
        return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))

    def huber(e):
        return np.where(np.abs(e) <= 1, 0.5 * e**2, np.abs(e) - 0.5)

    y, p = target, prediction
    value, gradient = {
        "mse": (lambda: np.mean((p - y) ** 2), lambda: 2 * (p - y) / n),
        "mae": (lambda: np.mean(np.abs(p - y)), lambda: np.sign(p - y) / n),
        "huber": (lambda: np.mean(huber(p - y)), lambda: np.clip(p - y, -1, 1) / n),
        "bce_with_logits": (
            lambda: np.mean(softplus(p) - y * p),
            lambda: (1 / (1 + np.exp(-p)) - y) / n,
        ),
    }[work.loss]
    return {"value": value, "gradient": gradient, "both": lambda: (value(), gradient())}


def sklearn_calls(work, target, prediction):
    """scikit-learn's metrics. Its log_loss takes probabilities: they are computed beforehand."""
    from sklearn import metrics

    if work.loss == "mse":
        return {"value": lambda: metrics.mean_squared_error(target, prediction)}
    if work.loss == "mae":
        return {"value": lambda: metrics.mean_absolute_error(target, prediction)}
    if work.loss == "bce_with_logits":
        probability = 1 / (1 + np.exp(-prediction))
        return {"value": lambda: metrics.log_loss(target, probability, labels=[0, 1])}
    if work.loss == "cross_entropy":
        exponentials = np.exp(prediction)
        probability = exponentials / exponentials.sum(axis=1, keepdims=True)
        labels = np.arange(work.shape[1])
        return {"value": lambda: metrics.log_loss(target, probability, labels=labels)}
    return {}


def _torch_loss(work):
    from torch.nn import functional

    return {
        "mse": functional.mse_loss,
        "mae": functional.l1_loss,
        "huber": functional.huber_loss,
        "bce_with_logits": functional.binary_cross_entropy_with_logits,
        "cross_entropy": functional.cross_entropy,
    }[work.loss]


def _autograd_calls(loss, target, prediction):
    """Value without a graph; the gradient needs the forward pass, so alone it is no cheaper."""
    import torch

    y, p = torch.from_numpy(target), torch.from_numpy(prediction)
    leaf = p.clone().requires_grad_()

    def value():
        with torch.no_grad():
            return loss(p, y)

    def both():
        leaf.grad = None
        result = loss(leaf, y)
        result.backward()
        return result, leaf.grad

    return {"value": value, "gradient": both, "both": both}


def torch_calls(work, target, prediction):
    return _autograd_calls(_torch_loss(work), target, prediction)


def compiled_calls(work, target, prediction):
    import torch

    torch._dynamo.reset()
    loss = _torch_loss(work)
    compiled = torch.compile(lambda p, y: loss(p, y), fullgraph=True, dynamic=False)
    return _autograd_calls(compiled, target, prediction)


def keras_calls(work, target, prediction):
    """Keras on torch. Its loss of float64 arrays has the digits of float32, so it is left out."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    if keras.backend.backend() != "torch" or work.dtype == "float64":
        return {}
    loss = {
        "mse": keras.losses.MeanSquaredError,
        "mae": keras.losses.MeanAbsoluteError,
        "huber": keras.losses.Huber,
        "bce_with_logits": functools.partial(keras.losses.BinaryCrossentropy, from_logits=True),
        "cross_entropy": functools.partial(
            keras.losses.SparseCategoricalCrossentropy, from_logits=True
        ),
    }[work.loss](dtype=work.dtype)
    return _autograd_calls(lambda p, y: loss(y, p), target, prediction)


def optax_calls(work, target, prediction):
    """Optax's losses under JAX's compiler; mae, which Optax lacks, from JAX itself."""
    import jax
    import jax.numpy as jnp
    import optax

    jax.config.update("jax_enable_x64", True)
    each = {
        "mse": optax.squared_error,
        "mae": lambda p, y: jnp.abs(p - y),
        "huber": optax.huber_loss,
        "bce_with_logits": optax.sigmoid_binary_cross_entropy,
        "cross_entropy": optax.softmax_cross_entropy_with_integer_labels,
    }[work.loss]
    y, p = jax.device_put(target), jax.device_put(prediction)

    def loss(p, y):
        return each(p, y).mean()

    functions = {
        "value": jax.jit(loss),
        "gradient": jax.jit(jax.grad(loss)),
        "both": jax.jit(jax.value_and_grad(loss)),
    }
    return {
        name: lambda f=function: jax.block_until_ready(f(p, y))
        for name, function in functions.items()
    }


ALL = {
    OURS: (None, lossbook_calls),
    LIMIT: (None, limit_calls),
    "naive NumPy": (None, naive_calls),
    "scikit-learn": ("sklearn", sklearn_calls),
    "torch": ("torch", torch_calls),
    "torch.compile": ("torch", compiled_calls),
    "Keras": ("keras", keras_calls),
    "Optax, jit": ("optax", optax_calls),
}


def installed():
    """The contenders that can take part, and the names of those that cannot."""
    missing = [name for name, (module, _) in ALL.items() if module and not _has(module)]
    if "Optax, jit" not in missing and not _has("jax"):
        missing.append("Optax, jit")
    return {name: calls for name, (_, calls) in ALL.items() if name not in missing}, missing


def _has(module):
    return importlib.util.find_spec(module) is not None
