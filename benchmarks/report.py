"""The tables, the goals and the figure, from the times."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.contenders import LIMIT, OURS
from benchmarks.every_loss import REASONS
from benchmarks.timing import Ratio, number

HERE = Path(__file__).parent
TITLES = {
    "value": "Value",
    "gradient": "Gradient alone",
    "both": "Value and gradient",
}

# (what, loss, shape, type, against, factor): lossbook is to be so many times as fast; against the
# limit it is to take no more than so many times as long
N = (10_000_000,)
WIDE, TALL = (4_096, 1_000), (65_536, 10)
GOALS = [
    ("value", "mse", N, "float32", LIMIT, 1.35),
    ("value", "mse", N, "float64", LIMIT, 1.6),
    ("value", "mae", N, "float32", LIMIT, 1.8),
    ("value", "huber", N, "float32", LIMIT, 2.0),
    ("value", "bce_with_logits", N, "float32", LIMIT, 5),
    ("value", "mse", N, "float32", "torch", 2.5),
    ("value", "mae", N, "float32", "torch", 3.5),
    ("value", "huber", N, "float32", "torch", 2),
    ("value", "bce_with_logits", N, "float32", "torch", 2.5),
    ("value", "cross_entropy", TALL, "float32", "torch", 5),
    ("value", "cross_entropy", WIDE, "float32", "torch", 0.95),
    ("value", "mse", N, "float32", "scikit-learn", 3),
    ("value", "mae", N, "float32", "scikit-learn", 3),
    ("value", "bce_with_logits", N, "float32", "scikit-learn", 30),
    ("value", "cross_entropy", TALL, "float32", "scikit-learn", 8),
    ("value", "cross_entropy", WIDE, "float32", "scikit-learn", 8),
    ("value", "bce_with_logits", N, "float32", "Optax, jit", 2),
    ("both", "mse", N, "float32", "torch", 2.5),
    ("both", "mae", N, "float32", "torch", 2.5),
    ("both", "huber", N, "float32", "torch", 2.5),
    ("both", "mse", N, "float32", "Optax, jit", 1.4),
    ("both", "mae", N, "float32", "Optax, jit", 1.4),
    ("both", "huber", N, "float32", "Optax, jit", 1.4),
    ("both", "mse", N, "float32", "torch.compile", 1.4),
    ("both", "mae", N, "float32", "torch.compile", 1.4),
    ("both", "huber", N, "float32", "torch.compile", 1.4),
    ("both", "cross_entropy", TALL, "float32", "torch", 5),
    ("both", "cross_entropy", WIDE, "float32", "torch", 1.4),
]


def machine():
    """The processor and its instruction set, and the versions of the libraries."""
    model, flags = platform.machine(), ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = dict(
            line.split(":", 1) for line in info.read_text().splitlines() if line.count(":")
        )
        fields = {key.strip(): text.strip() for key, text in lines.items()}
        model, flags = fields.get("model name", model), fields.get("flags", "")
    sets = [
        name for flag, name in (("avx2", "AVX2"), ("avx512f", "AVX-512")) if flag in flags.split()
    ]
    packages = ["numpy", "torch", "jax", "optax", "keras", "scikit-learn"]
    found = [f"{name} {v}" for name in packages if (v := _version(name))]
    return (
        f"{model}, {' and '.join(sets) or 'instruction set not known'}; "
        f"Python {platform.python_version()}, {', '.join(found)}"
    )


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def table(times, what):
    """One row a work, one column a contender: how many times as long as lossbook it takes."""
    rows = {work: calls[what] for work, calls in times.items() if what in calls}
    names = dict.fromkeys(name for calls in rows.values() for name in calls)
    columns = [name for name in names if name not in (OURS, LIMIT)]
    lines = []
    head = ["work", *(["lossbook / limit"] if LIMIT in names else []), *columns]
    lines += [_row(head), _row(["---"] * len(head))]
    for work, calls in rows.items():
        cells = [str(work)]
        if LIMIT in names:
            cells.append(str(Ratio(calls[OURS], calls[LIMIT])) if LIMIT in calls else "–")
        cells += [
            str(Ratio(calls[name], calls[OURS])) if name in calls else "–" for name in columns
        ]
        lines.append(_row(cells))
    return "\n".join(lines)


def goals(times, reasons):
    """Each goal with what was measured: met, not met and why, or not measured."""
    lines = [_row(["work", "against", "goal", "median", "of minima", "met", "reason"])]
    lines.append(_row(["---"] * 7))
    by_key = {(work.loss, work.shape, work.dtype): calls for work, calls in times.items()}
    for what, loss, shape, dtype, against, factor in GOALS:
        work = next((w for w in times if (w.loss, w.shape, w.dtype) == (loss, shape, dtype)), None)
        calls = by_key.get((loss, shape, dtype), {}).get(what, {})
        if against not in calls:
            continue
        if against == LIMIT:
            ratio, sign = Ratio(calls[OURS], calls[LIMIT]), "≤"
            met = ratio.median <= factor
        else:
            ratio, sign = Ratio(calls[against], calls[OURS]), "≥"
            met = ratio.median >= factor
        lines.append(
            _row(
                [
                    f"{work}: {TITLES[what].lower()}",
                    against,
                    f"{sign} {factor:g}",
                    number(ratio.median),
                    number(ratio.of_minima),
                    "yes" if met else "**no**",
                    "" if met else reasons.get((what, work, against), ""),
                ]
            )
        )
    return "\n".join(lines)


def every_loss(ratios):
    lines = [_row(["loss", "value", "gradient", "value at least 2×"]), _row(["---"] * 4)]
    for name, ratio in ratios.items():
        met = ratio["value"].median >= 2
        remark = "yes" if met else f"no: {REASONS.get(name, 'not looked into')}"
        lines.append(_row([f"`{name}`", str(ratio["value"]), str(ratio["gradient"]), remark]))
    return "\n".join(lines)


def fixed_cost(costs):
    lines = [_row(["loss", "call", "without the arithmetic", "torch"]), _row(["---"] * 4)]
    for name, cost in costs.items():
        lines.append(_row([f"`{name}`", *(f"{1e6 * x:.1f}" if x else "–" for x in cost.values())]))
    return "\n".join(lines)


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def figure(times, path):
    """A point a contender: how many times as long as lossbook, at the largest sizes."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "lossbook"
    import matplotlib.pyplot as plt

    largest = {}
    for work in times:
        if work.dtype == "float32" and len(work.shape) == 1:
            key = work.loss
            if key not in largest or work.shape > largest[key].shape:
                largest[key] = work
    shown = [*largest.values(), *(work for work in times if len(work.shape) == 2)]
    names = dict.fromkeys(name for calls in times.values() for c in calls.values() for name in c)
    names = [name for name in names if name not in (OURS, LIMIT)]
    markers = dict(zip(names, "osD^vP*X", strict=False))
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True, layout="constrained")
    for ax, what in zip(axes, ("value", "both"), strict=True):
        for name in names:
            points = [
                (Ratio(times[work][what][name], times[work][what][OURS]), row)
                for row, work in enumerate(shown)
                if name in times[work].get(what, {})
            ]
            if not points:
                continue
            ratios, rows = zip(*points, strict=True)
            middle = [ratio.median for ratio in ratios]
            spread = [
                [ratio.median - ratio.low for ratio in ratios],
                [ratio.high - ratio.median for ratio in ratios],
            ]
            ax.errorbar(middle, rows, xerr=spread, fmt=markers[name], label=name, alpha=0.8)
        ax.axvline(1, color="0.4", linewidth=1)
        ax.set(xscale="log", title=TITLES[what], xlabel="times as long as lossbook")
        ax.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
        ax.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(shown)), [str(work) for work in shown])
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
