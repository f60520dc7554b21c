"""Renew one record: ``python -m tools.record NAME``.

Runs the chapter that makes the record up to the cell that does. A cell before it that fails because another record is
stale or missing is passed over; what counts is whether this record was written.
"""

from __future__ import annotations

import copy
import json
import logging
import sys
import tempfile
from pathlib import Path

import papermill
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from tools import notebook as nb
from tools import status
from tools.book import Book
from tools.execute import KERNEL_ARGUMENTS, ChapterError
from utils.settings import environment


def find(book: Book, name: str) -> tuple[Path, NotebookNode]:
    """Return the chapter that makes a record, and a copy of it that ends with the cell that does.

    Raises
    ------
    SystemExit
        When no chapter makes it.
    """
    known = []
    for path in book.chapters().values():
        notebook = nb.read(path)
        for position, cell in enumerate(notebook.cells):
            names = _names(cell)
            known += names
            if name in names:
                short = copy.deepcopy(notebook)
                short.cells = short.cells[: position + 1]
                return path, short
    raise SystemExit(f"No chapter makes a record {name!r}; there are: {', '.join(known) or 'none'}.")


def renew(book: Book, name: str, progress: bool = False) -> dict:
    """Run what makes a record and return it.

    Parameters
    ----------
    book : Book
        Its ``records`` get the record.
    name : str
        The record.
    progress : bool
        Show on stderr what the chapter writes there, bars above all.

    Raises
    ------
    ChapterError
        When the record was not written: it is what it was before.
    """
    chapter, notebook = find(book, name)
    file = book.root / "records" / f"{name}.json"
    before = file.stat().st_mtime_ns if file.exists() else None
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder, chapter.name)
        copied.write_text(nb.text(notebook), encoding="utf-8")
        reason = ""
        try:
            with environment(BOOK_RECORD=name, BOOK_QUIET="" if progress else "1"):
                papermill.execute_notebook(
                    str(copied),
                    str(copied),
                    cwd=str(chapter.parent),
                    progress_bar=False,
                    stderr_file=sys.stderr if progress else None,
                    extra_arguments=KERNEL_ARGUMENTS,
                    allow_errors=True,
                )
        except papermill.PapermillExecutionError:
            reason = _reason(nb.read(copied).cells)
        except DeadKernelError:
            reason = "the kernel died"
    if not file.exists() or file.stat().st_mtime_ns == before:
        raise ChapterError(reason or "its cell ran without writing it")
    return json.loads(file.read_text(encoding="utf-8"))


def _names(cell: NotebookNode) -> list[str]:
    """Return the records of a cell; prose has none."""
    return nb.recorded(cell.source) if cell.cell_type == "code" else []


def _reason(cells: list[NotebookNode]) -> str:
    """Say in one line how the last cell failed, and where all it lacks is a name, what failed before."""
    failures = [
        (cell, f"{output.ename}: {' '.join(output.evalue.split())}")
        for cell in cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    cell, last = failures[-1]
    if cell is not cells[-1]:
        return ""
    causes = [failure for _, failure in failures if not failure.startswith("NameError")]
    return f"{last}, after {causes[-1]}" if causes and last.startswith("NameError") else last


def main() -> int:
    """Run the command line."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if not name:
        raise SystemExit("Which record? For example: make record NAME=cnn-code-variants")
    book = Book()
    try:
        made = renew(book, name, progress=sys.stderr.isatty())
    except ChapterError as error:
        print(f"The record {name} is as it was: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Interrupted: the record {name} is as it was.", file=sys.stderr)
        return 130
    status.write(book)
    print(
        f"{name}: {len(made['rows'])} runs in {made['about']['seconds']} s. Now `make refresh` stores what it changes."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
