"""Positions as sines and cosines, for attention, which by itself does not know the order of its keys.

Source: A. Vaswani et al., *Attention Is All You Need*, 2017, section 3.5.
"""

import numpy as np


def sinusoidal_positions(time: int, d: int, base: float = 10000.0) -> np.ndarray:
    """Return a row of d numbers for each of the positions 0 to time - 1.

    Position t has ``sin(t r_i)`` in column 2i and ``cos(t r_i)`` in column 2i + 1, at the rates ``r_i = base^(-2i/d)``
    in radians a step.

    Parameters
    ----------
    time : int
        Number of positions.
    d : int
        Numbers a position, as many as those of the inputs to which they are added; an even count.
    base : float
        Sets how slow the slowest pair turns: close to ``2π · base`` steps a turn for large d.

    Returns
    -------
    numpy.ndarray
        Shape (time, d), float64.

    Raises
    ------
    ValueError
        If d is not an even number of at least 2.
    """
    angles = np.arange(time)[:, None] * _rates(d, base)  # (time, d / 2)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(time, d)


def shift_matrix(steps: int, d: int, base: float = 10000.0) -> np.ndarray:
    """Return the matrix (d, d) that moves every position by the same number of steps.

    For ``p = sinusoidal_positions(time, d, base)`` and any t, ``p[t + steps] = p[t] @ shift_matrix(steps, d, base)``:
    each pair of a sine and a cosine is turned by ``steps · r_i``.

    Parameters
    ----------
    steps : int
        How far; negative for the way back.
    d, base
        As of :func:`sinusoidal_positions`.

    Raises
    ------
    ValueError
        If d is not an even number of at least 2.
    """
    angles = steps * _rates(d, base)
    sine = np.arange(0, d, 2)
    cosine = sine + 1
    shift = np.zeros((d, d))
    shift[sine, sine] = shift[cosine, cosine] = np.cos(angles)
    shift[cosine, sine] = np.sin(angles)
    shift[sine, cosine] = -np.sin(angles)
    return shift


def _rates(d: int, base: float) -> np.ndarray:
    """Return by how many radians each of the d / 2 pairs turns in a step."""
    if d < 2 or d % 2:
        raise ValueError(f"A position has {d} numbers: expected an even count, a sine and a cosine for every rate.")
    return base ** (-np.arange(0, d, 2) / d)
