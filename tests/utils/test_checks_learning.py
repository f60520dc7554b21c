"""The checkers of ``learning``, asked with answers as readers write them, right ones and wrong ones."""

import math

import numpy as np

from tests.utils.readers import QUIET, UNKNOWN, answers_of, mistakes_of, refused, single
from utils.checks.learning import (
    first_step,
    last_velocity,
    log_sum_exp,
    softmax_gradient,
    unbroadcast,
    variance_for_leaky,
)


def by_jacobian(dp, p):
    return [(np.diag(row) - np.outer(row, row)) @ g for row, g in zip(p, dp, strict=True)]


def softmax_back(axis=1, weighted=True, sign=-1, factor=True):
    def answer(dp, p):
        mean = (dp * p if weighted else dp).sum(axis=axis, keepdims=True)
        return (p if factor else 1) * (dp + sign * mean)

    return answer


def in_loops(dy, shape):
    """Add every element to where it came from."""
    found = np.zeros(shape)
    for index, value in np.ndenumerate(dy):
        place = index[dy.ndim - len(shape) :]
        found[tuple(0 if n == 1 else i for i, n in zip(place, shape, strict=True))] += value
    return found


def added(front=True, ones=True, keep=True, add=np.sum):
    def answer(dy, shape):
        while front and dy.ndim > len(shape):
            dy = add(dy, axis=0)
        for axis in reversed(range(len(shape))):
            if ones and shape[axis] == 1:
                dy = add(dy, axis=axis, keepdims=keep)
        return dy

    return answer


def rolled(gradients, rate, share, start=1.0, sign=-1, late=False):
    v = np.zeros(gradients.shape[1])
    for g in gradients:
        v = share * (v + sign * rate * g) if late else share * v + sign * rate * start * g
    return v


EPSILON = 1e-7 / math.sqrt(0.001)  # (16)'s, beside the root of the corrected mean


def adamw(w, g, rate, decay, before=True, inside=False, new=(0.1, 0.001), epsilon=EPSILON, under=0):
    if inside:
        g = g + decay * w
    mean, square = new[0] * g / 0.1, new[1] * g**2 / 0.001
    step = rate * mean / (np.sqrt(square + under) + epsilon)
    if inside:
        return w - step
    return w * (1 - rate * decay) - step if before else (w - step) * (1 - rate * decay)


def row_by_row(z):
    return [max(row) + math.log(sum(math.exp(number - max(row)) for number in row)) for row in z]


