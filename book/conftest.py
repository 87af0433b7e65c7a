"""How nbval reads the notebooks of this book, and the limit on the time each may take.

The committed notebooks hold their text outputs only (see book/_tools/notebooks.py), so only text is
compared. Time is that of the processor: it stays the same beside whatever else the machine does.
"""

import os

import psutil
import pytest

NOT_COMMITTED = ("image/svg+xml", "text/html", "application/javascript", "application/json")
VEGA = tuple(f"application/vnd.vegalite.v{n}{end}" for n in (5, 6) for end in ("+json", ".json"))
LIMIT = 60.0

collect_ignore = ["conftest.py"]  # --doctest-modules would take it for a module of tests
_seconds = {}

# the kernels run beside each other; see notebook_cache.py
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items):
    for notebook in {item.parent for item in items if hasattr(item.parent, "skip_compare")}:
        notebook.skip_compare += NOT_COMMITTED + VEGA


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield
    kernel = getattr(item.parent, "kernel", None)
    if kernel is not None and kernel.is_alive():
        used = psutil.Process(kernel.km.provisioner.pid).cpu_times()
        item.user_properties.append(("seconds", used.user + used.system))


def pytest_runtest_logreport(report):
    seconds = dict(report.user_properties).get("seconds")
    if seconds is not None:
        _seconds[report.nodeid.partition("::")[0]] = seconds  # of the kernel up to this cell


def _slow():
    return [name for name, seconds in _seconds.items() if seconds > LIMIT]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if _slow():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    if _seconds:
        terminalreporter.section("seconds of processor time a notebook")
        for name, seconds in sorted(_seconds.items(), key=lambda pair: -pair[1]):
            late = f"  FAILED: the limit is {LIMIT:.0f}" if name in _slow() else ""
            terminalreporter.write_line(f"{seconds:6.1f}  {name}{late}", red=bool(late))
