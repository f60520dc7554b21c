"""The checkers of the chapter ``faq``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check

Answer = Callable[..., Any]


def mean_regret(attempt: Answer) -> None:
    """Check ``mean_regret(costs, chosen)``: the mean over cases of what a choice costs more than the cheapest."""

    def paid(costs: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return costs[chosen, np.arange(costs.shape[1])]

    def solution(costs: np.ndarray, chosen: np.ndarray) -> float:
        return float(np.mean(paid(costs, chosen) / costs.min(axis=0) - 1))

    mistakes = [
        Mistake(
            lambda costs, chosen: float(np.mean(paid(costs, chosen) - costs.min(axis=0))),
            "That seems to be the difference: divide by the cheapest cost of each case.",
        ),
        Mistake(
            lambda costs, chosen: float(np.mean(paid(costs, chosen) / costs.min(axis=0))),
            "The 1 seems to be missing: who takes the cheapest has a regret of 0.",
        ),
        Mistake(
            lambda costs, chosen: float(paid(costs, chosen).mean() / costs.min(axis=0).mean() - 1),
            "That seems to be the ratio of the means: divide in each case, then take the mean.",
        ),
        Mistake(
            lambda costs, chosen: float(np.mean(paid(costs, chosen) / costs.min() - 1)),
            "The cheapest of all cases seems to be taken: compare within each case.",
        ),
        Mistake(
            lambda costs, chosen: float(np.mean(1 - costs.min(axis=0) / paid(costs, chosen))),
            "It seems to be divided by what was paid: divide by the cheapest.",
        ),
        Mistake(
            lambda costs, chosen: float(np.mean(costs.max(axis=0) / paid(costs, chosen) - 1)),
            "The dearest seems to be compared with: regret is about the cheapest.",
        ),
        Mistake(
            lambda costs, chosen: float(np.mean(costs[chosen] / costs.min(axis=0) - 1)),
            "Whole rows seem to be taken: of each case only the chosen option counts.",
        ),
        Mistake(
            lambda costs, chosen: float(np.mean(costs[np.arange(len(chosen)), chosen] / costs.min(axis=0) - 1)),
            "Rows and columns seem to be exchanged: the option comes first, then the case.",
        ),
        Mistake(
            lambda costs, chosen: float(np.sum(paid(costs, chosen) / costs.min(axis=0) - 1)),
            "That seems to be the sum: divide by the number of cases.",
        ),
    ]
    cases = [
        (np.array([[2.0, 1.0, 4.0], [1.0, 3.0, 5.0], [4.0, 2.0, 2.0]]), np.array([0, 1, 2])),
        (np.array([[0.4, 0.2], [0.1, 0.3]]), np.array([1, 1])),
        (np.array([[1.5, 0.6, 2.0, 0.9], [1.0, 0.8, 1.0, 0.3]]), np.array([0, 0, 0, 1])),
    ]
    check(attempt, solution, cases, mistakes)


def tuning_bytes(attempt: Answer) -> None:
    """Check ``tuning_bytes(parameters, trainable, width)``: memory of fine-tuning with Adam, activations aside."""

    def solution(parameters: int, trainable: int, width: int) -> int:
        return width * parameters + trainable * (width + 8 + (4 if width < 4 else 0))

    def of(frozen: Callable[[int], int], learns: Callable[[int], int]) -> Answer:
        """Return an answer with bytes of each parameter and of each trainable one."""
        return lambda parameters, trainable, width: frozen(width) * parameters + learns(width) * trainable

    def master(width: int) -> int:
        return 4 if width < 4 else 0

    mistakes = [
        Mistake(
            lambda parameters, trainable, width: (2 * width + 8 + master(width)) * parameters,
            "Frozen parameters seem to have a gradient and means, too: only those that learn do.",
        ),
        Mistake(
            lambda parameters, trainable, width: (2 * width + 8 + master(width)) * trainable,
            "The frozen parameters seem to be forgotten: they are kept as well.",
        ),
        Mistake(
            of(lambda w: w, lambda w: w + 8),
            "The copy in 4 bytes seems to be missing: it goes with a width of 2.",
        ),
        Mistake(
            of(lambda w: w, lambda w: w + 8 + 4),
            "There seems to be a copy at a width of 4, too: there the parameter itself is one.",
        ),
        Mistake(
            of(lambda w: w, lambda w: w + 8 + (4 if w <= 4 else 0)),
            "There seems to be a copy at a width of 4, too: there the parameter itself is one.",
        ),
        Mistake(
            of(lambda w: w, lambda w: 4 + 8 + master(w)),
            "The gradient seems to have 4 bytes: it has the width of the parameters.",
        ),
        Mistake(
            of(lambda w: w, lambda w: 16 - w),
            "That seems to be 16 bytes for each that learns: right for 2 and 4, and at 8 two numbers are wider.",
        ),
        Mistake(
            of(lambda w: w, lambda w: w + 8 + (4 - w if w < 4 else 0)),
            "The copy seems to replace the parameter: it is kept besides.",
        ),
        Mistake(
            of(lambda w: w, lambda w: w + 4 + master(w)),
            "One mean of Adam seems to be missing: it has two.",
        ),
        Mistake(
            of(lambda w: w, lambda w: 3 * w + master(w)),
            "The means seem to have the width of the parameters: they are kept in 4 bytes each.",
        ),
        Mistake(
            of(lambda w: w, lambda w: 8 + master(w)),
            "One width seems to be missing: those that learn are kept, and have a gradient as well.",
        ),
        Mistake(
            of(lambda w: w + master(w), lambda w: w + 8),
            "Frozen parameters seem to have a copy in 4 bytes, too: only those that learn need one.",
        ),
    ]
    cases = [(1000, 100, 4), (1000, 100, 2), (125, 125, 2), (50, 7, 8)]
    check(attempt, solution, cases, mistakes)


def examples_needed(attempt: Answer) -> None:
    """Check ``examples_needed(p, q, z)``: the test examples that tell two models apart."""

    def whole(n: float) -> int:
        return int(np.ceil(round(n, 6)))

    def variance(p: float, q: float) -> float:
        return p * (1 - p) + q * (1 - q)

    def solution(p: float, q: float, z: float) -> int:
        return whole(z**2 * variance(p, q) / (p - q) ** 2)

    def middle(p: float, q: float) -> float:
        m = (p + q) / 2
        return 2 * m * (1 - m)

    mistakes = [
        Mistake(
            lambda p, q, z: whole(z**2 * p * (1 - p) / (p - q) ** 2),
            "Only the first model seems to have noise: the variances of both add up.",
        ),
        Mistake(
            lambda p, q, z: whole(z**2 * q * (1 - q) / (p - q) ** 2),
            "Only the second model seems to have noise: the variances of both add up.",
        ),
        Mistake(
            lambda p, q, z: whole(z * variance(p, q) / (p - q) ** 2),
            "z seems to lack its square: solve for n under the root.",
        ),
        Mistake(
            lambda p, q, z: whole(z**2 * variance(p, q) / abs(p - q)),
            "The difference seems to lack its square: solve for n under the root.",
        ),
        Mistake(
            lambda p, q, z: whole(variance(p, q) / (p - q) ** 2),
            "z seems to be left out: that is one standard error.",
        ),
        Mistake(
            lambda p, q, z: z**2 * variance(p, q) / (p - q) ** 2,
            "That is no whole number: round up.",
        ),
        Mistake(
            lambda p, q, z: int(round(z**2 * variance(p, q) / (p - q) ** 2, 6)),
            "It seems to be rounded down: then the difference is just too small.",
        ),
        Mistake(
            lambda p, q, z: int(round(z**2 * variance(p, q) / (p - q) ** 2, 6)) + 1,
            "Where n comes out whole there seems to be one too many: at least z is enough.",
        ),
        Mistake(
            lambda p, q, z: round(z**2 * variance(p, q) / (p - q) ** 2),
            "It seems to be rounded to the nearest: round up.",
        ),
        Mistake(
            lambda p, q, z: whole(z * variance(p, q) ** 0.5 / abs(p - q)),
            "That seems to be the root of n: square both sides.",
        ),
        Mistake(
            lambda p, q, z: whole(z**2 * (p * (1 - p) - q * (1 - q)) / (p - q) ** 2),
            "The variances seem to be subtracted: those of a difference add up.",
        ),
        Mistake(
            lambda p, q, z: whole(z**2 * ((p * (1 - p)) ** 0.5 + (q * (1 - q)) ** 0.5) ** 2 / (p - q) ** 2),
            "The standard errors seem to be added: add the variances, then take the root.",
        ),
        Mistake(
            lambda p, q, z: whole(z**2 * middle(p, q) / (p - q) ** 2),
            "One mean share seems to stand for both: take the variance of each.",
        ),
    ]
    cases = [(0.9, 0.7, 1.9), (0.5, 0.75, 3.0), (0.65, 0.95, 1.96), (0.2, 0.55, 2.5)]
    check(attempt, solution, cases, mistakes)


def balanced(attempt: Answer) -> None:
    """Check ``balanced(truth, said)``: the mean over classes of the share that is found."""

    def shares(truth: np.ndarray, said: np.ndarray, classes: np.ndarray) -> list[float]:
        return [float(np.mean(said[truth == k] == k)) for k in classes]

    def solution(truth: np.ndarray, said: np.ndarray) -> float:
        return float(np.mean(shares(truth, said, np.unique(truth))))

    def empty_too(truth: np.ndarray, said: np.ndarray) -> float:
        """Count a class that was said and never occurs as found in no case."""
        absent = np.setdiff1d(said, truth)
        return float(np.mean(shares(truth, said, np.unique(truth)) + [0.0] * len(absent)))

    mistakes = [
        Mistake(
            lambda truth, said: float(np.mean(truth == said)),
            "That seems to be the share of all examples: first a share for each class, then the mean.",
        ),
        Mistake(
            lambda truth, said: float(np.mean(shares(said, truth, np.unique(said)))),
            "Truth and answers seem to be exchanged: ask how much was found of what is of a class.",
        ),
        Mistake(
            lambda truth, said: float(np.sum(shares(truth, said, np.unique(truth)))),
            "That seems to be the sum over classes: divide by their number.",
        ),
        Mistake(
            lambda truth, said: 1 - float(np.mean(shares(truth, said, np.unique(truth)))),
            "That seems to be the share that is missed.",
        ),
        Mistake(empty_too, "A class that never occurs seems to count: only those in truth do."),
        Mistake(
            lambda truth, said: float(np.sum(shares(truth, said, np.unique(truth))) / (np.max(truth) + 1)),
            "All numbers up to the largest seem to be taken for classes: only those in truth are.",
        ),
        Mistake(
            lambda truth, said: float(np.mean(truth == said) / len(np.unique(truth))),
            "The hits of a class seem to be divided by all examples: divide by those of the class.",
        ),
        Mistake(
            lambda truth, said: float(np.min(shares(truth, said, np.unique(truth)))),
            "That seems to be the worst class: take the mean of all.",
        ),
        Mistake(
            lambda truth, said: float(np.median(shares(truth, said, np.unique(truth)))),
            "That seems to be the median of the classes: take the mean.",
        ),
        Mistake(
            lambda truth, said: float(np.mean([np.mean((said == k) == (truth == k)) for k in np.unique(truth)])),
            "What is rightly not called the class seems to count: look only at examples of the class.",
        ),
    ]
    cases = [
        (np.array([0, 0, 0, 0, 1, 2]), np.array([0, 0, 0, 1, 2, 2])),
        (np.array([3, 3, 3, 5, 5, 7, 7, 7]), np.array([3, 9, 9, 5, 3, 7, 7, 3])),
        (np.array([1, 1, 1, 1, 1, 0, 0, 2]), np.array([1, 1, 1, 1, 1, 1, 0, 1])),
    ]
    check(attempt, solution, cases, mistakes)
