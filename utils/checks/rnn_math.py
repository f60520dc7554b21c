"""The checkers of the chapter ``rnn-math``."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch.activations import sigmoid
from utils.scratch.cells import LSTMCell

Answer = Callable[..., Any]


def plain_step(attempt: Answer) -> None:
    """Check ``plain_step(x, h, w, u, b)``: one step of equation (1) for a batch."""

    def solution(x: np.ndarray, h: np.ndarray, w: np.ndarray, u: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.tanh(x @ w + h @ u + b)

    mistakes = [
        Mistake(lambda x, h, w, u, b: x @ w + h @ u + b, "The tanh seems to be missing."),
        Mistake(
            lambda x, h, w, u, b: np.tanh(x @ w + h @ u.T + b),
            "The recurrent weights seem to be transposed: states are rows, so u stands on the right as it is.",
        ),
        Mistake(lambda x, h, w, u, b: np.tanh(x @ w + h @ u), "The bias seems to be missing."),
        Mistake(
            lambda x, h, w, u, b: np.tanh(x @ w + b), "The state before seems to be missing: this cell has no memory."
        ),
        Mistake(
            lambda x, h, w, u, b: np.tanh(x @ w + np.tanh(h) @ u + b),
            "The state before seems to go through a second tanh: it has been through one already.",
        ),
        Mistake(
            lambda x, h, w, u, b: np.tanh(x @ w) + h @ u + b,
            "The tanh seems to be taken of the input's share only: it is taken of the whole sum.",
        ),
    ]
    rng = np.random.default_rng(0)
    shapes = ((2, 2), (2, 3), (2, 3), (3, 3), (3,))
    cases = [tuple(rng.normal(size=shape).round(1) for shape in shapes) for _ in range(2)]
    check(attempt, solution, cases, mistakes)


def lstm_step(attempt: Answer) -> None:
    """Check ``lstm_step(a, c)``: the last two lines of equation (9) from all sums ``a`` (4 n) and the memory."""

    def variant(order: str = "ifgo", hidden: str = "new") -> Answer:
        def step(a: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            sums = dict(zip(order, np.split(a, 4), strict=True))
            i, f, o = (sigmoid(sums[name]) for name in "ifo")
            new = f * c + i * np.tanh(sums["g"])
            return o * {"new": np.tanh(new), "linear": new, "old": np.tanh(c)}[hidden], new

        return step

    def solution(a: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        state, _ = LSTMCell().step(a[None], (np.zeros((1, len(c))), c[None]), np.zeros((len(c), 4 * len(c))), a)
        return state[0][0], state[1][0]

    mistakes = [
        Mistake(variant("figo"), "Input gate and forget gate seem to be swapped: the blocks are i, f, g, o."),
        Mistake(
            variant("ifog"),
            "Candidate and output gate seem to be swapped: the blocks are i, f, g, o.",
        ),
        Mistake(variant(hidden="linear"), "h seems to be o times the memory itself: its tanh is missing."),
        Mistake(variant(hidden="old"), "h seems to be made from the old memory: it shows the new one."),
        Mistake(
            lambda a, c: variant()(a, c)[::-1],
            "The results seem to be in the wrong order: h first, then c.",
        ),
        Mistake(lambda a, c: variant()(a, c)[0], "Only h seems to be returned: the next step needs c as well."),
    ]
    cases = [
        (np.array([0.5, -1.0, 2.0, 1.0, 0.3, -0.7, -0.5, 1.5]), np.array([0.8, -0.4])),
        (np.array([-2.0, 1.0, 0.5, 0.1]), np.array([1.2])),
    ]
    check(attempt, solution, cases, mistakes)


def recurrent_gradient(attempt: Answer) -> None:
    """Check ``recurrent_gradient(x, w, u)``: of the last state of a cell with one unit, with respect to ``u``."""

    def variant(every: bool = True, slope: bool = True, carry: bool = True, state: bool = True) -> Answer:
        def gradient(x: np.ndarray, w: float, u: float) -> float:
            h = [0.0]
            for value in x:
                h.append(math.tanh(value * w + h[-1] * u))
            back, total = 1.0, 0.0
            for t in reversed(range(len(x))):
                share = back * (1 - h[t + 1] ** 2 if slope else 1)
                total += share * (h[t] if state else h[t + 1])
                back = share * (u if carry else 1)
                if not every:
                    break
            return total

        return gradient

    mistakes = [
        Mistake(
            variant(every=False),
            "Only the last step seems to count: u is used at every step, and the gradients add up, equation (4).",
        ),
        Mistake(variant(slope=False), "The slope of the tanh, 1 - h², seems to be missing in the way back."),
        Mistake(
            variant(carry=False),
            "The way back seems to lack its factor u: a step's sum holds the state before it times u.",
        ),
        Mistake(
            variant(state=False),
            "A step's share seems to hold the state after it: u multiplies the state before.",
        ),
    ]
    cases = [(np.array([1.0, -0.5, 0.8]), 0.9, 0.7), (np.array([0.3, 1.2, -0.4, 0.6]), 1.1, -1.3)]
    check(attempt, variant(), cases, mistakes)


def forget_bias(attempt: Answer) -> None:
    """Check ``forget_bias(steps)``: the bias of equation (13) for a memory of so many steps."""
    mistakes = [
        Mistake(lambda steps: math.log(steps), "A 1 seems to be missing: 1 + exp(b) is the number of steps."),
        Mistake(lambda steps: math.log(steps + 1), "The 1 seems to have the wrong sign: 1 + exp(b) is the number."),
        Mistake(
            lambda steps: 1 - 1 / steps,
            "That seems to be the forget gate itself: asked for is the bias that the sigmoid turns into it.",
        ),
        Mistake(lambda steps: -math.log(steps - 1), "The sign seems to be turned: this cell forgets at once."),
        Mistake(lambda steps: math.log10(steps - 1), "That seems to be a logarithm to base 10: use the natural one."),
    ]
    check(attempt, lambda steps: math.log(steps - 1), [(10,), (100,), (3,)], mistakes)


def clip(attempt: Answer) -> None:
    """Check ``clip(gradients, limit)``: equation (8) for a list of arrays."""

    def norm(arrays: list[np.ndarray]) -> float:
        return math.sqrt(sum(float((array**2).sum()) for array in arrays))

    def solution(gradients: list[np.ndarray], limit: float) -> list[np.ndarray]:
        return [array * min(1, limit / norm(gradients)) for array in gradients]

    mistakes = [
        Mistake(
            lambda g, limit: [array * min(1, limit / norm([array])) for array in g],
            "Each array seems to be clipped by its own norm: that changes the direction. Take one norm of them all.",
        ),
        Mistake(
            lambda g, limit: [np.clip(array, -limit, limit) for array in g],
            "Single numbers seem to be cut off: that changes the direction. Scale all arrays by one factor.",
        ),
        Mistake(
            lambda g, limit: [array * limit / norm(g) for array in g],
            "Small gradients seem to be scaled up: equation (8) never does more than shorten.",
        ),
        Mistake(
            lambda g, limit: [array * min(1, limit / sum(norm([a]) for a in g)) for array in g],
            "The norms of the arrays seem to be added: the norm of all is the root of the sum of all squares.",
        ),
        Mistake(
            lambda g, limit: [array * min(1, limit / norm(g) ** 2) for array in g],
            "The root seems to be missing in the norm.",
        ),
    ]
    cases = [
        ([np.array([3.0, -4.0]), np.array([12.0, 9.0])], 5.0),
        ([np.array([0.3, 0.0]), np.array([0.0, 0.4])], 1.0),
    ]
    check(attempt, solution, cases, mistakes)


def reverse(attempt: Answer) -> None:
    """Check ``reverse(x, lengths)``: every sequence turned round, with its padding left at the end."""

    def solution(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        turned = x.copy()
        for row, length in enumerate(lengths):
            turned[row, :length] = x[row, :length][::-1]
        return turned

    mistakes = [
        Mistake(
            lambda x, lengths: x[:, ::-1],
            "The padding seems to come first now: turn only the real steps round.",
        ),
        Mistake(
            lambda x, lengths: x[:, : lengths.max()][:, ::-1],
            "All sequences seem to be turned as if they were as long as the longest: each has a length of its own.",
        ),
        Mistake(lambda x, lengths: x[::-1], "The batch seems to be turned round: time is the second axis."),
        Mistake(
            lambda x, lengths: solution(x[:, :, ::-1], lengths),
            "The features seem to be turned round as well: only the steps are.",
        ),
    ]
    x = np.arange(1.0, 13.0).reshape(2, 3, 2)
    x[1, 2] = 0
    cases = [(x, np.array([3, 2])), (np.array([[[1.0], [2.0], [0.0], [0.0]]]), np.array([2]))]
    check(attempt, solution, cases, mistakes)
