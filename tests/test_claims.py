"""The claims of the pages that are no notebooks: their code runs and gives what they say."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "book" / "index.md"]
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks():
    for page in PAGES:
        for k, block in enumerate(CODE.findall(page.read_text(encoding="utf8"))):
            yield pytest.param(block, id=f"{page.name}-{k}")


def text(value):
    """What an interactive session shows, without the type of a NumPy scalar."""
    return repr(value.item() if isinstance(value, np.generic) else value)


@pytest.mark.parametrize("block", list(blocks()))
def test_code_on_a_page_gives_what_its_comments_say(block, capsys):
    names, claims = {}, 0
    lines = block.splitlines()
    for statement in ast.parse(block).body:
        source = ast.get_source_segment(block, statement)
        said = lines[statement.end_lineno - 1][statement.end_col_offset :].partition("#")[2].strip()
        if said and isinstance(statement, ast.Expr):
            assert text(eval(source, names)) == said
            claims += 1
        else:
            exec(source, names)
    printed = capsys.readouterr().out
    if printed:  # the comment lines after the last statement are what it prints
        after = lines[ast.parse(block).body[-1].end_lineno :]
        assert printed.splitlines() == [line.removeprefix("# ") for line in after]
        claims += 1
    assert claims, "this code claims nothing, so nothing was checked"
