"""The checkers of the chapter ``attention-code``."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from utils.checks import Mistake, check

Answer = Callable[..., Any]


def shift_right(attempt: Answer) -> None:
    """Check ``shift_right(y, start)``: what a decoder reads when it is asked for ``y``."""

    def solution(y: np.ndarray, start: int) -> np.ndarray:
        return np.concatenate([np.full((len(y), 1), start), y[:, :-1]], axis=1)

    def left(y: np.ndarray, last: int) -> np.ndarray:
        return np.concatenate([y[:, 1:], np.full((len(y), 1), last)], axis=1)

    mistakes = [
        Mistake(lambda y, start: y, "Nothing seems to be shifted: the decoder would see what it is asked for."),
        Mistake(
            lambda y, start: np.roll(y, 1, axis=1),
            "The last symbol of a row seems to come to its front: there belongs the start.",
        ),
        Mistake(lambda y, start: np.roll(y, 1), "All rows seem to be rolled as one: each has a start of its own."),
        Mistake(
            lambda y, start: np.concatenate([np.zeros((len(y), 1)), y[:, :-1]], axis=1),
            "The first symbol seems to be padding: the decoder begins with the start.",
        ),
        Mistake(
            lambda y, start: np.concatenate([np.full((len(y), 1), start), y], axis=1),
            "The rows seem to be one longer than y: after the last symbol nothing is asked, so nothing is read.",
        ),
        Mistake(
            lambda y, start: np.concatenate([np.full((len(y), 1), start), y[:, 1:]], axis=1),
            "The first symbol of y seems to be replaced, and the others stand where they were: shift them.",
        ),
        Mistake(
            lambda y, start: left(y, 0),
            "It seems to be shifted to the left: the decoder would see the symbol after the one it is asked for.",
        ),
        Mistake(
            left,
            "It seems to be shifted to the left: the decoder would see the symbol after the one it is asked for.",
        ),
    ]
    cases = [
        (np.array([[5, 3, 2, 0], [4, 2, 0, 0], [7, 6, 5, 2]]), 1),
        (np.array([[3, 8, 9], [6, 4, 9]]), 7),
    ]
    check(attempt, solution, cases, mistakes)


def masked_loss(attempt: Answer) -> None:
    """Check ``masked_loss(log_p, y)``, equation (6)."""

    def chosen(log_p: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.take_along_axis(log_p, y[:, :, None], axis=2)[:, :, 0]

    def solution(log_p: np.ndarray, y: np.ndarray) -> float:
        return -chosen(log_p, y)[y != 0].mean()

    def of_words(log_p: np.ndarray, y: np.ndarray) -> np.ndarray:
        return -np.sum(chosen(log_p, y) * (y != 0), axis=1)

    mistakes = [
        Mistake(
            lambda log_p, y: -chosen(log_p, y).mean(),
            "Padding seems to count: leave out the places where y is 0.",
        ),
        Mistake(
            lambda log_p, y: -chosen(log_p, y)[y != 0].sum() / y.size,
            "It seems to divide by all places: divide by the real ones, else padding makes the loss small.",
        ),
        Mistake(
            lambda log_p, y: np.mean(of_words(log_p, y) / np.sum(y != 0, axis=1)),
            "It seems to be the mean of the words' means: sum over all symbols of all words, then divide once.",
        ),
        Mistake(
            lambda log_p, y: of_words(log_p, y).mean(),
            "It seems to be a mean over words: (6) divides by symbols.",
        ),
        Mistake(
            lambda log_p, y: of_words(log_p, y).sum(),
            "It seems not to be divided by the number of real symbols.",
        ),
        Mistake(lambda log_p, y: -solution(log_p, y), "The sign seems to be missing: a loss is not negative."),
        Mistake(
            lambda log_p, y: -log_p[y != 0].sum() / np.sum(y != 0),
            "All symbols seem to be summed up at each place: (6) picks the right one.",
        ),
        Mistake(
            lambda log_p, y: -np.exp(chosen(log_p, y))[y != 0].mean(),
            "It seems to take the probabilities: (6) has their logarithms.",
        ),
        Mistake(
            lambda log_p, y: -log_p.max(axis=2)[y != 0].mean(),
            "It seems to take the likeliest symbol: the loss asks for the right one.",
        ),
    ]
    rng = np.random.default_rng(0)
    cases = []
    for y in ([[2, 1, 0, 0], [1, 3, 2, 1]], [[3, 0, 0], [1, 0, 0], [2, 2, 1]]):
        z = rng.normal(size=(*np.shape(y), 4))
        cases.append(((z - np.log(np.exp(z).sum(axis=2, keepdims=True))).round(2), np.array(y)))
    check(attempt, solution, cases, mistakes)


def edit_distance(attempt: Answer) -> None:
    """Check ``edit_distance(a, b)``, equation (7)."""

    def table(a: Sequence[int], b: Sequence[int], out=1.0, put=1.0, swap=1.0, stay=0.0) -> np.ndarray:
        d = np.zeros((len(a) + 1, len(b) + 1))
        d[:, 0] = np.arange(len(a) + 1)
        d[0] = np.arange(len(b) + 1)
        for i in range(1, len(a) + 1):
            for j in range(1, len(b) + 1):
                change = d[i - 1, j - 1] + (swap if a[i - 1] != b[j - 1] else stay)
                d[i, j] = min(d[i - 1, j] + out, d[i, j - 1] + put, change)
        return d

    def in_one_pass(a: Sequence[int], b: Sequence[int]) -> int:
        if not len(a) or not len(b):
            return max(len(a), len(b))
        if a[0] == b[0]:
            return in_one_pass(a[1:], b[1:])
        return 1 + in_one_pass(a[len(a) >= len(b) :], b[len(b) >= len(a) :])

    def borders(a: Sequence[int], b: Sequence[int]) -> float:
        d = np.zeros((len(a) + 1, len(b) + 1))
        for i in range(1, len(a) + 1):
            for j in range(1, len(b) + 1):
                d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
        return d[-1, -1]

    def places(a: Sequence[int], b: Sequence[int]) -> int:
        return sum(p != q for p, q in zip(a, b, strict=False))

    mistakes = [
        Mistake(
            places,
            "It seems to compare place by place: one symbol that is left out shifts all that follow.",
        ),
        Mistake(
            lambda a, b: places(a, b) + abs(len(a) - len(b)),
            "It seems to compare place by place, and to add the difference of the lengths: a symbol left out at the "
            "front shifts all that follow.",
        ),
        Mistake(lambda a, b: abs(len(a) - len(b)), "Only the lengths seem to count: a change costs 1, too."),
        Mistake(
            lambda a, b: table(a, b, swap=2)[-1, -1],
            "A change seems to cost 2, as much as leaving out and putting in: (7) lets it cost 1.",
        ),
        Mistake(
            lambda a, b: table(a, b, out=np.inf)[-1, -1],
            "Symbols of a seem never to be left out inside the table: one of the three ways of (7) is missing.",
        ),
        Mistake(
            lambda a, b: table(a, b, put=np.inf)[-1, -1],
            "Symbols of b seem never to be put in inside the table: one of the three ways of (7) is missing.",
        ),
        Mistake(
            lambda a, b: table(a, b, stay=1)[-1, -1],
            "Keeping a symbol seems to cost 1: where both are equal, the diagonal step is free.",
        ),
        Mistake(in_one_pass, "It seems to choose at once at the first difference: (7) tries all three ways."),
        Mistake(
            borders,
            "The borders of the table seem to be 0: from i symbols to none it takes i steps, and back as many.",
        ),
        Mistake(
            lambda a, b: table(a, b)[-2 if len(a) else -1, -2 if len(b) else -1],
            "It seems to be one row and column short: the answer stands where both sequences are over.",
        ),
    ]
    cases = [([3, 4, 5, 6], [3, 5, 6]), ([3, 4], [3, 7, 8, 4]), ([5, 3, 9, 4], [3, 4, 5]), ([], [3, 4])]
    cases += [([3, 4, 3], [4, 7, 4]), ([1, 2, 3], [2, 3, 4]), ([3, 4], [4, 3])]
    check(attempt, lambda a, b: int(table(a, b)[-1, -1]), cases, mistakes)


def word_error(attempt: Answer) -> None:
    """Check ``word_error(written, accepted)``: the share of words that are said in none of the accepted ways."""

    def same(written: np.ndarray, accepted: np.ndarray) -> np.ndarray:
        return np.all(written[:, None] == accepted, axis=2)  # (N, ways)

    def solution(written: np.ndarray, accepted: np.ndarray) -> float:
        return 1 - np.mean(np.any(same(written, accepted), axis=1))

    mistakes = [
        Mistake(
            lambda w, a: 1 - solution(w, a),
            "It seems to be the share of right words: asked for is that of wrong ones.",
        ),
        Mistake(
            lambda w, a: 1 - np.mean(same(w, a)[:, 0]),
            "Only the first way seems to be accepted: any of them is right.",
        ),
        Mistake(
            lambda w, a: 1 - np.mean(np.all(same(w, a), axis=1)),
            "All ways seem to be asked for: one of them is enough.",
        ),
        Mistake(
            lambda w, a: 1 - np.mean(same(w, a)),
            "It seems to be a mean over words and ways: a word is right if one of its ways is written.",
        ),
        Mistake(
            lambda w, a: np.mean(w[:, None] != a),
            "Symbols seem to be counted: one wrong symbol makes the whole word wrong.",
        ),
        Mistake(
            lambda w, a: np.mean(w != a[:, 0]),
            "Symbols seem to be counted, of the first way: one wrong symbol makes the whole word wrong.",
        ),
        Mistake(
            lambda w, a: 1 - np.mean(np.all(np.any(w[:, None] == a, axis=1), axis=1)),
            "Each symbol seems to be looked for in any of the ways: a word must be written in one of them as a whole.",
        ),
        Mistake(
            lambda w, a: 1 - np.mean(np.any(w[:, None] == a, axis=(1, 2))),
            "One right symbol seems to be enough for a word: all must be.",
        ),
        Mistake(
            lambda w, a: solution(np.sort(w), np.sort(a)),
            "The order of the symbols seems not to count: compare them place by place.",
        ),
        Mistake(
            lambda w, a: np.sum(~np.any(same(w, a), axis=1)),
            "It seems to be the number of wrong words: divide by that of all.",
        ),
    ]
    written = [[1, 5, 2, 0], [1, 4, 6, 2], [1, 7, 2, 0], [1, 3, 8, 2], [1, 6, 2, 0], [1, 6, 9, 2], [1, 4, 8, 2]]
    first = [[1, 5, 2, 0], [1, 6, 6, 2], [1, 6, 9, 2], [1, 3, 4, 2], [1, 6, 2, 0], [1, 9, 6, 2], [1, 5, 7, 2]]
    second = [[1, 5, 5, 2], [1, 4, 6, 2], [1, 2, 7, 0], [1, 5, 8, 2], [1, 6, 2, 0], [1, 9, 2, 0], [1, 6, 9, 2]]
    cases = [
        (np.array(written), np.stack([first, second], axis=1)),
        (np.array([[3, 4], [5, 6]]), np.array([[[3, 3], [4, 4], [3, 5]], [[6, 6], [5, 6], [5, 7]]])),
    ]
    check(attempt, solution, cases, mistakes)


def beam_step(attempt: Answer) -> None:
    """Check ``beam_step(scores, log_p)``: the best continuations of all beginnings, as rows (beginning, symbol)."""

    def best(total: np.ndarray) -> np.ndarray:
        places = np.argsort(-total, axis=None)[: len(total)]
        return np.stack(np.divmod(places, total.shape[1]), axis=1)

    def solution(scores: np.ndarray, log_p: np.ndarray) -> np.ndarray:
        return best(scores[:, None] + log_p)

    mistakes = [
        *(
            Mistake(
                lambda s, p, order=order: np.array([(i, p[i].argmax()) for i in order(s, p)]),
                "Each beginning seems to keep one continuation: they compete, and one may have several.",
            )
            for order in (lambda s, p: range(len(s)), lambda s, p: np.argsort(-(s + p.max(axis=1))))
        ),
        Mistake(
            lambda s, p: best(np.exp(s)[:, None] + np.exp(p)),
            "Probabilities seem to be added: they are multiplied, so their logarithms are added.",
        ),
        Mistake(lambda s, p: np.sort(solution(s, p), axis=0), "They seem not to be in order: the best comes first."),
        Mistake(lambda s, p: best(p), "The scores of the beginnings seem not to be used: add them."),
        Mistake(
            lambda s, p: best(-s[:, None] * p),
            "Log-probabilities seem to be multiplied: probabilities are, so their logarithms are added.",
        ),
        Mistake(
            lambda s, p: best(-(s[:, None] + p)),
            "The least likely ones seem to be kept: sorting puts the smallest first.",
        ),
        Mistake(lambda s, p: solution(s, p)[::-1], "The best one seems to stand last."),
        Mistake(lambda s, p: solution(s, p)[:, ::-1], "Beginning and symbol seem to be swapped."),
        Mistake(
            lambda s, p: np.stack(np.divmod(np.argsort(-(s[:, None] + p), axis=None)[: len(s)], len(s)), axis=1),
            "The places seem to be divided by the number of beginnings: a row of the table is as long as the symbols "
            "are many.",
        ),
        Mistake(
            lambda s, p: np.argsort(-(s[:, None] + p), axis=None)[: len(s)],
            "The places in the flattened table seem to be returned: say which beginning and which symbol each one is.",
        ),
        Mistake(lambda s, p: solution(s, p).T, "The table seems to lie on its side: one row for each continuation."),
    ]
    cases = [
        (
            np.array([-0.5, -1.0, -2.5]),
            np.array([[-0.7, -1.2, -3.0, -4.0], [-2.6, -0.1, -3.5, -5.0], [-1.5, -0.9, -2.0, -1.7]]),
        ),
        (np.array([-3.0, -0.4]), np.array([[-0.05, -4.0, -3.2], [-1.9, -1.0, -0.8]])),
        (np.array([-0.6, -6.0]), np.array([[-2.5, -2.1, -0.9], [-9.0, -0.01, -8.0]])),
    ]
    check(attempt, solution, cases, mistakes)
