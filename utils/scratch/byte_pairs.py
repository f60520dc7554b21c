"""A byte-pair tokenizer: the most frequent pair of neighbors becomes one token, again and again.

Sources: P. Gage, *A New Algorithm for Data Compression*, 1994; R. Sennrich et al., *Neural Machine Translation of Rare
Words with Subword Units*, 2016, section 3.2, for merging within words; A. Radford et al., *Language Models are
Unsupervised Multitask Learners*, 2019, section 2.2, for bytes, and for keeping kinds of signs apart.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

import numpy as np

Pair = tuple[int, int]
BYTES = tuple(bytes([value]) for value in range(256))
LETTERS = "A-Za-z\x80-\U0010ffff"  # with every sign beyond ASCII
WORD = re.compile(f" ?[{LETTERS}]+| ?[0-9]+| ?[^{LETTERS}0-9 \n]+| |\n+")


class BytePairs:
    """A tokenizer that cuts text into words and merges pairs of neighbors in each, in a fixed order.

    A word is a run of letters, of digits or of other signs, with the blank before it; or a blank; or newlines. It
    starts as its UTF-8 bytes, the tokens 0 to 255, so any text can be written.

    Parameters
    ----------
    merges : sequence of tuple of int
        Pairs of tokens, the first to be merged first. The first makes the token 256, and so on.

    Attributes
    ----------
    merges : tuple of tuple of int
        As given.
    tokens : tuple of bytes
        What each token stands for.

    Raises
    ------
    ValueError
        If a merge is of a token that does not exist yet.
    """

    def __init__(self, merges: Sequence[Pair]) -> None:
        self.merges = tuple(merges)
        tokens = list(BYTES)
        for pair in self.merges:
            if not all(0 <= token < len(tokens) for token in pair):
                raise ValueError(f"Token {len(tokens)} is to be made of {pair}: expected two smaller numbers.")
            tokens.append(tokens[pair[0]] + tokens[pair[1]])
        self.tokens = tuple(tokens)
        self._made = {pair: token for token, pair in enumerate(self.merges, len(BYTES))}
        self._words: dict[str, list[int]] = {}  # those that were encoded before

    def encode(self, text: str) -> np.ndarray:
        """Return the tokens of a text, int32, shape (tokens,)."""
        words = WORD.findall(text)
        for word in set(words).difference(self._words):
            self._words[word] = self._merge_all(word)
        return np.fromiter(chain.from_iterable(self._words[word] for word in words), np.int32)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of tokens; bytes that are no UTF-8, of half a character for instance, become �.

        Raises
        ------
        ValueError
            If a number is not that of a token.
        """
        numbers = list(tokens)
        last = len(self.tokens) - 1
        if numbers and not 0 <= min(numbers) <= max(numbers) <= last:
            raise ValueError(f"The tokens go from {min(numbers)} to {max(numbers)}: expected numbers from 0 to {last}.")
        return b"".join(self.tokens[number] for number in numbers).decode(errors="replace")

    def _merge_all(self, word: str) -> list[int]:
        """Return the tokens of a word: of the merges that its pairs allow, do the earliest, until none is left."""
        tokens = list(word.encode())
        while possible := [self._made[pair] for pair in pairwise(tokens) if pair in self._made]:
            token = min(possible)
            tokens = merge(tokens, self.merges[token - len(BYTES)], token)
        return tokens


def merge(tokens: list[int], pair: Pair, token: int) -> list[int]:
    """Return the tokens with every occurrence of a pair, from left to right, replaced by one token."""
    merged: list[int] = []
    for following in tokens:
        if merged and (merged[-1], following) == pair:
            merged[-1] = token
        else:
            merged.append(following)
    return merged


def train(text: str, vocabulary: int) -> BytePairs:
    """Learn the merges of a text: of all pairs of neighbors inside words merge the most frequent, and count again.

    Of equally frequent pairs it is the one with the smaller first token, then with the smaller second. Counting again
    is cheap: a merge changes the counts of pairs in the words that hold its pair, and in no other.

    Parameters
    ----------
    text : str
        What to learn from.
    vocabulary : int
        How many tokens to have in the end, the 256 bytes among them.

    Returns
    -------
    BytePairs
        With ``vocabulary`` tokens.

    Raises
    ------
    ValueError
        If the vocabulary has no room for the bytes, or the text no pair left before it is full.
    """
    if vocabulary < len(BYTES):
        raise ValueError(f"A vocabulary of {vocabulary} has no room for the 256 bytes: take at least as many.")
    times = Counter(WORD.findall(text))
    words = {word: list(word.encode()) for word in times}
    counts: Counter[Pair] = Counter()
    holders: defaultdict[Pair, set[str]] = defaultdict(set)  # the words that hold a pair, or did
    for word, tokens in words.items():
        for pair in pairwise(tokens):
            counts[pair] += times[word]
            holders[pair].add(word)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapq.heapify(queue)
    merges: list[Pair] = []
    for token in range(len(BYTES), vocabulary):
        pair = _most_frequent(queue, counts)
        if pair is None:
            raise ValueError(f"The text has no pair left to merge at {token} tokens: take a smaller vocabulary.")
        merges.append(pair)
        fresh = set()
        for word in holders.pop(pair):
            before, after = words[word], merge(words[word], pair, token)
            words[word] = after
            for gone in pairwise(before):
                counts[gone] -= times[word]
            for new in pairwise(after):
                counts[new] += times[word]
                if token in new:
                    holders[new].add(word)
                    fresh.add(new)
        for new in fresh:
            heapq.heappush(queue, (-counts[new], new))
    return BytePairs(merges)


def _most_frequent(queue: list[tuple[int, Pair]], counts: Counter[Pair]) -> Pair | None:
    """Take the most frequent pair from a queue whose counts may be out of date, but are never too low."""
    while queue:
        count, pair = heapq.heappop(queue)
        if -count == counts[pair]:
            return pair
        if counts[pair]:
            heapq.heappush(queue, (-counts[pair], pair))
    return None
