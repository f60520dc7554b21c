"""The checkers of ``trend-privacy`` take right answers however they are written, and name what goes wrong."""

import numpy as np

from tests.utils.readers import QUIET, UNKNOWN, answers_of, mistakes_of, refused, single
from utils.checks.trend_privacy import attack_step, clipped_mean, epsilon_of, exposure_of, found_at


def one_by_one(gradients, clip):
    total = np.zeros(gradients.shape[1])
    for g in gradients:
        total += g * min(1, clip / sum(v * v for v in g) ** 0.5)
    return total / len(gradients)


def scaled(size, stretch=False, keep=True):
    """Return an answer that takes the length of a row to be ``size(row)``."""

    def answer(gradients, clip):
        out = []
        for g in gradients:
            if size(g) > clip or stretch:
                out.append(g / size(g) * clip * keep)
            else:
                out.append(g)
        return sum(out) / len(out)

    return answer


def counted(at_least=True, allowed=lambda false, rate: false <= rate, result=lambda true, false: true):
    """Return an answer that tries every threshold."""

    def answer(rate, inside, outside):
        best, share = 0.0, 0.0
        for t in sorted({np.inf, *inside.tolist(), *outside.tolist()}, reverse=True):
            called = (lambda s, t=t: s >= t) if at_least else (lambda s, t=t: s <= t)
            false, true = called(outside).mean(), called(inside).mean()
            if allowed(false, rate) and true >= best:
                best, share = true, result(true, false)
        return share

    return answer


def sorted_out(rate, inside, outside):
    """Answer without a loop: above the first of the others that may no longer be accused."""
    may = int(np.floor(rate * len(outside) + 1e-9))
    ranked = np.append(np.sort(outside)[::-1], -np.inf)
    return np.mean(inside > ranked[may])


def bits(log=np.log2, less=lambda losses, own: losses <= own, first=0):
    def answer(losses, place):
        return log(len(losses)) - log(first + sum(less(loss, losses[place]) for loss in losses))

    return answer


def by_orders(divergence=None, price=None, choose=min, times=1):
    """Return an answer that goes through the orders."""
    divergence = divergence or (lambda a, s, n: n * a / (2 * s * s))
    price = price or (lambda d, a: np.log(1 / d) / (a - 1))

    def answer(noise, steps, delta, orders):
        return choose([divergence(a, noise, steps) + price(delta, a) for a in orders.tolist()])

    return answer


def stepped(slope=np.sign, around=lambda x, start: start, low=0.0, high=1.0, up=1, bound=1.0):
    def answer(x, gradient, start, rate, epsilon):
        moved = x + up * rate * slope(gradient)
        change = np.minimum(np.maximum(moved - around(x, start), -bound * epsilon), bound * epsilon)
        return np.minimum(np.maximum(around(x, start) + change, low), high)

    return answer


