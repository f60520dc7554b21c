"""A new chapter keeps every rule as it is laid, and what cannot be laid leaves nothing behind."""

import shutil
import subprocess
import sys

import pytest

from tools import new
from tools.book import Book
from tools.chapter import Chapter
from tools.notebook import code_cells, read
from tools.rules import RULES

# The template builds on cnn-math.
NEEDED = (
    "utils",
    "pages",
    "_toc.yml",
    "pyproject.toml",
    "tools/setup_cell.py",
    "records/chapters.json",
    "chapters/cnn-math.ipynb",
)


@pytest.fixture
def copy(book, tmp_path) -> Book:
    """The real book without most of its chapters."""
    for name in NEEDED:
        source, target = book.root / name, tmp_path / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    # It judges results of the chapters that are not here.
    (tmp_path / "pages" / "reproductions.toml").unlink()
    return Book(tmp_path)


def files(book: Book) -> dict[str, bytes]:
    """Every file that someone may have written, with its content."""
    found = [path for path in book.root.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path.relative_to(book.root).as_posix(): path.read_bytes() for path in found}


def test_a_new_chapter_keeps_every_rule_and_stands_last(copy):
    before = files(copy)
    assert new.lay(copy, "small-steps") == [
        copy.root / "chapters" / "small-steps.ipynb",
        copy.root / "utils" / "checks" / "small_steps.py",
        copy.root / "_toc.yml",
    ]
    chapter = Chapter(copy, "small-steps")
    assert {rule.__name__: list(rule(chapter)) for rule in RULES if list(rule(chapter))} == {}
    chapters = [file for file in copy.toc() if file.startswith("chapters/")]
    assert chapters[-1] == "chapters/small-steps"
    assert chapter.cells[0].source.startswith("# Small steps\n")
    assert "✓ dense_parameters is right in 2 cases." in code_cells(chapter.notebook)[-1].outputs[0].text
    changed = {name for name, content in files(copy).items() if before.get(name) != content}
    generated = {
        "chapters/small-steps.ipynb",
        "utils/checks/small_steps.py",
        "pages/status.md",
        "records/chapters.json",
    }
    assert changed == generated | {"_toc.yml"}
    for path in ("chapters/small-steps.ipynb", "utils/checks/small_steps.py"):
        done = subprocess.run([sys.executable, "-m", "ruff", "check", "-q", "--no-cache", path], cwd=copy.root)
        assert done.returncode == 0


@pytest.mark.parametrize("name", ["", "Steps", "small_steps", "small--steps", "-a", "1st", "a/b"])
def test_a_name_that_cannot_be_is_one_sentence_and_writes_nothing(copy, name):
    before = files(copy)
    with pytest.raises(
        ValueError, match=r"^CHAPTER must be small letters, digits and single hyphens, as in cnn-math, not "
    ):
        new.lay(copy, name)
    assert files(copy) == before


def test_a_name_that_is_taken_writes_nothing(copy):
    before = files(copy)
    with pytest.raises(ValueError, match=r"^There is a chapter rnn-math already \(utils/checks/rnn_math\.py\): choose"):
        new.lay(copy, "rnn-math")
    assert files(copy) == before


def test_a_chapter_that_does_not_run_is_taken_away(copy):
    (copy.root / "utils" / "plots.py").write_text("1 / 0\n")
    before = files(copy)
    with pytest.raises(RuntimeError, match=r"^The new chapter small-steps did not run, and was taken away again"):
        new.lay(copy, "small-steps")
    after = files(copy)
    del before["pages/status.md"], after["pages/status.md"]  # a page for a book of no chapters
    assert after == before


def test_the_template_is_read_and_never_run():
    assert all(not cell.outputs for cell in code_cells(read(new.TEMPLATES / "chapter.ipynb")))
