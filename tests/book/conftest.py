"""A book of one small chapter in a temporary folder, and the real one."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.book.sound import Sound
from tools import notebook as nb
from tools.book import Book

TOC = """\
format: jb-book
root: intro
parts:
  - caption: Chapters
    chapters:
      - file: chapters/two
      - file: chapters/one
  - caption: The book
    chapters:
      - file: pages/status
"""
PYPROJECT = """\
[project]
name = "small"
[project.urls]
Repository = "https://github.com/someone/small-book"
"""
HELPER = """\
import json
import os


def check(sentence, measured, below):
    if "BOOK_CLAIMS" in os.environ:
        line = {"sentence": sentence, "kind": "below", "measured": measured, "bound": below}
        with open(os.environ["BOOK_CLAIMS"], "a") as file:
            file.write(json.dumps({**line, "margin": below - measured}) + "\\n")
    if measured >= below:
        raise AssertionError(f"{sentence}: measured {measured}")
    print("✓", sentence)
"""
FIND_ROOT = "import sys\nsys.path.insert(0, '..')"


def chapter(*code: str) -> nbformat.NotebookNode:
    """A chapter with a header, parameters and code cells."""
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "whatever", "language": "python"}},
        cells=[
            new_markdown_cell("# One\n\nYou can add.\n\n**Time:** under 9 minutes on two CPU cores."),
            new_code_cell('PROFILE = "quick"\nSEED = 0', metadata={"tags": ["parameters"]}),
            *(new_code_cell(source) for source in code),
        ],
    )


def small_book(root: Path) -> Book:
    """A book with the chapter ``one``, which imports ``utils.helper`` and claims something."""
    (root / "chapters").mkdir()
    (root / "utils").mkdir()
    (root / "utils" / "__init__.py").write_text("")
    (root / "utils" / "helper.py").write_text(HELPER, encoding="utf-8")
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "_toc.yml").write_text(TOC)
    book = Book(root)
    store(
        book,
        "one",
        FIND_ROOT,
        "from utils.helper import check",
        'check("One is small", 1, below=2)',
        'import sys\nfor word in "some words":\n    print(word, flush=True)\n1 + 1',
    )
    return book


@pytest.fixture
def small(tmp_path: Path) -> Book:
    """A small book of its own for each test."""
    return small_book(tmp_path)


def store(book: Book, name: str, *code: str) -> Path:
    """Write a chapter that was never run."""
    path = book.root / "chapters" / f"{name}.ipynb"
    path.write_text(nb.text(chapter(*code)), encoding="utf-8")
    return path


@pytest.fixture
def sound(tmp_path: Path) -> Sound:
    """A chapter that keeps every rule, for each test to break."""
    return Sound(tmp_path)


@pytest.fixture(scope="session")
def book() -> Book:
    """The real book."""
    return Book()


@pytest.fixture(scope="session", autouse=True)
def _git():
    if not shutil.which("git"):
        pytest.exit("These tests list the book's files with git: install it.", returncode=1)
