"""Generate ``pages/reproductions.md``: ``python -m tools.reproductions``.

What a paper says and how the book's result compares is judged by a person, in ``pages/reproductions.toml``. The rest
comes from the chapters: the label of the paper, the lines that the cells print, what was measured, and the section.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from tools import prose
from tools.book import Book, replace
from tools.chapter import Chapter
from tools.notebook import code_cells
from tools.status import number, table

VERDICTS = {"holds": "holds", "weakly": "holds weakly", "not": "does not hold"}
INTRODUCTION = """\
# Reproductions

What papers found, and what came out when this book tried it on two processor cores. `make refresh` writes this page
from the chapters and from `pages/reproductions.toml`, which holds the verdicts; do not edit it.

A result **holds** if it came out here clear of chance: by two points and five standard deviations of a mean over seeds,
or by more than its interval where one was computed. It **holds weakly** if only its sign came out so, or only under
some of the paper's conditions, or in one run. It **does not hold** if we looked for it and found nothing, or the
opposite: a sentence about small models and small data, not about the paper. What was derived or proved anew is not
listed, only what was measured.
"""


@dataclass(frozen=True)
class Entry:
    """One result of a paper, as ``pages/reproductions.toml`` has it.

    Attributes
    ----------
    chapter : name of the chapter that tries it
    work : link of the paper, as the chapter cites it
    finds : what the paper says, one sentence
    here : what the book tried, in words, without a result
    claims : what the chapter's cells print after the check mark, to the letter
    verdict : one of ``VERDICTS``
    remark : how this differs from the paper; needed unless the verdict is "holds"
    """

    chapter: str
    work: str
    finds: str
    here: str
    claims: list[str]
    verdict: str
    remark: str = ""


def entries(book: Book) -> list[Entry]:
    """Return all entries, in the order of the chapters; none where there is no file."""
    path = book.root / "pages" / "reproductions.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8"))["result"] if path.exists() else []
    order = list(book.chapters())
    listed = [Entry(**entry) for entry in found]
    return sorted(listed, key=lambda entry: order.index(entry.chapter) if entry.chapter in order else len(order))


def complaints(book: Book) -> Iterator[str]:
    """Say what is wrong with the entries, a sentence each."""
    measured = book.record("chapters")
    for entry in entries(book):
        where = f"pages/reproductions.toml, {entry.chapter}, {entry.finds!r}"
        if entry.chapter not in book.chapters():
            yield f"{where}: there is no such chapter"
            continue
        chapter = Chapter(book, entry.chapter)
        if entry.verdict not in VERDICTS:
            yield f"{where}: the verdict {entry.verdict!r} is none of {', '.join(VERDICTS)}"
        if entry.verdict != "holds" and not entry.remark:
            yield f"{where}: say in a remark how it differs"
        if not label(chapter, entry.work):
            yield f"{where}: the chapter does not cite {entry.work}"
        sentences = [claim["sentence"] for claim in measured.get(entry.chapter, {}).get("claims", ())]
        for claim in entry.claims:
            if sentences.count(claim) != 1:
                yield f"{where}: {sentences.count(claim)} claims of the chapter are {claim!r}, not one"
            elif not section(chapter, claim):
                yield f"{where}: no stored output has the line ✓ {claim}"


def label(chapter: Chapter, work: str) -> str:
    """Return the words by which a chapter cites a work, empty if it does not."""
    return next((label for label, link in prose.CITATION.findall(chapter.prose) if link == work), "")


def section(chapter: Chapter, claim: str) -> str:
    """Return the anchor of the section in which a cell prints a claim, empty if none does."""
    headings = 0
    for cell in chapter.cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"^(`{3,}|~{3,}).*?^\1", "", cell.source, flags=re.M | re.S)
            headings += len(re.findall(r"^#+ +.+$", text, re.MULTILINE))
        elif cell in code_cells(chapter.notebook):
            lines = [line for output in cell.outputs for line in output.get("text", "").splitlines()]
            if f"✓ {claim}" in lines:
                return prose.anchors(chapter)[headings - 1]
    return ""


def unit(claim: dict) -> str:
    """Return what was measured in the unit of the claim's bound, empty where there is nothing but yes."""
    measured, bound = claim["measured"], claim["bound"]
    if isinstance(measured, bool):
        return ""
    # A bound of 0.05 that is printed as 5% was measured as a share, too.
    share = isinstance(bound, float) and f"{100 * bound:g}%" in claim["sentence"]
    return f" (measured: {number(100 * measured) + '%' if share else number(measured)})"


def row(chapter: Chapter, entry: Entry, printed: dict[str, dict]) -> list[object]:
    """Return the row of one entry; ``printed`` has the claims of its chapter by their sentences."""
    link = f"../chapters/{chapter.name}.ipynb#{section(chapter, entry.claims[0])}"
    lines = [f"[{entry.here}]({link})", *(f"✓ {claim}{unit(printed[claim])}" for claim in entry.claims)]
    verdict = f"**{VERDICTS[entry.verdict]}**" + (f"; {entry.remark}" if entry.remark else "")
    return [f"[{label(chapter, entry.work)}]({entry.work}): {entry.finds}", "<br>".join(lines), verdict]


def page(book: Book) -> str:
    """Return the whole page.

    Raises
    ------
    SystemExit
        If an entry is wrong, with a sentence for each.
    """
    if wrong := list(complaints(book)):
        raise SystemExit("\n".join(wrong))
    found, records = entries(book), book.record("chapters")
    by_chapter = {name: [e for e in found if e.chapter == name] for name in dict.fromkeys(e.chapter for e in found)}
    counts, sections = [], []
    for name, tried in by_chapter.items():
        chapter = Chapter(book, name)
        title = re.match(r"# (.+)", chapter.text)[1]
        counts.append([f"[{title}](../chapters/{name}.ipynb)", *(_count(tried, verdict) for verdict in VERDICTS)])
        printed = {claim["sentence"]: claim for claim in records[name]["claims"]}
        rows = [row(chapter, entry, printed) for entry in tried]
        sections += [f"## {title}\n", table(["the paper says", "the book finds", "verdict"], rows)]
    total = [f"all: {len(found)} results of {len({e.work for e in found})} papers"]
    counts.append([*total, *(_count(found, verdict) for verdict in VERDICTS)])
    return "\n".join([INTRODUCTION, table(["chapter", *VERDICTS.values()], counts), *sections])


def _count(tried: list[Entry], verdict: str) -> int:
    return sum(entry.verdict == verdict for entry in tried)


def write(book: Book) -> None:
    """Write the page, unless it is as it should be or there are no entries."""
    if not entries(book):
        return
    path, content = book.root / "pages" / "reproductions.md", page(book)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        replace(path, content)


if __name__ == "__main__":
    write(Book())
    sys.exit(0)
