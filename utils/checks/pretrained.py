"""The checkers of the chapter ``pretrained``."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from utils.checks import Mistake, check

Answer = Callable[..., Any]
Array = np.ndarray
Cutter = Callable[[str, Collection[str]], list[str] | None]  # the pieces of a word, None if they do not write it
UNKNOWN = "[UNK]"


def piece_numbers(attempt: Answer) -> None:
    """Check ``piece_numbers(word, number)``: the numbers of a word's pieces, the longest that fits each time."""

    def numbered(cutter: Cutter) -> Answer:
        def answer(word: str, number: Mapping[str, int]) -> list[int]:
            pieces = cutter(word, number)
            return [number[UNKNOWN]] if pieces is None else [number[piece] for piece in pieces]

        return answer

    def kept(word: str, number: Mapping[str, int]) -> list[int]:
        pieces, rest = _greedy(word, number)
        return [number[piece] for piece in [*pieces, UNKNOWN][: len(pieces) + bool(rest)]]

    def gone(word: str, number: Mapping[str, int]) -> list[int]:
        return [number[piece] for piece in _longest_first(word, number) or []]

    slips = [
        (
            numbered(lambda word, known: _longest_first(word, known, shortest=True)),
            "The shortest piece seems to be taken each time: begin with the longest that fits.",
        ),
        (
            numbered(lambda word, known: _longest_first(word, known, mark="")),
            "Pieces that go on with a word seem to be looked up without ##: another piece has that name.",
        ),
        (numbered(_from_the_end), "The longest piece seems to be taken off the end: begin at the beginning."),
        (numbered(_fewest), "It seems to find the fewest pieces: BERT takes the longest and does not look ahead."),
        (numbered(_any_way), "It seems to go back where nothing fits: BERT does not, and the word is unknown."),
        (kept, "The pieces before the dead end seem to be kept: the whole word is unknown."),
        (gone, "An unknown word seems to disappear: it gets the number of [UNK]."),
    ]
    needs = ("[UNK]", "need", "needles", "##lessly", "##sl", "##y", "n", "##e", "##d", "##l", "##s", "e")
    unions = ("union", "ions", "[UNK]", "##ions", "##s", "s", "##ion", "u", "##n")
    cases = [
        ("needlessly", {piece: n for n, piece in enumerate(needs)}),
        ("unions", {piece: n for n, piece in enumerate(unions)}),
        ("abc", {"a": 0, "ab": 1, "##bc": 2, "[UNK]": 3, "b": 4}),
        ("abab", {"[UNK]": 1, "ab": 5, "##ab": 7}),
    ]
    check(attempt, numbered(_longest_first), cases, [Mistake(*slip) for slip in slips])


def fewest(attempt: Answer) -> None:
    """Check ``fewest(word, known)``: the smallest number of pieces that write a word, 0 if none do."""

    def count(cutter: Cutter, none: float = 0, more: int = 0) -> Answer:
        return lambda word, known: none if (pieces := cutter(word, known)) is None else len(pieces) + more

    longest = "It seems to take the longest piece each time: that need not give the fewest, nor find a way at all."
    unwritten = "A word that no pieces write seems to have a number of its own: return 0 for it."
    slips = [
        (count(_longest_first), longest),
        (count(_any_way), "It seems to take the longest piece that leads on: that need not give the fewest."),
        (count(_from_the_end), longest),
        (
            count(lambda word, known: _fewest(word, known, mark="")),
            "Pieces that go on with a word seem to be looked up without ##: these are other pieces.",
        ),
        (count(_fewest, more=-1), "It seems to count the cuts: two pieces have one cut between them."),
        *((count(_fewest, none=none), unwritten) for none in (1, -1, np.inf)),
        (lambda word, known: len(word), "It seems to count the letters: a piece may have many."),
    ]
    cases = [
        ("needlessly", {"need", "needles", "##lessly", "##sl", "##y", "n", "##less", "##ly", "lessly"}),
        ("seaside", {"s", "sea", "seas", "##side", "##ide", "##i", "##de", "##easid", "##e"}),
        ("abab", {"ab", "##a", "##b", "##ba"}),
        ("abc", {"ab", "a", "##bc"}),
        ("abcd", {"ab", "bcd", "##c"}),
    ]
    check(attempt, count(_fewest), cases, [Mistake(*slip) for slip in slips])


