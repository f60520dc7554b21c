"""The page on the origin names where each section of the article went, and each of its links leads there."""

import re

import pytest

from tools.book import Book
from tools.chapter import Chapter
from tools.prose import anchors

SECTIONS = [
    *("1", "2.1", "2.2", "2.3", "3.1", "3.2", "3.3", "4.1", "4.2", "4.3", "5.1", "5.2", "5.3", "5.4", "5.5", "6"),
    *(f"6, question {number}" for number in range(1, 6)),
]
ROW = re.compile(r"^\| (?P<section>\d(?:\.\d)?(?:, question \d)?)[ :].*? \| (?P<where>.*) \|$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]+\]\(\.\./chapters/(?P<name>[\w-]+)\.ipynb(?:#(?P<anchor>[\w-]+))?\)")


def complaints(book: Book, page: str) -> list[str]:
    """What is wrong with the table, in words."""
    rows = {match["section"]: match["where"] for match in ROW.finditer(page)}
    wrong = [f"section {section} has no row" for section in SECTIONS if section not in rows]
    wrong += [f"no section of the article: {section}" for section in rows if section not in SECTIONS]
    for section, where in rows.items():
        match = LINK.fullmatch(where)
        if not match:
            wrong.append(f"section {section} has no link: {where}")
        elif match["name"] not in book.chapters():
            wrong.append(f"section {section}: there is no chapter {match['name']}")
        elif match["anchor"] and match["anchor"] not in anchors(Chapter(book, match["name"])):
            wrong.append(f"section {section}: {match['name']} has no section #{match['anchor']}")
    return wrong


def test_each_section_of_the_article_has_a_link_that_leads_somewhere(book):
    assert complaints(book, (book.root / "pages" / "origin.md").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("| 3.3 ", "| three ", "section 3.3 has no row"),
        ("| 3.3 ", "| 3.4 ", "no section of the article: 3.4"),
        ("(../chapters/cnn-math.ipynb)", "(../chapters/cnn-mathematics.ipynb)", "there is no chapter cnn-mathematics"),
        ("#what-are-the-challenges", "#what-else", "faq has no section #what-else"),
        ("[Convolution: the code](../chapters/cnn-code.ipynb)", "*planned*", "section 4.1 has no link: *planned*"),
    ],
)
def test_a_broken_row_is_found(book, old, new, complaint):
    page = (book.root / "pages" / "origin.md").read_text(encoding="utf-8")
    assert old in page
    assert any(complaint in found for found in complaints(book, page.replace(old, new)))
