"""Each fact of the catalogue, tried out with numbers.

``check(entry, fact)`` returns an empty string if the fact holds, and otherwise words that say
where it does not. A claim that something never happens (a convex loss never bends down) is tried
on many random arguments of several sizes, thousands where the loss is quick; a claim that it does
happen needs a witness. Random numbers never tie and are never hard masks, so the formulas are
compared at multiples of a half too, where kinks and the ends of the domains lie.
"""

import re
import unicodedata

import numpy as np
from scipy import stats
from scipy.optimize import minimize

from lossbook.classwise import ClasswiseLoss
from lossbook.distributional import DistributionalLoss
from lossbook.entry import INTEGER, When
from lossbook.latex import evaluate
from lossbook.minimisers import MINIMISERS
from lossbook.sampling import CLASSES, Drawn, inside, is_of_a_batch, log_softmax, outside, softmax
from lossbook.structured import StructuredLoss

SPREADS = (0.3, 1.0, 3.0, 10.0)
# a parameter, and its symbol in the formulas
SYMBOLS = {
    "delta": r"\delta",
    "beta": r"\beta",
    "quantile": r"\tau",
    "tau": r"\tau",
    "epsilon": r"\varepsilon",
    "alpha": r"\alpha",
    "scale": "c",
    "power": r"\rho",
    "gamma": r"\gamma",
    "q": "q",
    "margin": "m",
    "p": "r",
    "log_zero": "A",
    "temperature": "T",
    "label_smoothing": r"\varepsilon",
    "width": "w",
    "curvature": r"\varepsilon",
}


def check(entry, fact):
    """An empty string if the fact holds for every example of the entry, else what is wrong."""
    for parameters in entry.examples:
        wrong = CHECKS[fact](entry, parameters)
        if wrong:
            return f"{entry.name}{parameters or ''}: {fact}: {wrong}"
    return ""


def full(entry, parameters):
    """The parameters with the defaults of those that are not given."""
    return {**entry.loss.defaults, **parameters}


# What makes a prediction from a model's output, and the mean that this output stands for.
ACTIVATIONS = {
    "identity": (lambda z: z, lambda z: z),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 1 / (1 + np.exp(-z))),
    "exp": (np.exp, np.exp),
    "softmax": (softmax, softmax),
    "log-softmax": (log_softmax, softmax),
    "sparsemax": (None, None),
    "1.5-entmax": (None, None),
}

# the logarithm of the density or probability of y under the prediction
LIKELIHOODS = {
    "normal": lambda y, p, **_: stats.norm(*_location_scale(p, 0.5)).logpdf(y),
    "Laplace": lambda y, p, **_: stats.laplace(*_location_scale(p, 1.0)).logpdf(y),
    "hyperbolic secant": lambda y, p, **_: stats.hypsecant(p).logpdf(y),
    "hyperbolic": lambda y, p, scale: stats.genhyperbolic(1, 1, 0, p, scale).logpdf(y),
    "Cauchy": lambda y, p, scale: stats.cauchy(p, scale * np.sqrt(2)).logpdf(y),
    "asymmetric Laplace": lambda y, p, quantile: _asymmetric_laplace(y, p, quantile),
    "shifted log-normal": lambda y, p, **_: stats.lognorm(1, scale=1 + p).logpdf(1 + y),
    "Poisson": lambda y, p, **_: stats.poisson(p).logpmf(y),
    "exponential": lambda y, p, **_: stats.expon(scale=p).logpdf(y),
    "Bernoulli": lambda y, p, **_: stats.bernoulli(p).logpmf(y),
    "categorical": lambda y, p, **_: np.log(p[np.arange(len(y)), y]),
}


def _location_scale(prediction, share):
    """Location and scale, the latter from its logarithm times the share; 1 if none is predicted."""
    if prediction.ndim == 1:
        return prediction, 1.0
    return prediction[:, 0], np.exp(share * prediction[:, 1])


def _asymmetric_laplace(y, location, quantile):
    kappa = np.sqrt(quantile / (1 - quantile))
    return stats.laplace_asymmetric(kappa, location, kappa / quantile).logpdf(y)


# The formulas


def symbols_of(entry, arrays, parameters):
    """What the symbols of the entry's formulas stand for, for one sample.

    For a loss whose samples meet each other: a list, one dictionary a sample of the batch.
    """
    found = entry.vectors(arrays, full(entry, parameters)) if entry.vectors else {}
    if isinstance(found, list):
        return [_published(entry, arrays, parameters, vectors) for vectors in found]
    return _published(entry, arrays, parameters, found)


