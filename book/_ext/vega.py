"""Interactive figures without a kernel: Altair charts drawn by a Vega that the site itself serves.

A cell that ends with `lossbook.interactive.show` puts the chart's specification on the page. Pages
that hold one, and no others, load Vega (vl-convert brings it along) and figures.js, which draws it.
"""

import json
from html import escape
from importlib.metadata import version
from pathlib import Path

from docutils import nodes
from myst_nb.core import render

MIMES = tuple(f"application/vnd.vegalite.v{n}{end}" for n in (5, 6) for end in ("+json", ".json"))
SCRIPTS = ("vega-bundle.js", "figures.js")


def figure(spec):
    """The HTML of a chart: its specification, and in words what is to be seen."""
    # the only sequence that could end the script element early
    data = json.dumps(spec, ensure_ascii=False, sort_keys=True).replace("</", r"<\/")
    name, seen = escape(spec["name"], quote=True), escape(spec["description"], quote=True)
    return (
        f'<div class="vega-figure figure-card" id="figure-{name}" role="group" aria-label="{seen}">'
        f'<div class="vega-drawing"><p>{seen}</p></div>'
        f'<script type="application/json">{data}</script></div>'
    )


class VegaRenderer:
    """Turns the chart of a cell's output into the HTML above."""

    mime_priority_overrides = tuple((b, mime, 5) for b in ("html", "dirhtml") for mime in MIMES)

    @staticmethod
    def handle_mime(renderer, data, inline):
        if inline or data.mime_type not in MIMES:
            return None
        return [nodes.raw(text=figure(data.content), format="html")]


def add_scripts(app, pagename, templatename, context, doctree):
    if 'class="vega-figure' in context.get("body", ""):
        for script in SCRIPTS:
            app.add_js_file(script)


def bundle(folder):
    """Vega, Vega-Lite and Vega-Embed as one script. Making it takes some seconds, so it is kept."""
    path = Path(folder) / f"vega-{version('vl-convert-python')}.js"
    if not path.is_file():
        import vl_convert

        path.parent.mkdir(parents=True, exist_ok=True)
        # a function of its own: the bundle's short names would else be everybody's
        path.write_text(f"(() => {{{vl_convert.javascript_bundle()}\n}})();", encoding="utf8")
    return path


def write_bundle(app, exception):
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    if any(SCRIPTS[0] in page.read_text(encoding="utf8") for page in out.rglob("*.html")):
        script = bundle(out.parent / ".vega").read_bytes()
        target = out / "_static" / SCRIPTS[0]
        if not target.is_file() or target.read_bytes() != script:
            target.write_bytes(script)


def setup(app):
    # an entry point would need an installed package, and reach every other book of the environment
    installed = render.load_mime_renders
    render.load_mime_renders = lambda: [*installed(), VegaRenderer]
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", write_bundle, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
