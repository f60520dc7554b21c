"""The checkers of ``careers`` take right answers however they are written, and name what goes wrong."""

from graphlib import TopologicalSorter

import numpy as np

from tests.utils.readers import QUIET, UNKNOWN, answers_of, mistakes_of, refused, single
from utils.checks.careers import effective_size, expected_best, interviews_needed, overlap, reading_order


def needs(before, wanted, steps=99):
    found = list(wanted)
    for _ in range(steps):
        found += [j for i in found for j in range(len(before)) if before[i][j] and j not in found]
    return set(found)


def first_ready(before, needed, pick=min):
    """Answer by counting what each chapter still waits for."""
    done = []
    while len(done) < len(needed):
        ready = [i for i in needed if i not in done and all(j in done for j in needed if before[i][j])]
        done.append(pick(ready))
    return done


def by_loops(before, wanted):
    return first_ready(before, needs(before, wanted))


def by_graphlib(before, wanted):
    needed = needs(before, wanted)
    sorter = TopologicalSorter({i: [j for j in needed if before[i][j]] for i in needed})
    sorter.prepare()
    ready, found = [], []
    while sorter.is_active():
        ready = sorted(ready + list(sorter.get_ready()))
        found.append(ready.pop(0))
        sorter.done(found[-1])
    return np.array(found)


def deepest_first(before, wanted):
    found = []

    def go(i):
        for j in range(len(before)):
            if before[i][j]:
                go(j)
        if i not in found:
            found.append(i)

    for i in wanted:
        go(i)
    return found


def in_layers(before, wanted):
    """Answer with all that is ready, again and again."""
    left, found = needs(before, wanted), []
    while left:
        ready = {i for i in left if not any(before[i][j] for j in left)}
        found, left = found + sorted(ready), left - ready
    return found


def summed(below=lambda a, b: np.maximum(a, b).sum(), above=lambda a, b: np.minimum(a, b).sum()):
    return lambda a, b: above(a, b) / below(a, b)


def pairwise(a, b):
    less = more = 0
    for one, other in zip(a, b, strict=True):
        less, more = less + min(one, other), more + max(one, other)
    return less / more


def tried(start=1, shift=0):
    """Return an answer that tries one number after another."""

    def answer(reliability, goal):
        n = start
        while n * reliability / (1 + (n - 1) * reliability) < goal:
            n += 1
        return n + shift

    return answer


def strip(height=lambda x, f, below, n: n * x * f * below ** (n - 1), left=0.5):
    """Return an answer that adds strip by strip."""

    def answer(x, density, below, n):
        values = height(x, density, below, n)
        return sum((x[i + 1] - x[i]) * (left * values[i] + (1 - left) * values[i + 1]) for i in range(len(x) - 1))

    return answer


def kish(w):
    total = squares = 0.0
    for value in w:
        total, squares = total + value, squares + value * value
    return total * total / squares


