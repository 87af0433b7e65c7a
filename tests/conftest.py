"""What several tests share: one browser; and no silent skips on a CI server.

There nothing may be left out for want of a browser, of the built site or of PyTorch.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # read once, when keras is imported

import browser as chromium
import pytest

collect_ignore = ["conftest.py"]  # --doctest-modules would take it for a module of tests
OPTIONAL = (
    "tensorflow",
    "keras",
    "jax",
    "optax",
)  # requirements-frameworks.txt: not part of every run
_skipped = []


def pytest_runtest_logreport(report):
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if not any(name in reason.lower() for name in OPTIONAL):
            _skipped.append(f"{report.nodeid}: {reason}")


def _forbidden():
    return _skipped if os.environ.get("CI") else []


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if _forbidden():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    for line in _forbidden():
        terminalreporter.write_line(f"FAILED, skipped though CI is set: {line}", red=True)


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    path = chromium.find()
    if path is None:
        pytest.skip(chromium.ADVICE)
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=chromium.arguments())
        yield running
        running.close()
