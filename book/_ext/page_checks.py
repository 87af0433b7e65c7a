"""Read every finished page as a reader would, and fail the build on what no reader should see.

Markup that was not understood, a formula with an error, an image without a description, a link that
leads nowhere, a file from another server.
"""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.util import logging

log = logging.getLogger(__name__)

RAW = {
    "a directive": re.compile(r":::+|```|~~~|\{\{.*?\}\}"),
    "a role": re.compile(
        r"\{(?:ref|numref|eq|doc|term|math|abbr|download|index|any|kbd|sub|sup|nb-\w+|cite(?::\w+)?|glue(?::\w+)?"
        r"|py:\w+|prf:\w+|func|class|mod|ipython3|code-cell|exercise|solution|figure|table|image|note|tip|warning"
        r"|admonition|dropdown|glossary|margin|tableofcontents|bibliography)(?:-\w+)?\}"
    ),
    "a label": re.compile(r"(?:^|\n)\([\w-]+\)=\s*(?:\n|$)"),
    "TeX": re.compile(r"\$\$|\\(?:begin|end|frac|sum|hat|mathbf|mathbb|log|ell|text)(?![A-Za-z])"),
}
# a directive that was indented too far, or not closed, turns into a block of code
RAW_IN_CODE = re.compile(
    r"(?:^|\n)\s*(?::::+|```+)\s*\{?[a-z]|\{(?:ref|eq|numref|cite)(?::\w+)?\}`"
)
FILE_NAME = re.compile(
    r"^\S*\.(?:png|jpe?g|svg|gif|webp)$|^[./]*_images/|^[0-9a-f]{32,}", re.IGNORECASE
)
LITERAL = {"code", "pre", "script", "style", "kbd", "samp", "title", "math", "textarea", "template"}
EMPTY = {"img", "br", "hr", "meta", "link", "input", "source", "wbr", "area", "col"}
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}


class Page(HTMLParser):
    """What the checks need of one page: its ids, links, images and readable text."""

    def __init__(self, path):
        super().__init__()
        self.ids = set()
        self.links, self.loads, self.images, self.errors = [], [], [], []
        self.text, self.code = [], []
        self._open = []
        self.feed(path.read_text(encoding="utf8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        classes = (values.get("class") or "").split()
        self.ids.update(values[key] for key in ("id", "name") if values.get(key))
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if values.get(LOADED.get(tag, "")):
            self.loads.append(values[LOADED[tag]])
        if tag == "img":
            self.images.append(values)
        if "katex-error" in classes:
            self.errors.append(values.get("title", "unknown error"))
        if tag not in EMPTY:
            self._open.append((tag, tag in LITERAL or "math" in classes))

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if not any(literal for _, literal in self._open):
            self.text.append(data)
        elif any(tag in ("pre", "code") for tag, _ in self._open):
            self.code.append(data)


def _raw_faults(page):
    text, code = "".join(page.text), "".join(page.code)
    for name, pattern, where in (
        *((n, p, text) for n, p in RAW.items()),
        ("MyST", RAW_IN_CODE, code),
    ):
        for found in pattern.finditer(where):
            around = where[max(0, found.start() - 30) : found.end() + 30].strip()
            yield f"{name} stands on the page as it was typed: {around!r}"


def _image_faults(page):
    for image in page.images:
        alt, source = (image.get("alt") or "").strip(), image.get("src", "")
        if not alt:
            yield f"the image {source} has no alt text (of a cell: metadata mystnb: image: alt)"
        elif FILE_NAME.match(alt) or alt == source:
            yield f"the alt text of the image {source} is a file name: {alt!r}"


def _link_faults(path, page, pages, out):
    for link in {*page.links, *page.loads}:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if link in page.loads and parts.scheme != "data":
                yield f"it loads a file from another place: {link}"
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file():
            yield f"a link leads to a missing file: {link}"
        elif (
            parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids
        ):
            yield f"a link leads to a missing place: {link}"


def faults(out):
    """``{page: [faults]}`` for the site in the folder ``out``; empty when all is well."""
    out = Path(out).resolve()
    paths = [path for path in out.rglob("*.html") if "_static" not in path.relative_to(out).parts]
    pages = {path: Page(path) for path in paths}
    found = {}
    for path, page in pages.items():
        wrong = [f"a formula that KaTeX cannot read: {error}" for error in page.errors]
        wrong += _raw_faults(page)
        wrong += _image_faults(page)
        wrong += _link_faults(path, page, pages, out)
        if wrong:
            found[path.relative_to(out).as_posix()] = wrong
    return found


def check(app, exception):
    if exception or app.builder.name != "html":
        return
    found = faults(app.outdir)
    if found:
        for page, wrong in sorted(found.items()):
            for fault in wrong:
                log.error("%s: %s", page, fault)
        app.statuscode = 1  # with or without -W: these are never acceptable


def setup(app):
    app.connect(
        "build-finished", check, priority=900
    )  # after everything that writes into the build
    return {"parallel_read_safe": True, "parallel_write_safe": True}