def _published(entry, arrays, parameters, found):
    loss = entry.loss
    values = {
        SYMBOLS[name]: number
        for name, number in full(entry, parameters).items()
        if name in SYMBOLS and isinstance(number, (int, float))
    }
    if isinstance(loss, ClasswiseLoss):
        label, scores = arrays
        is_log = loss.prediction_name == "log_probabilities"
        p = np.exp(scores) if is_log else softmax(scores)
        found = {"z": scores, "p": p, "q": np.eye(len(scores))[label], "y": int(label), **found}
        values["C"] = len(scores)
    elif isinstance(loss, DistributionalLoss):
        target, prediction = arrays
        found = {"y": target, **found}
        if loss.columns[0] in ("mean", "location"):
            values[r"\mu"], values["s"] = prediction
    elif not isinstance(loss, StructuredLoss):
        target, prediction = arrays
        if np.ndim(prediction):
            values["n"], values["L"] = len(prediction), loss(*arrays, **parameters)
            found = {"y": target, r"\hat y": prediction, **found}
        else:
            values["y"] = target
            for name in (r"\hat y", "z", "d"):
                values[name] = prediction
            values["p"] = 1 / (1 + np.exp(-prediction)) if entry.inside else prediction
    values.update(_by_index(found))
    for symbol, latex in entry.where:
        values[symbol] = evaluate(latex, values)
    return values


def _by_index(found):
    """A vector under each letter of an index, and its entries at the indices that are numbers."""
    values = {}
    indices = {name: index for name, index in found.items() if isinstance(index, int)}
    for name, value in found.items():
        if np.ndim(value):
            values.update({f"{name}_{letter}": value for letter in "jk"})
            values.update(
                {f"{name}_{letter}": value[at] for letter, at in indices.items() if at < len(value)}
            )
        else:
            values[name] = value
    return values


def _check_value(entry, parameters):
    drawn = Drawn(entry, parameters, np.random.default_rng(0), 12, 1.5)
    wrong = _value_differs(entry, parameters, drawn)
    if wrong or _compares_angles(entry):
        return wrong
    with np.errstate(all="ignore"):
        return _value_differs(entry, parameters, drawn.rounded(), at_corners=True)


def _value_differs(entry, parameters, drawn, at_corners=False):
    for i, value in enumerate(drawn.values(drawn.rows)):
        try:
            symbols = symbols_of(entry, drawn.sample(i), parameters)
            if isinstance(symbols, list):
                value = entry.loss(*drawn.sample(i), reduction="none", **parameters)
            written = [evaluate(entry.value, each) for each in np.atleast_1d(symbols)]
        except ZeroDivisionError:
            written = [np.nan]
        if at_corners and np.isnan(written).any():
            continue  # such as 0 log 0, of which the formula does not tell what it is
        if not np.allclose(written, value, rtol=1e-9, atol=1e-12):
            return f"the formula gives {written}, the code {value}, at {drawn.sample(i)}"
    return ""


def _compares_angles(entry):
    """Whether it compares vectors: at a corner their angle is uncertain by its rounding."""
    return "d" in {axis for axes in getattr(entry.loss, "shapes", {}).values() for axis in axes}


def _check_gradient(entry, parameters):
    drawn = Drawn(entry, parameters, np.random.default_rng(1), 12, 1.5)
    if entry.of:
        return _check_gradient_of_the_value(entry, parameters, drawn)
    wrong = _gradient_differs(entry, parameters, drawn)
    if wrong or _compares_angles(entry):
        return wrong
    with np.errstate(all="ignore"):
        return _gradient_differs(entry, parameters, drawn.rounded(), at_corners=True)


def _gradient_differs(entry, parameters, drawn, at_corners=False):
    for i, slopes in enumerate(drawn.slopes(drawn.rows)):
        try:
            values = symbols_of(entry, drawn.sample(i), parameters)
            written = _written_gradient(entry, values, drawn)
        except ZeroDivisionError:
            written = [np.nan]
        if at_corners and np.isnan(written).any():
            continue
        if not np.allclose(written, slopes, rtol=1e-9, atol=1e-12):
            return f"the formula gives {written}, the code {slopes}, at {drawn.sample(i)}"
    return ""


