"""WordPiece, the tokenizer of BERT: words are written with the longest pieces of a fixed vocabulary.

Sources: M. Schuster and K. Nakajima, *Japanese and Korean Voice Search*, 2012, and Y. Wu et al., *Google's Neural
Machine Translation System*, 2016, section 4.1, for pieces of words; J. Devlin et al., *BERT*, 2019, whose code
(https://github.com/google-research/bert, tokenization.py) says what a word is and how its pieces are found.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence

UNKNOWN, START, END = "[UNK]", "[CLS]", "[SEP]"
LONGEST = 100  # signs of a word; a longer one is unknown
CHINESE = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ceaf\U0002f800-\U0002fa1f]"
)


class WordPieces:
    """The tokenizer of BERT without capitals: cuts text into words, and each word into pieces that it knows.

    Parameters
    ----------
    vocabulary : sequence of str
        The pieces in the order of their numbers, [UNK], [CLS] and [SEP] among them; "##" begins a piece that goes on
        with a word.

    Raises
    ------
    ValueError
        If one of the three is missing.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        missing = [piece for piece in (UNKNOWN, START, END) if piece not in self._numbers]
        if missing:
            raise ValueError(f"The vocabulary lacks {', '.join(missing)}: expected one that was made for BERT.")
        self._words: dict[str, list[str]] = {}  # those that were cut before

    def pieces(self, text: str) -> list[str]:
        """Return the pieces of a text, [UNK] for a word that they cannot write."""
        pieces = []
        for word in split_words(text):
            if word not in self._words:
                self._words[word] = self._cut(word)
            pieces += self._words[word]
        return pieces

    def encode(self, text: str, limit: int | None = None) -> list[int]:
        """Return the numbers of a text's pieces between those of [CLS] and [SEP].

        Parameters
        ----------
        text : str
            What to cut; [CLS] and the like are words as others in it.
        limit : int, optional
            How many numbers to return at most, both marks among them: what goes beyond is left out.

        Raises
        ------
        ValueError
            If the limit has no room for the marks.
        """
        pieces = self.pieces(text)
        if limit is not None:
            if limit < 2:
                raise ValueError(f"A limit of {limit} has no room for {START} and {END}: take at least 2.")
            pieces = pieces[: limit - 2]
        return [self._numbers[piece] for piece in (START, *pieces, END)]

    def _cut(self, word: str) -> list[str]:
        """Return the longest piece that a word starts with, then the longest that goes on, until its end."""
        if len(word) > LONGEST:
            return [UNKNOWN]
        pieces, start = [], 0
        while start < len(word):
            mark = "##" if start else ""
            known = (end for end in range(len(word), start, -1) if mark + word[start:end] in self._numbers)
            end = next(known, None)
            if end is None:
                return [UNKNOWN]
            pieces.append(mark + word[start:end])
            start = end
        return pieces


def split_words(text: str) -> list[str]:
    """Return the words of a text, in lower case and without accents.

    Blanks end a word; a punctuation mark and a Chinese sign are words of their own.
    """
    apart = unicodedata.normalize("NFD", text)  # an accent follows its letter
    return apart.translate({ord(sign): _became(sign) for sign in set(apart)}).split()


def _became(sign: str) -> str:
    """Return what a sign is for the tokenizer: nothing, a blank, a word of its own, or in lower case."""
    category = unicodedata.category(sign)
    if sign in "\t\n\r":  # controls that are blanks; what else is blank ends a word as it is
        return " "
    if category in ("Mn", "Cc", "Cf", "Co") or sign == "\ufffd":  # accents, controls, and what was lost before
        return ""
    if sign in string.punctuation or category[0] == "P" or CHINESE.match(sign):
        return f" {sign} "
    return sign.lower()
