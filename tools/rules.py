"""What a chapter must look like: the form of its file. ``tools/prose.py`` has the rules for its text.

Each rule takes a chapter and yields complaints, in words.
"""

from __future__ import annotations

import ast
import base64
import itertools
import re
from collections.abc import Iterator

from nbformat import NotebookNode

from tools import notebook as nb
from tools import prose
from tools.book import TABLES, Book
from tools.chapter import Chapter, Rule, tags

COLUMNS = 76
ENDING = ["Pitfalls", "Check yourself", "Exercises", "Summary", "Further reading"]
TAGS = {"hide-cell", "hide-input", "parameters", "nbval-ignore-output"}
HEADER = re.compile(
    r"# (?P<title>[^\n]+)\n\n(?P<sentence>[^\n]+(?:\n[^\n]+)*)\n\n\*\*Before this:\*\* (?P<before>.+)"
    r"\*\*Time:\*\* under \d+ minutes? on two CPU cores\. "
    r"\*\*Run it:\*\* \[Open in Colab\]\((?P<colab>[^)\s]+)\)\.?",
    re.DOTALL,
)
TITLE = re.compile(r'#@title \S.* \{display-mode: "form"\}')
# Figures that the text names, one or several: "figure 4", "Figures 2, 3 and 5".
NAMED = re.compile(r"\b[Ff]igure\s(\d+)|\b[Ff]igures\s(\d+(?:(?:,? and |,? or |, | to |–)\d+)*)")
MACHINE = re.compile(r"(?<![\w.])(?:/(?:home|root|Users|tmp)/|[A-Za-z]:\\\\?(?:Users|Windows))")


def python(chapter: Chapter) -> Iterator[str]:
    """Each code cell is Python, which the other rules, the tests and the records read."""
    yield from nb.not_python(chapter.notebook)


def header(chapter: Chapter) -> Iterator[str]:
    """The first cell has title, one sentence, what comes before, minutes, and the Colab link."""
    match = HEADER.fullmatch(chapter.cells[0].source.strip())
    if not match:
        yield "the first cell is not title, sentence and the line 'Before this … Time … Run it'"
        return
    address = f"https://colab.research.google.com/github/{chapter.book.repository}/blob/main/chapters"
    if match["colab"] != f"{address}/{chapter.name}.ipynb":
        yield f"the Colab link is {match['colab']}, not {address}/{chapter.name}.ipynb"
    if len(re.findall(r"[.!?](?=\s|$)", match["sentence"])) != 1:
        yield "what the reader will be able to do is one sentence"
    order = list(chapter.book.chapters())
    earlier = order[: order.index(chapter.name)]
    for name in re.findall(r"\]\(([\w-]+)\.ipynb", match["before"]):
        if name not in earlier:
            yield f"it builds on {name}, which does not come before it in _toc.yml"


def opening(chapter: Chapter) -> Iterator[str]:
    """The set-up cell, the parameters and the imports come first, the same everywhere."""
    setup, parameters, imports = chapter.cells[1:4]
    canonical = (chapter.book.root / "tools" / "setup_cell.py").read_text(encoding="utf-8")
    if setup.source.strip() != canonical.strip():
        yield "the set-up cell differs from tools/setup_cell.py"
    if tags(setup) != {"hide-cell"}:
        yield "the set-up cell is not tagged hide-cell"
    values = {}
    if parameters.cell_type == "code":
        for line in nb.parsed(parameters.source).body:
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
                values[ast.unparse(line.targets[0])] = line.value.value
    if tags(parameters) != {"parameters"} or values != {"PROFILE": "quick", "SEED": 0}:
        yield 'the third cell is not tagged parameters with PROFILE = "quick" and SEED = 0'
    if imports.cell_type != "code" or not re.search(r"^(import|from) ", imports.source, re.M):
        yield "the fourth cell does not import"


def sections(chapter: Chapter) -> Iterator[str]:
    """One title, no heading level left out, and the required sections at the end, in order."""
    headings = re.findall(r"^(#+) +(.+?) *$", chapter.prose, re.MULTILINE)
    if [len(marks) for marks, _ in headings].count(1) != 1:
        yield "there is not exactly one title"
    for (above, _), (below, title) in itertools.pairwise(headings):
        if len(below) > len(above) + 1:
            yield f"the heading {title!r} leaves out a level"
    found = [title for marks, title in headings if len(marks) == 2]
    if found[-len(ENDING) :] != ENDING:
        yield f"the last sections are {found[-len(ENDING) :]}, not {ENDING}"


def width(chapter: Chapter) -> Iterator[str]:
    """Code is at most 76 columns wide, in cells and in blocks of prose."""
    blocks = [cell.source for cell in chapter.code]
    for cell in chapter.markdown:
        blocks += [match[2] for match in re.finditer(r"^(`{3,}|~{3,})(.*?)^\1", cell.source, re.M | re.S)]
    for line in "\n".join(blocks).splitlines():
        if len(line) > COLUMNS:
            yield f"{len(line)} columns: {line.strip()}"


def endings(chapter: Chapter) -> Iterator[str]:
    """A cell does not end with a semicolon: nbval runs it without history, where it hides nothing."""
    for cell in chapter.code:
        if cell.source.rstrip().endswith(";"):
            yield f"end with plt.show() or an assignment instead: {cell.source.rstrip().splitlines()[-1]}"


