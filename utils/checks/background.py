"""The checkers of the chapter ``background``."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check

Answer = Callable[..., Any]


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of the least-squares line."""
    x = np.asarray(x) - np.mean(x)
    return float(np.sum(x * y) / np.sum(x**2))


def doubling_time(attempt: Answer) -> None:
    """Check ``doubling_time(years, values)``: equation (3), in months, with the slope of all points."""

    def solution(years: np.ndarray, values: np.ndarray) -> float:
        return 12 * math.log(2) / _slope(years, np.log(values))

    def ends(years: np.ndarray, values: np.ndarray) -> float:
        return 12 * math.log(2) * (years[-1] - years[0]) / math.log(values[-1] / values[0])

    mistakes = [
        Mistake(lambda years, values: solution(years, values) / 12, "It seems to be in years: a year has 12 months."),
        Mistake(
            lambda years, values: solution(years, values) * math.log(10),
            "Two logarithms seem to meet: with a slope in powers of ten, the 2 needs log10 as well.",
        ),
        Mistake(
            lambda years, values: solution(years, values) / math.log(10),
            "Two logarithms seem to meet: with a slope of natural logarithms, the 2 needs the natural one as well.",
        ),
        Mistake(ends, "Only the first and the last point seem to count: fit a line to all of them."),
        Mistake(
            lambda years, values: solution(years, values) / math.log(2),
            "The logarithm of 2 seems to be missing: that is the time to grow by the factor e.",
        ),
        Mistake(
            lambda years, values: 12 * math.log(2) / _slope(years, values),
            "The values seem to be fitted as they are: growth is a line only in their logarithm.",
        ),
        Mistake(
            lambda years, values: _slope(years, np.log(values)) / math.log(2),
            "The fraction seems to be upside down: that is the number of doublings in a year.",
        ),
    ]
    cases = [
        (np.array([2012.0, 2014.5, 2015.0, 2018.0]), np.array([6e7, 1.4e8, 6e7, 9e8])),
        (np.array([2000.0, 2001.0, 2003.0]), np.array([1.0, 3.0, 8.0])),
    ]
    check(attempt, solution, cases, mistakes)


def training_flop(attempt: Answer) -> None:
    """Check ``training_flop(parameters, active, examples, passes)``: equation (5), with the parameters that work."""

    def times(factor: float) -> Answer:
        return lambda parameters, active, examples, passes: factor * active * examples * passes

    mistakes = [
        Mistake(
            lambda parameters, active, examples, passes: 6 * parameters * examples * passes,
            "All parameters seem to count: only the active ones work on a token.",
        ),
        Mistake(times(3), "Multiply-adds seem to be counted: each is two operations."),
        Mistake(times(2), "Only the way forward seems to count: backward costs twice as much again."),
        Mistake(times(4), "Only the way back seems to count: forward comes on top."),
        Mistake(
            lambda parameters, active, examples, passes: 6 * active * examples,
            "The passes seem to be forgotten: an example that is seen again costs again.",
        ),
        Mistake(
            lambda parameters, active, examples, passes: 6 * parameters * examples,
            "All parameters seem to count, and the passes seem to be forgotten.",
        ),
        Mistake(times(1), "The 6 seems to be missing: 2 forward, 4 back."),
    ]
    check(attempt, times(6), [(1.2e12, 9.6e10, 5e11, 2), (7e9, 7e9, 3e12, 1.5)], mistakes)


def transformer_parameters(attempt: Answer) -> None:
    """Check ``transformer_parameters(depth, width, vocabulary, length)``: equation (9)."""

    def variant(block: float = 12, tables: float = 1, places: float = 1, power: int = 2) -> Answer:
        def count(depth: int, width: int, vocabulary: int, length: int) -> float:
            return block * depth * width**power + (tables * vocabulary + places * length) * width

        return count

    mistakes = [
        Mistake(variant(tables=0, places=0), "The two tables seem to be missing: one row a token and one a place."),
        Mistake(variant(places=0), "The table of places seems to be missing: length rows of width numbers."),
        Mistake(variant(tables=0), "The table of tokens seems to be missing: vocabulary rows of width numbers."),
        Mistake(variant(tables=2), "The table of tokens seems to count twice: it is used at both ends."),
        Mistake(variant(block=4), "Only attention seems to count: the small network of a block has 8 width² more."),
        Mistake(variant(block=8), "Only the small networks seem to count: attention has 4 width² more."),
        Mistake(
            lambda depth, width, vocabulary, length: 12 * depth * width**2 + vocabulary + length,
            "Only the rows of the tables seem to be counted: each has width numbers.",
        ),
        Mistake(
            lambda depth, width, vocabulary, length: 12 * depth * width**2 + vocabulary + length * width,
            "Brackets seem to be missing: the width multiplies both tables.",
        ),
        Mistake(variant(power=1), "The width seems to enter a matrix once: it has width rows and columns."),
    ]
    check(attempt, variant(), [(2, 64, 5000, 300), (3, 16, 100, 40)], mistakes)


