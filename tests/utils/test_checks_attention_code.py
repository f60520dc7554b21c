"""The checkers of ``attention-code``, asked with answers as readers write them, right ones and wrong ones."""

from functools import lru_cache

import numpy as np
import pytest

from tests.utils.readers import refused
from utils.checks import attention_code


def shifted_in_place(y, start):
    y[:, 1:] = y[:, :-1].copy()
    y[:, 0] = start
    return y


@pytest.mark.parametrize(
    "attempt",
    [
        shifted_in_place,
        lambda y, start: np.pad(y, ((0, 0), (1, 0)), constant_values=start)[:, :-1],
        lambda y, start: np.array([[start, *row[:-1]] for row in y]),
        lambda y, start: np.insert(y, 0, start, axis=1)[:, :-1].tolist(),
    ],
)
def test_right_shifts(attempt):
    attention_code.shift_right(attempt)


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (lambda y, start: y[:, :-1], "The shape of the result"),
        (lambda y, start: np.roll(y, 1), "All rows seem to be rolled as one"),
        (lambda y, start: np.roll(y, 2, axis=1), "none of the usual mistakes"),
        (lambda y, start: np.insert(y, 0, start, axis=1), "one longer than y"),
        (lambda y, start: np.pad(y, ((0, 0), (1, 0)))[:, :-1], "The first symbol seems to be padding"),
        (lambda y, start: np.pad(y, ((0, 0), (0, 1)))[:, 1:], "shifted to the left"),
    ],
)
def test_wrong_shifts(attempt, diagnosis):
    assert diagnosis in refused(attention_code.shift_right, attempt)


def by_loops(log_p, y):
    total = count = 0
    for i, row in enumerate(y):
        for t, symbol in enumerate(row):
            if symbol:
                total -= log_p[i, t, symbol]
                count += 1
    return total / count


def by_one_hot(log_p, y):
    one_hot = np.eye(log_p.shape[2])[y]
    mask = y > 0
    return -np.sum(one_hot * log_p * mask[:, :, None]) / mask.sum()


def by_indices(log_p, y):
    n, t = np.nonzero(y)
    return -np.mean(log_p[n, t, y[n, t]])


@pytest.mark.parametrize("attempt", [by_loops, by_one_hot, by_indices])
def test_right_losses(attempt):
    attention_code.masked_loss(attempt)


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (lambda log_p, y: by_one_hot(log_p, y) * np.sum(y > 0) / y.size, "divide by all places"),
        (lambda log_p, y: by_one_hot(log_p, y) * np.sum(y > 0) / len(y), "a mean over words"),
        (lambda log_p, y: by_one_hot(log_p, y) * np.sum(y > 0), "not to be divided"),
        (lambda log_p, y: np.mean([by_loops(p[None], s[None]) for p, s in zip(log_p, y, strict=True)]), "words' means"),
        (lambda log_p, y: -np.take_along_axis(log_p, y[..., None], 2).mean(), "Padding seems to count"),
        (lambda log_p, y: -log_p[y > 0].sum(axis=1).mean(), "All symbols seem to be summed up"),
    ],
)
def test_wrong_losses(attempt, diagnosis):
    assert diagnosis in refused(attention_code.masked_loss, attempt)


def recursive(a, b):
    @lru_cache
    def d(i, j):
        if not i or not j:
            return i + j
        return min(d(i - 1, j) + 1, d(i, j - 1) + 1, d(i - 1, j - 1) + (a[i - 1] != b[j - 1]))

    return d(len(a), len(b))


def two_rows(a, b):
    row = list(range(len(b) + 1))
    for i, p in enumerate(a, 1):
        new = [i]
        for j, q in enumerate(b, 1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (p != q)))
        row = new
    return float(row[-1])


def with_costs(stay=0, swap=1, turned=False):
    """Return a distance in which keeping or changing a symbol costs so much, and a turned pair perhaps 1."""

    def distance(a, b):
        if not len(a) or not len(b):
            return len(a) + len(b)
        found = [
            distance(a[:-1], b) + 1,
            distance(a, b[:-1]) + 1,
            distance(a[:-1], b[:-1]) + (stay if a[-1] == b[-1] else swap),
        ]
        if turned and len(a) > 1 and a[-2:] == b[-2:][::-1]:
            found.append(distance(a[:-2], b[:-2]) + 1)
        return min(found)

    return distance