def _written_gradient(entry, values, drawn):
    if not isinstance(entry.loss, StructuredLoss):
        if isinstance(entry.gradient, tuple):
            return [evaluate(latex, values) for latex in entry.gradient]
        return [_at(entry.gradient, values, c) for c in range(drawn.rows.shape[1])]
    formulas = entry.gradient if isinstance(entry.gradient, tuple) else (entry.gradient,)
    return [
        _at(latex, values, c)
        for latex, size in zip(formulas, drawn.sizes, strict=True)
        for c in range(size)
    ]


def _at(latex, values, c):
    """The formula for the entry c."""
    at_c = {
        f"{name[:-1]}c": vector[c]
        for name, vector in values.items()
        if name.endswith("_k") and c < len(vector)
    }
    return evaluate(latex, {**values, **at_c})


def _check_gradient_of_the_value(entry, parameters, drawn):
    """The printed gradient is the derivative of the printed value."""
    step = 1e-7
    for i in range(3):
        batch = entry.vectors(drawn.sample(i), full(entry, parameters))
        for found in batch:
            values = _published(entry, drawn.sample(i), parameters, found)
            for c in range(len(found[entry.of])):
                ends = []
                for sign in (1, -1):
                    moved = found[entry.of].copy()
                    moved[c] += sign * step
                    near = {**found, entry.of: moved}
                    ends.append(evaluate(entry.value, {**values, **_by_index(near)}))
                slope = (ends[0] - ends[1]) / (2 * step)
                written = _at(entry.gradient, values, c)
                if not np.isclose(written, slope, rtol=1e-5, atol=1e-7):
                    return f"the formula gives {written}, the value changes by {slope}"
    return ""


# The shape


def _claimed(claim, entry, parameters):
    return claim.holds(**full(entry, parameters)) if isinstance(claim, When) else claim


def _check_convex(entry, parameters):
    convex = _claimed(entry.convex, entry, parameters)
    n = 60 if is_of_a_batch(entry.loss) else 4000
    worst = 0.0
    for seed, spread in enumerate(SPREADS):
        rng = np.random.default_rng(seed)
        drawn = Drawn(entry, parameters, rng, n, spread)
        a = drawn.rows
        b = Drawn(entry, parameters, rng, n, spread).rows
        share = rng.uniform(0.05, 0.95, size=(n, 1))
        ends = share[:, 0] * drawn.values(a) + (1 - share[:, 0]) * drawn.values(b)
        between = drawn.values(share * a + (1 - share) * b)
        finite = np.isfinite(ends) & np.isfinite(between)
        rise = (between - ends)[finite] / (1 + abs(ends[finite]))
        worst = max(worst, rise.max(initial=0.0))
    if convex and worst > 1e-12:
        return f"it lies above a chord by {worst:.3g}"
    if not convex and worst < 1e-6:
        return "no chord was found above which it lies"
    return ""


def _check_smooth(entry, parameters):
    smooth = _claimed(entry.smooth, entry, parameters)
    jump = 0.0
    for seed, spread in enumerate((0.5, 2.0)):
        rng = np.random.default_rng(seed)
        n = 6 if is_of_a_batch(entry.loss) else 20
        drawn = Drawn(entry, parameters, rng, n, spread)
        a = drawn.rows
        for b in _other_ends(entry, parameters, drawn, rng, spread):
            jump = max(jump, _largest_jump(drawn, a, b))
    if smooth and jump > 1e-5:
        return f"its gradient jumps by {jump:.3g}"
    if not smooth and jump < 1e-3:
        return "no jump of its gradient was found"
    return ""


def _other_ends(entry, parameters, drawn, rng, spread):
    """Ends of lines: random ones, through the origin, and through the target."""
    yield Drawn(entry, parameters, rng, len(drawn.rows), spread).rows
    if isinstance(entry.loss, StructuredLoss):
        if all(entry.loss.domains.get(name) is None for name in entry.loss.predictions):
            yield -drawn.rows
        else:
            yield np.zeros_like(drawn.rows)  # the low end: a loss may jump there alone
        return
    domain = entry.domains(parameters)[1]
    target = drawn.arrays[0]
    if target.shape == drawn.arrays[-1].shape and np.issubdtype(target.dtype, np.floating):
        target = target.reshape(len(target), -1)
        beyond = target + 0.01 * (target - drawn.rows)
        if domain is not None:
            beyond = np.where(domain.outside(np, beyond), drawn.rows, beyond)
        yield beyond
    if domain is None:
        yield -drawn.rows


