"""Interactive figures: what is put on the page; that they move, fit and speak in a real browser."""

from pathlib import Path

import altair as alt
import pytest
import vega
from visit import AXE, Visit, serve

from lossbook import interactive

ROOT = Path(__file__).resolve().parents[1]

SEEN = "The Huber loss and its gradient; the gradient is cut at δ."


def _slider(**options):
    return alt.param(
        name="delta", value=1, bind=alt.binding_range(min=0.5, max=3, step=0.5, **options)
    )


def _chart(slider=None):
    base = alt.Chart(alt.sequence(-4, 4, 0.1, as_="e")).transform_calculate(
        loss="abs(datum.e) <= delta ? datum.e * datum.e / 2 : delta * (abs(datum.e) - delta / 2)",
        gradient="min(max(datum.e, -delta), delta)",
    )
    pair = [base.mark_line().encode(x="e:Q", y=f"{name}:Q") for name in ("loss", "gradient")]
    return alt.hconcat(*pair).add_params(slider or _slider(name="δ "))


@pytest.fixture
def shown(monkeypatch):
    bundles = []
    monkeypatch.setattr(interactive, "display", lambda it: bundles.append(it._repr_mimebundle_()))
    return bundles


def test_a_notebook_gets_the_chart_and_the_tests_get_words(shown):
    interactive.show(_chart(), "huber-delta", SEEN)
    (bundle,) = shown
    assert bundle["text/plain"] == f"<interactive figure huber-delta: {SEEN}>"
    assert bundle[interactive.MIME]["name"] == "huber-delta"
    assert bundle[interactive.MIME]["description"] == SEEN
    assert bundle[interactive.MIME]["hconcat"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("no chart", "name", SEEN), TypeError, "Altair chart"),
        ((_chart(), "Huber δ", SEEN), ValueError, "lower-case words"),
        ((_chart(), "huber", "figure"), ValueError, "in a sentence"),
        ((_chart(_slider()), "huber", SEEN), ValueError, "'delta' has no name"),
        (
            (alt.Chart("https://example.org/a.csv").mark_line(), "huber", SEEN),
            ValueError,
            "without a network",
        ),
    ],
)
def test_what_would_not_work_on_the_site_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        interactive.show(*arguments)


def test_a_specification_cannot_end_its_script_early():
    html = vega.figure({"name": "a", "description": 'a "b"', "title": "</script><b>"})
    assert html.count("</script>") == 1
    assert 'aria-label="a &quot;b&quot;"' in html


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page with one figure, as the build would write it."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: `make book` installs it")
    folder = tmp_path_factory.mktemp("site")
    spec = {**_chart().to_dict(), "name": "huber-delta", "description": SEEN}
    (folder / "index.html").write_text(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Trial</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="book.css"></head><body><main class="bd-article">'
        f"<h1>Trial</h1>{vega.figure(spec)}</main>"
        '<script src="vega-bundle.js"></script><script src="figures.js"></script></body></html>',
        encoding="utf8",
    )
    for name in ("book.css", "figures.js"):
        (folder / name).write_bytes((ROOT / "book" / "assets" / name).read_bytes())
    (folder / "vega-bundle.js").write_bytes(vega.bundle(ROOT / "_build" / ".vega").read_bytes())
    with serve(folder) as address:
        yield address


def _lines(page):
    return [path.get_attribute("d") for path in page.locator("svg .mark-line path").all()]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_figure_moves_fits_and_is_accessible(browser, site, width):
    visit = Visit(browser, site, width)
    page = visit.open("index.html")
    page.locator(".vega-figure svg").wait_for()
    before = _lines(page)
    assert len(before) == 2

    slider = page.get_by_role("slider", name="δ")
    slider.focus()
    page.keyboard.press("ArrowRight")  # without a mouse
    page.wait_for_function(
        "old => document.querySelector('svg .mark-line path').getAttribute('d') !== old",
        arg=before[0],
    )
    after = _lines(page)
    assert all(old != new for old, new in zip(before, after, strict=True))

    figure, drawing = (
        page.locator(".vega-figure").bounding_box(),
        page.locator(".vega-figure svg").bounding_box(),
    )
    assert drawing["width"] <= figure["width"]
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    assert visit.axe() == []
    assert visit.faults == []
    visit.context.close()


def test_a_turned_phone_keeps_what_was_set(browser, site):
    visit = Visit(browser, site, 390)
    page = visit.open("index.html")
    page.locator(".vega-figure svg").wait_for()
    page.get_by_role("slider", name="δ").fill("2.5")
    narrow = page.locator(".vega-figure svg").bounding_box()
    page.set_viewport_size({"width": 844, "height": 390})
    page.wait_for_function(
        "h => document.querySelector('.vega-figure svg').clientHeight < h", arg=narrow["height"]
    )
    assert page.get_by_role("slider", name="δ").input_value() == "2.5"
    visit.context.close()
