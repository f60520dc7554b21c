"""Adversarial examples: the small change of an input that makes the loss grow most."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from utils.backend import value_and_grad

Loss = Callable[[Any, Any], Any]


def fgsm(loss: Loss, x: np.ndarray, y: np.ndarray, epsilon: float) -> np.ndarray:
    """Move every number of the inputs by ε, to the side on which the loss grows (the fast gradient sign method).

    Parameters
    ----------
    loss
        From tensors of inputs and labels to a scalar tensor, such as the mean cross-entropy of a model.
    x
        Inputs in [0, 1], first axis the examples, float32 or float64.
    y
        One label an example.
    epsilon
        How far: the largest change of a number.

    Returns
    -------
    numpy.ndarray
        Inputs in [0, 1], in the shape and dtype of ``x``. Where the gradient is 0 nothing moves.

    Raises
    ------
    ValueError
        If inputs leave [0, 1] or ε is negative.

    Notes
    -----
    Goodfellow, Shlens and Szegedy, 2015, https://arxiv.org/abs/1412.6572, section 4.
    """
    _check(x, epsilon)
    return _step(loss, x, y, x, epsilon, epsilon)


def pgd(
    loss: Loss,
    x: np.ndarray,
    y: np.ndarray,
    epsilon: float,
    steps: int,
    rate: float,
    generator: np.random.Generator | None = None,
) -> np.ndarray:
    """Take several smaller steps of :func:`fgsm`, each brought back to within ε (projected gradient descent).

    Parameters
    ----------
    loss, x, y, epsilon
        As for :func:`fgsm`.
    steps
        How many.
    rate
        Length of a step in every number.
    generator
        Draws where in the cube of all allowed changes to start; without it, at ``x``.

    Returns
    -------
    numpy.ndarray
        Inputs in [0, 1] and at most ε from ``x``, in its shape and dtype.

    Raises
    ------
    ValueError
        As :func:`fgsm`.

    Notes
    -----
    Madry et al., 2018, https://arxiv.org/abs/1706.06083, section 2.1.
    """
    _check(x, epsilon)
    found = x
    if generator is not None:
        found = np.clip(x + generator.uniform(-epsilon, epsilon, x.shape), 0, 1).astype(x.dtype)
    for _ in range(steps):
        found = _step(loss, found, y, x, rate, epsilon)
    return found


def _step(loss: Loss, x: np.ndarray, y: np.ndarray, center: np.ndarray, rate: float, epsilon: float) -> np.ndarray:
    """Go up the loss by the signs of its gradient, then back to within ε of the center and into [0, 1]."""
    _, _, (slope, _) = value_and_grad(loss, [], x, y)
    moved = np.clip(x + rate * np.sign(slope), center - epsilon, center + epsilon)
    return np.clip(moved, 0, 1).astype(x.dtype)


def _check(x: np.ndarray, epsilon: float) -> None:
    """Raise where the inputs are no intensities, or the bound is none."""
    if not np.issubdtype(x.dtype, np.floating) or not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(
            f"The inputs are {x.dtype}, {x.min()} to {x.max()}: expected floating-point numbers in [0, 1]."
        )
    if not epsilon >= 0:
        raise ValueError(f"The bound of the change is {epsilon}: expected 0 or more.")
