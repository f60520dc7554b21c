"""Adapt a trained language model to one user: which weights may move, a learned prompt, and many short trainings."""

from __future__ import annotations

from typing import Any

import numpy as np

from utils.backend import keras, ops
from utils.models.gpt import GPT


def free(gpt: GPT, which: str) -> None:
    """Let some weights of a GPT learn and freeze the others. Compile it after this, not before.

    Parameters
    ----------
    gpt
        Trained.
    which
        "all", "biases" of all dense layers, or "last block".

    Raises
    ------
    ValueError
        If the choice is unknown.

    Notes
    -----
    Biases alone: Ben Zaken et al., 2022, https://arxiv.org/abs/2106.10199.
    """
    last = {id(variable) for variable in gpt.blocks[-1].weights}
    chosen = {
        "all": lambda variable: True,
        "biases": lambda variable: variable.name == "bias",
        "last block": lambda variable: id(variable) in last,
    }
    if which not in chosen:
        raise ValueError(f"The choice {which!r} is unknown: use one of {', '.join(map(repr, chosen))}.")
    for variable in gpt.weights:
        variable.trainable = chosen[which](variable)


class Prompted(keras.Model):
    """A GPT that is frozen, with learned rows in front of the embedded text.

    Maps whole numbers (batch, time) to logits (batch, time, vocabulary), as the GPT does.

    Parameters
    ----------
    gpt
        Trained, with rotary positions or none, in pre-norm.
    count
        Rows.
    seed
        Of the tokens whose embeddings the rows start from.

    Notes
    -----
    Lester et al., 2021, https://arxiv.org/abs/2104.08691.
    """

    def __init__(self, gpt: GPT, count: int, seed: int = 0) -> None:
        super().__init__()
        self.gpt = gpt
        self.count = count
        for variable in gpt.weights:
            variable.trainable = False
        table = ops.convert_to_numpy(gpt.embedding.embeddings)
        chosen = np.random.default_rng(seed).choice(len(table), count, replace=False)
        self.prompt = self.add_weight((count, gpt.shape.width), "zeros", table.dtype.name, name="prompt")
        self.prompt.assign(table[chosen])
        self(np.zeros((1, 2), "int32"))

    def call(self, tokens: Any) -> Any:
        """Return the logits of tokens (batch, time), those of the prompt left out."""
        x = self.gpt.embedding(tokens)
        prompt = ops.broadcast_to(self.prompt[None], (ops.shape(tokens)[0], *self.prompt.shape))
        x = ops.concatenate([prompt, x], axis=1)  # (batch, count + time, width)
        places = ops.arange(ops.shape(x)[1])
        for block in self.gpt.blocks:
            x, _ = block(x, places)
        x = self.gpt.norm(x)[:, self.count :]
        return ops.matmul(x, ops.transpose(self.gpt.embedding.embeddings))


class Tuner:
    """Trains what is free in a language model again and again, each time from where it was, in one compiled step.

    Each training is that of :func:`utils.models.language.fit`, which compiles a step anew: seconds, for a GPT.

    Parameters
    ----------
    model
        Maps whole numbers (batch, time) to logits (batch, time, vocabulary).
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.optimizer = keras.optimizers.Adam(0.001, beta_2=0.95, global_clipnorm=1.0)
        model.compile(self.optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        self.optimizer.build(model.trainable_variables)
        self.start = self.values()

    def values(self) -> list[np.ndarray]:
        """Return what is free, as it is now."""
        return [ops.convert_to_numpy(variable) for variable in self.model.trainable_variables]

    def reset(self, values: list[np.ndarray] | None = None) -> None:
        """Set what is free to values, by default to those that it had when the tuner was made."""
        for variable, value in zip(self.model.trainable_variables, values or self.start, strict=True):
            variable.assign(value)

    def fit(
        self,
        tokens: np.ndarray,
        steps: int,
        length: int,
        batch_size: int,
        learning_rate: float,
        seed: int = 0,
    ) -> list[float]:
        """Train with a fresh optimizer from the present values; arguments and result are those of ``language.fit``."""
        if len(tokens) <= length:
            raise ValueError(f"The text has {len(tokens)} tokens: a stretch of {length} needs at least {length + 1}.")
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        generator, losses = np.random.default_rng(seed), []
        rising = min(100, steps // 10)
        for step in range(steps):
            way = (step - rising) / (steps - rising)
            share = step / rising if step < rising else (1 + np.cos(np.pi * way)) / 2
            self.optimizer.learning_rate = learning_rate * share
            starts = generator.integers(0, len(tokens) - length, batch_size)
            rows = tokens[starts[:, None] + np.arange(length + 1)]  # (batch, length + 1)
            self.model.reset_metrics()
            losses.append(float(self.model.train_on_batch(rows[:, :-1], rows[:, 1:])))
        return losses
