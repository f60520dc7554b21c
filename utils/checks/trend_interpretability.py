"""The checkers of the chapter ``trend-interpretability``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch import agreement, induction, shapley

Answer = Callable[..., Any]


def path_shares(attempt: Answer) -> None:
    """Check ``path_shares(gradients, x, start)``: integrated gradients from the gradients along the way."""

    def solution(gradients: np.ndarray, x: np.ndarray, start: np.ndarray) -> np.ndarray:
        return (x - start) * gradients.mean(axis=0)

    mistakes = [
        Mistake(
            lambda gradients, x, start: gradients.mean(axis=0),
            "The way seems to be missing: the mean gradient is multiplied by how far each input goes.",
        ),
        Mistake(
            lambda gradients, x, start: x * gradients.mean(axis=0),
            "It seems to go from zero: the way begins at start, so each input goes x - start.",
        ),
        Mistake(
            lambda gradients, x, start: (start - x) * gradients.mean(axis=0),
            "The way seems to be walked backward: from start to x each input goes x - start.",
        ),
        Mistake(
            lambda gradients, x, start: (x - start) * gradients.sum(axis=0),
            "The gradients seem to be added up: each step is a share of the way, so take their mean.",
        ),
        Mistake(
            lambda gradients, x, start: (x - start) * gradients[-1],
            "Only the last gradient seems to count: the integral takes the mean along the way.",
        ),
        Mistake(
            lambda gradients, x, start: np.abs((x - start) * gradients.mean(axis=0)),
            "The signs seem to be gone: what speaks against the class is negative.",
        ),
        Mistake(
            lambda gradients, x, start: ((x - start) * gradients.mean(axis=0)).sum(),
            "That seems to be the sum over the inputs, the whole change of the score: each input has its share.",
        ),
    ]
    rng = np.random.default_rng(0)
    cases = [tuple(rng.normal(size=shape).round(1) for shape in ((steps, 3), (3,), (3,))) for steps in (4, 3, 5)]
    check(attempt, solution, cases, mistakes)


def class_map(attempt: Answer) -> None:
    """Check ``class_map(maps, gradient)``: Grad-CAM of one image."""

    def solution(maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        return np.maximum((maps * gradient.mean(axis=(0, 1))).sum(axis=-1), 0)

    mistakes = [
        Mistake(
            lambda maps, gradient: (maps * gradient.mean(axis=(0, 1))).sum(axis=-1),
            "What speaks against the class seems to be left in: negative values become 0.",
        ),
        Mistake(
            lambda maps, gradient: np.maximum((maps * gradient).sum(axis=-1), 0),
            "Each place seems to keep a gradient of its own: a map has one weight, the mean over its places.",
        ),
        Mistake(
            lambda maps, gradient: np.maximum((maps * gradient.sum(axis=(0, 1))).sum(axis=-1), 0),
            "The gradients of a map seem to be added up: its weight is their mean over the places.",
        ),
        Mistake(
            lambda maps, gradient: np.maximum((maps * gradient.mean(axis=(0, 1))).mean(axis=-1), 0),
            "The weighted maps seem to be averaged: they are added up.",
        ),
        Mistake(
            lambda maps, gradient: np.maximum(maps, 0) @ np.maximum(gradient.mean(axis=(0, 1)), 0),
            "Maps that speak against the class seem to be left out: cut off at 0 after the sum, not before.",
        ),
        Mistake(
            lambda maps, gradient: np.abs((maps * gradient.mean(axis=(0, 1))).sum(axis=-1)),
            "It seems to take the size without the sign: what speaks against the class becomes 0.",
        ),
        Mistake(
            lambda maps, gradient: np.maximum(maps.sum(axis=-1), 0),
            "The maps seem to have no weights: each counts with the mean of its gradient.",
        ),
    ]
    rng = np.random.default_rng(1)
    cases = [tuple(rng.normal(size=shape).round(1) for _ in range(2)) for shape in ((2, 2, 2), (2, 3, 3), (3, 2, 2))]
    check(attempt, solution, cases, mistakes)


def three_shares(attempt: Answer) -> None:
    """Check ``three_shares(worth)``: the Shapley values of three players, from the worth of all eight coalitions."""

    def solution(worth: np.ndarray) -> np.ndarray:
        return shapley.exact(lambda sets: worth[sets @ (1, 2, 4)], 3)

    def joined(worth: np.ndarray, share: tuple[float, float, float]) -> np.ndarray:
        """Add up what each player adds to the coalitions of the others, weighted by how many they are."""
        found = np.zeros(3)
        for player in range(3):
            for others in range(8):
                if not others >> player & 1:
                    found[player] += share[others.bit_count()] * (worth[others | 1 << player] - worth[others])
        return found

    mistakes = [
        Mistake(
            lambda worth: joined(worth, (1, 0, 0)),
            "Each player seems to be alone: count what is added to all coalitions of the others.",
        ),
        Mistake(
            lambda worth: joined(worth, (0, 0, 1)),
            "Each player seems to come last: count what is added to all coalitions of the others.",
        ),
        Mistake(
            lambda worth: joined(worth, (1 / 4, 1 / 4, 1 / 4)),
            "All four coalitions seem to count alike: to join nobody, or both, is a third of all orders each.",
        ),
        Mistake(
            lambda worth: joined(worth, (1 / 3, 1 / 3, 1 / 3)),
            "Every coalition seems to count a third: the two of one other player share a third.",
        ),
        Mistake(
            lambda worth: joined(worth, (2, 1, 2)),
            "The sum over all six orders seems not to be divided by six.",
        ),
        Mistake(
            lambda worth: np.array([worth[1], worth[2], worth[4]]),
            "That seems to be what each is worth alone: begin with what nobody is worth, and count the others.",
        ),
        Mistake(
            lambda worth: np.full(3, (worth[7] - worth[0]) / 3),
            "All players seem to get the same: only the sum of their shares is fixed.",
        ),
    ]
    cases = [
        (np.array([0.0, 0, 0, 0, 0, 1, 1, 1]),),  # gloves
        (np.array([1.0, 3, 4, 9, 2, 2, 8, 15]),),
        (np.array([2.0, 1, 5, 3, 0, 7, 6, 4]),),
    ]
    check(attempt, solution, cases, mistakes)


def rank_agreement(attempt: Answer) -> None:
    """Check ``rank_agreement(a, b)``: Spearman's correlation of two lists without ties."""

    def pearson(a: np.ndarray, b: np.ndarray) -> float:
        a, b = a - a.mean(), b - b.mean()
        return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))

    mistakes = [
        Mistake(pearson, "That seems to be the correlation of the values: replace each by its rank first."),
        Mistake(
            lambda a, b: pearson(a.argsort(), b.argsort()),
            "argsort gives the order, not the ranks: use argsort of argsort.",
        ),
        Mistake(
            lambda a, b: pearson(np.abs(a).argsort().argsort(), np.abs(b).argsort().argsort()),
            "The ranks seem to be those of the sizes: the signs count here.",
        ),
        Mistake(
            lambda a, b: agreement.rank_correlation(a, b) ** 2,
            "That seems to be the square of the correlation.",
        ),
        Mistake(
            lambda a, b: -agreement.rank_correlation(a, b),
            "One of the lists seems to be ranked from the largest: the same way for both.",
        ),
        Mistake(
            lambda a, b: float(np.mean(a.argsort().argsort() == b.argsort().argsort())),
            "It seems to count equal ranks: near ranks shall count as well, by their correlation.",
        ),
    ]
    rng = np.random.default_rng(3)
    cases = [(rng.normal(size=n).round(3), np.exp(rng.normal(size=n)).round(3) - 1) for n in (5, 8, 6)]
    check(attempt, agreement.rank_correlation, cases, mistakes)


