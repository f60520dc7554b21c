"""Whether two explanations agree, and whether what they point at matters."""

from collections.abc import Callable

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the place of each value from the smallest, from 1 on; equal values share the mean of their places."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's rank correlation of two lists: the correlation of their ranks, from -1 to 1.

    Raises
    ------
    ValueError
        If the lists differ in length, or all values of one are the same.
    """
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"The lists have shapes {a.shape} and {b.shape}: expected two of the same length.")
    first, second = (place - place.mean() for place in (ranks(a), ranks(b)))
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    if scale == 0:
        raise ValueError("All values of a list are the same, so they have no order to compare.")
    return float((first * second).sum() / scale)


def deleted(
    model: Callable[[np.ndarray], np.ndarray], x: np.ndarray, order: np.ndarray, counts: list[int], blank: float = 0.0
) -> np.ndarray:
    """Return the outputs of a model while the pixels of an image are taken away, those named first going first.

    Source: W. Samek et al., *Evaluating the Visualization of What a Deep Neural Network Has Learned*, 2017, section
    III (they perturb regions).

    Parameters
    ----------
    model : callable
        Maps images (batch, ...) to outputs, first axis the batch.
    x : numpy.ndarray
        One image.
    order : numpy.ndarray
        Places in the flattened image, the most important first.
    counts : list of int
        How many are taken away.
    blank : float
        What stands in their place.

    Returns
    -------
    numpy.ndarray
        Outputs of the model, first axis the counts.
    """
    copies = np.repeat(x.reshape(1, -1), len(counts), axis=0)
    for copy, count in zip(copies, counts, strict=True):
        copy[order[:count]] = blank
    return model(copies.reshape(len(counts), *x.shape))
