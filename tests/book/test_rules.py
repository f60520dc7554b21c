"""Each rule for chapters is silent about a sound chapter, and each for their form complains about a broken one."""

import pytest
from nbformat.v4 import new_output

from tests.book.sound import edit, image, output, png, prints, tag
from tools import rules
from tools.book import Book
from tools.chapter import Chapter
from tools.rules import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_chapter_passes(sound, rule):
    assert sound.judged(rule) == ""


@pytest.mark.parametrize(
    ("rule", "change", "complaint"),
    [
        (
            rules.python,
            edit(3, "import math", "import math\n  %matplotlib inline"),
            "cell [3] is not Python (unexpected indent; no %magic, no !command): %matplotlib inline",
        ),
        (
            rules.python,
            edit(11, "\n2", "\n!ls 2"),
            "cell [6] is not Python (invalid syntax; no %magic, no !command): !ls",
        ),
        (rules.header, edit(0, "**Time:**", "Time:"), "the first cell is not"),
        (rules.header, edit(0, "you can add.", "you can add. And more."), "one sentence"),
        (rules.header, edit(0, "someone/small-book", "another/small-book"), "the Colab link is"),
        (rules.header, edit(0, "one.ipynb", "two.ipynb"), "the Colab link is"),
        (rules.opening, edit(1, "import sys", "import os"), "the set-up cell differs"),
        (rules.opening, tag(1), "not tagged hide-cell"),
        (rules.opening, edit(2, "quick", "full"), "the third cell"),
        (rules.opening, tag(2), "the third cell"),
        (rules.opening, edit(3, "import", "#"), "the fourth cell"),
        (rules.sections, edit(8, "## Check yourself", "## Quiz"), "the last sections"),
        (rules.sections, edit(4, "## Does", "### Does"), "leaves out a level"),
        (rules.sections, edit(4, "## Does", "# Does"), "exactly one title"),
        (rules.width, edit(3, "math", "math  #" + " x" * 40), "columns"),
        (rules.width, edit(4, "a + b\n", "a + b  #" + " x" * 40 + "\n"), "columns"),
        (rules.endings, edit(5, "add))", "add));"), "end with plt.show()"),
        (rules.folding, tag(11), "go together"),
        (rules.folding, edit(11, "#@title Solution {", "# Solution {"), "go together"),
        (rules.folding, edit(11, "\n2", "\n#@title 2"), "not the first line"),
        (rules.folding, edit(4, "</summary>", ""), "do not match"),
        (
            rules.figures,
            output(5, image(png()), new_output("execute_result", data={"text/plain": "Text(0, 0)"})),
            "prints what its last line returns",
        ),
        (rules.figures, lambda cells: cells[5].metadata.clear(), "no alt text"),
        (rules.figures, edit(6, "*Figure 1.", "Figure 1."), "does not begin with the paragraph *Figure 1."),
        (rules.figures, edit(6, "Figure 1", "Figure 2"), "does not begin with the paragraph *Figure 1."),
        (rules.figures, edit(6, "A sum.*", "A sum.*\nMore."), "does not begin with the paragraph *Figure 1."),
        (rules.figures, output(5, image(png(b"Software"))), "names the software"),
        (rules.figures, edit(4, "Equation (1)", "![](x.png)"), "no alt text"),
        (rules.figures, edit(4, "figure 1", "figure 2"), "figure 2 is named, and no figure has that number"),
        (rules.figures, edit(4, "figure 1", "in\nFigures 1 and 3"), "figure 3 is named"),
        (rules.figures, edit(4, "figure 1", "figures 1, 2 and 4"), "figure 2 is named"),
        (rules.figures, edit(4, "figure 1", "figures 1–4"), "figure 4 is named"),
        (rules.header, edit(0, "nothing.", "[Later](two.ipynb)."), "builds on two, which does not come before it"),
        (rules.outputs, tag(5, "nbval-skip"), "unknown tags"),
        (rules.outputs, output(3, new_output("stream", name="stderr", text="x")), "stores stderr"),
        (rules.outputs, output(3, new_output("error", ename="E", evalue="", traceback=[])), "stores an error"),
        (rules.outputs, prints(3, "/home/me/x"), "a path of a machine: /home/"),
        (rules.outputs, prints(3, "C:\\Users\\me"), "a path of a machine"),
        (rules.outputs, prints(3, "<a at 0x7f0012ab>"), "prints an address"),
        (rules.outputs, edit(3, "math", "math  # /Users/me"), "stands in a cell"),
        (rules.records, edit(5, "one-sum", "two-sum"), "two-sum does not begin with one-"),
        (rules.records, edit(5, "one-sum", "one"), "the record one does not begin with one-"),
        (rules.records, edit(5, "one-sum", "onesum"), "onesum does not begin with one-"),
        (rules.records, edit(11, "\n2", '\nrecord("one-sum", add)'), "one-sum is made twice"),
    ],
)
def test_a_broken_chapter_is_named(sound, rule, change, complaint):
    assert complaint in sound.broken(change, rule)


@pytest.mark.parametrize("position", [1, 2, 3, 5, 10, 11])
def test_a_cell_that_is_not_python_stops_no_rule(sound, position):
    sound.notebook.cells[position].source = "%matplotlib inline"
    found = "\n".join(sound.judged(rule) for rule in RULES)
    assert "is not Python (invalid syntax; no %magic, no !command): %matplotlib inline" in found


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"execution_count": 3', '"execution_count": 7', "not in the stored form"),
        ('"metadata": {\n    "tags"', '"metadata": {\n    "papermill": {},\n    "tags"', "not in the stored form"),
        ("add))", "add), 2)", "changed since its outputs were stored"),
    ],
)
def test_a_chapter_that_was_not_refreshed_is_named(sound, tmp_path, old, new, complaint):
    sound.judged(rules.stored)
    path = tmp_path / "chapters" / "one.ipynb"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert any(complaint in line for line in rules.stored(Chapter(Book(tmp_path), "one")))


@pytest.fixture
def kept(sound, tmp_path):
    """The book with all that may lie in records/."""
    sound.judged(rules.stored)  # writes the chapter and chapters.json
    for name in ("benchmarks.json", "mutants.json", "one-sum.json", "one-sum.npz"):
        (tmp_path / "records" / name).write_text("{}")
    return tmp_path


def test_records_that_belong_to_a_chapter_or_a_tool_pass(kept):
    assert rules.orphans(Book(kept)) == []


@pytest.mark.parametrize(
    "name", ["one-gone.json", "one-gone.npz", "benchmarks.npz", "one-sum.csv", ".one-sum.json.new"]
)
def test_a_file_that_belongs_to_no_record_is_named(kept, name):
    (kept / "records" / name).write_text("{}")
    assert rules.orphans(Book(kept)) == [name]


def test_an_entry_for_a_chapter_that_is_gone_is_named(kept):
    book = Book(kept)
    book.write_record("chapters", {**book.record("chapters"), "gone": {}})
    assert rules.orphans(book) == ["chapters.json: gone"]


def test_weights_without_their_record_are_named(kept):
    (kept / "records" / "one-sum.json").unlink()
    assert rules.orphans(Book(kept)) == ["one-sum.npz"]
