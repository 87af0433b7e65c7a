"""The drawings show what their docstrings say: asserted on the artists, not on pixels."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from lossbook import bce_with_logits, figures, huber, mae, mse, pinball
from lossbook.training import History

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def fresh_figures():
    figures.use_style()
    yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()  # a missing glyph or a failed layout warns here
    plt.close("all")


def curves(ax):
    """The drawn functions: lines with a label of their own or many points, no markers."""
    return [line for line in ax.lines if line.get_marker() == "None" and len(line.get_xdata()) > 2]


def circles(ax):
    return [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]


def luminance(colour):
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_curves_differ_in_dash_as_well_as_in_colour():
    styles = list(plt.rcParams["axes.prop_cycle"])
    assert len({s["color"] for s in styles}) == len({str(s["linestyle"]) for s in styles}) == 7


def test_the_first_four_colours_differ_in_lightness_from_white():
    for name in figures.CYCLE[:4]:
        contrast = 1.05 / (luminance(figures.COLOURS[name]) + 0.05)
        assert contrast > 2.7, name
    assert "yellow" not in figures.CYCLE


def test_text_is_legible_on_a_phone():
    for key in ("font.size", "axes.labelsize", "xtick.labelsize", "legend.fontsize"):
        points = plt.rcParams[key]
        assert points / 72 * 340 / 7 > 7, key  # pixels, when 7 inches become 340 pixels


def test_use_style_brings_the_style_back():
    plt.rcParams["font.size"] = 5
    plt.rcParams["axes.spines.top"] = True
    figures.use_style()
    assert plt.rcParams["font.size"] == 12 and not plt.rcParams["axes.spines.top"]


def test_the_lines_are_the_loss_and_its_gradient():
    _, (left, right) = figures.loss_and_gradient(mse, target=1.0, predictions=(-2.0, 4.0))
    x, y = curves(left)[0].get_data()
    assert (x[0], x[-1]) == (-2.0, 4.0)
    np.testing.assert_allclose(y, (x - 1.0) ** 2)
    x, y = curves(right)[0].get_data()
    np.testing.assert_allclose(y, 2 * (x - 1.0))
    assert left.get_ylabel() == "loss ℓ" and right.get_ylabel() == "gradient ∂ℓ/∂ŷ"
    assert left.get_title() == right.get_title() == ""


def test_several_losses_share_the_axes_and_one_legend():
    figure, (left, right) = figures.loss_and_gradient(
        {"δ = 0.5": (huber, {"delta": 0.5}), "δ = 2": (huber, {"delta": 2.0}), "MSE": mse}
    )
    assert len(curves(left)) == 3 and len(curves(right)) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "δ = 0.5",
        "δ = 2",
        "MSE",
    ]
    for line, delta in zip(curves(right), (0.5, 2.0), strict=False):
        assert np.max(line.get_ydata()) == pytest.approx(delta)
        assert not circles(right)  # Huber bends, its gradient does not jump


def test_a_curve_may_have_its_own_target():
    _, (left, _) = figures.loss_and_gradient(
        {"y = 1": (bce_with_logits, {"target": 1}), "y = 0": (bce_with_logits, {"target": 0})},
        predictions=(-6.0, 6.0),
        variable="logit z",
    )
    falling, rising = (line.get_ydata() for line in curves(left))
    assert (np.diff(falling) < 0).all() and (np.diff(rising) > 0).all()
    assert left.get_xlabel() == "logit z"


@pytest.mark.parametrize("target", [0.0, 0.1234])  # on a point of the grid, and between two
def test_a_jump_of_the_gradient_is_a_gap_between_two_hollow_circles(target):
    _, (_, right) = figures.loss_and_gradient(mae, target=target)
    y = curves(right)[0].get_ydata()
    assert np.isnan(y).sum() == 1
    assert set(y[~np.isnan(y)]) == {-1.0, 1.0}  # no point of the curve lies in between
    (ends,) = circles(right)
    assert ends.get_ydata().tolist() == [-1.0, 1.0]
    np.testing.assert_allclose(ends.get_xdata(), target, atol=1e-9)  # far below a pixel
    assert ends.get_markerfacecolor() == "white"


def test_a_jump_is_as_high_as_the_gradient_says():
    _, (_, right) = figures.loss_and_gradient(mae, predictions=(-1.0, 2.0))
    assert len(circles(right)) == 1
    _, (_, right) = figures.loss_and_gradient({"τ = 0.9": (pinball, {"quantile": 0.9})})
    np.testing.assert_allclose(circles(right)[0].get_ydata(), [-0.9, 0.1])


def test_a_steep_but_continuous_gradient_is_not_a_jump():
    _, (_, right) = figures.loss_and_gradient(
        bce_with_logits, target=1, predictions=(-4000.0, 4000.0), variable="logit z"
    )
    assert not circles(right)
    assert not np.isnan(curves(right)[0].get_ydata()).any()


def test_infinite_values_are_left_out():
    class Reciprocal:
        def __call__(self, target, prediction, reduction):
            with np.errstate(divide="ignore"):
                return 1 / np.abs(prediction)

        def gradient(self, target, prediction, reduction):
            with np.errstate(divide="ignore", invalid="ignore"):
                return -np.sign(prediction) / prediction**2

    _, (left, _) = figures.loss_and_gradient(Reciprocal(), predictions=(-1.0, 1.0))
    assert np.isfinite(left.get_ylim()).all()


def test_a_plain_function_is_refused_with_the_remedy():
    with pytest.raises(TypeError, match="no method gradient"):
        figures.loss_and_gradient(lambda t, p: t - p)


SCATTERS = {
    "rising, tall numbers": (lambda x: 12.0 * x - 150.0, 20.0, 40.0, 60.0),
    "falling": (lambda x: -3.0 * x + 5.0, -1.0, 1.0, 2.0),
    "flat": (lambda x: 0.0 * x + 7.0, 0.0, 1000.0, 0.01),
    "far off": (lambda x: 0.0 * x + 100.0, 0.0, 1.0, 30.0),
}


@pytest.fixture(params=SCATTERS)
def scatter(request):
    predict, low, high, noise = SCATTERS[request.param]
    random = np.random.default_rng(0)
    x = random.uniform(low, high, 25)
    return x, predict(x) + random.normal(scale=noise, size=25), predict


def squares(ax):
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def test_residual_squares_are_square_on_the_page_and_in_view(scatter):
    x, y, predict = scatter
    figure, ax = figures.residual_squares(x, y, predict)
    figure.canvas.draw()
    frame = ax.get_window_extent()
    assert len(squares(ax)) == 25
    for square, residual in zip(squares(ax), y - predict(x), strict=True):
        box = square.get_window_extent()
        assert box.width == pytest.approx(box.height, abs=0.01)
        assert square.get_height() == pytest.approx(abs(residual))
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1


def test_each_square_stands_on_its_residual_away_from_the_line(scatter):
    x, y, predict = scatter
    _, ax = figures.residual_squares(x, y, predict)
    for square, a, b in zip(squares(ax), x, y, strict=True):
        left, bottom = square.get_xy()
        right, top = left + square.get_width(), bottom + square.get_height()
        assert any(np.isclose(a, edge) for edge in (left, right))
        np.testing.assert_allclose(sorted([b, float(predict(a))]), [bottom, top])
        far = left if np.isclose(a, right) else right
        gap_here, gap_there = b - predict(a), b - predict(far)
        assert abs(gap_there) >= abs(gap_here) - 1e-9


def test_squares_stay_square_in_panels_with_common_limits():
    x, y = np.array([0.0, 1.0, 2.0]), np.array([10.0, 40.0, 20.0])
    figure, axes = figures.panels(2)
    for ax, level in zip(axes, (15.0, 30.0), strict=True):
        figures.residual_squares(
            x, y, lambda t, level=level: 0 * t + level, ax=ax, xlim=(-2.0, 4.0), ylim=(0.0, 50.0)
        )
    figure.canvas.draw()
    for ax in axes:
        assert ax.get_xlim() == (-2.0, 4.0) and ax.get_ylim() == (0.0, 50.0)
        for square in squares(ax):
            box = square.get_window_extent()
            assert box.width == pytest.approx(box.height, abs=0.01)


def test_points_on_the_line_need_no_square():
    x = np.array([0.0, 1.0, 2.0])
    _, ax = figures.residual_squares(x, 2 * x, lambda t: 2 * t)
    assert all(square.get_height() == 0 for square in squares(ax))


def test_residual_squares_refuse_different_lengths():
    with pytest.raises(ValueError, match=r"x \(3,\) and y \(2,\)"):
        figures.residual_squares([0, 1, 2], [0, 1], lambda t: t)


def bowl(theta):
    return (theta[0] - 1.0) ** 2 + 10.0 * (theta[1] + 2.0) ** 2


def test_the_path_starts_hollow_and_ends_filled():
    path = np.array([[0.0, 0.0], [0.5, -1.0], [0.9, -1.8], [1.0, -2.0]])
    _, ax = figures.contour_with_path(bowl, path, labels=("a", "b"))
    line = next(line for line in ax.lines if len(line.get_xdata()) == 4)
    np.testing.assert_array_equal(np.column_stack(line.get_data()), path)
    start, end = circles(ax)
    assert start.get_xydata().tolist() == [[0.0, 0.0]] and end.get_xydata().tolist() == [[1, -2]]
    assert start.get_markerfacecolor() == "white" != end.get_markerfacecolor()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
    assert ax.get_xlim()[0] < 0 and ax.get_xlim()[1] > 1
    assert ax.get_ylim()[0] < -2 and ax.get_ylim()[1] > 0


def test_the_level_curves_are_level():
    path = np.array([[0.0, 0.0], [1.0, -2.0]])
    _, ax = figures.contour_with_path(bowl, path, levels=[1.0, 5.0, 20.0])
    lines = ax.collections[-1]
    for level, outline in zip((1.0, 5.0, 20.0), lines.get_paths(), strict=True):
        values = [bowl(point) for point in outline.vertices]
        np.testing.assert_allclose(values, level, rtol=0.02)


def test_several_paths_have_a_legend():
    path = np.array([[0.0, 0.0], [1.0, -2.0]])
    figure, _ = figures.contour_with_path(bowl, {"slow": path, "fast": path * 0.9})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["slow", "fast"]
    with pytest.raises(ValueError, match=r"shape \(2,\).*\(k, 2\)"):
        figures.contour_with_path(bowl, np.zeros(2))


HISTORY = History([4.0, 2.0, 1.0, 0.5], [4.0, 3.0, 3.5, 3.6], best_epoch=1)


def test_learning_curves_mark_the_best_epoch():
    figure, ax = figures.learning_curves(HISTORY)
    train, validation, best = ax.lines
    assert list(train.get_ydata()) == HISTORY.train
    assert list(validation.get_ydata()) == HISTORY.validation
    assert list(train.get_xdata()) == [0, 1, 2, 3]
    assert best.get_xydata().tolist() == [[1.0, 3.0]]
    assert train.get_linestyle() == "-" and validation.get_linestyle() == "--"
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["training", "validation"]


def test_learning_curves_of_several_runs():
    _, axes = figures.panels(2)
    figures.learning_curves({"MSE": HISTORY, "MAE": History([1.0, 0.5])}, log=True, ax=axes[0])
    assert axes[0].get_yscale() == "log" and not axes[1].lines
    texts = [text.get_text() for text in axes[0].get_legend().get_texts()]
    assert texts == ["MSE, training", "MSE, validation", "MAE, training"]


def test_spread_shows_every_run_its_range_and_the_mean():
    values = {"MSE": [0.7, 0.9, 0.8, 0.8], "cross-entropy": [0.95, 0.95, 0.95]}
    _, ax = figures.spread(values, xlabel="accuracy")
    assert [label.get_text() for label in ax.get_yticklabels()] == list(values)
    for row, runs in enumerate(values.values()):
        span, dots, mean = ax.lines[3 * row : 3 * row + 3]
        assert list(span.get_xdata()) == [min(runs), max(runs)]
        assert list(dots.get_xdata()) == sorted(runs)
        assert mean.get_xdata()[0] == pytest.approx(np.mean(runs))
        places = dots.get_xydata().round(6).tolist()
        assert len({tuple(place) for place in places}) == len(runs)  # equal runs stay visible


def test_histogram_centres_its_bars_on_counts():
    counts = np.array([0, 0, 0, 1, 1, 4])
    figure, ax = figures.histogram_with_markers(counts, {"mean": 1.0, "median": 0.5})
    bars = {round(p.get_x() + p.get_width() / 2, 6): p.get_height() for p in ax.patches}
    assert bars == {0: 3, 1: 2, 2: 0, 3: 0, 4: 1}
    assert [line.get_xdata()[0] for line in ax.lines] == [1.0, 0.5]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["mean", "median"]


def test_histogram_of_quantities():
    _, ax = figures.histogram_with_markers(np.linspace(0.0, 1.0, 500), {}, xlabel="p")
    assert len(ax.patches) == 40 and sum(p.get_height() for p in ax.patches) == 500


def test_a_long_legend_does_not_leave_the_figure():
    figure, _ = figures.loss_and_gradient(
        {f"Huber with delta {d}": (huber, {"delta": d}) for d in (0.25, 0.5, 1.0, 2.0)}
    )
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
