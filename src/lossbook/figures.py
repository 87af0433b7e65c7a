"""The figures of the book: one style, and the drawings that several pages share.

Importing this module applies the style to all of matplotlib, so that a page's own plots look
like these; `use_style()` brings it back after a change. Every helper draws without a title
and without prose, and returns the figure and its axes for the page to label further.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.patches import Rectangle

# Okabe and Ito (2008), "Color universal design": told apart under all common kinds of
# colour blindness. Yellow is left out of the cycle, it is too pale for a line on white.
COLOURS = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "black": "#000000",
    "yellow": "#F0E442",
}
CYCLE = ("blue", "vermillion", "green", "purple", "orange", "sky", "black")
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 3)))

# Seven inches become about 340 pixels on a phone: 12 points are then about 8 pixels.
STYLE = {
    "figure.figsize": (7.0, 3.8),
    "figure.dpi": 144,
    "savefig.dpi": 144,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.2,
    "lines.markersize": 6,
    "axes.prop_cycle": cycler(color=[COLOURS[name] for name in CYCLE]) + cycler(linestyle=DASHES),
}


def use_style():
    """Apply the book's style to all figures made from now on."""
    plt.rcParams.update(STYLE)


use_style()


def panels(columns=1, *, height=3.2, **options):
    """An empty figure, 7 inches wide, with panels side by side: (figure, axes).

    More than two panels cannot be read on a phone. `options` go to `plt.subplots`.
    """
    return plt.subplots(1, columns, figsize=(7.0, height), **options)


def loss_and_gradient(losses, *, target=0.0, predictions=(-3.0, 3.0), variable="prediction ŷ"):
    """A loss on the left, its gradient on the right, over the same predictions.

    Where the gradient jumps, the curve is interrupted and both ends carry a hollow circle.

    Parameters
    ----------
    losses : Loss, or mapping of label to Loss or to (Loss, parameters)
        Several curves share the axes: `{"δ = 1": (huber, {"delta": 1.0}), "MSE": mse}`. The
        parameters go to the loss; "target" among them replaces `target` for that curve.
        A Loss here is `loss(target, prediction, reduction="none", ...)` with a method
        `gradient` of the same signature.
    target : float or int
    predictions : pair (low, high), or array of increasing values, shape (n,)
    variable : str
        Label of the horizontal axis. Its last word is the symbol in ∂ℓ/∂…: "logit z".

    Returns
    -------
    figure, (axes of the loss, axes of the gradient)

    Infinite values are left out of the curve.
    """
    curves = losses if isinstance(losses, Mapping) else {None: losses}
    grid = _grid(predictions)
    figure, (left, right) = panels(2)
    right.axhline(0.0, color="#888888", linewidth=1.0, linestyle="-")
    for k, (label, entry) in enumerate(curves.items()):
        loss, parameters = entry if isinstance(entry, tuple) else (entry, {})
        if not hasattr(loss, "gradient"):
            raise TypeError(
                f"loss_and_gradient: {loss!r} has no method gradient; pass a Loss of lossbook, "
                "and its parameters as (loss, {'delta': 1.0})."
            )
        parameters = dict(parameters)
        at = parameters.pop("target", target)
        value = _function_of_prediction(loss, at, parameters)
        slope = _function_of_prediction(loss.gradient, at, parameters)
        style = _cycled(k)
        left.plot(grid, value(grid), label=label, **style)
        before, after = _jumps(slope, grid)
        right.plot(*_interrupted(slope, grid, before, after), **style)
        ends = np.concatenate([before, after])
        right.plot(
            ends,
            slope(ends),
            linestyle="none",
            marker="o",
            markerfacecolor="white",
            markeredgecolor=style["color"],
            markeredgewidth=1.6,
        )
    symbol = variable.split()[-1]
    left.set(xlabel=variable, ylabel="loss ℓ")
    right.set(xlabel=variable, ylabel=f"gradient ∂ℓ/∂{symbol}")
    _legend_above(figure, left)
    return figure, (left, right)


