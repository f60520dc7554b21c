"""The checkers of ``attention-math``, asked with answers as readers write them, right ones and wrong ones."""

import itertools
import math

import numpy as np
import pytest

from tests.utils.readers import refused
from utils import checks
from utils.checks.attention_math import attend, merge, positions, score_gradient, split_heads, visible

OVERFLOW = pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")


def scores(q, k):
    return q @ k.T / math.sqrt(len(q))


def softmax(a):
    return np.exp(a - a.max()) / np.exp(a - a.max()).sum()


def naive(a):
    return np.exp(a) / np.sum(np.exp(a))


def attend_in_loops(q, k, v):
    e = [sum(a * b for a, b in zip(q, key, strict=True)) / len(q) ** 0.5 for key in k]
    weights = [math.exp(score - max(e)) for score in e]
    return sum(w * value for w, value in zip(weights, v, strict=True)) / sum(weights)


def visible_in_loops(lengths, time):
    seen = np.zeros((len(lengths), time, time), dtype=bool)
    for row, i in np.ndindex(len(lengths), time):
        seen[row, i, : min(i + 1, lengths[row])] = True
    return seen


def masks(rule):
    """Return an answer from a rule about a query, a key and a length."""

    def answer(lengths, time):
        return np.array([[[rule(i, j, n) for j in range(time)] for i in range(time)] for n in lengths])

    return answer


def gradient_in_place(dalpha, alpha):
    dalpha *= alpha
    dalpha -= alpha * dalpha.sum(axis=-1, keepdims=True)
    return dalpha


