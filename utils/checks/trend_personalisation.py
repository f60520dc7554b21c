"""The checkers of the chapter ``trend-personalisation``."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch import low_rank

Answer = Callable[..., Any]


def adapted(attempt: Answer) -> None:
    """Check ``adapted(x, w, b, down, up, alpha)``: the scores of a dense layer with its path of low rank."""

    def solution(
        x: np.ndarray, w: np.ndarray, b: np.ndarray, down: np.ndarray, up: np.ndarray, alpha: float
    ) -> np.ndarray:
        return low_rank.low_rank(x, w, b, down, up, alpha / down.shape[1])

    def scaled(scale: Callable[[np.ndarray, float], float], factor: float = 1, bias: float = 1) -> Answer:
        return lambda x, w, b, down, up, alpha: factor * x @ w + bias * b + scale(down, alpha) * (x @ down @ up)

    mistakes = [
        Mistake(scaled(lambda down, alpha: 0.0), "The path of low rank seems to be missing: it adds to the scores."),
        Mistake(scaled(lambda down, alpha: 1.0), "The scale seems to be missing: the path counts alpha / r times."),
        Mistake(
            scaled(lambda down, alpha: alpha),
            "The scale seems to be alpha alone: it is divided by the rank, the columns of A.",
        ),
        Mistake(
            scaled(lambda down, alpha: alpha / len(down)),
            "The scale seems to be divided by the number of inputs: the rank is how many columns A has.",
        ),
        Mistake(
            scaled(lambda down, alpha: alpha / np.sqrt(down.shape[1])),
            "That seems to be the scale of rsLoRA, with the root of the rank: here it is alpha / r.",
        ),
        Mistake(
            scaled(lambda down, alpha: alpha / down.shape[1], factor=0),
            "The frozen weights seem to be left out: the path is added to x w, it does not replace it.",
        ),
        Mistake(
            scaled(lambda down, alpha: alpha / down.shape[1], bias=0),
            "The bias seems to be missing: it is frozen and still there.",
        ),
        Mistake(
            lambda x, w, b, down, up, alpha: alpha / down.shape[1] * (x @ (w + down @ up)) + b,
            "The scale seems to multiply the frozen weights, too: it belongs to the path alone.",
        ),
        Mistake(
            lambda x, w, b, down, up, alpha: x @ w + alpha / down.shape[1] * (x @ down @ up + b),
            "The scale seems to multiply the bias: it belongs to the path alone.",
        ),
    ]
    rng = np.random.default_rng(0)
    cases = [
        (*tuple(rng.normal(size=shape).round(1) for shape in ((2, 3), (3, 4), (4,), (3, r), (r, 4))), alpha)
        for r, alpha in ((2, 6.0), (3, 1.5), (2, 2.0))
    ]
    check(attempt, solution, cases, mistakes)


def adapter_bytes(attempt: Answer) -> None:
    """Check ``adapter_bytes(shapes, rank, number)``: what the adapters of dense layers take, in bytes."""

    def solution(shapes: Sequence[tuple[int, int]], rank: int, number: int) -> int:
        return number * low_rank.size(list(shapes), rank)

    mistakes = [
        Mistake(
            lambda shapes, rank, number: low_rank.size(shapes, rank),
            "That seems to be the count of numbers: each takes several bytes.",
        ),
        Mistake(
            lambda shapes, rank, number: number * sum(n * m for n, m in shapes),
            "Those seem to be the bytes of the frozen weights: an adapter has A and B.",
        ),
        Mistake(
            lambda shapes, rank, number: number * sum(rank * n * m for n, m in shapes),
            "Inputs and units seem to be multiplied: A has n · r numbers, B has r · m.",
        ),
        Mistake(
            lambda shapes, rank, number: number * sum(n + m for n, m in shapes),
            "The rank seems to be missing: A has r columns, and B r rows.",
        ),
        Mistake(
            lambda shapes, rank, number: number * rank * sum(n for n, _ in shapes),
            "B seems to be missing: r numbers for each unit.",
        ),
        Mistake(
            lambda shapes, rank, number: number * rank * sum(m for _, m in shapes),
            "A seems to be missing: r numbers for each input.",
        ),
        Mistake(
            lambda shapes, rank, number: number * sum(rank * (n + m) + m for n, m in shapes),
            "The biases seem to be counted: they are frozen, so no user has any of their own.",
        ),
        Mistake(
            lambda shapes, rank, number: number * sum(rank * (n + m) + n * m for n, m in shapes),
            "The frozen weights seem to be counted, too: all users share them.",
        ),
        Mistake(
            lambda shapes, rank, number: number * rank * sum(shapes[0]),
            "Only the first layer seems to count: add all of them.",
        ),
    ]
    check(attempt, solution, [([(3, 5)], 2, 4), ([(128, 384), (128, 512)], 4, 2), ([(7, 2), (2, 9)], 1, 8)], mistakes)


def merged(attempt: Answer) -> None:
    """Check ``merged(w, down, up, alpha)``: weights that compute alone what weights and adapter do together."""

    def solution(w: np.ndarray, down: np.ndarray, up: np.ndarray, alpha: float) -> np.ndarray:
        return low_rank.merge(w, down, up, alpha / down.shape[1])

    mistakes = [
        Mistake(
            lambda w, down, up, alpha: alpha / down.shape[1] * down @ up,
            "That seems to be the change alone: it is added to the weights.",
        ),
        Mistake(
            lambda w, down, up, alpha: w + down @ up,
            "The scale seems to be missing: what was multiplied by alpha / r beside the weights must be so in them.",
        ),
        Mistake(
            lambda w, down, up, alpha: w + alpha * down @ up,
            "The scale seems to be alpha alone: it is divided by the rank.",
        ),
        Mistake(
            lambda w, down, up, alpha: w - alpha / down.shape[1] * down @ up,
            "The change seems to be taken off: that takes an adapter out again.",
        ),
        Mistake(
            lambda w, down, up, alpha: alpha / down.shape[1] * (w + down @ up),
            "The scale seems to multiply the frozen weights, too.",
        ),
        Mistake(
            lambda w, down, up, alpha: w + (alpha / down.shape[1]) ** 2 * down @ up,
            "The scale seems to count twice, once for A and once for B: it multiplies their product.",
        ),
        Mistake(
            lambda w, down, up, alpha: w * (alpha / down.shape[1] * down @ up),
            "The weights seem to be multiplied by the change: it is added.",
        ),
    ]
    rng = np.random.default_rng(1)
    cases = [
        (*tuple(rng.normal(size=shape).round(1) for shape in ((3, 4), (3, r), (r, 4))), alpha)
        for r, alpha in ((2, 6.0), (1, 0.5), (2, 1.0))
    ]
    check(attempt, solution, cases, mistakes)


def federated_average(attempt: Answer) -> None:
    """Check ``federated_average(models, sizes)``: the mean of models, weighted by their clients' examples."""

    def solution(models: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        return sizes @ models / sizes.sum()

    mistakes = [
        Mistake(
            lambda models, sizes: models.mean(axis=0),
            "Every client seems to count alike: its weight is how many examples it has.",
        ),
        Mistake(lambda models, sizes: sizes @ models, "The sum seems not to be divided by all examples together."),
        Mistake(
            lambda models, sizes: sizes @ models / len(sizes),
            "It seems to divide by the number of clients: divide by the number of all examples.",
        ),
        Mistake(
            lambda models, sizes: (1 / sizes) @ models / (1 / sizes).sum(),
            "The weights seem to be upside down: who has more examples counts for more.",
        ),
        Mistake(
            lambda models, sizes: models[np.argmax(sizes)],
            "Only the largest client seems to count: the average is over all of them.",
        ),
        Mistake(
            lambda models, sizes: np.exp(sizes - sizes.max()) @ models / np.exp(sizes - sizes.max()).sum(),
            "The sizes seem to have gone through a softmax: the weights are sizes over their sum.",
        ),
        Mistake(
            lambda models, sizes: sizes**2 @ models / (sizes**2).sum(),
            "The sizes seem to be squared: each model is weighted once.",
        ),
    ]
    cases = [
        (np.array([[1.0, 2.0], [3.0, 6.0]]), np.array([1.0, 3.0])),
        (np.array([[2.0, 0.0, 1.0], [4.0, 1.0, 1.0], [-3.0, 5.0, 0.0]]), np.array([2.0, 3.0, 4.0])),
    ]
    check(attempt, solution, cases, mistakes)


def bytes_to_goal(attempt: Answer) -> None:
    """Check ``bytes_to_goal(accuracies, goal, clients, parameters)``: float32, both ways, up to the goal; else -1."""

    def rounds(accuracies: Sequence[float], goal: float) -> int:
        return next((number for number, accuracy in enumerate(accuracies, 1) if accuracy >= goal), 0)

    def sent(
        count: Callable[[Sequence[float], float], int] = rounds, number: int = 8, each: bool = True, never: bool = True
    ) -> Answer:
        def answer(accuracies: Sequence[float], goal: float, clients: int, parameters: int) -> float:
            if never and max(accuracies) < goal:
                return -1
            return number * count(accuracies, goal) * (clients if each else 1) * parameters

        return answer

    def kept(accuracies: Sequence[float], goal: float) -> int:
        return max([0, *(number for number, accuracy in enumerate(accuracies, 1) if accuracy < goal)]) + 1

    mistakes = [
        Mistake(sent(number=4), "One way seems to be missing: the model goes to the client, and comes back."),
        Mistake(sent(number=2), "Those seem to be numbers, both ways: each of float32 takes four bytes."),
        Mistake(sent(number=1), "Those seem to be numbers, one way: four bytes each, there and back."),
        Mistake(sent(number=16), "That seems to be float64: a number of float32 takes four bytes."),
        Mistake(sent(each=False), "The clients of a round seem to be missing: each gets the model, and sends one."),
        Mistake(
            sent(lambda accuracies, goal: rounds(accuracies, goal) - 1),
            "It seems to be one round too few: the round that reaches the goal is paid, too.",
        ),
        Mistake(
            sent(lambda accuracies, goal: len(accuracies)),
            "All rounds seem to be paid: stop at the first that reaches the goal.",
        ),
        Mistake(
            sent(lambda accuracies, goal: rounds(accuracies, goal) or len(accuracies), never=False),
            "Where the goal is never reached, it seems to give the bytes of all rounds: return -1.",
        ),
        Mistake(
            sent(never=False),
            "Where the goal is never reached, it seems to cost nothing: return -1.",
        ),
        Mistake(sent(kept), "It seems to wait until the goal is kept: the first round that reaches it is asked for."),
        Mistake(
            sent(lambda accuracies, goal: next((n for n, a in enumerate(accuracies, 1) if a > goal), 0)),
            "A round that has exactly the goal seems not to count: it has reached it.",
        ),
    ]
    cases = [
        ([0.3, 0.6, 0.8, 0.7, 0.9], 0.75, 10, 100),
        ([0.3, 0.5, 0.7], 0.9, 5, 10),
        ([0.2, 0.4, 0.5, 0.3], 0.4, 2, 7),
        ([0.95, 0.96], 0.9, 1, 3),
    ]
    check(attempt, sent(), cases, mistakes)


def leaked(attempt: Answer) -> None:
    """Check ``leaked(dw, db)``: the input of a dense layer, from the gradients of a single example."""

    def solution(dw: np.ndarray, db: np.ndarray) -> np.ndarray:
        unit = np.argmax(np.abs(db))
        return dw[:, unit] / db[unit]

    mistakes = [
        Mistake(
            lambda dw, db: dw[:, 0] / db[0],
            "It seems to take the first unit always: one that did not move has 0 / 0, so choose one that did.",
        ),
        Mistake(
            lambda dw, db: (dw / db).mean(axis=1),
            "It seems to take the mean over all units: one that did not move has 0 / 0 and spoils it.",
        ),
        Mistake(
            lambda dw, db: dw[:, np.argmax(np.abs(db))],
            "It seems not to be divided by the bias's gradient: the column is the input times that number.",
        ),
        Mistake(
            lambda dw, db: dw[:, np.argmax(np.abs(db))] / abs(db[np.argmax(np.abs(db))]),
            "The sign seems to be lost: divide by the gradient itself, not by its size.",
        ),
        Mistake(
            lambda dw, db: dw[:, np.argmax(np.abs(db))] * db[np.argmax(np.abs(db))],
            "It seems to multiply: the column is the input times the bias's gradient, so divide.",
        ),
        Mistake(
            lambda dw, db: dw.sum(axis=1),
            "The columns seem to be added up: each is the input times another number.",
        ),
        Mistake(
            lambda dw, db: dw[:, np.argmax(np.abs(db))] / np.linalg.norm(db),
            "It seems to divide by the length of all biases' gradients: take the one of the same unit.",
        ),
    ]
    rng = np.random.default_rng(2)
    cases = []
    for db in ([0.0, -0.5, 0.25], [-2.0, 1.0, 0.5], [0.75, 0.0, 0.5]):
        x = rng.integers(1, 9, 4).astype(float)
        cases.append((np.outer(x, db), np.array(db)))
    check(attempt, solution, cases, mistakes)
