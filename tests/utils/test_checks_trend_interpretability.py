"""The checkers of ``trend-interpretability``, asked with answers as readers write them, right ones and wrong ones."""

from itertools import permutations

import numpy as np
from scipy import stats

from tests.utils.readers import UNKNOWN, answers_of, mistakes_of, single
from utils.checks.trend_interpretability import (
    class_map,
    path_shares,
    prefix_score,
    rank_agreement,
    three_shares,
    without_head,
)


def along(gradients, x, start):
    total = np.zeros(len(x))
    for gradient in gradients:
        total += gradient * (x - start) / len(gradients)
    return total


def weighted(maps, gradient):
    found = np.zeros(maps.shape[:2])
    for k in range(maps.shape[2]):
        found += gradient[:, :, k].mean() * maps[:, :, k]
    return np.where(found > 0, found, 0)


def by_orders(worth):
    total = np.zeros(3)
    for order in permutations(range(3)):
        there = 0
        for player in order:
            total[player] += worth[there + 2**player] - worth[there]
            there += 2**player
    return total / 6


def places(values):
    return np.argsort(np.argsort(values))


def after_the_last_time(weights, period):
    found = [weights[step][step - period + 1] for step in range(period, len(weights))]
    return sum(found) / len(found)


def back(weights, distance, first):
    return np.mean([weights[step, step - distance] for step in range(first, len(weights))])


def off(rows):
    """Return an answer that sets the chosen rows of a copy to zero, one after the other."""

    def answer(w, head, size):
        w = np.array(w)
        for row in rows(len(w), head, size):
            w[row] = 0
        return w

    return answer


