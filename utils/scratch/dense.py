"""A dense (fully connected) layer, forward and backward."""

import numpy as np


def dense(x: np.ndarray, w: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    """Return ``x w + b``.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (batch, inputs).
    w : numpy.ndarray
        Shape (inputs, units).
    b : numpy.ndarray, optional
        Shape (units,).

    Returns
    -------
    numpy.ndarray
        Shape (batch, units).

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    if x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[0]:
        raise ValueError(
            f"The input has shape {x.shape} and the weights {w.shape}: expected (batch, n) and (n, units)."
        )
    if b is not None and b.shape != w.shape[1:]:
        raise ValueError(f"The bias has shape {b.shape}: expected {w.shape[1:]}, one number a unit.")
    y = x @ w
    return y if b is None else y + b


def dense_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of a loss with respect to the input, the weights and the bias of :func:`dense`.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (batch, units).
    x, w : numpy.ndarray
        As they were handed to :func:`dense`.

    Returns
    -------
    dx, dw, db : numpy.ndarray
        Shapes (batch, inputs), (inputs, units) and (units,).
    """
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)
