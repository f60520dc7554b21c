"""The self-assessment knows right answers, names typical wrong ones, and plans what is left."""

import itertools
import math

import pytest

from utils.data import DataError, self_assessment, skills
from utils.data.self_assessment import assess, plan, questions


@pytest.fixture(scope="module")
def asked():
    return questions()


@pytest.fixture(scope="module")
def right(asked):
    return {question.key: question.answer for question in asked}


def test_questions_are_distinct_and_lead_to_chapters_of_the_map(asked):
    assert len({question.key for question in asked}) == len(asked) >= 20
    chapters = {row.name: row.chapter for row in skills.skills()}
    assert all(chapters[question.skill] for question in asked)
    assert all(question.text.endswith(".") and len(question.mistakes) >= 2 for question in asked)


def test_each_chapter_of_the_map_has_a_question(asked):
    chapters = {row.name: row.chapter for row in skills.skills()}
    assert {chapters[question.skill] for question in asked} == {name for name in chapters.values() if name}


def test_answers_and_mistakes_cannot_be_confused(asked):
    for question in asked:
        numbers = [question.answer, *(number for number, _ in question.mistakes)]
        for one, other in itertools.combinations(numbers, 2):
            assert not question.agrees(one, other), question.key
            assert not question.agrees(other, one), question.key


def test_right_answers_by_hand(right):
    by_hand = {
        "convolution": (3 * 3 * 32 + 1) * 64,
        "gradient": 0.2 - 1,
        "adam": 2 * 4 * 1.5e9,
        "better": 0,
        "doubt": 100 * math.sqrt(0.96 * 0.04 / 1000),
        "alarms": 0.02 * 0.8 / (0.02 * 0.8 + 0.98 * 0.1),
        "training": 6 * 7e9 * 2e12,
        "memory": 0.9**10,
        "mask": (2 + 4) / 2,
        "attention": 3 / (1 + 3),
        "edits": 3,
        "cache": 2 * 32 * 8 * 128 * 4096 * 2,
        "bits": 3 / 4,
        "ranks": (1 + 1 / 2 + 1 / 4) / 3,
        "adapter": 2 * 768 * 4,
        "digits": 7e9 / 2,
        "promise": 2,
        "cosine": 0.1 * (1 + math.cos(math.pi / 2)) / 2,
        "ring": 2 * 3 / 4,
        "law": 10**-0.1,
        "shares": (0.4 - 0.2) / (0.9 - 0.2),
        "sum": 3.2 - 0.5,
    }
    assert set(by_hand) == set(right)
    assert set(assess(by_hand).values()) == {"right"}


def test_empty_sheets_say_not_yet(right):
    assert set(assess({}).values()) == {"not yet"}
    assert set(assess(dict.fromkeys(right)).values()) == {"not yet"}


def test_mistakes_are_named(asked):
    for question in asked:
        for number, text in question.mistakes:
            assert assess({question.key: number})[question.key] == text
            assert text[-1] in ".?" and len(text.split()) <= 22
        assert assess({question.key: 123.456})[question.key].startswith("It is none of the usual")


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ({"riddle": 1}, r"^There is no question 'riddle'; there are: convolution, .+\.$"),
        ({"adam": "12e9"}, "^The answer to 'adam' is a number, not '12e9'.$"),
        ({"adam": True}, "^The answer to 'adam' is a number, not True.$"),
        ({"adam": math.nan}, "^The answer to 'adam' is a number, not nan.$"),
    ],
)
def test_a_sheet_that_cannot_be_read_is_refused(answers, complaint):
    with pytest.raises(ValueError, match=complaint):
        assess(answers)


@pytest.mark.parametrize("role", skills.ROLES)
def test_plans_shrink_with_right_answers(role, right):
    whole = plan({}, role)
    assert whole == skills.plan(skills.chapters_for(role, skills.skills()), skills.builds_on())
    assert plan(right, role) == []
    without = plan({"mask": 3}, role)
    assert set(without) == set(whole) - {"rnn-code"} or set(without) < set(whole)


def test_one_wrong_answer_keeps_its_chapter_and_not_what_it_builds_on(right):
    assert plan(right | {"adapter": 3072}, "applied scientist") == ["trend-personalisation"]
    assert plan(right | {"doubt": 1.24}, "product") == ["cnn-code"]
    assert plan(right | {"better": None}, "product") == ["cnn-code"]


def test_damaged_questions_are_refused(monkeypatch, tmp_path):
    for text in (None, "nonsense", "[[question]]\nkey = 'a'\nmistakes = []\n"):
        file = tmp_path / "questions.toml"
        if text is not None:
            file.write_text(text)
        monkeypatch.setattr(self_assessment, "FILE", file)
        with pytest.raises(DataError, match=r"^utils/data/questions.toml is missing or damaged .+git checkout"):
            questions()
