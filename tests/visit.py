"""Serve a folder and visit its pages with a browser, taking note of everything that goes wrong."""

import contextlib
import functools
import http.server
import threading
from pathlib import Path

AXE = Path(__file__).resolve().parents[1] / "node_modules" / "axe-core" / "axe.min.js"
# colours are judged when they have settled, not in the middle of a transition
AXE_RUN = """async () => {
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  const where = (rule) => rule.nodes.map((node) => node.html.slice(0, 200)).join(" | ");
  return violations.map((rule) => `${rule.id}: ${where(rule)}`);
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@contextlib.contextmanager
def serve(folder):
    """The address at which the files of a folder can be read while the block lasts."""
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Visit:
    """A page of the site in one mode, and everything that went wrong while it was open."""

    def __init__(self, browser, origin, width=1280, scheme="light"):
        height = 900 if width > 600 else 844
        self.origin = origin
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        self.page = self.context.new_page()
        self.faults = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"error in a script: {error}"))
        self.page.on(
            "requestfailed", lambda request: self.faults.append(f"did not load: {request.url}")
        )
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type} on the console: {message.text}")

    def _request(self, request):
        if not request.url.startswith((self.origin, "data:", "blob:")):
            self.faults.append(f"a request to another place: {request.url}")

    def _response(self, response):
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")

    def open(self, path):
        self.faults.clear()
        self.page.goto(f"{self.origin}/{path}", wait_until="load")
        self.page.wait_for_function("document.fonts.status === 'loaded'")
        return self.page

    def axe(self):
        if not self.page.evaluate("typeof axe === 'object'"):
            self.page.add_script_tag(path=AXE)
        return self.page.evaluate(AXE_RUN)
