"""What a loss asks for: the constant prediction with the smallest mean loss on given targets."""

import numpy as np
from scipy.optimize import brentq

from lossbook.sampling import CLASSES


def _root(slope, targets):
    low, high = targets.min() - 1, targets.max() + 1
    return brentq(lambda m: slope(m).sum(), low, high, xtol=1e-14, rtol=1e-14)


def _weighted_median(targets, weights):
    order = np.argsort(targets)
    share = np.cumsum(weights[order]) / weights.sum()
    return targets[order][np.searchsorted(share, 0.5)]


def _expectile(targets, tau):
    return _root(lambda m: np.where(targets < m, (1 - tau), tau) * (m - targets), targets)


def _winsorised(targets, width):
    """The fixed point: the mean of the targets, those farther than the width moved to it."""
    return _root(lambda m: np.clip(m - targets, -width, width), targets)


def _frequencies(labels):
    return np.bincount(labels, minlength=CLASSES) / len(labels)


def _log_odds(share):
    return np.log(share) - np.log(1 - share)


# name -> function of the targets and the parameters; the answer is a number, or a row of them
MINIMISERS = {
    "the mean": lambda y, **_: np.mean(y),
    "the median": lambda y, **_: np.median(y),
    "the τ-quantile": lambda y, quantile, **_: np.quantile(y, quantile, method="inverted_cdf"),
    "the τ-expectile": lambda y, tau, **_: _expectile(y, tau),
    "the mean of the targets, those farther than δ moved to δ": (
        lambda y, delta, **_: _winsorised(y, delta)
    ),
    "the mean of the targets, those farther than β moved to β": (
        lambda y, beta, **_: _winsorised(y, beta)
    ),
    "as many targets more than ε above as below": (
        lambda y, epsilon, **_: np.median(np.concatenate((y - epsilon, y + epsilon)))
    ),
    "the median under weights 1/|y|": lambda y, **_: _weighted_median(y, 1 / abs(y)),
    "the geometric mean of 1 + y, less 1": lambda y, **_: np.expm1(np.mean(np.log1p(y))),
    "(1 - η) m, with η the share of equal pairs": (
        lambda y, margin, **_: (1 - np.mean(y)) * margin
    ),
    "the logarithm of the mean": lambda y, **_: np.log(np.mean(y)),
    "the mean, and the logarithm of the variance": (
        lambda y, **_: np.array([np.mean(y), np.log(np.var(y))])
    ),
    "the median, and the logarithm of the mean deviation from it": (
        lambda y, **_: np.array([np.median(y), np.log(np.mean(abs(y - np.median(y))))])
    ),
    "the log-odds of the mean": lambda y, **_: _log_odds(np.mean(y)),
    "the log-odds of class 1": lambda y, **_: _log_odds(np.mean(y > 0)),
    "half the log-odds of class 1": lambda y, **_: _log_odds(np.mean(y > 0)) / 2,
    "the sign of the mean": lambda y, **_: np.sign(np.mean(y)),
    "0, whatever the classes": lambda y, **_: 0.0,
    "the class frequencies": lambda y, **_: np.log(_frequencies(y)),
    "the class frequencies themselves, as scores": lambda y, **_: _frequencies(y),
    "the class frequencies to the power 1/(1 - q), normalised": (
        lambda y, q, **_: np.log(_frequencies(y)) / (1 - q)
    ),
    "the class of more than half the samples, ahead by 1": (
        lambda y, **_: np.eye(CLASSES)[np.bincount(y, minlength=CLASSES).argmax()]
    ),
    "the most frequent class ahead": (
        lambda y, **_: np.eye(CLASSES)[np.bincount(y, minlength=CLASSES).argmax()]
    ),
    "equal scores, whatever the classes": lambda y, **_: np.zeros(CLASSES),
    "twice the square roots of the class frequencies, as scores": (
        lambda y, **_: 2 * np.sqrt(_frequencies(y))
    ),
}
