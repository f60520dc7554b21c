"""Schedules: the learning rate of each training step, as arrays that a loop can walk through."""

from __future__ import annotations

import numpy as np


def warmup_cosine(steps: int, peak: float, warm: int = 0, floor: float = 0.0) -> np.ndarray:
    """Return rates that rise from 0 in a straight line, then fall to a floor along half a cosine.

    Sources: P. Goyal et al., *Accurate, Large Minibatch SGD*, 2017, section 2.2, for the gradual rise; I. Loshchilov
    and F. Hutter, *SGDR*, 2017, equation 5, for the fall. The rates are those of Keras's ``CosineDecay``, whose first
    step has the rate 0 where it warms up; the floor is reached one step after the last.

    Parameters
    ----------
    steps : int
        Of the whole training.
    peak : float
        The largest rate, of step ``warm`` (counted from 0).
    warm : int
        Steps of the rise; 0 begins at the peak.
    floor : float
        The rate to which it falls.

    Returns
    -------
    numpy.ndarray
        Shape (steps,).

    Raises
    ------
    ValueError
        If no step is left after the rise.
    """
    if not 0 <= warm < steps:
        raise ValueError(f"Of {steps} steps {warm} are to warm up: expected at least 0 and fewer than all.")
    t = np.arange(steps)
    rise = peak * t / max(warm, 1)
    fall = floor + (peak - floor) * (1 + np.cos(np.pi * (t - warm) / (steps - warm))) / 2
    return np.where(t < warm, rise, fall)


def one_cycle(steps: int, peak: float, start: float = 10.0, share: float = 0.45, end: float = 100.0) -> np.ndarray:
    """Return rates that rise to the peak, fall as far in as many steps, and then fall further: three straight lines.

    Source: L. N. Smith, *A disciplined approach to neural network hyper-parameters: Part 1*, 2018, section 4.2: one
    cycle shorter than the training, and for the rest a rate far below the one at which it began.

    Parameters
    ----------
    steps : int
        Of the whole training.
    peak : float
        The largest rate.
    start : float
        The first rate is the peak divided by this.
    share : float
        Of the steps, for the rise and again for the fall, in (0, 1/2].
    end : float
        The last rate is the first one divided by this.

    Returns
    -------
    numpy.ndarray
        Shape (steps,).

    Raises
    ------
    ValueError
        If rise and fall do not fit.
    """
    if not 0 < share <= 0.5:
        raise ValueError(f"The rise takes {share:g} of the steps: expected more than 0 and at most a half.")
    last = steps - 1
    corners = [0.0, share * last, 2 * share * last, last]
    return np.interp(np.arange(steps), corners, [peak / start, peak, peak / start, peak / start / end])


def exponential(steps: int, low: float, high: float) -> np.ndarray:
    """Return rates that grow by the same factor from step to step, for a range test.

    Source: L. N. Smith, *Cyclical Learning Rates for Training Neural Networks*, 2017, section 3.3, where they grow in a
    straight line; equal factors show several orders of magnitude.

    Parameters
    ----------
    steps : int
        At least 2.
    low, high : float
        First and last rate, positive.

    Raises
    ------
    ValueError
        If there is no way from one to the other.
    """
    if steps < 2 or low <= 0 or high <= low:
        raise ValueError(
            f"From {low:g} to {high:g} in {steps} steps: expected at least 2 steps and two rates, 0 < low < high."
        )
    return low * (high / low) ** (np.arange(steps) / (steps - 1))
