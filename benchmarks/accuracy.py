"""Write accuracy.md: the error of every loss beside every library, in units of the last place.

    python benchmarks/accuracy.py

The measurement is that of the tests: `tests/exactness.py`, at the inputs of
`tests/accuracy_inputs.py`. Nothing is drawn anew; another run on the same versions gives the same
page. It takes a minute or two.
"""

import importlib
import math
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).parent
# the helpers of the tests; and benchmarks/ itself must not stand in for other modules
sys.path[0] = str(HERE.parent / "tests")

import exactness  # noqa: E402
from test_accuracy import BETTER, FLOOR  # noqa: E402

import lossbook  # noqa: E402

LIBRARIES = {
    "torch": "torch",
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "optax": "optax",
    "sklearn": "scikit-learn",
}

PAGE = """# Accuracy

Written by `python benchmarks/accuracy.py`. {versions}.

Every loss was evaluated at the same inputs here (NumPy arrays) and by each library that has it, one
sample at a time, and compared with its formula in mpmath at 220 digits, the gradient with its
central difference there. An error is the distance from the exact result in units of the last
place, `eps · |exact result|`; for a gradient of several numbers, relative to the largest of them.
The tables give the largest error over the samples and parameter sets, **value / gradient**. An
error of 8.4e+06 in float32, or 4.5e+15 in float64, means that no digit is right, and none counts
more; ∞ is a NaN or an infinity in place of a number, or the reverse. "–" stands for what a library
does not have. Where a library can be called in several ways, its best one counts. Ours is the worst
of the ways in which an array may be evaluated: formula, blocks, kernels.

All is float32, but scikit-learn computes in float64: the last two columns are in units of float64.
Some libraries take only some of the samples, such as hard labels; `tests/test_accuracy.py` compares
on those alone, and wants ours to be no worse than any library, by more than {floor} units.
Large errors of a library are often meant: a probability that is clipped, an epsilon that is added.

## In short

Each set of inputs, parameter set, value and gradient is one comparison of two largest errors. A
difference of up to {floor} units counts as none.

| library | compared | ours smaller | no difference | ours larger | its median | our median |
|---|---|---|---|---|---|---|
{summary}

Ours is larger at:

{better}
"""


def number(error):
    if math.isinf(error):
        return "∞"
    if error < 9.95:
        return f"{error:.1f}"
    return f"{error:.0f}" if error < 9999 else f"{error:.1e}"


def cell(errors):
    """From {quantity: error}."""
    if not errors:
        return "–"
    return " / ".join(number(errors[q]) if q in errors else "–" for q in ("value", "gradient"))


def rows(found):
    """A row of the table for each set of inputs."""
    lines = []
    for what in dict.fromkeys(m.inputs for m in found):
        largest = {}  # by library, type, quantity; of several calls the best
        for m in found:
            if m.inputs == what:
                column = largest.setdefault((m.by, m.dtype), {}).setdefault(m.quantity, {})
                column[m.call] = max(column.get(m.call, 0.0), m.largest)
        best = {
            key: {quantity: min(calls.values()) for quantity, calls in column.items()}
            for key, column in largest.items()
        }
        columns = [(exactness.OURS, "float32")]
        columns += [(library, "float32") for library in list(LIBRARIES)[:-1]]
        columns += [(exactness.OURS, "float64"), ("sklearn", "float64")]
        lines.append([what, *(cell(best.get(column)) for column in columns)])
    return lines


def summary(everything):
    lines = []
    for library, title in LIBRARIES.items():
        pairs = []
        for found in everything.values():
            best = {}
            for ours, theirs, samples in exactness.comparisons(found):
                if theirs.by == library and samples:
                    key = ours.parameters, ours.inputs, ours.quantity
                    pair = theirs.largest_among(samples), ours.largest_among(samples)
                    best[key] = min(best.get(key, pair), pair)
            pairs += best.values()
        if not pairs:
            continue
        larger = sum(own > other + FLOOR for other, own in pairs)
        smaller = sum(other > own + FLOOR for other, own in pairs)
        medians = [number(statistics.median(side)) for side in zip(*pairs, strict=True)]
        equal = len(pairs) - larger - smaller
        lines.append(
            f"| {title} | {len(pairs)} | {smaller} | {equal} | {larger} | {' | '.join(medians)} |"
        )
    return "\n".join(lines)


def page(everything):
    installed = [
        f"{title} {importlib.import_module(module).__version__.split('+')[0]}"
        for module, title in {"numpy": "NumPy", **LIBRARIES}.items()
        if exactness.is_installed(module)
    ]
    better = [f"- `{n}`, {what}, {quantity}: {why}." for (n, what, quantity), why in BETTER.items()]
    parts = [
        PAGE.format(
            versions=", ".join(installed),
            floor=FLOOR,
            summary=summary(everything),
            better="\n".join(better),
        )
    ]
    families = {}
    for name in everything:
        formula = getattr(lossbook, name).formula
        families.setdefault(formula.__module__.split(".")[-1], []).append(name)
    head = ["loss", "inputs", "ours", "torch", "Keras", "TensorFlow", "optax"]
    head += ["ours, float64", "scikit-learn"]
    for family, names in sorted(families.items()):
        lines = [f"## {family.replace('_', ' ')}", "", f"| {' | '.join(head)} |"]
        lines.append("|---" * len(head) + "|")
        for name in names:
            for i, row in enumerate(rows(everything[name])):
                lines.append(f"| {' | '.join([f'`{name}`' if i == 0 else '', *row])} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def main():
    everything = {}
    for name in sorted(lossbook.__all__):
        print(name, file=sys.stderr, flush=True)
        everything[name] = exactness.measure(name)
    (HERE / "accuracy.md").write_text(page(everything), encoding="utf-8")


if __name__ == "__main__":
    main()