def folding(chapter: Chapter) -> Iterator[str]:
    """A folded cell has a form title, which folds it in Colab, and a cell with a title is folded."""
    for cell in chapter.code:
        first, *rest = cell.source.splitlines()
        titled = bool(TITLE.fullmatch(first))
        if ("hide-cell" in tags(cell)) != titled:
            yield f"tag hide-cell and first line '#@title … {{display-mode: \"form\"}}' go together: {first}"
        if any(line.startswith("#@title") for line in rest):
            yield "#@title is not the first line"
    for cell in chapter.markdown:
        counts = [len(re.findall(rf"<{tag}\b", cell.source)) for tag in ("details", "summary", "/details", "/summary")]
        if len(set(counts)) > 1:
            yield f"details and summary do not match: {cell.source[:60]!r}"


def figures(chapter: Chapter) -> Iterator[str]:
    """A figure has alt text and, in the cell below, a numbered caption in italics; a figure that is named is there."""
    number = 0
    for cell, below in zip(chapter.cells, [*chapter.cells[1:], NotebookNode(cell_type="", source="")], strict=True):
        images = [o for o in cell.get("outputs", []) if any(t.startswith("image/") for t in o.get("data", {}))]
        if not images:
            continue
        number += 1
        where = f"figure {number} ({cell.source.splitlines()[0]})"
        if len(images) > 1:
            yield f"{where}: more than one image in a cell"
        if any(output.output_type == "execute_result" for output in cell.outputs):
            yield f"{where}: the cell prints what its last line returns; end with a call that returns nothing"
        if not cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "").strip():
            yield f"{where} has no alt text in mystnb.image.alt"
        if below.cell_type != "markdown" or not re.match(rf"\*Figure {number}\. .+\*(?:\n\n|\Z)", below.source):
            yield f"{where}: the cell below does not begin with the paragraph *Figure {number}. …*"
        for output in images:
            png = base64.b64decode("".join(output.data.get("image/png", "")))
            if b"Software" in png or b"matplotlib" in png:
                yield f"{where}: the file names the software that drew it"
    for alt in re.findall(r"!\[([^\]]*)\]\(|<img(?![^>]*\balt=\"[^\"])", chapter.prose):
        if not alt.strip():
            yield "an image in prose has no alt text"
    named = {int(figure) for match in NAMED.finditer(chapter.prose) for figure in re.findall(r"\d+", match[0])}
    captions = {int(figure) for figure in re.findall(r"^\*Figure (\d+)\.", chapter.prose, re.MULTILINE)}
    yield from (f"figure {figure} is named, and no figure has that number" for figure in sorted(named - captions))


def outputs(chapter: Chapter) -> Iterator[str]:
    """No stored warning or error, no path of a machine, no tag that loosens the comparison."""
    for cell in chapter.cells:
        if wrong := tags(cell) - TAGS:
            yield f"unknown tags: {', '.join(sorted(wrong))}"
    for cell in chapter.code:
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"cell [{cell.execution_count}] stores {output.get('name', 'an error')}"
            text = str({k: v for k, v in output.get("data", {}).items() if k.startswith("text/")}) + output.get(
                "text", ""
            )
            if match := MACHINE.search(text):
                yield f"cell [{cell.execution_count}] prints a path of a machine: {match[0]}"
            if match := re.search(r"\bat 0x[0-9a-f]{6,}", text):
                yield f"cell [{cell.execution_count}] prints an address: {match[0]}"
    for cell in chapter.cells:
        if match := MACHINE.search(cell.source):
            yield f"a path of a machine stands in a cell: {match[0]}"


def stored(chapter: Chapter) -> Iterator[str]:
    """The file is what make refresh writes: outputs of this very source, numbered, nothing else."""
    text = chapter.path.read_text(encoding="utf-8")
    if text != nb.text(nb.stored_form(chapter.notebook)) or not all(c.execution_count for c in chapter.code):
        yield "not in the stored form: run make refresh"
    record = chapter.book.record("chapters").get(chapter.name, {})
    if record.get("source") != nb.source_hash(chapter.book, chapter.notebook):
        yield "its code or a module that it imports changed since its outputs were stored: run make refresh"


def records(chapter: Chapter) -> Iterator[str]:
    """A record has the chapter's name and a hyphen before its own, and is made in one place."""
    names = [name for cell in chapter.code for name in nb.recorded(cell.source)]
    for name in sorted(set(names)):
        if not name.startswith(f"{chapter.name}-"):
            yield f"the record {name} does not begin with {chapter.name}-"
        if names.count(name) > 1:
            yield f"the record {name} is made twice"


def orphans(book: Book) -> list[str]:
    """Return the files in ``records/`` that belong neither to a tool nor to a record that a chapter makes.

    An entry of ``chapters.json`` for a chapter that does not exist counts as well.
    """
    cells = (cell for path in book.chapters().values() for cell in nb.code_cells(nb.read(path)))
    made = {name for cell in cells for name in nb.recorded(cell.source)}
    known = {f"{name}.json" for name in (*TABLES, *made)}
    known |= {f"{name}.npz" for name in made if (book.root / "records" / f"{name}.json").exists()}
    files = sorted(path.name for path in (book.root / "records").iterdir() if path.name not in known)
    return files + [f"chapters.json: {name}" for name in book.record("chapters") if name not in book.chapters()]


RULES: tuple[Rule, ...] = (
    python, header, opening, sections, width, endings, folding, figures, *prose.RULES, outputs, stored, records
)  # fmt: skip
