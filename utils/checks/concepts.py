"""The checkers of the chapter ``concepts``."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check

Answer = Callable[..., Any]


def attention_parameters(attempt: Answer) -> None:
    """Check ``attention_parameters(d, heads)``: the fourth line of equation (1); the heads share its layers."""
    mistakes = [
        Mistake(
            lambda d, heads: 4 * (d + 1) * d * heads,
            "The heads seem to be counted each: they share the four layers, and each gets d / heads of the numbers.",
        ),
        Mistake(lambda d, heads: 4 * d * d, "The biases seem to be missing: each dense layer has one for each output."),
        Mistake(
            lambda d, heads: 3 * (d + 1) * d,
            "Only three layers seem to be counted: after queries, keys and values comes the output.",
        ),
        Mistake(
            lambda d, heads: 4 * (d // heads + 1) * d,
            "Each head seems to read only its share of the input: it reads all of it.",
        ),
        Mistake(
            lambda d, heads: 4 * (d * d + 1),
            "There seems to be one bias for a layer: there is one for each of its outputs.",
        ),
    ]
    check(attempt, lambda d, heads: 4 * (d + 1) * d, [(8, 2), (128, 4), (384, 12)], mistakes)


def training_bytes(attempt: Answer) -> None:
    """Check ``training_bytes(parameters, outputs, examples, size)``, equation (2)."""

    def total(p: int, n: int, b: int, size: int, copies: int = 4) -> int:
        return size * (copies * p + b * n)

    mistakes = [
        Mistake(
            lambda p, n, b, size: total(p, n, b, size, 2),
            "Adam's two means seem to be missing: weights and gradients are half of it.",
        ),
        Mistake(
            lambda p, n, b, size: total(p, n, b, size, 3),
            "One of the four seems to be missing: weights, gradients, and two means.",
        ),
        Mistake(
            lambda p, n, b, size: total(p, n, b, size, 1),
            "Only the weights seem to be counted beside the activations: training keeps three more numbers for each.",
        ),
        Mistake(
            lambda p, n, b, size: total(p, n, 1, size),
            "The activations seem to be those of one example: they are kept for every example of the step.",
        ),
        Mistake(
            lambda p, n, b, size: total(p * b, n, b, size),
            "The parameters seem to be kept for each example: all examples share them.",
        ),
        Mistake(lambda p, n, b, size: 4 * p * size, "The activations seem to be missing."),
        Mistake(
            lambda p, n, b, size: total(p, n, b, 1),
            "These seem to be numbers: times the bytes of a number they are bytes.",
        ),
        Mistake(
            lambda p, n, b, size: 4 * p * size + b * n,
            "The activations seem to be numbers, not bytes.",
        ),
    ]
    check(attempt, total, [(1000, 50, 32, 4), (7, 900, 3, 2), (300, 20, 5, 8)], mistakes)


def cell_histogram(attempt: Answer) -> None:
    """Check ``cell_histogram(r, angle, bins)``: equation (4) for one cell; r and angle (pixels,), angles below pi."""

    def votes(
        r: np.ndarray, angle: np.ndarray, bins: int, start: float = 0.5, turn: float = math.pi, swapped: bool = False
    ) -> np.ndarray:
        u = bins * angle / turn - start
        low = np.floor(u).astype(int)
        share = low + 1 - u if swapped else u - low
        h = np.zeros(bins)
        np.add.at(h, low % bins, (1 - share) * r)
        np.add.at(h, (low + 1) % bins, share * r)
        return h

    def nearest(r: np.ndarray, angle: np.ndarray, bins: int) -> np.ndarray:
        return np.bincount((bins * angle / math.pi).astype(int) % bins, weights=r, minlength=bins)

    def open_ended(r: np.ndarray, angle: np.ndarray, bins: int) -> np.ndarray:
        u = bins * angle / math.pi - 0.5
        low = np.floor(u).astype(int)
        h = np.zeros(bins)
        for place, weight in ((low, (low + 1 - u) * r), (low + 1, (u - low) * r)):
            inside = (place >= 0) & (place < bins)
            np.add.at(h, place[inside], weight[inside])
        return h

    def overwritten(r: np.ndarray, angle: np.ndarray, bins: int) -> np.ndarray:
        u = bins * angle / math.pi - 0.5
        low = np.floor(u).astype(int)
        h = np.zeros(bins)
        h[low % bins] += (low + 1 - u) * r
        h[(low + 1) % bins] += (u - low) * r
        return h

    mistakes = [
        Mistake(nearest, "Each pixel seems to give all to one bin: the two nearest share it."),
        Mistake(
            open_ended,
            "The last bin and the first seem not to be neighbors: what leaves at one end comes in at the other.",
        ),
        Mistake(
            lambda r, angle, bins: votes(r, angle, bins, start=0.0),
            "The centers seem to be at b π / K: they are half a bin further.",
        ),
        Mistake(
            lambda r, angle, bins: votes(r, angle, bins, swapped=True),
            "The shares seem to be swapped: the nearer bin gets more.",
        ),
        Mistake(
            lambda r, angle, bins: votes(np.ones_like(r), angle, bins),
            "Every pixel seems to count alike: it gives its r.",
        ),
        Mistake(
            lambda r, angle, bins: votes(r, angle, bins, turn=2 * math.pi),
            "The bins seem to cover a whole turn: here opposite directions are one, so they cover half of it.",
        ),
        Mistake(
            overwritten,
            "Of several pixels in one bin only the last seems to count: NumPy's += with an array of places writes each "
            "place once. Use np.add.at, or a loop.",
        ),
    ]
    rng = np.random.default_rng(0)
    cases = [
        (np.array([1.0, 2.0]), np.array([0.1, 3.0]), 4),
        (rng.uniform(0, 2, 6).round(2), rng.uniform(0, 3.14, 6).round(2), 3),
        (rng.uniform(0, 2, 9).round(2), rng.uniform(0, 3.14, 9).round(2), 5),
    ]
    check(attempt, votes, cases, mistakes)


def reconstruct(attempt: Answer) -> None:
    """Check ``reconstruct(x, k)``: from k numbers of equation (6) back to the rows of x, (n, d) -> (n, d)."""

    def back(
        x: np.ndarray, k: int, center: bool = True, add: bool = True, last: bool = False, rows: bool = False
    ) -> np.ndarray:
        mean = x.mean(axis=1, keepdims=True) if rows else x.mean(axis=0)
        mean = mean if center else 0 * mean
        _, _, vt = np.linalg.svd(x - mean, full_matrices=False)
        w = (vt[-k:] if last else vt[:k]).T
        return (x - mean) @ w @ w.T + (mean if add else 0)

    mistakes = [
        Mistake(
            lambda x, k: back(x, k, center=False),
            "The mean seems not to be subtracted first: then the first direction is spent on it.",
        ),
        Mistake(lambda x, k: back(x, k, add=False), "The mean seems not to be added again at the end."),
        Mistake(
            lambda x, k: back(x, k, last=True),
            "These seem to be the directions in which the rows differ least: eigh sorts upward, svd downward.",
        ),
        Mistake(
            lambda x, k: back(x, k, rows=True),
            "The mean seems to be that of each row: it is that of each column.",
        ),
        Mistake(lambda x, k: x, "That is x itself: only k directions are kept."),
    ]
    rng = np.random.default_rng(0)
    cases = [((rng.normal(size=(7, 4)) * [3, 2, 1, 0.5] + [5, 0, -2, 1]).round(2), k) for k in (1, 2)]
    check(attempt, back, cases, mistakes)


def pair_order(attempt: Answer) -> None:
    """Check ``pair_order(p, y)``: equation (8), pairs of a row with y = 1 and one with y = 0; a tie counts half."""

    def share(p: np.ndarray, y: np.ndarray, tie: float = 0.5) -> float:
        above = p[y == 1][:, None] - p[y == 0][None]
        return float(np.mean(np.where(above == 0, tie, above > 0)))

    mistakes = [
        Mistake(lambda p, y: share(p, y, 0.0), "Ties seem to count nothing: they count half."),
        Mistake(lambda p, y: share(p, y, 1.0), "Ties seem to count as right: they count half."),
        Mistake(
            lambda p, y: 1 - share(p, y), "The order seems to be turned: the row with y = 1 should have the larger p."
        ),
        Mistake(
            lambda p, y: float(np.mean((p > 0.5) == y)),
            "That seems to be the share of right answers: compare pairs, without a threshold.",
        ),
        Mistake(
            lambda p, y: share(p, y) * np.sum(y == 1) * np.sum(y == 0),
            "That seems to be a number of pairs: divide by all pairs.",
        ),
        Mistake(
            lambda p, y: share(p, y) * np.sum(y == 1) * np.sum(y == 0) / math.comb(len(y), 2),
            "It seems to divide by all pairs of rows: only pairs of different y count.",
        ),
    ]
    cases = [
        (np.array([0.9, 0.4, 0.4, 0.2, 0.7]), np.array([1, 1, 0, 0, 0])),
        (np.array([0.1, 0.3, 0.3, 0.8, 0.6, 0.2]), np.array([0, 1, 0, 1, 0, 1])),
    ]
    check(attempt, share, cases, mistakes)


def crossing(attempt: Answer) -> None:
    """Check ``crossing(sizes, a, b)``: where b first falls below a, straight lines over the logarithm of the size."""

    def found(sizes: np.ndarray, a: np.ndarray, b: np.ndarray, scale: Any = np.log, back: Any = np.exp) -> float:
        gap = b - a
        for i in range(len(gap) - 1):
            if gap[i] > 0 >= gap[i + 1]:
                x, y = scale(sizes[i]), scale(sizes[i + 1])
                return float(back(x + (y - x) * gap[i] / (gap[i] - gap[i + 1])))
        return 0.0

    def first_below(sizes: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
        below = np.flatnonzero(b <= a)
        return float(sizes[below[0]]) if len(below) else 0.0

    def from_the_end(sizes: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
        gap = b - a
        changes = [i for i in range(len(gap) - 1) if gap[i] > 0 >= gap[i + 1]]
        if not changes:
            return 0.0
        i = changes[-1]
        return found(sizes[i : i + 2], a[i : i + 2], b[i : i + 2])

    mistakes = [
        Mistake(
            lambda sizes, a, b: found(sizes, a, b, float, float),
            "The lines seem to be straight over the size: they are straight over its logarithm.",
        ),
        Mistake(first_below, "That seems to be the first size at which b is below: the lines cross before it."),
        Mistake(from_the_end, "That seems to be the last crossing: the first one is asked for."),
        Mistake(
            lambda sizes, a, b: found(sizes, b, a),
            "The two seem to be swapped: b falls below a.",
        ),
        Mistake(
            lambda sizes, a, b: math.log(found(sizes, a, b) or 1),
            "That seems to be a logarithm: turn it into a size again.",
        ),
    ]
    cases = [
        (np.array([10.0, 100.0, 1000.0]), np.array([9.0, 5.0, 4.0]), np.array([12.0, 6.0, 1.0])),
        (np.array([50.0, 200.0, 800.0, 3200.0]), np.array([8.0, 6.0, 5.0, 4.5]), np.array([9.0, 4.0, 5.5, 2.0])),
        (np.array([10.0, 100.0, 1000.0]), np.array([3.0, 2.0, 1.0]), np.array([9.0, 4.0, 1.5])),
    ]
    check(attempt, found, cases, mistakes)
