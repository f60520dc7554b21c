"""Searching among settings: grids, draws, successive halving, and what the best of many results is worth."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np

from utils.scratch.power import normal_cdf


def grid(*axes: Sequence[float]) -> list[tuple[float, ...]]:
    """Return every combination of one value from each axis, the last axis fastest."""
    return list(itertools.product(*axes))


def between(low: float, high: float, generator: np.random.Generator) -> float:
    """Draw a number whose logarithm is uniform: as probable from 0.01 to 0.1 as from 0.1 to 1.

    Raises
    ------
    ValueError
        If the bounds are not positive and in order.
    """
    if not 0 < low < high:
        raise ValueError(f"Between {low:g} and {high:g} no logarithm can be drawn: expected 0 < low < high.")
    return float(math.exp(generator.uniform(math.log(low), math.log(high))))


def halving(
    score: Callable[[int, int], float], settings: int, least: int, most: int, keep: int = 2
) -> tuple[int, list[list[int]], int]:
    """Successive halving: train all settings a little, keep the best part, train those longer, and so on.

    Source: K. Jamieson and A. Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter Optimization*,
    2016, figure 3; ``keep`` other than 2 as in L. Li et al., *Hyperband*, 2018, algorithm 1.

    Parameters
    ----------
    score : callable
        ``score(setting, epochs)``: how good a setting is after so many epochs, high is good. A training goes on where
        it stopped.
    settings : int
        How many there are, numbered from 0.
    least, most : int
        Epochs of the first rung, and the largest number that a setting may get.
    keep : int
        One of so many survives a rung, and the epochs grow by this factor.

    Returns
    -------
    best : int
        The setting that is best on the last rung.
    rungs : list of list of int
        The settings that were trained on each rung.
    epochs : int
        Spent in all.

    Raises
    ------
    ValueError
        If there is nothing to choose or no way from the first rung to the last.
    """
    if settings < 1 or not 1 <= least <= most or keep < 2:
        raise ValueError(
            f"{settings} settings, {least} to {most} epochs, one of {keep} kept: expected at least 1 setting, "
            "1 ≤ least ≤ most, and keep of 2 or more."
        )
    alive, reached, spent, rungs = list(range(settings)), 0, 0, []
    epochs = least
    while True:
        spent += len(alive) * (epochs - reached)
        reached = epochs
        rungs.append(alive)
        alive = sorted(alive, key=lambda setting: -score(setting, reached))  # ties: the lower number
        if reached * keep > most or len(alive) == 1:
            return alive[0], rungs, spent
        alive = sorted(alive[: max(1, len(alive) // keep)])
        epochs = reached * keep


def expected_best(scores: np.ndarray, count: int) -> float:
    """Return the mean of the best of ``count`` scores that are drawn from a list with replacement.

    Source: J. Dodge et al., *Show Your Work: Improved Reporting of Experimental Results*, 2019, equation 3 and below.

    Parameters
    ----------
    scores : numpy.ndarray
        Shape (n,); high is good.
    count : int
        At least 1.

    Raises
    ------
    ValueError
        If nothing is drawn.
    """
    if count < 1 or not len(scores):
        raise ValueError(f"{count} of {len(scores)} scores are drawn: expected at least 1 of at least 1.")
    ordered = np.sort(scores)
    below = np.arange(len(ordered) + 1) / len(ordered)  # share of the list up to each place
    return float(ordered @ np.diff(below**count))


def expected_maximum(count: int) -> float:
    """Return the mean of the largest of ``count`` independent draws from the bell with mean 0 and deviation 1.

    The largest lies below a where all do, with probability Φ(a) to the power of ``count``; the mean is the area above
    that curve right of 0, less the area below it left of 0. It is less than ``sqrt(2 log(count))``.

    Parameters
    ----------
    count : int
        At least 1.

    Raises
    ------
    ValueError
        If nothing is drawn.
    """
    if count < 1:
        raise ValueError(f"The largest of {count} draws does not exist: expected at least 1.")
    step = 1e-3
    a = (np.arange(9_000) + 0.5) * step
    right = (1 - normal_cdf(a) ** count).sum()
    left = (normal_cdf(-a) ** count).sum()
    return float((right - left) * step)
