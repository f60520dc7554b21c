"""A stored chapter, as the rules read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from tools import notebook as nb
from tools.book import Book


@dataclass(frozen=True)
class Chapter:
    """A stored chapter and the book around it."""

    book: Book
    name: str

    @cached_property
    def path(self) -> Path:
        """The file."""
        return self.book.root / "chapters" / f"{self.name}.ipynb"

    @cached_property
    def notebook(self) -> NotebookNode:
        """The notebook as stored."""
        return nb.read(self.path)

    @property
    def cells(self) -> list[NotebookNode]:
        """All cells."""
        return self.notebook.cells

    @property
    def code(self) -> list[NotebookNode]:
        """Cells that hold code."""
        return nb.code_cells(self.notebook)

    @property
    def markdown(self) -> list[NotebookNode]:
        """Cells of prose."""
        return [cell for cell in self.cells if cell.cell_type == "markdown"]

    @cached_property
    def text(self) -> str:
        """All prose without blocks of code."""
        text = "\n\n".join(cell.source for cell in self.markdown)
        return re.sub(r"^(`{3,}|~{3,}).*?^\1", "", text, flags=re.M | re.S)

    @cached_property
    def prose(self) -> str:
        """All prose without code, in blocks or in lines."""
        return re.sub(r"`[^`\n]*`", "", self.text)


Rule = Callable[[Chapter], Iterator[str]]


def tags(cell: NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))
