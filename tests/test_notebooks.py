"""The notebooks are committed in the one form that keeps differences readable."""

from pathlib import Path

import nbformat
import notebooks
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "path", notebooks.notebook_cache.toc_notebooks(), ids=lambda path: path.name
)
def test_notebook_is_committed_in_normal_form(path):
    assert notebooks.check([path]) == {}


def _cell(source, *outputs, tags=()):
    return nbformat.v4.new_code_cell(
        source, outputs=list(outputs), metadata={"tags": list(tags), "scrolled": True}
    )


def _notebook(*cells):
    metadata = {"widgets": {}, "kernelspec": {"name": "my-env", "display_name": "mine"}}
    return nbformat.v4.new_notebook(cells=list(cells), metadata=metadata)


def _printed(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def _shown(**data):
    return nbformat.v4.new_output(
        "display_data", data={k.replace("_", "/"): v for k, v in data.items()}
    )


def test_text_is_kept_and_pictures_are_dropped():
    outputs = [
        _printed("1.5\n"),
        _shown(text_plain="<Figure size 640x480 with 1 Axes>", image_png="aGk="),
    ]
    result = notebooks.normalise(_notebook(_cell("f()", *outputs)))
    first, second = result.cells[0].outputs
    assert first.text == "1.5\n"
    assert second.data == {"text/plain": "<Figure size 640x480 with 1 Axes>"}


def test_metadata_of_the_machine_is_dropped_and_that_of_the_book_is_kept():
    cell = _cell("f()", tags=["hide-input"])
    cell.metadata["mystnb"] = {"image": {"alt": "A line."}}
    result = notebooks.normalise(_notebook(cell))
    assert result.cells[0].metadata == {
        "tags": ["hide-input"],
        "mystnb": {"image": {"alt": "A line."}},
    }
    assert result.metadata == {"kernelspec": notebooks.KERNEL, "language_info": notebooks.LANGUAGE}


def test_pieces_of_one_stream_are_joined():
    result = notebooks.normalise(_notebook(_cell("f()", _printed("a\n"), _printed("b\n"))))
    assert [output.text for output in result.cells[0].outputs] == ["a\nb\n"]


def test_outputs_that_are_not_compared_are_not_committed():
    result = notebooks.normalise(
        _notebook(_cell("# NBVAL_IGNORE_OUTPUT\nprint(t)", _printed("0.123\n")))
    )
    assert result.cells[0].outputs == []


def test_equal_cells_get_different_ids_and_the_same_ones_every_time():
    book = _notebook(_cell("f()"), _cell("f()"))
    first, second = notebooks.normalise(book), notebooks.normalise(book)
    ids = [cell.id for cell in first.cells]
    assert len(set(ids)) == 2
    assert ids == [cell.id for cell in second.cells]


def test_normal_form_is_a_fixed_point():
    book = _notebook(
        _cell("f()", _printed("a\n")), nbformat.v4.new_markdown_cell("# Title"), _cell("")
    )
    once = notebooks.text_of(notebooks.normalise(book))
    again = notebooks.normalise(nbformat.reads(once, as_version=4))
    assert notebooks.text_of(again) == once


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (_cell("f()", _printed("10%|#", "stderr")), "standard error"),
        (
            _cell("f()", nbformat.v4.new_output("error", ename="ValueError", evalue="no")),
            "raises ValueError",
        ),
        (_cell("plt.plot(x);"), "plt.show()"),
        (_cell("f", _shown(text_plain="<function f at 0x7f2a3c>")), "different on every machine"),
        (_cell("f()", _printed("/home/me/data.csv\n")), "different on every machine"),
    ],
)
def test_unfit_outputs_are_named(cell, message):
    (problem,) = notebooks.problems(_notebook(cell))
    assert message in problem


def test_a_cell_that_is_meant_to_fail_may_fail():
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=["/home/me"])
    book = _notebook(_cell("f()", error, tags=["raises-exception"]))
    assert list(notebooks.problems(book)) == []
    assert notebooks.normalise(book).cells[0].outputs[0].traceback == []


def test_check_names_a_notebook_that_was_edited_by_hand(tmp_path):
    path = tmp_path / "page.ipynb"
    path.write_text(
        notebooks.text_of(notebooks.normalise(_notebook(_cell("f()")))), encoding="utf8"
    )
    assert notebooks.check([path]) == {}
    path.write_text(
        path.read_text(encoding="utf8").replace('"execution_count": 1', '"execution_count": 7')
    )
    assert list(notebooks.check([path])) == [str(path)]
    assert notebooks.main(["--check", str(path)]) == 1
