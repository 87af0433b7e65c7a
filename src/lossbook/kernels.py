"""The losses that most programs spend their time in, each as a few passes over a block.

A kernel gives the sum of the formula's values over a block of NumPy numbers, and the gradient,
from one pass over the data. The formula stays the definition: `tests/test_kernels.py` holds each
kernel to it, and where a sum is not finite the formula is evaluated instead, so that NaN,
infinity and 0 · inf are its business alone.

Every kernel is called as ``kernel(target, prediction, slope, scale, value, **parameters)``.
``slope`` is None or an array to be filled with the derivative times ``scale``; the sum is
returned, 0 if ``value`` is false, and None where the formula shall do it. The arrays are flat,
except those of `cross_entropy`.
"""

import math
import threading

import numpy as np

from lossbook.fast_numpy import (
    PIECE,
    flat_index,
    log1p_of_finite,
    row_maxima,
    row_sums,
    shared_ones,
)

_FEW = 1024  # numbers, for which one more product costs more than their logarithms
_FACTORS = 64  # (1 + e)^64 <= 2^64 for e <= 1, which float32 still holds
_LARGEST = 1 << 20  # bytes of a cached buffer; what is larger is allocated anew


TYPES = np.dtype(np.float32), np.dtype(np.float64)


def run(kernel, target, prediction, slope, scale, value, parameters):
    """The sum that the kernel finds, or None where it is for the formula to say what it is."""
    if prediction.ndim != 1 and kernel is not cross_entropy:
        target, prediction = target.reshape(-1), prediction.reshape(-1)
        slope = None if slope is None else slope.reshape(-1)
    with np.errstate(all="ignore"):
        total = kernel(target, prediction, slope, scale, value, **parameters)
    return total if total is not None and math.isfinite(total) else None


def squared_error(target, prediction, slope, scale, value):
    """Σ (ŷ - y)² as the product of the errors with themselves."""
    error = _Scratch.like(prediction, 0)
    np.subtract(prediction, target, error.flat)
    if slope is not None:
        np.multiply(error.flat, 2 * scale, slope)
    return error.times(error) if value else 0.0


def absolute_error(target, prediction, slope, scale, value):
    """Σ |ŷ - y|."""
    error = _Scratch.like(prediction, 0)
    np.subtract(prediction, target, error.flat)
    if slope is not None:
        np.sign(error.flat, slope)
        np.multiply(slope, scale, slope)
    if not value:
        return 0.0
    np.abs(error.flat, error.flat)
    return error.sum()


def huber(target, prediction, slope, scale, value, *, delta):
    """Σ (e c - ½ c²), with c the error e clipped to ±δ: ½ e² inside and δ (|e| - ½ δ) beyond."""
    error, clipped = _Scratch.like(prediction, 0), _Scratch.like(prediction, 1)
    np.subtract(prediction, target, error.flat)
    error.flat.clip(-float(delta), float(delta), clipped.flat)
    if slope is not None:
        np.multiply(clipped.flat, scale, slope)
    return error.times(clipped) - 0.5 * clipped.times(clipped) if value else 0.0


def bce_with_logits(target, logits, slope, scale, value):
    """Σ (log(1 + exp(-|z|)) + z (h - y)), with h = 1 for z > 0 and 0 otherwise.

    The second term is |z| times the share of the class that the logit speaks against. The first
    is the logarithm of a product, see `_sum_of_log1p`. With ``s = 1 / (1 + exp(-|z|))`` the
    derivative is ``s ((h - y) + (1 - h - y) exp(-|z|))``; no digit of a confident prediction is
    lost, because for labels one of the two terms is 0.
    """
    against, tail = _Scratch.like(logits, 0), _Scratch.like(logits, 1)
    positive = np.greater(logits, 0)
    np.subtract(positive, target, against.flat)
    np.abs(logits, tail.flat)
    np.negative(tail.flat, tail.flat)
    np.exp(tail.flat, tail.flat)
    if slope is not None:
        share = _Scratch.like(logits, 2).flat
        np.subtract(1, target, slope)
        np.subtract(slope, positive, slope)
        np.multiply(slope, tail.flat, slope)
        np.add(slope, against.flat, slope)
        np.add(tail.flat, 1, share)
        np.divide(slope, share, slope)
        if scale != 1:
            np.multiply(slope, scale, slope)
    if not value:
        return 0.0
    np.multiply(against.flat, logits, against.flat)
    return against.sum() + _sum_of_log1p(tail.flat)


