"""Photograph the page that the README shows, from the built site.

python book/_tools/screenshot.py [FOLDER OF THE SITE]
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import browser  # noqa: E402
from visit import Visit, serve  # noqa: E402

PAGE, ANCHOR = "book/background.html", "sec-background-squares"
PICTURE = ROOT / "book" / "assets" / "readme-page.png"


def main(site):
    with serve(site) as origin, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser.find(), args=browser.arguments()
        )
        page = Visit(chromium, origin).open(PAGE)
        page.set_viewport_size({"width": 1280, "height": 1150})
        page.evaluate("document.querySelectorAll('img').forEach((i) => { i.loading = 'eager'; })")
        page.evaluate(f"document.getElementById('{ANCHOR}').scrollIntoView()")
        page.wait_for_timeout(500)  # the list of contents follows the text with a delay
        page.screenshot(path=PICTURE)
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "_build" / "html")
