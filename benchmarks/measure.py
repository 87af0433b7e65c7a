"""The measurements: of one work by all contenders, here or in a process of its own."""

import json
import os
import subprocess
import sys

from benchmarks.contenders import installed, lossbook_calls, torch_calls
from benchmarks.timing import interleaved
from benchmarks.work import Work
from lossbook import kernels

KEPT_HEAP = {
    "GLIBC_TUNABLES": ":".join(
        f"glibc.malloc.{name}={1 << 30}" for name in ("mmap_threshold", "trim_threshold", "top_pad")
    )
}


def measure(work, contenders, rounds, whats=("value", "gradient", "both")):
    """The times of every contender: {what: {contender: [seconds]}}."""
    arguments = work.arguments()
    calls = {name: make(work, *arguments) for name, make in contenders.items()}
    result = {}
    for what in whats:
        those = {name: calls[name][what] for name in calls if what in calls[name]}
        result[what] = interleaved(those, rounds=rounds)
    return result


def measure_part(names, whats, work, rounds):
    """The same in this process for some contenders: what a child process is asked for."""
    contenders = {name: make for name, make in installed()[0].items() if name in names}
    return [measure(w, contenders, rounds, whats) for w in work]


def in_child(environment, names, whats, work, rounds):
    """`measure_part` in a process with another environment."""
    request = json.dumps([names, whats, [vars(w) for w in work], rounds])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--part", request],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def fixed_costs(losses, rounds):
    """The shortest time of a call with a thousand numbers, and of what is not arithmetic in it."""

    def without_arithmetic(call):
        run = kernels.run

        def timed():
            kernels.run = lambda *arguments: 1.0
            try:
                return call()
            finally:
                kernels.run = run

        return timed

    costs = {}
    for loss in losses:
        work = Work(loss, (100, 10) if loss == "cross_entropy" else (1000,))
        arguments = work.arguments()
        call = lossbook_calls(work, *arguments)["value"]
        calls = {"call": call, "rest": without_arithmetic(call)}
        if "torch" in installed()[0]:
            calls["torch"] = torch_calls(work, *arguments)["value"]
        times = interleaved(calls, rounds=rounds)
        costs[loss] = {
            name: min(times[name]) if name in times else None for name in ("call", "rest", "torch")
        }
    return costs


def one_thread_of_torch(names):
    if any(name.startswith(("torch", "Keras")) for name in names):
        import torch

        torch.set_num_threads(1)
