"""The checkers of ``transformer``, asked with answers as readers write them, right ones and wrong ones."""

import functools
import math

import numpy as np

from tests.utils.readers import QUIET, UNKNOWN, answers_of, mistakes_of, refused
from utils.checks.transformer import cache_bytes, price, rms_norm_backward, top_k, turn, witten_bell


def single(answer):
    """Return an answer whose numbers are all float32, as deep learning has them."""
    return lambda *case: np.float32(answer(*(np.float32(part) if np.ndim(part) else part for part in case)))


def bits(p, n):
    total = p[0] * 0
    for q in p:
        total += np.log2(1 / q)
    return total / n


def mixed(new=np.count_nonzero, unseen=lambda c, q: q, shorter=lambda q: q):
    """Return an answer that counts the new symbols so, and does so in a context that was never seen."""

    def answer(c, q):
        if not c.any():
            return unseen(c, q)
        return [(n + new(c) * s) / (sum(c) + new(c)) for n, s in zip(c, shorter(q), strict=True)]

    return answer


def norm_back(inner=np.mean, outer=np.mean, axes=(1, 1), keep=True, epsilon=0, gammas=(1, 1, 0), powers=(1, 1, 1)):
    """Return an answer with these means over these axes, and gamma and r to these powers in first to last place."""

    def answer(dy, x, gamma):
        r = np.sqrt(inner(x**2, axis=axes[0], keepdims=keep) + epsilon)
        first, second, last = (gamma**power for power in gammas)
        along = outer(dy * second * (x / r ** powers[0]), axis=axes[1], keepdims=keep)
        return last * (dy * first - x / r ** powers[1] * along) / r ** powers[2]

    return answer


def norm_back_in_place(dy, x, gamma):
    dy *= gamma
    square = (x**2).mean(axis=1, keepdims=True)
    dy -= x * (dy * x).mean(axis=1, keepdims=True) / square
    return dy / np.sqrt(square)


def shifted(dy, x, gamma):
    return norm_back()(dy, x, gamma) - np.mean(gamma * dy, axis=1)[:, None] / np.sqrt(np.mean(x**2, axis=1)[:, None])


def rate(t, c, d, base):
    return t / base ** (c / d)  # of place t and an even column c


