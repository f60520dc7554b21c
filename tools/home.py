"""Write the repository's address wherever the book needs it: ``python -m tools.home owner/name``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tools.book import Book, replace

# GitHub's rules: an owner is letters, digits and single hyphens; a name may also hold dots and underscores.
REPOSITORY = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9])*/(?!\.{1,2}$)[A-Za-z0-9._-]+")
PLACES = (
    "pyproject.toml",
    "_config.yml",
    "*.md",
    "CITATION.cff",
    "tools/setup_cell.py",
    "pages/*.md",
    "chapters/*.ipynb",
)


def places(book: Book) -> list[Path]:
    """Return the files that may hold the address."""
    return [path for pattern in PLACES for path in sorted(book.root.glob(pattern))]


def move(book: Book, repository: str) -> list[Path]:
    """Replace the present address and the site's by those of ``repository``.

    Returns
    -------
    list of Path
        The files that changed.

    Raises
    ------
    ValueError
        When ``repository`` is not ``owner/name``.
    """
    if not REPOSITORY.fullmatch(repository):
        raise ValueError(f"REPO must be owner/name, as on GitHub, not {repository!r}.")
    pairs = list(zip(forms(book.repository), forms(repository), strict=True))
    changed = []
    for path in places(book):
        before = path.read_text(encoding="utf-8")
        after = before
        for old, new in pairs:
            after = re.sub(rf"(?<![\w.-]){re.escape(old)}(?![\w-])", lambda _, new=new: new, after)
        if after != before:
            replace(path, after)
            changed.append(path)
    return changed


def forms(repository: str) -> tuple[str, str]:
    """Return the two forms in which an address stands: the repository's and the published site's."""
    owner, name = repository.split("/")
    return repository, f"{owner}.github.io/{name}"


def main() -> int:
    """Run the command line."""
    try:
        for path in move(Book(), sys.argv[1] if len(sys.argv) == 2 else ""):
            print(f"{path.relative_to(Book().root)}: changed")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