RIGHT = {
    softmax_gradient: [by_jacobian, softmax_back(), single(softmax_back())],
    unbroadcast: [in_loops, added(), single(added())],
    last_velocity: [
        rolled,
        single(rolled),
        lambda g, r, s: -r * sum(s ** (len(g) - 1 - i) * g[i] for i in range(len(g))),
    ],
    first_step: [adamw, single(adamw), lambda w, g, r, d: w - r * (d * w + g / (np.abs(g) + 1e-7 / 0.001**0.5))],
    variance_for_leaky: [lambda n, a: 1 / (n / 2 * (1 + a * a)), lambda n, a: np.float32(1 / (n * (0.5 + a**2 / 2)))],
    log_sum_exp: [
        row_by_row,
        lambda z: np.logaddexp.reduce(z, axis=1),
        single(lambda z: np.logaddexp.reduce(z, axis=1)),
    ],
}
WRONG = {
    softmax_gradient: [
        ("Only the diagonal seems", lambda dp, p: dp * p),
        ("Only the diagonal p (1 - p)", lambda dp, p: dp * p * (1 - p), lambda dp, p: dp * (p - p**2)),
        ("The weights seem to be missing", softmax_back(weighted=False)),
        ("The mean seems to be unweighted", lambda dp, p: p * (dp - dp.mean(axis=1)[:, None])),
        ("The sums seem to lack keepdims", lambda dp, p: p * (dp - np.einsum("ij,ij->i", dp, p))),
        ("The sum seems to run over the whole", softmax_back(axis=None)),
        ("The sum seems to run down", softmax_back(axis=0)),
        ("A sign seems to be wrong", softmax_back(sign=1)),
        ("The factor p", softmax_back(factor=False)),
        ("That seems to be the gradient of softmax and", lambda dp, p: p - dp),
        (
            UNKNOWN,
            lambda dp, p: dp - p,
            lambda dp, p: -softmax_back()(dp, p),
            lambda dp, p: p * dp.sum(axis=1)[:, None],
        ),
        (UNKNOWN, lambda dp, p: softmax_back()(dp, p).T, lambda dp, p: softmax_back()(dp, p) / len(p)),
    ],
    unbroadcast: [
        ("Nothing seems to be added up", lambda dy, shape: dy),
        ("It seems to take the mean", added(add=np.mean)),
        ("Only the first use", lambda dy, s: dy[(0,) * (dy.ndim - len(s))][tuple(map(slice, s))]),
        ("The axes of length 1 seem to be left out", added(ones=False)),
        ("The axes of length 1 seem to be gone", added(keep=False)),
        ("The axes in front", lambda dy, shape: added(front=False)(dy, shape)),
        ("It seems to sum over the first", lambda dy, shape: dy.sum(axis=0), lambda dy, shape: sum(dy)),
        (UNKNOWN, lambda dy, shape: dy.sum(), lambda dy, shape: np.zeros(shape), added(add=np.max)),
        (UNKNOWN, lambda dy, shape: -added()(dy, shape), lambda dy, shape: dy.sum(axis=-1)),
    ],
    last_velocity: [
        ("The weights seem to be the wrong way", lambda g, r, s: rolled(g[::-1], r, s)),
        ("Every weight seems to have one factor", lambda g, r, s: rolled(g, r, s, late=True)),
        ("The sign seems to be missing", lambda g, r, s: rolled(g, r, s, sign=1)),
        ("The learning rate seems", lambda g, r, s: rolled(g, 1, s)),
        ("A factor 1 - share", lambda g, r, s: rolled(g, r, s, start=1 - s)),
        ("Nothing seems to be forgotten", lambda g, r, s: rolled(g, r, 1.0)),
        ("Every gradient seems to weigh", lambda g, r, s: rolled(g, r, 1.0) / (1 - s)),
        ("Only the last gradient", lambda g, r, s: rolled(g, r, 0.0)),
        (UNKNOWN, lambda g, r, s: rolled(g, r, 1 - s), lambda g, r, s: rolled(g[1:], r, s), lambda g, r, s: 0 * g[0]),
        (UNKNOWN, lambda g, r, s: -r * g.mean(axis=0), lambda g, r, s: -r * g / (1 - s), lambda g, r, s: r),
    ],
    first_step: [
        ("The decay seems to be missing", lambda w, g, r, d: adamw(w, g, r, 0)),
        ("The decay seems to be in the gradient", lambda w, g, r, d: adamw(w, g, r, d, inside=True)),
        ("The decay seems to lack", lambda w, g, r, d: adamw(w, g, r, 0) - d * w),
        ("The decay seems to make", lambda w, g, r, d: adamw(w, g, r, -d)),
        ("The decay seems to come after", lambda w, g, r, d: adamw(w, g, r, d, before=False)),
        ("ε seems to stand inside", lambda w, g, r, d: adamw(w, g, r, d, epsilon=0, under=1e-4)),
        ("ε seems to stand beside", lambda w, g, r, d: adamw(w, g, r, d, epsilon=1e-7)),
        ("β and 1 - β", lambda w, g, r, d: adamw(w, g, r, d, new=(0.9, 0.999))),
        ("The correction", lambda w, g, r, d: w * (1 - r * d) - r * 0.1 * g / (np.sqrt(0.001 * g**2) + 1e-7)),
        ("The root", lambda w, g, r, d: w * (1 - r * d) - r * np.sqrt(0.001) * g / (0.001 * g**2 + 1e-7)),
        ("That seems to be plain", lambda w, g, r, d: w - r * (g + d * w)),
        ("It seems to climb", lambda w, g, r, d: adamw(w, -g, r, d)),
        (UNKNOWN, lambda w, g, r, d: adamw(w, g, r, d, epsilon=0), lambda w, g, r, d: w, lambda w, g, r, d: -r * g),
    ],
    variance_for_leaky: [
        ("The slope seems to be missing", lambda n, a: 2 / n),
        ("The slope seems not to be squared", lambda n, a: 2 / n / (1 + a)),
        ("That seems to be for no activation", lambda n, a: 1 / n),
        ("The half seems to be at one sign", lambda n, a: 2 / n / (1 + 2 * a * a)),
        ("The half seems to be missing", lambda n, a: 1 / n / (1 + a * a)),
        ("The factor seems to be upside down", lambda n, a: 2 / n * (1 + a * a)),
        ("That seems to be the standard", lambda n, a: math.sqrt(2 / n / (1 + a * a))),
        ("A sign seems", lambda n, a: 2 / (n * (1 - a * a)), lambda n, a: np.float64(2) / n / (1 - a**2)),
        ("The number of inputs", lambda n, a: 2 / (1 + a * a)),
        (
            UNKNOWN,
            lambda n, a: a / n,
            lambda n, a: n * (1 + a**2) / 2,
            lambda n, a: 2 / n / (1 - a / 2),
            lambda n, a: a,
        ),
    ],
    log_sum_exp: [
        ("The exponentials seem to overflow", lambda z: np.log(np.sum(np.exp(z), axis=1))),
        ("What was taken off", lambda z: np.log(np.exp(z - z.max(axis=1)[:, None]).sum(axis=1))),
        (
            "The sign seems to be wrong",
            lambda z: np.log(np.exp(z - z.max(axis=1)[:, None]).sum(axis=1)) - z.max(axis=1),
        ),
        ("The logarithm seems to be inside", lambda z: np.sum(np.log(np.exp(z)), axis=1)),
        ("All rows seem to be shifted", lambda z: z.max() + np.log(np.exp(z - z.max()).sum(axis=1))),
        ("It seems to shift by the mean", lambda z: (m := z.mean(1)) + np.log(np.exp(z - m[:, None]).sum(1))),
        ("It seems to shift by the smallest", lambda z: (m := z.min(1)) + np.log(np.exp(z - m[:, None]).sum(1))),
        ("Only the largest", lambda z: z.max(axis=1)),
        ("It seems to run down", lambda z: np.logaddexp.reduce(z, axis=0)),
        (UNKNOWN, lambda z: np.logaddexp.reduce(z, axis=None), lambda z: -np.logaddexp.reduce(z, axis=1)),
        (UNKNOWN, lambda z: np.logaddexp.reduce(z, axis=1) - np.log(z.shape[1]), lambda z: z.sum(axis=1)),
    ],
}


test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


@QUIET
def test_messages_show_the_case_that_gives_a_mistake_away():
    overflow = refused(log_sum_exp, lambda z: np.log(np.exp(z).sum(axis=1)))
    assert "\n  returns  [inf, -inf, 1.3132" in overflow
    missing = refused(variance_for_leaky, lambda n, a: 2 / n)
    assert "(2, 0.3)\n  returns  1.0\n  expected 0.91743" in missing
