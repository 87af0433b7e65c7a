"""One training loop for torch modules, small enough to read.

The loop is the one every page uses, so that a page shows only what is its own: the model,
the loss, and what came out.
"""

import copy
import os
import sys
from dataclasses import dataclass, field

import numpy as np
import torch
from tqdm import tqdm


@dataclass
class History:
    """The losses of one training run.

    Attributes
    ----------
    train, validation : list of float
        Entry k is the loss after k epochs; entry 0 is the untrained model. `validation` is
        empty when there was no validation part.
    best_epoch : int or None
        The epoch with the lowest validation loss, or None without a validation part.
    stopped_early : bool
        Whether patience ended the run before its last epoch.
    """

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    stopped_early: bool = False

    @property
    def epochs(self):
        """How many epochs were run."""
        return len(self.train) - 1

    def __repr__(self):
        parts = [f"{self.epochs} epochs", f"train {self.train[0]:.4g} → {self.train[-1]:.4g}"]
        if self.validation:
            best = self.validation[self.best_epoch]
            parts.append(f"best validation {best:.4g} after epoch {self.best_epoch}")
        if self.stopped_early:
            parts.append("stopped early")
        return f"History({', '.join(parts)})"


def fit(
    model,
    loss,
    train,
    validation=None,
    *,
    epochs,
    learning_rate=None,
    batch_size=None,
    optimizer=torch.optim.SGD,
    seed=0,
    patience=None,
    progress="auto",
):
    """Train `model` in place by minibatch gradient descent and return its `History`.

    Parameters
    ----------
    model : torch.nn.Module
        Left in evaluation mode.
    loss : callable
        `loss(target, prediction)`, target first: a scalar tensor, the mean over the batch, or
        one value per sample, of which the mean is taken. For a torch function, which has the
        reverse order: `lambda target, prediction: F.mse_loss(prediction, target)`.
    train, validation : pair (X, y)
        Arrays or tensors with n rows each. Floating-point data is converted to the model's
        dtype, integers to int64.
    epochs : int
        Passes over the training part, at most.
    learning_rate : float
    batch_size : int, optional
        Rows per step; the last batch of an epoch holds what is left. None: all rows in one
        step, plain gradient descent.
    optimizer : class or torch.optim.Optimizer
        A class such as `torch.optim.Adam`, called with the parameters and `lr=learning_rate`;
        or an optimizer made from `model.parameters()`, which brings its own learning rate.
    seed : int
        Fixes the order of the samples and the noise of layers such as dropout. The random
        state of the caller is not touched. The initial weights are the caller's: call
        `torch.manual_seed` before the model is made, or use `repeat`.
    patience : int, optional
        Stop when the validation loss has not improved for so many epochs, and go back to the
        weights of the best epoch. None: run all epochs and keep the last weights.
    progress : "auto", True or False
        A progress bar on standard error. "auto": only in a terminal, or when the environment
        has LOSSBOOK_PROGRESS=1. A notebook thus stays free of it.

    Raises
    ------
    ValueError
        When X and y differ in length, the data has NaN or infinity, the shapes of target and
        prediction do not fit, or an argument is out of its range.
    FloatingPointError
        When the loss becomes NaN or infinite; names the epoch and the batch.
    """
    _check_arguments(epochs, batch_size, patience, validation, learning_rate, optimizer)
    train = _as_tensors(train, model, "train")
    if validation is not None:
        validation = _as_tensors(validation, model, "validation")
    if not isinstance(optimizer, torch.optim.Optimizer):
        optimizer = optimizer(model.parameters(), lr=learning_rate)

    history = History()
    best_weights = None
    X, y = train
    size = batch_size or len(X)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        bar = tqdm(range(epochs + 1), desc="epochs", leave=False, disable=not _shown(progress))
        for epoch in bar:
            if epoch > 0:  # epoch 0 only measures the untrained model
                model.train()
                for batch, rows in enumerate(torch.randperm(len(X)).split(size), start=1):
                    value = _batch_loss(loss, y[rows], model(X[rows])).mean()
                    _check_finite(value.item(), f"in epoch {epoch}, batch {batch}", optimizer)
                    optimizer.zero_grad()
                    value.backward()
                    optimizer.step()

            # Both parts are measured after the epoch, with the same weights: the running mean
            # of the batch losses would compare older weights with newer ones.
            history.train.append(_mean_loss(model, loss, train))
            _check_finite(history.train[-1], f"after epoch {epoch}", optimizer)
            if validation is None:
                continue
            history.validation.append(_mean_loss(model, loss, validation))
            if epoch == 0 or history.validation[-1] < history.validation[history.best_epoch]:
                history.best_epoch = epoch
                if patience is not None:
                    best_weights = copy.deepcopy(model.state_dict())
            elif patience is not None and epoch - history.best_epoch >= patience:
                history.stopped_early = epoch < epochs
                break
        bar.close()

    if best_weights is not None:
        model.load_state_dict(best_weights)
    return history


