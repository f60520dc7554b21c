"""Lay a chapter that passes every check, to be rewritten piece by piece: ``python -m tools.new NAME``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tools import notebook as nb
from tools.book import Book, replace
from tools.refresh import refresh

TEMPLATES = Path(__file__).parent / "templates"


def lay(book: Book, name: str) -> list[Path]:
    """Write the notebook, its module of checkers and its line in ``_toc.yml``, and run the notebook once.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ValueError
        When the name cannot be one of a chapter, or is taken. Nothing was written.
    RuntimeError
        When the new chapter did not run. Everything is as it was before.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(f"CHAPTER must be small letters, digits and single hyphens, as in cnn-math, not {name!r}.")
    module = name.replace("-", "_")
    chapter = book.root / "chapters" / f"{name}.ipynb"
    checks = book.root / "utils" / "checks" / f"{module}.py"
    toc = book.root / "_toc.yml"
    if taken := [path.relative_to(book.root).as_posix() for path in (chapter, checks) if path.exists()]:
        raise ValueError(f"There is a chapter {name} already ({', '.join(taken)}): choose another name.")
    fill = {
        "chapter-name": name,
        "chapter_name": module,
        "Chapter title": name.replace("-", " ").capitalize(),
        "COLAB": f"https://colab.research.google.com/github/{book.repository}/blob/main/chapters/{name}.ipynb",
        "# SET-UP": (book.root / "tools" / "setup_cell.py").read_text(encoding="utf-8").strip(),
    }

    def filled(text: str) -> str:
        return re.sub("|".join(fill), lambda match: fill[match[0]], text)

    notebook = nb.read(TEMPLATES / "chapter.ipynb")
    for cell in notebook.cells:
        cell.source = filled(cell.source)
    before = toc.read_text(encoding="utf-8")
    try:
        replace(checks, filled((TEMPLATES / "checks.py").read_text(encoding="utf-8")))
        replace(chapter, nb.text(notebook))
        replace(toc, at_the_end(before, name))
        if refresh(book, name):
            raise RuntimeError(f"The new chapter {name} did not run, and was taken away again.")
    except BaseException:
        chapter.unlink(missing_ok=True)
        checks.unlink(missing_ok=True)
        replace(toc, before)
        raise
    return [chapter, checks, toc]


def at_the_end(toc: str, name: str) -> str:
    """Return a table of contents with a chapter after all others."""
    *_, last = re.finditer(r"^( *- file: )chapters/.+\n", toc, re.MULTILINE)
    return f"{toc[: last.end()]}{last[1]}chapters/{name}\n{toc[last.end() :]}"


def main() -> int:
    """Run the command line."""
    book = Book()
    try:
        written = lay(book, sys.argv[1] if len(sys.argv) == 2 else "")
    except (ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    for path in written:
        print(path.relative_to(book.root))
    print("CONTRIBUTING.md says what to write where; the last file has the place of the chapter in the book.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
