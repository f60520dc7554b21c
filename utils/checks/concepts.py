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
        Mistake(lambda d, heads: 4 * (d + 1) * (d // heads), "One head seems to be counted: all give d numbers."),
        Mistake(lambda d, heads: 4 * d * d * heads, "The heads seem to be counted each, and the biases to be missing."),
    ]
    check(attempt, lambda d, heads: 4 * (d + 1) * d, [(8, 2), (128, 4), (384, 12)], mistakes)


def training_bytes(attempt: Answer) -> None:
    """Check ``training_bytes(parameters, outputs, examples, size)``, equation (2)."""

    def total(p: int, n: int, b: int, size: int, copies: int = 4) -> int:
        return size * (copies * p + b * n)

    mistakes = [
        Mistake(
            lambda *case: total(*case, copies=2),
            "Adam's two means seem to be missing: weights and gradients are half of it.",
        ),
        Mistake(lambda *case: total(*case, copies=3), "One of the four seems to be missing: there are two means."),
        Mistake(
            lambda *case: total(*case, copies=1),
            "Only the weights seem to be counted: training keeps three more numbers for each.",
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
        Mistake(lambda *case: total(*case, copies=0), "Only the activations seem to be counted."),
        Mistake(
            lambda p, n, b, size: total(p, n, b, 1),
            "These seem to be numbers: times the bytes of a number they are bytes.",
        ),
        Mistake(lambda p, n, b, size: 4 * p * size + b * n, "The activations seem to be numbers, not bytes."),
        Mistake(lambda p, n, b, size: 4 * p + b * n * size, "Those of a parameter seem to be numbers, not bytes."),
        Mistake(
            lambda p, n, b, size: 16 * p + b * n * size,
            "16 bytes a parameter seem to be fixed: they belong to numbers of 4 bytes.",
        ),
        Mistake(lambda *case: total(*case, copies=16), "The bytes seem to count twice: 16 is four times 4 already."),
    ]
    check(attempt, total, [(1000, 50, 32, 4), (7, 900, 3, 2), (300, 20, 5, 8)], mistakes)


def cell_histogram(attempt: Answer) -> None:
    """Check ``cell_histogram(r, angle, bins)``: equation (4) for one cell; r and angle (pixels,), angles below pi."""

    def votes(
        r: np.ndarray,
        angle: np.ndarray,
        bins: int,
        start: float = 0.5,
        turn: float = math.pi,
        swapped: bool = False,
        whole: Callable[[float], int] = math.floor,
        ends: str = "joined",
        add: bool = True,
    ) -> np.ndarray:
        h = np.zeros(bins)
        for size, u in zip(r, bins * angle / turn - start, strict=True):
            low = whole(u)
            far = low + 1 - u if swapped else u - low
            for place, part in ((low, 1 - far), (low + 1, far)):
                if ends != "open" or 0 <= place < bins:
                    b = place if ends == "unjoined" else place % bins
                    h[b] = part * size + (h[b] if add else 0)
        return h

    def nearest(r: np.ndarray, angle: np.ndarray, bins: int) -> np.ndarray:
        return np.bincount((bins * angle / math.pi).astype(int) % bins, weights=r, minlength=bins)

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
            lambda *case: votes(*case, ends="open"),
            "The last bin and the first seem not to be neighbors: what leaves at one end comes in at the other.",
        ),
        Mistake(
            lambda *case: votes(*case, ends="unjoined"),
            "The bin after the last seems to be looked for: it is the first, so take both places modulo the bins.",
        ),
        Mistake(lambda *case: votes(*case, start=0), "The centers seem to be at b π / K: they lie half a bin further."),
        Mistake(lambda *case: votes(*case, swapped=True), "The shares seem to be swapped: the nearer bin gets more."),
        Mistake(lambda r, *case: votes(r**0, *case), "Every pixel seems to count alike: it gives its r."),
        Mistake(
            lambda *case: votes(*case, turn=2 * math.pi),
            "The bins seem to cover a whole turn: here opposite directions are one, so they cover half of it.",
        ),
        Mistake(lambda *case: votes(*case, whole=int), "u seems to be cut toward zero: the floor of -0.3 is -1."),
        Mistake(lambda *case: votes(*case, add=False), "Each vote seems to replace the one before: add it."),
        Mistake(
            overwritten,
            "Of several pixels in one bin only the last seems to count: NumPy's += with an array of places writes each "
            "place once. Use np.add.at, or a loop.",
        ),
    ]
    rng = np.random.default_rng(0)
    cases = [
        (np.array([1.0, 2.0]), np.array([0.1, 3.0]), 4),
        (rng.uniform(0, 2, 6).round(2), rng.uniform(0.6, 2.5, 6).round(2), 3),
        (rng.uniform(0, 2, 9).round(2), rng.uniform(0, 3.14, 9).round(2), 5),
    ]
    check(attempt, votes, cases, mistakes)


