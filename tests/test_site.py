"""The built site in a real browser: wide and narrow, light and dark, asking no other server."""

from pathlib import Path

import numpy as np
import pytest
from catalogue_page import curves
from visit import AXE, Visit, serve

from lossbook.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if "_static" not in path.parts
    and path != SITE / "index.html"  # that one only leads to the first page
)
MODES = [
    pytest.param((width, scheme), id=f"{name}-{scheme}")
    for name, width in (("desktop", 1280), ("phone", 390))
    for scheme in ("light", "dark")
]

# what is folded away is read by somebody too: solutions, long code, derivations
UNFOLD = """() => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
  document.querySelectorAll("button.toggle-button").forEach((button) => button.click());
}"""
LOAD_IMAGES = """async () => {
  const images = [...document.images];
  images.forEach((image) => { image.loading = "eager"; });
  await Promise.all(images.map((image) => image.decode().catch(() => null)));
  return images.filter((image) => !image.naturalWidth).map((image) => image.src);
}"""
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.fixture(scope="module")
def origin():
    if not PAGES:
        pytest.skip("the site is not built: run `make book`")
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: `make book` installs it")
    with serve(SITE) as address:
        yield address


@pytest.fixture(scope="module", params=MODES)
def mode(request, browser, origin):
    width, scheme = request.param
    visit = Visit(browser, origin, width, scheme)
    visit.scheme = scheme
    yield visit
    visit.context.close()


@pytest.fixture
def visit(browser, origin):
    one = Visit(browser, origin)
    yield one
    one.context.close()


@pytest.mark.parametrize("path", PAGES or ["no page"])
def test_page(mode, path):
    page = mode.open(path)
    assert page.evaluate("document.documentElement.dataset.theme") == mode.scheme
    page.evaluate(UNFOLD)
    assert page.evaluate(LOAD_IMAGES) == []
    content, window = page.evaluate(WIDTHS)
    assert content <= window, "the page itself scrolls sideways"
    assert mode.axe() == []
    assert mode.faults == []


def test_axe_sees_a_fault_where_there_is_one(visit):
    visit.open(PAGES[0]).evaluate("document.querySelector('article').append(new Image())")
    assert any(fault.startswith("image-alt") for fault in visit.axe())


def test_a_request_to_another_server_is_seen(visit):
    # a port of this machine where nothing answers stands for the other server
    visit.open(PAGES[0]).evaluate("fetch('http://127.0.0.1:9/x').catch(() => null)")
    assert any(fault.startswith("a request to another place") for fault in visit.faults)


def test_root_leads_to_the_first_page(visit):
    page = visit.open("index.html")
    page.wait_for_url("**/book/index.html")
    root = (SITE / "index.html").read_text(encoding="utf8")
    assert all(part in root for part in ('<html lang="', "<title>", '<a href="book/index.html">'))


def test_light_and_dark_can_be_chosen_and_are_remembered(visit):
    page = visit.open("book/index.html")
    theme = "document.documentElement.dataset.theme"
    seen = []
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        seen.append(
            (page.evaluate(theme), page.evaluate("getComputedStyle(document.body).backgroundColor"))
        )
    assert {name for name, _ in seen} == {"light", "dark"}
    assert len({colour for _, colour in seen}) == 2
    while page.evaluate(theme) != "dark":
        page.locator(".theme-switch-button:visible").first.click()
    page.reload()
    assert page.evaluate(theme) == "dark"


def test_search_finds_a_word_and_does_not_find_nonsense(visit):
    page = visit.open("book/index.html")
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill("loss")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=loss*")
    page.locator("#search-results li a").first.wait_for()
    page.wait_for_load_state("networkidle")  # the summaries under the results are loaded one by one
    assert page.locator("#search-results li a").count() > 0
    visit.open("search.html?q=qwertzuiop")
    page.locator("#search-results .search-summary:not(:empty)").wait_for()
    page.wait_for_timeout(300)
    assert page.locator("#search-results li a").count() == 0
    assert visit.faults == []


def test_the_contents_open_on_a_phone(browser, origin):
    phone = Visit(browser, origin, width=390)
    page = phone.open(PAGES[0])
    assert not page.locator("nav.bd-links").first.is_visible()
    page.locator(".primary-toggle:visible").click()
    page.locator("nav.bd-links:visible").first.wait_for()
    phone.context.close()


def test_panels_side_by_side_keep_their_size_on_a_phone(browser, origin):
    phone = Visit(browser, origin, width=390)
    page = phone.open("book/background.html")
    for picture in page.locator(".panels > img").all():
        assert picture.bounding_box()["width"] > 500
    assert page.locator(".panels[tabindex='0']").count() == page.locator(".panels").count() > 0
    phone.context.close()


def test_a_notebook_can_be_downloaded(visit):
    notebooks = [
        path for path in PAGES if (SITE / "_sources" / path).with_suffix(".ipynb").is_file()
    ]
    for path in notebooks:
        link = visit.open(path).locator("a.btn-download-source-button")
        assert link.get_attribute("href").endswith(".ipynb")


def test_the_catalogue_can_be_searched_and_a_link_opens_a_loss(visit):
    page = visit.open("book/appendix/catalogue.html#loss-huber")
    shown = page.locator("details.loss:visible")
    everything = shown.count()
    assert page.locator(".loss-count").inner_text() == f"{everything} of {everything} losses"
    assert page.locator("#loss-huber[open]").count() == 1
    page.locator("#loss-search").fill("BCEWithLogits")
    assert "loss-bce_with_logits" in [loss.get_attribute("id") for loss in shown.all()]
    assert 0 < shown.count() < 5
    assert page.locator("h2:visible").count() < 5  # a family without a loss is hidden too
    page.locator("#loss-search").fill("")
    page.locator("#loss-library").select_option("keras")
    of_keras = shown.count()
    page.locator("#loss-shape").select_option("convex")
    assert everything > of_keras > shown.count() > 0
    page.locator("#loss-search").fill("no such loss")
    assert page.locator(".loss-count").inner_text() == f"0 of {everything} losses"
    assert visit.faults == []


STEPS = ("zero_one", "label_ranking")  # their value jumps where the slope is 0


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_picture_of_the_catalogue_shows_something_and_its_slope_is_the_slope(name):
    shares, value, slope = curves(CATALOGUE[name])
    assert np.isfinite(value).all() and np.isfinite(slope).all()
    assert np.ptp(value) > 0.05
    if name in STEPS:
        assert np.abs(slope).max() == 0
        return
    # the slope adds up to the change of the value, up to one kink a step
    change = (slope[1:] + slope[:-1]) / 2 * np.diff(shares)
    jump = np.abs(np.diff(slope)) * np.diff(shares)
    assert np.abs(change - np.diff(value)).max() <= 1e-9 + jump.max() / 2
