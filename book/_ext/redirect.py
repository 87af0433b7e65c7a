"""index.html at the root of the site: a whole page that leads to the book's first one."""

from pathlib import Path

PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={target}">
<link rel="canonical" href="{target}">
<link rel="icon" href="data:,">
<title>{title}</title>
</head>
<body>
<main><h1>{title}</h1><p><a href="{target}">{title}</a></p></main>
</body>
</html>
"""


def write(app, exception):
    if exception or app.builder.name != "html" or app.config.root_doc == "index":
        return
    page = PAGE.format(
        language=app.config.language,
        target=app.builder.get_target_uri(app.config.root_doc),
        title=app.config.html_title,
    )
    (Path(app.outdir) / "index.html").write_text(page, encoding="utf8")


def setup(app):
    app.connect(
        "build-finished", write, priority=600
    )  # after sphinx_external_toc has written its bare one
    return {"parallel_read_safe": True, "parallel_write_safe": True}
