"""The checkers of ``concepts``, asked with answers as readers write them, right ones and wrong ones."""

import math

import numpy as np
import pytest

from tests.utils.readers import QUIET, UNKNOWN, refused
from utils import checks
from utils.checks import concepts


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (lambda d, heads: heads * 4 * (d * d + d), "The heads seem to be counted each"),
        (lambda d, heads: 4 * d**2, "The biases seem to be missing"),
        (lambda d, heads: 3 * d * d + 3 * d, "Only three layers"),
        (lambda d, heads: 4 * d * (d / heads + 1), "Each head seems to read only its share"),
        (lambda d, heads: 4 * d * d + 4, "one bias for a layer"),
        (lambda d, heads: 4 * (d // heads) * d + 4 * (d // heads), "One head seems to be counted"),
        (lambda d, heads: sum(4 * d**2 for _ in range(heads)), "The heads seem to be counted each, and the biases"),
    ],
)
def test_wrong_attention(attempt, diagnosis):
    assert diagnosis in refused(concepts.attention_parameters, attempt)


@pytest.mark.parametrize("attempt", [lambda d, h: 4 * d * d + 4 * d, lambda d, h: sum((d + 1) * d for _ in "qkvo")])
def test_right_attention(attempt, capsys):
    concepts.attention_parameters(attempt)
    assert "is right in 3 cases" in capsys.readouterr().out


def needed(copies=4, of_examples=True, size_of=lambda s: s, shared=True):
    def answer(p, n, b, size):
        return size_of(size) * (copies * p * (1 if shared else b) + n * (b if of_examples else 1))

    return answer


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (needed(2), "Adam's two means seem to be missing"),
        (needed(3), "One of the four"),
        (needed(1), "Only the weights"),
        (needed(of_examples=False), "those of one example"),
        (needed(shared=False), "kept for each example: all examples share"),
        (lambda p, n, b, size: 4 * size * p, "The activations seem to be missing"),
        (needed(size_of=lambda s: 1), "These seem to be numbers"),
        (lambda p, n, b, size: 4 * size * p + n * b, "The activations seem to be numbers, not bytes"),
        (lambda p, n, b, size: 4 * p + size * n * b, "Those of a parameter seem to be numbers, not bytes"),
        (lambda p, n, b, size: 16 * p + size * n * b, "16 bytes a parameter seem to be fixed"),
        (needed(16), "The bytes seem to count twice"),
        (needed(0), "Only the activations"),
    ],
)
def test_wrong_bytes(attempt, diagnosis):
    assert diagnosis in refused(concepts.training_bytes, attempt)


def test_right_bytes():
    concepts.training_bytes(needed())
    concepts.training_bytes(lambda p, n, b, size: 4 * p * size + n * b * size)


def shares(center=0.5, wrap=True, exchanged=False, turn=math.pi, weigh=float, whole=math.floor, modulo=True, add=True):
    """Return an answer in a loop over the pixels."""

    def answer(r, angle, bins):
        h = [0.0] * bins
        for size, a in zip(r, angle, strict=True):
            u = bins * a / turn - center
            low = whole(u)
            far = low + 1 - u if exchanged else u - low
            for b, part in ((low, 1 - far), (low + 1, far)):
                if wrap or 0 <= b < bins:
                    b = b % bins if modulo else b
                    h[b] = part * weigh(size) + (h[b] if add else 0)
        return h

    return answer


def to_the_nearest(r, angle, bins):
    h = np.zeros(bins)
    for size, a in zip(r, angle, strict=True):
        h[int(a / (np.pi / bins))] += size
    return h


