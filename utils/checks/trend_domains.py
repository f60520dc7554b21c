"""The checkers of the chapter ``trend-domains``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch import consolidation, two_samples

Answer = Callable[..., Any]


def discrepancy(attempt: Answer) -> None:
    """Check ``discrepancy(of_x, of_y, between)``: the squared discrepancy of two samples, from three kernel matrices.

    They hold the kernel of each pair inside the first sample, inside the second, and of one of each.
    """

    def solution(of_x: np.ndarray, of_y: np.ndarray, between: np.ndarray) -> float:
        m, n = between.shape
        inside = (of_x.sum() - np.trace(of_x)) / (m * (m - 1)) + (of_y.sum() - np.trace(of_y)) / (n * (n - 1))
        return inside - 2 * between.mean()

    def off(kernel: np.ndarray) -> np.ndarray:
        return kernel - np.diag(np.diag(kernel))

    def mean(kernel: np.ndarray) -> float:
        return off(kernel).sum() / (len(kernel) * (len(kernel) - 1))

    mistakes = [
        Mistake(
            lambda of_x, of_y, between: of_x.mean() + of_y.mean() - 2 * between.mean(),
            "The pairs of a row with itself seem to be counted: they make samples look further apart.",
        ),
        Mistake(
            lambda of_x, of_y, between: off(of_x).mean() + off(of_y).mean() - 2 * between.mean(),
            "The pairs of a row with itself seem to be left out of the sums, but not of the numbers of pairs.",
        ),
        Mistake(
            lambda of_x, of_y, between: mean(of_x) + mean(of_y) - between.mean(),
            "The mean between the samples seems to count once: it is taken off twice.",
        ),
        Mistake(
            lambda of_x, of_y, between: mean(of_x) + mean(of_y) + 2 * between.mean(),
            "The mean between the samples seems to be added: samples that are alike have a small discrepancy.",
        ),
        Mistake(
            lambda of_x, of_y, between: 2 * between.mean() - mean(of_x) - mean(of_y),
            "The sign seems to be turned around: it is large where the samples differ.",
        ),
        Mistake(
            lambda of_x, of_y, between: mean(of_x) + mean(of_y) - 2 * mean(between),
            "Pairs seem to be left out between the samples, too: no row there is paired with itself.",
        ),
        Mistake(
            lambda of_x, of_y, between: max(solution(of_x, of_y, between), 0),
            "Negative values seem to be cut off: by chance there are some, and without them the mean is not 0.",
        ),
        Mistake(
            lambda of_x, of_y, between: abs(solution(of_x, of_y, between)) ** 0.5,
            "That seems to be the root: the squared discrepancy is asked for.",
        ),
    ]
    cases = []
    for seed, (m, n, shift) in enumerate([(3, 4, 2.0), (4, 2, 1.0), (5, 5, 0.0)]):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=(m, 1)).round(1), rng.normal(size=(n, 1)).round(1) + shift
        cases.append(tuple(two_samples.gaussian_kernel(*pair, 1.0) for pair in ((x, x), (y, y), (x, y))))
    check(attempt, solution, cases, mistakes)


def permutation_p(attempt: Answer) -> None:
    """Check ``permutation_p(observed, dealt)``: the p-value of a difference, from those of random deals."""

    def solution(observed: float, dealt: np.ndarray) -> float:
        return (1 + np.sum(np.asarray(dealt) >= observed)) / (1 + len(dealt))

    mistakes = [
        Mistake(
            lambda observed, dealt: np.mean(np.asarray(dealt) >= observed),
            "The real deal seems not to be counted: without it the p-value can be 0.",
        ),
        Mistake(
            lambda observed, dealt: (1 + np.sum(np.asarray(dealt) >= observed)) / len(dealt),
            "The real deal seems to be counted above the line only: there is one deal more below it, too.",
        ),
        Mistake(
            lambda observed, dealt: np.sum(np.asarray(dealt) >= observed) / (1 + len(dealt)),
            "The real deal seems to be counted below the line only: it gives as much as itself.",
        ),
        Mistake(
            lambda observed, dealt: (1 + np.sum(np.asarray(dealt) > observed)) / (1 + len(dealt)),
            "Deals that give just as much seem not to count: the p-value is for as much or more.",
        ),
        Mistake(
            lambda observed, dealt: (1 + np.sum(np.asarray(dealt) <= observed)) / (1 + len(dealt)),
            "It seems to count the deals that give less: large differences speak against chance.",
        ),
        Mistake(
            lambda observed, dealt: (1 + np.sum(np.abs(dealt) >= abs(observed))) / (1 + len(dealt)),
            "The signs seem to be lost: a negative discrepancy is no large one.",
        ),
    ]
    cases = [
        (0.5, np.array([0.25, -0.75, 0.5, 0.125])),
        (1.0, np.array([0.5, -2.0, 1.0, 0.25, 2.0, 1.5, -0.5])),
        (0.25, np.array([0.0, 0.125, -1.0, 0.5, 0.0])),
    ]
    check(attempt, solution, cases, mistakes)


def pulled_step(attempt: Answer) -> None:
    """Check ``pulled_step(w, gradient, anchor, stiffness, strength, rate)``: one step down, held by springs."""

    def solution(
        w: np.ndarray, gradient: np.ndarray, anchor: np.ndarray, stiffness: np.ndarray, strength: float, rate: float
    ) -> np.ndarray:
        _, (pull,) = consolidation.penalty([w], [anchor], [stiffness], strength)
        return w - rate * (gradient + pull)

    def step(pull: Answer) -> Answer:
        return lambda w, gradient, anchor, stiffness, strength, rate: (
            w - rate * (gradient + pull(w - anchor, stiffness, strength))
        )

    mistakes = [
        Mistake(
            step(lambda way, stiffness, strength: 0 * way),
            "The springs seem to be missing: that is a step of plain descent.",
        ),
        Mistake(
            step(lambda way, stiffness, strength: -strength * stiffness * way),
            "The springs seem to push away from the anchor: their gradient points from it, and the step goes against.",
        ),
        Mistake(
            step(lambda way, stiffness, strength: strength * way),
            "All springs seem to be equally stiff: weights that mattered are to be held harder.",
        ),
        Mistake(
            step(lambda way, stiffness, strength: stiffness * way),
            "The strength seems to be missing: it multiplies all springs.",
        ),
        Mistake(
            step(lambda way, stiffness, strength: strength / 2 * stiffness * way),
            "The half of the penalty seems to be left: it cancels with the 2 of the square's derivative.",
        ),
        Mistake(
            step(lambda way, stiffness, strength: strength / 2 * stiffness * way**2),
            "That seems to be the penalty itself: the step needs its gradient.",
        ),
        Mistake(
            step(lambda way, stiffness, strength: strength / 2 * np.sum(stiffness * way**2)),
            "The penalty itself seems to be added to each gradient: the step needs the penalty's gradient.",
        ),
        Mistake(
            step(lambda way, stiffness, strength: strength * stiffness * np.sign(way)),
            "The pull seems to be the same however far a weight has gone: a spring pulls harder the longer it is.",
        ),
        Mistake(
            lambda w, gradient, anchor, stiffness, strength, rate: (
                w - rate * gradient - strength * stiffness * (w - anchor)
            ),
            "The rate seems to multiply the loss's gradient alone: it multiplies that of the springs, too.",
        ),
        Mistake(
            lambda w, gradient, anchor, stiffness, strength, rate: (
                anchor - rate * (gradient + strength * stiffness * (w - anchor))
            ),
            "The step seems to start at the anchor: it starts where the weights are now.",
        ),
    ]
    rng = np.random.default_rng(3)
    cases = [
        (*(rng.integers(-8, 9, 3) / 4 for _ in range(3)), rng.integers(1, 9, 3) / 4, strength, rate)
        for strength, rate in ((4.0, 0.25), (3.0, 0.5), (6.0, 0.125))
    ]
    check(attempt, solution, cases, mistakes)


def forgetting(attempt: Answer) -> None:
    """Check ``forgetting(accuracies)``: how much a network has lost of its earlier tasks, on average.

    Row i holds the accuracies on all tasks after the i-th was learned.
    """

    def solution(accuracies: np.ndarray) -> float:
        return float(np.mean(accuracies[:-1, :-1].max(axis=0) - accuracies[-1, :-1]))

    mistakes = [
        Mistake(
            lambda a: float(np.mean(a[:-1].max(axis=0) - a[-1])),
            "The last task seems to count: nothing can have been forgotten of it.",
        ),
        Mistake(
            lambda a: float(np.mean(np.diag(a)[:-1] - a[-1, :-1])),
            "It seems to compare with the accuracy right after each task: a later one may have been higher.",
        ),
        Mistake(
            lambda a: float(np.mean(a.max(axis=0)[:-1] - a[-1, :-1])),
            "The last row seems to be among those compared with: where it is the best, the loss is negative.",
        ),
        Mistake(
            lambda a: float(np.mean(a[-1, :-1] - a[:-1, :-1].max(axis=0))),
            "The sign seems to be turned around: what is lost is positive.",
        ),
        Mistake(
            lambda a: float(np.sum(a[:-1, :-1].max(axis=0) - a[-1, :-1])),
            "The losses seem to be added up: their mean is asked for.",
        ),
        Mistake(
            lambda a: float(np.sum(a[:-1, :-1].max(axis=0) - a[-1, :-1]) / len(a)),
            "The sum seems to be divided by all tasks: the last one has nothing to lose.",
        ),
        Mistake(
            lambda a: float(np.mean(a[:-1, :-1].max(axis=1) - a[:-1, -1])),
            "Rows and columns seem to be exchanged: a row is a moment, a column a task.",
        ),
        Mistake(
            lambda a: float(1 - np.mean(a[-1, :-1])),
            "That seems to be the error at the end: what was never learned cannot be forgotten.",
        ),
        Mistake(
            lambda a: float(np.max(a[:-1, :-1].max(axis=0) - a[-1, :-1])),
            "That seems to be the task that lost most: the mean over the tasks is asked for.",
        ),
    ]
    cases = [
        (np.array([[0.9, 0.1, 0.2], [0.95, 0.8, 0.15], [0.5, 0.6, 0.9]]),),
        (np.array([[0.8, 0.3, 0.1, 0.2], [0.85, 0.7, 0.2, 0.1], [0.6, 0.75, 0.9, 0.3], [0.9, 0.4, 0.7, 0.8]]),),
        (np.array([[0.7, 0.2, 0.4], [0.8, 0.9, 0.3], [0.85, 0.65, 0.75]]),),
    ]
    check(attempt, solution, cases, mistakes)


def class_shares(attempt: Answer) -> None:
    """Check ``class_shares(confusion, predicted)``: how frequent each class is in new data, from predictions alone.

    ``confusion[i, j]`` counts known examples of class j that were called i; ``predicted`` are shares of new ones.
    """

    def solution(confusion: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        return np.linalg.solve(confusion / confusion.sum(axis=0), predicted)

    def given(axis: int | None, turned: bool = False) -> Answer:
        def answer(confusion: np.ndarray, predicted: np.ndarray) -> np.ndarray:
            table = confusion / confusion.sum(axis=axis, keepdims=True)
            return np.linalg.solve(table.T if turned else table, predicted)

        return answer

    mistakes = [
        Mistake(
            lambda confusion, predicted: predicted,
            "That seems to be what was predicted: the classifier's errors are in it.",
        ),
        Mistake(
            given(None),
            "The counts seem to be shares of all: those give ratios to the old shares, and columns must sum to 1.",
        ),
        Mistake(
            given(1),
            "Rows seem to sum to 1: what stays the same is how a class is called, a column.",
        ),
        Mistake(
            given(0, turned=True),
            "The table seems to be turned around: a row is what was called, a column what it was.",
        ),
        Mistake(
            given(1, turned=True),
            "The table seems to be read with classes in its rows: they are its columns.",
        ),
        Mistake(
            lambda confusion, predicted: confusion / confusion.sum(axis=0) @ predicted,
            "It seems to multiply by the table: that confuses once more, so solve for what was confused.",
        ),
        Mistake(
            lambda confusion, predicted: confusion.sum(axis=0) / confusion.sum(),
            "Those seem to be the shares in the known data: the new ones are asked for.",
        ),
        Mistake(
            lambda confusion, predicted: np.linalg.solve(confusion, predicted),
            "The counts seem to be used as they are: columns must sum to 1.",
        ),
    ]
    cases = []
    for confusion, shares in (
        ([[8, 3], [2, 12]], [0.25, 0.75]),
        ([[16, 2, 1], [3, 9, 3], [1, 5, 21]], [0.5, 0.375, 0.125]),
        ([[30, 4], [10, 6]], [0.875, 0.125]),
    ):
        table = np.array(confusion, float)
        cases.append((table, table / table.sum(axis=0) @ shares))
    check(attempt, solution, cases, mistakes)
