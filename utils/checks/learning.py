"""The checkers of the chapter ``learning``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch.activations import softmax, softmax_backward
from utils.scratch.optimizers import AdamW

Answer = Callable[..., Any]


def softmax_gradient(attempt: Answer) -> None:
    """Check ``softmax_gradient(dp, p)``: the gradient with respect to the scores, given that at the output ``p``."""
    mistakes = [
        Mistake(lambda dp, p: p * dp, "Only the diagonal seems to be there: one score also moves the rest of its row."),
        Mistake(
            lambda dp, p: dp * p * (1 - p),
            "Only the diagonal p (1 - p) seems to be there, as for a sigmoid: one score moves its whole row.",
        ),
        Mistake(
            lambda dp, p: p * (dp - dp.sum(axis=1, keepdims=True)),
            "The weights seem to be missing in the sum: it is over dp · p, the mean of dp under p.",
        ),
        Mistake(
            lambda dp, p: p * (dp - dp.mean(axis=1, keepdims=True)),
            "The mean seems to be unweighted: each dp counts with its p.",
        ),
        Mistake(
            lambda dp, p: p * (dp - (dp * p).sum(axis=1)),
            "The sums seem to lack keepdims=True: here each is taken off a column, not off its row.",
        ),
        Mistake(
            lambda dp, p: p * (dp - (dp * p).sum()),
            "The sum seems to run over the whole array: each row has a softmax of its own.",
        ),
        Mistake(
            lambda dp, p: p * (dp - (dp * p).sum(axis=0)),
            "The sum seems to run down the columns: the probabilities of one example stand in a row.",
        ),
        Mistake(
            lambda dp, p: p * (dp + (dp * p).sum(axis=1, keepdims=True)),
            "A sign seems to be wrong: the mean of dp under p is taken off.",
        ),
        Mistake(
            lambda dp, p: dp - (dp * p).sum(axis=1, keepdims=True),
            "The factor p in front seems to be missing: a probability near 0 hardly moves.",
        ),
        Mistake(
            lambda dp, p: p - dp,
            "That seems to be the gradient of softmax and cross-entropy together: here dp may come from any loss.",
        ),
    ]
    rng = np.random.default_rng(0)
    cases = [(rng.normal(size=shape).round(1), softmax(rng.normal(size=shape)).round(2)) for shape in ((2, 3), (3, 3))]
    check(attempt, softmax_backward, cases, mistakes)


def unbroadcast(attempt: Answer) -> None:
    """Check ``unbroadcast(dy, shape)``: the gradient of an array of that shape, broadcast to that of ``dy``."""

    def solution(dy: np.ndarray, shape: tuple[int, ...], add: Callable[..., np.ndarray] = np.sum) -> np.ndarray:
        front = dy.ndim - len(shape)
        axes = (*range(front), *(front + i for i, n in enumerate(shape) if n == 1))
        return add(dy, axis=axes).reshape(shape)

    def first(dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        index = (0,) * (dy.ndim - len(shape)) + tuple(slice(0, n) for n in shape)
        return dy[index]

    def front_only(dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return dy.sum(axis=tuple(range(dy.ndim - len(shape))))

    def no_keepdims(dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        dy = front_only(dy, shape)
        return dy.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1))

    def ones_only(dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        for axis, n in enumerate(shape):
            if n == 1:
                dy = dy.sum(axis=axis, keepdims=True)
        return dy

    mistakes = [
        Mistake(lambda dy, shape: dy, "Nothing seems to be added up: the gradient has the shape of the array itself."),
        Mistake(
            lambda dy, shape: solution(dy, shape, np.mean),
            "It seems to take the mean: an element that was used three times moves the loss three times, so add.",
        ),
        Mistake(first, "Only the first use seems to count: all uses add up."),
        Mistake(
            front_only,
            "The axes of length 1 seem to be left out: they were repeated too, and keep their place with length 1.",
        ),
        Mistake(no_keepdims, "The axes of length 1 seem to be gone: keepdims=True leaves them in place."),
        Mistake(
            lambda dy, shape: dy.sum(axis=0),
            "It seems to sum over the first axis always: the shape says which axes were repeated.",
        ),
        Mistake(
            ones_only,
            "The axes in front seem to be left: an array with fewer axes was repeated along new ones in front.",
        ),
    ]
    rng = np.random.default_rng(1)
    cases = [
        (rng.integers(-9, 9, size=shape).astype(float), target)
        for shape, target in (((3, 2), (2,)), ((2, 3), (2, 1)), ((2, 3, 2), (1, 2)), ((2, 2), (2, 2)))
    ]
    check(attempt, solution, cases, mistakes)


def last_velocity(attempt: Answer) -> None:
    """Check ``last_velocity(gradients, rate, share)``: the velocity of momentum after all gradients."""

    def weighted(
        age: Callable[[int], np.ndarray], sign: float = -1, rated: bool = True, scaled: bool = False
    ) -> Answer:
        def answer(gradients: np.ndarray, rate: float, share: float) -> np.ndarray:
            weights = share ** age(len(gradients)) * ((1 - share) if scaled else 1)
            return sign * (rate if rated else 1) * weights @ gradients

        return answer

    def ages(count: int) -> np.ndarray:
        return np.arange(count)[::-1]

    mistakes = [
        Mistake(
            weighted(np.arange),
            "The weights seem to be the wrong way round: the last gradient has weight 1, older ones less.",
        ),
        Mistake(
            weighted(lambda count: ages(count) + 1),
            "Every weight seems to have one factor too many: the last gradient has not been multiplied by the share.",
        ),
        Mistake(weighted(ages, sign=1), "The sign seems to be missing: the velocity points downhill."),
        Mistake(weighted(ages, rated=False), "The learning rate seems to be missing."),
        Mistake(
            weighted(ages, scaled=True),
            "A factor 1 - share seems to be there, as in Adam's running mean: in (13) the new gradient counts in full.",
        ),
        Mistake(
            lambda gradients, rate, share: -rate * gradients.sum(axis=0),
            "Nothing seems to be forgotten: each step multiplies all older gradients by the share.",
        ),
        Mistake(
            lambda gradients, rate, share: -rate * gradients.sum(axis=0) / (1 - share),
            "Every gradient seems to weigh 1 / (1 - share), what all together come to if they are equal and many.",
        ),
        Mistake(
            lambda gradients, rate, share: -rate * gradients[-1],
            "Only the last gradient seems to count: that is a share of 0.",
        ),
    ]
    cases = [
        (np.array([[1.0, 0.0], [0.0, 2.0], [4.0, 1.0]]), 0.1, 0.5),
        (np.array([[3.0], [-1.0], [2.0], [6.0]]), 0.5, 0.9),
    ]
    check(attempt, weighted(ages), cases, mistakes)


def first_step(attempt: Answer) -> None:
    """Check ``first_step(w, g, rate, decay)``: one step of AdamW from the beginning."""

    def solution(w: np.ndarray, g: np.ndarray, rate: float, decay: float) -> np.ndarray:
        w = w.copy()
        AdamW(rate, decay).update([w], [g])
        return w

    def adam(g: np.ndarray, root: float = 0.5, corrected: bool = True, inside: float = 0) -> np.ndarray:
        below = (0.001 * g**2 + inside) ** root
        return (np.sqrt(0.001) / 0.1 if corrected else 1) * 0.1 * g / (below + 1e-7)

    def decayed(step: Callable[[np.ndarray], np.ndarray]) -> Answer:
        return lambda w, g, rate, decay: w - rate * decay * w - rate * step(g)

    mistakes = [
        Mistake(lambda w, g, rate, decay: w - rate * adam(g), "The decay seems to be missing."),
        Mistake(
            lambda w, g, rate, decay: w - rate * adam(g + decay * w),
            "The decay seems to be in the gradient: that is an L2 penalty, which Adam divides by its own size.",
        ),
        Mistake(
            lambda w, g, rate, decay: w - decay * w - rate * adam(g),
            "The decay seems to lack the learning rate: in Keras each step takes rate · decay of the weight.",
        ),
        Mistake(
            lambda w, g, rate, decay: w + rate * decay * w - rate * adam(g),
            "The decay seems to make weights larger: it takes a share off.",
        ),
        Mistake(
            lambda w, g, rate, decay: (w - rate * adam(g)) * (1 - rate * decay),
            "The decay seems to come after the step: it takes its share off the weights as they were before.",
        ),
        Mistake(
            decayed(lambda g: adam(g, corrected=False)),
            "The correction seems to be missing: both means start at 0 and are too small by different factors.",
        ),
        Mistake(
            decayed(lambda g: adam(g, root=1)),
            "The root seems to be missing: the mean is divided by the root of the mean square.",
        ),
        Mistake(
            decayed(lambda g: adam(g, inside=1e-7)),
            "ε seems to stand inside the root, as in (15): (16) adds it to the root of ν.",
        ),
        Mistake(
            decayed(lambda g: g / (np.abs(g) + 1e-7)),
            "ε seems to stand beside the root of the corrected ν, as in the paper's algorithm 1: (16) takes ν itself.",
        ),
        Mistake(
            decayed(lambda g: np.sqrt(0.001) / 0.1 * 0.9 * g / (np.sqrt(0.999 * g**2) + 1e-7)),
            "β and 1 - β seem to be swapped in the means: after one step μ is a tenth of the gradient.",
        ),
        Mistake(
            decayed(lambda g: g),
            "That seems to be plain gradient descent with decay: Adam divides by the size of the gradient.",
        ),
        Mistake(decayed(lambda g: -adam(g)), "It seems to climb: the step goes against the gradient."),
    ]
    cases = [
        (np.array([1.0, -2.0, 4.0]), np.array([0.5, 3.0, -1e-5]), 0.1, 0.5),
        (np.array([2.0, 0.5]), np.array([-5.0, 8.0]), 0.5, 0.2),
    ]
    check(attempt, solution, cases, mistakes)


def variance_for_leaky(attempt: Answer) -> None:
    """Check ``variance_for_leaky(n, a)``: the variance of weights in front of a leaky ReLU."""
    mistakes = [
        Mistake(lambda n, a: 2 / n, "The slope seems to be missing: negative scores come through too, times alpha."),
        Mistake(lambda n, a: 1 / n, "That seems to be for no activation at all: negative scores shrink by alpha."),
        Mistake(lambda n, a: 2 / (n * (1 + a)), "The slope seems not to be squared: what is kept is the mean square."),
        Mistake(
            lambda n, a: 1 / (n * (0.5 + a**2)),
            "The half seems to be at one sign only: both halves of the scores count half.",
        ),
        Mistake(
            lambda n, a: 1 / (n * (1 + a**2)),
            "The half seems to be missing: each sign of the scores makes up half of the mean square.",
        ),
        Mistake(
            lambda n, a: 2 * (1 + a**2) / n,
            "The factor seems to be upside down: the more comes through, the smaller the weights must be.",
        ),
        Mistake(lambda n, a: np.sqrt(2 / (n * (1 + a**2))), "That seems to be the standard deviation: square it."),
        Mistake(lambda n, a: 2 / (n * (1 - a**2)), "A sign seems to be wrong: the negative half adds to the sum."),
        Mistake(lambda n, a: 2 / (1 + a**2), "The number of inputs seems to be missing: a score sums up n products."),
    ]
    check(attempt, lambda n, a: 2 / (n * (1 + a**2)), [(100, 0.0), (2, 0.3), (10, 0.8), (4, 0.5)], mistakes)


def log_sum_exp(attempt: Answer) -> None:
    """Check ``log_sum_exp(z)``: the logarithm of the sum of exponentials of each row, for scores of any size."""

    def shifted(z: np.ndarray, largest: np.ndarray, back: float = 1) -> np.ndarray:
        return back * largest[:, 0] + np.log(np.exp(z - largest).sum(axis=1))

    def solution(z: np.ndarray) -> np.ndarray:
        return shifted(z, z.max(axis=1, keepdims=True))

    mistakes = [
        Mistake(
            lambda z: np.log(np.exp(z).sum(axis=1)),
            "The exponentials seem to overflow, or all to round to 0: take the largest score of the row off first.",
        ),
        Mistake(
            lambda z: shifted(z, z.max(axis=1, keepdims=True), back=0),
            "What was taken off seems not to be added again: without it the answer is too small by m.",
        ),
        Mistake(
            lambda z: shifted(z, z.max(axis=1, keepdims=True), back=-1),
            "The sign seems to be wrong: what was taken off is added again.",
        ),
        Mistake(lambda z: np.log(np.exp(z)).sum(axis=1), "The logarithm seems to be inside the sum."),
        Mistake(
            lambda z: shifted(z, np.full((len(z), 1), z.max())),
            "All rows seem to be shifted by one number: a row far below it rounds to 0, so each needs its own.",
        ),
        Mistake(
            lambda z: shifted(z, z.mean(axis=1, keepdims=True)),
            "It seems to shift by the mean: the largest score must end at 0, or it may still overflow.",
        ),
        Mistake(
            lambda z: shifted(z, z.min(axis=1, keepdims=True)),
            "It seems to shift by the smallest: the largest score must end at 0, or it may still overflow.",
        ),
        Mistake(lambda z: z.max(axis=1), "Only the largest score seems to count: the others add to the sum."),
        Mistake(lambda z: solution(z.T), "It seems to run down the columns: an example's scores stand in a row."),
    ]
    cases = [
        (np.array([[0.0, 1.0, 2.0], [3.0, 3.0, 0.5], [1.0, -1.0, 0.0]]),),
        (np.array([[1000.0, 1001.0, 999.0], [-1000.0, -1001.0, -1000.5], [0.0, -np.inf, 1.0], [0.0, -1200.0, 1.0]]),),
    ]
    check(attempt, solution, cases, mistakes)
