"""Arguments of every loss of the catalogue, by name, for the tests that hold of all of them."""

import numpy as np
import pytest

from lossbook.catalogue import CATALOGUE
from lossbook.sampling import Drawn, is_of_a_batch
from lossbook.structured import StructuredLoss

every_entry = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
SEPARATE = {name: e for name, e in CATALOGUE.items() if not is_of_a_batch(e.loss)}
# one value belongs to one sample
every_entry_by_sample = pytest.mark.parametrize("entry", SEPARATE.values(), ids=SEPARATE)

ONE_NUMBER = {
    name: e
    for name, e in SEPARATE.items()
    if Drawn(e, e.examples[0], np.random.default_rng(0), 1).rows.shape[1] == 1
}
every_entry_of_one_number = pytest.mark.parametrize("entry", ONE_NUMBER.values(), ids=ONE_NUMBER)


def draw(entry, seed, n=4, spread=1.0, dtype=np.float64, parameters=None):
    """The arrays of one call, with n samples; floating ones in the given type."""
    parameters = entry.examples[0] if parameters is None else parameters
    together = is_of_a_batch(entry.loss)
    rng = np.random.default_rng(seed)
    drawn = Drawn(entry, parameters, rng, 1 if together else n, spread)
    arrays = drawn.sample(0) if together else drawn.arrays
    return {
        name: array.astype(dtype) if array.dtype.kind == "f" else array
        for name, array in zip(entry.arguments, arrays, strict=True)
    }


def predictions_of(loss):
    """The names of the arrays with respect to which a loss is differentiated."""
    return loss.predictions if isinstance(loss, StructuredLoss) else (loss.prediction_name,)


def summed(loss, parameters=None):
    """The parameters, and the sum as the reduction where a loss has one."""
    options = dict(parameters or {})
    return options if getattr(loss, "_outer", None) else {"reduction": "sum", **options}


def as_tuple(slopes):
    return slopes if isinstance(slopes, tuple) else (slopes,)


def gradients(loss, arrays, **options):
    """The gradients by the name of their prediction."""
    slopes = as_tuple(loss.gradient(**arrays, **options))
    return dict(zip(predictions_of(loss), slopes, strict=True))


def kept(arrays, names):
    """The arrays of these names, and the others."""
    chosen = {name: arrays[name] for name in names}
    return chosen, {name: array for name, array in arrays.items() if name not in chosen}