def at_once(r, angle, bins):
    u = angle / np.pi * bins - 0.5
    low = np.floor(u).astype(int)
    h = np.zeros(bins)
    h[low % bins] += r * (1 - (u - low))
    h[(low + 1) % bins] += r * (u - low)
    return h


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (to_the_nearest, "give all to one bin"),
        (shares(wrap=False), "not to be neighbors"),
        (shares(center=0), "half a bin further"),
        (shares(exchanged=True), "The shares seem to be swapped"),
        (shares(weigh=lambda r: 1), "count alike"),
        (shares(turn=2 * math.pi), "a whole turn"),
        (at_once, "only the last seems to count"),
        (shares(whole=int), "cut toward zero"),
        (shares(modulo=False), "The bin after the last seems to be looked for"),
        (shares(add=False), "seems to replace the one before"),
    ],
)
def test_wrong_histograms(attempt, diagnosis):
    assert diagnosis in refused(concepts.cell_histogram, attempt)


def by_distance(r, angle, bins):
    centers = (np.arange(bins) + 0.5) * np.pi / bins
    away = np.abs(angle[:, None] - centers)
    away = np.minimum(away, np.pi - away) * bins / np.pi
    return r @ np.maximum(0, 1 - away)


@pytest.mark.parametrize("attempt", [shares(), by_distance])
def test_right_histograms(attempt, capsys):
    concepts.cell_histogram(attempt)
    assert "is right in 3 cases" in capsys.readouterr().out


def with_directions(axis=0, subtract=True, add=True, largest=True):
    """Return an answer by the eigenvectors of the covariance."""

    def answer(x, k):
        mean = x.mean(axis=axis, keepdims=True) if subtract else np.zeros((1, 1))
        _, vectors = np.linalg.eigh((x - mean).T @ (x - mean))
        w = vectors[:, ::-1][:, :k] if largest else vectors[:, :k]
        return (x - mean) @ w @ w.T + (mean if add else 0)

    return answer


def by_parts(pick=lambda v, k: v[:, :k], take_off=True, add=True):
    """Return an answer that adds up its directions one by one; v (d, d) has them as columns, v.T as NumPy's svd."""

    def answer(x, k):
        m = np.mean(x, axis=0)
        v = np.linalg.svd(x - m)[2].T
        z = x - m if take_off else x
        kept = sum(np.outer(z @ w, w) for w in pick(v, k).T)
        return kept + m if add else kept

    return answer


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (with_directions(subtract=False), "not to be subtracted first"),
        (with_directions(add=False), "added again at the end"),
        (with_directions(largest=False), "differ least"),
        (with_directions(axis=1), "that of each row"),
        (lambda x, k: x, "That is x itself"),
        (by_parts(lambda v, k: v.T[:, :k]), "svd gives the directions as its rows"),
        (by_parts(take_off=False, add=False), "z is (x - m) w"),
        (by_parts(take_off=False), "added at the end, and not to be taken off"),
    ],
)
def test_wrong_reconstructions(attempt, diagnosis):
    assert diagnosis in refused(concepts.reconstruct, attempt)


def test_right_reconstructions():
    concepts.reconstruct(with_directions())
    concepts.reconstruct(by_parts())

    def by_svd(x, k):
        u, s, vt = np.linalg.svd(x - x.mean(0), full_matrices=False)
        return u[:, :k] * s[:k] @ vt[:k] + x.mean(0)

    concepts.reconstruct(by_svd)


def in_pairs(tie=0.5, over=lambda ones, zeros, n: ones * zeros):
    def answer(p, y):
        ones, zeros = p[y == 1], p[y == 0]
        won = sum(1.0 if a > b else tie * (a == b) for a in ones for b in zeros)
        return won / over(len(ones), len(zeros), len(y))

    return answer


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (in_pairs(0), "Ties seem to count nothing"),
        (in_pairs(1), "Ties seem to count as right"),
        (lambda p, y: in_pairs()(-p, y), "The order seems to be turned"),
        (lambda p, y: ((p > 0.5) == y).mean(), "the share of right answers"),
        (in_pairs(over=lambda a, b, n: 1), "a number of pairs"),
        (in_pairs(over=lambda a, b, n: n * (n - 1) / 2), "It seems to divide by all pairs of rows"),
        (lambda p, y: np.mean([(a > b) + (a == b) / 2 for a in p for b in p]), "All pairs of rows seem to be compared"),
    ],
)
def test_wrong_orders(attempt, diagnosis):
    assert diagnosis in refused(concepts.pair_order, attempt)


