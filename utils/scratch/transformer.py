"""Transformers as layers in a row: what embeds tokens, what adds to a stream, and a whole GPT put together from them.

Sources: A. Vaswani et al., *Attention Is All You Need*, 2017, section 3, for the block, which normalizes the sums; A.
Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019, for normalizing what a part of the block
reads, and once more at the end.
"""

from collections.abc import Collection

import numpy as np

from utils.scratch.multi_head import SelfAttention
from utils.scratch.network import GELU, Dense, Layer, Sequential, rows
from utils.scratch.normalization import LayerNorm, RMSNorm

NORMS = {"rms": RMSNorm, "layer": LayerNorm}
ORDERS = ("pre", "post")
POSITIONS = ("rotary", "learned")


class Embedding(Layer):
    """A row of numbers for each token: whole numbers (batch, time) to (batch, time, width).

    There is no gradient with respect to whole numbers, so it stands first in a network.

    Parameters
    ----------
    vocabulary : int
        How many different tokens.
    width : int
        Numbers a token.
    """

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.width = width
        self.of_logits: np.ndarray | float = 0.0  # gradient of the matrix from its other use, by Unembedding

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        self.parameters = [_small((self.vocabulary, self.width), generator, dtype)]
        return (*shape, self.width)

    def forward(self, x: np.ndarray) -> np.ndarray:
        if not np.issubdtype(x.dtype, np.integer) or ((x < 0) | (x >= self.vocabulary)).any():
            raise ValueError(f"The tokens must be whole numbers from 0 to {self.vocabulary - 1}.")
        self.x = x
        return self.parameters[0][x]

    def backward(self, dy: np.ndarray) -> None:
        gradient = np.zeros_like(self.parameters[0])
        np.add.at(gradient, self.x, dy)  # a token that occurs twice gets both
        self.gradients = [gradient + self.of_logits]
        self.of_logits = 0.0


class LearnedPositions(Layer):
    """Add a learned row of numbers to every step, by its place: (batch, time, width) to the same shape.

    Parameters
    ----------
    length : int
        How many places, and the longest sequence.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        _, width = shape
        self.parameters = [_small((self.length, width), generator, dtype)]
        return shape

    def forward(self, x: np.ndarray) -> np.ndarray:
        time = x.shape[1]
        if time > self.length:
            raise ValueError(f"The sequences have {time} steps: there are positions for {self.length}, so cut them.")
        return x + self.parameters[0][:time]

    def backward(self, dy: np.ndarray) -> np.ndarray:
        gradient = np.zeros_like(self.parameters[0])
        gradient[: dy.shape[1]] = dy.sum(axis=0)
        self.gradients = [gradient]
        return dy


class Residual(Sequential):
    """Layers in a row whose output is added to their input, (batch, time, width) to the same shape.

    Source: K. He et al., *Deep Residual Learning for Image Recognition*, 2016.

    Parameters
    ----------
    layers : list of Layer
        From input to what is added.

    Raises
    ------
    ValueError
        When it is built, if what the layers return has not the shape of their input.
    """

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        output = super().build(shape, generator, dtype)
        if output != shape:
            raise ValueError(f"The layers turn {shape} into {output}: expected the same shape, to add it to the input.")
        return output

    def forward(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        return x + super().forward(x, mask)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy + super().backward(dy)


class Unembedding(Layer):
    """Logits of the next token, (batch, time, width) to (batch, time, vocabulary): how well each embedding fits.

    It has no parameters of its own. The embedding, which must stand in front of it in the same network, gets the
    gradient of this use of its matrix in a backward pass and adds it to that of its own.

    Source: O. Press and L. Wolf, *Using the Output Embedding to Improve Language Models*, 2017.

    Parameters
    ----------
    embedding : Embedding
        Whose matrix it uses.
    """

    def __init__(self, embedding: Embedding) -> None:
        super().__init__()
        self.embedding = embedding

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        time, _ = shape
        return time, self.embedding.vocabulary

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return x @ self.embedding.parameters[0].T

    def backward(self, dy: np.ndarray) -> np.ndarray:
        self.embedding.of_logits = rows(dy).T @ rows(self.x)  # (vocabulary, width)
        return dy @ self.embedding.parameters[0]


def feed_forward(width: int) -> list[Layer]:
    """Return two dense layers with a GELU between them, four times as wide inside: Vaswani et al., section 3.3."""
    return [Dense(4 * width), GELU(), Dense(width)]


def block(
    width: int,
    heads: int,
    order: str = "pre",
    norm: str = "rms",
    rotary: bool = True,
    key_heads: int | None = None,
) -> list[Layer]:
    """Return the layers of a block that lets a token see those before it: attention, then the feed-forward part.

    Parameters
    ----------
    width : int
        Numbers of a token, a multiple of ``heads``.
    heads : int
        Queries of a token.
    order : str
        ``"pre"`` normalizes what a part reads, ``"post"`` its sum with the stream.
    norm : str
        ``"rms"`` or ``"layer"``.
    rotary, key_heads
        As of :class:`utils.scratch.multi_head.SelfAttention`.

    Raises
    ------
    ValueError
        If an option is unknown or the heads do not fit.
    """
    _check("order", order, ORDERS)
    _check("norm", norm, NORMS)
    if heads < 1 or width % heads:
        raise ValueError(f"A width of {width} cannot be shared out among {heads} heads: take a multiple.")
    normalization = NORMS[norm]
    layers: list[Layer] = []
    for part in ([SelfAttention(heads, width // heads, True, key_heads, rotary)], feed_forward(width)):
        layers += [Residual([normalization(), *part])] if order == "pre" else [Residual(part), normalization()]
    return layers


def gpt(
    vocabulary: int,
    width: int,
    depth: int,
    heads: int,
    order: str = "pre",
    norm: str = "rms",
    positions: str = "rotary",
    length: int = 256,
    key_heads: int | None = None,
) -> list[Layer]:
    """Return the layers of a language model: from tokens (batch, time) to logits (batch, time, vocabulary).

    Step t of the logits is the guess at token t + 1.

    Parameters
    ----------
    vocabulary : int
        How many different tokens.
    width : int
        Numbers of a token, a multiple of ``heads``.
    depth : int
        How many blocks.
    heads, order, norm, key_heads
        As of :func:`block`.
    positions : str
        ``"rotary"`` turns queries and keys by their positions, ``"learned"`` adds a row of numbers to every token.
    length : int
        How many learned positions.

    Raises
    ------
    ValueError
        If an option is unknown or the heads do not fit.
    """
    _check("positions", positions, POSITIONS)
    embedding = Embedding(vocabulary, width)
    layers: list[Layer] = [embedding]
    if positions == "learned":
        layers.append(LearnedPositions(length))
    for _ in range(depth):
        layers += block(width, heads, order, norm, positions == "rotary", key_heads)
    if order == "pre":
        layers.append(NORMS[norm]())  # the sums themselves have not been normalized yet
    return [*layers, Unembedding(embedding)]


def _check(name: str, value: str, known: Collection[str]) -> None:
    """Raise with one sentence if an option is unknown."""
    if value not in known:
        raise ValueError(f"The {name} {value!r} is unknown: use one of {', '.join(map(repr, known))}.")


def _small(shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> np.ndarray:
    """Draw numbers uniformly in ±0.05, Keras's default for embeddings."""
    return generator.uniform(-0.05, 0.05, shape).astype(dtype)