def residual_squares(
    x, y, predict, *, ax=None, xlim=None, ylim=None, xlabel="x", ylabel="y", height=4.2
):
    """Data, a fitted line, and on every residual its square, drawn as a real square.

    The side of each square is the residual |y − ŷ|, measured on the vertical axis; the
    horizontal scale is taken from the shape of the axes, so that the sides are equal on the
    page. The mean area of the squares is the mean squared error. To compare lines, give all
    panels the same `xlim` and `ylim`. Changing the limits afterwards distorts the squares.

    Parameters
    ----------
    x, y : arrays, shape (n,)
    predict : callable
        Takes an array of x, shape (m,), and returns ŷ, shape (m,).
    ax : matplotlib axes, optional
    xlim, ylim : pairs of float, optional
        By default all points and squares are in view.

    Returns
    -------
    figure, axes
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"residual_squares: x {x.shape} and y {y.shape} must both be (n,).")
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, height))
    predicted = np.asarray(predict(x), dtype=float)
    side = np.abs(y - predicted)

    # A square lies on the side of its point where the line runs away from it.
    step = 1e-3 * (np.ptp(x) or 1.0)
    rising = np.asarray(predict(x + step)) >= predicted
    to_left = rising == (y > predicted)

    if ylim is None:
        low, high = min(y.min(), predicted.min()), max(y.max(), predicted.max())
        pad = 0.05 * ((high - low) or 1.0)
        ylim = (low - pad, high + pad)
    box = ax.get_box_aspect() or 0.62  # height over width, fixed from here on
    relative = side / (ylim[1] - ylim[0])  # side as a share of the height of the axes
    if xlim is None:
        # Widening the axes widens the squares in units of x: find the width that holds them.
        reach = relative[to_left].max(initial=0.0) + relative[~to_left].max(initial=0.0)
        box = min(box, 0.8 / reach) if reach > 0 else box
        xlim = (x.min(), x.max())
        for _ in range(60):
            wide = relative * box * (xlim[1] - xlim[0])
            xlim = (
                min(x.min(), (x - wide)[to_left].min(initial=np.inf)),
                max(x.max(), (x + wide)[~to_left].max(initial=-np.inf)),
            )
        pad = 0.03 * ((xlim[1] - xlim[0]) or 1.0)
        xlim = (xlim[0] - pad, xlim[1] + pad)
    width = relative * box * (xlim[1] - xlim[0])

    for k in range(len(x)):
        ax.add_patch(
            Rectangle(
                (x[k] - width[k] * to_left[k], min(y[k], predicted[k])),
                width[k],
                side[k],
                facecolor=COLOURS["orange"] + "33",
                edgecolor=COLOURS["vermillion"],
                linewidth=1.0,
            )
        )
    line = np.linspace(*xlim, 200)
    ax.plot(line, predict(line), color=COLOURS["blue"], linestyle="-")
    ax.plot(x, y, linestyle="none", marker="o", color=COLOURS["black"], markersize=4.5)
    ax.set(xlim=xlim, ylim=ylim, box_aspect=box, xlabel=xlabel, ylabel=ylabel)
    return ax.figure, ax


def contour_with_path(
    objective,
    path,
    *,
    xlim=None,
    ylim=None,
    labels=("θ₁", "θ₂"),
    value_label="loss L",
    levels=12,
    resolution=81,
    ax=None,
):
    """Level curves of an objective of two parameters, and a descent over them.

    A path starts at a hollow circle and ends at a filled one. Levels lie closer together near
    the lowest value, so that a parabolic bowl shows evenly spaced rings.

    Parameters
    ----------
    objective : callable
        Takes θ, an array of shape (2,), returns a number.
    path : array, shape (k, 2), or mapping of label to such arrays
        The points visited, in order.
    xlim, ylim : pairs of float, optional
        By default the paths with a margin.
    levels : int, or increasing sequence of values

    Returns
    -------
    figure, axes
    """
    paths = path if isinstance(path, Mapping) else {None: path}
    paths = {label: np.asarray(points, dtype=float) for label, points in paths.items()}
    for points in paths.values():
        if points.ndim != 2 or points.shape[1] != 2:
            raise ValueError(
                f"contour_with_path: a path has shape {points.shape}; it must be (k, 2)."
            )
    visited = np.concatenate(list(paths.values()))
    margin = 0.15 * np.ptp(visited, axis=0)
    margin[margin == 0] = 1.0
    low, high = visited.min(axis=0) - margin, visited.max(axis=0) + margin
    xlim = (low[0], high[0]) if xlim is None else xlim
    ylim = (low[1], high[1]) if ylim is None else ylim
    a, b = np.linspace(*xlim, resolution), np.linspace(*ylim, resolution)
    heights = np.array([[float(objective(np.array([u, v]))) for u in a] for v in b])
    if isinstance(levels, int):
        lowest, highest = np.nanmin(heights), np.nanmax(heights)
        levels = lowest + (highest - lowest) * np.linspace(0.0, 1.0, levels + 1) ** 2

    own_figure = ax is None
    if own_figure:
        _, ax = plt.subplots(figsize=(7.0, 4.4))
    filled = ax.contourf(a, b, heights, levels=levels, cmap="Blues", alpha=0.7)
    ax.contour(a, b, heights, levels=levels, colors="#5b7f9e", linewidths=0.7)
    bar = ax.figure.colorbar(filled, ax=ax, label=value_label)
    ticks = levels[:: max(1, len(levels) // 4)]
    bar.set_ticks(
        ticks, labels=[np.format_float_positional(t, 3, fractional=False, trim="-") for t in ticks]
    )
    colours = ("vermillion", "black", "green", "purple")
    for k, (label, points) in enumerate(paths.items()):
        colour = COLOURS[colours[k % len(colours)]]
        ax.plot(
            *points.T,
            color=colour,
            linestyle=DASHES[k % len(DASHES)],
            linewidth=1.8,
            marker=".",
            markersize=5,
            label=label,
        )
        ends = dict(linestyle="none", marker="o", markersize=9, markeredgewidth=2, color=colour)
        ax.plot(*points[0], markerfacecolor="white", **ends)
        ax.plot(*points[-1], **ends)
    ax.set(xlim=xlim, ylim=ylim, xlabel=labels[0], ylabel=labels[1])
    ax.grid(False)
    _legend(ax, own_figure=own_figure)
    return ax.figure, ax


def learning_curves(history, *, ylabel="loss", log=False, ax=None):
    """Training loss (solid) and validation loss (dashed) after each epoch.

    A circle marks the epoch with the lowest validation loss.

    Parameters
    ----------
    history : History, or mapping of label to History
        Anything with lists `train` and `validation`, and `best_epoch`.
    log : bool
        Logarithmic vertical axis.

    Returns
    -------
    figure, axes
    """
    histories = history if isinstance(history, Mapping) else {None: history}
    own_figure = ax is None
    if own_figure:
        _, ax = plt.subplots()
    for k, (label, run) in enumerate(histories.items()):
        names = ("training", "validation")
        if label is not None:
            names = tuple(f"{label}, {name}" for name in names)
        colours = [COLOURS[CYCLE[k % len(CYCLE)]]] * 2
        if label is None:
            colours = [COLOURS["blue"], COLOURS["vermillion"]]
        ax.plot(run.train, color=colours[0], linestyle="-", label=names[0])
        if len(run.validation):
            ax.plot(run.validation, color=colours[1], linestyle="--", label=names[1])
            ax.plot(
                run.best_epoch,
                run.validation[run.best_epoch],
                linestyle="none",
                marker="o",
                markersize=8,
                markerfacecolor="white",
                markeredgewidth=1.8,
                color=colours[1],
            )
    ax.set(xlabel="epoch", ylabel=ylabel)
    ax.xaxis.get_major_locator().set_params(integer=True)
    if log:
        ax.set_yscale("log")
    _legend(ax, own_figure=own_figure)
    return ax.figure, ax


def spread(values_by_name, *, xlabel="", ax=None):
    """One row per name: a dot for each run, a bar from lowest to highest, a tick at the mean.

    Dots that would cover each other are set apart vertically.

    Parameters
    ----------
    values_by_name : mapping of str to array, shape (number of runs,)

    Returns
    -------
    figure, axes
    """
    names = list(values_by_name)
    width = np.ptp(np.concatenate([np.ravel(values) for values in values_by_name.values()]))
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 0.9 + 0.65 * len(names)))
    for row, name in enumerate(names):
        values = np.sort(np.asarray(values_by_name[name], dtype=float))
        colour = COLOURS[CYCLE[row % len(CYCLE)]]
        ax.plot(values[[0, -1]], [row, row], color=colour, linestyle="-", linewidth=1.5, alpha=0.6)
        heights = row + _side_by_side(values, 0.02 * width)
        ax.plot(values, heights, "o", color=colour, alpha=0.7, markersize=6)
        ax.plot(values.mean(), row, "|", color="black", markersize=20, markeredgewidth=2.5)
    ax.set_yticks(range(len(names)), labels=names)
    ax.set(xlabel=xlabel, ylim=(len(names) - 0.4, -0.6))
    ax.grid(False, axis="y")
    return ax.figure, ax


def histogram_with_markers(values, markers, *, bins=None, xlabel="", ylabel="samples", ax=None):
    """A histogram, and a labelled vertical line at each marker.

    Parameters
    ----------
    values : array, shape (n,)
    markers : mapping of label to value
        `{"mean": 2.86, "median": 1.0}`
    bins : int or array, optional
        As for `numpy.histogram`. By default one bar centred on each whole number for
        integers, and 40 bars otherwise.

    Returns
    -------
    figure, axes
    """
    own_figure = ax is None
    if own_figure:
        _, ax = plt.subplots()
    values = np.asarray(values)
    if bins is None:
        counts = np.issubdtype(values.dtype, np.integer)
        bins = np.arange(values.min(), values.max() + 2) - 0.5 if counts else 40
    ax.hist(values, bins=bins, color="#c8d6e0", edgecolor="white", linewidth=0.5)
    for k, (label, value) in enumerate(markers.items()):
        ax.axvline(value, label=label, **_cycled(k))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    _legend(ax, own_figure=own_figure)
    return ax.figure, ax


def _grid(predictions):
    predictions = np.asarray(predictions, dtype=float)
    if predictions.shape == (2,):
        return np.linspace(*predictions, 601)
    return predictions


def _function_of_prediction(loss, target, parameters):
    def function(x):
        if x.size == 0:  # a loss refuses an empty array
            return x
        values = loss(np.full(x.shape, target), x, reduction="none", **parameters)
        return np.where(np.isfinite(values), values, np.nan)

    return function


def _jumps(slope, grid):
    """Points just before and just after each jump of `slope` on the grid.

    Halving an interval halves the change of a continuous function, however steep it is; at a
    jump the change stays.
    """
    values = slope(grid)
    change = np.abs(np.diff(values))
    suspects = change > 1e-6 * (np.nanmax(np.abs(values)) or 1.0)
    low, high, change = grid[:-1][suspects], grid[1:][suspects], change[suspects]
    for _ in range(60):
        middle = (low + high) / 2
        at_low, at_middle, at_high = slope(low), slope(middle), slope(high)
        in_left = np.abs(at_middle - at_low) > np.abs(at_high - at_middle)
        low, high = np.where(in_left, low, middle), np.where(in_left, middle, high)
    jump = np.abs(slope(high) - slope(low)) > 0.25 * change
    # A loss may have a value of its own at the kink itself: step past it, on both sides.
    past = 1e-12 * (grid[-1] - grid[0])
    low = np.maximum(low[jump] - past, grid[0])
    high = np.minimum(high[jump] + past, grid[-1])
    apart = low[1:] > high[:-1]
    return low[np.append(True, apart)[: len(low)]], high[np.append(apart, True)[: len(high)]]


def _interrupted(slope, grid, before, after):
    """Points of the curve, with NaN inside each jump so that no line crosses it."""
    in_gap = ((grid[:, None] > before) & (grid[:, None] < after)).any(axis=1)
    kept = grid[~in_gap]
    x = np.concatenate([kept, before, (before + after) / 2, after])
    y = np.concatenate([slope(kept), slope(before), np.full(before.shape, np.nan), slope(after)])
    order = np.lexsort((np.repeat([0, 1, 2, 3], [len(kept), *[len(before)] * 3]), x))
    return x[order], y[order]


def _side_by_side(values, distance):
    """Vertical offsets for sorted values, such that dots on one level are `distance` apart."""
    levels = (0.0, 0.13, -0.13, 0.26, -0.26)
    last = dict.fromkeys(levels, -np.inf)
    offsets = []
    for value in values:
        free = [level for level in levels if value - last[level] > distance]
        level = free[0] if free else min(levels, key=last.get)
        last[level] = value
        offsets.append(level)
    return np.array(offsets)


def _cycled(k):
    return {"color": COLOURS[CYCLE[k % len(CYCLE)]], "linestyle": DASHES[k % len(DASHES)]}


def _legend_above(figure, ax):
    """One legend over all panels, where it hides no curve."""
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        in_one_row = sum(len(label) + 6 for label in labels) <= 64
        columns = len(labels) if in_one_row else 2
        figure.legend(handles, labels, loc="outside upper center", ncols=columns)


def _legend(ax, *, own_figure):
    if own_figure:
        _legend_above(ax.figure, ax)
    elif ax.get_legend_handles_labels()[0]:
        ax.legend()
