"""Questions with numbers for answers: typical wrong ones are known, and each leads to a chapter.

An answer is a number. Left empty (``None``, or not there) it counts as not yet given, which is no mistake.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from utils import settings
from utils.data import DataError, skills

FILE = settings.ROOT / "utils" / "data" / "questions.toml"
RESTORE = "restore the file: git checkout utils/data/questions.toml"

Answers = Mapping[str, float | None]


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes
    ----------
    key : the name of its answer
    text : what is asked, and in which unit
    answer : the right number
    slack : how far an answer may be off, as a share of the right one
    mistakes : wrong numbers, each with what probably went wrong
    skill : a row of the skill map, whose chapter explains it
    """

    key: str
    text: str
    answer: float
    slack: float
    mistakes: tuple[tuple[float, str], ...]
    skill: str

    def agrees(self, given: float, wanted: float) -> bool:
        """Whether two numbers are the same within the slack; rounded numbers shall pass, a factor of 1.1 not."""
        return math.isclose(given, wanted, rel_tol=self.slack, abs_tol=1e-12)


def questions() -> tuple[Question, ...]:
    """Return the questions.

    Raises
    ------
    DataError
        If the file is missing or damaged.
    """
    try:
        rows = tomllib.loads(FILE.read_text(encoding="utf-8"))["question"]
        return tuple(Question(**row | {"mistakes": tuple((n, text) for n, text in row["mistakes"])}) for row in rows)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"utils/data/questions.toml is missing or damaged ({error}); {RESTORE}") from None


def assess(answers: Answers) -> dict[str, str]:
    """Return for each question ``"right"``, ``"not yet"``, or what is probably wrong with the answer.

    Raises
    ------
    ValueError
        If an answer belongs to no question, or is not a number.
    """
    keys = [question.key for question in questions()]
    if unknown := sorted(set(answers) - set(keys)):
        raise ValueError(f"There is no question {unknown[0]!r}; there are: {', '.join(keys)}.")
    found = {}
    for question in questions():
        given = answers.get(question.key)
        if given is None:
            found[question.key] = "not yet"
            continue
        if isinstance(given, bool | str) or not math.isfinite(given):
            raise ValueError(f"The answer to {question.key!r} is a number, not {given!r}.")
        if question.agrees(given, question.answer):
            found[question.key] = "right"
        else:
            likely = (text for number, text in question.mistakes if question.agrees(given, number))
            found[question.key] = next(likely, "It is none of the usual mistakes: work it out once more.")
    return found


def plan(answers: Answers, role: str) -> list[str]:
    """Return the chapters for a role, in order, without those whose questions were all answered rightly."""
    rows = skills.skills()
    chapter = {row.name: row.chapter for row in rows}
    verdicts = assess(answers)
    asked: dict[str, list[bool]] = {}
    for question in questions():
        asked.setdefault(chapter[question.skill], []).append(verdicts[question.key] == "right")
    known = {name for name, right in asked.items() if all(right)}
    return skills.plan(skills.chapters_for(role, rows), skills.builds_on(), known)
