"""The checkers of the chapter ``tuning``."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.checks.diagnosis import Diagnosis
from utils.scratch import schedules, search

Answer = Callable[..., Any]


def rate_at(attempt: Answer) -> None:
    """Check ``rate_at(step, steps, warm, peak)``: warm-up in a straight line, then half a cosine to 0."""

    def solution(step: int, steps: int, warm: int, peak: float) -> float:
        return float(schedules.warmup_cosine(steps, peak, warm)[step])

    def by(rise: Callable[..., float], fall: Callable[..., float]) -> Answer:
        return lambda step, steps, warm, peak: peak * (rise(step, warm) if step < warm else fall(step, steps, warm))

    def line(step: int, warm: int) -> float:
        return step / warm

    def cosine(step: int, steps: int, warm: int) -> float:
        return (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2

    mistakes = [
        Mistake(by(lambda step, warm: 1.0, cosine), "Nothing seems to warm up: the first steps rise from 0."),
        Mistake(
            lambda step, steps, warm, peak: peak * cosine(step, steps, 0),
            "There seems to be no warm-up: the cosine begins at step 0.",
        ),
        Mistake(
            by(line, lambda step, steps, warm: cosine(step, steps, 0)),
            "The cosine seems to begin at step 0, so the rate jumps where the warm-up ends.",
        ),
        Mistake(
            by(line, lambda step, steps, warm: cosine(step, steps + warm, warm)),
            "The fall seems to take all steps: the warm-up has used some of them.",
        ),
        Mistake(
            by(line, lambda step, steps, warm: (steps - step) / (steps - warm)),
            "The fall seems to be a straight line: it is half a cosine.",
        ),
        Mistake(
            by(line, lambda step, steps, warm: math.cos(math.pi * (step - warm) / (steps - warm) / 2)),
            "That seems to be a quarter of a cosine: half of one goes from 1 to -1, moved up and halved.",
        ),
        Mistake(
            by(line, lambda step, steps, warm: 2 * cosine(step, steps, warm)),
            "The fall seems to begin at twice the peak: the sum of 1 and the cosine is halved.",
        ),
        Mistake(
            by(line, lambda step, steps, warm: 1 - cosine(step, steps, warm)),
            "After the warm-up the rate seems to rise again: check the sign of the cosine.",
        ),
        Mistake(
            by(line, lambda step, steps, warm: 2 * cosine(step, steps, warm) - 1),
            "The fall seems to go on below 0: the cosine is moved up by 1 and halved.",
        ),
        Mistake(
            by(line, lambda step, steps, warm: cosine(step, steps - 1, warm)),
            "The fall seems to reach 0 with the last step: by (4) that is one step later.",
        ),
        Mistake(by(line, lambda step, steps, warm: 1.0), "Nothing seems to fall after the warm-up."),
        Mistake(
            by(lambda step, warm: (step + 1) / warm, cosine),
            "The warm-up seems to be one step ahead: step 0 has the rate 0.",
        ),
        Mistake(
            lambda step, steps, warm, peak: solution(step, steps, warm, 1.0),
            "The peak seems to be missing: that is a share of it.",
        ),
    ]
    cases = [(0, 20, 4, 0.3), (3, 20, 4, 0.3), (4, 20, 4, 0.3), (9, 20, 4, 0.3), (15, 20, 4, 0.3), (60, 90, 30, 2.0)]
    check(attempt, solution, cases, mistakes)


def soft_targets(attempt: Answer) -> None:
    """Check ``soft_targets(labels, classes, smoothing)``: the targets of label smoothing."""

    def solution(labels: np.ndarray, classes: int, smoothing: float) -> np.ndarray:
        return (1 - smoothing) * np.eye(classes)[labels] + smoothing / classes

    def by(target: Callable[[np.ndarray, int, float], np.ndarray]) -> Answer:
        return lambda labels, classes, smoothing: target(np.eye(classes)[labels], classes, smoothing)

    mistakes = [
        Mistake(by(lambda hard, k, s: hard), "Nothing seems to be smoothed: the targets are still 0 and 1."),
        Mistake(
            by(lambda hard, k, s: (1 - s) * hard),
            "The share seems to be taken and not dealt out: each row must sum to 1.",
        ),
        Mistake(
            by(lambda hard, k, s: hard + s / k), "The share seems to be dealt out and not taken: rows must sum to 1."
        ),
        Mistake(
            by(lambda hard, k, s: (1 - s) * hard + s / (k - 1) * (1 - hard)),
            "The label's own class seems to get nothing back: all classes share, the right one too.",
        ),
        Mistake(
            by(lambda hard, k, s: (1 - s) * hard + s / k * (1 - hard)),
            "The label's own class seems to miss its part of the share: rows must sum to 1.",
        ),
        Mistake(
            by(lambda hard, k, s: (1 - s) * hard + s),
            "Each class seems to get the whole share: it is divided by the number of classes.",
        ),
        Mistake(
            by(lambda hard, k, s: (1 - s) * hard + s * (1 - hard)),
            "Each wrong class seems to get the whole share: it is divided by the number of classes.",
        ),
        Mistake(
            by(lambda hard, k, s: s * hard + (1 - s) / k),
            "Share and rest seem to be swapped: smoothing is what goes to all.",
        ),
        Mistake(
            by(lambda hard, k, s: ((1 - s) * hard + s / k).T),
            "Rows and columns seem to be swapped: one row an example.",
        ),
        Mistake(
            lambda labels, classes, smoothing: solution(labels, classes, smoothing).sum(axis=0),
            "The examples seem to be added up: each keeps its own row.",
        ),
    ]
    cases = [(np.array([2, 0]), 3, 0.1), (np.array([1, 1, 3, 0]), 5, 0.3), (np.array([0]), 2, 0.4)]
    check(attempt, solution, cases, mistakes)


def paired_t(attempt: Answer) -> None:
    """Check ``paired_t(a, b)``: the t statistic of runs with common seeds."""

    def ratio(a: np.ndarray, b: np.ndarray, freedom: int = 1) -> float:
        difference = a - b
        return float(difference.mean() / difference.std(ddof=freedom))

    def solution(a: np.ndarray, b: np.ndarray) -> float:
        return math.sqrt(len(a)) * ratio(a, b)

    mistakes = [
        Mistake(
            lambda a, b: (a.mean() - b.mean()) / math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a)),
            "The spreads of both seem to be added: the seeds are common, so take the spread of the differences.",
        ),
        Mistake(
            lambda a, b: (a.mean() - b.mean()) / math.sqrt((a.var() + b.var()) / len(a)),
            "The spreads of both seem to be added, and by the number of runs: take that of the differences.",
        ),
        Mistake(ratio, "The root of the number of runs seems to be missing: a mean is steadier than one run."),
        Mistake(
            lambda a, b: math.sqrt(len(a)) * ratio(a, b, 0),
            "The squares seem to be divided by the number of runs: one less, since their mean was estimated.",
        ),
        Mistake(lambda a, b: len(a) * ratio(a, b), "The number of runs seems to be without its root."),
        Mistake(
            lambda a, b: math.sqrt(len(a) - 1) * ratio(a, b),
            "The root seems to be of one run fewer: the spread has that already, the mean has all runs.",
        ),
        Mistake(
            lambda a, b: math.sqrt(len(a)) * (a - b).mean() / (a - b).var(ddof=1),
            "The variance seems to stand where its root belongs.",
        ),
        Mistake(
            lambda a, b: ratio(a, b, 0),
            "The root of the number of runs seems to be missing, and the squares are divided by one run less.",
        ),
        Mistake(lambda a, b: abs(solution(a, b)), "The sign seems to be lost: where b is better, t is below 0."),
        Mistake(lambda a, b: -solution(a, b), "The sign seems to be the other way round: a minus b."),
        Mistake(lambda a, b: (a - b).mean(), "That seems to be the mean difference: divide by its standard error."),
    ]
    cases = [
        (np.array([91.2, 90.1, 92.3, 90.8]), np.array([90.6, 89.9, 91.3, 90.5])),
        (np.array([88.0, 90.5, 89.0]), np.array([89.5, 91.0, 89.4])),
        (np.array([70.0, 75.0, 72.0, 79.0, 74.0]), np.array([69.0, 75.5, 70.2, 78.0, 72.9])),
    ]
    check(attempt, solution, cases, mistakes)


def best_of(attempt: Answer) -> None:
    """Check ``best_of(scores, count)``: the mean of the best of so many scores drawn with replacement."""

    def solution(scores: np.ndarray, count: int) -> float:
        return search.expected_best(scores, count)

    def weighted(below: Callable[[np.ndarray, int], np.ndarray], up: bool = True) -> Answer:
        def answer(scores: np.ndarray, count: int) -> float:
            ordered = np.sort(scores) if up else -np.sort(-scores)
            return float(ordered @ np.diff(below(np.arange(len(scores) + 1) / len(scores), count)))

        return answer

    def without(scores: np.ndarray, count: int) -> float:
        chances = [math.comb(place, count - 1) for place in range(len(scores))]
        return float(np.sort(scores) @ np.array(chances) / math.comb(len(scores), count))

    mistakes = [
        Mistake(lambda scores, count: scores.max(), "That seems to be the best of all scores, however few are drawn."),
        Mistake(lambda scores, count: scores.mean(), "That seems to be the mean: one draw, not the best of several."),
        Mistake(
            lambda scores, count: scores[:count].max(),
            "The first scores seem to be taken: average over all draws, not one.",
        ),
        Mistake(without, "The draws seem to be without replacement: a score may come twice."),
        Mistake(
            weighted(lambda share, count: share**count, up=False),
            "The scores seem to be sorted downward: that is the worst of the draw.",
        ),
        Mistake(
            lambda scores, count: float(scores @ np.diff((np.arange(len(scores) + 1) / len(scores)) ** count)),
            "The scores seem not to be sorted.",
        ),
        Mistake(
            lambda scores, count: float(np.sort(scores) @ (np.arange(1, len(scores) + 1) / len(scores)) ** count),
            "The weights seem to add up to more than 1: take off the chance that all draws are below the score.",
        ),
        Mistake(
            weighted(lambda share, count: share ** (count - 1) if count > 1 else share),
            "It seems to be one draw too few.",
        ),
        Mistake(weighted(lambda share, count: share ** (count + 1)), "It seems to be one draw too many."),
    ]
    cases = [
        (np.array([3.0, 9.0, 1.0, 4.0, 7.5]), 2),
        (np.array([3.0, 9.0, 1.0, 4.0, 7.5]), 4),
        (np.array([1.0, -2.5, 2.0, 0.5, -1.0, 4.5]), 3),
    ]
    check(attempt, solution, cases, mistakes)


def survivor(attempt: Answer) -> None:
    """Check ``survivor(curves)``: successive halving, epochs 1, 2, 4, …; the winner and the epochs spent."""

    def rounds(
        curves: np.ndarray, low: bool = False, anew: bool = False, slow: bool = False, early: bool = False
    ) -> tuple[int, int]:
        alive, epochs, reached, spent = list(range(len(curves))), 1, 0, 0
        while True:
            spent += len(alive) * (epochs if anew else epochs - reached)
            reached = epochs
            alive = sorted(alive, key=lambda s: curves[s, reached - 1] * (1 if low else -1))
            following = epochs + 1 if slow else 2 * epochs
            if len(alive) == 1 or following > curves.shape[1] or (early and len(alive) < 4):
                return alive[0], spent
            alive, epochs = alive[: len(alive) // 2], following

    def solution(curves: np.ndarray) -> tuple[int, int]:
        return rounds(curves)

    mistakes = [
        Mistake(
            lambda curves: (curves[:, -1].argmax(), curves.size),
            "All seem to be trained to the end: half of them leave after each rung.",
        ),
        Mistake(
            lambda curves: (curves[:, 0].argmax(), len(curves)),
            "It seems to be over after the first epoch: the better half goes on.",
        ),
        Mistake(lambda curves: rounds(curves, low=True), "The worse half seems to survive: a high score is good."),
        Mistake(
            lambda curves: rounds(curves, anew=True),
            "Each rung seems to be paid from the start: a training goes on where it stopped.",
        ),
        Mistake(
            lambda curves: rounds(curves, slow=True),
            "The epochs seem to grow by one from rung to rung: they double.",
        ),
        Mistake(
            lambda curves: rounds(curves, early=True),
            "The last one seems to stop as soon as it is alone: it goes on to the next of the epochs.",
        ),
        Mistake(
            lambda curves: (rounds(curves)[0], curves.size),
            "The winner is right, but the epochs seem to be those of training all to the end.",
        ),
        Mistake(lambda curves: rounds(curves)[::-1], "Winner and epochs seem to be swapped."),
    ]
    generator = np.random.default_rng(5)
    cases = [(np.cumsum(generator.random((8, 8)), axis=1).round(2),) for _ in range(3)]
    cases.append((np.array([[0.5, 0.6, 0.6, 0.6], [0.4, 0.7, 0.8, 0.9], [0.6, 0.6, 0.7, 0.7], [0.1, 0.8, 0.9, 1.0]]),))
    check(attempt, solution, cases, mistakes)


diagnosis = Diagnosis()
