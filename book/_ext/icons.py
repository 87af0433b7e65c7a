"""Cut the theme's icon font down to the icons that the site shows: 156 KB become a few.

Written as woff, which Python can compress by itself; woff2 would take one more library for half
a kilobyte.
"""

import logging
import re
from pathlib import Path

from fontTools import subset

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports every table of every font

ESCAPE = re.compile(
    r"content:\s*\"\\([0-9a-f]{4,5})\"|--fa:\s*\"\\([0-9a-f]{4,5})\"", re.IGNORECASE
)
SOURCES = re.compile(r"src:url\(([^)]*/fa-[^)]*)\.woff2\)[^;}]*")
ICON_CLASS = re.compile(r"\bfa-[a-z0-9-]+")


def _codepoints(static, pages):
    """The glyphs of the icons that a page, a script or the theme's own style names."""
    used = set()
    for path in (*pages, *static.rglob("*.js")):
        used.update(ICON_CLASS.findall(path.read_text(encoding="utf8", errors="ignore")))
    points = set()
    for path in static.rglob("*.css"):
        style = path.read_text(encoding="utf8", errors="ignore")
        for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", style):
            found = [a or b for a, b in ESCAPE.findall(body)]
            if not found:
                continue
            names = set(ICON_CLASS.findall(selectors))
            if names & used or not names:
                points.update(int(value, 16) for value in found)
    return points


def cut(app, exception):
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    points = _codepoints(static, Path(app.outdir).rglob("*.html"))
    options = subset.Options(flavor="woff", ignore_missing_unicodes=True)
    for path in (static / "vendor" / "fontawesome" / "webfonts").glob("*.ttf"):
        font = subset.load_font(str(path), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=points)
        subsetter.subset(font)
        subset.save_font(font, str(path.with_suffix(".woff")), options)
    for path in (static / "styles").glob("*.css"):
        style = path.read_text(encoding="utf8")
        changed = SOURCES.sub(r'src:url(\1.woff) format("woff")', style)
        if changed != style:
            path.write_text(changed, encoding="utf8")


def setup(app):
    app.connect("build-finished", cut, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
