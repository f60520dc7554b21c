"""Every chapter keeps every rule, and is where the reader finds it."""

import pytest

from tools import status
from tools.book import Book
from tools.chapter import Chapter
from tools.rules import RULES, orphans


def pytest_generate_tests(metafunc):
    if "name" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--chapter")
        metafunc.parametrize("name", [chosen] if chosen else list(Book().chapters()))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_chapter(book, name, rule):
    complaints = list(rule(Chapter(book, name)))
    assert not complaints, "\n".join([f"{name}: {rule.__doc__}", *complaints])


def test_the_table_of_contents_and_the_chapters_agree(book):
    listed = [file.removeprefix("chapters/") for file in book.toc() if file.startswith("chapters/")]
    assert sorted(listed) == sorted(book.chapters())
    assert len(listed) == len(set(listed))


def test_the_table_of_contents_and_the_pages_agree(book):
    listed = [file.removeprefix("pages/") for file in book.toc() if file.startswith("pages/")]
    assert sorted(listed) == sorted(path.stem for path in (book.root / "pages").glob("*.md"))


def test_every_record_belongs_to_a_chapter(book):
    assert orphans(book) == [], "no chapter makes these: remove them from records/"


def test_the_status_page_is_what_the_records_say(book):
    # Compared first: pytest would show the difference of two whole pages.
    same = book.status_page.read_text(encoding="utf-8") == status.page(book)
    assert same, "pages/status.md is not what records/ say: run make status"
