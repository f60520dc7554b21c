"""Timing candidates side by side."""

import statistics
import time
from collections.abc import Callable


def side_by_side(numpy: Callable[[], object], other: Callable[[], object], rounds: int, warm: bool = True) -> dict:
    """Time two candidates in turn, round by round, so that a busy machine slows both.

    Parameters
    ----------
    numpy, other : callable
        The NumPy code and what it is compared with.
    rounds : int
        How often each is timed.
    warm : bool
        Whether both run once before the clock starts.

    Returns
    -------
    dict
        Median milliseconds of both, the median of the ratios other / NumPy over the rounds, and their quartiles.
    """
    if warm:
        numpy(), other()
    seconds = []
    for _ in range(rounds):
        marks = [time.perf_counter()]
        for candidate in (numpy, other):
            candidate()
            marks.append(time.perf_counter())
        seconds.append((marks[1] - marks[0], marks[2] - marks[1]))
    low, ratio, high = statistics.quantiles([b / a for a, b in seconds], n=4, method="inclusive")
    return {
        "numpy_ms": 1e3 * statistics.median(a for a, _ in seconds),
        "other_ms": 1e3 * statistics.median(b for _, b in seconds),
        "ratio": ratio,
        "quartiles": [low, high],
        "rounds": rounds,
    }
