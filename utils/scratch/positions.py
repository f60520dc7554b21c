"""Positions as sines and cosines, for attention, which by itself does not know the order of its keys.

They are added to the inputs, or they turn queries and keys.

Sources: A. Vaswani et al., *Attention Is All You Need*, 2017, section 3.5; J. Su et al., *RoFormer: Enhanced
Transformer with Rotary Position Embedding*, 2021, section 3.2.2, for turning.
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


def rotate(x: np.ndarray, start: int = 0, base: float = 10000.0) -> np.ndarray:
    """Turn every pair of neighboring numbers by an angle that grows with the position.

    The numbers 2i and 2i + 1 of position t are the two coordinates of a point, which turns by ``t r_i``, at the rates
    ``r_i = base^(-2i/d)`` of :func:`sinusoidal_positions`: equation 15 of Su et al. So the product of a query and a key
    that were turned depends on how far they lie apart, and not on where.

    Parameters
    ----------
    x : numpy.ndarray
        Queries or keys, shape (..., time, d), with an even d.
    start : int
        Position of the first step.
    base : float
        As of :func:`sinusoidal_positions`.

    Returns
    -------
    numpy.ndarray
        Shape and dtype of ``x``; every pair is as long as it was.

    Raises
    ------
    ValueError
        If d is not an even number of at least 2.
    """
    return _turn(x, _angles(x, start, base))


def rotate_backward(dy: np.ndarray, start: int = 0, base: float = 10000.0) -> np.ndarray:
    """Return the gradient with respect to the input of :func:`rotate`: the gradient ``dy``, turned back."""
    return _turn(dy, -_angles(dy, start, base))


def _angles(x: np.ndarray, start: int, base: float) -> np.ndarray:
    """Return by how much each pair of x (..., time, d) is turned, shape (time, d / 2)."""
    time, d = x.shape[-2:]
    return np.arange(start, start + time)[:, None] * _rates(d, base)


def _turn(x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Turn the pairs of x (..., time, d) by angles (time, d / 2)."""
    cosine, sine = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
    first, second = x[..., 0::2], x[..., 1::2]
    return np.stack([first * cosine - second * sine, first * sine + second * cosine], axis=-1).reshape(x.shape)


def _rates(d: int, base: float) -> np.ndarray:
    """Return by how many radians each of the d / 2 pairs turns in a step."""
    if d < 2 or d % 2:
        raise ValueError(f"A position has {d} numbers: expected an even count, a sine and a cosine for every rate.")
    return base ** (-np.arange(0, d, 2) / d)