def _largest_jump(drawn, a, b, points=40, halvings=40):
    """The largest change of the gradient that does not go away as the piece of line shrinks."""

    def slopes(share):
        rows = a + share[:, None] * (b - a)
        # the value must not jump either
        return np.column_stack((drawn.slopes(rows), drawn.values(rows)))

    def change(one, other):
        return np.abs(other - one).max(axis=1)

    grid = np.linspace(0, 1, points)
    on_grid = np.array([slopes(np.full(len(a), share)) for share in grid])
    changes = np.abs(np.diff(on_grid, axis=0)).max(axis=2)
    first, rows = np.argmax(changes, axis=0), np.arange(len(a))
    low, high = grid[first], grid[first + 1]
    at_low, at_high = on_grid[first, rows], on_grid[first + 1, rows]
    for _ in range(halvings):
        middle = (low + high) / 2
        at_middle = slopes(middle)
        lower = change(at_low, at_middle) >= change(at_middle, at_high)
        low, high = np.where(lower, low, middle), np.where(lower, middle, high)
        at_low = np.where(lower[:, None], at_low, at_middle)
        at_high = np.where(lower[:, None], at_middle, at_high)
    jumps = change(at_low, at_high) / (1 + np.abs(at_low).max(axis=1))
    return np.nanmax(jumps, initial=0.0)


def _check_bound(entry, parameters):
    largest = {
        spread: _largest_slope(entry, parameters, spread)
        for spread in (1e-3, 0.1, 0.5, 1.0, 3.0, 10.0, 100.0, 1e4)
    }
    reached = max(largest.values())
    if entry.bound == "bounded":
        smaller = max(slope for spread, slope in largest.items() if spread < 100)
        return f"it reaches {reached:.3g}" if reached > 1.001 * smaller or reached > 100 else ""
    drawn = Drawn(entry, parameters, np.random.default_rng(0), 2)
    values = symbols_of(entry, drawn.sample(0), parameters)
    bound = evaluate(entry.bound, values[0] if isinstance(values, list) else values)
    if np.isnan(bound):
        return "its formula gives no number"
    if np.isinf(bound):
        return "" if reached > 100 else f"no entry above {reached:.3g} was found"
    if reached > bound * (1 + 1e-12):
        return f"an entry of {reached} is above {bound}"
    return f"the largest entry found is {reached}, not {bound}" if reached < 0.97 * bound else ""


def _largest_slope(entry, parameters, spread):
    rng = np.random.default_rng(7)
    n = 100 if is_of_a_batch(entry.loss) else 5000
    drawn = Drawn(entry, parameters, rng, n, spread)
    slopes = np.abs(drawn.slopes(drawn.rows)).max(axis=1)
    return np.nanmax(np.where(np.isfinite(slopes), slopes, -np.inf))


# What it asks for


def targets(entry, parameters, seed, n=41):
    """Skewed targets, so that mean, median and mode differ; labels of unequal frequency."""
    rng = np.random.default_rng(seed)
    loss = entry.loss
    if isinstance(loss, ClasswiseLoss):
        return np.concatenate((rng.choice(CLASSES, size=n, p=(0.62, 0.2, 0.1, 0.08)), range(4)))
    domain = loss.target_domain
    domain = domain(full(entry, parameters)) if callable(domain) else domain
    if domain is None:
        return np.exp(1.2 * rng.normal(size=n))
    y = inside(domain, rng, (n,), 1.0)
    values = getattr(domain, "values", None)
    if values:
        y = rng.choice(np.asarray(values, float), size=n, p=(0.3, 0.7))
    return abs(y) if np.all(y != 0) and domain.__class__.__name__ == "Not" else y


def risk(entry, parameters, y, prediction):
    """The mean loss of one and the same prediction for all targets."""
    prediction = np.broadcast_to(np.asarray(prediction, float), (len(y), *np.shape(prediction)))
    with np.errstate(all="ignore"):
        return float(entry.loss(y, prediction.copy(), **parameters))


def best(entry, parameters, y):
    """The smallest mean loss that a constant reaches, and that constant, by search."""
    loss = entry.loss
    if isinstance(loss, (ClasswiseLoss, DistributionalLoss)):
        return _best_row(entry, parameters, y)
    low, high = _range_of(entry, parameters, y)
    grid = np.linspace(low, high, 2001)
    for _ in range(6):
        risks = _risks(entry, parameters, y, grid)
        k = int(np.nanargmin(risks))
        smallest, where = risks[k], grid[k]
        grid = np.linspace(grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)], 41)
    return smallest, where


