"""What the tests of the checkers share: a reader whose answer is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from utils.checks import WrongAnswer

QUIET = pytest.mark.filterwarnings("ignore::RuntimeWarning")
UNKNOWN = ("It is none of the usual mistakes", "The shape of the result", "The parts of the result")


def refused(checker: Callable[..., None], attempt: Callable[..., Any]) -> str:
    """Return the message with which a checker refuses an attempt."""
    with pytest.raises(WrongAnswer) as caught:
        checker(attempt)
    return str(caught.value)
