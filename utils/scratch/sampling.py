"""From scores to the next token: temperature, and which tokens are in question at all."""

import numpy as np

from utils.scratch.activations import softmax


def sampling_probabilities(
    logits: np.ndarray, temperature: float = 1.0, top_k: int | None = None, top_p: float = 1.0
) -> np.ndarray:
    """Return with which probability each token is to be drawn.

    The logits are divided by the temperature; then only the ``top_k`` most probable tokens stay; then, of these, the
    fewest that together have at least ``top_p``, the most probable first. What stays is divided by its sum. Of equal
    logits those of the smaller tokens come first.

    Sources: top-k, A. Fan, M. Lewis and Y. Dauphin, *Hierarchical Neural Story Generation*, 2018; top-p, A. Holtzman et
    al., *The Curious Case of Neural Text Degeneration*, 2020, section 3.1.

    Parameters
    ----------
    logits : numpy.ndarray
        Shape (batch, vocabulary).
    temperature : float
        Below 1 the probable becomes more probable; above 1 all become more alike.
    top_k : int, optional
        How many tokens stay at most; by default all.
    top_p : float
        Which share of the probability stays at least.

    Returns
    -------
    numpy.ndarray
        float64, shape (batch, vocabulary); each row sums to 1.

    Raises
    ------
    ValueError
        If the temperature is not above 0, ``top_k`` below 1, or ``top_p`` not in (0, 1].
    """
    if not temperature > 0:
        raise ValueError(f"A temperature of {temperature} cannot be divided by: take one above 0.")
    if top_k is not None and top_k < 1:
        raise ValueError(f"With top_k = {top_k} nothing can be drawn: keep at least 1.")
    if not 0 < top_p <= 1:
        raise ValueError(f"The share top_p = {top_p} must be above 0 and at most 1.")
    p = softmax(np.asarray(logits, float) / temperature)
    order = np.argsort(-logits, axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=1)  # falling
    if top_k is not None:
        ranked[:, top_k:] = 0
        ranked /= ranked.sum(axis=1, keepdims=True)
    before = np.cumsum(ranked, axis=1) - ranked  # what the more probable ones have together
    ranked[before >= top_p] = 0
    kept = np.zeros_like(p)
    np.put_along_axis(kept, order, ranked / ranked.sum(axis=1, keepdims=True), axis=1)
    return kept


def draw(probabilities: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw a token a row.

    Parameters
    ----------
    probabilities : numpy.ndarray
        Shape (batch, vocabulary); each row sums to 1.
    generator : numpy.random.Generator
        One number of it is used a row, whatever the probabilities.

    Returns
    -------
    numpy.ndarray
        Whole numbers (batch,).
    """
    edges = np.cumsum(probabilities, axis=1)  # token i owns the numbers between edges i - 1 and i
    edges /= edges[:, -1:]
    return (generator.random(len(edges))[:, None] >= edges).sum(axis=1)
