"""Runs into ``_runs/``: shares, failures, the report."""

import pytest

from tests.book.conftest import store
from tools import shards
from tools.run import run


def test_a_failure_is_reported_and_the_others_still_run(small, capsys):
    store(small, "two", "raise ValueError('a <broken> cell')")
    before = {path: path.read_bytes() for path in small.chapters().values()}
    outcomes = run(small, "full")
    assert [(o.name, bool(o.failure)) for o in outcomes] == [("two", True), ("one", False)]
    assert {path: path.read_bytes() for path in small.chapters().values()} == before
    assert sorted(path.name for path in small.runs.iterdir()) == ["one.ipynb", "report.html"]
    report = (small.runs / "report.html").read_text(encoding="utf-8")
    assert "2 chapters, 1 failed" in report
    assert "a &lt;broken&gt; cell" in report
    assert "numpy" in report
    assert "ValueError: a <broken> cell" in capsys.readouterr().err
    assert 'PROFILE = "full"' in (small.runs / "one.ipynb").read_text(encoding="utf-8").replace("\\", "")


def test_shares_are_a_balanced_partition():
    seconds = {f"chapter-{i}": 10.0 + 7 * (i % 5) for i in range(19)}
    names = [*seconds, "never-timed"]
    for count in range(1, 8):
        shares = shards.split(names, seconds, count)
        assert sorted(name for share in shares for name in share) == sorted(names)
        totals = [sum(seconds.get(n, shards.UNKNOWN_SECONDS) for n in share) for share in shares]
        # The greedy rule leaves no two shares further apart than the longest chapter.
        assert max(totals) - min(totals) <= shards.UNKNOWN_SECONDS
        assert shards.split(names, seconds, count) == shares


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "a/b", "1/4/2", "-1/4"])
def test_a_share_that_makes_no_sense_is_one_clear_sentence(text):
    with pytest.raises(SystemExit, match="SHARD must look like 1/4"):
        shards.parse(text)


def test_one_long_chapter_has_a_share_of_its_own():
    seconds = {"a": 1, "b": 1, "long": 100, "c": 1, "d": 1}
    assert shards.split(seconds, seconds, 2) == [["long"], ["a", "b", "c", "d"]]


def test_a_share_is_read():
    assert shards.parse("1/4") == (1, 4)
    assert shards.parse("4/4") == (4, 4)


def test_a_chapter_that_does_not_exist_is_named(small):
    with pytest.raises(SystemExit, match="There is no chapter 'three'; there are: one"):
        small.select("three")
