"""How a loss in another library is run, as `lossbook.libraries` calls it: value and gradient."""

import inspect
import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # read once, when keras is imported
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import lossbook

STEP = 1e-6  # of central differences


def to_torch(array):
    import torch

    return torch.tensor(array)


def to_keras(array):
    """float32, as Keras casts everything to it."""
    import torch

    return torch.tensor(array.astype(np.float32) if array.dtype.kind == "f" else array)


def to_tensorflow(array):
    import tensorflow as tf

    return tf.constant(array)


def to_jax(array):
    import jax

    return jax.numpy.asarray(array)


CONVERT = {
    "torch": to_torch,
    "keras": to_keras,
    "tensorflow": to_tensorflow,
    "optax": to_jax,
    "sklearn": np.asarray,
}


class Check:
    """One equivalent at one set of arrays and parameters."""

    def __init__(self, name, equivalent, arrays, parameters):
        self.equivalent = equivalent
        self.loss = getattr(lossbook, name)
        self.parameters = parameters
        self.arrays = arrays
        self.predictions = (
            self.loss.predictions
            if hasattr(self.loss, "predictions")
            else (self.loss.prediction_name,)
        )
        last = self.arrays[self.predictions[0]].shape
        self.constants = {"C": last[-1] if last else 1, "n": last[0] if last else 1}
        self.weight = {}
        if equivalent.weight:
            self.weight = {"weight": equivalent.evaluate(equivalent.weight, **self.arrays)}
        self.factor = equivalent.evaluate(equivalent.factor, **self.named)

    @property
    def named(self):
        """Our parameters by name, those that were left out at their defaults."""
        return {**self.loss.defaults, **self.parameters, **self.constants}

    def theirs(self, **arrays):
        """The value in the library, from its own arrays."""
        if self.equivalent.on:
            value = self.of_object("loss", **arrays)
        else:
            value = self.equivalent.evaluate(self.equivalent.call, **self.named, **arrays)
        one_each = len(np.shape(value)) > 0
        self.reduction = self.equivalent.reduction or ("none" if one_each else "mean")
        return value

    def of_object(self, method, **arrays):
        """The value or the gradient of an object that has both, such as an estimator's loss."""
        made = self.equivalent.evaluate(self.equivalent.call, **self.named)
        target, raw = self.equivalent.evaluate(self.equivalent.on, **self.named, **arrays)
        return elementwise(made, method, target, raw, self.constants["C"])

    @property
    def has_own_gradient(self):
        """Whether scikit-learn has a gradient, with respect to our prediction itself."""
        return self.equivalent.on.endswith(f", {self.predictions[0]}")

    def ours(self, arrays):
        """What corresponds to the last value of the library."""
        return self.factor * self.loss(**arrays, **self.options(self.reduction))

    def our_gradients(self):
        options = self.options("sum" if self.reduction == "none" else self.reduction)
        gradients = self.loss.gradient(**self.arrays, **options)
        gradients = gradients if isinstance(gradients, tuple) else (gradients,)
        return [self.factor * gradient for gradient in gradients]

    def options(self, reduction):
        reductions = {} if self.loss.name in ("rmse", "rmsle") else {"reduction": reduction}
        return {**self.parameters, **self.weight, **reductions}


def elementwise(made, method, target, raw, classes):
    """The loss or the gradient of each sample, from what an estimator of scikit-learn uses."""
    if hasattr(made, "_get_loss_function"):  # stochastic gradient descent
        made = made._get_loss_function(made.loss)
    elif hasattr(made, "_get_loss"):
        made.n_trees_per_iteration_ = 1 if raw.ndim == 1 else classes
        made.n_classes_ = max(2, made.n_trees_per_iteration_)
        takes_weight = inspect.signature(made._get_loss).parameters
        made = made._get_loss(*[None] * len(takes_weight))
    if hasattr(made, "py_loss"):
        function = made.py_loss if method == "loss" else made.py_dloss
        return np.vectorize(function)(raw, target)
    target, raw = target.astype(np.float64), np.ascontiguousarray(raw)
    if not hasattr(made, "closs"):  # the compiled part alone
        out = np.empty_like(target if method == "loss" else raw)
        getattr(made, method)(target, raw, None, out, 1)
        return out
    return getattr(made, method)(target, raw)


def gradients_of(check):
    """The gradient in the library, summed over values of their own per sample."""
    library, predictions = check.equivalent.library, check.predictions
    arrays = {name: CONVERT[library](array) for name, array in check.arrays.items()}
    if library in ("torch", "keras"):
        for name in predictions:
            arrays[name].requires_grad_()
        check.theirs(**arrays).sum().backward()
        return [arrays[name].grad.numpy() for name in predictions]
    if library == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            for name in predictions:
                tape.watch(arrays[name])
            value = tf.reduce_sum(check.theirs(**arrays))
        return [g.numpy() for g in tape.gradient(value, [arrays[name] for name in predictions])]
    if library == "optax":
        import jax

        def total(*given):
            return check.theirs(**{**arrays, **dict(zip(predictions, given, strict=True))}).sum()

        given = [arrays[name] for name in predictions]
        return [np.asarray(g) for g in jax.grad(total, tuple(range(len(given))))(*given)]
    if check.has_own_gradient:
        check.theirs(**arrays)  # says whether there is one value per sample
        return [check.of_object("gradient", **arrays)]
    return [central_differences(check, arrays, name) for name in predictions]


def central_differences(check, arrays, name):
    """For metrics of scikit-learn, which have no gradient."""
    slopes = np.empty_like(arrays[name])
    for index in np.ndindex(slopes.shape):
        high, low = arrays[name].copy(), arrays[name].copy()
        high[index] += STEP
        low[index] -= STEP
        above = np.sum(check.theirs(**{**arrays, name: high}))
        below = np.sum(check.theirs(**{**arrays, name: low}))
        slopes[index] = (above - below) / (2 * STEP)
    return slopes


MEANS_OF_OPTAX = ("ntxent", "ranking_softmax_loss", "multiclass_generalized_dice_loss")


def usual_reduction(equivalent):
    """What CONVENTIONS says of the values of a library."""
    if equivalent.path == "tf.nn.l2_loss":
        return "sum"
    one_number = equivalent.library in ("torch", "keras", "sklearn")
    if equivalent.on or "reduction='none'" in equivalent.call:
        one_number = False
    return "mean" if one_number or equivalent.path.endswith(MEANS_OF_OPTAX) else "none"


def as_numpy(value):
    if hasattr(value, "detach"):
        value = value.detach()
    return np.asarray(value)
