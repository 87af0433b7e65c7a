"""How nbval reads the notebooks of this book, and the limit on the time each may take.

The committed notebooks hold their text outputs only (see book/_tools/notebooks.py), so only text is
compared.
"""

import os
from collections import Counter

import pytest

NOT_COMMITTED = ("image/svg+xml", "text/html", "application/javascript", "application/json")
VEGA = tuple(f"application/vnd.vegalite.v{n}{end}" for n in (5, 6) for end in ("+json", ".json"))
LIMIT = float(os.environ.get("LOSSBOOK_NOTEBOOK_SECONDS", "60"))  # raise it on a slow machine
_seconds = Counter()

# the kernels run beside each other; see notebook_cache.py
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items):
    for notebook in {item.parent for item in items if hasattr(item.parent, "skip_compare")}:
        notebook.skip_compare += NOT_COMMITTED + VEGA


def pytest_runtest_logreport(report):
    name, _, cell = report.nodeid.partition("::")
    if name.endswith(".ipynb") and cell.startswith("Cell "):
        _seconds[name] += report.duration


def _slow():
    return {name: seconds for name, seconds in _seconds.items() if seconds > LIMIT}


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if _slow():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    if _seconds:
        terminalreporter.section("seconds a notebook")
        for name, seconds in _seconds.most_common():
            late = f"  FAILED: the limit is {LIMIT:.0f}" if name in _slow() else ""
            terminalreporter.write_line(f"{seconds:6.1f}  {name}{late}", red=bool(late))
