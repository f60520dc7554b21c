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
    checkers = f"utils/checks/{name.replace('-', '_')}.py"
    code = [path, *([checkers] if (book.root / checkers).exists() else [])]
    pages = [f"tests/book/test_{page}.py" for page in ("chapters", "glossary", "notation", "references")]
    commands = (
        ["ruff", "check", "-q", *code],
        ["codespell_lib", *code],
        ["pytest", "-q", "--nbval", "--chapter", name, *pages, path],
    )
    # All three, so that one pass shows all that is wrong.
    return max(subprocess.run([sys.executable, "-m", *command], cwd=book.root).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())
