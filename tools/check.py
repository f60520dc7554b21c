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
    module = name.replace("-", "_")
    own = [f"utils/checks/{module}.py", f"tests/utils/test_checks_{module}.py"]
    code = [path, *(file for file in own if (book.root / file).exists())]
    tests = [f"tests/book/test_{page}.py" for page in ("chapters", "glossary", "notation", "references")]
    tests += ["tests/utils/test_checks.py", *(file for file in code if file == own[1])]
    commands = (
        ["ruff", "check", "-q", *code],
        ["ruff", "format", "-q", "--diff", *code[1:]],
        ["codespell_lib", *code],
        ["pytest", "-q", "--nbval", "--chapter", name, *tests, path],
    )
    # All of them, so that one pass shows all that is wrong.
    return max(subprocess.run([sys.executable, "-m", *command], cwd=book.root).returncode for command in commands)


if __name__ == "__main__":
    sys.exit(main())
