"""Adversarial examples of a network in NumPy: the small change of an input that makes the loss grow most."""

from __future__ import annotations

import numpy as np

from utils.scratch.network import Network


def fgsm(network: Network, x: np.ndarray, targets: np.ndarray, epsilon: float) -> np.ndarray:
    """Move every number of the inputs by ε, to the side on which the loss grows (the fast gradient sign method).

    Source: I. Goodfellow, J. Shlens and C. Szegedy, *Explaining and Harnessing Adversarial Examples*, 2015,
    https://arxiv.org/abs/1412.6572, section 4.

    Parameters
    ----------
    network : Network
        The one whose loss is to grow.
    x : numpy.ndarray
        Inputs in [0, 1], first axis the examples.
    targets : numpy.ndarray
        One an example.
    epsilon : float
        How far: the largest change of a number.

    Returns
    -------
    numpy.ndarray
        Inputs in [0, 1], in the shape and dtype of ``x``. Where the gradient is 0 nothing moves.

    Raises
    ------
    ValueError
        If inputs leave [0, 1] or ε is negative.
    """
    _check(x, epsilon)
    return _step(network, x, targets, x, epsilon, epsilon)


def pgd(
    network: Network,
    x: np.ndarray,
    targets: np.ndarray,
    epsilon: float,
    steps: int,
    rate: float,
    generator: np.random.Generator | None = None,
) -> np.ndarray:
    """Take several smaller steps of :func:`fgsm`, each brought back to within ε (projected gradient descent).

    Source: A. Madry et al., *Towards Deep Learning Models Resistant to Adversarial Attacks*, 2018,
    https://arxiv.org/abs/1706.06083, section 2.1.

    Parameters
    ----------
    network, x, targets, epsilon
        As for :func:`fgsm`.
    steps : int
        How many.
    rate : float
        Length of a step in every number.
    generator : numpy.random.Generator, optional
        Draws where in the cube of all allowed changes to start; without it, at ``x``.

    Returns
    -------
    numpy.ndarray
        Inputs in [0, 1] and at most ε from ``x``, in its shape and dtype.

    Raises
    ------
    ValueError
        As :func:`fgsm`.
    """
    _check(x, epsilon)
    found = x
    if generator is not None:
        found = np.clip(x + generator.uniform(-epsilon, epsilon, x.shape), 0, 1).astype(x.dtype)
    for _ in range(steps):
        found = _step(network, found, targets, x, rate, epsilon)
    return found


def _step(
    network: Network, x: np.ndarray, targets: np.ndarray, center: np.ndarray, rate: float, epsilon: float
) -> np.ndarray:
    """Go up the loss by the signs of its gradient, then back to within ε of the center and into [0, 1]."""
    network.loss_and_gradients(x, targets)
    moved = np.clip(x + rate * np.sign(network.input_gradient), center - epsilon, center + epsilon)
    return np.clip(moved, 0, 1).astype(x.dtype)


def _check(x: np.ndarray, epsilon: float) -> None:
    """Raise where the inputs are no intensities, or the bound is none."""
    if not np.issubdtype(x.dtype, np.floating) or not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(
            f"The inputs are {x.dtype}, {x.min()} to {x.max()}: expected floating-point numbers in [0, 1]."
        )
    if not epsilon >= 0:
        raise ValueError(f"The bound of the change is {epsilon}: expected 0 or more.")
