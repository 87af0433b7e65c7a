"""Formulas rendered by KaTeX while the book is built: the reader's browser runs no script for them.

There are no macros of the book's own: readers open the same notebooks in JupyterLab, which would
not know them.
"""

import os
import re
import shutil
from pathlib import Path

import sphinxcontrib.katex as katex
import web_assets

ENVIRONMENT = re.compile(r"\\(begin|end)\{(align|alignat|equation|gather)\}")


def prepare(app):
    if app.builder.format != "html":
        return
    dist = web_assets.node_modules(Path(app.srcdir)) / "katex" / "dist"
    # the script that renders and the style sheet that shows must be of one version
    app.config.katex_js_path = str(dist / "katex.min.js")
    os.environ["PATH"] = f"{web_assets.node_folder()}{os.pathsep}{os.environ['PATH']}"
    # A busy machine is no reason to fail. The server for Unix sockets is taken for ready when its
    # socket exists, which is before it listens; the other one is asked again until it answers.
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0
    katex.KaTeXServer.start_server_process = katex.KaTeXServer.start_network_socket
    katex.get_latex = latex


def latex(node):
    """The formula without KaTeX's own numbering: Sphinx numbers what has a label."""
    return ENVIRONMENT.sub(r"\\\1{\2*}", node.astext())


def copy_style(app, exception):
    # when a build fails at its end, sphinxcontrib.katex removes this folder a second time, and its
    # complaint would hide why the build failed
    Path(getattr(app, "_katex_static_path", app.outdir)).mkdir(parents=True, exist_ok=True)
    if exception or app.builder.format != "html":
        return
    dist = web_assets.node_modules(Path(app.srcdir)) / "katex" / "dist"
    target = Path(app.outdir) / "_static" / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    style = (dist / "katex.min.css").read_text(encoding="utf8")
    # every browser of the last ten years reads woff2; the other formats are never asked for
    style = re.sub(r",url\([^)]*\.(?:woff|ttf)\) format\(\"[a-z]+\"\)", "", style)
    (target / "katex.min.css").write_text(style, encoding="utf8")
    for font in (dist / "fonts").glob("*.woff2"):
        shutil.copyfile(font, target / "fonts" / font.name)


def setup(app):
    app.connect(
        "builder-inited", prepare, priority=100
    )  # before sphinxcontrib.katex reads the settings
    app.connect("build-finished", copy_style, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
