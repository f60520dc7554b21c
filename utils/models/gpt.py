"""A language model of the GPT family: Transformer blocks that predict the next token, and a cache to write with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.backend import keras, ops

NORMS = {"rms": keras.layers.RMSNormalization, "layer": keras.layers.LayerNormalization}
CHOICES = {"order": ("pre", "post"), "norm": tuple(NORMS), "positions": ("rotary", "learned", "none")}
START = keras.initializers.RandomNormal(stddev=0.02)  # of the embeddings, as in GPT-2


@dataclass(frozen=True)
class Shape:
    """The sizes of a GPT, and which parts it has.

    Attributes
    ----------
    vocabulary : how many different tokens
    width : numbers of a token between the blocks
    depth : blocks
    heads : queries of a token in a block, of width / heads numbers each, an even count
    key_heads : keys and values of a token in a block, each shared by heads / key_heads queries; None: as many
    length : tokens that it sees at most
    order : "pre" normalizes what a part of a block reads, "post" the sum after it
    norm : "rms" or "layer"
    positions : "rotary" turns queries and keys, "learned" adds a vector a place, "none" has nothing for them
    """

    vocabulary: int
    width: int
    depth: int
    heads: int
    key_heads: int | None = None
    length: int = 256
    order: str = "pre"
    norm: str = "rms"
    positions: str = "rotary"

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads):
            raise ValueError(
                f"A width of {self.width} does not give {self.heads} heads an even count of numbers each: take a "
                f"multiple of {2 * self.heads}."
            )
        if self.shared < 1 or self.heads % self.shared:
            raise ValueError(f"{self.heads} heads cannot share {self.shared} keys: take a divisor of {self.heads}.")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"The {name} {getattr(self, name)!r} is unknown: use one of {', '.join(map(repr, known))}."
                )

    @property
    def shared(self) -> int:
        """Heads of the keys and values."""
        return self.heads if self.key_heads is None else self.key_heads

    @property
    def size(self) -> int:
        """Numbers of a query, a key or a value."""
        return self.width // self.heads


class GPT(keras.Model):
    """Blocks of causal attention and of two dense layers, between an embedding and its transpose.

    Maps whole numbers (batch, time) to logits (batch, time, vocabulary): those at a place score the token after it.

    Parameters
    ----------
    shape : Shape
        Its sizes and parts.

    Notes
    -----
    Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, without the encoder; the size of the hidden layer (four
    times the width) and the tied embedding are theirs, too. Radford et al., 2019 (GPT-2), normalize before each part
    and once more at the end, and make what the parts add small at the start; here it is zero, so that a new block
    passes on what it reads. RMS normalization: Zhang & Sennrich, 2019, https://arxiv.org/abs/1910.07467.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = keras.layers.Embedding(shape.vocabulary, shape.width, embeddings_initializer=START)
        if shape.positions == "learned":
            self.places = keras.layers.Embedding(shape.length, shape.width, embeddings_initializer=START)
        self.blocks = [Block(shape, name=f"block_{number}") for number in range(shape.depth)]
        if shape.order == "pre":
            self.norm = NORMS[shape.norm]()
        self(np.zeros((1, 2), "int32"))  # makes the parameters

    def call(self, inputs: Any) -> Any:
        """Return the logits of tokens (batch, new); given their past too, the logits and what is past after them.

        Parameters
        ----------
        inputs
            The tokens; or a dictionary with "tokens", "place", where the first of them stands, a whole number, and
            "past", for each block (batch, 2, key heads, length, size): keys and values, those before the place real.
        """
        alone = not isinstance(inputs, dict)
        tokens, place, past = (inputs, 0, None) if alone else (inputs[name] for name in ("tokens", "place", "past"))
        places = place + ops.arange(ops.shape(tokens)[1])
        x = self.embedding(tokens)  # (batch, new, width)
        if self.shape.positions == "learned":
            x = x + self.places(places)
        after = []
        for number, block in enumerate(self.blocks):
            x, kept = block(x, places, None if alone else past[number])
            after.append(kept)
        if self.shape.order == "pre":
            x = self.norm(x)
        logits = ops.matmul(x, ops.transpose(self.embedding.embeddings))
        return logits if alone else (logits, after)

    def empty(self, batch: int) -> list[np.ndarray]:
        """Return a past of nothing: for each block zeros (batch, 2, key heads, length, size)."""
        shape = (batch, 2, self.shape.shared, self.shape.length, self.shape.size)
        return [np.zeros(shape, self.compute_dtype) for _ in self.blocks]


