"""All measurements in their order, and the page that they make."""

import sys

import numpy as np

from benchmarks import every_loss, report
from benchmarks.contenders import LIMIT, OURS, installed, limit_calls
from benchmarks.measure import KEPT_HEAP, fixed_costs, in_child, measure, one_thread_of_torch
from benchmarks.timing import Ratio, interleaved, number
from benchmarks.work import POINTWISE, TABLES, Work, all_work


def write(options):
    contenders, missing = installed()
    if options.only:
        contenders = {n: c for n, c in contenders.items() if n in (OURS, LIMIT, *options.only)}
    one_thread_of_torch(contenders)
    if options.quick:
        work = all_work(sizes=(300,), tables=((20, 5),))
        large = [Work("mse", (300,)), Work("cross_entropy", (20, 5))]
        rounds, n, names = 2, 2000, ["mse", "cross_entropy"]
    else:
        work = all_work()
        large = [w for w in work if w.shape[-1] == 10_000_000 or w.shape in TABLES]
        rounds, n, names = options.rounds, 10_000_000, None

    times = {}
    for w in work:
        print(w, file=sys.stderr, flush=True)
        times[w] = measure(w, contenders, rounds)
    torch_too = [name for name in (OURS, "torch", LIMIT) if name in contenders]
    print("with the heap kept", file=sys.stderr, flush=True)
    kept = in_child(KEPT_HEAP, torch_too, ["value", "both"], large, rounds)
    print("without AVX2", file=sys.stderr, flush=True)
    narrow = in_child(
        {"NPY_DISABLE_CPU_FEATURES": "X86_V3"}, [OURS, LIMIT], ["value"], large, rounds
    )
    costs = fixed_costs([*POINTWISE, "cross_entropy"], 3 if options.quick else 31)
    print("every loss", file=sys.stderr, flush=True)
    ratios = every_loss.measure_in_child(n, rounds, names)

    options.output.mkdir(exist_ok=True)
    report.figure(times, options.output / "results.svg")
    page = PAGE.format(
        machine=report.machine(),
        rounds=rounds,
        missing=f"Not installed, and so left out: {', '.join(missing)}.\n\n" if missing else "",
        goals=report.goals(times, reasons(times)),
        value=report.table(times, "value"),
        gradient=report.table(times, "gradient"),
        both=report.table(times, "both"),
        heap=heap(times, dict(zip(large, kept, strict=True))),
        narrow=without_avx2(times, dict(zip(large, narrow, strict=True))),
        fixed=report.fixed_cost(costs),
        every=report.every_loss(ratios),
    )
    (options.output / "results.md").write_text(page, encoding="utf-8")


def heap(times, kept):
    if "torch" not in next(iter(kept.values()))["value"]:
        return "torch was left out."
    lines = [
        report._row(
            [
                "work",
                "value",
                "heap kept",
                "share of the deficit",
                "value and gradient",
                "heap kept",
                "share of the deficit",
            ]
        )
    ]
    lines.append(report._row(["---"] * 7))
    for work, calls in kept.items():
        cells = [str(work)]
        for what in ("value", "both"):
            fresh, heap = (
                Ratio(source[what]["torch"], source[what][OURS]) for source in (times[work], calls)
            )
            share = (fresh.median - heap.median) / (fresh.median - 1)
            cells += [str(fresh), str(heap), f"{share:.0%}" if fresh.median > 1 else "–"]
        lines.append(report._row(cells))
    return "\n".join(lines)


def without_avx2(times, narrow):
    lines = [report._row(["work", "lossbook / limit", "without AVX2"]), report._row(["---"] * 3)]
    for work, calls in narrow.items():
        cells = [
            str(Ratio(source["value"][OURS], source["value"][LIMIT]))
            for source in (times[work], calls)
        ]
        lines.append(report._row([str(work), *cells]))
    return "\n".join(lines)


