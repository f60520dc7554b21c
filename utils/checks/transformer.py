"""The checkers of the chapter ``transformer``."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch import normalization  # whose function has its checker's name
from utils.scratch.positions import rotate, rotate_backward
from utils.scratch.sampling import sampling_probabilities

Answer = Callable[..., Any]
Array = np.ndarray
Slip = tuple[Answer, str]  # a typical wrong answer and its diagnosis


def price(attempt: Answer) -> None:
    """Check ``price(probabilities, characters)``, equation (4): bits a character."""

    def solution(p: Array, characters: int) -> float:
        return -np.log2(p).sum() / characters

    underflow = "The probabilities seem to be multiplied first: the product of many is too small for a float."
    of_mean = "It seems to be the logarithm of the mean probability: (4) sums up logarithms."
    perplexity = "It seems to be a perplexity, in which the bits are an exponent: asked for are the bits themselves."
    slips = [
        (lambda p, n: -np.log(p).sum() / n, "The logarithm seems to have base e: a bit is a choice among 2."),
        (lambda p, n: -np.log10(p).sum() / n, "The logarithm seems to have base 10: a bit is a choice among 2."),
        (lambda p, n: -np.log2(p).mean(), "It seems to be bits a token: tokens differ in length, characters do not."),
        (
            lambda p, n: -np.log(p).mean(),
            "It seems to be the loss of training: that has base e, and is a mean over tokens.",
        ),
        (lambda p, n: -np.log2(p).sum(), "It seems to be the price of the whole text: the characters are not used."),
        (lambda p, n: np.log2(p).sum() / n, "The sign seems to be missing: a price is not negative."),
        (lambda p, n: -np.log2(np.prod(p)) / n, underflow),
        (lambda p, n: -math.log2(np.prod(p)) / n, underflow),
        (lambda p, n: -np.log2(p.mean()), of_mean),
        (lambda p, n: -np.log2(p.mean()) / n, of_mean),
        (lambda p, n: -np.log2(p.mean()) * len(p) / n, of_mean),
        (lambda p, n: 2 ** solution(p, n), perplexity),
        (lambda p, n: 2 ** solution(p, len(p)), perplexity),
    ]
    cases = [(np.array([0.5, 0.2, 0.9, 0.04]), 11), (np.array([0.3, 1.0]), 3), (np.full(2000, 0.1), 8100)]
    check(attempt, solution, cases, [Mistake(*slip) for slip in slips])


def witten_bell(attempt: Answer) -> None:
    """Check ``witten_bell(counts, shorter)``, equation (3), for the symbols after one context."""

    def mixed(c: Array, q: Array) -> Array:
        return (c + followed(c) * q) / (c.sum() + followed(c))

    def guarded(answer: Answer) -> Answer:
        return lambda c, q: answer(c, q) if c.any() else q

    followed = np.count_nonzero
    laplace = "One seems to be added to each count: that is Laplace's rule, which asks no shorter context."
    total = "U seems to be the sum of the counts: a symbol that followed often is still one symbol."
    alone = "U seems to be added to each count as it is: what the shorter context says has no part in it."
    above = "They seem to sum to more than 1: what is added on top belongs below, too."
    below = "They seem to sum to less than 1: the share that U takes is not given to the shorter context."
    whole = "They seem to be cut to whole numbers: an array made like the counts holds nothing else."
    slips = [
        (lambda c, q: c / c.sum(), "They seem to be bare shares: what has not followed yet gets 0."),
        (lambda c, q: (c + 1) / (c.sum() + len(c)), laplace),
        (lambda c, q: (c + c.sum() * q) / (2 * c.sum()), total),
        (lambda c, q: (c + followed(c)) / (c.sum() + followed(c)), alone),
        (lambda c, q: (c + followed(c)) / (c.sum() + followed(c) * len(c)), alone),
        (lambda c, q: (c + followed(c) * q) / c.sum(), above),
        (lambda c, q: c / (c.sum() + followed(c)), below),
        (lambda c, q: np.zeros(len(c)), whole),
    ]
    slips += [(guarded(answer), diagnosis) for answer, diagnosis in slips]
    symbols = "U seems to be the number of all symbols: count only those that followed."
    unseen = "A context that was never seen seems not to be thought of: it leaves everything to the shorter one."
    slips += [
        (lambda c, q: (c + len(c) * q) / (c.sum() + len(c)), symbols),
        (mixed, unseen),
        (lambda c, q: mixed(c, q) if c.any() else np.zeros(len(c)), unseen),
        (lambda c, q: mixed(c, q) if c.any() else np.full(len(c), 1 / len(c)), unseen),
    ]
    rows = [([4, 0, 1, 0, 2], [0.1, 0.3, 0.2, 0.25, 0.15]), ([2, 2, 0, 6], [0.4, 0.3, 0.2, 0.1])]
    rows += [([0, 0, 0], [0.5, 0.2, 0.3])]
    check(
        attempt,
        guarded(mixed),
        [(np.array(counts), np.array(shorter)) for counts, shorter in rows],
        [Mistake(*slip) for slip in slips],
    )


def rms_norm_backward(attempt: Answer) -> None:
    """Check ``rms_norm_backward(dy, x, gamma)``, equation (8): the gradient with respect to ``x``."""

    def solution(dy: Array, x: Array, gamma: Array) -> Array:
        return normalization.rms_norm_backward(dy, x, gamma, epsilon=0)[0]

    mean, total = (functools.partial(rule, axis=1, keepdims=True) for rule in (np.mean, np.sum))
    of_columns, flat = (functools.partial(np.mean, axis=axis) for axis in (0, 1))

    def by(rule: Answer, inner: Answer = mean) -> Answer:
        def answer(dy: Array, x: Array, gamma: Array) -> Array:
            r = np.sqrt(inner(x**2))
            return rule(gamma * dy, x / r, x, r)

        return answer

    def other(inner: Answer, outer: Answer) -> Answer:  # means in r and in the second term
        return by(lambda g, n, x, r: (g - n * outer(g * n)) / r, inner)

    def unscaled(dy: Array, x: Array, gamma: Array) -> Array:
        return solution(dy, x, np.ones_like(gamma))

    forgotten = "gamma seems to be forgotten, in one term of (8) or in both."
    late = "gamma seems to multiply the result: it comes after the norm, so the way back meets it first."
    sums = "A sum seems to stand where a mean belongs."
    axis = "A mean seems to run over the rows: each row is divided by a number of its own."
    flattened = "The means, one for each row, seem to meet the columns: NumPy lines shapes up from the right."
    divided = "r seems to divide too often, or too seldom: there is one in each n, and one before the bracket."
    centered = "The mean of g seems to be taken away, too: that is layer norm's, which subtracts a mean on its way."
    slips = [
        (by(lambda g, n, x, r: g / r), "The second term seems to be missing: r depends on every x of the row."),
        (unscaled, forgotten),
        (lambda dy, x, gamma: solution(dy, x, gamma) + (1 - gamma) * dy / np.sqrt(mean(x**2)), forgotten),
        (lambda dy, x, gamma: unscaled(dy, x, gamma) + (gamma - 1) * dy / np.sqrt(mean(x**2)), forgotten),
        (lambda dy, x, gamma: gamma * unscaled(dy, x, gamma), late),
        (lambda dy, x, gamma: gamma * solution(dy, x, gamma), late),
        *((other(*means), sums) for means in ((mean, total), (total, mean), (total, total))),
        *((other(*means), axis) for means in ((mean, of_columns), (of_columns, mean), (of_columns, of_columns))),
        *((other(*means), flattened) for means in ((mean, flat), (flat, mean), (flat, flat))),
        (by(lambda g, n, x, r: (g - n * mean(g * n)) / r**2), divided),
        (by(lambda g, n, x, r: g - n * mean(g * n)), divided),
        (by(lambda g, n, x, r: (g - x * mean(g * x)) / r), divided),
        (by(lambda g, n, x, r: (g - x * mean(g * n)) / r), divided),
        (other(lambda a: mean(a) ** 2, mean), divided),
        (by(lambda g, n, x, r: (g - mean(g) - n * mean(g * n)) / r), centered),
        (lambda dy, x, gamma: normalization.layer_norm_backward(dy, x, gamma, epsilon=0)[0], centered),
        (by(lambda g, n, x, r: (g + n * mean(g * n)) / r), "The sign seems to be turned: what points along x goes."),
    ]
    rng = np.random.default_rng(22)
    shapes = [((rows, d), (rows, d), (d,)) for rows, d in ((2, 3), (3, 3), (3, 4))]
    cases = [tuple(rng.normal(size=size).round(1) for size in case) for case in shapes]
    check(attempt, solution, cases, [Mistake(*slip) for slip in slips])


def turn(attempt: Answer) -> None:
    """Check ``turn(x, base)``, equation (10) with a base: the queries (T, d) of the places 0 to T - 1."""

    def solution(x: Array, base: float) -> Array:
        return rotate(x, base=base)

    def by(angles: Callable[[Array, Array, float], Array]) -> Answer:
        """Return an answer from angles (T, d / 2), by places (T, 1), exponents 2f/d (d / 2,) and the base."""

        def answer(x: Array, base: float) -> Array:
            t, e = np.arange(len(x))[:, None], np.arange(0, x.shape[1], 2) / x.shape[1]
            points = (x[:, 0::2] + 1j * x[:, 1::2]) * np.exp(1j * angles(t, e, base))
            return points.view(float)

        return answer

    def firsts(x: Array) -> Array:  # the first numbers of all pairs, then the second ones
        return np.concatenate([x[:, 0::2], x[:, 1::2]], axis=1)

    def neighbors(x: Array) -> Array:  # the numbers f and f + d/2 side by side
        return x.reshape(len(x), 2, -1).swapaxes(1, 2).reshape(x.shape)

    def in_place(first: int) -> Answer:
        def answer(x: Array, base: float) -> Array:
            for part in (first, 1 - first):
                x[:, part::2] = solution(x, base)[:, part::2]
            return x

        return answer

    halves = "Halves seem to be paired or put side by side: 2f and 2f + 1 are neighbors, before and after."
    exponent = "The exponent seems to be another: f counts pairs, and each turns more slowly than the one before."
    degrees = "Degrees and radians seem to be mixed: the angles of (10) are radians, as np.cos takes them."
    roles = "Places and pairs seem to have changed roles: a row is a place, and each pair has a rate."
    changed = "A number seems to be overwritten before its partner is turned: both need the old pair."
    slips = [
        (
            lambda x, base: rotate_backward(x, base=base),
            "It seems to turn the other way: see where (10) has its minus.",
        ),
        (lambda x, base: firsts(solution(neighbors(x), base)), halves),
        (lambda x, base: firsts(solution(x, base)), halves),
        (lambda x, base: solution(neighbors(x), base), halves),
        (lambda x, base: rotate(x, 1, base), "The places seem to be counted from 1: the first row is not turned."),
        *((lambda x, base, factor=factor: solution(x, base**factor), exponent) for factor in (0.5, 2, -1)),
        (lambda x, base: solution(x, 1), "All pairs seem to turn at the same rate: f has no part in it."),
        (lambda x, base: rotate(x), "The base seems to be that of the chapter: here it is handed over."),
        *((by(lambda t, e, base, unit=unit: unit(t / base**e)), degrees) for unit in (np.radians, np.degrees)),
        (by(lambda t, e, base: (t / base**e).T), roles),
        (by(lambda t, e, base: np.arange(len(e)) / base ** (t / len(e))), roles),
        *((in_place(part), changed) for part in (0, 1)),
    ]
    rng = np.random.default_rng(2)
    cases = [(rng.normal(size=(3, d)).round(1), base) for d, base in [(4, 100.0), (6, 10.0)]]
    check(attempt, solution, cases, [Mistake(*slip) for slip in slips])


def top_k(attempt: Answer) -> None:
    """Check ``top_k(logits, k)``: probabilities (V,) of the k largest logits; of equal ones the first stay."""

    def solution(logits: Array, k: int) -> Array:
        return sampling_probabilities(logits[None], top_k=k)[0]

    def best(a: Array, k: int) -> Array:
        return np.argsort(-a, kind="stable")[:k]

    def first(a: Array, k: int) -> Array:
        return np.isin(np.arange(len(a)), best(a, k))

    def slips(exp: Callable[[Array], Array]) -> list[Slip]:
        def softmax(a: Array) -> Array:
            return exp(a) / exp(a).sum()

        def kept(a: Array, mask: Array) -> Array:
            return np.where(mask, exp(a), 0) / np.where(mask, exp(a), 0).sum()

        def placed(a: Array, places: Array) -> Array:
            p = np.zeros(len(a))
            p[places] = softmax(a[places])
            return p

        shared = "They seem not to sum to 1: without the others, those that stay share everything."
        zeros = "The logits that are cut seem to become 0: the exponential of 0 is 1."
        border = "Equal logits at the border seem to stay or go together: exactly k stay."
        short = "It seems to return k numbers: each logit has its place, and those that are cut get 0."
        off = "The number of those that stay seems to be off by one."
        order = "The probabilities seem to be in order of size: each belongs at the place of its logit."
        return [
            (lambda a, k: np.where(first(a, k), softmax(a), 0), shared),
            (lambda a, k: kept(a, first(-a, k)), "The k smallest seem to stay: sorting puts the smallest first."),
            (lambda a, k: kept(a, a >= np.sort(a)[-k]), border),
            (lambda a, k: kept(a, first(a[::-1], k)[::-1]), "Of equal logits the last seem to stay."),
            (lambda a, k: softmax(np.where(first(a, k), a, 0)), zeros),
            *((lambda a, k, step=step: softmax(a[best(a, k)])[::step], short) for step in (1, -1)),
            (lambda a, k: softmax(a[np.sort(best(a, k))]), short),
            *((lambda a, k, more=more: kept(a, first(a, k + more)), off) for more in (-1, 1)),
            (lambda a, k: placed(a, best(a, k - 1)), off),
            *((lambda a, k, step=step: np.sort(placed(a, best(a, k)))[::step], order) for step in (1, -1)),
        ]

    overflow = "An exponential seems to overflow, or all to become 0: logits may be lowered or raised by one number."
    table = [
        (lambda a, k: np.where(first(a, k), np.exp(a), 0) / np.where(first(a, k), np.exp(a), 0).sum(), overflow),
        (lambda a, k: np.exp(a) * first(a, k) / (np.exp(a) * first(a, k)).sum(), overflow),
        *slips(lambda a: np.exp(a - a.max())),
        *slips(np.exp),
    ]
    rows = [([1.0, 3.0, 2.0, 3.5, 2.0, 0.5], 3), ([0.2, 1.5, -0.4, 1.5], 1), ([0.3, -1.2, 0.8], 3)]
    rows += [([1000.0, 998.5, 1001.0, 999.0], 2), ([-1000.0, -1002.0, -1001.0], 2)]
    check(attempt, solution, [(np.array(logits), k) for logits, k in rows], [Mistake(*slip) for slip in table])


def cache_bytes(attempt: Answer) -> None:
    """Check ``cache_bytes(texts, time, depth, key_heads, size, number)``, equation (15) for several texts."""

    def solution(*factors: int) -> int:
        return 2 * math.prod(factors)

    slips = [
        (lambda *f: math.prod(f), "It seems to count keys only, or values only: both are kept."),
        *(
            (lambda *f, i=i: 2 * math.prod(f[:i] + f[i + 1 :]), f"The factor {name} seems to be missing.")
            for i, name in enumerate(("texts", "time", "depth", "key_heads", "size", "number"))
        ),
        (lambda *f: f[1] * solution(*f), "time seems to count twice: a token has one key, whoever looks at it."),
        (lambda *f: 8 * solution(*f), "It seems to count bits: number is in bytes, and so is the answer."),
        (lambda *f: solution(*f) / 8, "number seems to be taken for bits: it is in bytes, and so is the answer."),
        (lambda *f: f[3] * solution(*f), "key_heads seems to count twice: size is that of one head, not of all."),
        (lambda *f: solution(*f[:5], 4), "All numbers seem to take 4 bytes, as in (15): here number says how many."),
        (lambda *f: solution(*f[1:5], 4), "It seems to be (15) as it stands: here are several texts, and any number."),
    ]
    cases = [(3, 100, 12, 4, 64, 2), (1, 7, 5, 2, 16, 4), (2, 10, 6, 5, 8, 1)]
    check(attempt, solution, cases, [Mistake(*slip) for slip in slips])
