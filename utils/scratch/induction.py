"""Heads of attention that look for what came after the last time: how to score them, and how to switch one off.

Source: C. Olsson et al., *In-context Learning and Induction Heads*, 2022: an induction head looks back from a token to
the one after its earlier occurrence ("prefix matching") and raises the score of what it finds there.
"""

from collections.abc import Sequence

import numpy as np

from utils.scratch.multi_head import SelfAttention
from utils.scratch.network import Network, Sequential


def attentions(network: Network) -> list[SelfAttention]:
    """Return the attention layers of a network, from input to output, also those inside a residual branch."""
    found = []
    for layer in network.layers:
        parts = layer.layers if isinstance(layer, Sequential) else [layer]
        found += [part for part in parts if isinstance(part, SelfAttention)]
    return found


def attention_weights(network: Network, tokens: np.ndarray) -> list[np.ndarray]:
    """Return where each head looks.

    Parameters
    ----------
    network : Network
        Of :func:`utils.scratch.transformer.gpt`.
    tokens : numpy.ndarray
        Whole numbers, shape (batch, time).

    Returns
    -------
    list of numpy.ndarray
        One array a layer of attention, shape (batch, heads, time, time): row t sums to 1 over the steps it sees.
    """
    network.forward(tokens)
    return [layer.trace.weights for layer in attentions(network)]


def repeated(vocabulary: int | Sequence[int], batch: int, period: int, generator: np.random.Generator) -> np.ndarray:
    """Return random tokens, each row said twice.

    Nothing but the first time helps to guess the second.

    Parameters
    ----------
    vocabulary : int or sequence of int
        The tokens that are drawn from, or how many there are. No token comes twice within a period.
    batch, period : int
        Rows, and tokens until the row begins again.
    generator : numpy.random.Generator
        Draws them.

    Returns
    -------
    numpy.ndarray
        Whole numbers, shape (batch, 2 · period).

    Raises
    ------
    ValueError
        If the vocabulary has fewer tokens than a period.
    """
    pool = np.arange(vocabulary) if isinstance(vocabulary, int) else np.asarray(vocabulary)
    if len(pool) < period:
        raise ValueError(f"{len(pool)} different tokens do not make a period of {period}: take a shorter one.")
    once = np.stack([generator.permutation(pool)[:period] for _ in range(batch)])
    return np.concatenate([once, once], axis=1)


def looking_back(weights: np.ndarray, distance: int, first: int) -> np.ndarray:
    """Return how much of its attention each head gives to the step a distance back, a mean over rows and steps.

    With tokens that repeat after ``period`` steps and ``first = period``, the distance ``period - 1`` is the token
    after the earlier occurrence (prefix matching), ``period`` is that occurrence itself, and 1 is the step before.

    Parameters
    ----------
    weights : numpy.ndarray
        Of one layer, shape (batch, heads, time, time).
    distance : int
        Steps back.
    first : int
        The first step that counts, at least ``distance``.

    Returns
    -------
    numpy.ndarray
        Shape (heads,), from 0 to 1.

    Raises
    ------
    ValueError
        If no step is left to count, or the first has nothing so far back.
    """
    time = weights.shape[-1]
    if not distance <= first < time:
        raise ValueError(
            f"Of {time} steps those from {first} on cannot look {distance} back: take {distance} ≤ first < {time}."
        )
    steps = np.arange(first, time)
    return weights[:, :, steps, steps - distance].mean(axis=(0, 2))


class without:
    """Switch heads off inside a ``with`` block: what they found reaches nobody. Afterwards they are as they were.

    Parameters
    ----------
    network : Network
        With layers of attention.
    heads : sequence of (int, int)
        Layer of attention and head, both from 0.
    """

    def __init__(self, network: Network, heads: Sequence[tuple[int, int]]) -> None:
        self.layers = attentions(network)
        self.heads = heads
        self.kept: dict[int, np.ndarray] = {}

    def __enter__(self) -> None:
        outputs = {number: self.layers[number].parameters[2] for number, _ in self.heads}  # (heads · size, width) each
        self.kept = {number: matrix.copy() for number, matrix in outputs.items()}
        for number, head in self.heads:
            size = self.layers[number].size
            outputs[number][head * size : (head + 1) * size] = 0

    def __exit__(self, *error: object) -> None:
        for number, matrix in self.kept.items():
            self.layers[number].parameters[2][...] = matrix


def losses_by_step(network: Network, tokens: np.ndarray) -> np.ndarray:
    """Return what each token costs, given those before it, as a mean over rows.

    Parameters
    ----------
    network : Network
        Maps tokens (batch, time) to logits (batch, time, vocabulary).
    tokens : numpy.ndarray
        Shape (batch, time).

    Returns
    -------
    numpy.ndarray
        Nats, shape (time - 1,): entry t is the price of token t + 1.
    """
    z = network.forward(tokens[:, :-1]).astype(float)
    z -= z.max(axis=-1, keepdims=True)
    log_total = np.log(np.exp(z).sum(axis=-1))  # (batch, time - 1)
    chosen = np.take_along_axis(z, tokens[:, 1:, None], axis=-1)[..., 0]
    return (log_total - chosen).mean(axis=0)