def by_ranks(p, y):
    rank = np.array([np.sum(p < value) + (np.sum(p == value) + 1) / 2 for value in p])
    ones = np.sum(y == 1)
    return (rank[y == 1].sum() - ones * (ones + 1) / 2) / (ones * np.sum(y == 0))


@pytest.mark.parametrize("attempt", [in_pairs(), by_ranks])
def test_right_orders(attempt, capsys):
    concepts.pair_order(attempt)
    assert "is right in 2 cases" in capsys.readouterr().out


def meeting(scale=np.log, back=np.exp, last=False):
    def answer(sizes, a, b):
        steps = [i for i in range(len(sizes) - 1) if b[i] > a[i] and b[i + 1] <= a[i + 1]]
        if not steps:
            return 0.0
        i = steps[-1 if last else 0]
        gaps = [a[i + 1] - b[i + 1], 0, a[i] - b[i]]
        return back(np.interp(0, [gaps[2], gaps[0]], scale(sizes[i : i + 2])))

    return answer


def at(part=lambda d, e: d / (d - e), falls=lambda d, e: d > 0 >= e, never=0.0):
    """Return an answer by equation (7) as it reads."""

    def answer(sizes, a, b):
        d = b - a
        for n in range(len(d) - 1):
            if falls(d[n], d[n + 1]):
                return sizes[n] * (sizes[n + 1] / sizes[n]) ** part(d[n], d[n + 1])
        return never

    return answer


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (meeting(lambda s: s, float), "straight over the size"),
        (lambda s, a, b: s[np.argmax(b <= a)] if np.any(b <= a) else 0, "the lines cross before it"),
        (meeting(last=True), "the last crossing"),
        (lambda s, a, b: meeting()(s, b, a), "The two seem to be swapped"),
        (meeting(back=float), "That seems to be a logarithm"),
        (at(lambda d, e: -e / (d - e)), "counted from the far end"),
        (at(lambda d, e: d / (d + e)), "The two gaps seem to be added"),
        (at(lambda d, e: 0), "the lines cross after it"),
        (at(never=np.inf), "seems to return infinity"),
        (at(falls=lambda d, e: d * e < 0), "exactly at one of the sizes"),
        (lambda s, a, b: meeting()(s, np.log(a), np.log(b)), "the logarithm of the errors"),
    ],
)
def test_wrong_crossings(attempt, diagnosis):
    assert diagnosis in refused(concepts.crossing, attempt)


def test_right_crossings(capsys):
    concepts.crossing(meeting())
    assert "is right in 4 cases" in capsys.readouterr().out
    concepts.crossing(at())
    assert "is right in 4 cases" in capsys.readouterr().out


CHECKERS = [getattr(concepts, name) for name in dir(concepts) if name.islower() and name[0] != "_"]
CHECKERS = [f for f in CHECKERS if getattr(f, "__module__", "") == concepts.__name__]


@QUIET
@pytest.mark.parametrize("checker", CHECKERS, ids=lambda f: f.__name__)
def test_every_mistake_is_told_from_the_solution_and_from_the_others(checker, monkeypatch):
    """Each mistake, given as an answer, is refused with its own diagnosis."""
    caught = []
    monkeypatch.setattr(concepts, "check", lambda *given: caught.append(given))
    checker(None)
    _, solution, cases, mistakes = caught[0]
    checks.check(solution, solution, cases, mistakes)
    for mistake in mistakes:
        with pytest.raises(checks.WrongAnswer) as refusal:
            checks.check(mistake.answer, solution, cases, mistakes)
        assert str(refusal.value).startswith(mistake.diagnosis)
        assert not str(refusal.value).startswith(UNKNOWN)
