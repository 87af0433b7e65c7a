"""Execute the book's notebooks in parallel before the pages are read.

Jupyter Book by itself executes one notebook after the other, and does not notice that lossbook
has changed.
"""

from pathlib import Path

import notebook_cache
from sphinx.errors import ExtensionError
from sphinx.util import logging

log = logging.getLogger(__name__)


def choose_cache(app, config):
    # a change of this setting makes Sphinx read every page again: what a change of lossbook needs
    config.nb_execution_cache_path = str(notebook_cache.cache_folder(Path(app.srcdir)))


def execute(app):
    config = app.config
    if config.nb_execution_mode != "cache":
        return
    paths = notebook_cache.toc_notebooks(Path(app.srcdir))
    failed = notebook_cache.execute(
        paths, config.nb_execution_cache_path, timeout=config.nb_execution_timeout
    )
    if failed:
        for path, traceback in failed.items():
            log.error("%s failed:\n%s", Path(path).relative_to(app.srcdir), traceback)
        names = ", ".join(sorted(Path(path).name for path in failed))
        raise ExtensionError(f"these notebooks do not run from top to bottom: {names} (see above)")


def setup(app):
    app.connect("config-inited", choose_cache)
    app.connect("builder-inited", execute, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