RIGHT = {
    clipped_mean: [
        one_by_one,
        single(one_by_one),
        scaled(np.linalg.norm),
        lambda g, c: np.mean(g * np.minimum(1, c / np.sqrt((g**2).sum(1)))[:, None], axis=0),
    ],
    found_at: [counted(), single(counted()), sorted_out],
    exposure_of: [
        bits(),
        single(bits()),
        lambda losses, place: -np.log2(np.mean(losses <= losses[place])),
        lambda losses, place: np.log(len(losses) / (losses <= losses[place]).sum()) / np.log(2),
    ],
    epsilon_of: [
        by_orders(),
        single(by_orders()),
        lambda s, n, d, a: np.min(n * a / (2 * s**2) - np.log(d) / (a - 1)),
    ],
    attack_step: [
        stepped(),
        single(stepped()),
        lambda x, g, start, rate, eps: np.clip(
            x + rate * np.sign(g), np.maximum(start - eps, 0), np.minimum(start + eps, 1)
        ),
    ],
}
WRONG = {
    clipped_mean: [
        ("Nothing seems", lambda g, c: sum(g) / len(g)),
        ("The mean seems", lambda g, c: g.mean(0) * min(1, c / np.sqrt((g.mean(0) ** 2).sum()))),
        ("Single numbers", lambda g, c: np.minimum(np.maximum(g, -c), c).mean(0)),
        ("Short rows", scaled(np.linalg.norm, stretch=True)),
        ("The bound seems to be 1", lambda g, c: one_by_one(g, 1)),
        ("The length seems to lack", lambda g, c: np.mean([v * min(1, c / (v @ v)) for v in g], axis=0)),
        ("The lengths seem", lambda g, c: (g * np.minimum(1, c / np.sqrt((g**2).sum(0)))).mean(0)),
        ("Long rows", scaled(np.linalg.norm, keep=False)),
        ("That seems to be the sum", lambda g, c: len(g) * one_by_one(g, c)),
        (UNKNOWN, lambda g, c: -one_by_one(g, c), lambda g, c: g[0], lambda g, c: one_by_one(g, c) / c),
        (UNKNOWN, lambda g, c: g * 0, lambda g, c: scaled(np.linalg.norm)(g, c).sum()),
    ],
    found_at: [
        ("Members and others", lambda rate, inside, outside: counted()(rate, outside, inside)),
        ("Low scores", counted(at_least=False)),
        ("A rate that is just", counted(allowed=lambda false, rate: false < rate)),
        (
            "It seems to read",
            lambda rate, inside, outside: np.interp(
                rate,
                [0, *((outside >= t).mean() for t in sorted({*inside, *outside}, reverse=True))],
                [0, *((inside >= t).mean() for t in sorted({*inside, *outside}, reverse=True))],
            ),
        ),
        (
            "The threshold seems to be a quantile",
            lambda rate, inside, outside: sum(inside >= np.percentile(outside, 100 - 100 * rate)) / len(inside),
        ),
        ("That seems to be the accuracy", counted(result=lambda true, false: (true + 1 - false) / 2)),
        ("No false alarm", lambda rate, inside, outside: (inside > outside.max()).mean()),
        (
            UNKNOWN,
            lambda rate, inside, outside: rate,
            lambda rate, inside, outside: 1 - counted()(rate, inside, outside),
            lambda rate, inside, outside: (inside, outside),
        ),
    ],
    exposure_of: [
        ("That seems to be the natural", bits(np.log)),
        ("Ties seem", bits(less=lambda loss, own: loss < own, first=1)),
        ("The largest loss", bits(less=lambda loss, own: loss >= own)),
        ("The ranks seem", bits(less=lambda loss, own: loss < own)),
        ("That seems to be the logarithm", lambda losses, place: np.log2((losses <= losses[place]).sum())),
        ("The rank seems to be the place", lambda losses, place: np.log2(len(losses) / (place + 1))),
        ("The logarithm seems", lambda losses, place: 1 / np.mean(losses <= losses[place])),
        (UNKNOWN, bits(np.log10), lambda losses, place: losses[place], lambda losses, place: -bits()(losses, place)),
    ],
    epsilon_of: [
        ("It seems to be the price of one", by_orders(lambda a, s, n: a / (2 * s * s))),
        ("The steps seem", lambda s, n, d, a: n * by_orders()(s, 1, d, a)),
        ("The noise seems", by_orders(lambda a, s, n: n * a / (2 * s))),
        ("The 2 seems", by_orders(lambda a, s, n: n * a / s / s)),
        ("The order seems", by_orders(lambda a, s, n: n / (2 * s * s))),
        ("The conversion seems", by_orders(price=lambda d, a: -np.log(d) / a)),
        ("That seems to be the logarithm", by_orders(price=lambda d, a: -np.log10(d) / (a - 1))),
        ("The sign", by_orders(price=lambda d, a: np.log(d) / (a - 1))),
        ("That seems to be a divergence", by_orders(price=lambda d, a: 0)),
        ("The worst order", by_orders(choose=max)),
        ("Only the first", lambda s, n, d, a: by_orders()(s, n, d, a[:1])),
        ("The mean over", by_orders(choose=lambda values: sum(values) / len(values))),
        (UNKNOWN, by_orders(choose=len), by_orders(choose=np.array), lambda s, n, d, a: 2 * by_orders()(s, n, d, a)),
    ],
    attack_step: [
        ("The gradient seems", stepped(slope=lambda g: g)),
        ("It seems to go down", stepped(up=-1)),
        ("The step seems to be ε", lambda x, g, start, rate, epsilon: stepped()(x, g, start, epsilon, epsilon)),
        ("It seems to leave the bound", stepped(bound=9)),
        ("The bound seems", stepped(around=lambda x, start: x)),
        ("It seems to leave [0, 1]", stepped(low=-9, high=9)),
        ("The step seems to begin", lambda x, g, start, rate, epsilon: stepped()(start, g, start, rate, epsilon)),
        ("That seems to be the change", lambda x, g, start, rate, epsilon: min(rate, epsilon) * np.sign(g)),
        (UNKNOWN, lambda x, g, start, rate, epsilon: x, lambda x, g, start, rate, epsilon: start.ravel()),
        (UNKNOWN, stepped(bound=0), stepped(up=2)),
    ],
}

test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


@QUIET
def test_messages_show_the_case_that_gives_a_mistake_away():
    ties = refused(exposure_of, bits(less=lambda loss, own: loss < own, first=1))
    assert "([2.0, 0.5, 1.0, 1.0, 3.0, 4.0, 6.0, 5.0], 2)\n  returns  2.0\n  expected 1.41" in ties
    strict = refused(found_at, counted(allowed=lambda false, rate: false < rate))
    assert "(0.25, [0.9, 0.7, 0.6, 0.2, 0.1], [0.8, 0.5, 0.15, 0.05])\n  returns  0.2\n  expected 0.6" in strict
