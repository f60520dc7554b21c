"""What the tests of the checkers share: a reader whose answer is refused, and tests made of tables of answers."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from utils import checks
from utils.checks import WrongAnswer

Checker = Callable[..., None]
Answer = Callable[..., Any]
Table = Mapping[Checker, Sequence[Any]]  # right answers, or rows of a diagnosis and its wrong answers

QUIET = pytest.mark.filterwarnings("ignore::RuntimeWarning")
UNKNOWN = ("It is none of the usual mistakes", "The shape of the result", "The parts of the result")


def refused(checker: Checker, attempt: Answer) -> str:
    """Return the message with which a checker refuses an attempt."""
    with pytest.raises(WrongAnswer) as caught:
        checker(attempt)
    return str(caught.value)


def single(answer: Answer) -> Answer:
    """Return an answer whose arrays are all float32, as deep learning has them."""

    def rounded(*case: Any) -> Any:
        return np.float32(answer(*(part.astype("float32") if isinstance(part, np.ndarray) else part for part in case)))

    return rounded


def far(a: Any, b: Any) -> bool:
    """Whether two results differ in kind, in shape, or by more than a thousandth."""
    if isinstance(a, Exception) or isinstance(b, Exception):
        return type(a) is not type(b)
    return np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=1e-3, atol=1e-3, equal_nan=True)


def answers_of(
    right: Mapping[Checker, Sequence[Answer]], wrong: Mapping[Checker, Sequence[tuple]]
) -> tuple[Answer, ...]:
    """Return two tests: right answers pass without a warning, and each row of wrong ones meets its diagnosis."""

    @pytest.mark.parametrize(
        ("checker", "attempt"), [(checker, answer) for checker in right for answer in right[checker]]
    )
    def test_right_answers(checker, attempt, capsys, recwarn):
        attempt.__name__ = "attempt"
        checker(attempt)
        assert capsys.readouterr().out.startswith("✓")
        assert not recwarn.list

    @QUIET
    @pytest.mark.parametrize(("checker", "row"), [(checker, row) for checker in wrong for row in wrong[checker]])
    def test_wrong_answers(checker, row):
        diagnosis, *attempts = row
        for attempt in attempts:
            assert refused(checker, attempt).startswith(diagnosis)

    return test_right_answers, test_wrong_answers


def mistakes_of(wrong: Table) -> Answer:
    """Return a test: mistakes differ by more than float32 does, are told in short, and each has a row."""

    @QUIET
    @pytest.mark.parametrize("checker", wrong, ids=lambda checker: checker.__name__)
    def test_mistakes_differ_by_more_than_float32_does_and_all_are_asked_for(checker, monkeypatch):
        caught = []
        monkeypatch.setitem(checker.__globals__, "check", lambda attempt, *rest: caught.append(rest))
        checker(None)
        solution, cases, mistakes = caught[0]
        answers = [solution, *(mistake.answer for mistake in mistakes)]
        with np.errstate(all="ignore"):
            results = [[checks._result(answer, case) for case in cases] for answer in answers]
        for one, other in itertools.combinations(results, 2):
            assert not all(map(checks._same, one, other))
            assert all(far(a, b) for a, b in zip(one, other, strict=True) if not checks._same(a, b))
        diagnoses = [row[0] for row in wrong[checker] if isinstance(row[0], str)]
        for mistake in mistakes:
            assert len(mistake.diagnosis.split()) <= 22 and mistake.diagnosis.endswith(".")
            assert mistake.diagnosis.startswith(tuple(diagnoses))

    return test_mistakes_differ_by_more_than_float32_does_and_all_are_asked_for
