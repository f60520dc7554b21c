"""What the text of a chapter must keep: Markdown that every program shows, references that lead somewhere, answers.

Each rule takes a chapter and yields complaints, in words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools import notebook as nb
from tools.chapter import Chapter, Rule, tags
from tools.references import family, works, years
from tools.symbols import FORMULA, explained, formulas, symbols

DIRECTIVE = re.compile(r"^\s*(?:`{3,}|:{3,}|~{3,})\s*\{[\w:-]+\}|(?<![\w\\$}])\{[\w:-]+\}`[^`]+`", re.MULTILINE)
RAW = re.compile(
    r"""
      ^[ ]{0,3}\([^()\n]+\)=\s*$        # a target
    | ^[ ]{0,3}(?:%|\+{3}|:{3}).*       # a comment, a break between blocks, a fence of colons
    | ^[ ]*>[ ]*\[!\w+\]                # an alert
    | \[\^[^\]\s]+\]                    # a footnote
    | ^[ ]{0,3}\[[^\]\n]+\]:[ ]         # a link's address that stands elsewhere
    | \]\[[^\]\n]*\]                    # a link by reference
    | \$\$[ ]*\([\w:.-]+\)              # the label of an equation
    """,
    re.MULTILINE | re.VERBOSE,
)
# Bold that the glossary does not see.
BOLD = re.compile(r"(?<![\w/=?])__(?=\w)[^\n]+?__(?!\w)|</?(?:b|strong)\b[^>]*>")
LINK = re.compile(r"\]\((?:([\w-]+)\.ipynb)?(?:#([^)\s]*))?\)")
EXERCISE = re.compile(r"^\*\*Exercise (\d+)\b *(?:\(([^)]*)\))?", re.MULTILINE)
# A link to a paper, or any link whose words end with a year.
CITATION = re.compile(
    r"\[(?=[^][]*, \d{4}[a-z]?\]|[^][]*\]\(https?://(?:(?:dx\.)?doi|(?:www\.)?arxiv)\.org/)([^][]*)\]"
    r"\((https?://[^)\s]+)\)"
)
# A number is left alone before one of these: "1 more than 2 to the power 24" is no bound.
BOUND = re.compile(
    r"(?<!\d )\b(?:over|under|above|below|at least|at most|more than|fewer than|less than|within|up to) \d[\d.,]*%?"
)


def plain(chapter: Chapter) -> Iterator[str]:
    """No MyST, footnote, alert or link by reference: Colab or GitHub would show it raw. Bold has two stars."""
    for cell in chapter.markdown:
        if match := DIRECTIVE.search(cell.source):
            yield f"MyST in a chapter: {match[0].strip()}"
    text = _without_formulas(chapter.prose)
    yield from (f"not plain Markdown: {match[0].strip()}" for match in RAW.finditer(text))
    yield from (f"bold is **…**: {match[0]}" for match in BOLD.finditer(text))


def equations(chapter: Chapter) -> Iterator[str]:
    """Each tag names one equation, and each reference a tag that exists."""
    found = re.findall(r"\\tag\{([^}]+)\}", chapter.prose)
    yield from (f"\\tag{{{tag}}} is used twice" for tag in sorted({t for t in found if found.count(t) > 1}))
    # In parentheses of their own, one or two digits are an equation, four are a year.
    named = re.findall(r"(?<![\w\]$])\((\d{1,2})\)", _without_formulas(chapter.prose))
    yield from (f"equation ({tag}) has no \\tag" for tag in sorted(set(named) - set(found), key=int))


def notation(chapter: Chapter) -> Iterator[str]:
    """Each letter of a formula stands in the notation, in the table for all or in one of the chapter."""
    page = (chapter.book.root / "pages" / "notation.md").read_text(encoding="utf-8")
    known = explained(page, chapter.name)
    for formula in formulas(chapter.prose):
        if unknown := symbols(formula) - known:
            yield f"not in pages/notation.md: {', '.join(sorted(unknown))} in {' '.join(formula.split())}"


def citations(chapter: Chapter) -> Iterator[str]:
    """Each citation names the first author and the year of its work, which is listed in the references."""
    listed = works((chapter.book.root / "pages" / "references.md").read_text(encoding="utf-8"))
    for label, url in CITATION.findall(chapter.prose):
        year = re.search(r"\b(\d{4})[a-z]?$", label)
        if not year:
            yield f"a citation ends with the year: [{label}]({url})"
        elif url in listed and year[1] not in years(listed[url]):
            yield f"[{label}] has another year in pages/references.md: {listed[url]}"
        if url not in listed:
            yield f"not in pages/references.md: {url}"
        elif family(label) != family(listed[url]):
            yield f"[{label}] has another first author in pages/references.md: {listed[url]}"


def links(chapter: Chapter) -> Iterator[str]:
    """Each link to a chapter, or to a section of one, leads to what exists."""
    found = [(name or chapter.name, anchor) for name, anchor in LINK.findall(chapter.prose)]
    existing = {name for name, _ in found} & set(chapter.book.chapters())
    known = {name: anchors(Chapter(chapter.book, name)) for name in existing}
    for name, anchor in found:
        if name not in known:
            yield f"there is no chapter {name}"
        elif anchor and anchor not in known[name]:
            yield f"{name} has no section #{anchor}"


def exercises(chapter: Chapter) -> Iterator[str]:
    """Exercises are numbered, each has a kind and a folded solution, and each checker sees a stub and a solution."""
    folded = "<details>"  # what a folded cell is to a reader
    flow = [c.source if c.cell_type == "markdown" else folded if "hide-cell" in tags(c) else "" for c in chapter.cells]
    _, *parts = EXERCISE.split(_section("\n\n".join(flow), "Exercises"))
    yield from _numbering("exercises", parts[::3])
    for number, kind, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if not re.match(r"(?:predict|write|extend)\b", kind or ""):
            yield f"exercise {number} is not marked (predict), (write) or (extend)"
        if folded not in text:
            yield f"exercise {number} has no folded solution below it"
    seen: dict[str, list[str]] = {}
    for cell in chapter.code:
        begins = "".join(output.get("text", "") for output in cell.outputs)
        says = next((word for word in ("Not yet", "✓") if begins.startswith(word)), "something else")
        where = "folded" if "hide-cell" in tags(cell) else "open"
        for name in {ast.unparse(call.func) for call in nb.calls(cell.source)}:
            if name.startswith("checks."):
                seen.setdefault(name, []).append(f"{says} in the {where} cell [{cell.execution_count}]")
    for name, cells in seen.items():
        if sorted(cell.split(" cell")[0] for cell in cells) != ["Not yet in the open", "✓ in the folded"]:
            yield f"{name} says 'Not yet' in one open cell and ✓ in one folded cell, not {', '.join(cells)}"


def quiz(chapter: Chapter) -> Iterator[str]:
    """Questions are numbered, and one answer to each begins with Yes."""
    _, *parts = re.split(r"^\*\*(\d+)\.\*\*", _section(chapter.text, "Check yourself"), flags=re.MULTILINE)
    yield from _numbering("questions", parts[::2])
    for number, text in zip(parts[::2], parts[1::2], strict=True):
        if (right := len(re.findall(r"^Yes\b", text, re.MULTILINE))) != 1:
            yield f"question {number} has {right} answers that begin with Yes"


def claims(chapter: Chapter) -> Iterator[str]:
    """Each claim shows the bound that it tests: is_true tests none."""
    for call in (call for cell in chapter.code for call in nb.calls(cell.source)):
        untested = call.args and any(keyword.arg == "is_true" for keyword in call.keywords)
        if untested and ast.unparse(call.func) == "claim":
            sentence = ast.unparse(call.args[0])
            if match := BOUND.search(sentence):
                yield f"is_true does not test {match[0]!r}, below= or above= does: {sentence}"


def anchors(chapter: Chapter) -> list[str]:
    """Return what the headings of a chapter are linked by, as MyST makes it: no formula, a repeated one numbered."""
    found: list[str] = []
    for title in re.findall(r"^#+ +(.+?) *$", chapter.text, re.MULTILINE):
        slug, number = re.sub(r"[^\w-]", "", FORMULA.sub("", title).lower().replace(" ", "-")), 1
        while slug in found:
            slug, number = f"{slug}-{number}", number + 1
        found.append(slug)
    return found


def _without_formulas(prose: str) -> str:
    return FORMULA.sub(lambda formula: "$$" if formula[1] else "$", prose)


def _section(text: str, title: str) -> str:
    match = re.search(rf"^## {title} *$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1] if match else ""


def _numbering(what: str, numbers: list[str]) -> Iterator[str]:
    if not numbers or numbers != [str(number + 1) for number in range(len(numbers))]:
        yield f"the {what} are not numbered from 1: {', '.join(numbers) or 'there are none'}"


RULES: tuple[Rule, ...] = (plain, equations, notation, citations, links, exercises, quiz, claims)