def sentence_vectors(attempt: Answer) -> None:
    """Check ``sentence_vectors(x, real)``, equation (4) for a batch."""

    def unit(x: Array, axis: int | None = -1) -> Array:
        return x / np.linalg.norm(x, axis=axis, keepdims=True)

    def mean(x: Array, real: Array) -> Array:
        return np.sum(x * real[:, :, None], axis=1) / np.sum(real, axis=1)[:, None]

    length = "The vectors seem not to have the length 1: (4) divides by it."
    root = "The length seems to be another one: it is the root of the sum of squares."
    padding = "The padding seems to count: (4) runs over real pieces only."
    early = "Each row seems to be divided by its length before the mean: (4) divides the mean."
    own = "Several sentences seem to be divided by one length: each has its own."
    slips = [
        (lambda x, real: unit(x.mean(axis=1)), padding),
        (lambda x, real: x.mean(axis=1), padding),
        (mean, length),
        (lambda x, real: np.sum(x * real[:, :, None], axis=1), length),
        (lambda x, real: mean(unit(x), real), early),
        (lambda x, real: unit(mean(unit(x), real)), early),
        (lambda x, real: unit(mean(x, real), axis=0), own),
        (lambda x, real: unit(mean(x, real), axis=None), own),
        (lambda x, real: unit(x[:, 0]), "It seems to take the first piece: (4) is a mean."),
        (
            lambda x, real: unit(np.where(real[:, :, None], x, -np.inf).max(axis=1)),
            "It seems to take the largest numbers: (4) is a mean.",
        ),
        (lambda x, real: mean(x, real) / np.abs(mean(x, real)).sum(axis=1, keepdims=True), root),
        (lambda x, real: mean(x, real) / np.sum(mean(x, real) ** 2, axis=1, keepdims=True), root),
    ]
    rng = np.random.default_rng(4)
    cases = []
    for lengths, time in (((3, 2, 4), 5), ((1, 4), 4)):
        x = rng.normal(size=(len(lengths), time, 3)).round(1)
        cases.append((x, np.arange(time) < np.array(lengths)[:, None]))
    check(attempt, lambda x, real: unit(mean(x, real)), cases, [Mistake(*slip) for slip in slips])


def reciprocal_rank(attempt: Answer) -> None:
    """Check ``reciprocal_rank(points, answers)``, equation (6); of equal points the answer comes last."""

    def own(p: Array, a: Array) -> Array:
        return p[np.arange(len(p)), a][:, None]

    def ranks(p: Array, a: Array) -> Array:
        return np.sum(p >= own(p, a), axis=1)

    slips = [
        (
            lambda p, a: np.mean(1 / (np.sum(p > own(p, a), axis=1) + 1)),
            "Of equal points the answer seems to come first: it comes last.",
        ),
        (lambda p, a: np.mean(1 / (ranks(p, a) + 1)), "The ranks seem to be too large by one: the best has rank 1."),
        (lambda p, a: np.mean(1 / ranks(-p, a)), "The fewest points seem to have rank 1: the most points are best."),
        (lambda p, a: 1 / np.mean(ranks(p, a)), "The mean seems to be taken of ranks: (6) has that of reciprocals."),
        (lambda p, a: np.mean(ranks(p, a)), "It seems to be the mean rank: (6) has reciprocals."),
        (lambda p, a: np.sum(1 / ranks(p, a)), "It seems to be a sum: (6) divides by the number of questions."),
        (lambda p, a: np.mean(ranks(p, a) == 1), "Only first places seem to count: a second one counts as 1/2."),
        (
            lambda p, a: np.mean(np.where(ranks(p, a) <= 5, 1 / ranks(p, a), 0)),
            "Places after the fifth seem to count as 0, as Voorhees has it: (6) counts them all.",
        ),
        (lambda p, a: 1 / ranks(p, a), "It seems to be one number for each question: (6) is their mean."),
    ]
    cases = [
        (np.array([[0.3, 0.9, 0.1], [0.2, 0.5, 0.5], [0.8, 0.1, 0.4]]), np.array([0, 1, 0])),
        (np.array([[7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 1.0, 5.0, 0.0, 0.0, 3.0]]), np.array([5, 2])),
        (np.array([[0.0, 0.0, 0.0, 1.0]]), np.array([1])),
    ]
    check(attempt, lambda p, a: np.mean(1 / ranks(p, a)), cases, [Mistake(*slip) for slip in slips])


def share_at(attempt: Answer) -> None:
    """Check ``share_at(weights, r)``, equation (7) for all heads of a sentence."""

    def found(w: Array, r: int) -> Array:
        return np.diagonal(w[:, 1:-1], 1 + r, axis1=1, axis2=2)

    def solution(w: Array, r: int) -> Array:
        return found(w, r).sum(axis=1) / (w.shape[1] - 2)

    def wrapped(w: Array, r: int) -> Array:
        i = np.arange(1, w.shape[1] - 1)
        return w[:, i, (i + r) % w.shape[1]].mean(axis=1)

    marks = "The two marks seem to look, too: (7) asks words only."
    slips = [
        (lambda w, r: np.diagonal(w, r, axis1=1, axis2=2).sum(axis=1) / w.shape[1], marks),
        (lambda w, r: np.diagonal(w, r, axis1=1, axis2=2).mean(axis=1), marks),
        (lambda w, r: solution(w, -r), "The sign of r seems to be turned: a row looks at the place i + r."),
        (lambda w, r: solution(w.swapaxes(1, 2), r), "Rows and columns seem to be exchanged: it is rows that look."),
        (lambda w, r: found(w, r).sum(axis=1), "It seems to be a sum: (7) divides by the number of words."),
        (lambda w, r: found(w, r).sum(axis=1) / w.shape[1], "It seems to divide by all pieces: (7) has the words."),
        (
            lambda w, r: found(w, r).mean(axis=1),
            "Words whose place i + r is outside seem to be left out: they count, with a weight of 0.",
        ),
        (wrapped, "A place outside the sentence seems to be one at its other end: such indices wrap."),
        (lambda w, r: solution(w, r).mean(), "It seems to be a mean over heads: each has its own share."),
    ]
    rng = np.random.default_rng(7)
    cases = []
    for heads, time, r in ((2, 5, -1), (3, 6, 2), (2, 4, 0), (2, 6, -3)):
        w = rng.uniform(size=(heads, time, time))
        cases.append(((w / w.sum(axis=2, keepdims=True)).round(2), r))
    check(attempt, solution, cases, [Mistake(*slip) for slip in slips])


