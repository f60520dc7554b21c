"""Exercise checkers that say what is probably wrong, not only that something is.

A checker knows the typical wrong answers as functions. If the reader's function gives what one of them gives, the
diagnosis belongs to it; if it gives something else, the first case that differs is shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


class WrongAnswer(AssertionError):
    """The answer differs from the right one; the message says in which case and what is probably wrong."""

    def _render_traceback_(self) -> list[str]:
        """Let a notebook show the message alone: a traceback would bury it, and show the solution."""
        return [f"✗ {self}"]


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer.

    Attributes
    ----------
    answer : callable
        What a reader who makes this mistake would have written.
    diagnosis : str
        One or two sentences that name the mistake without giving the solution away.
    """

    answer: Callable[..., Any]
    diagnosis: str


def check(
    attempt: Callable[..., Any],
    solution: Callable[..., Any],
    cases: Sequence[tuple[Any, ...]],
    mistakes: Sequence[Mistake],
) -> None:
    """Compare a reader's function with the solution on all cases.

    Prints "Not yet" for a stub that returns ``None``, and a check mark for a right answer.

    Parameters
    ----------
    attempt : callable
        The reader's function.
    solution : callable
        The right answer.
    cases : sequence of tuple
        Arguments of one call each. They must tell every mistake from the solution.
    mistakes : sequence of Mistake
        In the order in which they are considered.

    Raises
    ------
    WrongAnswer
        If a result differs from the solution's.
    """
    name = attempt.__name__
    given = [_result(attempt, case) for case in cases]
    if all(result is None for result in given):
        print(f"Not yet: {name} returns nothing. Write its body, end it with return, and run the cell again.")
        return
    expected = [solution(*case) for case in cases]
    wrong = next((i for i, pair in enumerate(zip(given, expected, strict=True)) if not _same(*pair)), None)
    if wrong is None:
        print(f"✓ {name} is right in {len(cases)} cases.")
        return
    likely = next(
        (
            mistake.diagnosis
            for mistake in mistakes
            if all(_same(result, mistake.answer(*case)) for result, case in zip(given, cases, strict=True))
        ),
        _other(given[wrong], expected[wrong]),
    )
    raise WrongAnswer(
        f"{likely}\n{_call(attempt, cases[wrong])}\n"
        f"  returns  {_shown(given[wrong])}\n  expected {_shown(expected[wrong])}"
    )


def _result(attempt: Callable[..., Any], case: tuple[Any, ...]) -> Any:
    """Call the attempt; an error of its own is reported with the case that raised it."""
    try:
        return attempt(*_copies(case))
    except Exception as error:
        raise WrongAnswer(f"{_call(attempt, case)}\n  raises {type(error).__name__}: {error}") from error


def _call(attempt: Callable[..., Any], case: tuple[Any, ...]) -> str:
    """Return the call as the reader would write it."""
    return f"{attempt.__name__}({', '.join(map(_shown, case))})"


def _other(given: Any, expected: Any) -> str:
    """Say what differs when no typical mistake explains it."""
    found, wanted = np.shape(given), np.shape(expected)
    if found != wanted:
        return f"The shape of the result is {found}: expected {wanted}."
    return "It is none of the usual mistakes: work this case out by hand and compare."


def _copies(case: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments so that an attempt that writes into them does no harm."""
    return tuple(value.copy() if isinstance(value, np.ndarray) else value for value in case)


def _same(a: Any, b: Any) -> bool:
    """Whether two results have the same shape and the same numbers."""
    try:
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    except (TypeError, ValueError):
        return False
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-9)


def _shown(value: Any) -> str:
    """Return a value for a message: an array as a list, whole numbers without a point."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    return str(value.tolist()) if value.size <= 24 else f"an array of shape {value.shape}"
