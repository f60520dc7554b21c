"""The checkers of ``trend-scale``, asked with answers as readers write them, right ones and wrong ones."""

import math

import numpy as np

from tests.utils.readers import QUIET, UNKNOWN, answers_of, mistakes_of, refused, single
from utils.checks.trend_scale import allocation, exact_match, fitted, needed, training_flops, vertex


def line(x, y):
    """Return height and slope of the line of least squares, by sums."""
    slope = sum((x - x.mean()) * (y - y.mean())) / sum((x - x.mean()) ** 2)
    return y.mean() - slope * x.mean(), slope


def of_line(height, slope):
    return np.exp(height), -slope


def by_polyfit(sizes, losses):
    slope, height = np.polyfit(np.log10(sizes), np.log10(losses), 1)
    return 10**height, -slope


def by_lstsq(sizes, losses):
    columns = np.stack([np.ones(len(sizes)), -np.log(sizes)], axis=1)
    height, alpha = np.linalg.lstsq(columns, np.log(losses), rcond=None)[0]
    return np.array([np.exp(height), alpha])


def operations(forward=2, backward=4, weights=lambda inputs, units: inputs * units):
    def answer(layers, tokens):
        total = 0
        for inputs, units in layers:
            total += (forward + backward) * weights(inputs, units) * tokens
        return total

    return answer


def best(power=1.0, six=6, turned=False, ratio=lambda a, b, p, q: p * a / (q * b), tokens=-1, root=True):
    def answer(compute, a, b, alpha, beta):
        g = ratio(a, b, alpha, beta) ** (power / (alpha + beta) if root else power)
        share = (alpha if turned else beta) / (alpha + beta)
        return g * (compute / six) ** share, g**tokens * (compute / six) ** (1 - share)

    return answer


def by_search(compute, a, b, alpha, beta):
    low, high = -50.0, 50.0  # the derivative along the budget changes its sign once
    for _ in range(200):
        middle = (low + high) / 2
        n = math.exp(middle)
        d = compute / 6 / n
        if beta * b * d**-beta > alpha * a * n**-alpha:
            high = middle
        else:
            low = middle
    return n, d


def share(hits, length, last=0, of=all, divide=None):
    found = [of(hits[i : i + length]) for i in range(len(hits) - length + 1 - last)]
    return sum(found) / (divide or len(found))


def blocks(hits, length):
    whole = [all(hits[i : i + length]) for i in range(0, len(hits) - length + 1, length)]
    return sum(whole) / len(whole)


def size(take=1.0, power=lambda alpha: 1 / alpha, never=-1, inside=True, a_too=True, at=False):
    def answer(target, a, alpha, floor):
        if target < floor or (target == floor and not at):
            return never
        above = target - take * floor
        if not inside:
            return a * above ** -power(alpha)
        return ((a if a_too else 1) / above) ** power(alpha)

    return answer


def by_logarithms(target, a, alpha, floor):
    if target <= floor:
        return -1
    return math.exp((math.log(a) - math.log(target - floor)) / alpha)


def by_system(log_sizes, losses):
    curve, slope, _ = np.linalg.solve(np.vander(log_sizes, 3), losses)
    return -slope / (2 * curve)


def by_chords(log_sizes, losses):
    (x, y, z), (p, q, r) = log_sizes, losses
    first, second = (q - p) / (y - x), (r - q) / (z - y)
    curve = (second - first) / (z - x)
    return (x + y) / 2 - first / (2 * curve)


def ratio(up, down, factor):
    return lambda x, y: factor * np.linalg.solve(np.vander(x, 3), y)[up] / np.linalg.solve(np.vander(x, 3), y)[down]