RIGHT = {
    reading_order: [by_loops, by_graphlib, single(by_loops)],
    overlap: [
        pairwise,
        single(pairwise),
        summed(),
        lambda a, b: (a.sum() + b.sum() - abs(a - b).sum()) / (a.sum() + b.sum() + abs(a - b).sum()),
    ],
    interviews_needed: [
        tried(),
        single(tried()),
        lambda r, goal: np.ceil((goal / (1 - goal)) / (r / (1 - r))),
    ],
    expected_best: [
        strip(),
        single(strip()),
        lambda x, f, below, n: np.trapezoid(n * x * f * below ** (n - 1), x),
    ],
    effective_size: [
        kish,
        single(kish),
        lambda w: len(w) / (1 + np.var(w) / np.mean(w) ** 2),
        lambda w: 1 / sum((w / sum(w)) ** 2),
    ],
}
WRONG = {
    reading_order: [
        ("What the wanted", lambda b, w: first_ready(b, set(w))),
        ("What their foundations", lambda b, w: first_ready(b, needs(b, w, 1))),
        ("All chapters", lambda b, w: first_ready(b, set(range(len(b))))),
        ("The order seems to be that of the numbers", lambda b, w: sorted(needs(b, w))),
        ("The order seems to be turned", lambda b, w: by_loops(b, w)[::-1]),
        ("Rows and columns", lambda b, w: by_loops(np.transpose(b), w)),
        ("Of chapters that are ready", lambda b, w: first_ready(b, needs(b, w), max)),
        ("All that are ready", in_layers),
        ("The order is possible", deepest_first),
        (UNKNOWN, lambda b, w: list(w), lambda b, w: len(needs(b, w)), lambda b, w: by_loops(b, w)[:1]),
    ],
    overlap: [
        ("That seems to be the cosine", lambda a, b: sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b)),
        (
            "The weights seem",
            lambda a, b: (
                len({*np.flatnonzero(a)} & {*np.flatnonzero(b)}) / len({*np.flatnonzero(a)} | {*np.flatnonzero(b)})
            ),
        ),
        ("It seems to be divided by the first", summed(lambda a, b: a.sum())),
        ("It seems to be divided by the second", summed(lambda a, b: b.sum())),
        ("It seems to be divided by the mean", summed(lambda a, b: (a.sum() + b.sum()) / 2)),
        ("It seems to be divided by both", summed(lambda a, b: a.sum() + b.sum())),
        (
            "It seems to be the mean",
            lambda a, b: np.mean([min(i, j) / max(i, j, 1e-12) for i, j in zip(a, b, strict=True)]),
        ),
        ("The fraction", lambda a, b: np.maximum(a, b).sum() / np.minimum(a, b).sum()),
        ("That seems to be the distance", lambda a, b: abs(a - b).sum() / np.maximum(a, b).sum()),
        (UNKNOWN, summed(lambda a, b: len(a)), lambda a, b: np.minimum(a, b), lambda a, b: pairwise(a, b) ** 2),
    ],
    interviews_needed: [
        ("The number is not whole", lambda r, goal: goal / (1 - goal) * (1 - r) / r),
        ("It seems to be rounded down", tried(shift=-1)),
        ("It seems to be rounded to the nearest", lambda r, goal: np.rint(goal / (1 - goal) * (1 - r) / r)),
        ("Reliability seems", lambda r, goal: -(-goal // r)),
        ("The ratio", lambda r, goal: np.ceil(goal**2 / r**2)),
        ("The goal seems to be squared", lambda r, goal: tried()(r, goal * goal)),
        ("The goal seems to be put", lambda r, goal: goal * r / (1 - r + goal * r)),
        (
            "That seems to be how many tries",
            lambda r, goal: next(n for n in range(1, 99) if 1 - (1 - r) ** n >= goal),
        ),
        (UNKNOWN, tried(shift=1), lambda r, goal: 4, lambda r, goal: np.sqrt(goal)),
    ],
    expected_best: [
        ("The factor n", strip(lambda x, f, below, n: x * f * below ** (n - 1))),
        ("All n seem", strip(lambda x, f, below, n: n * x * f * below**n)),
        ("The value", strip(lambda x, f, below, n: n * f * below ** (n - 1))),
        ("The others", strip(lambda x, f, below, n: n * x * f)),
        ("That seems to be the worst", strip(lambda x, f, below, n: n * x * f * (1 - below) ** (n - 1))),
        ("The widths", lambda x, f, below, n: sum(n * x * f * below ** (n - 1))),
        ("The places", lambda x, f, below, n: np.trapezoid(n * x * f * below ** (n - 1))),
        ("All widths", lambda x, f, below, n: np.trapezoid(n * x * f * below ** (n - 1), dx=x[1] - x[0])),
        ("Each height", strip(left=1.0)),
        ("The power", strip(lambda x, f, below, n: n * x * f * below)),
        (UNKNOWN, strip(left=0.0), lambda x, f, below, n: max(x), lambda x, f, below, n: x * f),
    ],
    effective_size: [
        ("That seems to be the number", len),
        ("That seems to be the sum", sum),
        ("The fraction", lambda w: sum(w**2) / sum(w) ** 2),
        ("That seems to be the share", lambda w: np.mean(w) ** 2 / np.mean(w * w)),
        ("The weights seem", lambda w: 1 / (w @ w)),
        ("The square above", lambda w: sum(w) / (w @ w)),
        ("It seems to be divided", lambda w: sum(w) / max(w)),
        ("That seems to be the length", np.linalg.norm),
        ("The spread", lambda w: len(w) / (1 + np.std(w) / np.mean(w))),
        (UNKNOWN, lambda w: 2 * kish(w), lambda w: len(w) / (1 + np.var(w)), lambda w: w),
    ],
}


test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


@QUIET
def test_messages_show_the_case_that_gives_a_mistake_away():
    down = refused(interviews_needed, tried(shift=-1))
    assert "(0.37, 0.8)\n  returns  6\n  expected 7" in down
    first = refused(overlap, summed(lambda a, b: a.sum()))
    assert "([3, 0, 1, 2], [1, 2, 1, 0])\n  returns  0.33" in first
