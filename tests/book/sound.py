"""A chapter that keeps every rule, and the ways in which tests break it."""

import base64
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebook as nb
from tools.book import Book
from tools.chapter import Chapter, Rule

COLAB = "https://colab.research.google.com/github/someone/small-book/blob/main/chapters/one.ipynb"
HEADER = f"""# Sums

After this chapter you can add.

**Before this:** nothing. **Time:** under 1 minute on two CPU cores. **Run it:** [Open in Colab]({COLAB})."""
SETUP = '#@title Set-up {display-mode: "form"}\nimport sys\n'
PROSE = """## Does it add?

Equation (1), from [Gauss, 1801](https://doi.org/10.1000/1), says so (1801), and figure 1 shows it.

$$ a + b = c \\tag{1} $$

By (1), $a$ (a number) is [added](one.ipynb#exercises), as [above](#does-it-add).

<details><summary>A: yes</summary>Yes.</details>

```python
a + b
```
"""
DRAWN = """claim("One and one is over {bound}", 2, above=1)
claim("One and 1 more than 2 are 4", True, is_true=True)
draw(record("one-sum", add))"""
QUIZ = """## Check yourself

**1.** What is one and one?

<details><summary>A. Two</summary>

Yes. It is two.

</details>
<details><summary>B. Three</summary>

No. It is less.

</details>"""
EXERCISES = """## Exercises

**Exercise 1 (predict, then run).** What is two and two?

<details><summary>What it shows</summary>

Four.

</details>

**Exercise 2 (write).** Add."""
FILES = {
    "pyproject.toml": '[project.urls]\nRepository = "https://github.com/someone/small-book"\n',
    "tools/setup_cell.py": SETUP,
    "pages/references.md": "- Carl F. Gauss, A. Noether. A sum. *Acta* 2:1831–1832, 1801.\n  <https://doi.org/10.1000/1>\n",
    "pages/notation.md": "# Notation\n\n## Everywhere\n\n| $a$ | $(b)$ | a sum, and $c$ |\n\n"
    "## Sums\n\nIn [Sums](../chapters/one.ipynb).\n\n| $c$ | number | what comes out |\n",
}
Change = Callable[[list[NotebookNode]], object]


def png(keyword: bytes = b"") -> str:
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    text = chunk(b"tEXt", keyword + b"\0Matplotlib 3") if keyword else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    body = b"\x89PNG\r\n\x1a\n" + header + text + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return base64.b64encode(body).decode()


def image(data: str) -> NotebookNode:
    return new_output("display_data", data={"image/png": data, "text/plain": "<Figure>"})


def chapter() -> NotebookNode:
    return new_notebook(
        cells=[
            new_markdown_cell(HEADER),
            new_code_cell(SETUP.strip(), metadata={"tags": ["hide-cell"]}),
            new_code_cell('PROFILE = "quick"  # or "full"\nSEED = 0', metadata={"tags": ["parameters"]}),
            new_code_cell("import math"),
            new_markdown_cell(PROSE),
            new_code_cell(DRAWN, metadata={"mystnb": {"image": {"alt": "A sum."}}}, outputs=[image(png())]),
            new_markdown_cell("*Figure 1. A sum.*"),
            new_markdown_cell("## Pitfalls"),
            new_markdown_cell(QUIZ),
            new_markdown_cell(EXERCISES),
            new_code_cell(
                "checks.add(add)", outputs=[new_output("stream", text="Not yet: add returns nothing.\nWrite it.\n")]
            ),
            new_code_cell(
                '#@title Solution {display-mode: "form"}\nchecks.add(sum)\n2',
                metadata={"tags": ["hide-cell"]},
                outputs=[new_output("stream", text="✓ add is right in 2 cases.\n")],
            ),
            new_markdown_cell("## Summary"),
            new_markdown_cell("## Further reading"),
        ]
    )


class Sound:
    """A book whose one chapter keeps every rule, until a test changes its cells."""

    def __init__(self, root: Path):
        for name, text in FILES.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        (root / "chapters").mkdir()
        self.book, self.notebook = Book(root), chapter()

    def judged(self, rule: Rule) -> str:
        """What the rule says of the chapter, stored as refresh would store it."""
        clean = nb.stored_form(self.notebook)
        (self.book.root / "chapters" / "one.ipynb").write_text(nb.text(clean), encoding="utf-8")
        self.book.write_record("chapters", {"one": {"source": nb.source_hash(self.book, clean)}})
        return "\n".join(rule(Chapter(self.book, "one")))

    def broken(self, change: Change, rule: Rule) -> str:
        """What the rule says after a change of the cells."""
        change(self.notebook.cells)
        return self.judged(rule)


def edit(position: int, old: str, new: str) -> Change:
    def change(cells):
        assert old in cells[position].source
        cells[position].source = cells[position].source.replace(old, new)

    return change


def add(position: int, text: str) -> Change:
    return lambda cells: cells[position].update(source=f"{cells[position].source}\n\n{text}")


def tag(position: int, *tags: str) -> Change:
    return lambda cells: cells[position].metadata.update(tags=list(tags))


def output(position: int, *outputs: NotebookNode) -> Change:
    return lambda cells: cells[position].update(outputs=list(outputs))


def prints(position: int, text: str) -> Change:
    return output(position, new_output("stream", text=text))
