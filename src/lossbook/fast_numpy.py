"""NumPy, with its slow functions made from its fast ones: the ``xp`` of large NumPy arrays.

A formula is handed this module instead of NumPy and does not notice. Everything that is not
defined here is NumPy's own. What is defined here gives NumPy's result to a few units in the last
place, with the same NaNs and infinities, and falls back to NumPy wherever it is not sure.

NumPy computes exp, log and tanh of float32 for eight numbers at a time, but log1p, expm1, sinh
and logaddexp for one at a time, ``where`` with a branch a number, and a reduction over a short
last axis with a function call a row. Here each of these is a few whole-array steps.
"""

import functools
import math
import sys

import numpy as np
from array_api_compat import array_namespace

FROM = 4096  # values from which on the fewer but longer steps pay
_numpy = array_namespace(np.empty(0))
_SAME_SIZE = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}
_SHORT = 512  # a row up to this length is summed without pairs: its rounding stays below theirs
_FEW = 32  # columns for which a transposed copy is cheaper than a call a row
PIECE = 512  # float32 adds up so many numbers and loses no more than the last digit
_NO_THREADS = 8192  # BLAS starts its own threads for a matrix with more entries than this


def __getattr__(name):
    return getattr(_numpy, name)


def faster(xp, x):
    """This module in place of NumPy, where it pays for arrays like x; otherwise xp."""
    if xp is _numpy and x.size >= FROM and x.dtype in _SAME_SIZE:
        return sys.modules[__name__]
    return xp


def _is_block(x):
    return isinstance(x, np.ndarray) and x.dtype in _SAME_SIZE


def _is_single(x):
    return isinstance(x, np.ndarray) and x.dtype == np.float32 and x.size > 0


def _is_table(x):
    return _is_block(x) and x.ndim == 2 and x.flags.c_contiguous


def where(condition, x, y):
    """Bit by bit: no branch, so an unpredictable condition costs no more than another."""
    dtype = next((v.dtype for v in (x, y) if isinstance(v, np.ndarray)), None)
    if not (
        dtype in _SAME_SIZE
        and isinstance(condition, np.ndarray)
        and condition.dtype == bool
        and all(type(v) in (int, float) or getattr(v, "dtype", None) == dtype for v in (x, y))
    ):
        return np.where(condition, x, y)
    bits = _SAME_SIZE[dtype]
    mask = np.negative(condition.view(np.int8)).astype(bits)  # all bits set, or none
    x, y = (np.asarray(v, dtype).view(bits) for v in (x, y))
    if x.ndim == 0 and x == 0:
        chosen = np.invert(mask, out=mask) & y
    elif y.ndim == 0 and y == 0:
        chosen = mask & x
    else:
        chosen = (x ^ y) & mask
        chosen = np.bitwise_xor(chosen, y, out=chosen) if _fits(y, chosen) else chosen ^ y
    return chosen.view(dtype)


def _fits(part, whole):
    return np.broadcast_shapes(part.shape, whole.shape) == whole.shape


def log1p(x):
    if not (_is_single(x) and x.min() > -1 and x.max() < math.inf):
        return np.log1p(x)
    return log1p_of_finite(x)


def log1p_of_finite(x):
    """For x above -1 and below infinity: log(u) with u = 1 + x rounded, and what was rounded off.

    Outside it is NaN.
    """
    if x.dtype != np.float32:
        return np.log1p(x)
    u = 1 + x
    lost = x - (u - 1)
    lost /= u
    lost += np.log(u, u)
    return lost


def expm1(x):
    """From tanh, which keeps the digits of a small number."""
    if not _is_single(x):
        return np.expm1(x)
    largest = x.max()
    if largest <= 1:
        return _expm1_below_1(x)
    if not largest > 1:  # NaN
        return np.expm1(x)
    return where(x > 1, np.exp(x) - 1, _expm1_below_1(np.minimum(x, np.float32(1))))


def _expm1_below_1(x):
    half = np.tanh(0.5 * x)
    return 2 * half / (1 - half)


def sinh(x):
    if not (_is_single(x) and np.abs(x).max() <= 1):
        return np.sinh(x)
    half = np.tanh(0.5 * x)
    return 2 * half / (1 - half * half)


