"""The checkers of the chapter ``attention-math``."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, WrongAnswer, _result, check
from utils.scratch import multi_head  # whose function has its checker's name
from utils.scratch.activations import softmax_backward
from utils.scratch.attention import causal_mask, dot_product_attention
from utils.scratch.positions import sinusoidal_positions

Answer = Callable[..., Any]
Array = np.ndarray
Part = tuple[float, float, Array]
_quiet = np.errstate(over="ignore", invalid="ignore")  # some mistakes overflow: only the reader's own shall warn


def attend(attempt: Answer) -> None:
    """Check ``attend(q, k, v)``: scaled dot-product attention of one query (d,) over all keys (T, d)."""

    def scores(q: Array, k: Array) -> Array:
        return k @ q / np.sqrt(len(q))

    def lowered(a: Array) -> Array:
        return np.exp(a - a.max())

    def slips(exp: Callable[[Array], Array]) -> list[tuple[Answer, str]]:
        def weights(a: Array) -> Array:
            return exp(a) / exp(a).sum()

        return [
            (lambda q, k, v: weights(k @ q) @ v, "The scale seems to be missing: longer vectors have larger scores."),
            (lambda q, k, v: weights(k @ q / len(q)) @ v, "The scores seem to be divided by d: take its square root."),
            (lambda q, k, v: weights(k @ q / len(k) ** 0.5) @ v, "The scores seem to be divided by √T: take √d."),
            (lambda q, k, v: weights(k @ q) / len(q) ** 0.5 @ v, "The scale seems to come after the softmax."),
            (lambda q, k, v: weights(scores(q, k)) @ k, "The weights seem to meet the keys: the mean is of values."),
            (lambda q, k, v: weights(scores(q, k)), "It seems to return the weights: the values are still to come."),
            (lambda q, k, v: exp(scores(q, k)) @ v, "The exponentials seem not to be divided by their sum."),
            (
                lambda q, k, v: exp(scores(q, k)) / scores(q, k).sum() @ v,
                "It seems to divide by the sum of the scores: weights sum to 1, so it is the exponentials' sum.",
            ),
        ]

    table = [
        (
            lambda q, k, v: np.exp(scores(q, k)) / np.exp(scores(q, k)).sum() @ v,
            "A large score's exponential seems to overflow: all scores can be lowered by one number first.",
        ),
        *slips(lowered),
        *slips(np.exp),
        (lambda q, k, v: scores(q, k) @ v, "The softmax seems to be missing: the scores themselves are the weights."),
        (
            lambda q, k, v: scores(q, k) / scores(q, k).sum() @ v,
            "The exponential seems to be missing: scores may be negative, weights may not.",
        ),
        (lambda q, k, v: v[scores(q, k).argmax()], "It seems to take one value alone: all count, by their weights."),
        (lambda q, k, v: v.mean(axis=0), "It seems to be the plain mean of the values: query and keys have no say."),
    ]
    rng = np.random.default_rng(6)
    sizes = [((2,), (3, 2), (3, 2)), ((4,), (2, 4), (2, 1))]
    cases = [tuple(rng.normal(size=size).round(1) for size in case) for case in sizes]
    large = np.array([[1000.0, 3.0], [1001.0, 2.0], [999.5, 3.5]])
    cases.append((np.array([2.0, 1.0]), large, rng.normal(size=(3, 2)).round(1)))
    mistakes = [Mistake(_quiet(answer), diagnosis) for answer, diagnosis in table]
    check(attempt, lambda q, k, v: dot_product_attention(q[None], k, v)[0][0], cases, mistakes)


def visible(attempt: Answer) -> None:
    """Check ``visible(lengths, time)``: whether query i may see key j, (batch, time, time), with padding at the end.

    Numbers are refused before ``check``, for which 1 and 0 are as good as booleans.
    """

    def variant(rule: Callable[[Array, Array, Array], Array]) -> Answer:
        """Return an answer from three arrays (batch, time, time): j ≤ i, i is real, j is real."""

        def answer(lengths: Array, time: int) -> Array:
            real = np.arange(time) < lengths[:, None]  # (batch, time)
            return rule(*np.broadcast_arrays(causal_mask(time), real[:, :, None], real[:, None, :]))

        return answer

    solution = variant(lambda past, q, k: past & k)
    mistakes = [
        Mistake(variant(lambda past, q, k: past), "The lengths seem not to be used: the padding is visible."),
        Mistake(variant(lambda past, q, k: k), "The order seems not to be used: the future is visible."),
        Mistake(variant(lambda past, q, k: past.swapaxes(1, 2) & k), "The future seems to be visible, not the past."),
        Mistake(
            variant(lambda past, q, k: (past & k).swapaxes(1, 2)),
            "The last two axes seem to be swapped: rows are queries, columns are keys.",
        ),
        Mistake(
            lambda lengths, time: solution(lengths, time) & ~np.eye(time, dtype=bool),
            "A query's own step seems to be hidden: j = i is allowed.",
        ),
        Mistake(
            variant(lambda past, q, k: past & q),
            "The padding seems to hide queries: it hides keys, and a query there still sees the real ones.",
        ),
        Mistake(lambda *case: ~solution(*case), "It seems to be inverted: True stands where a query may see a key."),
        Mistake(variant(lambda past, q, k: past | k), "One condition seems to be enough: a visible key meets both."),
        Mistake(
            lambda lengths, time: solution(lengths + 1, time),
            "One step of padding seems to be visible: steps are counted from 0.",
        ),
    ]
    cases = [(np.array([2, 3]), 3), (np.array([1]), 4)]
    if getattr(_result(attempt, cases[0]), "dtype", np.dtype(bool)) != np.dtype(bool):
        raise WrongAnswer("It seems to return numbers: asked for are booleans, as a comparison returns them.")
    check(attempt, solution, cases, mistakes)


def score_gradient(attempt: Answer) -> None:
    """Check ``score_gradient(dalpha, alpha)``: from weights (queries, keys) back to the scores."""
    mistakes = [
        Mistake(
            lambda da, a: a * da, "The sum seems to be missing: a score that rises lowers its row's other weights."
        ),
        Mistake(
            lambda da, a: a * (1 - a) * da,
            "It seems to be the slope of a sigmoid: in a softmax, a score changes its row's other weights, too.",
        ),
        Mistake(lambda da, a: a * (da - (da * a).sum(axis=0)), "The sum seems to run over queries: it is over keys."),
        Mistake(lambda da, a: a * (da - (da * a).sum()), "One sum seems to serve all queries: each has its own."),
        Mistake(
            lambda da, a: a * (da - (da * a).sum(axis=1)),
            "The sums, one for each query, seem to meet the keys: NumPy lines shapes up from the right.",
        ),
        Mistake(lambda da, a: -softmax_backward(da, a), "The sign seems to be turned: the sum is what is taken away."),
        Mistake(
            lambda da, a: da - (da * a).sum(axis=1, keepdims=True),
            "The factor alpha seems to be missing: a key of weight 0 hands no gradient to its score.",
        ),
        Mistake(
            lambda da, a: a * da - (da * a).sum(axis=1, keepdims=True),
            "The sum seems to be taken away as it is: alpha multiplies the whole difference.",
        ),
        Mistake(
            lambda da, a: a * (da - da.sum(axis=1, keepdims=True)),
            "The sum seems to be a plain one: in it, each gradient counts by its weight.",
        ),
    ]
    wide = np.array([[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]])
    square = np.array([[1.0, 0.0, 0.0], [0.1, 0.6, 0.3], [0.4, 0.5, 0.1]])
    rng = np.random.default_rng(0)
    cases = [(rng.normal(size=alpha.shape).round(1), alpha) for alpha in (wide, square)]
    check(attempt, softmax_backward, cases, mistakes)


def split_heads(attempt: Answer) -> None:
    """Check ``split_heads(x, heads)``: (batch, T, heads · d) to (batch, heads, T, d)."""
    solution = multi_head.split_heads
    mistakes = [
        Mistake(
            lambda x, heads: x.reshape(len(x), heads, x.shape[1], -1),
            "Steps and heads seem to be mixed: a reshape keeps the numbers in order, so it cannot move an axis.",
        ),
        Mistake(
            lambda x, heads: x.reshape(*x.shape[:2], -1, heads).transpose(0, 3, 1, 2),
            "The heads seem to be interleaved: a head owns d columns side by side.",
        ),
        Mistake(
            lambda x, heads: solution(x, heads).swapaxes(1, 2),
            "The axes seem to be (batch, T, heads, d): each head attends by itself, so heads come before T.",
        ),
        Mistake(
            lambda x, heads: solution(x, heads).swapaxes(0, 1),
            "The axes seem to be (heads, batch, T, d): the batch comes first.",
        ),
        Mistake(
            lambda x, heads: solution(x, heads).swapaxes(2, 3),
            "The axes seem to be (batch, heads, d, T): the numbers of a step come last.",
        ),
    ]
    cases = [(np.arange(24.0).reshape(2, 3, 4), 2), (np.arange(12.0).reshape(1, 2, 6), 3)]
    check(attempt, solution, cases, mistakes)


def positions(attempt: Answer) -> None:
    """Check ``positions(time, d)``: sines in even columns, cosines in odd ones, base 10000."""

    def variant(exponent: Callable[[Array], Array], odd: Callable[[Array], Array] = np.cos) -> Answer:
        """Return an answer whose columns have the rates ``10000^(-exponent / d)``."""

        def answer(time: int, d: int) -> Array:
            columns = np.arange(d)
            angles = np.arange(time)[:, None] * 10000 ** (-exponent(columns) / d)
            return np.where(columns % 2, odd(angles), np.sin(angles))

        return answer

    def pairs(time: int, d: int) -> Array:
        return sinusoidal_positions(time, d).reshape(time, -1, 2)  # (time, pairs, sine and cosine)

    own_rates = "Sine and cosine of a pair seem to have different rates: both have the exponent of the pair."
    mistakes = [
        Mistake(
            lambda time, d: pairs(time, d).swapaxes(1, 2).reshape(time, d),
            "All sines seem to come first: they alternate with the cosines.",
        ),
        Mistake(
            lambda time, d: pairs(time, d)[:, :, ::-1].reshape(time, d),
            "Sines and cosines seem to be swapped: column 0 holds a sine.",
        ),
        Mistake(
            variant(lambda c: c // 2), "The waves seem to get longer too slowly: the exponent is 2m / d for pair m."
        ),
        Mistake(
            variant(lambda c: c // 2 * 4),
            "The waves seem to get longer too fast: in 2m / d, m counts pairs, so that 2m is the sine's column.",
        ),
        Mistake(variant(lambda c: c), own_rates),
        Mistake(variant(lambda c: c * 2), own_rates),
        Mistake(variant(lambda c: -(c // 2 * 2)), "The waves seem to get shorter: each next pair turns more slowly."),
        Mistake(
            lambda time, d: sinusoidal_positions(time + 1, d)[1:],
            "The positions seem to be counted from 1: the first is 0.",
        ),
        Mistake(variant(lambda c: c // 2 * 1.5), "The base seems to be 1000: it is 10000."),
        Mistake(variant(lambda c: c * 0), "The base seems to be missing: all pairs turn at the same rate."),
        Mistake(variant(lambda c: c // 2 * 2, odd=np.sin), "There seem to be sines only: odd columns hold cosines."),
    ]
    check(attempt, sinusoidal_positions, [(3, 4), (4, 6), (1, 2)], mistakes)


def merge(attempt: Answer) -> None:
    """Check ``merge(first, second)``: (maximum, total, average) of two sets of keys, to those of both together.

    For ``check``, which compares arrays of one shape, the three parts of a result are put side by side.
    """

    def row(answer: Answer) -> Answer:
        @functools.wraps(answer)
        def joined(first: Part, second: Part) -> Any:
            result = answer(first, second)
            three = isinstance(result, tuple | list) and len(result) == 3
            return np.hstack(result).tolist() if three and max(map(np.ndim, result)) == 1 else result

        return joined

    def shrunk(old: float, new: float) -> float:
        return np.exp(old - new)

    def kept(old: float, new: float) -> float:
        return 1.0

    def overflowing(old: float, new: float) -> float:
        return np.exp(old) / np.exp(new)

    def variant(
        totals: Answer = shrunk, averages: Answer = shrunk, by_total: bool = False, largest: Answer = max
    ) -> Answer:
        """Return an answer whose totals, as summands and as weights of the averages, get these factors."""

        def answer(first: Part, second: Part) -> Part:
            (m, total, average), (n, other, its_average) = first, second
            new = largest(m, n)
            both = total * totals(m, new) + other * totals(n, new)
            a, b = total * averages(m, new), other * averages(n, new)
            return new, both, (a * average + b * its_average) / (both if by_total else a + b)

        return answer

    solution = variant()
    alike = "The averages seem to count alike: a part with larger scores, or with more keys, counts more."
    added = "The totals seem to be added as they are: each is relative to its own part's maximum."
    weighted = "The averages seem to be weighted by totals that are relative to different maxima."
    overflow = "A large maximum's exponential seems to overflow: differences of maxima are enough."
    table = [
        (lambda p, q: (*solution(p, q)[:2], (p[2] + q[2]) / 2), alike),
        (lambda p, q: (*variant(kept)(p, q)[:2], (p[2] + q[2]) / 2), alike),
        *((variant(kept, shrunk, by_total), added) for by_total in (False, True)),
        *((variant(shrunk, kept, by_total), weighted) for by_total in (False, True)),
        (variant(kept, kept), "Nothing seems to be rescaled: the totals are relative to different maxima."),
        (
            variant(*[lambda old, new: np.exp(new - old)] * 2),
            "The factor seems to be turned over: relative to a larger maximum, a total is smaller.",
        ),
        (variant(largest=lambda m, n: m), "The maximum seems to stay the first part's: the second's may be larger."),
        (variant(largest=lambda m, n: n), "The maximum seems to be the second part's: the first's may be larger."),
        (
            lambda p, q: (*solution(p, q)[:2], solution(p, q)[1] * solution(p, q)[2]),
            "The average seems to be a sum: it is not divided by the new total.",
        ),
        (variant(overflowing, overflowing), overflow),
        (variant(shrunk, overflowing), overflow),
    ]
    cases = [
        ((1.5, 1.8, np.array([0.4, -1.2])), (0.7, 2.3, np.array([2.0, 0.5]))),
        ((-0.6, 1.3, np.array([1.1, -0.3, 0.8])), (0.9, 2.6, np.array([-0.5, 1.4, 0.2]))),
        ((1000.0, 1.4, np.array([0.6])), (1001.2, 1.9, np.array([-0.7]))),
    ]
    mistakes = [Mistake(_quiet(row(answer)), diagnosis) for answer, diagnosis in table]
    check(row(attempt), row(solution), cases, mistakes)
