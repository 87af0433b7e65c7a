"""The directive `catalogue`: every loss of `lossbook.catalogue` on a page that can be searched.

Each loss is a fold: its picture and names outside, its facts inside. The facts are written as MyST,
so that formulas, citations and links are those of any page. catalogue.js adds the search, and only
this page loads it.
"""

from html import escape
from pathlib import Path

import numpy as np
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from lossbook.catalogue import BY_FAMILY, words
from lossbook.classwise import ClasswiseLoss
from lossbook.distributional import DistributionalLoss
from lossbook.libraries import EQUIVALENTS
from lossbook.overlap import MASK
from lossbook.sampling import Drawn
from lossbook.structured import StructuredLoss

SCRIPT = "catalogue.js"
TITLES = {
    "regression": "Regression",
    "robust": "Robust regression",
    "likelihood": "Likelihoods and scores of distributions",
    "classification": "Classification by probabilities",
    "variants": "Variants of cross-entropy",
    "margin": "Classification by margins",
    "similarity": "Similarity of vectors",
    "ranking": "Ranking",
    "preference": "Preferences",
    "overlap": "Overlap of masks",
    "sequence": "Sequences, and many outputs",
}
# the chapter that teaches a family; linked as soon as the book has it
CHAPTERS = {
    "regression": "regression",
    "robust": "regression",
    "likelihood": "likelihood",
    "classification": "classification",
    "variants": "classification",
    "margin": "classification",
    "similarity": "similarity",
    "ranking": "similarity",
    "preference": "similarity",
    "overlap": "overlap",
    "sequence": "overlap",
}
LIBRARIES = {
    "torch": "PyTorch",
    "keras": "Keras",
    "tensorflow": "TensorFlow",
    "sklearn": "scikit-learn",
    "optax": "Optax",
}
# what a fact is called on the page, with the section that explains it
LABELS = {
    "domain": "Domain",
    "minimiser": "{ref}`What it asks for <concepts-which-number>`",
    "convex": "{ref}`Convex in the prediction <overview-convex>`",
    "smooth": "{ref}`Continuous derivative <overview-smooth>`",
    "bound": "{ref}`Largest entry of the gradient <overview-robust>`",
    "proper": "{ref}`Proper <overview-proper>`",
    "activation": "Activation",
    "likelihood": "Likelihood",
    "special_case": "A case of",
}


class Catalogue(SphinxDirective):
    """All losses, family by family."""

    def run(self):
        source = Path(self.env.srcdir) / "src" / "lossbook"
        for path in (*source.glob("facts/*.py"), source / "libraries.py", Path(__file__)):
            self.env.note_dependency(str(path))
        lines = []
        for family, entries in BY_FAMILY.items():
            lines += [f"## {TITLES[family]}", "", *self.about(family), ""]
            for entry in entries:
                lines += loss(entry, family)
        box = nodes.container(classes=["loss-catalogue"])
        box.document = self.state.document
        self.state.nested_parse(
            StringList(lines, "catalogue"), self.content_offset, box, match_titles=True
        )
        return box.children

    def about(self, family):
        page = f"book/formulas/{CHAPTERS[family]}"
        return [f"Taught in {{doc}}`/{page}`."] if page in self.env.found_docs else []


