"""The checkers of ``pretrained``, asked with answers as readers write them, right ones and wrong ones."""

import functools

import numpy as np

from tests.utils.readers import QUIET, UNKNOWN, answers_of, refused
from utils.checks.pretrained import fewest, piece_numbers, reciprocal_rank, sentence_vectors, share_at, there_and_back


def taken(mark="##", ends=lambda start, size: range(size, start, -1), stuck=lambda found, number: [number["[UNK]"]]):
    """Return an answer that takes the first of these ends that fits."""

    def answer(word, number):
        found, start = [], 0
        while start < len(word):
            sign = mark if start else ""
            for end in ends(start, len(word)):
                if sign + word[start:end] in number:
                    break
            else:
                return stuck(found, number)
            found.append(number[sign + word[start:end]])
            start = end
        return found

    return answer


def taken_recursively(word, number, sign=""):
    if not word:
        return []
    end = next((end for end in range(len(word), 0, -1) if sign + word[:end] in number), None)
    rest = taken_recursively(word[end:], number, "##") if end else [number["[UNK]"]]
    return [number["[UNK]"]] if number["[UNK]"] in rest else [number[sign + word[:end]], *rest]


def going_back(word, number):
    """Return the numbers of the first way that leads to the end, the longest pieces first."""

    def way(rest, sign):
        for end in range(len(rest), 0, -1):
            if sign + rest[:end] in number:
                more = way(rest[end:], "##") if rest[end:] else []
                if more is not None:
                    return [number[sign + rest[:end]], *more]
        return None

    found = way(word, "")
    return [number["[UNK]"]] if found is None else found


def from_the_end(word, number):
    found = []
    while word:
        start = next((s for s in range(len(word)) if ("##" if s else "") + word[s:] in number), None)
        if start is None:
            return [number["[UNK]"]]
        found.append(number[("##" if start else "") + word[start:]])
        word = word[:start]
    return found[::-1]


@functools.cache
def least(word, known, sign="", mark="##"):
    """Return how few pieces write a word, infinity if none do."""
    if not word:
        return 0
    ends = [end for end in range(1, len(word) + 1) if sign + word[:end] in known]
    return min((1 + least(word[end:], known, mark, mark) for end in ends), default=float("inf"))


def by_fewest(word, number):
    found, sign, known = [], "", frozenset(number)
    if least(word, known) == float("inf"):
        return [number["[UNK]"]]
    while word:
        ends = [end for end in range(1, len(word) + 1) if sign + word[:end] in known]
        end = min(ends, key=lambda end: least(word[end:], known, "##"))
        found.append(number[sign + word[:end]])
        word, sign = word[end:], "##"
    return found


def fewest_pieces(none=0, more=0, mark="##"):
    def answer(word, known):
        count = least(word, frozenset(known), "", mark)
        return none if count == float("inf") else count + more

    return answer


def counted(cutter):
    """Return the number of pieces of an answer to exercise 1, 0 for an unknown word."""

    def answer(word, known):
        numbers = cutter(word, {piece: n for n, piece in enumerate(["[UNK]", *sorted(known)])})
        return 0 if numbers == [0] else len(numbers)

    return answer


def pooled(counts=lambda real: real, before=lambda row: row, mean=np.mean, size=np.linalg.norm):
    """Return an answer in loops over sentences."""

    def answer(x, real):
        vectors = []
        for rows, mask in zip(x, real, strict=True):
            chosen = np.array([before(row) for row in rows[counts(mask)]])
            vector = mean(chosen, axis=0)
            vectors.append(vector / size(vector))
        return np.array(vectors)

    return answer


def unit(row):
    return row / np.linalg.norm(row)


def together(x, real, axis=None):
    mean = pooled(size=lambda v: 1)(x, real)
    return mean / np.linalg.norm(mean, axis=axis)


def everything(mask):
    return np.ones_like(mask)