def reasons(times):
    """What the steps that cannot be left out cost by themselves, for goals that are not met."""
    result = {}
    for work, calls in times.items():
        if np.prod(work.shape) < 500_000:
            continue
        floor = _floors(work)
        for what, by in calls.items():
            for against in by:
                result[what, work, against] = _words(work, floor, by[against])
    return result


def _words(work, floor, times):
    if work.loss == "cross_entropy":
        ratio, share = number(min(times) / floor["exp_seconds"]), "NumPy's exp and nothing else"
        return f"with {share} the ratio would be {ratio}; sums, maxima and picks come on top"
    return {
        "mse": "difference and sum of squares of a block take {both} × the limit, the difference "
        "alone {subtract} ×",
        "mae": "difference, absolute value and sum of a block take {both} × the limit",
        "huber": "difference, clip and two products of a block take {both} × the limit",
        "bce_with_logits": "NumPy's exp alone takes {exp} × the limit, before ten more steps",
    }[work.loss].format(**floor)


def _floors(work):
    """What the steps of a kernel cost by themselves, in units of the memory limit."""
    target, prediction = work.arguments()
    flat = prediction.reshape(-1)
    block = 1 << 16
    parts = [slice(i, i + block) for i in range(0, flat.size - block + 1, block)]
    other = target if target.shape == prediction.shape else flat[::-1]
    scratch, clipped = (np.empty(block, flat.dtype) for _ in "ab")
    rows, columns = scratch.reshape(-1, 512), np.ones(512, flat.dtype)
    clipped_rows = clipped.reshape(-1, 512)

    def subtract():
        for part in parts:
            np.subtract(flat[part], other[part], scratch)

    def steps():
        for part in parts:
            np.subtract(flat[part], other[part], scratch)
            if work.loss == "mae":
                np.abs(scratch, scratch)
                np.vecdot(rows, columns)
            elif work.loss == "huber":
                scratch.clip(-1, 1, clipped)
                np.vecdot(rows, clipped_rows)
                np.vecdot(clipped_rows, clipped_rows)
            else:
                np.vecdot(rows, rows)

    def exp():
        for _ in parts:
            np.exp(clipped, scratch)

    clipped[:] = np.clip(-np.abs(flat[:block]), -5, 0)
    times = interleaved(
        {
            "limit": limit_calls(work, target, prediction)["value"],
            "subtract": subtract,
            "both": steps,
            "exp": exp,
        },
        rounds=31,  # the best of many: a step must not be timed beside another program
    )
    limit = min(times["limit"])
    floor = {name: number(min(times[name]) / limit) for name in ("subtract", "both", "exp")}
    return {**floor, "exp_seconds": min(times["exp"])}


PAGE = """# How long the losses take

Written by `make bench`; the `README.md` beside it says how to read it. Machine: {machine}.
One thread, one core, {rounds} interleaved rounds, float32 unless the row says otherwise.

{missing}A number is how many times as long as lossbook another library takes: the median of the
ratios within a round, with the smallest and the largest. More than 1 means that lossbook is faster.

![Ratios of the time of each library to that of lossbook, at the largest sizes](results.svg)

## Goals

{goals}

## Value

The limit is `np.dot` over the same bytes.

{value}

## Gradient alone

{gradient}

## Value and gradient

{both}

## With the heap kept

The ratio torch / lossbook as above, and in a process whose C library keeps freed memory. The
difference of the two is the cost of page faults; its share in what torch takes longer is given.

{heap}

## Without AVX2

lossbook with NumPy's AVX2 switched off (`NPY_DISABLE_CPU_FEATURES=X86_V3`). The limit, which is
BLAS, keeps its own.

{narrow}

## A call with a thousand numbers

Microseconds, the shortest of many rounds: the whole call for the value; the same without the
kernel's arithmetic, that is checks and bookkeeping; and torch's call.

{fixed}

## Every loss against its own formula

Ten million float32 numbers. How many times as long the loss takes when its formula is evaluated at
once by plain NumPy, with the same checks, instead of block by block. The gradients have three
rounds.

{every}
"""