RIGHT = {
    fitted: [by_polyfit, by_lstsq, lambda x, y: list(of_line(*line(np.log(x), np.log(y)))), single(by_polyfit)],
    training_flops: [
        operations(),
        lambda layers, tokens: sum(2 * n * m * tokens + 2 * 2 * n * m * tokens for n, m in layers),
        lambda layers, tokens: 6.0 * tokens * sum(np.ones(shape).size for shape in layers),
    ],
    allocation: [best(), by_search, lambda *case: np.array(by_search(*case))],
    exact_match: [
        share,
        lambda hits, length: np.mean([hits[i : i + length].all() for i in range(len(hits) - length + 1)]),
        single(share),
    ],
    needed: [size(), by_logarithms],
    vertex: [by_system, by_chords, lambda x, y: np.polynomial.Polynomial.fit(x, y, 2).deriv().roots()[0]],
}
WRONG = {
    fitted: [
        ("The sign of alpha", lambda x, y: (by_polyfit(x, y)[0], np.polyfit(np.log(x), np.log(y), 1)[0])),
        ("The height of the line", lambda x, y: (np.log(by_polyfit(x, y)[0]), by_polyfit(x, y)[1])),
        ("Height and slope", lambda x, y: line(np.log(x), np.log(y))),
        ("Logarithms to base 10", lambda x, y: of_line(*line(np.log10(x), np.log10(y)))),
        ("The two numbers", lambda x, y: by_polyfit(x, y)[::-1]),
        ("The line seems to go through sizes", lambda x, y: (line(x, y)[0], -line(x, y)[1])),
        ("Only the sizes", lambda x, y: (line(np.log(x), y)[0], -line(np.log(x), y)[1])),
        ("Only the losses", lambda x, y: of_line(*line(x, np.log(y)))),
        (
            "The line seems to go through the first",
            lambda x, y: by_polyfit(x[[0, -1]], y[[0, -1]]),
        ),
        (
            UNKNOWN,
            lambda x, y: (1.0, 0.5),
            lambda x, y: of_line(*line(np.log(y), np.log(x))),
            lambda x, y: by_polyfit(x, y)[1],
        ),
    ],
    training_flops: [
        ("The backward pass", operations(backward=0)),
        ("One of the three", operations(forward=0), operations(backward=2)),
        ("A multiplication with", operations(1, 2)),
        ("Each weight seems", operations(1, 0)),
        ("The biases", operations(weights=lambda n, m: (n + 1) * m)),
        ("Inputs and units", operations(weights=lambda n, m: n + m)),
        ("The tokens", lambda layers, tokens: 6 * sum(n * m for n, m in layers)),
        ("Only the first", lambda layers, tokens: 6 * tokens * layers[0][0] * layers[0][1]),
        (UNKNOWN, operations(4, 4), lambda layers, tokens: tokens, lambda layers, tokens: [n * m for n, m in layers]),
    ],
    allocation: [
        ("The exponents", best(turned=True)),
        ("The 6", best(six=1)),
        ("G seems to be upside", best(power=-1)),
        ("The root in G", best(root=False)),
        ("G seems to have A", best(ratio=lambda a, b, p, q: a / b)),
        ("In G alpha", best(ratio=lambda a, b, p, q: q * a / (p * b))),
        ("Parameters and tokens both", best(tokens=1)),
        ("The two results", lambda *case: by_search(*case)[::-1]),
        ("Both seem", lambda compute, a, b, alpha, beta: [(compute / 6) ** 0.5] * 2),
        (UNKNOWN, best(six=2), lambda *case: by_search(*case)[0], best(power=2)),
    ],
    exact_match: [
        ("The share of right guesses", lambda hits, length: (sum(hits) / len(hits)) ** length),
        ("The runs seem not to overlap", blocks),
        ("It seems to divide", lambda hits, length: share(hits, length, divide=len(hits))),
        ("One right guess", lambda hits, length: share(hits, length, of=any)),
        ("It seems to be the mean", lambda hits, length: share(hits, length, of=np.mean)),
        ("That seems to be the share", lambda hits, length: sum(hits) / len(hits)),
        ("The last run", lambda hits, length: share(hits, length, last=1)),
        ("That seems to be the number", lambda hits, length: share(hits, length, divide=1)),
        (UNKNOWN, lambda hits, length: share(hits, length + 1), lambda hits, length: hits, lambda hits, length: 1.0),
    ],
    needed: [
        ("The floor seems not to be looked", lambda t, a, p, e: ((t - e) / a) ** (-1 / p)),
        ("At the floor itself", size(at=True)),
        ("Where the law", size(never=math.inf)),
        ("The floor seems not to be taken", size(take=0)),
        ("The sign", size(power=lambda alpha: -1 / alpha)),
        ("The exponent", size(power=lambda alpha: alpha)),
        ("The a of", size(a_too=False)),
        ("The root", size(inside=False)),
        ("The target", lambda t, a, p, e: e + a / t**p if t > e else -1),
        (UNKNOWN, size(take=-1), lambda t, a, p, e: -1, size(never=0), lambda t, a, p, e: t),
    ],
    vertex: [
        ("That seems to be the best", lambda x, y: x[list(y).index(min(y))]),
        ("The sign", ratio(1, 0, 0.5)),
        ("The 2", ratio(1, 0, -1)),
        ("The coefficients", ratio(1, 2, -0.5)),
        ("That seems to be how low", lambda x, y: np.poly1d(np.polyfit(x, y, 2))(by_system(x, y))),
        ("That seems to be the size", lambda x, y: math.exp(by_chords(x, y))),
        ("The parabola", lambda x, y: by_system(np.exp(x), y)),
        (UNKNOWN, lambda x, y: sum(x) / 3, lambda x, y: np.polyfit(x, y, 2), lambda x, y: 0.0),
    ],
}


test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


@QUIET
def test_messages_show_the_case_that_gives_a_mistake_away():
    never = refused(needed, size(at=True))
    assert "(1.0, 5.0, 0.5, 1.0)\n  returns  inf\n  expected -1" in never
    above = refused(needed, lambda t, a, p, e: ((t - e) / a) ** (-1 / p))
    assert "returns  inf\n  expected -1" in above
    forward = refused(training_flops, operations(backward=0))
    assert "([(3, 5)], 7)\n  returns  210\n  expected 630" in forward
