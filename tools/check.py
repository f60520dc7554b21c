"""Lint, run and compare one chapter in one pass: ``python -m tools.check NAME``."""

from __future__ import annotations

import subprocess
import sys

from tools.book import Book


def main() -> int:
    """Run the command line."""
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if not name:
        raise SystemExit("Which chapter? For example: make check CHAPTER=cnn-math")
    book = Book()
    path = str(book.select(name)[name].relative_to(book.root))
    structure = "tests/book/test_chapters.py"
    commands = (
        ["ruff", "check", "-q", path],
        ["codespell_lib", path],
        ["pytest", "-q", "--nbval", "--chapter", name, structure, path],
    )
    # All three, so that one pass shows all that is wrong.
    return max(subprocess.run([sys.executable, "-m", *command], cwd=book.root).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())
