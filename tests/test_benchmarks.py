"""The benchmark runs, and its tables say what was measured."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import contenders, report, timing, work  # noqa: E402


def test_everything_runs_on_tiny_arrays(tmp_path):
    only = ["naive NumPy", "scikit-learn"]
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(tmp_path), "--only"]
    subprocess.run([*command, *only], cwd=ROOT, check=True, capture_output=True)
    page = (tmp_path / "results.md").read_text(encoding="utf-8")
    for heading in ("Goals", "Value", "Gradient alone", "Value and gradient", "Every loss"):
        assert f"## {heading}" in page
    assert "| mse, 300, float64 |" in page and "scikit-learn |" in page
    assert (tmp_path / "results.svg").stat().st_size > 1000


# "limit" is no loss, and compiling takes long
CONTENDERS = [name for name in contenders.installed()[0] if name not in ("limit", "torch.compile")]


@pytest.mark.parametrize("name", CONTENDERS)
@pytest.mark.parametrize(
    "task", work.all_work(sizes=(50,), tables=((20, 5),)), ids=lambda task: str(task)
)
def test_contenders_compute_the_same(name, task):
    arguments = task.arguments()
    ours = contenders.lossbook_calls(task, *arguments)
    calls = contenders.ALL[name][1](task, *arguments)
    rtol = 1e-4 if task.dtype == "float32" else 1e-12
    expected_value, expected_slope = ours["both"]()
    if "value" in calls:
        assert float(calls["value"]()) == pytest.approx(float(expected_value), rel=rtol)
    if "both" in calls:
        value, slope = calls["both"]()
        value = value.detach() if hasattr(value, "detach") else value
        assert float(value) == pytest.approx(float(expected_value), rel=rtol)
        np.testing.assert_allclose(np.asarray(slope), expected_slope, rtol=rtol, atol=1e-7)
    if name in ("lossbook", "naive NumPy"):
        np.testing.assert_allclose(calls["gradient"](), expected_slope, rtol=rtol, atol=1e-7)


def test_ratios_are_taken_within_a_round():
    ratio = timing.Ratio([2.0, 20.0, 3.0], [1.0, 10.0, 1.0])  # the second round was slow
    assert (ratio.median, ratio.low, ratio.high, ratio.of_minima) == (2, 2, 3, 2)
    assert str(ratio) == "2.00 (2.00–3.00)"


def test_every_call_runs_in_every_round():
    runs = []
    calls = {name: lambda name=name: runs.append(name) for name in "ab"}
    times = timing.interleaved(calls, rounds=5, at_least=0)
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 5, "b": 5}
    assert runs.count("a") == runs.count("b") == 5 + 3  # three to warm up and to count


def test_goals_are_met_or_not():
    task = work.Work("mse", (10_000_000,))
    fast = {"lossbook": [1.0, 1.0], "limit": [0.9, 0.9], "torch": [9.0, 9.0]}
    slow = {"lossbook": [1.0, 1.0], "limit": [0.5, 0.5], "torch": [2.0, 2.0]}
    reasons = {("value", task, "limit"): "because"}
    met = report.goals({task: {"value": fast}}, reasons).splitlines()[2:]
    assert len(met) == 2 and all("| yes |" in line for line in met)
    limit, torch = report.goals({task: {"value": slow}}, reasons).splitlines()[2:]
    assert "| ≤ 1.35 | 2.00 | 2.00 | **no** | because |" in limit
    assert "| torch | ≥ 2.5 | 2.00 |" in torch and "**no**" in torch


def test_the_table_leaves_out_what_was_not_measured():
    task = work.Work("huber", (7,))
    times = {task: {"value": {"lossbook": [1.0], "torch": [2.0]}}}
    table = report.table(times, "value")
    assert "limit" not in table and "scikit-learn" not in table
    assert "| huber, 7 | 2.00 (2.00–2.00) |" in table
