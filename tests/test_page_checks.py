"""Each check of the finished pages fails on the fault that it is there for, and on nothing else."""

import page_checks
import pytest

GOOD = """<h1 id="top">Title</h1><p>A loss <span class="math">$$\\frac{1}{n}$$</span>
<code>x[::-1]</code> <a href="#top">up</a> <a href="other.html#there">there</a>
<a href="https://example.org">out</a></p>
<pre>print("{ref}")</pre><script>let x = "$$";</script>
<img src="a.png" alt="A curve that falls.">"""


def _faults(tmp_path, body):
    (tmp_path / "page.html").write_text(body, encoding="utf8")
    (tmp_path / "other.html").write_text('<p id="there">here</p>', encoding="utf8")
    (tmp_path / "a.png").write_bytes(b"")
    return page_checks.faults(tmp_path).get("page.html", [])


def test_a_good_page_has_no_faults(tmp_path):
    assert _faults(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<p>:::{note}</p>", "a directive"),
        ("<p>```{exercise}</p>", "a directive"),
        ("<pre>:::{note}\nx\n:::</pre>", "MyST"),
        ("<pre>```{exercise}\nx</pre>", "MyST"),
        ("<p>See {ref}<code>fig-loss</code>.</p>", "a role"),
        ("<p>See {cite:p}`huber1964`.</p>", "a role"),
        ("<p>(a-label)=\n</p>", "a label"),
        ("<p>$$ x $$</p>", "TeX"),
        (r"<p>the sum \sum_i</p>", "TeX"),
        ('<p><span class="katex-error" title="Expected }">x</span></p>', "Expected }"),
        ('<img src="a.png">', "no alt text"),
        ('<img src="a.png" alt="">', "no alt text"),
        ('<img src="a.png" alt="a.png">', "a file name"),
        ('<img src="a.png" alt="../_images/0123abcd.png">', "a file name"),
        ('<a href="missing.html">x</a>', "a missing file"),
        ('<a href="#missing">x</a>', "a missing place"),
        ('<a href="other.html#missing">x</a>', "a missing place"),
        ('<script src="https://example.org/x.js"></script>', "from another place"),
        ('<img src="https://example.org/x.png" alt="A curve.">', "from another place"),
    ],
)
def test_a_fault_is_named(tmp_path, body, message):
    found = _faults(tmp_path, body)
    assert any(message in fault for fault in found), found