def ranked(order=lambda row, answer: [-row, np.arange(len(row)) == answer], shift=1, worth=lambda rank: 1 / rank):
    """Return an answer that sorts, the right page behind others with as many points."""

    def answer(points, answers):
        values = []
        for row, page in zip(points, answers, strict=True):
            places = np.lexsort(order(row, page)[::-1])
            values.append(worth(list(places).index(page) + shift))
        return np.mean(values)

    return answer


def all_ranks(points, answers):
    return [1 + sum(row > row[a]) + sum(row == row[a]) - 1 for row, a in zip(points, answers, strict=True)]


def looking(words=lambda time: range(1, time - 1), sign=1, turned=False, divide=None, wrap=False):
    """Return an answer in loops over words."""

    def answer(weights, r):
        shares = []
        for head in weights:
            time, total = len(head), 0.0
            for i in words(time):
                j = (i + sign * r) % time if wrap else i + sign * r
                if 0 <= j < time:
                    total += head[j, i] if turned else head[i, j]
            shares.append(total / (divide or (lambda time: len(words(time))))(time))
        return shares

    return answer


def steps(largest=lambda bits: 2 ** (bits - 1) - 1, whole=np.rint, size=np.abs, back=True, zero=True):
    """Return an answer that goes row by row."""

    def answer(w, bits):
        rows = []
        for row in w:
            scale = size(row).max() / largest(bits)
            if zero and not row.any():
                rows.append(row)
            else:
                rows.append(whole(row / scale) * (scale if back else 1))
        return np.array(rows)

    return answer