def cross_entropy(target, logits, slope, scale, value, *, class_weight, label_smoothing):
    """Σ log(1 + r), with r = Σ exp(z_c) / exp(z_y) over the classes c other than the label y.

    For a confident right answer r is tiny and keeps its digits, as does the derivative
    ``-r / (1 + r)`` at the label. Logits of moderate size need no centring, and lose nothing by
    a subtraction; others are centred on the largest of their row.
    """
    if class_weight is not None or label_smoothing or target.dtype.kind not in "iu":
        return None
    logits, target = logits.reshape(-1, logits.shape[-1]), target.reshape(-1)
    slope = None if slope is None else slope.reshape(logits.shape)
    limit, tiny = (60, 1e-30) if logits.dtype == np.float32 else (600, 1e-290)
    flat = _Scratch.like(logits, 0).flat
    terms = flat.reshape(logits.shape)
    if logits.max() <= limit:
        np.exp(logits, terms)
    else:
        np.subtract(logits, row_maxima(logits)[:, None], terms)
        np.exp(terms, terms)
    index = flat_index(target, logits.shape[1])
    of_label = flat.take(index)
    if not of_label.min() > tiny:  # underflow, or NaN
        return None
    flat[index] = 0
    others = row_sums(terms)
    if slope is not None:
        factor = scale / (others + of_label)
        np.multiply(terms, factor[:, None], slope)
        slope.reshape(-1)[index] = -others * factor
        if not math.isfinite(factor.sum()):
            return None
    others /= of_label
    return float(np.add.reduce(log1p_of_finite(others), dtype=np.float64)) if value else 0.0


def _sum_of_log1p(x):
    """Σ log(1 + x) for 0 <= x <= 1, as the logarithm of products; x is overwritten.

    (1 + a)(1 + b) = 1 + (a + b + a b): what is carried on is the product less 1, which keeps the
    digits that 1 + 1e-9 would lose.
    """
    rest, factors = 0.0, 1
    while factors < _FACTORS and x.size > _FEW:
        half = x.size // 2
        if x.size % 2:
            rest += math.log1p(x[-1])
        a, b = x[:half], x[half : 2 * half]
        product = a * b
        a += b
        a += product
        x, factors = a, 2 * factors
    return rest + float(np.add.reduce(log1p_of_finite(x), dtype=np.float64))


class _Scratch:
    """Memory of a thread, aligned to a line of the cache and used again by the next block.

    ``flat`` has as many entries as asked for; ``pieces`` is the same memory in rows, filled up
    with zeros. Sums are taken a row at a time in the type of the entries, and over the rows in
    float64: so float32 loses no more than its last digit.
    """

    _of_thread = threading.local()

    def __init__(self, index, size, dtype):
        rows = -(-size // PIECE)
        buffer = self._buffer(index, rows * PIECE * dtype.itemsize).view(dtype)
        self.flat, self._filling = buffer[:size], buffer[size:]
        self.pieces = buffer.reshape(rows, PIECE)

    @classmethod
    def like(cls, array, index):
        """The scratch memory number ``index`` with the size and type of the array."""
        known = cls._of_thread.__dict__
        key = index, array.size, array.dtype.char
        scratch = known.get(key)
        if scratch is None:
            if len(known) > 200:  # views of the few buffers
                known.clear()
            scratch = cls(index, array.size, array.dtype)
            if scratch.flat.nbytes <= _LARGEST:
                known[key] = scratch
        if scratch._filling.size:
            scratch._filling[:] = 0
        return scratch

    def _buffer(self, index, size):
        if size > _LARGEST:
            return np.empty(size, np.uint8)
        buffer = self._of_thread.__dict__.get(index)
        if buffer is None:
            memory = np.empty(_LARGEST + 64, np.uint8)
            start = -memory.ctypes.data % 64
            buffer = self._of_thread.__dict__[index] = memory[start : start + _LARGEST]
        return buffer[:size]

    def times(self, other):
        """The sum of the products."""
        return sum(np.vecdot(self.pieces, other.pieces).tolist())

    def sum(self):
        return sum(np.vecdot(self.pieces, shared_ones(PIECE, self.flat.dtype)).tolist())
