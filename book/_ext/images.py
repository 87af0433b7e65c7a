"""Give every image its size, so that the page does not jump, and let the later ones load late.

A picture of panels side by side gets a box of its own, in which it scrolls on a phone: shrunk to
the screen, its letters could not be read.
"""

import os
import re
from pathlib import Path

from PIL import Image

IMG = re.compile(r"<img\b[^>]*>")
SRC = re.compile(r'\bsrc="([^"?#]+)')
SIDE_BY_SIDE = 1.75  # width by height: from here on it is more than one panel


def _complete(tag, folder, first):
    source = SRC.search(tag)
    if not source or " width=" in tag:
        return tag
    path = folder / source[1]
    if path.suffix not in {".png", ".jpg", ".jpeg", ".webp"} or not path.is_file():
        return tag
    with Image.open(path) as image:
        width, height = image.size
    late = "" if first else ' loading="lazy"'
    tag = f'<img width="{width}" height="{height}"{late} decoding="async"{tag[4:]}'
    return f'<div class="panels">{tag}</div>' if width > SIDE_BY_SIDE * height else tag


def complete(app, exception):
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        html = page.read_text(encoding="utf8")
        count = 0

        def replace(match, page=page):
            nonlocal count
            count += 1
            return _complete(match[0], Path(os.path.abspath(page.parent)), first=count == 1)

        changed = IMG.sub(replace, html)
        if changed != html:
            page.write_text(changed, encoding="utf8")


def setup(app):
    app.connect("build-finished", complete, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