def loss(entry, family):
    """The MyST of one loss."""
    named = {equivalent.library for equivalent in EQUIVALENTS.get(entry.name, ())}
    data = {
        "family": family,
        "libraries": " ".join(sorted(named)),
        "shape": " ".join(
            fact for fact in ("convex", "smooth", "proper") if words(entry, fact) not in ("", "no")
        )
        + (" bounded" if entry.bound != r"\infty" else ""),
        "words": f"{entry.name} {entry.title} {entry.chinese} {entry.source} "
        + " ".join(equivalent.label for equivalent in EQUIVALENTS.get(entry.name, ())),
    }
    attributes = " ".join(
        f'data-{key}="{escape(value, quote=True)}"' for key, value in data.items()
    )
    yield from html(
        f'<details class="loss" id="loss-{entry.name}" {attributes}><summary>{picture(entry)}'
        f"<span><code>{entry.name}</code> {escape(entry.title)} "
        f'(<span lang="zh">{entry.chinese}</span>)</span></summary>'
    )
    yield from definition("Loss", *formula(entry.value), *meanings(entry))
    gradients = entry.gradient if isinstance(entry.gradient, tuple) else (entry.gradient,)
    by = f"By ${entry.of}_c$." if entry.of else ""
    yield from definition("Gradient", *(line for one in gradients for line in formula(one)), by)
    for fact, label in LABELS.items():
        said = words(entry, fact)
        if said:
            yield from definition(label, said)
    yield from definition("First source", f"{{cite:t}}`{entry.source}`")
    for library in LIBRARIES:
        names = list(names_in(library, entry))
        if names:
            yield from definition(LIBRARIES[library], *(f"- {name}" for name in names))
    yield from html("</details>")


def definition(label, *lines):
    """A term and what is said about it."""
    yield label
    first = True
    for line in lines:
        yield (": " if first else "  ") + line if line else ""
        first = False
    yield ""


def formula(latex):
    return ["$$", " ".join(latex.split()), "$$"]


def meanings(entry):
    """What the symbols of the formula stand for."""
    defined = [f"${symbol} = {' '.join(latex.split())}$" for symbol, latex in entry.where]
    said = ", ".join(defined)
    parts = [f"With {said}." if said else "", f"Symbols: {entry.legend}." if entry.legend else ""]
    text = " ".join(part for part in parts if part)
    return ["", text] if text else []


def names_in(library, entry):
    """The paths in a library, each with how its value differs from call to call."""
    differences = {}
    for equivalent in EQUIVALENTS.get(entry.name, ()):
        if equivalent.library == library:
            differences.setdefault(equivalent.label, []).append(difference(equivalent))
    for label, all_of_them in differences.items():
        said = ". Also: ".join(words for words in all_of_them if words)
        yield f"`{label}`" + (f": {said}" if said else "")


def difference(equivalent):
    """How the value of a call differs from the value here."""
    differs = [] if equivalent.factor == "1" else [f"`{equivalent.factor}` times the value here"]
    if equivalent.up_to_constant:
        differs.append("up to a constant")
    if equivalent.note:
        differs.append(equivalent.note)
    return "; ".join(differs)


def html(text):
    yield "```{raw} html"
    yield text
    yield "```"
    yield ""


# A small picture: the loss over the prediction, and its gradient

TURNED = ("cosine_distance", "cosine_embedding")  # a straight line would pass a direction at once
FAR = {"dpo": 40, "ipo": 40}  # their β of 0.1 makes them nearly straight where others bend


def picture(entry):
    x, value, slope = curves(entry)
    lines = "".join(
        f'<polyline class="{name}" points="{points(x, y)}"></polyline>'
        for name, y in (("gradient", slope), ("value", value))
    )
    return f'<svg class="loss-picture" viewBox="0 0 80 48" aria-hidden="true">{lines}</svg>'


def points(x, y):
    """Pixels, with what is infinite left out."""
    low, high = np.nanmin(y[np.isfinite(y)]), np.nanmax(y[np.isfinite(y)])
    across = 2 + 76 * (x - x[0]) / (x[-1] - x[0])
    down = 45 - 42 * (y - low) / ((high - low) or 1)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True) if np.isfinite(b))


def curves(entry):
    """The loss along a path through predictions of one sample or batch, and its slope there."""
    parameters = entry.examples[0]
    drawn = Drawn(entry, parameters, np.random.default_rng(4), 1, 1.0)
    drawn.arrays = (clear(entry, parameters, drawn.arrays[0]), *drawn.arrays[1:])
    shares = np.linspace(0, 1, 80)  # an even number: the middle, where scores may tie, is left out
    rows, tangents = path(entry, parameters, drawn, shares[:, None])
    drawn = Repeated(drawn, len(shares))
    with np.errstate(all="ignore"):
        return shares, drawn.values(rows), np.sum(drawn.slopes(rows) * tangents, axis=1)