def reconstruct(attempt: Answer) -> None:
    """Check ``reconstruct(x, k)``: from k numbers of equation (6) back to the rows of x, (n, d) -> (n, d)."""

    def back(
        x: np.ndarray,
        k: int,
        center: bool = True,
        take_off: bool = True,
        add: bool = True,
        axis: int = 0,
        pick: Callable[[np.ndarray, int], np.ndarray] = lambda vt, k: vt[:k].T,
    ) -> np.ndarray:
        mean = x.mean(axis=axis, keepdims=True) * center
        w = pick(np.linalg.svd(x - mean, full_matrices=False)[2], k)
        return (x - mean * take_off) @ w @ w.T + mean * add

    mistakes = [
        Mistake(
            lambda *case: back(*case, center=False),
            "The mean seems not to be subtracted first: then the first direction is spent on it.",
        ),
        Mistake(lambda *case: back(*case, add=False), "The mean seems not to be added again at the end."),
        Mistake(
            lambda *case: back(*case, pick=lambda vt, k: vt[-k:].T),
            "These seem to be the directions in which the rows differ least: eigh sorts upward, svd downward.",
        ),
        Mistake(lambda *case: back(*case, axis=1), "The mean seems to be that of each row: it is that of each column."),
        Mistake(lambda x, k: x, "That is x itself: only k directions are kept."),
        Mistake(
            lambda *case: back(*case, pick=lambda vt, k: vt[:, :k]),
            "The columns of the third result seem to be taken: svd gives the directions as its rows.",
        ),
        Mistake(
            lambda *case: back(*case, take_off=False, add=False),
            "The mean seems not to be taken off before the product with w: z is (x - m) w.",
        ),
        Mistake(
            lambda *case: back(*case, take_off=False),
            "The mean seems to be added at the end, and not to be taken off before the product with w.",
        ),
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
        Mistake(
            lambda p, y: float(np.mean((p[:, None] > p) + 0.5 * (p[:, None] == p))),
            "All pairs of rows seem to be compared: only a row with y = 1 and one with y = 0 make a pair.",
        ),
    ]
    cases = [
        (np.array([0.9, 0.4, 0.4, 0.2, 0.7]), np.array([1, 1, 0, 0, 0])),
        (np.array([0.1, 0.3, 0.3, 0.8, 0.6, 0.2]), np.array([0, 1, 0, 1, 0, 1])),
    ]
    check(attempt, share, cases, mistakes)


def crossing(attempt: Answer) -> None:
    """Check ``crossing(sizes, a, b)``: where b first falls below a, straight lines over the logarithm of the size."""

    def found(
        sizes: np.ndarray,
        a: np.ndarray,
        b: np.ndarray,
        scale: Any = np.log,
        back: Any = np.exp,
        part: Callable[[float, float], float] = lambda d, e: d / (d - e),
        never: float = 0.0,
        last: bool = False,
    ) -> float:
        gap = b - a
        steps = [i for i in range(len(gap) - 1) if gap[i] > 0 >= gap[i + 1]]
        if not steps:
            return never
        i = steps[-1 if last else 0]
        x, y = scale(sizes[i]), scale(sizes[i + 1])
        return float(back(x + (y - x) * part(gap[i], gap[i + 1])))

    mistakes = [
        Mistake(
            lambda *case: found(*case, scale=float, back=float),
            "The lines seem to be straight over the size: they are straight over its logarithm.",
        ),
        Mistake(
            lambda *case: found(*case, part=lambda d, e: 1.0),
            "That seems to be the first size at which b is below: the lines cross before it.",
        ),
        Mistake(
            lambda *case: found(*case, part=lambda d, e: 0.0),
            "That seems to be the last size at which b is above: the lines cross after it.",
        ),
        Mistake(lambda *case: found(*case, last=True), "That seems to be the last crossing: the first is asked for."),
        Mistake(lambda sizes, a, b: found(sizes, b, a), "The two seem to be swapped: b falls below a."),
        Mistake(lambda *case: found(*case, back=float), "That seems to be a logarithm: turn it into a size again."),
        Mistake(
            lambda *case: found(*case, never=math.inf),
            "Where the lines never cross it seems to return infinity, as `crossing` above does: here 0 is asked for.",
        ),
        Mistake(
            lambda *case: found(*case, part=lambda d, e: e / (e - d)),
            "The part of the way seems to be counted from the far end: it begins at the size where b is above.",
        ),
        Mistake(
            lambda *case: found(*case, part=lambda d, e: d / (d + e)),
            "The two gaps seem to be added: the second is negative, so the way is d1 - d2.",
        ),
        Mistake(
            lambda sizes, a, b: found(sizes, np.log(a), np.log(b)),
            "The lines seem to be straight over the logarithm of the errors: only the sizes have one here.",
        ),
        Mistake(
            lambda sizes, a, b: 0.0 if np.any(a == b) else found(sizes, a, b),
            "A meeting exactly at one of the sizes seems to be missed: the second gap may be 0.",
        ),
    ]
    cases = [
        (np.array([10.0, 100.0, 1000.0]), np.array([9.0, 5.0, 4.0]), np.array([12.0, 6.0, 1.0])),
        (np.array([50.0, 200.0, 800.0, 3200.0]), np.array([8.0, 6.0, 5.0, 4.5]), np.array([9.0, 4.0, 5.5, 2.0])),
        (np.array([10.0, 100.0, 1000.0]), np.array([3.0, 2.0, 1.0]), np.array([9.0, 4.0, 1.5])),
        (np.array([10.0, 100.0, 1000.0]), np.array([8.0, 5.0, 3.0]), np.array([9.0, 5.0, 2.0])),
    ]
    check(attempt, found, cases, mistakes)
