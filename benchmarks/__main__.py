"""Measure, and write results.md and results.svg: python -m benchmarks, or make bench."""

import argparse
import json
import os
import sys
from pathlib import Path

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "KERAS_BACKEND": "torch",
    "JAX_PLATFORMS": "cpu",
}
HERE = Path(__file__).parent


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--core", type=int, help="the core to run on (default: the last)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    parser.add_argument("--output", type=Path, default=HERE, help="the folder of the results")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these contenders alone")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--every", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.every:
        from benchmarks import every_loss

        print(json.dumps(every_loss.measure(*json.loads(options.every))))
        return
    if options.part:
        from benchmarks.measure import measure_part, one_thread_of_torch
        from benchmarks.work import Work

        names, whats, work, rounds = json.loads(options.part)
        work = [Work(w["loss"], tuple(w["shape"]), w["dtype"]) for w in work]
        one_thread_of_torch(names)
        print(json.dumps(measure_part(names, whats, work, rounds)))
        return
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # libraries read these when they are loaded, so Python starts anew
        os.environ.update(ONE_THREAD)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks", *sys.argv[1:]])
    if hasattr(os, "sched_setaffinity"):
        core = max(os.sched_getaffinity(0)) if options.core is None else options.core
        os.sched_setaffinity(0, {core})
    from benchmarks.results import write

    write(options)


if __name__ == "__main__":
    main()
