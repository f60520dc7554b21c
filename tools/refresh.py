"""Re-run the chapters whose source changed and store their outputs: ``python -m tools.refresh [NAME]``."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path

from nbformat import NotebookNode

from tools import notebook as nb
from tools import reproductions, status
from tools.book import Book, replace
from tools.execute import ChapterError, execute
from utils.machine import backend, versions

LONGEST = 90  # seconds of a chapter on two idle cores


def is_current(notebook: NotebookNode, record: dict, digest: str) -> bool:
    """Say whether a chapter's stored outputs come from its present source."""
    return record.get("source") == digest and all(c.execution_count for c in nb.code_cells(notebook))


def refresh(book: Book, name: str | None = None, progress: bool = False) -> list[str]:
    """Renew the stored outputs of changed chapters, or of the one named, changed or not.

    A chapter is replaced only after it ran to its end: an interrupted or failed run leaves the stored
    notebook and its record as they were. A chapter that need not run is only brought into the stored form.

    Returns
    -------
    list of str
        The chapters that failed, or have a cell that is not Python.
    """
    failed = []
    for chapter, path in book.select(name).items():
        before = nb.read(path)
        if wrong := nb.not_python(before):
            print("\n".join(f"{chapter}: {complaint}" for complaint in wrong), file=sys.stderr)
            failed.append(chapter)
            continue
        digest = nb.source_hash(book, before)
        if not name and is_current(before, book.record("chapters").get(chapter, {}), digest):
            print(f"{chapter}: up to date")
            _store(path, before)
            continue
        print(f"{chapter}: running …", flush=True)
        try:
            result = execute(path, progress=progress)
        except ChapterError as error:
            print(f"{error}\n{chapter}: failed, the stored notebook is unchanged", file=sys.stderr)
            failed.append(chapter)
            continue
        _store(path, nb.with_minutes(result.notebook, result.seconds))
        records = book.record("chapters")
        records[chapter] = {
            "seconds": round(result.seconds),
            "cells": len(nb.code_cells(before)),
            "claims": result.claims,
            "versions": versions("matplotlib"),
            "backend": backend(),
            "verified": datetime.date.today().isoformat(),
            "source": digest,
        }
        book.write_record("chapters", records)
        print(f"{chapter}: {result.seconds:.0f} s, {len(result.claims)} claims hold")
        if result.seconds > LONGEST:
            print(f"{chapter}: over the {LONGEST} s of a chapter, unless this machine was busy", file=sys.stderr)
    status.write(book)
    reproductions.write(book)
    return failed


def _store(path: Path, notebook: NotebookNode) -> None:
    content = nb.text(nb.stored_form(notebook))
    if content != path.read_text(encoding="utf-8"):
        replace(path, content)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapter", nargs="?", help="run this chapter even if nothing changed")
    arguments = parser.parse_args()
    try:
        return 1 if refresh(Book(), arguments.chapter, progress=sys.stderr.isatty()) else 0
    except KeyboardInterrupt:
        print("Interrupted: the chapter that ran is unchanged.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
