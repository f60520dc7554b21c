"""Each rule for chapters is silent about a sound chapter and complains about a broken one."""

import base64
import struct
import zlib

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebook as nb
from tools import rules
from tools.book import Book
from tools.rules import RULES, Chapter

COLAB = "https://colab.research.google.com/github/someone/small-book/blob/main/chapters/one.ipynb"
HEADER = f"""# Sums

After this chapter you can add.

**Before this:** nothing. **Time:** under 1 minute on two CPU cores. **Run it:** [Open in Colab]({COLAB})."""
SETUP = '#@title Set-up {display-mode: "form"}\nimport sys\n'
PROSE = """## Does it add?

Equation (1), from [Gauss, 1801](https://doi.org/10.1000/1), says so.

$$ a + b = c \\tag{1} $$

<details><summary>A: yes</summary>Yes.</details>

```python
a + b
```
"""


def png(keyword: bytes = b"") -> str:
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    text = chunk(b"tEXt", keyword + b"\0Matplotlib 3") if keyword else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    body = b"\x89PNG\r\n\x1a\n" + header + text + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return base64.b64encode(body).decode()


def image(data: str):
    return new_output("display_data", data={"image/png": data, "text/plain": "<Figure>"})


@pytest.fixture
def sound(tmp_path):
    """A chapter that keeps every rule, as a notebook to break and a function to judge it."""
    files = {
        "pyproject.toml": '[project.urls]\nRepository = "https://github.com/someone/small-book"\n',
        "tools/setup_cell.py": SETUP,
        "pages/references.md": "- Gauss, 1801: https://doi.org/10.1000/1\n",
        "pages/notation.md": "# Notation\n\n## Everywhere\n\n| $a$ | $(b)$ | a sum, and $c$ |\n\n"
        "## Sums\n\nIn [Sums](../chapters/one.ipynb).\n\n| $c$ | number | what comes out |\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    book = Book(tmp_path)
    notebook = new_notebook(
        cells=[
            new_markdown_cell(HEADER),
            new_code_cell(SETUP.strip(), metadata={"tags": ["hide-cell"]}),
            new_code_cell('PROFILE = "quick"  # or "full"\nSEED = 0', metadata={"tags": ["parameters"]}),
            new_code_cell("import math"),
            new_markdown_cell(PROSE),
            new_code_cell(
                'draw(record("one-sum", add))',
                metadata={"mystnb": {"image": {"alt": "A sum."}}},
                outputs=[image(png())],
            ),
            new_markdown_cell("*Figure 1. A sum.*"),
            *(new_markdown_cell(f"## {title}") for title in rules.ENDING),
            new_code_cell('#@title Solution {display-mode: "form"}\n2', metadata={"tags": ["hide-cell"]}),
        ]
    )

    def judge(rule) -> str:
        path = tmp_path / "chapters" / "one.ipynb"
        path.parent.mkdir(exist_ok=True)
        clean = nb.stored_form(notebook)
        path.write_text(nb.text(clean), encoding="utf-8")
        book.write_record("chapters", {"one": {"source": nb.source_hash(book, clean)}})
        return "\n".join(rule(Chapter(book, "one")))

    return notebook, judge


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_chapter_passes(sound, rule):
    _, judge = sound
    assert judge(rule) == ""


def edit(position, old, new):
    def change(cells):
        assert old in cells[position].source
        cells[position].source = cells[position].source.replace(old, new)

    return change


def tag(position, *tags):
    return lambda cells: cells[position].metadata.update(tags=list(tags))


def output(position, *outputs):
    return lambda cells: cells[position].update(outputs=list(outputs))


@pytest.mark.parametrize(
    ("rule", "change", "complaint"),
    [
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
        (rules.plain, edit(4, "```python", "```{note}"), "MyST"),
        (rules.plain, edit(4, "Equation (1)", "{cite}`gauss`"), "MyST"),
        (rules.plain, edit(4, "Equation (1)", ":::{tip}\nx\n:::"), "MyST"),
        (rules.width, edit(3, "math", "math  #" + " x" * 40), "columns"),
        (rules.width, edit(4, "a + b\n", "a + b  #" + " x" * 40 + "\n"), "columns"),
        (rules.endings, edit(5, "add))", "add));"), "end with plt.show()"),
        (rules.folding, tag(12), "go together"),
        (rules.folding, edit(12, "#@title Solution {", "# Solution {"), "go together"),
        (rules.folding, edit(12, "\n2", "\n#@title 2"), "not the first line"),
        (rules.folding, edit(4, "</summary>", ""), "do not match"),
        (
            rules.figures,
            output(5, image(png()), new_output("execute_result", data={"text/plain": "Text(0, 0)"})),
            "prints what its last line returns",
        ),
        (rules.figures, lambda cells: cells[5].metadata.clear(), "no alt text"),
        (rules.figures, edit(6, "*Figure 1.", "Figure 1."), "does not begin with *Figure 1."),
        (rules.figures, edit(6, "Figure 1", "Figure 2"), "does not begin with *Figure 1."),
        (rules.figures, output(5, image(png(b"Software"))), "names the software"),
        (rules.figures, edit(4, "Equation (1)", "![](x.png)"), "no alt text"),
        (rules.equations, edit(6, "A sum.", "$$ x \\tag{1} $$"), "used twice"),
        (rules.equations, edit(4, "Equation (1)", "Equation (2)"), "equation (2) has no"),
        (rules.header, edit(0, "nothing.", "[Later](two.ipynb)."), "builds on two, which does not come before it"),
        (
            rules.citations,
            edit(4, "https://doi.org/10.1000/1)", "https://www.jstor.org/1)"),
            "not in pages/references.md",
        ),
        (
            rules.citations,
            edit(4, "https://doi.org/10.1000/1)", "http://dx.doi.org/10.1/2)"),
            "not in pages/references.md",
        ),
        (rules.notation, edit(4, "a + b", "a + \\hat d"), "not in pages/notation.md: \\hat d in a + \\hat d = c"),
        (rules.citations, edit(4, "10.1000/1)", "10.1000/12)"), "not in pages/references.md"),
        (rules.citations, edit(4, "10.1000/1)", "10.1000/)"), "not in pages/references.md"),
        (rules.citations, edit(4, "[Gauss, 1801]", "[Gauss]"), "the year"),
        (rules.outputs, tag(5, "nbval-skip"), "unknown tags"),
        (rules.outputs, output(3, new_output("stream", name="stderr", text="x")), "stores stderr"),
        (rules.outputs, output(3, new_output("error", ename="E", evalue="", traceback=[])), "stores an error"),
        (rules.outputs, output(3, new_output("stream", text="/home/me/x")), "a path of a machine: /home/"),
        (rules.outputs, output(3, new_output("stream", text="C:\\Users\\me")), "a path of a machine"),
        (rules.outputs, output(3, new_output("stream", text="<a at 0x7f0012ab>")), "prints an address"),
        (rules.outputs, edit(3, "math", "math  # /Users/me"), "stands in a cell"),
        (rules.records, edit(5, "one-sum", "two-sum"), "two-sum does not begin with one-"),
        (rules.records, edit(5, "one-sum", "one"), "the record one does not begin with one-"),
        (rules.records, edit(5, "one-sum", "onesum"), "onesum does not begin with one-"),
        (rules.records, edit(12, "\n2", '\nrecord("one-sum", add)'), "one-sum is made twice"),
    ],
)
def test_a_broken_chapter_is_named(sound, rule, change, complaint):
    notebook, judge = sound
    change(notebook.cells)
    assert complaint in judge(rule)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"execution_count": 3', '"execution_count": 7', "not in the stored form"),
        ('"metadata": {\n    "tags"', '"metadata": {\n    "papermill": {},\n    "tags"', "not in the stored form"),
        ("add))", "add), 2)", "changed since its outputs were stored"),
    ],
)
def test_a_chapter_that_was_not_refreshed_is_named(sound, tmp_path, old, new, complaint):
    _, judge = sound
    judge(rules.stored)
    path = tmp_path / "chapters" / "one.ipynb"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert any(complaint in line for line in rules.stored(Chapter(Book(tmp_path), "one")))


@pytest.fixture
def kept(sound, tmp_path):
    """The book with all that may lie in records/."""
    _, judge = sound
    judge(rules.stored)  # writes the chapter and chapters.json
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
