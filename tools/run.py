"""Run all chapters into ``_runs/`` and report: ``python -m tools.run --profile full --shard 1/4``."""

from __future__ import annotations

import argparse
import html
import sys
from dataclasses import dataclass

from tools import notebook as nb
from tools import shards
from tools.book import Book, replace
from tools.execute import ChapterError, execute
from utils.machine import backend, versions

STYLE = "body{font:16px/1.5 sans-serif;margin:2em}td,th{padding:.2em 1em;text-align:left}.bad{color:#b00020}"


@dataclass(frozen=True)
class Outcome:
    """How a chapter ended: its seconds and claims, or the failure."""

    name: str
    seconds: float = 0.0
    claims: int = 0
    failure: str = ""


def run(book: Book, profile: str, shard: tuple[int, int] = (1, 1), progress: bool = False) -> list[Outcome]:
    """Run one share of the chapters; a chapter that fails does not stop the others.

    Parameters
    ----------
    book : Book
        Executed notebooks and the report go to its ``runs`` folder.
    profile : str
        ``quick`` or ``full``, given to the notebook's parameters.
    shard : tuple of int
        Which share of how many.
    progress : bool
        Show papermill's bar for each chapter.
    """
    index, count = shard
    chapters = book.chapters()
    seconds = {name: record["seconds"] for name, record in book.record("chapters").items()}
    names = shards.split(chapters, seconds, count)[index - 1]
    book.runs.mkdir(exist_ok=True)
    outcomes = []
    for position, name in enumerate(names, start=1):
        print(f"[{position}/{len(names)}] {name} …", flush=True)
        try:
            result = execute(chapters[name], {"PROFILE": profile}, progress=progress)
        except ChapterError as error:
            outcome = Outcome(name, failure=str(error))
            print(f"    failed: {error}", file=sys.stderr)
        else:
            outcome = Outcome(name, result.seconds, len(result.claims))
            replace(book.runs / f"{name}.ipynb", nb.text(result.notebook))
            print(f"    {result.seconds:.0f} s, {len(result.claims)} claims hold")
        outcomes.append(outcome)
    path = book.runs / (f"report-{index}-of-{count}.html" if count > 1 else "report.html")
    replace(path, report(outcomes, profile, shard))
    print(f"Report: {path}")
    return outcomes


def report(outcomes: list[Outcome], profile: str, shard: tuple[int, int]) -> str:
    """Return the report as one HTML page."""
    failed = [outcome for outcome in outcomes if outcome.failure]
    total = sum(outcome.seconds for outcome in outcomes)
    rows = "".join(
        f"<tr><td>{html.escape(o.name)}</td><td>{o.seconds:.0f}</td><td>{o.claims}</td>"
        f"<td>{'<span class=bad>failed</span>' if o.failure else 'ran'}</td></tr>\n"
        for o in outcomes
    )
    details = "".join(f"<h2>{html.escape(o.name)}</h2><pre>{html.escape(o.failure)}</pre>\n" for o in failed)
    packages = "".join(f"<li>{name} {version}</li>" for name, version in versions("matplotlib").items())
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Run of the book</title><style>{STYLE}</style>
<h1>Run of the book</h1>
<p>Profile {html.escape(profile)}, share {shard[0]} of {shard[1]}, backend {html.escape(backend())}:
{len(outcomes)} chapters, {len(failed)} failed, {total:.0f} s.</p>
<table><tr><th>chapter</th><th>seconds</th><th>claims</th><th>result</th></tr>
{rows}</table>
<ul>{packages}</ul>
{details}</html>
"""


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=("quick", "full"), default="full")
    parser.add_argument("--shard", default="1/1")
    arguments = parser.parse_args()
    outcomes = run(Book(), arguments.profile, shards.parse(arguments.shard), progress=sys.stderr.isatty())
    return 1 if any(outcome.failure for outcome in outcomes) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
