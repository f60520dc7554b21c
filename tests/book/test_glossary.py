"""The glossary is in order, its links lead to sections that use the term, and every term in bold has an entry."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest
from markdown_it import MarkdownIt
from myst_parser.mdit_to_docutils.base import default_slugify
from nbformat.v4 import new_markdown_cell, new_notebook

from tools import notebook as nb
from tools.book import Book
from tools.chapter import Chapter

LINK = re.compile(r"\[[^\]]+\]\(\.\./chapters/([\w-]+)\.ipynb(?:#([^)\s]*))?\)")
SEE = re.compile(r"See \[(?P<term>[^\]]+)\]\(#(?P<letter>\w+)\)\.")
ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|ies|e|s|y)+$")
# Bold that is no term: what opens a quotation, what a list names with a colon, what ends like a sentence …
LABEL = re.compile(r"(?:\A|\n\n)> \*\*[^*]+\*\*|^- \*\*[^*]+\*\*(?: \(\[[^\]]*\]\([^)\s]*\)\))?:", re.M)
# … and versions that an experiment compares, or stress.
NO_TERMS = {
    "A forget bias of 5", "A mask", "Both directions", "The padding in front", "an untrained network", "changes",
    "levels", "one vector of a fixed size", "unmasked", "year",
}  # fmt: skip


@dataclass
class Entry:
    """A term, the letter above it, and one definition for each of its senses."""

    letter: str
    term: str
    definitions: list[str]

    @property
    def links(self) -> list[tuple[str, str]]:
        """Chapter and anchor of each link."""
        return [link for text in self.definitions for link in LINK.findall(text)]


def entries(text: str) -> list[Entry]:
    """Entries of the page: below a letter, a line with the term, then lines that begin with a colon."""
    found, letter = [], ""
    for block in re.split(r"\n{2,}", text.strip()):
        if block.startswith("## "):
            letter = block.removeprefix("## ")
        elif letter:
            term, *senses = re.split(r"\n: ", block)
            found.append(Entry(letter, term, [" ".join(sense.split()) for sense in senses]))
    return found


def sections(chapter: Chapter) -> dict[str, str]:
    """The sections of a chapter by their anchors, each with its heading and its text up to the next heading."""
    source = "\n\n".join(cell.source for cell in chapter.markdown)
    lines, tokens = source.splitlines(), MarkdownIt().parse(source)
    heads = [
        (start.map[0], "".join(part.content for part in title.children if part.type in ("text", "code_inline")))
        for start, title in pairwise(tokens)
        if start.type == "heading_open"
    ]
    ends = [line for line, _ in heads[1:]] + [len(lines)]
    return {default_slugify(title): "\n".join(lines[line:end]) for (line, title), end in zip(heads, ends, strict=True)}


def stems(text: str) -> list[str]:
    """Words without their endings, so that *frames* is *frame* and *t-test* is *t test*."""
    return [ENDING.sub("", word) for word in re.findall(r"[^\W_]+", text.casefold())]


def terms(prose: str) -> list[str]:
    """What stands in bold in a chapter and is no label, as often as it does."""
    bold = [" ".join(found.split()) for found in re.findall(r"\*\*(.+?)\*\*", LABEL.sub("", prose), re.S)]
    return [found for found in bold if re.search(r"[^\W\d].*[^.:?!]$", found) and found not in NO_TERMS]


def order(page: list[Entry]) -> Iterator[str]:
    """Terms are sorted, each stands once, under its letter."""
    for above, below in pairwise(page):
        if above.term.casefold() == below.term.casefold():
            yield f"{below.term} stands twice"
        elif above.term.casefold() > below.term.casefold():
            yield f"{below.term} stands after {above.term}"
    for entry in page:
        if entry.letter != entry.term[0].upper():
            yield f"{entry.term} stands under {entry.letter}"


def leads(page: list[Entry], chapters: dict[str, dict[str, str]]) -> Iterator[str]:
    """Each sense leads to another entry or to sections that exist and use the term."""
    own = {entry.term: entry for entry in page}
    for entry in page:
        if not entry.definitions:
            yield f"{entry.term} has no definition"
        for definition in entry.definitions:
            if see := SEE.fullmatch(definition):
                target = own.get(see["term"])
                if not target or target.letter.lower() != see["letter"] or not target.links:
                    yield f"{entry.term} leads to {see['term']} under {see['letter']}, where it is not defined"
                continue
            links = LINK.findall(definition)
            if not links:
                yield f"{entry.term} leads to no section: {definition}"
            for chapter, anchor in links:
                text = chapters.get(chapter, {}).get(anchor)
                if text is None:
                    yield f"{entry.term} leads to {chapter}#{anchor}, which does not exist"
                elif missing := set(stems(entry.term)) - set(stems(text)):
                    yield f"{entry.term} leads to {chapter}#{anchor}, which has no {', '.join(sorted(missing))}"


def gaps(page: list[Entry], chapter: str, prose: str) -> Iterator[str]:
    """Each term in bold begins the name of an entry that leads to its chapter."""

    def words_of(term: str) -> list[str]:
        return [word for word in stems(term) if word not in ("a", "an", "the", "with")]

    names = [words_of(entry.term) for entry in page if chapter in dict(entry.links)]
    for term in sorted(set(terms(prose))):
        words = words_of(term)
        if not any(name[: len(words)] == words for name in names):
            yield f"**{term}** of {chapter} has no entry in pages/glossary.md that leads there"


def repeated(prose: str) -> list[str]:
    """The terms that stand in bold again: bold marks where one is introduced."""
    found = [term.casefold() for term in terms(prose)]
    return sorted({term for term in found if found.count(term) > 1})


@pytest.fixture(scope="module")
def page(book) -> list[Entry]:
    return entries((book.root / "pages" / "glossary.md").read_text(encoding="utf-8"))


def test_the_entries_are_in_order(page):
    assert list(order(page)) == []


def test_each_entry_leads_to_sections_that_use_its_term(book, page):
    assert list(leads(page, {name: sections(Chapter(book, name)) for name in book.chapters()})) == []


@pytest.mark.parametrize("name", Book().chapters())
def test_each_term_in_bold_has_an_entry(book, page, name):
    assert list(gaps(page, name, Chapter(book, name).prose)) == []


@pytest.mark.parametrize("name", Book().chapters())
def test_each_term_is_bold_once(book, name):
    assert repeated(Chapter(book, name).prose) == [], f"bold more than once in {name}: make all but the first plain"


SOUND = """# Glossary