def greedy_alignment(a, b):
    """Leave out of the longer one where they differ, from left to right."""
    i = j = cost = 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            i, j = i + 1, j + 1
            continue
        left = len(a) - i, len(b) - j
        i, j, cost = i + (left[0] >= left[1]), j + (left[1] >= left[0]), cost + 1
    return cost + len(a) - i + len(b) - j


@pytest.mark.parametrize("attempt", [recursive, two_rows, with_costs()])
def test_right_distances(attempt):
    attention_code.edit_distance(attempt)


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (lambda a, b: sum(x != y for x, y in zip(a, b, strict=False)), "place by place: one symbol"),
        (
            lambda a, b: max(len(a), len(b)) - sum(x == y for x, y in zip(a, b, strict=False)),
            "and to add the difference",
        ),
        (lambda a, b: len(set(a).symmetric_difference(b)), "none of the usual mistakes"),
        (with_costs(stay=1), "Keeping a symbol seems to cost 1"),
        (with_costs(swap=2), "A change seems to cost 2"),
        (with_costs(turned=True), "none of the usual mistakes"),
        (greedy_alignment, "It seems to choose at once"),
        (lambda a, b: np.inf if not a else recursive(a, b) + 1, "none of the usual mistakes"),
    ],
)
def test_wrong_distances(attempt, diagnosis):
    assert diagnosis in refused(attention_code.edit_distance, attempt)


def with_lists(written, accepted):
    wrong = [row.tolist() not in ways.tolist() for row, ways in zip(written, accepted, strict=True)]
    return sum(wrong) / len(wrong)


@pytest.mark.parametrize(
    "attempt",
    [
        with_lists,
        lambda w, a: np.mean(~(w[:, None, :] == a).all(-1).any(-1)),
        lambda w, a: np.mean(np.min(np.sum(w[:, None] != a, axis=2), axis=1) > 0),
    ],
)
def test_right_word_errors(attempt):
    attention_code.word_error(attempt)


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (lambda w, a: np.mean((w != a[:, 0]).any(axis=1)), "Only the first way"),
        (lambda w, a: with_lists(w, a) * len(w), "the number of wrong words"),
        (lambda w, a: with_lists(np.sort(w, axis=-1), np.sort(a, axis=-1)), "order of the symbols seems not to count"),
        (lambda w, a: np.mean([set(x) not in [set(y) for y in z] for x, z in zip(w, a, strict=True)]), "order of the"),
        (lambda w, a: np.mean(~(w.sum(axis=1)[:, None] == a.sum(axis=2)).any(axis=1)), "none of the usual mistakes"),
        (lambda w, a: np.mean(np.sum(w[:, None] != a, axis=2).min(axis=1)), "none of the usual mistakes"),
        (lambda w, a: np.mean((w[:, None] == a).all(axis=2).any(axis=1)), "the share of right words"),
    ],
)
def test_wrong_word_errors(attempt, diagnosis):
    assert diagnosis in refused(attention_code.word_error, attempt)


def sorted_pairs(scores, log_p):
    rows = [(scores[k] + p, k, s) for k, row in enumerate(log_p) for s, p in enumerate(row)]
    return [(k, s) for _, k, s in sorted(rows, reverse=True)[: len(scores)]]


def unraveled(scores, log_p):
    total = scores[:, None] + log_p
    best = np.argsort(total.ravel())[::-1][: len(scores)]
    return np.array(np.unravel_index(best, total.shape)).T


@pytest.mark.parametrize("attempt", [sorted_pairs, unraveled])
def test_right_beam_steps(attempt):
    attention_code.beam_step(attempt)


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (lambda s, p: [(k, int(np.argmax(row))) for k, row in enumerate(p)], "keep one continuation"),
        (
            lambda s, p: sorted(enumerate(p.argmax(axis=1)), key=lambda row: -s[row[0]] - p[row[0]].max()),
            "keep one continuation",
        ),
        (lambda s, p: unraveled(np.exp(s), np.exp(p)), "Probabilities seem to be added"),
        (lambda s, p: sorted(sorted_pairs(s, p)), "They seem not to be in order"),
        (lambda s, p: unraveled(np.zeros_like(s), p), "scores of the beginnings seem not to be used"),
        (lambda s, p: unraveled(s, p).T, "lie on its side|shape of the result"),
        (lambda s, p: unraveled(s, p)[:, ::-1], "Beginning and symbol"),
        (lambda s, p: unraveled(s, p)[0], "shape of the result"),
    ],
)
def test_wrong_beam_steps(attempt, diagnosis):
    message = refused(attention_code.beam_step, attempt)
    assert any(part in message for part in diagnosis.split("|"))
