"""Remove from the build the files under _static that no page, style sheet or script asks for."""

import os
import re
from pathlib import Path

LINK = re.compile(r"""(?:href|src)="([^"?#]+)""")
URL = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')?#]+)""")


def _named_in(path):
    if path.suffix not in {".html", ".css"}:
        return
    text = path.read_text(encoding="utf8", errors="ignore")
    for target in LINK.findall(text) if path.suffix == ".html" else URL.findall(text):
        if ":" not in target:
            yield Path(os.path.abspath(path.parent / target))


def remove(app, exception):
    if exception or app.builder.format != "html":
        return
    out = Path(os.path.abspath(app.outdir))
    asked, queue = set(), list(out.rglob("*.html"))
    while queue:
        for target in _named_in(queue.pop()):
            if target not in asked and target.is_file():
                asked.add(target)
                queue.append(target)
    for path in (out / "_static").rglob("*"):
        if path.is_file() and path not in asked:
            path.unlink()
    for folder in sorted((p for p in (out / "_static").rglob("*") if p.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def setup(app):
    app.connect("build-finished", remove, priority=800)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