def prefix_score(attempt: Answer) -> None:
    """Check ``prefix_score(weights, period)``: how much a head looks at what came after the last time."""

    def solution(weights: np.ndarray, period: int) -> float:
        return float(induction.looking_back(weights[None, None], period - 1, period)[0])

    def looking(weights: np.ndarray, distance: int, first: int) -> float:
        return float(np.mean([weights[step, step - distance] for step in range(first, len(weights))]))

    mistakes = [
        Mistake(
            lambda weights, period: looking(weights, period, period),
            "It seems to look at the token itself when it came before: look one further, at what followed it.",
        ),
        Mistake(
            lambda weights, period: looking(weights, 1, period),
            "It seems to look one step back: look back to what followed the same token, a period less one.",
        ),
        Mistake(
            lambda weights, period: looking(weights, period - 1, period - 1),
            "It seems to begin a step early: only from step period on has the token been there before.",
        ),
        Mistake(
            lambda weights, period: looking(weights, period - 2, period),
            "It seems to look one too far: what followed the token stands period - 1 steps back.",
        ),
        Mistake(
            lambda weights, period: looking(weights, period - 1, period) * (len(weights) - period),
            "That seems to be the sum over the steps: take their mean.",
        ),
        Mistake(
            lambda weights, period: looking(weights, period - 1, period) * (len(weights) - period) / len(weights),
            "The mean seems to be over all steps: only those of the second time count.",
        ),
        Mistake(
            lambda weights, period: looking(weights.T, period - 1, period),
            "Rows and columns seem to be exchanged: a row is the step that looks.",
        ),
    ]
    rng = np.random.default_rng(4)
    cases = []
    for period, time in ((3, 6), (4, 8), (3, 5)):
        weights = np.tril(rng.random((time, time)))
        cases.append(((weights / weights.sum(axis=1, keepdims=True)).round(2), period))
    check(attempt, solution, cases, mistakes)


