"""Activation functions and softmax, forward and backward."""

import math

import numpy as np
from scipy.special import erf  # NumPy has no error function; SciPy, which the book needs anyway, has one


def relu(x: np.ndarray) -> np.ndarray:
    """Return ``max(x, 0)`` for each element; any shape."""
    return np.maximum(x, 0)


def relu_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the gradient with respect to the input ``x`` of :func:`relu`; at 0 the slope counts as 0, as in Keras."""
    return dy * (x > 0)


def gelu(x: np.ndarray) -> np.ndarray:
    """Return ``x Φ(x)`` for each element, where Φ(x) is the share of the standard normal curve below x; any shape.

    Source: D. Hendrycks and K. Gimpel, *Gaussian Error Linear Units (GELUs)*, 2016; exact, as Keras's default.
    """
    return x * _share_below(x)


def gelu_backward(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the gradient with respect to the input ``x`` of :func:`gelu`."""
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)  # the slope of Φ
    return dy * (_share_below(x) + x * density)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return ``1 / (1 + exp(-x))`` for each element, without overflow; any shape."""
    small = np.exp(-np.abs(x))  # in (0, 1], whatever the sign of x
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def sigmoid_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the gradient with respect to the input of :func:`sigmoid`, given its output ``y``."""
    return dy * y * (1 - y)


def tanh(x: np.ndarray) -> np.ndarray:
    """Return the hyperbolic tangent of each element; any shape."""
    return np.tanh(x)


def tanh_backward(dy: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the gradient with respect to the input of :func:`tanh`, given its output ``y``."""
    return dy * (1 - y * y)


def softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return ``exp(x) / sum(exp(x))`` along an axis, without overflow.

    Parameters
    ----------
    x : numpy.ndarray
        Scores, any shape.
    axis : int
        The axis whose values sum to 1 in the result.

    Returns
    -------
    numpy.ndarray
        The shape of ``x``.
    """
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def softmax_backward(dy: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the gradient with respect to the scores of :func:`softmax`, given its output ``y``."""
    return y * (dy - (dy * y).sum(axis=axis, keepdims=True))


def _share_below(x: np.ndarray) -> np.ndarray:
    """Return the share of the standard normal curve below each element."""
    return (1 + erf(x / math.sqrt(2))) / 2
