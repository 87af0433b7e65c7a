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


def no_lower_neighbour(arrays_at_minimum, steps=200):
    """Small random changes of the predictions never lower the loss."""

    def check(entry, parameters):
        rng = np.random.default_rng(0)
        arrays = arrays_at_minimum(rng)
        least = float(entry.loss(*arrays, **parameters))
        names = list(entry.arguments)
        positions = [names.index(name) for name in entry.loss.predictions]
        for _ in range(steps):
            moved = list(arrays)
            for k in positions:
                moved[k] = arrays[k] + 0.05 * rng.normal(size=arrays[k].shape)
            if not float(entry.loss(*moved, **parameters)) >= least - 1e-12:
                return "a small change makes it lower"
        return ""

    return check