def without_head(attempt: Answer) -> None:
    """Check ``without_head(w, head, size)``: an output projection (heads · size, width) that one head cannot reach."""

    def zeroed(chosen: Callable[[np.ndarray, int, int], Any]) -> Answer:
        def answer(w: np.ndarray, head: int, size: int) -> np.ndarray:
            w = w.copy()
            w[chosen(w, head, size)] = 0
            return w

        return answer

    mistakes = [
        Mistake(
            zeroed(lambda w, head, size: (slice(None), slice(head * size, (head + 1) * size))),
            "Columns seem to be zero, what the layer gives: what a head found comes in by its rows.",
        ),
        Mistake(
            zeroed(lambda w, head, size: slice(head, None, len(w) // size)),
            "The heads seem to take turns: the rows of one head stand together.",
        ),
        Mistake(
            zeroed(lambda w, head, size: head),
            "Only one row seems to be zero: a head has as many as its size.",
        ),
        Mistake(
            zeroed(lambda w, head, size: slice(head, head + size)),
            "It seems to begin at row head: each head before it takes size rows.",
        ),
        Mistake(
            zeroed(lambda w, head, size: slice(head * size, None)),
            "The heads after it seem to be gone, too: stop where the next one begins.",
        ),
        Mistake(
            zeroed(lambda w, head, size: np.delete(np.arange(len(w)), np.s_[head * size : (head + 1) * size])),
            "All other heads seem to be gone: this one alone is switched off.",
        ),
        Mistake(
            lambda w, head, size: np.delete(w, np.s_[head * size : (head + 1) * size], axis=0),
            "The rows seem to be taken out: they stay, as zeros, so that the shapes still fit.",
        ),
    ]
    rng = np.random.default_rng(5)
    cases = [
        (rng.integers(1, 9, (heads * size, width)).astype(float), head, size)
        for heads, size, width, head in ((3, 2, 6, 1), (2, 3, 6, 1), (4, 2, 4, 1))
    ]
    check(attempt, zeroed(lambda w, head, size: slice(head * size, (head + 1) * size)), cases, mistakes)
