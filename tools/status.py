"""Generate ``pages/status.md`` from ``records/``: ``python -m tools.status``.

The page depends on the records, and on the modules that they were made with: it prints dates, never ages, so that it
changes only when they do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping

from tools.book import Book, replace
from utils.sources import modules_hash

INTRODUCTION = """\
# Status

What was run, when, and how far each checked sentence is from failing. `make refresh` writes this page from
`records/`; do not edit it.
"""


def number(value: object) -> str:
    """Format a measured value for a table."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def table(head: list[str], rows: list[list[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *[[number(cell).replace("|", "\\|") for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def listed(values: Mapping[str, object]) -> str:
    """Return names with their values, as in ``numpy 2.4.6, python 3.11.7``."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


def chapters(book: Book) -> str:
    """Return the section on chapters: one row each, then every claim with its margin."""
    records = book.record("chapters")
    names = [name for name in book.chapters() if name in records]
    if not names:
        return ""
    rows, details = [], []
    for name in names:
        record = records[name]
        claims = record["claims"]
        rows.append(
            [
                f"[{name}](../chapters/{name}.ipynb)",
                record["seconds"],
                record["cells"],
                len(claims),
                record["backend"],
                record["verified"],
            ]
        )
        claimed = [[c["sentence"], c["measured"], c["bound"], c["margin"]] for c in claims]
        details += [
            f"### Claims of {name}\n",
            (
                f"Verified with {listed(record['versions'])}. "
                "The margin is the distance from the measured value to the bound.\n"
            ),
            table(["sentence", "measured", "bound", "margin"], claimed),
        ]
    head = ["chapter", "seconds", "cells", "claims", "backend", "verified"]
    return "\n".join(["## Chapters\n", table(head, rows), *details])


def experiments(book: Book) -> str:
    """Return the section on recorded experiments: one row each, then those that modules have changed under."""
    rows, older = [], []
    for name, record in book.experiments().items():
        about = record["about"]
        machine = f"{about['machine']['cpu']}, {about['machine']['cores']} cores"
        rows.append([name, len(record["rows"]), about["seconds"], about["made"], machine, listed(about["versions"])])
        if about["modules_hash"] != modules_hash(book.root, about["modules"]):
            older.append(name)
    if not rows:
        return ""
    parts = [
        "## Records\n",
        "Experiments that ran once over all their seeds, and that chapters read; `make record NAME=…` runs one anew.\n",
        table(["record", "runs", "seconds", "made", "on", "versions"], rows),
    ]
    if older:
        parts.append(f"Made before the present text of the `utils` modules that they use: {', '.join(older)}.\n")
    return "\n".join(parts)


def benchmarks(book: Book) -> str:
    """Return the section on benchmarks, empty when none were recorded."""
    record = book.record("benchmarks")
    if not record:
        return ""
    return "\n".join(
        [
            "## Benchmarks\n",
            f"Measured on {record['date']} ({listed(record['machine'])}); `make bench` renews them. {record['note']}\n",
            table(record["head"], record["table"]),
        ]
    )


def mutants(book: Book) -> str:
    """Return the section on mutation testing with every survivor, empty when it was not recorded."""
    record = book.record("mutants")
    if not record:
        return ""
    total = record["killed"] + record["survived"]
    parts = [
        "## Mutation tests\n",
        (
            f"Of {total} small changes to `utils/scratch`, the tests notice {record['killed']} "
            f"({record['score']:.1%}); measured on {record['date']}, `make mutants` measures again. The survivors:\n"
        ),
    ]
    by_reason: dict[str, list[str]] = {}
    for survivor in record["survivors"]:
        changed = [line for line in survivor["diff"].splitlines() if re.match(r"[-+](?![-+])", line)]
        by_reason.setdefault(survivor["explanation"] or "Not explained yet.", []).append("\n".join(changed))
    for reason, changes in by_reason.items():
        diff = "\n".join(dict.fromkeys(changes))  # the same change in two places is shown once
        parts.append(f"**{reason}** ({len(changes)})\n\n```diff\n{diff}\n```\n")
    return "\n".join(parts)


def page(book: Book) -> str:
    """Return the whole page."""
    parts = [INTRODUCTION, chapters(book), experiments(book), benchmarks(book), mutants(book)]
    return "\n".join(part for part in parts if part)


def write(book: Book) -> None:
    """Write the page, unless it is as it should be."""
    content = page(book)
    path = book.status_page
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        replace(path, content)


if __name__ == "__main__":
    write(Book())
    sys.exit(0)
