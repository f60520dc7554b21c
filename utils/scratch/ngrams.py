"""Language models that count: each symbol is predicted from the few before it.

Sources: I. Witten and T. Bell, *The Zero-Frequency Problem*, 1991, method C; R. Kneser and H. Ney, *Improved
Backing-Off for M-gram Language Modeling*, 1995; S. Chen and J. Goodman, *An Empirical Study of Smoothing Techniques for
Language Modeling*, 1999, for both in the form that is computed here, in which every order is mixed with the one below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

SMOOTHINGS = ("witten-bell", "kneser-ney")


class Counts(NamedTuple):
    """The different n-grams of a text for one n, ordered by their symbols: the place of one is its rank.

    Attributes
    ----------
    keys : rank of the first n - 1 symbols, times the vocabulary, plus the last symbol; ascending
    times : how often each occurs
    endings : rank of the last n - 1 symbols
    """

    keys: np.ndarray
    times: np.ndarray
    endings: np.ndarray


class Level(NamedTuple):
    """What the n-grams for one n say: ``p = share[n-gram] + rest[context] · (p of the level below)``.

    All three have one more entry at their end for what did not occur, which the rank -1 finds.

    Attributes
    ----------
    keys : as of :class:`Counts`
    share : what of the probability each n-gram has by itself
    rest : what each context, an (n - 1)-gram, leaves to the level below
    """

    keys: np.ndarray
    share: np.ndarray
    rest: np.ndarray


class NGrams:
    """A model of each symbol given the ``order - 1`` before it.

    Write c(hw) for how often the symbol w follows the context h, c(h) for their sum over all w, N(h) for how many
    different symbols follow h, and h' for h without its first symbol.

    - Witten-Bell: ``p(w | h) = (c(hw) + N(h) p(w | h')) / (c(h) + N(h))``.
    - Kneser-Ney: ``p(w | h) = (max(c(hw) - D, 0) + D N(h) p(w | h')) / c(h)``. Below the longest n-grams, c(hw) is how
      many different symbols stand before hw. For each n, ``D = n1 / (n1 + 2 n2)``, where n1 and n2 n-grams count 1
      and 2, or 1/2 if none counts 1.

    A context that did not occur leaves all to the shorter one; below the empty context all symbols are equally likely.
    So no probability is 0.

    Parameters
    ----------
    order : int
        Symbols of the longest n-grams.
    vocabulary : int
        How many different symbols there are.
    smoothing : str
        "witten-bell" or "kneser-ney".

    Raises
    ------
    ValueError
        If a number is less than 1 or the smoothing is another.
    """

    def __init__(self, order: int, vocabulary: int, smoothing: str = "witten-bell") -> None:
        if order < 1 or vocabulary < 1:
            raise ValueError(f"The order is {order} and the vocabulary {vocabulary}: expected at least 1 of each.")
        if smoothing not in SMOOTHINGS:
            raise ValueError(f"The smoothing is {smoothing!r}: expected {' or '.join(SMOOTHINGS)}.")
        self.order, self.vocabulary, self.smoothing = order, vocabulary, smoothing
        self._levels: list[Level] = []

    def fit(self, codes: np.ndarray) -> NGrams:
        """Count a text instead of the last one, and return the model.

        Parameters
        ----------
        codes : numpy.ndarray
            At least one whole number from 0 to ``vocabulary - 1``, shape (symbols,).

        Raises
        ------
        ValueError
            If there is none, or one is another.
        """
        codes = self._checked(codes)
        if not codes.size:
            raise ValueError("The text is empty: there is nothing to count.")
        counts = count(codes, self.order, self.vocabulary)
        if self.smoothing == "kneser-ney":
            for place, longer in enumerate(counts[1:]):
                shorter = counts[place]
                counts[place] = shorter._replace(times=np.bincount(longer.endings, minlength=len(shorter.keys)))
        contexts = [1, *(len(level.keys) for level in counts[:-1])]
        self._levels = [self._level(level, size) for level, size in zip(counts, contexts, strict=True)]
        return self

    def bits(self, codes: np.ndarray) -> np.ndarray:
        """Return what each symbol of a text costs: the logarithm to base 2 of one over its probability.

        Parameters
        ----------
        codes : numpy.ndarray
            Whole numbers from 0 to ``vocabulary - 1``, shape (symbols,). The first ones have shorter contexts.

        Returns
        -------
        numpy.ndarray
            float64, shape (symbols,).

        Raises
        ------
        ValueError
            If a number is another, or no text was counted.
        """
        *_, longest = self._probabilities(self._checked(codes))
        return -np.log2(longest)

    def bits_by_order(self, codes: np.ndarray) -> np.ndarray:
        """Return what each symbol costs if the n-grams end at one symbol, at two, and so on up to ``order``.

        With Witten-Bell, row n - 1 is what the model of order n says; with Kneser-Ney it is not, since there the counts
        of shorter n-grams depend on the order.

        Parameters and errors as of :meth:`bits`.

        Returns
        -------
        numpy.ndarray
            float64, shape (order, symbols).
        """
        return -np.log2(list(self._probabilities(self._checked(codes))))

    def distribution(self, context: np.ndarray) -> np.ndarray:
        """Return the probability of every symbol after a context.

        Parameters
        ----------
        context : numpy.ndarray
            Whole numbers from 0 to ``vocabulary - 1``, shape (symbols,): of any length, of which the last
            ``order - 1`` are used.

        Returns
        -------
        numpy.ndarray
            float64, shape (vocabulary,).

        Raises
        ------
        ValueError
            If a number is another, or no text was counted.
        """
        used = self._checked(context)[max(0, len(context) - self.order + 1) :]
        symbols = np.arange(self.vocabulary)
        rows = np.column_stack([np.tile(used, (self.vocabulary, 1)), symbols])  # the context, then each of the symbols
        *_, longest = self._probabilities(rows)
        return longest[:, -1]

    def _probabilities(self, codes: np.ndarray) -> Iterator[np.ndarray]:
        """Yield, for each n, the probability of each symbol of texts, shape (..., time), given the n - 1 before it."""
        if not self._levels:
            raise ValueError("The model has not counted a text yet: call fit first.")
        p = np.full(codes.shape, 1 / self.vocabulary)
        context = np.zeros(codes.shape, np.int64)  # ranks of the n - 1 symbols before
        for level in self._levels:
            keys = context * self.vocabulary + codes
            ranks = np.searchsorted(level.keys, keys)
            ranks[level.keys[ranks] != keys] = -1
            p = level.share[ranks] + level.rest[context] * p
            context = np.roll(ranks, 1, axis=-1)
            context[..., :1] = -1  # nothing stands before the first symbol
            yield p

    def _level(self, counts: Counts, contexts: int) -> Level:
        """Return the shares of n-grams, and of as many contexts what they leave to the level below."""
        context = counts.keys // self.vocabulary
        followers = np.bincount(context, counts.times > 0, contexts)
        if self.smoothing == "witten-bell":
            kept, spared = counts.times, followers
        else:
            once, twice = (np.count_nonzero(counts.times == times) for times in (1, 2))
            discount = once / (once + 2 * twice) if once else 0.5
            kept, spared = np.maximum(counts.times - discount, 0), discount * followers
        spared[followers == 0] = 1
        whole = np.bincount(context, kept, contexts) + spared
        return Level(
            keys=np.append(counts.keys, np.iinfo(np.int64).max),
            share=np.append(kept / whole[context], 0),
            rest=np.append(spared / whole, 1),
        )

    def _checked(self, codes: np.ndarray) -> np.ndarray:
        """Return the codes as an array, if they are of this vocabulary."""
        codes = np.asarray(codes)
        numbers = codes.ndim == 1 and (np.issubdtype(codes.dtype, np.integer) or not codes.size)
        if not numbers or np.any((codes < 0) | (codes >= self.vocabulary)):
            raise ValueError(
                f"The codes have shape {codes.shape} and type {codes.dtype}: expected one row of whole numbers from 0 "
                f"to {self.vocabulary - 1}."
            )
        return codes.astype(np.int64)


def count(codes: np.ndarray, order: int, vocabulary: int) -> list[Counts]:
    """Count the n-grams of a text for every n from 1 to an order.

    All places of the text are sorted by the n symbols from there on, for one n after the other. Places that are sorted
    by the n - 1 symbols behind them need one stable sort more, by their own symbol.

    Parameters
    ----------
    codes : numpy.ndarray
        Whole numbers from 0 to ``vocabulary - 1``, shape (symbols,).
    order, vocabulary : int
        As of :class:`NGrams`.

    Returns
    -------
    list of Counts
        One for each n.
    """
    codes = codes.astype(np.min_scalar_type(vocabulary - 1))  # NumPy sorts numbers of 16 bits in linear time
    places = np.arange(len(codes) + 1)
    ranks = np.zeros(len(codes) + 1, np.int64)  # of the n - 1 symbols from each place on
    counts = []
    for n in range(1, order + 1):
        places = places[places > 0] - 1
        places = places[np.argsort(codes[places], kind="stable")]
        firsts, endings = codes[places], ranks[places + 1]
        new = np.ones(len(places), bool)
        new[1:] = (firsts[1:] != firsts[:-1]) | (endings[1:] != endings[:-1])
        examples = places[new]
        counts.append(
            Counts(
                keys=ranks[examples] * vocabulary + codes[examples + n - 1],
                times=np.diff(np.flatnonzero(new), append=len(new)),
                endings=endings[new],
            )
        )
        ranks = np.empty(len(places), np.int64)
        ranks[places] = np.cumsum(new) - 1
    return counts
