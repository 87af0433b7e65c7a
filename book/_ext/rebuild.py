"""Write every page again when the look of the book or one of these extensions has changed.

Sphinx follows the pages and the templates only, and would show an old style sheet.
"""

import hashlib
from pathlib import Path

WATCHED = ("book/assets/*", "book/_ext/*.py", "package.json")


def note(app, config):
    digest = hashlib.sha256()
    for pattern in WATCHED:
        for path in sorted(Path(app.srcdir).glob(pattern)):
            digest.update(path.read_bytes())
    config.look_of_the_book = digest.hexdigest()


def setup(app):
    app.add_config_value("look_of_the_book", "", "html")
    app.connect("config-inited", note)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
