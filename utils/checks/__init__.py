"""Exercise checkers that say what is probably wrong, not only that something is.

A checker knows the typical wrong answers as functions. If the reader's function gives what one of them gives, the
diagnosis belongs to it. Raising an error counts as giving it: of two errors, the types are compared. A case goes with
the diagnosis: the first that raises, else the first that differs.
"""

import copy
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
        What a reader who makes this mistake would have written. It may raise in some cases, but not in all: an error
        alone says too little.
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
        If a result differs from the solution's, or the attempt raises.
    """
    name = attempt.__name__
    given = [_result(attempt, case) for case in cases]
    if all(result is None for result in given):
        print(f"Not yet: {name} returns nothing.\nWrite its body, end it with return, and run the cell again.")
        return
    expected = [solution(*case) for case in cases]
    wrong = [i for i, pair in enumerate(zip(given, expected, strict=True)) if not _same(*pair)]
    if not wrong:
        print(f"✓ {name} is right in {len(cases)} cases.")
        return
    with np.errstate(all="ignore"):  # only the reader's own mistakes shall warn
        likely = next(
            (
                mistake.diagnosis
                for mistake in mistakes
                if all(_same(result, _result(mistake.answer, case)) for result, case in zip(given, cases, strict=True))
            ),
            None,
        )
    shown = next((i for i in wrong if isinstance(given[i], Exception)), wrong[0])
    result, call = given[shown], _call(attempt, cases[shown])
    if isinstance(result, Exception):
        lines = [likely, call, f"  raises {type(result).__name__}: {result}"]
        raise WrongAnswer("\n".join(filter(None, lines))) from result
    raise WrongAnswer(
        f"{likely or _other(result, expected[shown])}\n{call}\n"
        f"  returns  {_shown(result)}\n  expected {_shown(expected[shown])}"
    )


def _result(function: Callable[..., Any], case: tuple[Any, ...]) -> Any:
    """Return what the function returns, or the error it raises; it may write into its arguments without harm."""
    try:
        return function(*copy.deepcopy(case))
    except Exception as error:
        return error


def _call(attempt: Callable[..., Any], case: tuple[Any, ...]) -> str:
    """Return the call as the reader would write it."""
    return f"{attempt.__name__}({', '.join(map(_shown, case))})"


def _other(given: Any, expected: Any) -> str:
    """Say what differs when no typical mistake explains it."""
    wanted = np.shape(expected)
    try:
        found = np.shape(given)
    except ValueError:  # the answer (x, y) with x and y of different shapes
        advice = "return one array of shape {}" if isinstance(expected, np.ndarray) else "expected {} in all"
        return f"The parts of the result have different shapes: {advice.format(wanted)}."
    if found != wanted:
        return f"The shape of the result is {found}: expected {wanted}."
    return "It is none of the usual mistakes: work this case out by hand and compare."


def _same(a: Any, b: Any) -> bool:
    """Whether two results have the same shape and the same numbers, NaN included, or are errors of one type.

    Five digits are enough: a reader may compute in float32.
    """
    if isinstance(a, Exception) or isinstance(b, Exception):
        return type(a) is type(b)
    try:
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    except (TypeError, ValueError):
        return False
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-5, atol=1e-5, equal_nan=True)


def _shown(value: Any) -> str:
    """Return a value for a message: an array as a list, a number of NumPy's as a number."""
    if not isinstance(value, np.ndarray | np.generic):
        return repr(value)
    return str(value.tolist()) if value.size <= 24 else f"an array of shape {value.shape}"
