"""Private training: bound what each example can do to a step, and add noise of that size.

A dense layer makes the gradient of one example an outer product: its input times what comes back to its scores. So the
norms of all gradients of a batch come from one backward pass, and no gradient of a single example is ever stored.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from utils.scratch.network import Dense, Network

Factors = list[tuple[np.ndarray, np.ndarray]]


class Optimizer(Protocol):
    """Whatever changes parameters by gradients: one of :mod:`utils.scratch.optimizers`."""

    def update(self, parameters: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """Change the parameters in place."""


def factors(network: Network, x: np.ndarray, targets: np.ndarray) -> Factors:
    """Return the two factors of every example's gradient, for each dense layer.

    Source: I. Goodfellow, *Efficient Per-Example Gradient Computations*, 2015, https://arxiv.org/abs/1510.01799.

    Parameters
    ----------
    network : Network
        Its layers with parameters are dense and see one row an example. Its loss is a mean over the examples.
    x : numpy.ndarray
        Shape (batch, inputs).
    targets : numpy.ndarray
        One an example, as the loss takes them.

    Returns
    -------
    list of tuple
        For each dense layer, from input to output: its inputs, shape (batch, n), and the gradients of each example's
        own loss with respect to its scores, shape (batch, units). The gradient of example e with respect to the
        weights is the outer product of the two rows e; with respect to the bias it is the second row.

    Raises
    ------
    ValueError
        If another layer has parameters, or a dense layer sees sequences.
    """
    for number, layer in enumerate(network.layers):
        shape = network.shapes[number]
        if layer.parameters and (not isinstance(layer, Dense) or len(shape) != 1):
            raise ValueError(
                f"The layer {type(layer).__name__} with inputs of shape {shape} has gradients that are no outer "
                "products: use dense layers with one row an example."
            )
    _, dy = network.loss(network.forward(x), targets)
    dy = len(x) * dy  # the loss is a mean: this is of the sum
    found: Factors = []
    for layer in reversed(network.layers):
        if isinstance(layer, Dense):
            found.append((layer.x, dy))
            dy = dy @ layer.parameters[0].T  # (batch, n): without the gradient of the weights
        else:
            dy = layer.backward(dy)
    return found[::-1]


def example_norms(factors: Factors) -> np.ndarray:
    """Return the length of every example's gradient, over all weights and biases.

    Parameters
    ----------
    factors : list of tuple
        Of :func:`factors`.

    Returns
    -------
    numpy.ndarray
        Shape (batch,). The square is the sum over layers of ``(|x|² + 1) |δ|²``; the 1 is the bias.
    """
    return np.sqrt(sum(((x * x).sum(axis=1) + 1) * (delta * delta).sum(axis=1) for x, delta in factors))


def clipped_sum(factors: Factors, clip: float) -> list[np.ndarray]:
    """Return the sum of all gradients, each cut to a length first.

    Source: M. Abadi et al., *Deep Learning with Differential Privacy*, 2016, https://arxiv.org/abs/1607.00133,
    algorithm 1: g / max(1, |g| / C).

    Parameters
    ----------
    factors : list of tuple
        Of :func:`factors`.
    clip : float
        C, the largest length that a gradient keeps; infinity keeps all.

    Returns
    -------
    list of numpy.ndarray
        In the order of ``network.parameters``.

    Raises
    ------
    ValueError
        If the length is not positive.
    """
    if not clip > 0:
        raise ValueError(f"Gradients are cut to a length of {clip}: it must be greater than 0.")
    share = 1 / np.maximum(1, example_norms(factors) / clip)  # (batch,)
    sums = []
    for x, delta in factors:
        cut = share[:, None].astype(delta.dtype) * delta  # (batch, units)
        sums += [x.T @ cut, cut.sum(axis=0)]
    return sums


def private_gradients(
    network: Network,
    x: np.ndarray,
    targets: np.ndarray,
    clip: float,
    noise: float,
    expected: float,
    generator: np.random.Generator,
) -> list[np.ndarray]:
    """Return what a private step uses as gradients: the cut sum, noise added, over the expected size of a batch.

    Source: Abadi et al., 2016, algorithm 1. They divide by the expected size too: the true one is a secret.

    Parameters
    ----------
    network, x, targets
        As for :func:`factors`; a batch may be empty.
    clip : float
        C, the largest length that a gradient keeps.
    noise : float
        σ: the noise of each parameter is normal with standard deviation σ C. Without noise C may be infinite.
    expected : float
        Examples of a batch on average.
    generator : numpy.random.Generator
        Of the noise.

    Returns
    -------
    list of numpy.ndarray
        In the order of ``network.parameters``.

    Raises
    ------
    ValueError
        If the noise is negative, or there is noise and no bound.
    """
    if noise < 0 or (noise and not np.isfinite(clip)):
        raise ValueError(f"The noise is {noise} times a bound of {clip}: expected 0 or more of a finite one.")
    sums = clipped_sum(factors(network, x, targets), clip) if len(x) else map(np.zeros_like, network.parameters)
    return [
        (total + noise * clip * generator.standard_normal(total.shape, total.dtype) if noise else total) / expected
        for total in sums
    ]


def fit(
    network: Network,
    x: np.ndarray,
    targets: np.ndarray,
    steps: int,
    sample_rate: float,
    clip: float,
    noise: float,
    optimizer: Optimizer,
    generator: np.random.Generator,
) -> None:
    """Train a network in place with private steps, each on examples that were drawn independently of each other.

    Parameters
    ----------
    network, x, targets
        As for :func:`factors`.
    steps : int
        How many.
    sample_rate : float
        q in (0, 1]: each example takes part in a step with this probability (Poisson sampling, as the accountant
        of :mod:`utils.scratch.accountant` assumes).
    clip, noise : float
        As for :func:`private_gradients`.
    optimizer : Optimizer
        Of :mod:`utils.scratch.optimizers`: what it does to gradients that are private costs nothing more.
    generator : numpy.random.Generator
        Of the draws and of the noise.

    Raises
    ------
    ValueError
        If the rate is no probability.
    """
    if not 0 < sample_rate <= 1:
        raise ValueError(f"Each example takes part with probability {sample_rate}: expected more than 0, at most 1.")
    for _ in range(steps):
        chosen = generator.random(len(x)) < sample_rate
        expected = sample_rate * len(x)
        gradients = private_gradients(network, x[chosen], targets[chosen], clip, noise, expected, generator)
        optimizer.update(network.parameters, gradients)