def masked(w, head, size):
    return w * (np.arange(len(w)) // size != head)[:, None]


def in_blocks(w, head, size):
    blocks = w.copy().reshape(-1, size, w.shape[1])
    blocks[head] = 0
    return blocks.reshape(w.shape)


RIGHT = {
    path_shares: [along, lambda g, x, s: np.mean(g * (x - s), axis=0), single(along)],
    class_map: [weighted, lambda m, g: np.clip(m @ g.mean(axis=0).mean(axis=0), 0, None), single(weighted)],
    three_shares: [by_orders, single(by_orders), lambda worth: by_orders(worth).tolist()],
    rank_agreement: [
        lambda a, b: np.corrcoef(places(a), places(b))[0, 1],
        lambda a, b: 1 - 6 * ((places(a) - places(b)) ** 2).sum() / (len(a) * (len(a) ** 2 - 1)),
        lambda a, b: stats.spearmanr(a, b).statistic,
    ],
    prefix_score: [after_the_last_time, lambda w, p: np.diagonal(w, 1 - p)[1:].mean(), single(after_the_last_time)],
    without_head: [off(lambda n, h, s: range(h * s, (h + 1) * s)), masked, in_blocks, single(masked)],
}
WRONG = {
    path_shares: [
        ("The way seems to be missing", lambda g, x, s: g.mean(axis=0)),
        ("It seems to go from zero", lambda g, x, s: x * g.mean(axis=0)),
        ("The way seems to be walked", lambda g, x, s: (s - x) * g.mean(axis=0)),
        ("The gradients seem to be added", lambda g, x, s: ((x - s) * g).sum(axis=0)),
        ("Only the last", lambda g, x, s: (x - s) * g[-1]),
        ("The signs", lambda g, x, s: np.abs(along(g, x, s))),
        ("That seems to be the sum", lambda g, x, s: along(g, x, s).sum()),
        (UNKNOWN, lambda g, x, s: (x - s) * g[0], lambda g, x, s: x - s, lambda g, x, s: (x - s) * g),
    ],
    class_map: [
        ("What speaks against", lambda m, g: m @ g.mean(axis=(0, 1))),
        ("Each place seems", lambda m, g: np.maximum((m * g).sum(axis=2), 0)),
        ("The gradients of a map", lambda m, g: np.maximum(m @ g.sum(axis=(0, 1)), 0)),
        ("The weighted maps", lambda m, g: np.maximum((m * g.mean(axis=(0, 1))).mean(axis=2), 0)),
        ("Maps that speak", lambda m, g: np.maximum(m, 0) @ np.maximum(g.mean(axis=(0, 1)), 0)),
        ("It seems to take the size", lambda m, g: np.abs(m @ g.mean(axis=(0, 1)))),
        ("The maps seem", lambda m, g: np.maximum(m.sum(axis=2), 0)),
        (UNKNOWN, lambda m, g: m * g, lambda m, g: 0 * m[:, :, 0], lambda m, g: np.maximum(g @ m.mean((0, 1)), 0)),
    ],
    three_shares: [
        ("Each player seems to be alone", lambda w: [w[1] - w[0], w[2] - w[0], w[4] - w[0]]),
        ("Each player seems to come last", lambda w: [w[7] - w[6], w[7] - w[5], w[7] - w[3]]),
        (
            "All four coalitions",
            lambda w: [np.mean([w[s + 2**p] - w[s] for s in range(8) if not s & 2**p]) for p in range(3)],
        ),
        (
            "Every coalition",
            lambda w: [sum(w[s + 2**p] - w[s] for s in range(8) if not s & 2**p) / 3 for p in range(3)],
        ),
        ("The sum over all six", lambda w: 6 * by_orders(w)),
        ("That seems to be what each", lambda w: w[[1, 2, 4]]),
        ("All players", lambda w: np.ones(3) * (w[7] - w[0]) / 3),
        (UNKNOWN, lambda w: w, lambda w: -by_orders(w), lambda w: by_orders(w).sum()),
    ],
    rank_agreement: [
        ("That seems to be the correlation", lambda a, b: np.corrcoef(a, b)[0, 1]),
        ("argsort gives", lambda a, b: np.corrcoef(np.argsort(a), np.argsort(b))[0, 1]),
        ("The ranks seem", lambda a, b: np.corrcoef(places(np.abs(a)), places(np.abs(b)))[0, 1]),
        ("That seems to be the square", lambda a, b: np.corrcoef(places(a), places(b))[0, 1] ** 2),
        ("One of the lists", lambda a, b: np.corrcoef(places(a), places(-b))[0, 1]),
        ("It seems to count", lambda a, b: (places(a) == places(b)).mean()),
        (UNKNOWN, lambda a, b: 0.0, lambda a, b: np.corrcoef(places(a), places(b)), lambda a, b: places(a) @ places(b)),
    ],
    prefix_score: [
        ("It seems to look at the token", lambda w, p: back(w, p, p)),
        ("It seems to look one step", lambda w, p: back(w, 1, p)),
        ("It seems to begin", lambda w, p: np.diagonal(w, 1 - p).mean()),
        ("It seems to look one too", lambda w, p: back(w, p - 2, p)),
        ("That seems to be the sum", lambda w, p: np.diagonal(w, 1 - p)[1:].sum()),
        ("The mean seems", lambda w, p: np.diagonal(w, 1 - p)[1:].sum() / len(w)),
        ("Rows and columns", lambda w, p: np.mean([w[s - p + 1, s] for s in range(p, len(w))])),
        (UNKNOWN, lambda w, p: 1.0, lambda w, p: w.mean(), lambda w, p: w[p:].max(axis=1).mean()),
    ],
    without_head: [
        ("Columns", lambda w, h, s: w * (np.arange(w.shape[1]) // s != h)),
        ("The heads seem to take turns", off(lambda n, h, s: range(h, n, n // s))),
        ("Only one row", off(lambda n, h, s: [h])),
        ("It seems to begin", off(lambda n, h, s: range(h, h + s))),
        ("The heads after it", off(lambda n, h, s: range(h * s, n))),
        ("All other heads", lambda w, h, s: w - masked(w, h, s)),
        ("The rows seem", lambda w, h, s: w[np.arange(len(w)) // s != h]),
        (UNKNOWN, lambda w, h, s: w, lambda w, h, s: 0 * w, lambda w, h, s: w[h * s : (h + 1) * s]),
    ],
}


test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)