def pair(c, d):
    return 2 * (c // 2) / d


def table(exponent=pair, first=0, base=10000.0, odd=math.cos, order=lambda c: c):
    """Return an answer that fills the table number by number, at the rates ``base^(-exponent(c, d))``."""

    def answer(time, d):
        rows = [
            [(odd if c % 2 else math.sin)((t + first) / base ** exponent(c, d)) for c in order(np.arange(d))]
            for t in range(time)
        ]
        return np.array(rows)

    return answer


def positions_in_slices(time, d):
    rows = np.zeros((time, d))
    angles = np.arange(time)[:, None] * np.exp(-np.log(10000) * np.arange(0, d, 2) / d)
    rows[:, 0::2], rows[:, 1::2] = np.sin(angles), np.cos(angles)
    return rows


def merge_two_ways(first, second):
    """Count from the second part's maximum when it is larger, else from the first's."""
    if second[0] > first[0]:
        return merge_two_ways(second, first)
    (m, l1, c1), (other, l2, c2) = first, second
    l2 = l2 * math.exp(other - m)
    return [m, l1 + l2, [(l1 * x + l2 * y) / (l1 + l2) for x, y in zip(c1, c2, strict=True)]]


def merged(first, second, factor=lambda old, new: np.exp(old - new), largest=max):
    (m1, l1, c1), (m2, l2, c2) = first, second
    m = largest(m1, m2)
    a, b = l1 * factor(m1, m), l2 * factor(m2, m)
    return m, a + b, (a * c1 + b * c2) / (a + b)


def added(p, q):
    return max(p[0], q[0]), p[1] + q[1]


def summed(p, q):
    return p[1] * p[2] + q[1] * q[2]


def by_exponentials(first, second):
    (m1, l1, c1), (m2, l2, c2) = first, second
    a, b = l1 * np.exp(m1), l2 * np.exp(m2)
    return max(m1, m2), (a + b) / np.exp(max(m1, m2)), (a * c1 + b * c2) / (a + b)


RIGHT = {
    attend: [
        attend_in_loops,
        lambda q, k, v: softmax(q @ k.T / np.sqrt(q.shape[-1])) @ v,
        lambda q, k, v: (softmax(k @ (q / np.sqrt(k.shape[1])))[:, None] * v).sum(axis=0),
        lambda q, k, v: np.exp(scores(q, k) - np.logaddexp.reduce(scores(q, k))) @ v,
    ],
    visible: [
        visible_in_loops,
        lambda lengths, time: np.tri(time, dtype=bool) & (np.arange(time) < lengths[:, None])[:, None],
        lambda lengths, time: [[[j <= i and j < n for j in range(time)] for i in range(time)] for n in lengths],
    ],
    score_gradient: [
        gradient_in_place,
        lambda da, a: np.stack([(np.diag(x) - np.outer(x, x)) @ dx for dx, x in zip(da, a, strict=True)]),
        lambda da, a: a * (da - np.einsum("ij,ij->i", da, a)[:, None]),
    ],
    split_heads: [
        lambda x, heads: x.reshape(x.shape[0], x.shape[1], heads, x.shape[2] // heads).transpose(0, 2, 1, 3),
        lambda x, heads: np.stack(np.split(x, heads, axis=-1), axis=1),
        lambda x, heads: np.array([[part.T for part in np.split(row.T, heads)] for row in x]),
    ],
    positions: [table(), positions_in_slices],
    merge: [merge_two_ways, merged],
}
WRONG = {
    attend: [
        (lambda q, k, v: naive(scores(q, k)) @ v, "A large score's exponential seems to overflow"),
        (lambda q, k, v: np.exp(scores(q, k)) @ v / np.exp(scores(q, k)).sum(), "A large score's exponential seems"),
        (lambda q, k, v: softmax(q @ k.T) @ v, "The scale seems to be missing"),
        (lambda q, k, v: naive(q @ k.T) @ v, "The scale seems to be missing"),
        (lambda q, k, v: softmax(q @ k.T / q.size) @ v, "The scores seem to be divided by d"),
        (lambda q, k, v: naive(q @ k.T / q.size) @ v, "The scores seem to be divided by d"),
        (lambda q, k, v: softmax(q @ k.T / len(k) ** 0.5) @ v, "The scores seem to be divided by √T"),
        (lambda q, k, v: softmax(q @ k.T) / math.sqrt(len(q)) @ v, "The scale seems to come after the softmax"),
        (lambda q, k, v: naive(q @ k.T) / math.sqrt(len(q)) @ v, "The scale seems to come after the softmax"),
        (lambda q, k, v: v[np.argmax(k @ q)], "It seems to take one value alone"),
        (lambda q, k, v: softmax(scores(q, k)) @ k, "The weights seem to meet the keys"),
        (lambda q, k, v: naive(scores(q, k)) @ k, "The weights seem to meet the keys"),
        (lambda q, k, v: softmax(scores(q, k)), "It seems to return the weights"),
        (lambda q, k, v: naive(scores(q, k)), "It seems to return the weights"),
        (lambda q, k, v: np.exp(scores(q, k)) @ v, "The exponentials seem not to be divided"),
        (lambda q, k, v: np.exp(scores(q, k)) / scores(q, k).sum() @ v, "It seems to divide by the sum of the scores"),
        (lambda q, k, v: scores(q, k) @ v, "The softmax seems to be missing"),
        (lambda q, k, v: (q @ k.T) @ v / (q @ k.T).sum(), "The exponential seems to be missing"),
        (lambda q, k, v: v.sum(axis=0) / len(v), "It seems to be the plain mean of the values"),
    ],
    visible: [
        (masks(lambda i, j, n: j <= i), "The lengths seem not to be used"),
        (masks(lambda i, j, n: j < n), "The order seems not to be used"),
        (masks(lambda i, j, n: j >= i and j < n), "The future seems to be visible, not the past"),
        (masks(lambda i, j, n: i <= j and i < n), "The last two axes seem to be swapped"),
        (masks(lambda i, j, n: j < i and j < n), "A query's own step seems to be hidden"),
        (masks(lambda i, j, n: j <= i and i < n), "The padding seems to hide queries"),
        (masks(lambda i, j, n: j <= i and i < n and j < n), "The padding seems to hide queries"),
        (masks(lambda i, j, n: j > i or j >= n), "It seems to be inverted"),
        (masks(lambda i, j, n: j <= i or j < n), "One condition seems to be enough"),
        (masks(lambda i, j, n: j <= i and j <= n), "One step of padding seems to be visible"),
    ],
    score_gradient: [
        (lambda da, a: da * a, "The sum seems to be missing"),
        (lambda da, a: da * (a - a**2), "It seems to be the slope of a sigmoid"),
        (lambda da, a: a * da - a * (a * da).sum(0, keepdims=True), "The sum seems to run over queries"),
        (lambda da, a: a * (da - np.vdot(da, a)), "One sum seems to serve all queries"),
        (lambda da, a: a * (da - np.sum(da * a, axis=-1)), "The sums, one for each query, seem to meet the keys"),
        (lambda da, a: a * ((da * a).sum(-1, keepdims=True) - da), "The sign seems to be turned"),
        (lambda da, a: da - (da * a).sum(-1)[:, None], "The factor alpha seems to be missing"),
        (lambda da, a: a * da - a * da.sum(-1, keepdims=True), "The sum seems to be a plain one"),
        (lambda da, a: a * da - np.sum(a * da, axis=1)[:, None], "The sum seems to be taken away as it is"),
    ],
    split_heads: [
        (lambda x, h: x.reshape(x.shape[0], h, x.shape[1], x.shape[2] // h), "Steps and heads seem to be mixed"),
        (lambda x, h: np.stack([x[:, :, i::h] for i in range(h)], axis=1), "The heads seem to be interleaved"),
        (lambda x, h: x.reshape(*x.shape[:2], h, x.shape[2] // h), "The axes seem to be (batch, T, heads, d)"),
        (lambda x, h: np.array(np.split(x, h, axis=-1)), "The axes seem to be (heads, batch, T, d)"),
        (lambda x, h: np.moveaxis(x.reshape(*x.shape[:2], h, -1), 1, 3), "The axes seem to be (batch, heads, d, T)"),
    ],
    positions: [
        (table(order=lambda c: np.concatenate([c[::2], c[1::2]])), "All sines seem to come first"),
        (table(order=lambda c: c ^ 1), "Sines and cosines seem to be swapped"),
        (table(lambda c, d: c // 2 / d), "The waves seem to get longer too slowly"),
        (table(lambda c, d: 2 * (c - c % 2) / d), "The waves seem to get longer too fast"),
        (table(lambda c, d: c / d), "Sine and cosine of a pair seem to have different rates"),
        (table(lambda c, d: 2 * c / d), "Sine and cosine of a pair seem to have different rates"),
        (table(lambda c, d: -pair(c, d)), "The waves seem to get shorter"),
        (table(first=1), "The positions seem to be counted from 1"),
        (table(base=1000.0), "The base seems to be 1000"),
        (table(base=1.0), "The base seems to be missing"),
        (table(odd=math.sin), "There seem to be sines only"),
    ],
    merge: [
        (lambda p, q: (*merged(p, q)[:2], (p[2] + q[2]) / 2), "The averages seem to count alike"),
        (lambda p, q: (*added(p, q), np.mean([p[2], q[2]], axis=0)), "The averages seem to count alike"),
        (lambda p, q: (*added(p, q), merged(p, q)[2]), "The totals seem to be added"),
        (
            lambda p, q: (*added(p, q), merged(p, q)[1] * merged(p, q)[2] / added(p, q)[1]),
            "The totals seem to be added",
        ),
        (lambda p, q: (*merged(p, q)[:2], summed(p, q) / added(p, q)[1]), "The averages seem to be weighted"),
        (lambda p, q: (*merged(p, q)[:2], summed(p, q) / merged(p, q)[1]), "The averages seem to be weighted"),
        (lambda p, q: (*added(p, q), summed(p, q) / added(p, q)[1]), "Nothing seems to be rescaled"),
        (lambda p, q: merged(p, q, lambda old, new: np.exp(new - old)), "The factor seems to be turned over"),
        (lambda p, q: merged(p, q, largest=lambda m1, m2: m1), "The maximum seems to stay the first part's"),
        (lambda p, q: merged(p, q, largest=lambda m1, m2: m2), "The maximum seems to be the second part's"),
        (lambda p, q: (*merged(p, q)[:2], merged(p, q)[1] * merged(p, q)[2]), "The average seems to be a sum"),
        (by_exponentials, "A large maximum's exponential seems to overflow"),
        (lambda p, q: (*merged(p, q)[:2], by_exponentials(p, q)[2]), "A large maximum's exponential seems to overflow"),
    ],
}


@pytest.mark.parametrize("checker", RIGHT, ids=lambda c: c.__name__)
def test_mistakes_differ_and_have_short_diagnoses(checker, monkeypatch):
    caught = []
    monkeypatch.setitem(checker.__globals__, "check", lambda attempt, *rest: caught.append(rest))
    checker(None)
    solution, cases, mistakes = caught[0]
    answers = [solution, *(mistake.answer for mistake in mistakes)]
    results = [[checks._result(answer, case) for case in cases] for answer in answers]
    for one, other in itertools.combinations(results, 2):
        assert not all(map(checks._same, one, other))
    for mistake in mistakes:
        assert len(mistake.diagnosis.split()) <= 22
        assert mistake.diagnosis.endswith(".")


@pytest.mark.parametrize(("checker", "attempt"), [(attend, WRONG[attend][0][0]), (merge, by_exponentials)])
def test_only_the_overflow_of_the_reader_warns(checker, attempt, recwarn):
    refused(checker, np.errstate(over="ignore", invalid="ignore")(attempt))
    assert not recwarn.list


@pytest.mark.parametrize(
    ("checker", "attempt"), [(checker, attempt) for checker in RIGHT for attempt in RIGHT[checker]]
)
def test_right_answers(checker, attempt, capsys, recwarn):
    checker(attempt)
    assert capsys.readouterr().out.startswith("✓")
    assert not recwarn.list


@OVERFLOW
@pytest.mark.parametrize(
    ("checker", "attempt", "diagnosis"), [(checker, *row) for checker in WRONG for row in WRONG[checker]]
)
def test_wrong_answers(checker, attempt, diagnosis):
    assert refused(checker, attempt).startswith(diagnosis)


@OVERFLOW
def test_an_overflow_shows_its_case_and_its_nan():
    message = refused(attend, lambda q, k, v: naive(scores(q, k)) @ v)
    assert "([2.0, 1.0], [[1000.0, 3.0], [1001.0, 2.0], [999.5, 3.5]], " in message
    assert "\n  returns  [nan, nan]\n" in message


@pytest.mark.parametrize(
    "attempt",
    [
        lambda lengths, time: visible_in_loops(lengths, time).astype(float),
        lambda lengths, time: visible_in_loops(lengths, time) * 1,
        lambda lengths, time: np.tril(np.ones((time, time))) * (np.arange(time) < lengths[:, None])[:, None],
    ],
)
def test_numbers_are_no_mask(attempt):
    message = "It seems to return numbers: asked for are booleans, as a comparison returns them."
    assert refused(visible, attempt) == message


@OVERFLOW
def test_a_wrong_merge_shows_its_parts_side_by_side():
    message = refused(merge, by_exponentials)
    assert "by_exponentials((1000.0, 1.4, array([0.6])), (1001.2, 1.9, array([-0.7])))\n" in message
    assert "\n  returns  [1001.2, nan, nan]\n  expected [1001.2, 2.3" in message


@pytest.mark.parametrize(
    "parts", [lambda m, total, c: (m, total), lambda m, total, c: c, lambda m, total, c: (m, total, c[None])]
)
def test_a_merge_of_other_parts_is_wrong(parts):
    assert "shape" in refused(merge, lambda p, q: parts(*merged(p, q))).splitlines()[0]
