"""Execute the book's notebooks in parallel and bring them into the form that is committed.

    python book/_tools/notebooks.py                       all notebooks of _toc.yml
    python book/_tools/notebooks.py book/background.ipynb  one of them
    ... --force              execute even what the cache holds
    ... --normalise-only     bring into form without executing
    ... --check              change nothing; fail and name what is not in form
    ... --list               print the notebooks of _toc.yml

The form: text outputs are kept, for they are what the tests compare; pictures, tables as HTML and
whatever else changes without meaning is dropped, so that a difference between two versions can be
read. Cells are counted 1, 2, 3, because nbval takes an uncounted cell for one that was never run.
"""

import argparse
import hashlib
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "book" / "_ext"))
import notebook_cache  # noqa: E402

SECONDS = 60  # the most that a notebook of this book may take
NOTEBOOK_METADATA = {"myst", "mystnb", "title", "tocdepth", "orphan"}
CELL_METADATA = {"tags", "mystnb", "slideshow"}
TEXT = {"text/plain", "text/markdown", "text/latex"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}
CHANGING = re.compile(r"\b0x[0-9a-f]{6,}|(?<![\w.])(?:/tmp|/home|/root|/Users)/\S+|[A-Z]:\\\S+")


def _ignored(cell):
    marked = any(
        line.strip().lstrip("# ") == "NBVAL_IGNORE_OUTPUT" for line in cell.source.splitlines()
    )
    return marked or "nbval-ignore-output" in cell.metadata.get("tags", [])


def _outputs(cell):
    kept = []
    for output in cell.outputs:
        if output.output_type == "stream":
            if kept and kept[-1].output_type == "stream" and kept[-1].name == output.name:
                kept[-1].text += output.text
            else:
                kept.append(nbformat.v4.new_output("stream", name=output.name, text=output.text))
        elif (
            output.output_type == "error"
        ):  # of a cell that is meant to fail; the traceback names local files
            kept.append(
                nbformat.v4.new_output(
                    "error", ename=output.ename, evalue=output.evalue, traceback=[]
                )
            )
        else:
            data = {mime: text for mime, text in output.data.items() if mime in TEXT}
            if data:
                kept.append(nbformat.v4.new_output(output.output_type, data=data))
    return kept


def normalise(notebook):
    """The same notebook in the form in which it is committed."""
    metadata = {key: value for key, value in notebook.metadata.items() if key in NOTEBOOK_METADATA}
    result = nbformat.v4.new_notebook(
        metadata={**metadata, "kernelspec": KERNEL, "language_info": LANGUAGE}
    )
    result.nbformat_minor = 5
    ids, count = set(), 0
    for cell in notebook.cells:
        new = nbformat.from_dict(
            {"cell_type": cell.cell_type, "source": cell.source, "metadata": {}}
        )
        new.metadata.update({k: v for k, v in cell.metadata.items() if k in CELL_METADATA and v})
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        new.id = next(
            i for n in range(1, 10**6) if (i := name if n == 1 else f"{name}-{n}") not in ids
        )
        ids.add(new.id)
        if cell.cell_type == "code":
            count += 1
            new.execution_count = count
            new.outputs = [] if _ignored(cell) else _outputs(cell)
            for output in new.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
        elif cell.get("attachments"):
            new.attachments = cell.attachments
        result.cells.append(new)
    nbformat.validate(result)
    return result


def text_of(notebook):
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def problems(notebook):
    """What makes the outputs of a notebook unfit to be committed, as sentences."""
    count = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        count += 1
        lines = cell.source.rstrip().splitlines() or [""]
        if lines[-1].rstrip().endswith(";"):
            yield f"cell {count} ends with ';', which nbval ignores: end a plot with plt.show()"
        allowed = "raises-exception" in cell.metadata.get("tags", [])
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                yield f"cell {count} writes to standard error: {output.text.strip()[:200]!r}"
            elif output.output_type == "error" and not allowed:
                yield f"cell {count} raises {output.ename}: {output.evalue}"
            texts = [
                output.get("text", ""),
                *(t for m, t in output.get("data", {}).items() if m in TEXT),
            ]
            for text in texts:
                found = CHANGING.search(text)
                if found and not _ignored(cell):
                    yield f"cell {count} prints what is different on every machine: {found[0]}"


def _executed(paths, force):
    folder = notebook_cache.cache_folder(ROOT)
    failed = notebook_cache.execute(paths, folder, force=force)
    for path in paths:
        if str(path) in failed:
            yield path, None, 0.0, failed[str(path)]
        else:
            notebook, seconds = notebook_cache.executed(path, folder)
            yield path, notebook, seconds, ""


def _name(path):
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def check(paths):
    """``{name: [problems]}`` of the notebooks that are not fit to be committed."""
    found = {}
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        wrong = list(problems(notebook))
        if text_of(normalise(notebook)) != path.read_text(encoding="utf8"):
            wrong.insert(0, "it is not in the committed form: run `make notebooks`")
        if wrong:
            found[_name(path)] = wrong
    return found


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, help="notebooks (default: those of _toc.yml)"
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--normalise-only", action="store_true")
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument(
        "--limit", type=float, default=SECONDS, help="seconds a notebook may take (default: 60)"
    )
    options = parser.parse_args(arguments)
    paths = [path.resolve() for path in options.paths] or notebook_cache.toc_notebooks(ROOT)

    if options.list:
        print("\n".join(_name(path) for path in paths))
        return 0
    if options.check:
        found = check(paths)
        for name, wrong in found.items():
            print(*(f"{name}: {problem}" for problem in wrong), sep="\n")
        return 1 if found else 0
    if options.normalise_only:
        results = ((path, nbformat.read(path, as_version=4), 0.0, "") for path in paths)
    else:
        results = _executed(paths, options.force)

    status = 0
    for path, notebook, seconds, failure in results:
        wrong = [failure] if failure else list(problems(notebook))
        if seconds > options.limit:
            wrong.append(f"it took {seconds:.0f} s; the limit is {options.limit:.0f} s")
        if notebook is not None:
            text = text_of(normalise(notebook))
            changed = text != path.read_text(encoding="utf8")
            if changed:
                path.write_text(text, encoding="utf8")
            print(f"{_name(path)}: {seconds:.1f} s, {'rewritten' if changed else 'unchanged'}")
        for problem in wrong:
            status = 1
            print(f"{_name(path)}: {problem}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
