"""The repository's address stands in one place, and moving writes it wherever it is needed."""

import re
import subprocess

import pytest

from tests.book.conftest import store
from tools import home
from tools import notebook as nb

PLACEHOLDER = "your_account"


def tracked(book):
    """Text files of the book that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=book.root, capture_output=True, check=True
    )
    paths = [book.root / name for name in listed.stdout.decode().split("\0") if name]
    for path in paths:
        try:
            yield path, path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue


def addresses(text):
    """Addresses that can only be this book's: Colab links, clones and links into a repository.

    An issue by its number may be another project's: threads are cited.
    """
    colab = re.findall(r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/", text)
    clones = re.findall(r"github\.com/([\w.-]+/[\w.-]+?)\.git\b", text)
    inside = re.findall(r"github\.com/([\w.-]+/[\w.-]+)/(?:blob|tree|edit|issues(?!/\d)|raw|actions)\b", text)
    return {*colab, *clones, *inside}


def test_no_place_differs(book):
    own = book.repository
    owner, name = own.split("/")
    wrong = {}
    for path, text in tracked(book):
        if "tests" in path.relative_to(book.root).parts:
            continue
        found = addresses(text)
        found |= set(re.findall(rf"github\.com/([\w.-]+/{re.escape(name)})(?![\w-])", text))
        found |= {f"{site}/{name}" for site in re.findall(rf"([\w-]+)\.github\.io/{re.escape(name)}\b", text)}
        if path.name in ("_config.yml", "setup_cell.py"):
            found |= set(re.findall(r"github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?(?=[\"'\s/]|$)", text))
        different = {place for place in found if place != own}
        if owner != PLACEHOLDER and PLACEHOLDER in text:
            different.add(PLACEHOLDER)
        if different:
            wrong[path.relative_to(book.root).as_posix()] = different
    assert not wrong, f"these name another repository than pyproject.toml ({own}); run make home: {wrong}"


def test_the_address_is_found_wherever_it_may_stand():
    text = (
        "https://colab.research.google.com/github/a/b/blob/main/x.ipynb git clone https://github.com/c/d.git "
        "https://github.com/e/f/issues https://github.com/g/h https://github.com/i/j/issues/7"
    )
    assert addresses(text) == {"a/b", "c/d", "e/f"}


@pytest.fixture
def moved(small):
    (small.root / "README.md").write_text(
        "https://github.com/someone/small-book and https://someone.github.io/small-book/ but "
        "https://github.com/someone/small-book-2 and https://github.com/someone/small-book.git"
    )
    path = small.chapters()["one"]
    text = path.read_text(encoding="utf-8").replace(
        "You can add.", "https://colab.research.google.com/github/someone/small-book/blob/main/chapters/one.ipynb"
    )
    path.write_text(text, encoding="utf-8")
    return small


def test_moving_rewrites_every_place(moved):
    changed = home.move(moved, "Team-9/the.book")
    assert [path.name for path in changed] == ["pyproject.toml", "README.md", "one.ipynb"]
    assert moved.repository == "Team-9/the.book"
    assert (moved.root / "README.md").read_text() == (
        "https://github.com/Team-9/the.book and https://Team-9.github.io/the.book/ but "
        "https://github.com/someone/small-book-2 and https://github.com/Team-9/the.book.git"
    )
    assert "github/Team-9/the.book/blob/main" in moved.chapters()["one"].read_text(encoding="utf-8")
    assert home.move(moved, "Team-9/the.book") == []


def test_moving_asks_for_no_new_run(moved):
    path = store(moved, "two", 'HOME = "https://github.com/someone/small-book"')
    before = nb.source_hash(moved, nb.read(path))
    home.move(moved, "a/b")
    assert "https://github.com/a/b" in nb.read(path).cells[-1].source
    assert nb.source_hash(moved, nb.read(path)) == before


@pytest.mark.parametrize("name", ["", "name", "a/b/c", "-a/b", "a b/c", "a/..", "a--b/c", "https://github.com/a/b"])
def test_what_is_no_address_is_one_clear_sentence_and_changes_nothing(moved, name):
    before = {path: path.read_bytes() for path in home.places(moved)}
    with pytest.raises(ValueError, match=r"^REPO must be owner/name, as on GitHub, not "):
        home.move(moved, name)
    assert {path: path.read_bytes() for path in home.places(moved)} == before
