"""Take from pages the scripts they do not need, and repair markup that trips a screen reader."""

import re

# nothing here uses tab sets that follow each other, or code that runs on a server
UNNEEDED = ("sphinx-thebe", "thebe", "design-tabs.js", "THEBE_JS_URL")

REPAIRS = (
    # a bibliography is a plain list; these two roles are deprecated, and invalid where they stand
    (re.compile(r' role="doc-biblioentry"'), ' role="listitem"'),
    (re.compile(r' role="doc-backlink"'), ""),
    # the empty corner of a table is no header
    (re.compile(r"<th\b([^>]*)>\s*(?:<p>\s*</p>\s*)?</th>"), r"<td\1></td>"),
    # the name that myst-nb gives to the switch of hidden code hides the words that stand on it
    (re.compile(r'<summary aria-label="Toggle hidden content">'), "<summary>"),
)


def _needed(script, seen):
    name, body = str(script.filename or ""), script.attributes.get("body") or ""
    if (name or body) in seen or any(word in name or word in body for word in UNNEEDED):
        return False
    seen.add(name or body)
    return True


def _deferred(script):
    name, body = script.filename, script.attributes.get("body") or ""
    extra = {}
    if name and not {"async", "defer"} & set(script.attributes):
        extra["defer"] = "defer"
    elif body.startswith("DOCUMENTATION_OPTIONS."):
        extra["type"] = "module"  # so that it runs after the deferred documentation_options.js
    return type(script)(name, priority=script.priority, **{**script.attributes, **extra})


def trim(app, pagename, templatename, context, doctree):
    seen = set()
    scripts = [script for script in context.get("script_files", []) if _needed(script, seen)]
    if pagename != "search":  # its inline scripts need the files at once
        scripts = [_deferred(script) for script in scripts]
    context["script_files"] = scripts
    body = context.get("body")
    if body:
        for pattern, replacement in REPAIRS:
            body = pattern.sub(replacement, body)
        context["body"] = body


def setup(app):
    app.connect("html-page-context", trim, priority=950)  # after all that add scripts
    return {"parallel_read_safe": True, "parallel_write_safe": True}