class Block(keras.layers.Layer):
    """Attention and two dense layers, each added to what it reads.

    Parameters
    ----------
    shape : Shape
        Of the model that the block is part of.
    """

    def __init__(self, shape: Shape, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.pre = shape.order == "pre"
        self.first = NORMS[shape.norm]()
        self.attention = CausalAttention(shape)
        self.second = NORMS[shape.norm]()
        self.hidden = keras.layers.Dense(4 * shape.width, activation="gelu")
        self.output_layer = keras.layers.Dense(shape.width, kernel_initializer="zeros")

    def call(self, x: Any, places: Any, past: Any = None) -> tuple[Any, Any]:
        """Return the sums (batch, new, width), and the past with the new keys and values, or None without one."""
        if self.pre:
            y, past = self.attention(self.first(x), places, past)
            x = x + y
            return x + self.output_layer(self.hidden(self.second(x))), past
        y, past = self.attention(x, places, past)
        x = self.first(x + y)
        return self.second(x + self.output_layer(self.hidden(x))), past


class CausalAttention(keras.layers.Layer):
    """Multi-head self-attention in which a token sees itself and what stands before it.

    Parameters
    ----------
    shape : Shape
        Of the model that it is part of.

    Notes
    -----
    Rotary positions: Su et al., 2021, https://arxiv.org/abs/2104.09864, section 3.2.2. Shared keys and values:
    Ainslie et al., 2023, https://arxiv.org/abs/2305.13245.
    """

    def __init__(self, shape: Shape, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.shape = shape
        self.projection = keras.layers.Dense((shape.heads + 2 * shape.shared) * shape.size)
        self.output_layer = keras.layers.Dense(shape.width, kernel_initializer="zeros")

    def call(self, x: Any, places: Any, past: Any = None) -> tuple[Any, Any]:
        """Return what the tokens saw, (batch, new, width), and the past with their keys and values written in.

        Parameters
        ----------
        x
            (batch, new, width).
        places
            Their places, (new,).
        past
            (batch, 2, key heads, length, size), or None where the tokens have none.
        """
        heads, shared, size = self.shape.heads, self.shape.shared, self.shape.size
        batch, new = ops.shape(x)[0], ops.shape(x)[1]
        rows = ops.reshape(self.projection(x), (batch, new, heads + 2 * shared, size))
        rows = ops.transpose(rows, (0, 2, 1, 3))  # (batch, heads + 2 key heads, new, size)
        q, k, v = ops.split(rows, [heads, heads + shared], axis=1)
        if self.shape.positions == "rotary":
            q, k = turned(q, places), turned(k, places)
        if past is not None:
            start = places[0] * np.array([0, 0, 0, 1, 0], "int32")
            past = ops.slice_update(past, start, ops.stack([k, v], axis=1))
            k, v = past[:, 0], past[:, 1]  # (batch, key heads, length, size)
        keys = ops.shape(k)[2]
        # The queries that share a key stand below each other: one product a key head.
        q = ops.reshape(q, (batch, shared, heads // shared * new, size)) / size**0.5
        scores = ops.reshape(ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))), (batch, heads, new, keys))
        seen = places[:, None] >= ops.arange(keys)  # (new, keys)
        weights = ops.softmax(ops.where(seen, scores, -1e9))
        weights = ops.reshape(weights, (batch, shared, heads // shared * new, keys))
        y = ops.reshape(ops.matmul(weights, v), (batch, heads, new, size))
        y = ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (batch, new, heads * size))
        return self.output_layer(y), past


def turned(x: Any, places: Any, base: float = 10000.0) -> Any:
    """Turn pairs of neighboring numbers by their place: pair f at place t by ``t * base^(-2f / size)`` radians.

    Parameters
    ----------
    x
        Queries or keys, (batch, heads, time, size).
    places
        (time,).
    base
        How slow the slowest pair turns.
    """
    size = x.shape[-1]
    even, odd = np.arange(0, size, 2), np.arange(1, size, 2)
    quarter = np.zeros((size, size), x.dtype if isinstance(x, np.ndarray) else keras.backend.standardize_dtype(x.dtype))
    quarter[odd, even], quarter[even, odd] = -1, 1  # a quarter turn: (a, b) to (-b, a)
    rates = np.repeat(base ** (-even / size), 2).astype(quarter.dtype)
    angles = ops.cast(places, quarter.dtype.name)[:, None] * rates  # (time, size)
    return x * ops.cos(angles) + ops.matmul(x, quarter) * ops.sin(angles)