def turned(angle=rate, halves=False):
    """Return an answer in loops over pairs of neighbors, or of halves."""

    def answer(x, base):
        y, d = np.empty_like(x), x.shape[1]
        for t, f in np.ndindex(len(x), d // 2):
            i, j = (f, f + d // 2) if halves else (2 * f, 2 * f + 1)
            cosine, sine = math.cos(angle(t, 2 * f, d, base)), math.sin(angle(t, 2 * f, d, base))
            y[t, i], y[t, j] = x[t, i] * cosine - x[t, j] * sine, x[t, i] * sine + x[t, j] * cosine
        return y

    return answer


def turned_in_place(copied, i=0, transposed=False):
    """Return an answer that writes into x: first into column i of a pair, with or without a copy of it."""

    def answer(x, base):
        angles = np.outer(base ** (-np.arange(0, x.shape[1], 2) / x.shape[1]), np.arange(len(x)))
        cosine, sine = (np.cos(angles), np.sin(angles)) if transposed else (np.cos(angles.T), np.sin(angles.T))
        one, other = x[:, i::2], x[:, 1 - i :: 2]  # views
        old, sine = one.copy() if copied else one, -sine if i else sine
        one[:] = one * cosine - other * sine
        other[:] = old * sine + other * cosine
        return x

    return answer


def softmax(a, lower=np.max):
    return np.exp(a - lower(a)) / np.exp(a - lower(a)).sum()


def first(a, k):
    return np.argsort(-a, kind="stable")[:k]


def masked(fill=-np.inf, more=0, best=first, lower=np.max):
    """Return an answer that fills what is cut, and then takes the softmax."""

    def answer(a, k):
        kept = np.full(len(a), fill)
        kept[best(a, k + more)] = a[best(a, k + more)]
        return softmax(kept, lower)

    return answer


naive = functools.partial(masked, lower=lambda a: 0)


def by_sorting(a, k):
    order = sorted(range(len(a)), key=lambda i: (-a[i], i))[:k]
    weights = {i: math.exp(a[i] - a[order[0]]) for i in order}
    return [weights.get(i, 0) / sum(weights.values()) for i in range(len(a))]


def cut_after(a, k, again=True):
    rest = np.argsort(-a, kind="stable")[k:]
    a[:] = softmax(a)
    a[rest] = 0
    return a / a.sum() if again else a


def cached(texts, time, depth, heads, size, number):
    return sum(2 * heads * size * number for _ in range(texts * time) for _ in range(depth))


RIGHT = {
    price: [bits, single(bits), lambda p, n: -np.mean(np.log(p)) / np.log(2) * len(p) / n],
    witten_bell: [mixed(), single(mixed()), mixed(lambda c: sum(n > 0 for n in c))],
    rms_norm_backward: [norm_back(), norm_back(epsilon=1e-6), norm_back_in_place, single(norm_back_in_place)],
    turn: [turned(), *(turned_in_place(True, i) for i in (0, 1)), single(turned()), single(turned_in_place(True))],
    top_k: [*(masked(), masked(-1e9), by_sorting, cut_after), *map(single, (masked(), cut_after))],
    cache_bytes: [cached, lambda *f: np.prod(f) * 2, lambda *f: np.float32(2) * np.prod(np.array(f, "float32"))],
}
WRONG = {
    price: [
        ("The logarithm seems to have base e", lambda p, n: np.mean(-np.log(p)) * len(p) / n),
        ("The logarithm seems to have base 10", lambda p, n: -sum(math.log10(q) for q in p) / n),
        ("It seems to be bits a token", lambda p, n: bits(p, len(p)), single(lambda p, n: bits(p, len(p)))),
        ("It seems to be the loss of training", lambda p, n: np.mean(np.log(1 / p))),
        ("It seems to be the price of the whole text", lambda p, n: bits(p, 1)),
        ("The sign seems to be missing", lambda p, n: -bits(p, n)),
        ("The prob", lambda p, n: np.log2(1 / np.prod(p)) / n, lambda p, n: -math.log2(math.prod(p)) / n),
        ("It seems to be the log", lambda p, n: -np.log2(p.sum() / len(p)), lambda p, n: bits([np.mean(p)], n)),
        ("It seems to be the log", lambda p, n: bits([p.mean()] * len(p), n)),
        ("It seems to be a perplexity", lambda p, n: np.exp(-np.log(p).mean()), lambda p, n: 2 ** bits(p, n)),
        (UNKNOWN, lambda p, n: -np.log2(p) / n, lambda p, n: bits(p, n - 1), lambda p, n: bits(p[1:], n)),
        (UNKNOWN, lambda p, n: n / bits(p, 1), lambda p, n: -(p * np.log2(p)).sum() / n),
    ],
    witten_bell: [
        ("They seem to be bare shares", lambda c, q: c / np.sum(c), mixed(lambda c: 0)),
        ("One seems to be added", lambda c, q: (c + 1) / np.sum(c + 1)),
        ("U seems to be the number of all symbols", mixed(len)),
        ("U seems to be the sum of the counts", mixed(sum), lambda c, q: (c / c.sum() + q) / 2),
        ("U seems to be added to each", mixed(shorter=np.ones_like)),
        ("U seems to be added to each", lambda c, q: (c + (c > 0).sum()) / np.sum(c + (c > 0).sum())),
        ("They seem to sum to more than 1", lambda c, q: c / c.sum() + (c > 0).sum() * q / c.sum()),
        ("They seem to sum to less than 1", mixed(shorter=np.zeros_like)),
        ("A context that was never", lambda c, q: (c + (c > 0).sum() * q) / (c.sum() + (c > 0).sum())),
        ("A context that was never", mixed(unseen=lambda c, q: 0 * q), mixed(unseen=lambda c, q: 0 * q + 1 / len(q))),
        ("They seem to be cut to whole numbers", lambda c, q: np.array(mixed()(c, q), c.dtype)),
        (UNKNOWN, *map(mixed, (lambda c: 1, lambda c: sum(c == 1), lambda c: np.count_nonzero(c) - 1))),
        (UNKNOWN, *map(mixed, (lambda c: len(np.unique(c)), lambda c: len(np.unique(c[c > 0])), lambda c: c))),
        (UNKNOWN, mixed(shorter=lambda q: q * 0 + 1 / len(q)), mixed(unseen=lambda c, q: None)),
    ],
    rms_norm_backward: [
        ("The second term seems to be missing", norm_back(outer=lambda a, **_: 0)),
        ("gamma seems to be forgotten", norm_back(gammas=(0, 1, 0)), norm_back(gammas=(1, 0, 0))),
        ("gamma seems to be forgotten", single(norm_back(gammas=(0, 0, 0)))),
        ("gamma seems to multiply the result", norm_back(gammas=(0, 0, 1)), norm_back(gammas=(1, 1, 1))),
        ("A sum seems", norm_back(outer=np.sum), norm_back(inner=np.sum), norm_back(np.sum, np.sum)),
        ("A mean seems to run over the rows", *(norm_back(axes=axes) for axes in ((0, 0), (0, 1), (1, 0)))),
        ("The means, one for each row, seem to meet", norm_back(keep=False)),
        ("r seems to", *(norm_back(powers=p) for p in ((1, 1, 2), (1, 1, 0), (0, 0, 1), (0, 1, 1), (1, 0, 1)))),
        ("r seems to divide too often, or too seldom", norm_back(lambda a, **axes: np.mean(a, **axes) ** 2)),
        ("The mean of g seems", shifted, lambda dy, x, gamma: shifted(dy, x - x.mean(axis=1)[:, None], gamma)),
        ("The sign seems to be turned", norm_back(outer=lambda a, **axes: -np.mean(a, **axes))),
        (UNKNOWN, norm_back(gammas=(-1, -1, 0)), norm_back(epsilon=1e-3), norm_back(powers=(2, 1, 1))),
        (UNKNOWN, norm_back(axes=(1, None)), norm_back(outer=lambda a, **axes: np.sum(a, **axes) / len(a))),
        (UNKNOWN, lambda *c: -norm_back()(*c), lambda *c: norm_back()(*c).T, lambda *c: (norm_back()(*c), c[2])),
    ],
    turn: [
        ("It seems to turn the other way", turned(lambda *args: -rate(*args))),
        ("Halves seem to be paired", turned(halves=True), single(turned(halves=True))),
        ("Halves seem to be paired or put", lambda x, b: np.hstack([turned()(x, b)[:, i::2] for i in (0, 1)])),
        ("Halves seem", lambda x, b: np.dstack(np.split(turned(halves=True)(x, b), 2, axis=1)).reshape(x.shape)),
        ("The places seem to be counted from 1", turned(lambda t, *args: rate(t + 1, *args))),
        ("The exponent seems", *(turned(lambda t, c, d, b, k=k: rate(t, k * c, d, b)) for k in (0.5, 2, -1))),
        ("All pairs seem to turn at the same rate", turned(lambda t, c, d, b: t)),
        ("Degrees and radians", *(turned(lambda *args, k=k: rate(*args) * k) for k in (math.pi / 180, 180 / math.pi))),
        ("Places and", turned_in_place(True, transposed=True), turned(lambda t, c, d, b: rate(c / 2, 2 * t, d, b))),
        ("The base seems to be that of the chapter", lambda x, b: turned()(x, 10000)),
        ("A number seems to be overwritten", turned_in_place(False), turned_in_place(False, 1)),
        (UNKNOWN, lambda x, b: x, turned(lambda t, c, d, b: t / b), turned(lambda t, c, d, b: rate(t, c, d - 2, b))),
        (UNKNOWN, lambda x, b: turned()(x[::-1], b)[::-1], lambda x, b: turned()(x[:, ::-1], b)[:, ::-1]),
    ],
    top_k: [
        ("They seem not to sum to 1", lambda a, k: cut_after(a, k, again=False)),
        ("The k smallest seem to stay", *(answer(best=lambda a, k: first(-a, k)) for answer in (masked, naive))),
        ("Equal logits at the border", *(answer(best=lambda a, k: a >= np.sort(a)[-k]) for answer in (masked, naive))),
        ("Equal logits at the border", single(masked(best=lambda a, k: a >= np.sort(a)[-k]))),
        ("Of equal logits the last seem to stay", masked(best=lambda a, k: np.argsort(a, kind="stable")[-k:])),
        ("The logits that are cut seem to become 0", masked(0.0), naive(0.0)),
        ("It seems to return k", *(lambda a, k, i=i: softmax(np.sort(a)[-k:][::i]) for i in (1, -1))),
        ("It seems to return k", lambda a, k: masked()(a, k)[np.sort(first(a, k))]),
        ("The number of", masked(more=1), masked(more=-1), naive(more=1), masked(best=lambda a, k: a > np.sort(a)[-k])),
        ("The number of those", lambda a, k: np.bincount(first(a, k - 1), softmax(a[first(a, k - 1)]), len(a))),
        ("The probabilities seem to be in order", *(lambda a, k, i=i: np.sort(masked()(a, k))[::i] for i in (1, -1))),
        ("An exponential", naive(), lambda a, k: np.exp(a) * (masked()(a, k) > 0) / np.exp(a)[first(a, k)].sum()),
        (UNKNOWN, masked(-100.0), masked(lower=lambda a: 1000.0), masked(best=lambda a, k: first(a, k - len(a)))),
        (UNKNOWN, lambda a, k: softmax(a), lambda a, k: (masked()(a, k) > 0) / k, lambda a, k: np.log(masked()(a, k))),
        (UNKNOWN, lambda a, k: np.eye(len(a))[a.argmax()], lambda a, k: np.where(masked()(a, k) > 0, a, 0)),
    ],
    cache_bytes: [
        ("It seems to count keys only", lambda *f: cached(*f) / 2),
        *(
            (f"The factor {name} seems to be missing", lambda *f, i=i: cached(*f[:i], 1, *f[i + 1 :]))
            for i, name in enumerate(("texts", "time", "depth", "key_heads", "size", "number"))
        ),
        ("time seems to count twice", lambda n, t, *f: cached(n, t**2, *f)),
        ("It seems to count bits", lambda *f: 8 * cached(*f)),
        ("number seems to be taken for bits", lambda *f: cached(*f) // 8),
        ("key_heads seems to count twice", lambda *f: cached(*f[:4], f[3] * f[4], f[5])),
        ("All numbers seem to take 4 bytes", lambda *f: 8 * math.prod(f[:5])),
        ("It seems to be (15) as it stands", lambda *f: 8 * math.prod(f[1:5])),
        (UNKNOWN, lambda *f: 2 + math.prod(f), lambda *f: sum(f), lambda *f: cached(*f) / 1024),
        (UNKNOWN, lambda *f: 1.5 * cached(*f), lambda n, t, *f: cached(n, t - 1, *f), lambda *f: math.prod(f) ** 2),
    ],
}


test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


def test_only_the_mistakes_of_the_reader_warn(recwarn):
    quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
    refused(price, quiet(lambda p, n: -np.log2(np.prod(p)) / n))
    refused(witten_bell, quiet(lambda c, q: c / c.sum()))
    refused(top_k, quiet(naive()))
    assert not recwarn.list


@QUIET
def test_messages_show_the_case_that_gives_a_mistake_away():
    underflow = refused(price, lambda p, n: -np.log2(np.prod(p)) / n)
    assert "(an array of shape (2000,), 8100)\n  returns  inf\n  expected 0.820" in underflow
    overflow = refused(top_k, naive())
    assert "answer([1000.0, 998.5, 1001.0, 999.0], 2)\n  returns  [nan, 0.0, nan, 0.0]\n" in overflow
    assert "\n  raises ValueError: operands could not" in refused(turn, turned_in_place(True, transposed=True))
