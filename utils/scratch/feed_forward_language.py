"""A feed-forward language model: the characters before one, embedded side by side, and two hidden layers that guess it.

Source: Y. Bengio et al., *A Neural Probabilistic Language Model*, 2003, section 2. Here ReLU stands for the hyperbolic
tangent, a second hidden layer for the direct connections, and Adam for plain steps.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from utils.scratch.network import Dense, Flatten, Network, ReLU
from utils.scratch.optimizers import Adam
from utils.scratch.transformer import Embedding


class Lookup(Embedding):
    """An embedding whose gradient is one matrix product: twice as fast for many short rows as adding them in turn."""

    def backward(self, dy: np.ndarray) -> None:
        rows = dy.reshape(-1, self.width)  # (batch · time, width)
        chosen = np.zeros((len(rows), self.vocabulary), dy.dtype)
        chosen[np.arange(len(rows)), self.x.ravel()] = 1
        self.gradients = [chosen.T @ rows]


class FeedForward(Network):
    """A network from the tokens of a context, whole numbers (batch, context), to logits (batch, vocabulary).

    Parameters
    ----------
    vocabulary : int
        How many different tokens.
    units : int
        Of each of the two hidden layers.
    context : int
        How many tokens the model sees.
    width : int
        Numbers of an embedded token.
    seed, dtype
        As of :class:`utils.scratch.network.Network`.
    """

    def __init__(
        self, vocabulary: int, units: int, context: int = 12, width: int = 16, seed: int = 0, dtype: str = "float32"
    ) -> None:
        hidden = [Dense(units), ReLU(), Dense(units), ReLU()]
        super().__init__(
            [Lookup(vocabulary, width), Flatten(), *hidden, Dense(vocabulary)], (context,), seed=seed, dtype=dtype
        )
        self.context = context

    @property
    def size(self) -> int:
        """How many parameters it has, those of the embedding among them."""
        return sum(parameter.size for parameter in self.parameters)

    @property
    def size_without_embedding(self) -> int:
        """How many parameters it has without those of the embedding, which are looked up, not multiplied."""
        return self.size - self.parameters[0].size


def fit(
    model: FeedForward,
    tokens: np.ndarray,
    steps: int,
    batch_size: int = 512,
    learning_rate: float = 0.003,
    decay: bool = False,
    seed: int = 0,
    checkpoints: Iterable[int] = (),
    measure: Callable[[], Any] | None = None,
) -> list[Any]:
    """Train by Adam to predict tokens at places drawn at random from those before them.

    Parameters
    ----------
    model : FeedForward
        Trained in place.
    tokens : numpy.ndarray
        The text, whole numbers (tokens,).
    steps : int
        Updates.
    batch_size : int
        Places a step: after ``n`` steps the model has been asked for ``n · batch_size`` tokens.
    learning_rate : float
        Of the first step.
    decay : bool
        Let the learning rate fall to 0 along half a cosine; else it stays.
    seed : int
        Of the places.
    checkpoints : iterable of int
        After which steps to measure.
    measure : callable
        Called at each checkpoint, without arguments. Needed where there is a checkpoint.

    Returns
    -------
    list
        What ``measure`` returned, in order of the steps.

    Raises
    ------
    ValueError
        If the text is no longer than the context, or a checkpoint is not among the steps.
    """
    if len(tokens) <= model.context:
        raise ValueError(
            f"The text has {len(tokens)} tokens: a context of {model.context} needs at least {model.context + 1}."
        )
    wanted = set(checkpoints)
    if not wanted <= set(range(1, steps + 1)):
        raise ValueError(f"The checkpoints are {sorted(wanted)}: expected steps from 1 to {steps}.")
    generator, optimizer, found = np.random.default_rng(seed), Adam(learning_rate), []
    for step in range(1, steps + 1):
        if decay:
            optimizer.learning_rate = learning_rate * (1 + np.cos(np.pi * (step - 1) / steps)) / 2
        starts = generator.integers(0, len(tokens) - model.context, batch_size)
        rows = tokens[starts[:, None] + np.arange(model.context + 1)]  # (batch, context + 1)
        model.step(rows[:, :-1], rows[:, -1], optimizer)
        if step in wanted:
            found.append(measure())
    return found


def score(model: FeedForward, tokens: np.ndarray, batch_size: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Return what each token after the first context costs in bits, and whether the model's first guess is right.

    Parameters
    ----------
    model : FeedForward
        Trained or not.
    tokens : numpy.ndarray
        A text, whole numbers (tokens,).
    batch_size : int
        Places at once.

    Returns
    -------
    bits : numpy.ndarray
        float64, shape (tokens - context,).
    hits : numpy.ndarray
        bool, of the same shape.

    Raises
    ------
    ValueError
        If the text is no longer than the context.
    """
    if len(tokens) <= model.context:
        raise ValueError(
            f"The text has {len(tokens)} tokens: a context of {model.context} needs at least {model.context + 1}."
        )
    windows = np.lib.stride_tricks.sliding_window_view(tokens, model.context + 1)  # (tokens - context, context + 1)
    bits, hits = np.empty(len(windows)), np.empty(len(windows), bool)
    for start in range(0, len(windows), batch_size):
        part = slice(start, start + batch_size)
        answers = windows[part, -1]
        logits = model.forward(windows[part, :-1]).astype(float)  # (batch, vocabulary)
        shifted = logits - logits.max(axis=1, keepdims=True)
        nats = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(answers)), answers]
        bits[part], hits[part] = nats / np.log(2), logits.argmax(axis=1) == answers
    return bits, hits


def exact_match(hits: np.ndarray, length: int) -> float:
    """Return the share of places from which the next tokens are all guessed, as many as ``length``.

    A model that writes the tokens itself, each time its first guess, gets the same places right: up to its first
    error it has read what stands in the text.

    Parameters
    ----------
    hits : numpy.ndarray
        Of :func:`score`, shape (places,).
    length : int
        From 1 to the number of places.

    Raises
    ------
    ValueError
        If the length does not fit.
    """
    if not 1 <= length <= len(hits):
        raise ValueError(f"A length of {length} does not fit {len(hits)} places: take 1 to {len(hits)}.")
    return float(np.lib.stride_tricks.sliding_window_view(hits, length).all(axis=1).mean())