def clear(entry, parameters, target):
    """A target on which the loss shows what it does."""
    domain = entry.domains(parameters)[0]
    if getattr(entry.loss, "coupled", False) and entry.arguments[0] in entry.loss.labels:
        return np.array([[0, 0, 1, 1]])  # two classes, two samples of each
    if isinstance(entry.loss, StructuredLoss) and domain == MASK:
        return np.array([[1.0, 0.0, 0.0, 0.0]])
    return np.round(target) if getattr(domain, "high", np.inf) == 1 else target  # a hard label


def path(entry, parameters, drawn, shares):
    """Predictions with the interesting part of the loss on their way, and the way's derivative."""
    row = drawn.rows
    if entry.name in TURNED:  # the last vector turns from the first one's direction to the opposite
        first, last = drawn.arrays[-2][0], drawn.arrays[-1][0]
        along = first / np.linalg.norm(first)
        across = last - (last @ along) * along
        across, angle = across / np.linalg.norm(across), np.pi * (1 - shares)
        rows, tangents = np.repeat(row, len(shares), axis=0), np.zeros((len(shares), row.size))
        rows[:, -last.size :] = np.cos(angle) * along + np.sin(angle) * across
        tangents[:, -last.size :] = np.pi * (np.sin(angle) * along - np.cos(angle) * across)
        return rows, tangents
    start, end = ends(entry, parameters, drawn)
    return start + shares * (end - start), np.repeat(end - start, len(shares), axis=0)


def ends(entry, parameters, drawn):
    """Two predictions with the interesting part of the loss between them."""
    target_domain, domain = entry.domains(parameters)[0], entry.domains(parameters)[-1]
    row = drawn.rows
    zero = np.zeros_like(row)
    if getattr(entry.loss, "coupled", False):
        return row, Drawn(entry, parameters, np.random.default_rng(5), 1, 1.0).rows
    if entry.name == "triplet":  # the anchor goes from the negative to the positive
        _, positive, negative = drawn.arrays
        rest = np.concatenate((positive, negative), axis=1)
        start = negative + 0.02 * (positive - negative)  # at a distance of 0 there is no slope
        return np.hstack((start, rest)), np.hstack((positive, rest))
    if isinstance(entry.loss, StructuredLoss) and target_domain == MASK:
        return 1 - drawn.arrays[0], drawn.arrays[0]  # from all wrong to all right
    if isinstance(entry.loss, StructuredLoss):
        far = FAR.get(entry.name, 4)
        return (far * row, -far * row) if domain is None else (row, 1 - row)
    if isinstance(entry.loss, DistributionalLoss):
        along = 3 * np.eye(row.shape[1])[:1]  # the location alone
        return -along, along
    if isinstance(entry.loss, ClasswiseLoss):
        label = np.eye(row.shape[1])[drawn.arrays[0]]
        if entry.loss.prediction_name == "log_probabilities":
            return -3.5 * label - 0.1, zero - 0.1
        return -3 * label, 3 * label
    if domain is None:
        centre = drawn.arrays[0].reshape(row.shape) if target_domain is None else zero
        return centre - 3, centre + 3
    low = domain.low if np.isfinite(domain.low) else -4.0
    high = domain.high if np.isfinite(domain.high) else low + 4
    margin = 0.02 * (high - low)
    return zero + low + margin, zero + high - margin


class Repeated(Drawn):
    """One sample of another drawing, many times."""

    def __init__(self, drawn, n):
        self.__dict__.update(drawn.__dict__)
        self._n = n
        self.arrays = tuple(np.repeat(array, n, axis=0) for array in drawn.arrays)


def add_script(app, pagename, templatename, context, doctree):
    if 'class="loss"' in context.get("body", ""):
        app.add_js_file(SCRIPT)


def setup(app):
    app.add_directive("catalogue", Catalogue)
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