def _best_row(entry, parameters, y):
    """The same for a prediction of several numbers."""
    loss = entry.loss
    size = CLASSES if isinstance(loss, ClasswiseLoss) else len(loss.columns)
    is_log = loss.prediction_name == "log_probabilities"

    def cost(z):
        return risk(entry, parameters, y, log_softmax(z) if is_log else z)

    def slope(z):
        rows = np.broadcast_to(z, (len(y), size)).copy()
        return loss.gradient(y, rows, **parameters).sum(axis=0)

    found = []
    for start in (np.zeros(size), np.random.default_rng(0).normal(size=size)):
        if _claimed(entry.smooth, entry, parameters):
            options = {"gtol": 1e-10}
            jac = None if is_log else slope
            found.append(minimize(cost, start, method="BFGS", jac=jac, options=options).x)
        else:
            found.append(minimize(cost, start, method="Nelder-Mead", options=_PATIENT).x)
    found = min(found, key=cost)
    return cost(found), found


def _risks(entry, parameters, y, grid):
    """The mean loss of each constant of a grid."""
    if is_of_a_batch(entry.loss):
        return [risk(entry, parameters, y, m) for m in grid]
    pairs = np.broadcast_to(y, (len(grid), len(y))), np.repeat(grid, len(y)).reshape(-1, len(y))
    return entry.loss(*pairs, reduction="none", **parameters).mean(axis=1)


_PATIENT = {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 1500, "maxfev": 1500}


def _range_of(entry, parameters, y):
    domain = entry.loss.prediction_domain
    domain = domain(full(entry, parameters)) if callable(domain) else domain
    low, high = min(y.min() - 1, -6), max(y.max() + 1, 6)
    if domain is not None:
        low = max(low, domain.low + 1e-9)
        high = min(high, domain.high - 1e-9)
    return low, high


def _check_minimiser(entry, parameters):
    if entry.asks:
        return entry.asks(entry, full(entry, parameters))
    for seed in range(3):
        y = targets(entry, parameters, seed)
        smallest, where = best(entry, parameters, y)
        if entry.minimiser in COMPARED:
            wrong = COMPARED[entry.minimiser](y, where, **full(entry, parameters))
        elif entry.minimiser == "neither the mean nor the median":
            wrong = _equals_a_known_statistic(y, where)
        else:
            claimed = MINIMISERS[entry.minimiser](y, **full(entry, parameters))
            reached = risk(entry, parameters, y, claimed)
            wrong = ""
            if not reached <= smallest + 1e-9 * (1 + abs(smallest)):
                wrong = f"{claimed} costs {reached}, but {where} costs {smallest}"
        if wrong:
            return wrong
    return ""


def _equals_a_known_statistic(y, where):
    for name in ("the mean", "the median"):
        if np.allclose(np.ravel(where)[0], MINIMISERS[name](y), rtol=1e-6):
            return f"it is {name}"
    return ""


def _mean_or_unknown(y, where, alpha, **_):
    if alpha != 2:
        return _equals_a_known_statistic(y, where)
    return "" if np.isclose(where, y.mean(), rtol=1e-6) else f"it is {where}, not the mean"


def _nearer_to_half(y, where, gamma, **_):
    p, mean = 1 / (1 + np.exp(-where)), y.mean()
    if gamma == 0:
        return "" if np.isclose(p, mean, rtol=1e-6) else f"the probability is {p}, not {mean}"
    if abs(p - 0.5) < abs(mean - 0.5) - 1e-4 and (p - 0.5) * (mean - 0.5) >= 0:
        return ""
    return f"the probability is {p} for a mean of {mean}"


def _sharpness(sign, name):
    """Sharper than the frequencies where ``sign`` times the parameter of that name is above 0.

    Where it is below 0 flatter, and equal to them where it is 0.
    """

    def compare(y, where, **parameters):
        frequencies = np.bincount(y, minlength=CLASSES) / len(y)
        largest, found = frequencies.max(), softmax(where).max()
        rise = (found - largest) * sign * np.sign(parameters.get(name, 1))
        right = rise > 1e-3 if parameters.get(name, 1) else abs(found - largest) < 1e-5
        return "" if right else f"the largest probability is {found}, the frequency {largest}"

    return compare