def training_energy(attempt: Answer) -> None:
    """Check ``training_energy(flop, peak, utilization, watts, pue)``: equations (7) and (8), in kilowatt-hours."""

    def variant(used: int = -1, hall: int = 1, unit: float = 3.6e6, power: int = 1) -> Answer:
        def energy(flop: float, peak: float, utilization: float, watts: float, pue: float) -> float:
            return flop / peak * utilization**used * watts**power * pue**hall / unit

        return energy

    mistakes = [
        Mistake(variant(used=1), "The utilization seems to multiply: a device at half its peak takes twice as long."),
        Mistake(variant(used=0), "The utilization seems to be missing: no device works at its peak all the time."),
        Mistake(variant(hall=0), "The PUE seems to be missing: cooling and supply come on top of the devices."),
        Mistake(variant(hall=-1), "The PUE seems to divide: what the hall uses is more than its devices do."),
        Mistake(variant(unit=1), "It seems to be in joules: a kilowatt-hour has 3.6 million."),
        Mistake(variant(unit=3600), "It seems to be in watt-hours: a kilowatt has 1,000 watts."),
        Mistake(variant(unit=3.6e9), "It seems to be in megawatt-hours: a megawatt has 1,000 kilowatts."),
        Mistake(variant(unit=1000), "Seconds seem to be taken for hours: an hour has 3,600."),
        Mistake(variant(power=0, hall=0, unit=3600), "That seems to be the hours: multiply by the power."),
    ]
    check(attempt, variant(), [(3e23, 3.12e14, 0.45, 400.0, 1.1), (6e15, 1e12, 0.25, 90.0, 1.6)], mistakes)


def leave_one_out(attempt: Answer) -> None:
    """Check ``leave_one_out(x, y)``: the slope without each point in turn, shape (points,)."""

    def without(x: np.ndarray, y: np.ndarray, slope: Answer) -> np.ndarray:
        return np.array([slope(np.delete(x, i), np.delete(y, i)) for i in range(len(x))])

    def solution(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return without(x, y, _slope)

    mistakes = [
        Mistake(
            lambda x, y: np.full(len(x), _slope(x, y)),
            "No point seems to be left out: these are all the slope of all points.",
        ),
        Mistake(
            lambda x, y: solution(x, y) - _slope(x, y),
            "These seem to be changes of the slope: asked for are the slopes.",
        ),
        Mistake(
            lambda x, y: without(x, y, lambda x, y: np.sum(x * y) / np.sum(x**2)),
            "The lines seem to go through zero: take the means off first.",
        ),
        Mistake(
            lambda x, y: without(x - np.mean(x), y, lambda x, y: np.sum(x * y) / np.sum(x**2)),
            "The mean of all points seems to be taken off: take that of those that are left.",
        ),
        Mistake(lambda x, y: y - np.mean(y) - _slope(x, y) * (x - np.mean(x)), "These seem to be the residuals."),
        Mistake(
            lambda x, y: solution(x, y)[::-1],
            "The slopes seem to be in the wrong order: the first is without the first point.",
        ),
    ]
    cases = [
        (np.array([0.0, 1.0, 3.0, 4.0]), np.array([1.0, 0.5, 4.0, 9.0])),
        (np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.5, 0.0])),
    ]
    check(attempt, solution, cases, mistakes)


def predictive_value(attempt: Answer) -> None:
    """Check ``predictive_value(cases, found, patients, flagged)``: the share of the alarms that is right."""
    mistakes = [
        Mistake(
            lambda cases, found, patients, flagged: found / cases,
            "That seems to be the share of the sick who are found: divide by those with an alarm.",
        ),
        Mistake(
            lambda cases, found, patients, flagged: cases / patients,
            "That seems to be the share of the sick among all: it knows nothing of the alarms.",
        ),
        Mistake(
            lambda cases, found, patients, flagged: found / flagged,
            "flagged seems to be taken for a number of patients: it is a share of them.",
        ),
        Mistake(
            lambda cases, found, patients, flagged: 1 - found / (flagged * patients),
            "That seems to be the share of the alarms that is wrong.",
        ),
        Mistake(
            lambda cases, found, patients, flagged: 100 * found / (flagged * patients),
            "It seems to be in percent: a share lies between 0 and 1.",
        ),
        Mistake(
            lambda cases, found, patients, flagged: found / patients,
            "That seems to be the share found among all patients: divide by those with an alarm.",
        ),
        Mistake(
            lambda cases, found, patients, flagged: cases / (flagged * patients),
            "All the sick seem to be taken as found.",
        ),
    ]
    check(
        attempt,
        lambda cases, found, patients, flagged: found / (flagged * patients),
        [(2552, 843, 38455, 0.18), (50, 45, 1000, 0.3)],
        mistakes,
    )
