"""Large NumPy arrays, part by part, so that what a formula makes on its way stays in the cache.

A formula of five operations on ten million numbers writes and reads ten million intermediate
results five times. In blocks of some ten thousand, the intermediate results never leave the
cache, and the memory is read once. Arrays of other libraries, which have compilers of their
own for this, and small arrays are one part.
"""

import math

import numpy as np
from array_api_compat import is_numpy_namespace

BLOCK = 1 << 15  # a handful of float64 arrays of this many values fit a second-level cache
EVERYTHING = None


def parts(xp, target, prediction, weight, sample_axes):
    """Yield ``(part, (target, prediction, weight))``; all parts together are all samples.

    The first ``sample_axes`` axes count samples; one axis more counts classes. A part is a
    slice of the samples laid out flat, or EVERYTHING, and then the arrays come as they are.
    """
    if not is_numpy_namespace(xp) or prediction.size < 2 * BLOCK:
        yield EVERYTHING, (target, prediction, weight)
        return
    arrays = [
        array if array is None else array.reshape(-1, *array.shape[sample_axes:])
        for array in (target, prediction, weight)
    ]
    rows = len(arrays[1])
    step = max(1, BLOCK * rows // prediction.size)
    for start in range(0, rows, step):
        part = slice(start, start + step)
        yield part, tuple(array if array is None else array[part] for array in arrays)


class Output:
    """An array that is filled part by part."""

    def __init__(self, shape, sample_axes):
        self._shape = shape
        self._flat_shape = (math.prod(shape[:sample_axes]), *shape[sample_axes:])
        self.array = None
        self._is_ours = False  # whether no caller and no formula knows the array

    def put(self, part, values):
        if part is EVERYTHING:
            self.array = values
            return
        if self.array is None:
            self.array = np.empty(self._flat_shape, values.dtype)
            self._is_ours = True
        self.array[part] = values

    def scale(self, factor):
        if self._is_ours:
            self.array *= factor  # no second array of its size
        else:
            self.array = self.array * factor

    def result(self, xp, dtype):
        array = self.array if self.array.dtype == dtype else xp.astype(self.array, dtype)
        return array if array.shape == self._shape else array.reshape(self._shape)