# minimisers that are known only by comparison
COMPARED = {
    "the mean for α = 2, otherwise neither the mean nor the median": _mean_or_unknown,
    "a probability nearer to ½ than the mean, unless γ = 0": _nearer_to_half,
    "flatter than the class frequencies if one is above ½, unless γ = 0": _sharpness(-1, "gamma"),
    "sharper than the class frequencies for ε > 0, flatter for ε < 0": _sharpness(1, "epsilon"),
    "sharper than the class frequencies, unless β = 0": _sharpness(1, "beta"),
}


# in hundredths: what happens how often, for two classes and for several
OF_TWO = ((31, 69), (50, 50), (92, 8), (3, 97))
OF_SEVERAL = ((58, 25, 12, 5), (10, 10, 70, 10), (34, 33, 32, 1))


def _check_proper(entry, parameters):
    """The expected loss under a distribution is smallest at that distribution, and only there."""
    if isinstance(entry.loss, DistributionalLoss):
        distance = _distance_of_a_fitted_distribution(entry, parameters)
    elif isinstance(entry.loss, ClasswiseLoss):
        distance = max(_distance_of_classes(entry, parameters, counts) for counts in OF_SEVERAL)
    else:
        distance = max(_distance_of_two(entry, parameters, counts) for counts in OF_TWO)
    proper = _claimed(entry.proper, entry, parameters)
    if proper and distance > 1e-3:
        return f"the best prediction is off by {distance:.3g}"
    if not proper and distance < 1e-2:
        return f"the best prediction is the truth, to {distance:.3g}"
    return ""


def _distance_of_classes(entry, parameters, counts):
    """How far the best probabilities are from the frequencies of the classes."""
    _, where = best(entry, parameters, np.repeat(np.arange(CLASSES), counts))
    return np.abs(softmax(where) - np.array(counts) / sum(counts)).max()


def _distance_of_two(entry, parameters, counts):
    """How far the best probability is from the share of ones."""
    _, where = best(entry, parameters, np.repeat([0.0, 1.0], counts))
    p = 1 / (1 + np.exp(-where)) if entry.inside else where
    return abs(p - counts[1] / sum(counts))


def _distance_of_a_fitted_distribution(entry, parameters):
    """How far location and log-scale are from those of the distribution that made the targets."""
    shares = (np.arange(4000) + 0.5) / 4000
    if entry.likelihood == "Laplace":
        y, truth = stats.laplace(1.0, 2.0).ppf(shares), np.array([1.0, np.log(2.0)])
    else:
        y, truth = stats.norm(1.0, 2.0).ppf(shares), np.array([1.0, 2 * np.log(2.0)])
    _, where = best(entry, parameters, y)
    return np.abs(where - truth).max()


# Where it belongs


def _check_activation(entry, parameters):
    make, mean = ACTIVATIONS[entry.activation]
    if entry.inside:
        return _check_canonical(entry, parameters, None, mean) if entry.canonical else ""
    drawn = Drawn(entry, parameters, np.random.default_rng(3), 500, 1.0)
    output = 3 * np.random.default_rng(4).normal(size=drawn.rows.shape)
    prediction = make(output)
    try:
        values = drawn.values(prediction)
    except ValueError as error:
        return f"an output of the activation lies outside the domain: {error}"
    if not np.isfinite(values).all():
        return "an output of the activation costs infinity"
    return _check_canonical(entry, parameters, make, mean) if entry.canonical else ""


def _check_canonical(entry, parameters, make, mean):
    """The gradient at the output is a multiple of activation minus target."""
    drawn = Drawn(entry, parameters, np.random.default_rng(5), 50, 1.0)
    output = np.random.default_rng(6).normal(size=drawn.rows.shape)
    make = make or (lambda z: z)
    target = drawn.arrays[0]
    if isinstance(entry.loss, ClasswiseLoss):
        target = np.eye(CLASSES)[target]
    difference = mean(output) - target.reshape(output.shape)
    slopes, step = np.zeros_like(output), 1e-6
    for c in range(output.shape[1]):
        up, down = output.copy(), output.copy()
        up[:, c] += step
        down[:, c] -= step
        rise = drawn.values(make(up)) - drawn.values(make(down))
        slopes[:, c] = rise / (2 * step)
    factor = np.sum(slopes * difference) / np.sum(difference**2)
    if not np.allclose(slopes, factor * difference, rtol=1e-5, atol=1e-6):
        return "the gradient at the output is no multiple of activation minus target"
    return ""