def there_and_back(attempt: Answer) -> None:
    """Check ``there_and_back(w, bits)``, equation (8) by rows, codes times scales."""

    def scales(w: Array, bits: int, axis: int | None = 1) -> Array:
        s = np.abs(w).max(axis=axis, keepdims=True) / (2 ** (bits - 1) - 1)
        return np.where(s == 0, 1, s)

    def by(scale: Answer, whole: Answer = np.round) -> Answer:
        return lambda w, bits: whole(w / scale(w, bits)) * scale(w, bits)

    def signed(w: Array, bits: int) -> Array:
        s = w.max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
        return np.where(s == 0, 1, s)

    def bare(w: Array, bits: int) -> Array:
        return np.abs(w).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)

    steps = "The largest code seems to be another: of b bits one is for the sign, and 0 is a code, too."
    slips = [
        (
            by(lambda w, bits: scales(w, bits, axis=None)),
            "One scale seems to serve the whole matrix: rows have theirs.",
        ),
        (by(lambda w, bits: scales(w, bits, axis=0)), "Each column seems to have a scale: (8) has one for each row."),
        (lambda w, bits: np.round(w / scales(w, bits)), "It seems to return the codes: multiply them with the scales."),
        (by(scales, np.trunc), "The codes seem to be cut off: round to the nearest whole number."),
        (by(scales, np.floor), "The codes seem to be rounded down: round to the nearest whole number."),
        (by(lambda w, bits: scales(w, bits) * (2 ** (bits - 1) - 1) / 2 ** (bits - 1)), steps),
        (by(lambda w, bits: scales(w, bits + 1)), steps),
        (by(lambda w, bits: scales(w, 8)), "The bits seem not to be used: 127 is for eight."),
        (by(signed), "The largest number of a row seems to be taken with its sign: a negative one may be larger."),
        (by(bare), "A row of zeros seems to be divided by zero: it stays as it is."),
    ]
    cases = [
        (np.array([[0.5, -1.3, 0.26], [0.11, 0.02, -0.07]]), 4),
        (np.array([[2.0, -0.9, 0.3, 0.7], [0.0, 0.0, 0.0, 0.0], [-3.1, 1.2, 0.4, -0.6]]), 3),
        (np.array([[0.013, -0.27], [1.9, 0.777]]), 8),
    ]
    check(attempt, by(scales), cases, [Mistake(*slip) for slip in slips])


def _greedy(word: str, known: Collection[str], mark: str = "##", shortest: bool = False) -> tuple[list[str], str]:
    """Return the pieces that are taken one by one, the longest each time, and what is left in a dead end."""
    pieces: list[str] = []
    while word:
        sign = mark if pieces else ""
        fitting = [end for end in range(1, len(word) + 1) if sign + word[:end] in known]
        if not fitting:
            break
        end = fitting[0] if shortest else fitting[-1]
        pieces.append(sign + word[:end])
        word = word[end:]
    return pieces, word


def _longest_first(word: str, known: Collection[str], mark: str = "##", shortest: bool = False) -> list[str] | None:
    """Return the pieces of a word as BERT takes them, None for an unknown one."""
    pieces, rest = _greedy(word, known, mark, shortest)
    return None if rest else pieces


def _from_the_end(word: str, known: Collection[str]) -> list[str] | None:
    """Return the pieces of a word if the longest is taken off its end each time."""
    pieces: list[str] = []
    while word:
        parts = (("##" if start else "") + word[start:] for start in range(len(word)))
        piece = next((part for part in parts if part in known), None)
        if piece is None:
            return None
        pieces.insert(0, piece)
        word = word[: len(word) - len(piece.removeprefix("##"))]
    return pieces


def _fewest(word: str, known: Collection[str], mark: str = "##") -> list[str] | None:
    """Return the fewest pieces that write a word."""
    best: list[list[str] | None] = [[], *[None] * len(word)]
    for end in range(1, len(word) + 1):
        for start, before in enumerate(best[:end]):
            piece = (mark if start else "") + word[start:end]
            if before is not None and piece in known and (best[end] is None or len(before) + 1 < len(best[end])):
                best[end] = [*before, piece]
    return best[-1]


def _any_way(word: str, known: Collection[str], mark: str = "") -> list[str] | None:
    """Return the longest pieces of a word, going back where they lead into a dead end."""
    for end in range(len(word), 0, -1):
        if mark + word[:end] in known:
            rest = _any_way(word[end:], known, "##") if end < len(word) else []
            if rest is not None:
                return [mark + word[:end], *rest]
    return None
