"""Mutate ``utils/scratch`` and store which mutants the fast tests kill: ``python -m tools.mutants``.

The tester is mutmut; ``[tool.mutmut]`` in ``pyproject.toml`` says what is mutated and which tests run. A mutant that
survives because it computes the same is explained in ``tests/utils/survivors.toml``; any other survivor fails.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from tools.book import Book, replace

SURVIVORS = Path("tests/utils/survivors.toml")
WORK = Path("mutants")
# One thread: mutmut runs as many mutants as there are cores. Few examples: a mutant that needs many is a weak test.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HYPOTHESIS_PROFILE": "few"}
# The exit status of the tests on a mutant, as mutmut stores it.
SURVIVED, UNTESTED = 0, (5, 33)
UNKNOWN = (None, 2, 34, 35)


def mutmut(root: Path, *arguments: str) -> str:
    """Run mutmut in the book's folder and return what it prints."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    result = subprocess.run(
        command, cwd=root, env=os.environ | ENVIRONMENT, stdout=subprocess.PIPE, encoding="utf-8", check=True
    )
    return result.stdout


def results(root: Path) -> Iterator[tuple[str, int | None]]:
    """Yield every mutant with the exit status of the tests on it."""
    for path in sorted((root / WORK / "utils" / "scratch").glob("*.py.meta")):
        yield from json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].items()


def change(diff: str) -> tuple[list[str], list[str]]:
    """Return the removed and the added lines of a diff, without indentation."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "#"))]
    removed, added = ([line[1:].strip() for line in lines if line.startswith(sign)] for sign in "-+")
    return removed, added


def explanation(diff: str, known: list[dict[str, str]]) -> str | None:
    """Return why a mutant cannot be killed, if ``survivors.toml`` says so for just this change."""
    found = tuple("\n".join(lines) for lines in change(diff))
    return next((entry["why"] for entry in known if (entry["removed"], entry["added"]) == found), None)


def collect(root: Path) -> dict[str, object]:
    """Return the record of the last run of mutmut.

    Raises
    ------
    ValueError
        If the run did not come to its end.
    """
    status = dict(results(root))
    unknown = [name for name, code in status.items() if code in UNKNOWN]
    if unknown or not status:
        raise ValueError(
            f"mutmut did not finish: {len(unknown)} of {len(status)} mutants have no result; run it again."
        )
    known = tomllib.loads((root / SURVIVORS).read_text(encoding="utf-8")).get("survivor", [])
    survivors = []
    for name, code in status.items():
        if code == SURVIVED or code in UNTESTED:
            diff = "\n".join(mutmut(root, "show", name).strip().splitlines()[1:])
            survivors.append({"id": name, "diff": diff, "explanation": explanation(diff, known)})
    killed = len(status) - len(survivors)
    return {
        "date": date.today().isoformat(),
        "score": round(killed / len(status), 4),
        "killed": killed,
        "survived": len(survivors),
        "survivors": survivors,
    }


def store(book: Book, record: dict) -> str | None:
    """Write ``records/mutants.json``, print the score, and return what is left to explain, if anything is."""
    replace(book.root / "records" / "mutants.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    print(f"{record['killed']} mutants killed ({record['score']:.1%}), {record['survived']} survived.")
    unexplained = [survivor for survivor in record["survivors"] if survivor["explanation"] is None]
    for survivor in unexplained:
        print(f"\n{survivor['id']}\n{survivor['diff']}")
    if not unexplained:
        return None
    return f"{len(unexplained)} survivors have no explanation in {SURVIVORS}: kill them with a test or explain them."


def main(book: Book) -> str | None:
    """Run mutmut and store what came out; return what is wrong, if anything is."""
    if not find_spec("mutmut"):
        return 'make mutants needs mutmut: run "python -m pip install mutmut" in the environment first.'
    shutil.rmtree(book.root / WORK, ignore_errors=True)
    mutmut(book.root, "run")
    return store(book, collect(book.root))


if __name__ == "__main__":
    sys.exit(main(Book()))
