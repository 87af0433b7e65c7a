"""What the losses of several arrays ask for: checks of the minimiser, made for the catalogue.

Each function makes a check ``(entry, parameters) -> words``: empty words if the claim holds.
"""

import numpy as np

from lossbook.sampling import Drawn


def lowest(arrays_at_minimum, value=0.0, within=1e-12):
    """The loss takes its lowest value at these arrays, and random ones are never lower.

    ``arrays_at_minimum(rng)`` returns the arrays of one sample or, for a loss whose samples meet
    each other, of one batch; or a list of such tuples, each at the minimum.
    """

    def check(entry, parameters):
        found = arrays_at_minimum(np.random.default_rng(0))
        for arrays in found if isinstance(found, list) else [found]:
            reached = float(entry.loss(*arrays, **parameters))
            if not abs(reached - value) <= within:  # NaN is wrong too
                return f"it is {reached}, not {value}"
        for seed, spread in enumerate((0.3, 1.0, 3.0)):
            drawn = Drawn(entry, parameters, np.random.default_rng(seed), 200, spread)
            least = drawn.values(drawn.rows).min()
            if not least >= value - within:
                return f"a random prediction costs {least}, less than {value}"
        return ""

    return check


def best_difference(difference, pair):
    """Of two scores that a share of the samples orders in one way and the others in the other.

    ``difference(share, **parameters)`` is the claimed difference; ``pair(d, **parameters)`` the
    arguments of the loss for scores whose difference is d, in the one order and in the other.
    """

    def check(entry, parameters):
        for share in (0.3, 0.55, 0.9):
            claimed = difference(share, **parameters)

            def risk(d, share=share):
                one, other = (float(entry.loss(*a, **parameters)) for a in pair(d, **parameters))
                return share * one + (1 - share) * other

            step = 1e-3 * (1 + abs(claimed))
            nearby = [risk(claimed + k * step) for k in (-3, -2, -1, 1, 2, 3)]
            far = [risk(d) for d in np.linspace(-8, 8, 201)]
            if not risk(claimed) <= min(nearby + far):
                return f"a difference of {claimed} is not the best for a share of {share}"
        return ""

    return check


def no_lower(arrays_at_minimum, sizes=(0.05, 0.5, 5.0), value=None, moved=None, steps=100):
    """Random changes of the predictions, of these sizes, never lower the loss.

    ``arrays_at_minimum(**parameters)`` returns the arrays of one batch, ``value(**parameters)`` the
    loss that they are claimed to have; ``moved`` names the predictions to change, if not all.
    """

    def check(entry, parameters):
        rng = np.random.default_rng(0)
        arrays = arrays_at_minimum(**parameters)
        least = float(entry.loss(*arrays, **parameters))
        if value is not None and not abs(least - value(**parameters)) <= 1e-12:
            return f"it is {least}, not {value(**parameters)}"
        names = list(entry.arguments)
        positions = [names.index(name) for name in moved or entry.loss.predictions]
        for size in np.repeat(sizes, steps):
            changed = list(arrays)
            for k in positions:
                changed[k] = arrays[k] + size * rng.normal(size=arrays[k].shape)
            if not float(entry.loss(*changed, **parameters)) >= least - 1e-12:
                return f"a change of size {size} makes it lower"
        return ""

    return check
