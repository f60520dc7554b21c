"""Plain ``pytest --nbval`` is strict: it fails for one changed digit and for a claim out of its bound."""

import subprocess
import sys

import pytest

from tests.book.conftest import FIND_ROOT, store
from tools.refresh import refresh


@pytest.fixture(scope="module")
def nbval():
    def verdict(book) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "chapters"],
            cwd=book.root,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout

    return verdict


@pytest.fixture
def measured(small):
    """A chapter with a compared number and a claim about a value that lies in a file."""
    (small.root / "measured.txt").write_text("1")
    store(
        small,
        "one",
        FIND_ROOT,
        'from utils.helper import check\ncheck("Small", float(open("../measured.txt").read()), below=2)',
        "print(12345)",
    )
    assert refresh(small) == []
    return small


def test_unchanged_passes_and_a_changed_digit_fails(measured, nbval):
    code, output = nbval(measured)
    assert code == 0, output

    path = measured.chapters()["one"]
    stored = path.read_text(encoding="utf-8")
    changed = stored.replace('"12345\\n"', '"12346\\n"')
    assert changed != stored
    path.write_text(changed, encoding="utf-8")
    code, output = nbval(measured)
    assert code == 1
    assert "1 failed" in output


def test_a_crossed_bound_fails(measured, nbval):
    (measured.root / "measured.txt").write_text("2")
    code, output = nbval(measured)
    assert code == 1
    assert "measured 2.0" in output
