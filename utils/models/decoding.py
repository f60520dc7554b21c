"""Let an encoder and decoder write, the likeliest symbol at each step or a beam of beginnings; count what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from utils.models.seq2seq import END, PADDING, START, Seq2Seq, log_softmax


def greedy(network: Seq2Seq, source: np.ndarray, limit: int) -> np.ndarray:
    """Write the likeliest symbol, read it, and write the next one, for all sources at once.

    Parameters
    ----------
    network
        Trained.
    source
        (batch, source).
    limit
        Symbols to write at most, the end included.

    Returns
    -------
    numpy.ndarray
        Whole numbers (batch, limit + 1): the start, the symbols, the end, then padding. What is not over at the limit
        has no end.
    """
    memory, real, state = network.encoder.predict_on_batch(source)
    written = np.full((len(source), limit + 1), PADDING)
    written[:, 0] = START
    over = np.zeros(len(source), dtype=bool)
    for t in range(limit):
        logits, state, _ = network.decoder.predict_on_batch([written[:, t : t + 1], state, memory, real])
        symbol = _without_padding(np.asarray(logits)[:, 0]).argmax(axis=1)
        written[:, t + 1] = np.where(over, PADDING, symbol)
        over |= written[:, t + 1] == END
        if over.all():
            break
    return written


def beam_search(
    network: Seq2Seq, source: np.ndarray, width: int, limit: int, normalize: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the most probable beginnings at each step, for all sources at once.

    Parameters
    ----------
    network, source, limit
        As in :func:`greedy`.
    width
        Beginnings that are kept for each source. One of width 1 is greedy.
    normalize
        Rank what was found by its log-probability divided by this power of its length (the end included). 0 ranks
        by probability, 1 by the mean of a symbol.

    Returns
    -------
    written : whole numbers (batch, width, limit + 1), the best first, in the form of :func:`greedy`; what has reached
        its end comes before what has not
    scores : log-probabilities, not divided, (batch, width); minus infinity where fewer were found

    Notes
    -----
    Dividing by a power of the length is the simplest form of length normalization; see section 7 of Wu et al., 2016,
    https://arxiv.org/abs/1609.08144.
    """
    count, rows = len(source), np.arange(len(source))[:, None]
    memory, real, state = (
        np.repeat(np.asarray(part), width, axis=0) for part in network.encoder.predict_on_batch(source)
    )
    written = np.full((count, width, limit + 1), PADDING)
    written[:, :, 0] = START
    scores = np.full((count, width), -np.inf)
    scores[:, 0] = 0.0  # all begin alike, so one of them is enough
    over = np.zeros((count, width), dtype=bool)
    for t in range(limit):
        logits, after, _ = network.decoder.predict_on_batch(
            [written[:, :, t].reshape(-1, 1), state.reshape(count * width, -1), memory, real]
        )
        steps = _without_padding(log_softmax(np.asarray(logits)[:, 0])).reshape(count, width, -1)
        symbols = steps.shape[2]
        steps[over] = np.where(np.arange(symbols) == PADDING, 0.0, -np.inf)  # what is over stays as it is
        total = (scores[:, :, None] + steps).reshape(count, -1)  # (batch, width * symbols)
        best = np.argsort(-total, axis=1, kind="stable")[:, :width]
        scores = np.take_along_axis(total, best, axis=1)
        parent, symbol = np.divmod(best, symbols)
        written, over = written[rows, parent], over[rows, parent]
        state = np.asarray(after).reshape(count, width, -1)[rows, parent]
        written[:, :, t + 1] = symbol
        over = over | (symbol == END)
        if over.all():
            break
    length = np.maximum(np.sum(written[:, :, 1:] != PADDING, axis=2), 1)
    order = np.lexsort((-scores / length**normalize, ~over))  # ties keep the order of the probabilities
    return written[rows, order], scores[rows, order]


def _without_padding(scores: np.ndarray) -> np.ndarray:
    """Return scores (batch, symbols) in which padding is never chosen: it means that nothing is written."""
    return np.where(np.arange(scores.shape[1]) == PADDING, -np.inf, scores)


def edit_distance(a: Sequence[int], b: Sequence[int]) -> int:
    """Return how many symbols must be changed, left out or put in to turn one sequence into the other.

    Notes
    -----
    By the recursion over beginnings of both of Wagner & Fischer, 1974, https://doi.org/10.1145/321796.321811.
    """
    row = list(range(len(b) + 1))  # from nothing to each beginning of b
    for i, symbol in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (symbol != other))
    return row[-1]


def symbols(written: np.ndarray) -> list[int]:
    """Return the symbols of one target without start, end and padding."""
    return [int(symbol) for symbol in written if symbol not in (PADDING, START, END)]


def symbol_errors(written: np.ndarray, accepted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare what was written with the nearest of the accepted targets.

    Parameters
    ----------
    written
        (examples, symbols).
    accepted
        (examples, targets, symbols); both may have any length.

    Returns
    -------
    errors : edit distance to the nearest target, int, (examples,); 0 where one of them was written
    lengths : symbols of that target without start and end, int, (examples,)
    """
    found = []
    for row, targets in zip(written, accepted, strict=True):
        ways = {tuple(symbols(target)) for target in targets}  # one that is repeated counts once
        found.append(min((edit_distance(symbols(row), way), len(way)) for way in ways))
    errors, lengths = np.array(found).reshape(-1, 2).T
    return errors, lengths
