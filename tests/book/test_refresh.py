"""Refreshing: what is run, what is stored, and what an interruption leaves."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from nbformat.v4 import new_code_cell, new_output

from tests.book.conftest import chapter, store
from tools import notebook as nb
from tools.book import Book
from tools.execute import ChapterError, execute
from tools.refresh import refresh


def test_two_refreshes_give_the_same_bytes(small, capsys):
    path = small.chapters()["one"]
    assert refresh(small) == []
    first = path.read_bytes()
    assert refresh(small, "one") == []
    assert path.read_bytes() == first

    assert capsys.readouterr().out.count("one: running") == 2

    assert refresh(small) == []
    assert "one: up to date" in capsys.readouterr().out


def test_what_is_stored(small):
    refresh(small)
    path = small.chapters()["one"]
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert "under 1 minute on" in "".join(stored["cells"][0]["source"])
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1, 2, 3, 4, 5]
    assert [cell["metadata"] for cell in code] == [{"tags": ["parameters"]}, {}, {}, {}, {}]
    # Ten prints are one stream, and a result has its cell's number.
    assert [output["output_type"] for output in code[-1]["outputs"]] == ["stream", "execute_result"]
    assert code[-1]["outputs"][1]["execution_count"] == 5


def test_the_stored_form_of_a_notebook_that_was_run_by_hand():
    notebook = chapter("1 + 1", "")
    notebook.cells.insert(2, new_code_cell("SEED = 1", metadata={"tags": ["injected-parameters"]}))
    result = new_output("execute_result", data={"text/plain": "2"}, execution_count=17)
    notebook.cells[3].update(execution_count=17, outputs=[result], metadata={"ExecuteTime": {}, "tags": []})
    clean = nb.stored_form(notebook)
    assert [cell.source for cell in clean.cells[1:]] == ['PROFILE = "quick"\nSEED = 0', "1 + 1", ""]
    assert [cell.execution_count for cell in clean.cells[1:]] == [1, 2, None]
    assert clean.cells[2].outputs[0].execution_count == 2
    assert clean.cells[2].metadata == {}
    assert nb.stored_form(clean) == clean
    assert notebook.cells[3].execution_count == 17


def test_record_of_a_refresh(small):
    refresh(small)
    record = small.record("chapters")["one"]
    assert record["cells"] == 5
    assert record["claims"] == [{"sentence": "One is small", "kind": "below", "measured": 1, "bound": 2, "margin": 1}]
    assert record["source"] == nb.source_hash(small, nb.read(small.chapters()["one"]))
    assert {"python", "numpy", "keras", "tensorflow"} <= set(record["versions"])
    assert "One is small" in small.status_page.read_text(encoding="utf-8")


def test_a_failing_chapter_stays_as_it_was(small, capsys):
    refresh(small)
    path = store(small, "one", "print('before')", "1 / 0")
    before, record = path.read_bytes(), small.record("chapters")
    assert refresh(small) == ["one"]
    assert path.read_bytes() == before
    assert small.record("chapters") == record
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert [p.name for p in path.parent.iterdir()] == ["one.ipynb"]


def test_a_chapter_that_is_not_python_fails_and_the_others_go_on(small, capsys):
    store(small, "two", "x = 1", "x = 2\n%matplotlib inline", "record('two-sweep', x)\n!ls")
    assert refresh(small) == ["two"]
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        "two: cell [3] is not Python (invalid syntax; no %magic, no !command): %matplotlib inline",
        "two: cell [4] is not Python (invalid syntax; no %magic, no !command): !ls",
    ]
    assert "one: running" in captured.out
    assert list(small.record("chapters")) == ["one"]


def test_code_that_is_not_python_has_no_records():
    assert nb.recorded("record('one-sum', x)\n%matplotlib inline") == []


def test_records_of_other_chapters_are_known_by_how_they_are_read():
    source = 'read(RECORDS, "two-sum").weights\nread("a")\nread(folder, name)\nfile.read(1, "b")\nrecord("c", x)'
    assert nb.recalled(source) == ["two-sum"]


def test_an_interrupted_refresh_leaves_the_chapter_as_it_was(small):
    marker = small.root / "started"
    path = store(
        small,
        "one",
        f"import os, pathlib, time\npathlib.Path({str(marker)!r}).write_text(str(os.getpid()))\ntime.sleep(60)",
    )
    before = path.read_bytes()
    code = (
        "import sys; from pathlib import Path; from tools.book import Book; from tools.refresh import refresh\n"
        f"refresh(Book(Path({str(small.root)!r})))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=Book().root, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while not (marker.exists() and marker.read_text()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert marker.exists(), "the chapter did not start"
    os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C does: all processes get it
    _, error = process.communicate(timeout=30)
    assert process.returncode != 0
    assert b"KeyboardInterrupt" in error
    assert path.read_bytes() == before
    assert small.record("chapters") == {}
    with pytest.raises(ProcessLookupError):
        os.kill(int(marker.read_text()), 0)


def test_an_unknown_parameter_is_refused_before_the_run(small):
    with pytest.raises(ChapterError, match=r"does not set PROFIL$"):
        execute(small.chapters()["one"], {"PROFIL": "full"})


def test_the_hash_sees_code_metadata_and_imported_modules_only(small):
    def digest():
        return nb.source_hash(small, nb.read(path))

    path = small.chapters()["one"]
    first = digest()

    notebook = nb.read(path)
    notebook.cells[0].source = "# Another title"
    path.write_text(nb.text(notebook), encoding="utf-8")
    (small.root / "utils" / "unused.py").write_text("x = 1")
    assert digest() == first

    notebook.cells[1].metadata["tags"].append("more")
    path.write_text(nb.text(notebook), encoding="utf-8")
    second = digest()
    assert second != first

    (small.root / "utils" / "deeper.py").write_text("y = 1")
    with (small.root / "utils" / "helper.py").open("a") as file:
        file.write("\nfrom utils import deeper\n")
    third = digest()
    assert third != second

    (small.root / "utils" / "deeper.py").write_text("y = 2")
    assert digest() != third


def test_the_hash_sees_the_records_that_the_chapter_reads(small):
    def digest():
        return nb.source_hash(small, nb.read(path))

    path = store(small, "one", 'found = record(\n    "one-sweep",\n    function,\n)', 'record("one-more", function)')
    missing = digest()

    small.write_record("two-sweep", {"rows": [1]})
    assert digest() == missing

    small.write_record("one-sweep", {"rows": [1]})
    made = digest()
    assert made != missing

    small.write_record("one-sweep", {"rows": [2]})
    assert digest() != made
    small.write_record("one-sweep", {"rows": [1]})
    assert digest() == made

    small.write_record("one-more", {"rows": [1]})
    assert digest() != made

    store(small, "one", 'weights = read(settings.RECORDS, "two-sweep").weights')
    read = digest()
    small.write_record("two-sweep", {"rows": [2]})
    assert digest() != read
