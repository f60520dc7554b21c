"""Networks that read a text and answer once: recurrent ones, with and without attention, and a Transformer block."""

from __future__ import annotations

from typing import Any

import numpy as np

from utils.backend import keras, ops

PARTS = ("attention", "uniform attention", "no attention", "mean state", "learned query", "mean word")


def classifier(
    vocabulary: int,
    classes: int,
    parts: str = "attention",
    masked: bool = True,
    width: int = 64,
    units: int = 64,
) -> keras.Model:
    """Build a classifier of texts whose words are numbers, 0 for padding.

    Parameters
    ----------
    vocabulary
        How many numbers a word may have, padding included.
    classes
        How many scores.
    parts
        What stands between the embedding and the scores: "attention", an LSTM, dot-product attention of its states to
        one another, and an LSTM; "uniform attention", the same with all weights alike; "no attention", the two LSTMs
        alone. These three have as many parameters. "mean state" is one LSTM and the mean of its states; "mean word"
        the mean of the embedded words; "learned query" their mean with weights from the product with one vector.
    masked
        Leave padding out of everything; else it is read like a word.
    width
        Numbers of an embedded word.
    units
        Units of each LSTM.

    Returns
    -------
    keras.Model
        Maps whole numbers (batch, words) to logits (batch, classes). A text may have any number of words.
    """
    if parts not in PARTS:
        raise ValueError(f"The parts {parts!r} are unknown: use one of {', '.join(map(repr, PARTS))}.")
    layers = keras.layers
    words = keras.Input((None,), dtype="int32")
    real = ops.not_equal(words, 0) if masked else None  # (batch, words)
    x = layers.Embedding(vocabulary, width)(words)  # (batch, words, width)
    if parts == "learned query":
        scores = layers.Dense(1, use_bias=False)(x)  # (batch, words, 1)
        weights = layers.Softmax(axis=1)(scores, mask=None if real is None else real[:, :, None])
        return keras.Model(words, layers.Dense(classes)(ops.sum(weights * x, axis=1)))
    if parts != "mean word":
        x = layers.LSTM(units, return_sequences=True)(x, mask=real)  # (batch, words, units)
    if parts in ("attention", "uniform attention"):
        queries = x if parts == "attention" else ops.zeros_like(x)  # a query of zeros scores all alike
        # Before 3.12 Keras does not add the axis of the queries to the mask of the values by itself.
        masks = [real, real[:, None, :]] if masked else None
        x = layers.Attention()([queries, x], mask=masks)  # query and value; (batch, words, units)
    last = layers.GlobalAveragePooling1D() if parts.startswith("mean") else layers.LSTM(units)
    return keras.Model(words, layers.Dense(classes)(last(x, mask=real)))


@keras.saving.register_keras_serializable("book")
class Positions(keras.layers.Layer):
    """Add to each word sines and cosines of its place, which starts at 0.

    Notes
    -----
    Section 3.5 of Vaswani et al., 2017, https://arxiv.org/abs/1706.03762: at place t, numbers 2i and 2i + 1 are
    sin(t / 10000^(2i/d)) and cos(t / 10000^(2i/d)), where d is the width. It has no parameters.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Compute the frequencies: the width must be even."""
        width = shape[-1]
        if width % 2:
            raise ValueError(f"Sines and cosines come in pairs, and the width is {width}: take an even one.")
        self.frequencies = (10000.0 ** (-np.arange(0, width, 2) / width)).astype("float32")  # (width / 2,)

    def call(self, x: Any) -> Any:
        """Map (batch, words, width) to the same shape."""
        places = ops.cast(ops.arange(ops.shape(x)[1]), "float32")
        angles = places[:, None] * self.frequencies  # (words, width / 2)
        waves = ops.stack([ops.sin(angles), ops.cos(angles)], axis=2)  # (words, width / 2, 2)
        return x + ops.cast(ops.reshape(waves, (-1, 2 * len(self.frequencies))), x.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return shape


def transformer(
    vocabulary: int, classes: int, width: int = 64, heads: int = 4, inner: int = 128, positions: bool = True
) -> keras.Model:
    """Build a classifier of one Transformer block and the mean of what it puts out.

    Parameters
    ----------
    vocabulary, classes
        As in :func:`classifier`.
    width
        Numbers of an embedded word; each head has ``width / heads`` of them.
    heads
        Heads of the attention.
    inner
        Units between the two dense layers.
    positions
        Tell the block where each word stands (:class:`Positions`); else the order of the words changes nothing.

    Returns
    -------
    keras.Model
        Maps whole numbers (batch, words) to logits (batch, classes). Padding, 0, is left out of everything.

    Notes
    -----
    The encoder's layer of Vaswani et al., 2017, https://arxiv.org/abs/1706.03762, section 3.1, without dropout: around
    each of its two parts a sum with the part's input, and layer normalization.
    """
    layers = keras.layers
    words = keras.Input((None,), dtype="int32")
    real = ops.not_equal(words, 0)  # (batch, words)
    x = layers.Embedding(vocabulary, width)(words)  # (batch, words, width)
    if positions:
        x = Positions()(x)
    attended = layers.MultiHeadAttention(heads, width // heads)(x, x, attention_mask=real[:, None, :])
    x = layers.LayerNormalization()(x + attended)
    changed = layers.Dense(width)(layers.Dense(inner, activation="relu")(x))
    x = layers.LayerNormalization()(x + changed)
    x = layers.GlobalAveragePooling1D()(x, mask=real)
    return keras.Model(words, layers.Dense(classes)(x))
