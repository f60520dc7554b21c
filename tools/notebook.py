"""Notebook files: reading, the stored form, and the hash that says when a chapter must run again."""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import math
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.book import Book
from utils.sources import used_modules

# What runners and editors leave behind in a cell's metadata.
NOISE = ("papermill", "execution", "ExecuteTime", "collapsed", "scrolled", "jupyter", "vscode")
MINUTES = re.compile(r"under \d+ minutes?")


def read(path: Path) -> NotebookNode:
    """Read a notebook in format 4.5; a cell without an identifier gets its position as one."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content["nbformat_minor"] = 5
    for position, cell in enumerate(content["cells"]):
        cell.setdefault("id", f"cell-{position}")
    return nbformat.reads(json.dumps(content), as_version=4)


def text(notebook: NotebookNode) -> str:
    """Return the file content of a notebook."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells that hold code."""
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def stored_form(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without anything that depends on when, where or how often it ran.

    Injected parameters go, traces of runners and editors in the metadata go, cells that hold code are
    numbered from 1, pieces of one stream are joined, and of the notebook's metadata only the kernel's
    name and the language stay.
    """
    clean = copy.deepcopy(notebook)
    clean.cells = [c for c in clean.cells if "injected-parameters" not in c.metadata.get("tags", [])]
    number = 0
    for cell in clean.cells:
        cell.metadata = _clean_metadata(cell.metadata)
        if cell.cell_type != "code":
            continue
        number += bool(cell.source.strip())
        cell.execution_count = number if cell.source.strip() else None
        cell.outputs = _joined(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
    kernel = clean.metadata.get("kernelspec", {})
    clean.metadata = NotebookNode(
        kernelspec=NotebookNode(
            display_name="Python 3",
            language="python",
            name=kernel.get("name", "python3"),
        ),
        language_info=NotebookNode(name="python"),
    )
    return clean


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _clean_metadata(metadata: NotebookNode) -> NotebookNode:
    kept = {key: value for key, value in metadata.items() if key not in NOISE}
    if not kept.get("tags", True):
        del kept["tags"]
    return NotebookNode(kept)


def with_minutes(notebook: NotebookNode, seconds: float) -> NotebookNode:
    """Write the running time into the header of the first cell, in place, rounded up to minutes."""
    minutes = max(1, math.ceil(seconds / 60))
    phrase = f"under {minutes} minute{'s' if minutes > 1 else ''}"
    notebook.cells[0].source = MINUTES.sub(phrase, notebook.cells[0].source)
    return notebook


def not_python(notebook: NotebookNode) -> list[str]:
    """Return a complaint about each code cell that Python cannot read: its number, the reason and the line."""
    wrong = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            reason = f"{error.msg}; no %magic, no !command"
            wrong.append(f"cell [{number}] is not Python ({reason}): {(error.text or '').strip()}")
    return wrong


def parsed(source: str) -> ast.Module:
    """Return the tree of Python source, an empty one where it is not Python: ``not_python`` complains of that."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


def calls(source: str) -> list[ast.Call]:
    """Return the calls in Python source, wherever they stand."""
    return [node for node in ast.walk(parsed(source)) if isinstance(node, ast.Call)]


def recorded(source: str) -> list[str]:
    """Return the names of the records that Python source reads or makes: first arguments of ``record``."""
    return [
        call.args[0].value
        for call in calls(source)
        if call.args and ast.unparse(call.func) == "record" and isinstance(call.args[0], ast.Constant)
    ]


def recalled(source: str) -> list[str]:
    """Return the names of other chapters' records that Python source reads: second arguments of ``read``."""
    return [
        call.args[1].value
        for call in calls(source)
        if len(call.args) == 2 and ast.unparse(call.func) == "read" and isinstance(call.args[1], ast.Constant)
    ]


def source_hash(book: Book, notebook: NotebookNode) -> str:
    """Return the SHA-256 of all that a chapter's outputs come from.

    That is the source and the metadata of its code cells, the records that they make or read, and the text of
    every ``utils`` module that they import, directly or through others. The repository's address is left
    out: moving the book changes no output.
    """
    cells = code_cells(notebook)
    digest, address = hashlib.sha256(), book.repository
    for cell in cells:
        digest.update(
            json.dumps([cell.source.replace(address, ""), _clean_metadata(cell.metadata)], sort_keys=True).encode()
        )
    # One cell that is not Python must not hide what the others import and record.
    code = "\n".join(cell.source for cell in cells if parsed(cell.source).body)
    records = [book.root / "records" / f"{name}.json" for name in [*recorded(code), *recalled(code)]]
    for path in [*used_modules(book.root, code), *(path for path in records if path.exists())]:
        digest.update(path.relative_to(book.root).as_posix().encode())
        digest.update(path.read_text(encoding="utf-8").encode())
    return digest.hexdigest()
