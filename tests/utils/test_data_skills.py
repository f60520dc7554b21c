"""The skill map leads to exercises that exist, its plans respect what chapters build on, and a bad row is refused."""

import json
import re

import numpy as np
import pytest

from utils import settings
from utils.data import DataError, skills
from utils.data.skills import COLUMNS, FILE, RESTORE, ROLES, SOURCES, parse, plan


@pytest.fixture(scope="module")
def rows():
    return skills.skills()


def prose(name):
    cells = json.loads((settings.CHAPTERS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def test_each_skill_leads_to_a_chapter_and_to_an_exercise_in_it(rows):
    for name in {row.chapter for row in rows if row.chapter}:
        numbers = set(map(int, re.findall(r"^\*\*Exercise (\d+)\b", prose(name), re.M)))
        assert {row.exercise for row in rows if row.chapter == name} <= numbers, name


def test_each_source_is_cited_by_the_chapter_and_asks_for_something(rows):
    text = prose("careers")
    for key, address in SOURCES.items():
        assert f"]({address})" in text, key
        assert any(key in row.asked_by for row in rows), key


def test_each_role_has_core_skills_with_and_without_a_chapter(rows):
    for role in ROLES:
        assert skills.chapters_for(role, rows), role
        assert any(not row.chapter and row.weight(role) == skills.CORE for row in rows), role
    assert all(max(row.weights) > 0 for row in rows)


def test_the_table_has_the_weights(rows):
    table = skills.table(rows)
    assert table.shape == (len(rows), len(ROLES))
    assert table[:, ROLES.index("product")].tolist() == [row.weight("product") for row in rows]
    with pytest.raises(ValueError, match=r"^There is no role 'wizard'; there are: research scientist, .+\.$"):
        rows[0].weight("wizard")


def test_chapters_come_in_the_order_of_the_book_with_what_they_build_on():
    order, before = skills.order(), skills.builds_on()
    assert order[:3] == ["background", "concepts", "learning"]
    assert set(before) == {path.stem for path in settings.CHAPTERS.glob("*.ipynb")}
    assert before["cnn-math"] == ("learning",)
    assert before["rnn-code"] == ("rnn-math", "cnn-code")
    assert all(order.index(other) < order.index(name) for name in before for other in before[name])


DIAMOND = {"d": ("c", "b"), "a": (), "b": ("a",), "c": ("a",), "e": ()}


@pytest.mark.parametrize(
    ("wanted", "known", "expected"),
    [
        ({"d"}, set(), ["a", "b", "c", "d"]),  # of b and c the one that stands first in the book
        ({"e", "c"}, set(), ["a", "c", "e"]),
        ({"d"}, {"b"}, ["a", "c", "d"]),
        ({"d"}, {"b", "c"}, ["d"]),  # then a is needed by nobody
        ({"d"}, {"d"}, []),
        (set(), set(), []),
    ],
)
def test_a_plan_is_what_is_needed_in_an_order_that_can_be_read(wanted, known, expected):
    assert plan(wanted, DIAMOND, known) == expected


def test_a_plan_refuses_what_cannot_be_planned():
    with pytest.raises(ValueError, match=r"^There is no chapter 'z'; there are: d, a, b, c, e\.$"):
        plan({"z"}, DIAMOND)
    with pytest.raises(ValueError, match=r"^These chapters build on each other: a, b\.$"):
        plan({"a"}, {"a": ("b",), "b": ("a",)})


def test_seconds_are_those_of_the_stored_runs():
    seconds = skills.seconds()
    assert all(value > 0 for value in seconds.values())
    assert "cnn-math" in seconds


HEAD = ",".join(COLUMNS)
ROW = "counting,0,1,2,3,0,1,2,3,0,learning,3,onet park"


def test_a_row_is_read():
    (row,) = parse(f"{HEAD}\n{ROW}\n")
    assert (row.name, row.chapter, row.exercise, row.asked_by) == ("counting", "learning", 3, ("onet", "park"))
    assert row.weights == (0, 1, 2, 3, 0, 1, 2, 3, 0)
    (row,) = parse(f"{HEAD}\n{ROW.replace('learning,3,onet park', ',,')}\n")
    assert (row.chapter, row.exercise, row.asked_by) == ("", 0, ())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{HEAD},more\n{ROW},x", "has other columns than skill, "),
        (f"{HEAD}\n{ROW},more", "Line 2 of the skill map has not 13 cells, or no name; "),
        (f"{HEAD}\n{ROW[8:]}", "Line 2 of the skill map has not 13 cells, or no name; "),
        (f"{HEAD}\n{ROW.replace(',0,1,2', ',4,1,2')}", r"\(counting\): a weight is not 0, 1, 2 or 3; "),
        (f"{HEAD}\n{ROW.replace('learning,3', 'learning,')}", "a chapter goes with the number of an exercise; "),
        (f"{HEAD}\n{ROW.replace('learning', '')}", "a chapter goes with the number of an exercise; "),
        (f"{HEAD}\n{ROW.replace('park', 'hearsay')}", "unknown source hearsay; "),
        (f"{HEAD}\n{ROW}\n{ROW}", "The skill map has counting twice; "),
    ],
)
def test_a_damaged_map_is_refused(text, complaint):
    with pytest.raises(DataError, match=complaint) as caught:
        parse(text)
    assert str(caught.value).endswith(RESTORE)


def test_a_missing_map_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(skills, "FILE", tmp_path / "skills.csv")
    with pytest.raises(DataError, match=r"^The skill map utils/data/skills.csv is missing; restore the file: git .+"):
        skills.skills()


def test_weights_differ_between_roles(rows):
    columns = skills.table(rows).T
    assert len({tuple(column) for column in columns}) == len(ROLES)
    assert np.all(columns.sum(axis=1) > 20)
    assert FILE.name == "skills.csv"
