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

``python -m lossbook.catalogue`` prints all of them, and ends with their number.
"""

import importlib
import sys

import numpy as np

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


BY_FAMILY = {
    family: importlib.import_module(f"lossbook.facts.{family}").ENTRIES for family in FAMILIES
}
CATALOGUE = {entry.name: entry for entries in BY_FAMILY.values() for entry in entries}


def stated(entry, facts=FACTS):
    """The facts that the entry states: pairs of the fact's name and its words."""
    return {fact: words(entry, fact) for fact in facts if words(entry, fact)}


def wrong(entry, facts=FACTS):
    """What the checks find wrong with the facts that the entry states: no words, nothing wrong."""
    found = {fact: check(entry, fact) for fact in stated(entry, facts)}
    return {fact: words for fact, words in found.items() if words}


def markdown(entries=None, facts=FACTS):
    """A table of facts, a tick behind each that was checked just now; no fact without one."""
    lines = ["| loss | " + " | ".join(facts) + " |", "|---" * (1 + len(facts)) + "|"]
    for entry in CATALOGUE.values() if entries is None else entries:
        true = stated(entry, facts)
        for fact in wrong(entry, facts):
            del true[fact]
        cells = [f"{true[fact]} ✓".replace("|", r"\|") if fact in true else "" for fact in facts]
        lines.append(f"| `{entry.name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def words(entry, fact):
    """A fact as it is printed, or an empty string where it does not apply."""
    value = getattr(entry, fact)
    if value is None:
        return ""
    if fact in ("value", "gradient"):
        formulas = value if isinstance(value, tuple) else (value,)
        by = f" (by ${entry.of}_c$)" if fact == "gradient" and entry.of else ""
        return ", ".join(f"${_one_line(formula)}$" for formula in formulas) + by
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
    return " ".join(latex.replace("|", r"\vert ").split())


def _print():
    """Print the whole table, check every fact on the way, and count them."""
    count, failed = 0, {}
    for entry in CATALOGUE.values():
        print(f"{entry.name}: {entry.title} ({entry.chinese})")
        found = wrong(entry)
        for fact, said in stated(entry).items():
            count += 1
            print(f"  {'✗' if fact in found else '✓'} {fact.replace('_', ' ')}: {said}")
        for symbol, latex in entry.where:
            print(f"    {symbol} = {_one_line(latex)}")
        if entry.legend:
            print(f"    {entry.legend}")
        failed.update({(entry.name, fact): words for fact, words in found.items()})
    for words in failed.values():
        print(words)
    print(
        f"{len(CATALOGUE)} losses, {count} facts: "
        f"{count - len(failed)} checked, {len(failed)} unchecked"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    with np.errstate(all="ignore"):  # searches for a minimum overflow on their way
        sys.exit(_print())
