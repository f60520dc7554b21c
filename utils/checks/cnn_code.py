"""The checkers of the chapter ``cnn-code``."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check

Answer = Callable[..., Any]


def standard_error(attempt: Answer) -> None:
    """Check ``standard_error(error, images)``, equation (2)."""
    mistakes = [
        Mistake(
            lambda p, n: p * (1 - p) / n,
            "The root seems to be missing: that is the variance, in squared units.",
        ),
        Mistake(
            lambda p, n: math.sqrt(p * (1 - p)),
            "The number of images seems to be missing: that is the spread of one image's 0 or 1.",
        ),
        Mistake(
            lambda p, n: math.sqrt(p * (1 - p)) / n,
            "The number of images seems to stand outside the root: four times the images halve the spread.",
        ),
        Mistake(
            lambda p, n: math.sqrt(p / n),
            "The factor 1 - p seems to be missing: a network that is always wrong has no spread either.",
        ),
        Mistake(
            lambda p, n: 100 * math.sqrt(p * (1 - p) / n),
            "It seems to be in points: both sides of equation (2) are shares, from 0 to 1.",
        ),
        Mistake(
            lambda p, n: 1.96 * math.sqrt(p * (1 - p) / n),
            "It seems to be half of a 95% interval: the standard error comes before the factor 1.96.",
        ),
    ]
    check(attempt, lambda p, n: math.sqrt(p * (1 - p) / n), [(0.04, 1000), (0.5, 16), (0.9, 250)], mistakes)


def seeds_needed(attempt: Answer) -> None:
    """Check ``seeds_needed(deviation, difference)``, equation (5), rounded up."""

    def exact(deviation: float, difference: float) -> float:
        return 2 * (2.8 * deviation / difference) ** 2

    mistakes = [
        Mistake(exact, "It seems not to be rounded up: a run is a whole run."),
        Mistake(lambda s, d: math.floor(exact(s, d)), "It seems to round down: that is one run too few."),
        Mistake(
            lambda s, d: math.ceil(exact(s, d) / 2),
            "The 2 in front seems to be missing: both models vary, so the difference has twice the variance.",
        ),
        Mistake(
            lambda s, d: math.ceil(2 * (1.96 * s / d) ** 2),
            "Only 1.96 seems to count: then the test would find the difference in half of the trials. Power takes 0.84 "
            "more.",
        ),
        Mistake(
            lambda s, d: math.ceil(2 * 2.8 * s / d),
            "The square seems to be missing: half the difference takes four times the runs.",
        ),
        Mistake(
            lambda s, d: math.ceil(2 * 2.8 * (s / d) ** 2),
            "The square seems to leave out 2.8: solve equation (4) for R once more.",
        ),
        Mistake(
            lambda s, d: math.ceil(2 * (2.8 * d / s) ** 2),
            "The two seem to be swapped: a larger spread needs more runs, a larger difference fewer.",
        ),
    ]
    cases = [(0.4, 0.5), (0.4, 0.25), (1.0, 3.0), (0.3, 1.1)]
    check(attempt, lambda s, d: math.ceil(exact(s, d)), cases, mistakes)


def interval(attempt: Answer) -> None:
    """Check ``interval(a, b, t)``: equation (6), the ends of the interval for the mean of a - b."""

    def ends(difference: np.ndarray, t: float, ddof: int = 1, root: bool = True) -> tuple[float, float]:
        half = t * difference.std(ddof=ddof)
        half /= math.sqrt(len(difference)) if root else 1
        return difference.mean() - half, difference.mean() + half

    def apart(a: np.ndarray, b: np.ndarray, t: float) -> tuple[float, float]:
        half = t * (a.std(ddof=1) + b.std(ddof=1)) / math.sqrt(len(a))
        return (a - b).mean() - half, (a - b).mean() + half

    def unpaired(a: np.ndarray, b: np.ndarray, t: float) -> tuple[float, float]:
        half = t * math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))
        return (a - b).mean() - half, (a - b).mean() + half

    mistakes = [
        Mistake(
            unpaired,
            "The runs seem not to be paired: subtract run by run first, then take one deviation.",
        ),
        Mistake(
            lambda a, b, t: ends(a - b, t, root=False),
            "The root of R seems to be missing: a mean of R runs varies less than one run.",
        ),
        Mistake(
            lambda a, b, t: ends(a - b, t, ddof=0),
            "The deviation seems to divide by R: NumPy does unless you say ddof=1.",
        ),
        Mistake(lambda a, b, t: ends(b - a, t), "The sign seems to be turned: it is a minus b."),
        Mistake(apart, "Two deviations seem to be added: take the deviation of the differences, run by run."),
        Mistake(lambda a, b, t: ends(a - b, t)[::-1], "The ends seem to be swapped: the lower one first."),
        Mistake(
            lambda a, b, t: ends(a - b, 1.0),
            "The factor t seems to be missing: one standard error to each side is much too little.",
        ),
    ]
    cases = [
        (np.array([4.0, 5.0, 3.0]), np.array([1.0, 4.0, 3.5]), 4.3),
        (np.array([2.0, 2.5, 3.0, 2.2]), np.array([2.1, 2.0, 3.3, 2.6]), 3.18),
    ]
    check(attempt, lambda a, b, t: ends(a - b, t), cases, mistakes)


def fold(attempt: Answer) -> None:
    """Check ``fold(w, gamma, beta, mean, variance)``: equation (11), all of shape (F,), no bias before."""

    def parts(w: Any, g: Any, b: Any, m: Any, v: Any, epsilon: float = 0.001) -> tuple[Any, Any]:
        scale = g / np.sqrt(v + epsilon)
        return scale * w, b - scale * m

    mistakes = [
        Mistake(
            lambda w, g, b, m, v: parts(w, g, b, m, v, epsilon=0.0),
            "The 0.001 under the root seems to be missing: Keras adds it to the variance.",
        ),
        Mistake(
            lambda w, g, b, m, v: (g / (np.sqrt(v) + 0.001) * w, b - g / (np.sqrt(v) + 0.001) * m),
            "The 0.001 seems to stand outside the root: it is added to the variance.",
        ),
        Mistake(
            lambda w, g, b, m, v: (g / (v + 0.001) * w, b - g / (v + 0.001) * m),
            "The root seems to be missing: the layer divides by the deviation, not by the variance.",
        ),
        Mistake(
            lambda w, g, b, m, v: (parts(w, g, b, m, v)[0], b - m),
            "The mean seems not to be scaled: it was subtracted before the division.",
        ),
        Mistake(
            lambda w, g, b, m, v: (parts(w, g, b, m, v)[0], b + g / np.sqrt(v + 0.001) * m),
            "The mean seems to be added: the layer subtracts it.",
        ),
        Mistake(
            lambda w, g, b, m, v: (parts(w, g, b, m, v)[0], b),
            "The mean seems to be missing from the new bias.",
        ),
        Mistake(
            lambda w, g, b, m, v: (w / np.sqrt(v + 0.001), b - m / np.sqrt(v + 0.001)),
            "The learned scale gamma seems to be missing.",
        ),
        Mistake(
            lambda w, g, b, m, v: parts(w, g, b, m, v)[::-1],
            "The two seem to be swapped: the kernel first, then the bias.",
        ),
    ]
    rng = np.random.default_rng(0)
    cases = [(*rng.normal(size=(4, size)).round(1), rng.uniform(0.05, 2, size).round(2)) for size in (2, 3)]
    check(attempt, parts, cases, mistakes)


def calibration_error(attempt: Answer) -> None:
    """Check ``calibration_error(confidence, right, bins)``, equation (9)."""

    def gaps(confidence: np.ndarray, right: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
        place = np.minimum((confidence * bins).astype(int), bins - 1)
        full = np.unique(place)
        differences = [right[place == i].mean() - confidence[place == i].mean() for i in full]
        return np.array(differences), np.array([np.sum(place == i) for i in full])

    def solution(confidence: np.ndarray, right: np.ndarray, bins: int) -> float:
        differences, counts = gaps(confidence, right, bins)
        return float(np.abs(differences) @ counts / len(right))

    def without_the_last(confidence: np.ndarray, right: np.ndarray, bins: int) -> float:
        place = (confidence * bins).astype(int)
        inside = [place == i for i in range(bins) if (place == i).any()]
        return float(sum(abs(right[k].mean() - confidence[k].mean()) * k.mean() for k in inside))

    mistakes = [
        Mistake(
            without_the_last,
            "Answers with probability 1 seem to fall out: they belong into the last bin.",
        ),
        Mistake(
            lambda c, r, bins: float(np.abs(gaps(c, r, bins)[0]).mean()),
            "All bins seem to count alike: weight each by its share of the answers.",
        ),
        Mistake(
            lambda c, r, bins: float(abs(r.mean() - c.mean())),
            "There seem to be no bins: too sure here and not sure enough there must not cancel.",
        ),
        Mistake(
            lambda c, r, bins: float(gaps(c, r, bins)[0] @ gaps(c, r, bins)[1] / len(r)),
            "The absolute value seems to be missing: gaps of both signs must not cancel.",
        ),
        Mistake(
            lambda c, r, bins: float(np.abs(gaps(c, r, bins)[0]) @ gaps(c, r, bins)[1]),
            "It seems not to be divided by the number of answers.",
        ),
        Mistake(
            lambda c, r, bins: float(np.mean(np.abs(r - c))),
            "Each answer seems to stand alone: compare means within a bin.",
        ),
    ]
    cases = [
        (np.array([0.9, 0.95, 0.99, 0.6, 0.55, 0.7]), np.array([1, 0, 1, 1, 1, 0]), 2),
        (np.array([0.2, 0.35, 0.8, 0.85, 0.9, 0.95, 1.0]), np.array([0, 1, 1, 1, 1, 0, 0]), 4),
    ]
    check(attempt, solution, cases, mistakes)


def dropout(attempt: Answer) -> None:
    """Check ``dropout(x, kept, rate)``: equation (12) for a given draw, ``kept`` being 0 or 1."""
    mistakes = [
        Mistake(
            lambda x, kept, rate: x * kept,
            "What stays seems not to be scaled up: its mean over the draws would be smaller than x.",
        ),
        Mistake(
            lambda x, kept, rate: x * kept / rate,
            "It seems to divide by the rate: that is the share dropped, and 1 - rate is the share kept.",
        ),
        Mistake(
            lambda x, kept, rate: x * kept * (1 - rate),
            "It seems to multiply by 1 - rate: dividing makes up for what was dropped.",
        ),
        Mistake(
            lambda x, kept, rate: x * (1 - kept) / (1 - rate),
            "Kept and dropped seem to be swapped.",
        ),
        Mistake(
            lambda x, kept, rate: x / (1 - rate),
            "Nothing seems to be dropped.",
        ),
    ]
    cases = [
        (np.array([1.0, 2.0, -3.0, 4.0]), np.array([1.0, 0.0, 1.0, 1.0]), 0.25),
        (np.array([5.0, 6.0]), np.array([0.0, 1.0]), 0.8),
    ]
    check(attempt, lambda x, kept, rate: x * kept / (1 - rate), cases, mistakes)