What the words mean.

## C

Clipping
: Cutting off what is too long.
  [Too long?](../chapters/one.ipynb#too-long)

## S

sum
: What adding makes.
  [Does it add?](../chapters/one.ipynb#does-it-add)
: Elsewhere, money.
  [What is `sum`?](../chapters/one.ipynb#what-is-sum)

## T

T-test
: See [sum](#s).
"""
PROSE = """# One

**Before this:** nothing. **Time:** under 1 minute.

## Does it add?

> **Keep this.** Adding makes a
> **sum**, or many **sums**.

- **plus**: a name ([Gauss, 1801](https://doi.org/1): no term).
- **minus** ([Gauss, 1801](https://doi.org/1)): another one.

**7** is **unmasked**.

```
# No heading
```

### What is `sum`?

### "Too long"?

It is **clipped**.
"""


@pytest.fixture
def one(tmp_path) -> Chapter:
    (tmp_path / "chapters").mkdir()
    chapter = Chapter(Book(tmp_path), "one")
    chapter.path.write_text(nb.text(new_notebook(cells=[new_markdown_cell(PROSE)])), encoding="utf-8")
    return chapter


def complaints(text: str, one: Chapter) -> str:
    page = entries(text)
    return "\n".join([*order(page), *leads(page, {"one": sections(one)}), *gaps(page, "one", one.prose)])


def test_a_sound_page_passes(one):
    assert complaints(SOUND, one) == ""


def test_sections_are_known_by_the_anchors_of_their_headings(one):
    assert list(sections(one)) == ["one", "does-it-add", "what-is-sum", "too-long"]
    assert sections(one)["too-long"] == '### "Too long"?\n\nIt is **clipped**.'


def test_labels_are_no_terms(one):
    assert terms(one.prose) == ["sum", "sums", "clipped"]


def test_a_term_that_is_bold_again_is_named(one):
    assert repeated(one.prose) == []
    assert repeated(f"{one.prose}\n**Clipped** is **unmasked**, and **unmasked** it is.") == ["clipped"]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("Clipping", "zip", "sum stands after zip"),
        ("Clipping", "zip", "zip stands under C"),
        ("Clipping", "Sum", "sum stands twice"),
        ("## S\n\n", "", "sum stands under C"),
        (": See [sum](#s).", "See [sum](#s).", "has no definition"),
        (": See [sum](#s).", ": See [sum](#c).", "T-test leads to sum under c, where it is not defined"),
        (": See [sum](#s).", ": See [Sums](#s).", "T-test leads to Sums under s, where it is not defined"),
        (": See [sum](#s).", ": See [T-test](#t).", "T-test leads to T-test under t, where it is not defined"),
        (": See [sum](#s).", ": A test.", "T-test leads to no section: A test."),
        ("  [What is `sum`?](../chapters/one.ipynb#what-is-sum)\n", "", "sum leads to no section: Elsewhere, money."),
        ("one.ipynb#what-is-sum", "one.ipynb#what-is", "sum leads to one#what-is, which does not exist"),
        ("one.ipynb#what-is-sum", "one.ipynb", "sum leads to one#, which does not exist"),
        ("one.ipynb#what-is-sum", "two.ipynb#what-is-sum", "sum leads to two#what-is-sum, which does not exist"),
        ("one.ipynb#what-is-sum", "one.ipynb#too-long", "sum leads to one#too-long, which has no sum"),
        ("one.ipynb#too-long", "one.ipynb#what-is-sum", "Clipping leads to one#what-is-sum, which has no clipp"),
        ("Clipping", "Clipping-plane", "Clipping-plane leads to one#too-long, which has no plan"),
        ("Clipping", "Not clipping", "**clipped** of one has no entry in pages/glossary.md that leads there"),
        ("one.ipynb#too-long", "two.ipynb#too-long", "**clipped** of one has no entry in pages/glossary.md"),
    ],
)  # fmt: skip
def test_a_broken_page_is_named(one, old, new, complaint):
    assert old in SOUND
    assert complaint in complaints(SOUND.replace(old, new), one)
