"""What a cell printed reaches the page as it was printed."""

from nbformat.v4 import new_output
from streams import joined


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_a_line_that_was_cut_is_whole_again():
    outputs = joined([stream("loss 0."), stream("25\n  next"), stream(" line\n")])
    assert [output.text for output in outputs] == ["loss 0.25\n  next line\n"]


def test_what_stands_between_keeps_its_place():
    figure = new_output("display_data", data={"text/plain": "a figure"})
    outputs = joined([stream("a\n"), figure, stream("b\n"), stream("c\n", "stderr")])
    assert [o.get("text", "figure") for o in outputs] == ["a\n", "figure", "b\n", "c\n"]


def test_nothing_printed():
    assert joined([]) == []