def logaddexp(x, y):
    """softplus(y) for x = 0, the only use the losses make of it."""
    if not (_is_block(y) and x.dtype == y.dtype and x.ndim == 0 and x == 0):
        return np.logaddexp(x, y)
    value = np.abs(y)
    np.exp(np.negative(value, out=value), out=value)
    value = log1p_of_finite(value)
    value += np.clip(y, 0, None)
    return value


def sum(x, *, axis=None, keepdims=False, **options):
    if options or axis != -1 or not _is_table(x) or x.shape[-1] > _SHORT:
        return np.sum(x, axis=axis, keepdims=keepdims, **options)
    sums = row_sums(x)
    return sums[:, None] if keepdims else sums


def row_sums(x):
    """x @ ones, in pieces small enough for BLAS to stay on this thread."""
    columns = x.shape[1]
    if columns <= _SHORT:
        return _narrow_sums(x)
    if columns > 4 * _SHORT:
        return np.sum(x, axis=-1)
    pieces = [x[:, first : first + _SHORT] for first in range(0, columns, _SHORT)]
    return functools.reduce(np.add, [_narrow_sums(piece) for piece in pieces])


def _narrow_sums(x):
    rows, columns = x.shape
    one_each = shared_ones(columns, x.dtype)
    if x.size <= _NO_THREADS:
        return x @ one_each
    step = _NO_THREADS // columns
    whole = rows - rows % step
    sums = np.empty(rows, x.dtype)
    np.matmul(x[:whole].reshape(-1, step, columns), one_each, sums[:whole].reshape(-1, step))
    np.matmul(x[whole:], one_each, sums[whole:])
    return sums


def total_of(x):
    """The sum of all entries, accumulated in float64."""
    if x.dtype != np.float32 or x.size < 8 * PIECE or not x.flags.c_contiguous:
        return np.add.reduce(x, axis=None, dtype=np.float64)
    flat = x.reshape(-1)
    whole = x.size - x.size % PIECE
    sums = np.vecdot(flat[:whole].reshape(-1, PIECE), shared_ones(PIECE, x.dtype))
    sum_of_all = np.add.reduce(sums, dtype=np.float64) + np.add.reduce(
        flat[whole:], dtype=np.float64
    )
    if math.isfinite(sum_of_all):
        return sum_of_all
    return np.add.reduce(flat, dtype=np.float64)  # where float64 may be finite


@functools.lru_cache(maxsize=1024)
def shared_ones(size, dtype):
    """Shared, so not to be written to."""
    array = np.ones(size, dtype)
    array.flags.writeable = False
    return array


def max(x, *, axis=None, keepdims=False):
    if axis != -1 or not _is_table(x) or x.shape[-1] > _FEW:
        return np.max(x, axis=axis, keepdims=keepdims)
    largest = row_maxima(x)
    return largest[:, None] if keepdims else largest


def row_maxima(x):
    return np.max(x.T.copy() if x.shape[-1] <= _FEW else x.T, axis=0)


def take_along_axis(x, indices, *, axis=-1):
    if axis != -1 or not _is_table(x) or indices.shape != (len(x), 1):
        return np.take_along_axis(x, indices, axis=axis)
    return x.reshape(-1).take(flat_index(indices[:, 0], x.shape[-1]))[:, None]


def flat_index(labels, columns):
    """Where the entry that each row's label names lies in the flat table."""
    index = np.arange(len(labels), dtype=np.intp)
    index *= columns
    index += labels.astype(np.intp, copy=False)
    return index


# Functions of lossbook.backend for which this namespace has a shorter way


def at_index(index, like):
    if index.shape != like.shape[:1]:
        return index[..., None] == np.arange(like.shape[-1])
    at = np.zeros(like.shape, bool)
    at.reshape(-1)[flat_index(index, like.shape[-1])] = True
    return at


def centred(x):
    """Scores and log-total as in `lossbook.backend.centred`, or None if it shall do it itself.

    The largest entry of a row is not looked for: it is the one whose score is 0. Where several
    are, all but one of them count among the others.
    """
    if not _is_table(x) or x.shape[-1] > 1 << 16:
        return None
    largest = row_maxima(x)
    if not np.isfinite(largest).all():
        return None
    scores = x - largest[:, None]
    terms = np.exp(scores)
    total = row_sums(terms)
    terms *= scores < 0
    others = row_sums(terms)
    others += np.rint(total - others) - 1  # the number of entries that equal the largest, less one
    return scores, log1p(others)
