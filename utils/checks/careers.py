"""The checkers of the chapter ``careers``."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from utils.checks import Mistake, check

Answer = Callable[..., Any]


def reading_order(attempt: Answer) -> None:
    """Check ``reading_order(before, wanted)``: what has to be read, each chapter after what it builds on."""

    def closed(before: np.ndarray, wanted: Sequence[int]) -> list[int]:
        needed, new = set(), set(wanted)
        while new:
            needed |= new
            new = {int(j) for i in new for j in np.flatnonzero(before[i])} - needed
        return sorted(needed)

    def ordered(before: np.ndarray, needed: Sequence[int], choose: Callable[..., int] = min) -> np.ndarray:
        left, found = set(needed), []
        while left:
            ready = [i for i in left if not left & set(np.flatnonzero(before[i]))]
            found.append(choose(ready))
            left.remove(found[-1])
        return np.array(found)

    def solution(before: np.ndarray, wanted: Sequence[int]) -> np.ndarray:
        return ordered(before, closed(before, wanted))

    def one_step(before: np.ndarray, wanted: Sequence[int]) -> np.ndarray:
        return ordered(before, {*wanted, *(int(j) for i in wanted for j in np.flatnonzero(before[i]))})

    def deep(before: np.ndarray, wanted: Sequence[int]) -> np.ndarray:
        found: list[int] = []

        def visit(i: int) -> None:
            for j in np.flatnonzero(before[i]):
                visit(int(j))
            if i not in found:
                found.append(i)

        for i in wanted:
            visit(i)
        return np.array(found)

    def layers(before: np.ndarray, wanted: Sequence[int]) -> np.ndarray:
        left, found = set(closed(before, wanted)), []
        while left:
            found += sorted(i for i in left if not left & set(np.flatnonzero(before[i])))
            left -= set(found)
        return np.array(found)

    mistakes = [
        Mistake(
            lambda before, wanted: ordered(before, wanted),
            "What the wanted chapters build on seems to be missing.",
        ),
        Mistake(one_step, "What their foundations build on seems to be missing: go on until nothing new comes."),
        Mistake(
            lambda before, wanted: ordered(before, range(len(before))),
            "All chapters seem to be read: leave out what nobody needs.",
        ),
        Mistake(
            lambda before, wanted: np.array(closed(before, wanted)),
            "The order seems to be that of the numbers: a chapter comes after what it builds on.",
        ),
        Mistake(
            lambda before, wanted: solution(before, wanted)[::-1],
            "The order seems to be turned round: the foundations come first.",
        ),
        Mistake(
            lambda before, wanted: solution(before.T, wanted),
            "Rows and columns seem to be exchanged: row i says what chapter i builds on.",
        ),
        Mistake(
            lambda before, wanted: ordered(before, closed(before, wanted), max),
            "Of chapters that are ready the largest number seems to come first: take the smallest.",
        ),
        Mistake(layers, "All that are ready seem to be read at once: after each one, look again which are ready."),
        Mistake(deep, "The order is possible, but of all chapters that are ready the smallest number comes first."),
    ]

    def graph(size: int, **rows: tuple[int, ...]) -> np.ndarray:
        before = np.zeros((size, size), dtype=int)
        for name, others in rows.items():
            before[int(name[1:]), list(others)] = 1
        return before

    cases = [
        (graph(6, c0=(3,), c3=(5,), c4=(1,), c2=(0,)), (0, 4)),
        (graph(7, c6=(4, 2), c4=(5,), c2=(5,), c1=(6,), c0=(3,)), (6, 0)),
        (graph(5, c1=(4,), c4=(2,), c3=(0,), c0=(1,)), (1, 3)),
    ]
    check(attempt, solution, cases, mistakes)


def overlap(attempt: Answer) -> None:
    """Check ``overlap(a, b)``: what two lists of weights share, of what either has."""

    def shared(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.minimum(a, b).sum())

    def solution(a: np.ndarray, b: np.ndarray) -> float:
        return shared(a, b) / float(np.maximum(a, b).sum())

    mistakes = [
        Mistake(
            lambda a, b: float(a @ b / np.sqrt((a @ a) * (b @ b))),
            "That seems to be the cosine: it does not notice that one needs all of it more.",
        ),
        Mistake(
            lambda a, b: float(((a > 0) & (b > 0)).sum() / ((a > 0) | (b > 0)).sum()),
            "The weights seem to be taken for yes and no.",
        ),
        Mistake(
            lambda a, b: shared(a, b) / float(a.sum()),
            "It seems to be divided by the first one alone: the overlap is the same from both sides.",
        ),
        Mistake(
            lambda a, b: shared(a, b) / float(b.sum()),
            "It seems to be divided by the second one alone: the overlap is the same from both sides.",
        ),
        Mistake(
            lambda a, b: 2 * shared(a, b) / float(a.sum() + b.sum()),
            "It seems to be divided by the mean of the sums: below stands the larger weight of each skill.",
        ),
        Mistake(
            lambda a, b: shared(a, b) / float(a.sum() + b.sum()),
            "It seems to be divided by both sums: what is shared would count twice below.",
        ),
        Mistake(
            lambda a, b: float((np.minimum(a, b) / np.maximum(np.maximum(a, b), 1e-9)).mean()),
            "It seems to be the mean of the ratios: add first, then divide once.",
        ),
        Mistake(lambda a, b: 1 / solution(a, b), "The fraction seems to be turned round."),
        Mistake(lambda a, b: 1 - solution(a, b), "That seems to be the distance: 1 less the overlap."),
    ]
    cases = [
        (np.array([3, 0, 1, 2]), np.array([1, 2, 1, 0])),
        (np.array([2, 3, 0, 1, 3]), np.array([3, 3, 1, 0, 1])),
        (np.array([1, 1, 2]), np.array([3, 0, 3])),
    ]
    check(attempt, solution, cases, mistakes)


def interviews_needed(attempt: Answer) -> None:
    """Check ``interviews_needed(reliability, goal)``: the smallest number whose mean is as reliable as wanted."""

    def real(reliability: float, goal: float) -> float:
        return goal * (1 - reliability) / (reliability * (1 - goal))

    def solution(reliability: float, goal: float) -> int:
        return int(np.ceil(real(reliability, goal)))

    mistakes = [
        Mistake(real, "The number is not whole: nobody is interviewed in parts."),
        Mistake(
            lambda reliability, goal: int(np.floor(real(reliability, goal))),
            "It seems to be rounded down: the goal is not reached.",
        ),
        Mistake(
            lambda reliability, goal: round(real(reliability, goal)),
            "It seems to be rounded to the nearest: where that is down, the goal is not reached.",
        ),
        Mistake(
            lambda reliability, goal: int(np.ceil(goal / reliability)),
            "Reliability seems to grow in proportion to the number: it levels off.",
        ),
        Mistake(
            lambda reliability, goal: int(np.ceil((goal / reliability) ** 2)),
            "The ratio seems to be squared: solve the formula for the number.",
        ),
        Mistake(
            lambda reliability, goal: int(np.ceil(real(reliability, goal**2))),
            "The goal seems to be squared: it is a reliability already.",
        ),
        Mistake(
            lambda reliability, goal: goal * reliability / (1 + (goal - 1) * reliability),
            "The goal seems to be put in for the number of interviews.",
        ),
        Mistake(
            lambda reliability, goal: int(np.ceil(np.log(1 - goal) / np.log(1 - reliability))),
            "That seems to be how many tries until one succeeds: here a mean is taken.",
        ),
    ]
    cases = [(0.37, 0.8), (0.15, 0.5), (0.52, 0.93)]
    check(attempt, solution, cases, mistakes)


def expected_best(attempt: Answer) -> None:
    """Check ``expected_best(x, density, below, n)``: the mean of the largest of n draws, by the trapezoid rule."""

    def area(x: np.ndarray, heights: np.ndarray) -> float:
        return float(((heights[1:] + heights[:-1]) / 2 * np.diff(x)).sum())

    def solution(x: np.ndarray, density: np.ndarray, below: np.ndarray, n: int) -> float:
        return area(x, n * x * density * below ** (n - 1))

    mistakes = [
        Mistake(
            lambda x, density, below, n: solution(x, density, below, n) / n,
            "The factor n seems to be missing: each of the n may be the best.",
        ),
        Mistake(
            lambda x, density, below, n: area(x, n * x * density * below**n),
            "All n seem to have to lie below: the best does not lie below itself.",
        ),
        Mistake(
            lambda x, density, below, n: area(x, n * density * below ** (n - 1)),
            "The value seems to be missing: that is a probability, about 1.",
        ),
        Mistake(
            lambda x, density, below, n: area(x, n * x * density),
            "The others seem to be missing: they all have to lie below.",
        ),
        Mistake(
            lambda x, density, below, n: area(x, n * x * density * (1 - below) ** (n - 1)),
            "That seems to be the worst of the n.",
        ),
        Mistake(
            lambda x, density, below, n: float((n * x * density * below ** (n - 1)).sum()),
            "The widths seem to be missing: an integral is heights times widths.",
        ),
        Mistake(
            lambda x, density, below, n: float(np.trapezoid(n * x * density * below ** (n - 1))),
            "The places seem to be missing: without x, np.trapezoid takes all widths for 1.",
        ),
        Mistake(
            lambda x, density, below, n: float(np.trapezoid(n * x * density * below ** (n - 1), dx=x[1] - x[0])),
            "All widths seem to be the first one: the places need not be evenly spaced.",
        ),
        Mistake(
            lambda x, density, below, n: float(((n * x * density * below ** (n - 1))[:-1] * np.diff(x)).sum()),
            "Each height seems to be that of the left edge: the trapezoid rule takes the mean of both edges.",
        ),
        Mistake(
            lambda x, density, below, n: n * area(x, x * density * below),
            "The power seems to be missing: n - 1 others have to lie below.",
        ),
    ]
    even = np.linspace(0, 1, 5)
    cases = [
        (even, np.ones(5), even, 4),
        (np.array([0.0, 0.5, 1.25, 2.0]), np.array([1.0, 0.75, 0.375, 0.1]), np.array([0.0, 0.4, 0.8, 1.0]), 3),
        (np.array([-1.0, 0.0, 0.5, 1.0]), np.array([0.25, 0.5, 0.75, 0.5]), np.array([0.0, 0.4, 0.7, 1.0]), 5),
    ]
    check(attempt, solution, cases, mistakes)


def effective_size(attempt: Answer) -> None:
    """Check ``effective_size(weights)``: how many equal answers a weighted mean is worth."""

    def solution(weights: np.ndarray) -> float:
        return float(weights.sum() ** 2 / (weights**2).sum())

    mistakes = [
        Mistake(lambda weights: float(len(weights)), "That seems to be the number of answers, whatever they weigh."),
        Mistake(lambda weights: float(weights.sum()), "That seems to be the sum of the weights."),
        Mistake(lambda weights: 1 / solution(weights), "The fraction seems to be turned round."),
        Mistake(
            lambda weights: solution(weights) / len(weights),
            "That seems to be the share of the answers that is left: their number is asked for.",
        ),
        Mistake(
            lambda weights: float(1 / (weights**2).sum()),
            "The weights seem to be taken as if they added up to 1.",
        ),
        Mistake(
            lambda weights: float(weights.sum() / (weights**2).sum()),
            "The square above seems to be missing: the size must not change if all weights double.",
        ),
        Mistake(
            lambda weights: float(weights.sum() / weights.max()),
            "It seems to be divided by the largest weight: all squares count.",
        ),
        Mistake(
            lambda weights: float(np.sqrt((weights**2).sum())),
            "That seems to be the length of the weights.",
        ),
        Mistake(
            lambda weights: len(weights) / (1 + weights.std() / weights.mean()),
            "The spread seems to lack its square.",
        ),
    ]
    cases = [(np.array([1.0, 1.0, 2.0, 5.0]),), (np.array([0.5, 3.0, 0.5, 0.5, 0.25]),), (np.array([4.0, 1.0, 0.5]),)]
    check(attempt, solution, cases, mistakes)
