"""Renewing one record: what is written, what is passed over, and what a failure or an interruption leaves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.book.conftest import FIND_ROOT, small_book, store
from tools import record
from tools.book import Book
from tools.execute import execute

COPIED = ("records/__init__.py", "records/storage.py", "sources.py", "machine.py", "settings.py")
SETUP = """\
import dataclasses
import os
import pathlib
import time

import numpy as np

from utils import settings
from utils.records import record


@dataclasses.dataclass
class Data:
    x: np.ndarray


os.cpu_count = lambda: 1  # no workers: what is tested is the tool, not joblib
options = {
    "run": settings.Run(PROFILE, SEED),
    "data": Data(np.arange(3.0)),
    "measure": "share",
    "seeds": range(2),
}


def share(seed):
    return {"share": 0.25}"""
CODE = (
    FIND_ROOT,
    SETUP,
    'first = record("one-first", share, **options)',
    'print(first)\nprint("a warning", file=sys.stderr)',
    'def wanted(seed):\n    return {"share": 0.5}',
    'second = record("one-second", wanted, **options)\nprint(second)',
    'pathlib.Path("../after").write_text("")\nthird = record("one-third", share, **options)',
)
NAMES = ["one-first", "one-second", "one-third"]


def with_records(root: Path) -> Book:
    """A small book whose chapter ``one`` makes three records, with the modules that it needs."""
    book = small_book(root)
    (book.root / "utils" / "records").mkdir()
    for name in COPIED:
        shutil.copy(Book().root / "utils" / name, book.root / "utils" / name)
    store(book, "one", *CODE)
    return book


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The folder of the three records, made once by a full run."""
    book = with_records(tmp_path_factory.mktemp("made"))
    execute(book.chapters()["one"], {"PROFILE": "full"})
    return book.root / "records"


@pytest.fixture
def recorded(tmp_path, made) -> Book:
    """The book with its three records."""
    book = with_records(tmp_path)
    shutil.copytree(made, book.root / "records")
    return book


def content(book: Book) -> dict[str, bytes]:
    """Every file that a renewal may not touch, and the records."""
    files = [path for folder in ("chapters", "records") for path in (book.root / folder).iterdir()]
    return {path.name: path.read_bytes() for path in files}


def change(book: Book, position: int, source: str) -> None:
    """Replace one piece of the chapter's code."""
    code = list(CODE)
    code[position] = source
    store(book, "one", *code)


@pytest.fixture
def command(recorded, monkeypatch):
    """Return what runs the command line on this book."""

    def run(name: str) -> int:
        monkeypatch.setattr(record, "Book", lambda: recorded)
        monkeypatch.setattr(sys, "argv", ["record", name])
        return record.main()

    return run


def test_a_renewal_writes_that_record_alone_and_silently(recorded, capsys):
    before = content(recorded)
    result = record.renew(recorded, "one-second")
    after = content(recorded)
    assert [row["share"] for row in result["rows"]] == [0.5, 0.5]
    assert json.loads(after["one-second.json"]) == result
    assert [name for name in before if before[name] != after[name]] == ["one-second.json"]
    assert after.keys() == before.keys()
    assert not (recorded.root / "after").exists()
    assert capsys.readouterr() == ("", "")


def test_a_stale_and_a_missing_record_before_it_are_passed_over(recorded):
    change(recorded, 1, SETUP.replace("0.25", "0.75"))  # the first and the third are stale
    (recorded.root / "records" / "one-second.json").unlink()
    before = content(recorded)
    record.renew(recorded, "one-third")
    after = content(recorded)
    assert b'"share": 0.75' in after.pop("one-third.json")
    assert b'"share": 0.25' in before.pop("one-third.json")
    assert after == before


def test_the_command_says_what_it_did_and_writes_the_status_page(recorded, command, capsys):
    assert command("one-second") == 0
    assert capsys.readouterr().out.startswith("one-second: 2 runs in 0 s.")
    assert "one-second" in recorded.status_page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("position", "source", "complaint"),
    [
        (4, 'def wanted(seed):\n    raise ValueError("it broke\\nin two")', "ValueError: it broke in two"),
        (4, "def wanted(seed):\n    os._exit(1)", "the kernel died"),
        (
            1,
            "import nothing_like_this",
            "NameError: name 'record' is not defined, after ModuleNotFoundError: ",
        ),
        (4, "def wanted(:", "NameError: name 'wanted' is not defined, after SyntaxError: "),
        (5, 'def later():\n    record("one-second", wanted, **options)', "its cell ran without writing it"),
    ],
)
def test_a_failure_is_one_line_and_leaves_the_record(recorded, command, capsys, position, source, complaint):
    change(recorded, position, source)
    (recorded.root / "records" / "one-first.json").unlink()  # another failure, which is not the reason
    before = content(recorded)
    assert command("one-second") == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith(f"The record one-second is as it was: {complaint}")
    assert error.count("\n") == 1
    assert content(recorded) == before
    assert not recorded.status_page.exists()


def test_an_interruption_leaves_the_record(recorded):
    marker = recorded.root / "started"
    change(
        recorded,
        4,
        f"def wanted(seed):\n    pathlib.Path({str(marker)!r}).write_text(str(os.getpid()))\n    time.sleep(60)",
    )
    before = content(recorded)
    code = (
        "import sys; from pathlib import Path; from tools import record; from tools.book import Book\n"
        f"record.Book = lambda: Book(Path({str(recorded.root)!r}))\n"
        "sys.exit(record.main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "one-second"],
        cwd=Book().root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (marker.exists() and marker.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert marker.exists(), "the function did not start"
    os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C does: all processes get it
    out, error = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert error.splitlines()[-1] == "Interrupted: the record one-second is as it was."
    assert content(recorded) == before
    with pytest.raises(ProcessLookupError):
        os.kill(int(marker.read_text()), 0)


def test_a_name_that_no_chapter_makes(recorded, command):
    with pytest.raises(SystemExit) as error:
        command("one-fourth")
    assert str(error.value) == f"No chapter makes a record 'one-fourth'; there are: {', '.join(NAMES)}."


def test_without_a_name_there_is_an_example(recorded, command):
    with pytest.raises(SystemExit, match="Which record"):
        command("")


def test_progress_reaches_the_terminal_when_asked(recorded, capsys):
    record.renew(recorded, "one-second", progress=True)
    out, error = capsys.readouterr()
    assert out == ""
    assert re.search(r"one-second: 100%.* 2/2 .*share=0\.5000", error)
