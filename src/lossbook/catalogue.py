r"""What is true of each loss: formula, gradient, minimiser, shape, origin.

The facts themselves stand in `lossbook.facts`, one file a family. Every one is checked by
`lossbook.properties`, the formulas as they stand in LaTeX too. A fact that no check covers is not
printed:

    >>> entry = CATALOGUE["huber"]
    >>> entry.title, entry.minimiser, entry.convex
    ('Huber', 'the mean of the targets, those farther than δ moved to δ', True)
    >>> print(markdown([entry], facts=("gradient", "smooth", "bound")))
    | loss | gradient | smooth | bound |
    |---|---|---|---|
    | `huber` | $\operatorname{clip}(e, -\delta, \delta)$ ✓ | yes ✓ | $\delta$ ✓ |
"""

import importlib

from lossbook.entry import FACTS
from lossbook.properties import check

FAMILIES = (
    "regression",
    "robust",
    "likelihood",
    "classification",
    "variants",
    "margin",
    "similarity",
    "ranking",
    "preference",
    "overlap",
    "sequence",
)


def _collect():
    entries = {}
    for family in FAMILIES:
        for entry in importlib.import_module(f"lossbook.facts.{family}").ENTRIES:
            entries[entry.name] = entry
    return entries


CATALOGUE = _collect()


def checked(entry, facts=FACTS):
    """The facts of an entry that hold: pairs of the fact's name and its words."""
    return {
        fact: words(entry, fact) for fact in facts if words(entry, fact) and not check(entry, fact)
    }


def markdown(entries=None, facts=FACTS):
    """A table of facts, a tick behind each that was checked just now; no fact without one."""
    lines = ["| loss | " + " | ".join(facts) + " |", "|---" * (1 + len(facts)) + "|"]
    for entry in CATALOGUE.values() if entries is None else entries:
        true = checked(entry, facts)
        cells = [f"{true[fact]} ✓" if fact in true else "" for fact in facts]
        lines.append(f"| `{entry.name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def words(entry, fact):
    """A fact as it is printed, or an empty string where it does not apply."""
    value = getattr(entry, fact)
    if value is None:
        return ""
    if fact in ("value", "gradient"):
        formulas = value if isinstance(value, tuple) else (value,)
        return ", ".join(f"${_one_line(formula)}$" for formula in formulas)
    if fact == "bound":
        return value if value == "bounded" else f"${_one_line(value)}$"
    if fact == "activation":
        return f"{value}, inside the loss" if entry.inside else value
    if fact == "likelihood":
        return value if entry.times == 1 else f"{value}, {entry.times:g} times the loss"
    if fact == "special_case":
        return value.words
    return {True: "yes", False: "no"}.get(value, str(value))


def _one_line(latex):
    return latex.replace("|", r"\vert ").replace("\n", " ")