def _check_likelihood(entry, parameters):
    """The negative log-likelihood less the loss does not change with the prediction."""
    rng = np.random.default_rng(8)
    drawn = Drawn(entry, parameters, rng, 40, 1.0)
    log_density = LIKELIHOODS[entry.likelihood]
    differences = []
    y = drawn.arrays[0]
    if entry.likelihood == "Poisson":
        y = np.floor(y)
    if entry.likelihood == "Bernoulli":
        y = np.round(y)
    for _ in range(4):
        rows = Drawn(entry, parameters, rng, 40, 1.0).rows
        prediction = rows[:, 0] if rows.shape[1] == 1 else rows
        values = entry.loss(y, prediction, reduction="none", **parameters)
        mean = prediction
        if entry.inside or entry.activation == "log-softmax":
            mean = ACTIVATIONS[entry.activation][1](prediction)
        with_prediction = _of_likelihood(entry, parameters)
        differences.append(-log_density(y, mean, **with_prediction) - entry.times * values)
    if not np.allclose(differences[0], differences[1:], rtol=1e-8, atol=1e-8):
        return f"it changes with the prediction: {np.ptp(differences, axis=0).max()}"
    return ""


def _of_likelihood(entry, parameters):
    names = ("scale", "quantile")
    return {name: value for name, value in full(entry, parameters).items() if name in names}


def _check_special_case(entry, parameters):
    case = entry.special_case
    own = full(entry, parameters)
    drawn = Drawn(entry, parameters, np.random.default_rng(9), 50, 1.0)
    coupled = getattr(entry.loss, "coupled", False)
    arrays = drawn.sample(0) if coupled else drawn.arrays
    reduction = "mean" if coupled else "none"
    expected = entry.loss(*arrays, reduction=reduction, **parameters)
    factor = case.factor(**own) if callable(case.factor) else case.factor
    arguments = case.arguments(*arrays, **own)
    other = case.of(*arguments, reduction=reduction, **case.parameters(**own))
    if not np.allclose(expected, factor * other, rtol=1e-10, atol=1e-12):
        return f"they differ by {np.abs(expected - factor * other).max():.3g}"
    return ""


def _check_source(entry, parameters):
    """The docstring names the same source."""
    named = re.search(r"Source: ((?:[^.]|(?<=et al)\.)*)", entry.loss.__doc__)[1]
    if "scikit-learn" in named and entry.source == "pedregosa2011":
        return ""
    plain = unicodedata.normalize("NFKD", named).encode("ascii", "ignore").decode().lower()
    surname, year = re.match(r"(.*?)(\d{4})", entry.source).groups()
    if surname in re.sub(r"[^a-z]", "", plain) and year[:4] in plain:
        return ""
    return f"the docstring names {named!r}"


def _check_domain(entry, parameters):
    """Numbers inside the domains are accepted, numbers outside are an error."""
    drawn = Drawn(entry, parameters, np.random.default_rng(10), 20, 3.0)
    drawn.values(drawn.rows)
    # of a coupled loss all samples at once have no shape that it takes: that error would do
    accepted = drawn.sample(0) if getattr(entry.loss, "coupled", False) else drawn.arrays
    for position, domain in enumerate(entry.domains(parameters)):
        for number in outside(domain):
            arrays = [array.copy() for array in accepted]
            arrays[position].reshape(-1)[3] = number
            if arrays[position].reshape(-1)[3] != number:
                continue  # integers take no fraction
            try:
                entry.loss(*arrays, **parameters)
            except ValueError:
                continue
            return f"{number} was accepted as argument {position + 1}"
        if domain is INTEGER:
            arrays = [array.copy() for array in accepted]
            arrays[position] = arrays[position].astype(float)
            try:
                entry.loss(*arrays, **parameters)
            except TypeError:
                continue
            return f"real numbers were accepted as argument {position + 1}"
    return ""


CHECKS = {
    "value": _check_value,
    "gradient": _check_gradient,
    "domain": _check_domain,
    "minimiser": _check_minimiser,
    "convex": _check_convex,
    "smooth": _check_smooth,
    "bound": _check_bound,
    "proper": _check_proper,
    "activation": _check_activation,
    "likelihood": _check_likelihood,
    "special_case": _check_special_case,
    "source": _check_source,
}
