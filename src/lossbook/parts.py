"""Large NumPy arrays, part by part, so that what a formula makes on its way stays in the cache.

A formula of five operations on ten million numbers writes and reads ten million intermediate
results five times. In blocks of some hundred thousand, the intermediate results never leave the
cache, and the memory is read once. Arrays of other libraries, which have compilers of their
own for this, and small arrays are one part.

The parts can be shared among threads, because NumPy lets go of Python's lock while it computes.
That is for the caller to ask for, since a program may have better use for its other cores:

    >>> from lossbook.parts import set_threads
    >>> set_threads(2)
    >>> set_threads(1)  # the default

The result is the same to the last bit for any number of threads.
"""

import contextvars
import functools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from array_api_compat import is_numpy_namespace

BLOCK = 1 << 17  # a handful of arrays of this many values stay in the cache
EVERYTHING = None
_KEPT = 1 << 24

_threads = 1


def set_threads(number):
    """Evaluate large NumPy arrays in this many threads from now on."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ValueError(f"set_threads: number must be an integer of at least 1; it is {number!r}.")
    global _threads
    _threads = number


def in_parts(evaluate, target, prediction, weight, sample_axes):
    """The list of ``evaluate(part, target, prediction, weight)``, one for each part, in order.

    All parts together are all samples. The first ``sample_axes`` axes count samples; one axis
    more counts classes. A part is a slice of the samples laid out flat. Arrays that are not
    split (see `is_split`) are the part EVERYTHING, and come as they are.
    """
    _keep_freed_memory()
    arrays = [
        array if array is None else array.reshape(-1, *array.shape[sample_axes:])
        for array in (target, prediction, weight)
    ]
    rows = len(arrays[1])
    step = max(1, BLOCK * rows // prediction.size)

    def run(start, stop):
        results = []
        for first in range(start, stop, step):
            part = slice(first, min(first + step, stop))
            block = [array if array is None else array[part] for array in arrays]
            results.append(evaluate(part, *block))
        return results

    share = -(-rows // (step * _threads)) * step  # whole blocks, the same for any number
    starts = range(0, rows, share)
    if len(starts) == 1:
        return run(0, rows)
    with ThreadPoolExecutor(len(starts)) as pool:
        # each thread takes the caller's context along: NumPy keeps its error state there
        futures = [
            pool.submit(contextvars.copy_context().run, run, start, min(start + share, rows))
            for start in starts
        ]
        return [result for future in futures for result in future.result()]


@functools.cache
def _keep_freed_memory():
    """Free one large array, so that the C library no longer returns small ones to the system.

    Intermediate results of a block come and go. The allocator of glibc hands memory of such a
    size back to the system each time, and every page of it is a fault when it comes again; but
    it learns from what is freed, and keeps in hand twice the largest that it has seen.
    """
    np.empty(_KEPT, np.uint8)


def is_split(xp, prediction):
    """Whether the arrays are evaluated in more than one part."""
    return is_numpy_namespace(xp) and prediction.size > BLOCK


class Output:
    """An array that is filled part by part."""

    def __init__(self, shape, sample_axes, dtype, split):
        self._shape = shape
        self.array = None
        self._is_ours = split  # whether no caller and no formula knows the array
        if split:
            self.array = np.empty((math.prod(shape[:sample_axes]), *shape[sample_axes:]), dtype)

    def put(self, part, values, divisor=1):
        """Set a part to values / divisor."""
        if part is EVERYTHING:
            self.array = values if divisor == 1 else values / divisor
            self._is_ours = False
        elif divisor == 1:
            self.array[part] = values
        else:
            np.divide(values, divisor, out=self.array[part], casting="same_kind")

    def room(self, part, like):
        """The memory of a part of a NumPy array, to be filled by the caller."""
        if part is EVERYTHING:
            self.array = np.empty(like.shape, like.dtype)
            self._is_ours = True
            return self.array
        return self.array[part]

    def scale(self, factor):
        if self._is_ours:
            self.array *= factor  # no second array of its size
        else:
            self.array = self.array * factor

    def result(self, xp, dtype):
        array = self.array if self.array.dtype == dtype else xp.astype(self.array, dtype)
        return array if array.shape == self._shape else array.reshape(self._shape)
