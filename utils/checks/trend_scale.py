"""The checkers of the chapter ``trend-scale``."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch import feed_forward_language, scaling

Answer = Callable[..., Any]


def fitted(attempt: Answer) -> None:
    """Check ``fitted(sizes, losses)``: a and alpha of the power law without a floor, by least squares in logarithms."""

    def solution(sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
        law = scaling.fit_power_law(sizes, losses)
        return law.a, law.alpha

    def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        slope, height = np.polyfit(x, y, 1)
        return height, slope

    def through(sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
        alpha = np.log(losses[0] / losses[-1]) / np.log(sizes[-1] / sizes[0])
        return losses[0] * sizes[0] ** alpha, alpha

    def logs(sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
        return line(np.log(sizes), np.log(losses))

    mistakes = [
        Mistake(
            lambda x, y: (solution(x, y)[0], -solution(x, y)[1]),
            "The sign of alpha seems to be lost: the line falls, and the exponent is minus its slope.",
        ),
        Mistake(
            lambda x, y: (logs(x, y)[0], -logs(x, y)[1]),
            "The height of the line seems to be returned for a: it is a's logarithm.",
        ),
        Mistake(logs, "Height and slope of the line seem to be returned as they are: a and alpha follow from them."),
        Mistake(
            lambda x, y: (np.exp(np.log10(solution(x, y)[0])), solution(x, y)[1]),
            "Logarithms to base 10 seem to be undone with exp: their inverse is a power of 10.",
        ),
        Mistake(lambda x, y: solution(x, y)[::-1], "The two numbers seem to be swapped: a comes first."),
        Mistake(
            lambda x, y: (line(x, y)[0], -line(x, y)[1]),
            "The line seems to go through sizes and losses themselves: take the logarithm of both.",
        ),
        Mistake(
            lambda x, y: (line(np.log(x), y)[0], -line(np.log(x), y)[1]),
            "Only the sizes seem to have a logarithm: the losses need one, too.",
        ),
        Mistake(
            lambda x, y: (np.exp(line(x, np.log(y))[0]), -line(x, np.log(y))[1]),
            "Only the losses seem to have a logarithm: the sizes need one, too.",
        ),
        Mistake(through, "The line seems to go through the first and the last point: all of them count."),
    ]
    cases = [
        (np.array([100.0, 1000.0, 10000.0]), np.array([4.0, 3.5, 2.0])),
        (np.array([2.0, 4.0, 8.0, 32.0]), np.array([5.0, 3.0, 2.5, 1.25])),
    ]
    check(attempt, solution, cases, mistakes)


def training_flops(attempt: Answer) -> None:
    """Check ``training_flops(layers, tokens)``: the operations of a training, forward and backward, by the matrices."""

    def solution(layers: Sequence[tuple[int, int]], tokens: int) -> float:
        return float(scaling.flops(sum(n * m for n, m in layers), tokens))

    def counted(each: int = 6, of: Callable[[int, int], int] = lambda n, m: n * m) -> Answer:
        return lambda layers, tokens: each * tokens * sum(of(n, m) for n, m in layers)

    mistakes = [
        Mistake(counted(2), "The backward pass seems to be missing: it has two products where forward has one."),
        Mistake(counted(4), "One of the three products seems to be missing: forward, for the weights, for the inputs."),
        Mistake(counted(3), "A multiplication with its addition seems to count as one operation: they are two."),
        Mistake(counted(1), "Each weight seems to count once: it takes several operations for each token."),
        Mistake(
            counted(of=lambda n, m: n * m + m),
            "The biases seem to be counted as weights: they are in no matrix product.",
        ),
        Mistake(
            counted(of=lambda n, m: n + m), "Inputs and units seem to be added: a matrix has one weight for each pair."
        ),
        Mistake(
            lambda layers, tokens: counted()(layers, 1),
            "The tokens seem to be missing: each of them goes through all matrices.",
        ),
        Mistake(
            lambda layers, tokens: counted()(layers[:1], tokens),
            "Only the first layer seems to count: add all of them.",
        ),
    ]
    cases = [([(3, 5)], 7), ([(192, 64), (64, 64), (64, 88)], 1000), ([(7, 2), (2, 9)], 1)]
    check(attempt, solution, cases, mistakes)


def allocation(attempt: Answer) -> None:
    """Check ``allocation(compute, a, b, alpha, beta)``: the best parameters and tokens for a budget of 6 N D."""

    def solution(compute: float, a: float, b: float, alpha: float, beta: float) -> tuple[float, float]:
        n, d = scaling.optimal_allocation(compute, scaling.TwoTermLaw(0.0, a, b, alpha, beta))
        return float(n), float(d)

    def split(
        ratio: Callable[[float, float, float, float], float] = lambda a, b, alpha, beta: alpha * a / (beta * b),
        root: bool = True,
        factor: float = 6.0,
        turned: bool = False,
        inverse: float = 1.0,
        tokens: float = -1.0,
    ) -> Answer:
        def answer(compute: float, a: float, b: float, alpha: float, beta: float) -> tuple[float, float]:
            total = alpha + beta
            g = ratio(a, b, alpha, beta) ** (inverse / (total if root else 1))
            of_n, of_d = (alpha, beta) if turned else (beta, alpha)
            return g * (compute / factor) ** (of_n / total), g**tokens * (compute / factor) ** (of_d / total)

        return answer

    mistakes = [
        Mistake(
            split(turned=True),
            "The exponents seem to be swapped: parameters grow with beta over the sum, tokens with alpha over it.",
        ),
        Mistake(split(factor=1.0), "The 6 seems to be missing: N times D is a sixth of the compute."),
        Mistake(
            split(inverse=-1.0), "G seems to be upside down: where too few parameters cost more, take more of them."
        ),
        Mistake(split(root=False), "The root in G seems to be missing: its exponent is 1 over alpha + beta."),
        Mistake(
            split(lambda a, b, alpha, beta: a / b),
            "G seems to have A and B alone: alpha and beta come with them, from the derivative.",
        ),
        Mistake(
            split(lambda a, b, alpha, beta: beta * a / (alpha * b)),
            "In G alpha and beta seem to be swapped: alpha stands with A, beta with B.",
        ),
        Mistake(split(tokens=1.0), "Parameters and tokens both seem to be multiplied by G: the tokens are divided."),
        Mistake(lambda *case: solution(*case)[::-1], "The two results seem to be swapped: parameters come first."),
        Mistake(
            lambda compute, *law: (np.sqrt(compute / 6),) * 2,
            "Both seem to get the same: the law says which of them is worth more.",
        ),
    ]
    cases = [(6e4, 3.0, 5.0, 0.25, 0.75), (1e6, 20.0, 4.0, 0.5, 0.3), (600.0, 2.0, 2.0, 0.4, 0.5)]
    check(attempt, solution, cases, mistakes)


def exact_match(attempt: Answer) -> None:
    """Check ``exact_match(hits, length)``: the share of places from which the next guesses are all right."""

    def windows(hits: np.ndarray, length: int) -> np.ndarray:
        return np.lib.stride_tricks.sliding_window_view(hits, length)

    mistakes = [
        Mistake(
            lambda hits, length: np.mean(hits) ** length,
            "The share of right guesses seems to be raised to a power: that is exact only if they are independent.",
        ),
        Mistake(
            lambda hits, length: hits[: len(hits) // length * length].reshape(-1, length).all(axis=1).mean(),
            "The runs seem not to overlap: every place begins one.",
        ),
        Mistake(
            lambda hits, length: windows(hits, length).all(axis=1).sum() / len(hits),
            "It seems to divide by all places: from the last ones no full run begins.",
        ),
        Mistake(
            lambda hits, length: windows(hits, length).any(axis=1).mean(),
            "One right guess seems to suffice: all of a run must be right.",
        ),
        Mistake(
            lambda hits, length: windows(hits, length).mean(),
            "It seems to be the mean share of right guesses in a run: one wrong guess spoils all of it.",
        ),
        Mistake(
            lambda hits, length: hits.mean(),
            "That seems to be the share of right guesses, each on its own: the length is not used.",
        ),
        Mistake(
            lambda hits, length: windows(hits, length)[:-1].all(axis=1).mean(),
            "The last run seems to be missing: one begins as late as the length before the end.",
        ),
        Mistake(
            lambda hits, length: windows(hits, length).all(axis=1).sum(),
            "That seems to be the number of places: divide by how many runs there are.",
        ),
    ]
    cases = [
        (np.array([1, 1, 0, 1, 1, 1, 0, 1, 1], bool), 2),
        (np.array([1, 1, 1, 1, 0, 0, 1, 1, 1, 1], bool), 3),
        (np.array([1, 0, 1, 1], bool), 1),
    ]
    check(attempt, feed_forward_language.exact_match, cases, mistakes)


def needed(attempt: Answer) -> None:
    """Check ``needed(target, a, alpha, floor)``: the size at which a law gets down to a loss; -1 if it never does."""

    def solution(target: float, a: float, alpha: float, floor: float) -> float:
        return (a / (target - floor)) ** (1 / alpha) if target > floor else -1

    def guarded(answer: Answer, never: float = -1) -> Answer:
        return lambda target, a, alpha, floor: answer(target, a, alpha, floor) if target > floor else never

    mistakes = [
        Mistake(
            lambda target, a, alpha, floor: ((target - floor) / a) ** (-1 / alpha),
            "The floor seems not to be looked at first: a law never gets to it, so return -1 there.",
        ),
        Mistake(
            lambda target, a, alpha, floor: ((target - floor) / a) ** (-1 / alpha) if target >= floor else -1,
            "At the floor itself it seems to answer: no size gets there, so return -1.",
        ),
        Mistake(
            guarded(lambda target, a, alpha, floor: (a / (target - floor)) ** (1 / alpha), np.inf),
            "Where the law never gets there, it seems to be infinite: return -1.",
        ),
        Mistake(
            guarded(lambda target, a, alpha, floor: (a / target) ** (1 / alpha)),
            "The floor seems not to be taken off the target: the power law is what stands above it.",
        ),
        Mistake(
            guarded(lambda target, a, alpha, floor: ((target - floor) / a) ** (1 / alpha)),
            "The sign of the exponent seems to be lost: a smaller loss needs a larger size.",
        ),
        Mistake(
            guarded(lambda target, a, alpha, floor: (a / (target - floor)) ** alpha),
            "The exponent seems to be alpha: to undo a power, take one over it.",
        ),
        Mistake(
            guarded(lambda target, a, alpha, floor: (target - floor) ** (-1 / alpha)),
            "The a of the law seems to be missing: divide by it before the root.",
        ),
        Mistake(
            guarded(lambda target, a, alpha, floor: a * (target - floor) ** (-1 / alpha)),
            "The root seems not to be taken of a: it multiplies the power, so it is inside.",
        ),
        Mistake(
            guarded(lambda target, a, alpha, floor: floor + a * target**-alpha),
            "The target seems to be put into the law as a size: it is a loss, and the size is asked for.",
        ),
    ]
    cases = [
        (np.float64(target), a, alpha, floor)
        for target, a, alpha, floor in ((2.0, 6.0, 0.5, 1.0), (1.5, 4.0, 0.25, 0.5), (1.0, 5.0, 0.5, 1.0))
    ]
    check(attempt, solution, [*cases, (np.float64(0.5), 3.0, 0.4, 0.8), (np.float64(3.0), 4.5, 0.2, 0.0)], mistakes)


def vertex(attempt: Answer) -> None:
    """Check ``vertex(log_sizes, losses)``: where the parabola through three points has its lowest point."""

    def solution(log_sizes: np.ndarray, losses: np.ndarray) -> float:
        return scaling.parabola_minimum(log_sizes, losses)[0]

    def ratio(up: int, down: int, factor: float) -> Answer:
        def answer(log_sizes: np.ndarray, losses: np.ndarray) -> float:
            coefficients = np.polyfit(log_sizes, losses, 2)
            return factor * coefficients[up] / coefficients[down]

        return answer

    mistakes = [
        Mistake(
            lambda log_sizes, losses: log_sizes[np.argmin(losses)],
            "That seems to be the best of the three points: the parabola may be lowest between them.",
        ),
        Mistake(
            ratio(1, 0, 0.5), "The sign seems to be lost: the derivative is zero at minus the slope over twice it."
        ),
        Mistake(ratio(1, 0, -1.0), "The 2 of the derivative seems to be missing."),
        Mistake(
            ratio(1, 2, -0.5),
            "The coefficients seem to be read in the other order: look up which of them comes first.",
        ),
        Mistake(
            lambda log_sizes, losses: scaling.parabola_minimum(log_sizes, losses)[1],
            "That seems to be how low the parabola is: the place is asked for.",
        ),
        Mistake(
            lambda log_sizes, losses: np.exp(solution(log_sizes, losses)),
            "That seems to be the size: its logarithm is asked for.",
        ),
        Mistake(
            lambda log_sizes, losses: solution(np.exp(log_sizes), losses),
            "The parabola seems to go through the sizes: it goes through their logarithms.",
        ),
    ]
    cases = [
        (np.array([1.0, 2.0, 4.0]), np.array([3.0, 2.0, 3.5])),
        (np.array([2.0, 3.0, 3.5]), np.array([2.5, 2.25, 2.75])),
        (np.array([-1.0, 0.0, 1.5]), np.array([1.5, 1.25, 1.0])),
    ]
    check(attempt, solution, cases, mistakes)
