"""Normalization of every row by numbers of its own, forward and backward; and layers of it.

Layer normalization subtracts a row's mean and divides by the root of the mean square of what is left, its standard
deviation. RMS normalization leaves the mean where it is. Either way learned numbers then scale each column.

Sources: J. L. Ba, J. R. Kiros and G. E. Hinton, *Layer Normalization*, 2016; B. Zhang and R. Sennrich, *Root Mean
Square Layer Normalization*, 2019. The small number ``epsilon`` keeps a row of equal numbers, or of zeros, finite; it
stands where Keras has it, and its defaults are those of Keras.
"""

import numpy as np

from utils.scratch.network import Layer, rows


def rms_norm(x: np.ndarray, gamma: np.ndarray, epsilon: float = 1e-6) -> np.ndarray:
    """Return ``gamma · x / sqrt(mean(x²) + epsilon)``, with the mean over the last axis.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (..., n).
    gamma : numpy.ndarray
        Scale of each column, shape (n,).
    epsilon : float
        Keeps a row of zeros finite.

    Returns
    -------
    numpy.ndarray
        The shape of ``x``.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    if x.shape[-1:] != gamma.shape:
        raise ValueError(f"The input has shape {x.shape} and the scale {gamma.shape}: expected (..., n) and (n,).")
    return x / _root_mean_square(x, epsilon) * gamma


def rms_norm_backward(
    dy: np.ndarray, x: np.ndarray, gamma: np.ndarray, epsilon: float = 1e-6
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of a loss with respect to the input and the scale of :func:`rms_norm`.

    A row's length is divided out, so a longer row changes nothing (but for epsilon): of the gradient only what stands
    at a right angle to the row is left.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (..., n).
    x, gamma, epsilon
        As they were handed to :func:`rms_norm`.

    Returns
    -------
    dx, dgamma : numpy.ndarray
        In the shapes of ``x`` and ``gamma``.
    """
    root = _root_mean_square(x, epsilon)
    normal = x / root
    dnormal = dy * gamma
    dx = (dnormal - normal * (dnormal * normal).mean(axis=-1, keepdims=True)) / root
    return dx, rows(dy * normal).sum(axis=0)


def layer_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float = 1e-3) -> np.ndarray:
    """Return ``gamma · (x - mean(x)) / sqrt(variance(x) + epsilon) + beta``, over the last axis.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (..., n).
    gamma, beta : numpy.ndarray
        Scale and shift of each column, shape (n,).
    epsilon : float
        Keeps a row of equal numbers finite.

    Returns
    -------
    numpy.ndarray
        The shape of ``x``.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    if beta.shape != gamma.shape:
        raise ValueError(f"The shift has shape {beta.shape}: expected {gamma.shape}, as the scale.")
    return rms_norm(_centered(x), gamma, epsilon) + beta


def layer_norm_backward(
    dy: np.ndarray, x: np.ndarray, gamma: np.ndarray, epsilon: float = 1e-3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of a loss with respect to the input, the scale and the shift of :func:`layer_norm`.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (..., n).
    x, gamma, epsilon
        As they were handed to :func:`layer_norm`.

    Returns
    -------
    dx, dgamma, dbeta : numpy.ndarray
        In the shapes of ``x``, ``gamma`` and ``gamma``.
    """
    dcentered, dgamma = rms_norm_backward(dy, _centered(x), gamma, epsilon)
    return _centered(dcentered), dgamma, rows(dy).sum(axis=0)  # centering is a symmetric matrix: its own way back


class RMSNorm(Layer):
    """RMS normalization of the last axis; it starts with a scale of 1."""

    def __init__(self, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.epsilon = epsilon

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        self.parameters = [np.ones(shape[-1], dtype)]
        return shape

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return rms_norm(x, *self.parameters, self.epsilon)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        dx, *self.gradients = rms_norm_backward(dy, self.x, *self.parameters, self.epsilon)
        return dx


class LayerNorm(Layer):
    """Layer normalization of the last axis; it starts with a scale of 1 and a shift of 0."""

    def __init__(self, epsilon: float = 1e-3) -> None:
        super().__init__()
        self.epsilon = epsilon

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        self.parameters = [np.ones(shape[-1], dtype), np.zeros(shape[-1], dtype)]
        return shape

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return layer_norm(x, *self.parameters, self.epsilon)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        gamma, _ = self.parameters
        dx, *self.gradients = layer_norm_backward(dy, self.x, gamma, self.epsilon)
        return dx


def _root_mean_square(x: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the root of the mean square of each row, shape (..., 1)."""
    return np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon)


def _centered(x: np.ndarray) -> np.ndarray:
    """Return each row without its mean."""
    return x - x.mean(axis=-1, keepdims=True)