RIGHT = {
    piece_numbers: [taken(), taken_recursively],
    fewest: [fewest_pieces(), lambda word, known: np.int64(fewest_pieces()(word, known))],
    sentence_vectors: [pooled(), pooled(mean=np.sum), lambda x, real: pooled()(x, real).tolist()],
    reciprocal_rank: [ranked(), lambda p, a: sum(1 / np.array(all_ranks(p, a))) / len(a)],
    share_at: [looking(), lambda w, r: np.array(looking()(w, r))],
    there_and_back: [steps(), lambda w, bits: steps()(w.copy(), bits).tolist()],
}
WRONG = {
    piece_numbers: [
        ("The shortest piece seems", taken(ends=lambda start, size: range(start + 1, size + 1))),
        ("Pieces that go on with a word", taken(mark="")),
        ("The longest piece seems to be taken off the end", from_the_end),
        ("It seems to find the fewest", by_fewest),
        ("It seems to go back", going_back),
        ("The pieces before the dead end", taken(stuck=lambda found, number: [*found, number["[UNK]"]])),
        ("An unknown word seems to disappear", taken(stuck=lambda found, number: [])),
        (UNKNOWN, taken(stuck=lambda found, number: found), lambda word, number: taken()(word, number)[::-1]),
        (UNKNOWN, lambda word, number: len(taken()(word, number)), lambda word, number: word),
    ],
    fewest: [
        ("It seems to take the longest piece each time", counted(taken()), counted(from_the_end)),
        ("It seems to take the longest piece that leads on", counted(going_back)),
        ("Pieces that go on with a word", fewest_pieces(mark="")),
        ("It seems to count the cuts", fewest_pieces(more=-1)),
        ("A word that no pieces write", *(fewest_pieces(none=none) for none in (1, -1, float("inf")))),
        ("It seems to count the letters", lambda word, known: len(word)),
        (UNKNOWN, fewest_pieces(none=None), lambda word, known: len(known), fewest_pieces(more=1)),
    ],
    sentence_vectors: [
        ("The padding seems to count", pooled(everything), pooled(everything, size=lambda v: 1)),
        ("The vectors seem not to have", pooled(size=lambda v: 1), pooled(mean=np.sum, size=lambda v: 1)),
        ("Each row seems to be divided", pooled(before=unit), pooled(before=unit, size=lambda v: 1)),
        ("Several sentences seem", together, lambda x, real: together(x, real, axis=0)),
        ("It seems to take the first piece", lambda x, real: np.array([unit(row) for row in x[:, 0]])),
        ("It seems to take the largest", pooled(mean=np.max)),
        ("The length seems to be another", pooled(size=lambda v: sum(abs(v))), pooled(size=lambda v: v @ v)),
        (UNKNOWN, pooled(size=np.max), lambda x, real: pooled()(x[:, ::-1], real), lambda x, real: pooled()(x, real).T),
    ],
    reciprocal_rank: [
        ("Of equal points the answer seems to come first", ranked(lambda row, a: [-row, np.arange(len(row)) != a])),
        ("The ranks seem to be too large", ranked(shift=2)),
        ("The fewest points seem", ranked(lambda row, a: [row, np.arange(len(row)) == a])),
        ("The mean seems to be taken of ranks", lambda p, a: 1 / np.mean(all_ranks(p, a))),
        ("It seems to be the mean rank", ranked(worth=float)),
        ("It seems to be a sum", lambda p, a: ranked()(p, a) * len(p)),
        ("Only first places seem", ranked(worth=lambda rank: rank == 1)),
        ("Places after the fifth", ranked(worth=lambda rank: 1 / rank if rank <= 5 else 0)),
        ("It seems to be one number for each", lambda p, a: [1 / rank for rank in all_ranks(p, a)]),
        (UNKNOWN, ranked(worth=lambda rank: rank <= 3), lambda p, a: np.median(1 / np.array(all_ranks(p, a)))),
    ],
    share_at: [
        ("The two marks seem to look", looking(range), looking(range, divide=lambda time: time)),
        ("The sign of r", looking(sign=-1)),
        ("Rows and columns", looking(turned=True)),
        ("It seems to be a sum", looking(divide=lambda time: 1)),
        ("It seems to divide by all pieces", looking(divide=lambda time: time)),
        ("A place outside the sentence", looking(wrap=True)),
        ("It seems to be a mean over heads", lambda w, r: np.mean(looking()(w, r))),
        (UNKNOWN, looking(lambda time: range(1, time)), looking(lambda time: range(time - 1))),
        (UNKNOWN, lambda w, r: np.sum(looking()(w, r)), lambda w, r: looking()(w, 0)),
    ],
    there_and_back: [
        ("One scale seems", lambda w, bits: steps()(w.reshape(1, -1), bits).reshape(w.shape)),
        ("Each column seems", lambda w, bits: steps()(w.T, bits).T),
        ("It seems to return the codes", steps(back=False)),
        ("The codes seem to be cut off", steps(whole=np.trunc)),
        ("The codes seem to be rounded down", steps(whole=np.floor)),
        ("The largest code seems", steps(lambda bits: 2 ** (bits - 1)), steps(lambda bits: 2**bits - 1)),
        ("The bits seem not to be used", steps(lambda bits: 127)),
        ("The largest number of a row", steps(size=np.asarray)),
        ("A row of zeros", steps(zero=False)),
        (UNKNOWN, steps(whole=np.ceil), lambda w, bits: w, steps(lambda bits: 2 ** (bits - 1) - 2)),
    ],
}


test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


def test_only_the_mistakes_of_the_reader_warn(recwarn):
    refused(there_and_back, steps(whole=np.floor))
    refused(reciprocal_rank, ranked(shift=2))
    assert not recwarn.list


@QUIET
def test_messages_show_the_case_that_gives_a_mistake_away():
    assert (
        "answer('abc', {'a': 0, 'ab': 1, '##bc': 2, '[UNK]': 3, 'b': 4})\n  returns  [1, 3]\n  expected [3]"
        in refused(piece_numbers, taken(stuck=lambda found, number: [*found, number["[UNK]"]]))
    )
    assert "returns  [[nan" not in refused(there_and_back, steps(back=False))
    assert "nan" in refused(there_and_back, steps(zero=False))
