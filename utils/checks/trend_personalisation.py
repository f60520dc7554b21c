"""The checkers of the chapter ``trend-personalisation``."""

from collections.abc import Callable
from typing import Any

from utils.checks import Mistake, check

Answer = Callable[..., Any]


def dense_parameters(attempt: Answer) -> None:
    """Check ``dense_parameters(inputs, units)``: weights and biases of a dense layer."""

    def solution(inputs: int, units: int) -> int:
        return (inputs + 1) * units

    mistakes = [
        Mistake(
            lambda inputs, units: inputs * units,
            "The biases seem to be missing: each unit has one.",
        ),
        Mistake(
            lambda inputs, units: inputs * units + 1,
            "There seems to be one bias in all: each unit has its own.",
        ),
        Mistake(
            lambda inputs, units: inputs * units + inputs,
            "There seems to be a bias for each input: it is added to a unit, after the sum.",
        ),
    ]
    check(attempt, solution, [(3, 2), (5, 7)], mistakes)
