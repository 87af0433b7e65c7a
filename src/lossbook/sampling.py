"""Arguments drawn at random from the domain that a loss states, so that a claim can be tried out.

`Drawn` holds samples of one loss with its prediction flat: one row of numbers a sample. A claim
about convexity or smoothness is then a claim about a function of that row.
"""

import copy
import inspect
import math

import numpy as np

from lossbook.checks import NUMPY, Interval, Not, OneOf, is_integer
from lossbook.classwise import CLASS_INDEX, ClasswiseLoss
from lossbook.distributional import DistributionalLoss
from lossbook.structured import SAMPLES, StructuredLoss

CLASSES = 4
# lengths of the named axes of structured losses; an axis that is not here has length 4
LENGTHS = {"n": 4, "d": 3, "t": 5, "s": 2, "k": 3}
TOGETHER = 3  # how many values a function of their mean, such as the RMSE, gets


class Drawn:
    """``n`` samples of arguments of a loss; ``arrays`` in the order of its signature."""

    def __init__(self, entry, parameters, rng, n, spread=1.0):
        self._entry, self.loss, self.parameters, self._n = entry, entry.loss, parameters, n
        self.arrays = _arrays(entry, {**entry.loss.defaults, **parameters}, rng, n, spread)
        self._positions = _prediction_positions(self.loss)
        self._one_by_one = is_of_a_batch(self.loss)

    def rounded(self):
        """The same samples moved to multiples of a half, as far as the domain has them.

        There values tie and masks are hard; kinks and the ends of the domains are hit.
        """
        corners = copy.copy(self)
        domains = self._entry.domains(self.parameters)
        corners.arrays = tuple(
            array if is_integer(NUMPY, array) else _to_halves(array, domain)
            for array, domain in zip(self.arrays, domains, strict=True)
        )
        return corners

    @property
    def rows(self):
        """The predictions of each sample in one row of numbers."""
        return np.concatenate(
            [self.arrays[k].reshape(self._n, -1) for k in self._positions], axis=1
        )

    @property
    def sizes(self):
        """How many numbers of a row belong to each prediction."""
        return [math.prod(self.arrays[k].shape[1:]) for k in self._positions]

    def at(self, rows):
        """The arrays with other predictions: ``rows`` has one row a sample."""
        arrays, start = list(self.arrays), 0
        for k in self._positions:
            shape = self.arrays[k].shape
            size = math.prod(shape[1:])
            arrays[k] = rows[:, start : start + size].reshape(shape)
            start += size
        return tuple(arrays)

    def values(self, rows):
        """The loss of each sample at other predictions."""
        arrays = self.at(rows)
        if not self._one_by_one:
            return self.loss(*arrays, reduction="none", **self.parameters)
        return np.array(
            [self.loss(*(a[i] for a in arrays), **self.parameters) for i in range(self._n)]
        )

    def slopes(self, rows):
        """The gradient of the loss of each sample, one row a sample."""
        arrays = self.at(rows)
        if not self._one_by_one:
            found = self.loss.gradient(*arrays, reduction="none", **self.parameters)
            return _flat(found, self._n)
        each = [
            _flat(self.loss.gradient(*(a[i] for a in arrays), **self.parameters), 1)
            for i in range(self._n)
        ]
        return np.concatenate(each)

    def sample(self, i):
        """The arrays of one sample."""
        return tuple(array[i] for array in self.arrays)


def _to_halves(array, domain):
    halves = np.round(2 * array) / 2
    return halves if domain is None else np.where(domain.outside(np, halves), array, halves)


def softmax(rows):
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def log_softmax(rows):
    """Log-probabilities; at most 0, whatever the rounding."""
    centred = rows - rows.max(axis=-1, keepdims=True)
    return np.minimum(centred - np.log(np.exp(centred).sum(axis=-1, keepdims=True)), 0)


def _flat(slopes, n):
    slopes = slopes if isinstance(slopes, tuple) else (slopes,)
    return np.concatenate([slope.reshape(n, -1) for slope in slopes], axis=1)


def is_of_a_batch(loss):
    """Whether one value belongs to several samples together."""
    return getattr(loss, "coupled", False) or getattr(loss, "_outer", None) is not None


def argument_names(loss):
    """The arrays that a loss cannot do without, in the order of its signature."""
    if not isinstance(loss, StructuredLoss):
        return ("target", loss.prediction_name)
    parameters = loss.__signature__.parameters
    return tuple(
        name for name in loss.shapes if parameters[name].default is inspect.Parameter.empty
    )


def _prediction_positions(loss):
    if isinstance(loss, StructuredLoss):
        return [k for k, name in enumerate(argument_names(loss)) if name in loss.predictions]
    return [1]


def _arrays(entry, parameters, rng, n, spread):
    loss = entry.loss
    if entry.sample is not None:
        arrays = entry.sample(rng, n, spread)
        if isinstance(arrays, dict):
            arrays = tuple(arrays[name] for name in argument_names(loss))
        return arrays
    if isinstance(loss, StructuredLoss):
        return tuple(_structured(loss, name, rng, n, spread) for name in argument_names(loss))
    target, prediction = (
        domain(parameters) if callable(domain) else domain
        for domain in (loss.target_domain, loss.prediction_domain)
    )
    if isinstance(loss, ClasswiseLoss):
        rows = spread * rng.normal(size=(n, CLASSES))
        if prediction is not None and prediction.high == 0:
            rows = log_softmax(rows)
        return rng.integers(0, CLASSES, size=n), rows
    if isinstance(loss, DistributionalLoss):
        return inside(target, rng, (n,), 1.0), spread * rng.normal(size=(n, len(loss.columns)))
    shape = (n, TOGETHER) if is_of_a_batch(loss) else (n,)
    return inside(target, rng, shape, spread), inside(prediction, rng, shape, spread)


def _structured(loss, name, rng, n, spread):
    axes = [axis for axis in loss.shapes[name] if axis != SAMPLES]
    shape = (n, *(LENGTHS.get(axis, 4) for axis in axes))
    if loss.coupled and SAMPLES in loss.shapes[name]:
        shape = (n, LENGTHS["n"], *shape[1:])  # the samples of one batch
    if name in loss.labels:
        return rng.integers(0, 2, size=shape)
    return inside(loss.domains.get(name), rng, shape, spread)


def inside(domain, rng, shape, spread=1.0):
    """Numbers in a domain; the larger the spread, the nearer to its ends."""
    far = rng.normal(size=shape)
    if domain is None:
        return spread * far
    if isinstance(domain, OneOf):
        return rng.choice(np.asarray(domain.values, float), size=shape)
    if isinstance(domain, Not):
        return domain.value + rng.choice([-1.0, 1.0], size=shape) * np.exp(math.log1p(spread) * far)
    if domain is CLASS_INDEX:
        return rng.integers(0, CLASSES, size=shape)
    if domain.high == math.inf:
        return domain.low + np.exp(math.log1p(spread) * far)
    if domain.low == -math.inf:
        return domain.high - np.exp(math.log1p(spread) * far)
    share = 1 / (1 + np.exp(-2 * math.log1p(spread) * far))
    return domain.low + (domain.high - domain.low) * share


def outside(domain):
    """Numbers that a domain must refuse."""
    if domain is None:
        return ()
    if isinstance(domain, OneOf):
        return (min(domain.values) - 1, sum(domain.values) / len(domain.values))
    if isinstance(domain, Not):
        return (domain.value,)
    assert isinstance(domain, Interval)
    ends = [domain.low - 0.5, domain.high + 0.5]
    if domain.above:
        ends.append(domain.low)
    return tuple(end for end in ends if math.isfinite(end))