def evaluate(model, loss, data, *, batch_size=None):
    """The mean loss of `model` over the samples of `data`, a pair (X, y), as a float.

    The model is put in evaluation mode. None evaluates all rows at once. A `batch_size` saves
    memory and gives the same number if the loss is a mean over samples; the root of the mean
    squared error, or a weighted mean, is not.
    """
    return _mean_loss(model, loss, _as_tensors(data, model, "data"), batch_size)


def predict(model, X):
    """The output of `model` in evaluation mode, without gradient, as a NumPy array."""
    model.eval()
    with torch.no_grad():
        return model(_tensor(X, _dtype(model))).numpy()


def repeat(function, seeds):
    """Call `function(seed)` for each seed and stack the results into one array.

    torch's global generator is seeded before each call, so that a model built inside
    `function` starts from weights that belong to the seed; afterwards it is as it was before.

    Parameters
    ----------
    function : callable
        Takes the seed; returns a number or an array, of the same shape every time.
    seeds : iterable of int, or int
        `repeat(f, 5)` uses the seeds 0 to 4.

    Returns
    -------
    ndarray, shape (number of seeds, ...)
    """
    seeds = range(seeds) if isinstance(seeds, int) else seeds
    results = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            results.append(function(seed))
    return np.array(results)


def mean_and_range(values, *, digits=3):
    """The mean of several runs and the range they cover, as text.

    >>> mean_and_range([0.91, 0.93, 0.95], digits=2)
    '0.93 (0.91 to 0.95, 3 runs)'
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(
            f"mean_and_range: values has shape {values.shape}; give one number per run, shape (n,)."
        )
    low, mean, high = (f"{v:.{digits}f}" for v in (values.min(), values.mean(), values.max()))
    return f"{mean} ({low} to {high}, {len(values)} runs)"


def _mean_loss(model, loss, data, batch_size=None):
    X, y = data
    batch_size = batch_size or len(X)
    model.eval()
    total = 0.0
    with torch.no_grad():
        for features, target in zip(X.split(batch_size), y.split(batch_size), strict=True):
            # Sum over samples, divided by n at the end. The mean of the batch means would give
            # a sample in a short last batch more weight than the others.
            total += _batch_loss(loss, target, model(features)).double().mean().item() * len(target)
    return total / len(X)


def _batch_loss(loss, target, prediction):
    # A column against a vector would broadcast to a matrix of all pairs, without an error.
    shapes = tuple(target.shape), tuple(prediction.shape)
    if len(target) != len(prediction) or (
        target.ndim != prediction.ndim and (target.ndim == 2 or prediction.shape[1:] == (1,))
    ):
        raise ValueError(
            f"fit: target has shape {shapes[0]}, prediction has shape {shapes[1]}. For one "
            "number per sample both must be (n,): end the model with nn.Flatten(0), or use "
            "target.reshape(-1)."
        )
    return loss(target, prediction)


def _check_finite(value, where, optimizer):
    if np.isfinite(value):
        return
    rate = optimizer.param_groups[0]["lr"]
    raise FloatingPointError(
        f"fit: the loss became {value} {where}. Likely causes: the learning rate ({rate:g}) is "
        "too high for the scale of this loss; features or target are not standardised; a loss "
        "on probabilities met exactly 0 or 1 (use its form on logits)."
    )


def _check_arguments(epochs, batch_size, patience, validation, learning_rate, optimizer):
    for name, value in (("epochs", epochs), ("batch_size", batch_size), ("patience", patience)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"fit: {name} is {value!r}; it must be an integer of at least 1.")
    if patience is not None and validation is None:
        raise ValueError("fit: patience watches the validation loss; give a validation part.")
    ready = isinstance(optimizer, torch.optim.Optimizer)
    if ready and learning_rate is not None:
        raise ValueError("fit: the optimizer has its own learning rate; leave learning_rate out.")
    if not ready and (learning_rate is None or not learning_rate > 0):
        raise ValueError(f"fit: learning_rate is {learning_rate!r}; it must be a positive number.")


def _as_tensors(data, model, name):
    try:
        X, y = data
    except (TypeError, ValueError):
        raise ValueError(f"fit: {name} must be a pair (X, y).") from None
    X, y = (_tensor(part, _dtype(model)) for part in (X, y))
    if len(X) != len(y) or len(X) == 0:
        raise ValueError(
            f"fit: {name} has {len(X)} rows in X and {len(y)} in y; both need the same "
            "number, at least 1."
        )
    for label, part in (("X", X), ("y", y)):
        if part.is_floating_point() and not torch.isfinite(part).all():
            raise ValueError(f"fit: {label} of {name} contains NaN or infinity; remove or fill it.")
    return X, y


def _dtype(model):
    return next((p.dtype for p in model.parameters()), torch.get_default_dtype())


def _tensor(values, dtype):
    tensor = torch.as_tensor(values)
    return tensor.to(dtype if tensor.is_floating_point() else torch.int64)


def _shown(progress):
    if progress == "auto":
        return sys.stderr.isatty() or os.environ.get("LOSSBOOK_PROGRESS") == "1"
    if progress in (True, False):
        return progress
    raise ValueError(f'fit: progress is {progress!r}; it must be "auto", True or False.')
