"""An encoder and a decoder: a sequence in, another one out, with attention or through one vector of a fixed size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from utils import settings
from utils.backend import keras, ops, set_seed

PADDING, START, END = 0, 1, 2  # the first three symbols of every target


@dataclass(frozen=True, eq=False)
class Seq2Seq:
    """An encoder and a decoder, and the network that both are together.

    Attributes
    ----------
    encoder : keras.Model
        Maps the source (batch, source) to the memory (batch, places, units), to which of its places are real, bool
        (batch, places), and to the state from which the decoder starts (batch, units).
    decoder : keras.Model
        Maps the symbols so far (batch, target), a state, the memory and its real places to the logits of the next
        symbol after each (batch, target, symbols), the state after the last, and the weights (batch, target, places).
    model : keras.Model
        Maps the source and the symbols so far to logits (batch, target, symbols).
    """

    encoder: keras.Model
    decoder: keras.Model
    model: keras.Model


def seq2seq(
    source_symbols: int, target_symbols: int, attention: bool = True, width: int = 64, units: int = 128
) -> Seq2Seq:
    """Build a GRU that reads in both directions and a GRU that writes.

    Parameters
    ----------
    source_symbols, target_symbols
        How many numbers a symbol may have on either side; 0 is padding.
    attention
        At each step the decoder gets a mean of the encoder's states, weighted anew; else each time the same vector, the
        state from which it starts: a memory of one place, whose weight is 1. Only the ``units`` by ``units`` parameters
        of the score are missing then.
    width
        Numbers of an embedded symbol.
    units
        Units of the decoder, and of the two directions of the encoder together; even.

    Returns
    -------
    Seq2Seq

    Notes
    -----
    Global attention after the recurrent step, with the score "general", of Luong et al., 2015,
    https://arxiv.org/abs/1508.04025, equations (5) to (8) without input feeding, so that all steps of a known target
    are computed at once.
    """
    if units % 2:
        raise ValueError(f"Two directions share the units, and {units} are odd: take an even number.")
    layers = keras.layers

    source = keras.Input((None,), dtype="int32")
    real = ops.not_equal(source, PADDING)  # (batch, source)
    x = layers.Embedding(source_symbols, width)(source)
    reader = layers.GRU(units // 2, return_sequences=True, return_state=True)
    memory, forward, backward = layers.Bidirectional(reader)(x, mask=real)  # (batch, source, units)
    start = layers.Concatenate()([forward, backward])  # (batch, units)
    if not attention:
        memory, real = start[:, None, :], real[:, :1]  # one place
    encoder = keras.Model(source, [memory, real, start])

    target = keras.Input((None,), dtype="int32")
    before = keras.Input((units,))
    values = keras.Input((None, units))
    places = keras.Input((None,), dtype="bool")
    x = layers.Embedding(target_symbols, width)(target)
    # Target padding stands at the end, and a GRU that reads forward meets it after everything that counts.
    states, after = layers.GRU(units, return_sequences=True, return_state=True)(x, initial_state=before)
    if attention:
        keys = layers.Dense(units, use_bias=False, name="score")(values)
        context, weights = layers.Attention()(
            # Before 3.12 Keras does not add the axis of the queries by itself.
            [states, values, keys],
            mask=[None, places[:, None, :]],
            return_attention_scores=True,
        )  # (batch, target, units), (batch, target, places)
    else:
        weights = ops.ones_like(states[:, :, :1]) * ops.cast(places[:, None, :], states.dtype)  # its one place
        context = weights * values
    attended = layers.Dense(units, activation="tanh")(layers.Concatenate()([context, states]))
    logits = layers.Dense(target_symbols)(attended)
    decoder = keras.Model([target, before, values, places], [logits, after, weights])

    memory, real, start = encoder(source)
    return Seq2Seq(encoder, decoder, keras.Model([source, target], decoder([target, start, memory, real])[0]))


def masked_crossentropy(target: Any, logits: Any) -> Any:
    """Return the mean cross-entropy over the symbols that are not padding, in nats.

    Parameters
    ----------
    target
        The right symbols, (batch, target).
    logits
        (batch, target, symbols).

    Returns
    -------
    tensor
        A number. A batch of nothing but padding has no mean: NaN.
    """
    losses = keras.losses.sparse_categorical_crossentropy(target, logits, from_logits=True)
    real = ops.cast(ops.not_equal(target, PADDING), losses.dtype)
    return ops.sum(losses * real) / ops.sum(real)


def fit(
    network: Seq2Seq,
    source: np.ndarray,
    target: np.ndarray,
    epochs: int = 8,
    batch_size: int = 64,
    learning_rate: float = 0.005,
    seed: int = 0,
    after_epoch: Callable[[int], None] | None = None,
) -> list[float]:
    """Train with Adam by teacher forcing: the decoder sees the right symbols and is asked for the next one each time.

    Parameters
    ----------
    network
        Trained in place.
    source, target
        Pairs of sequences, (examples, source) and (examples, target); a target begins with START and ends with END.
    epochs, batch_size
        As in Keras. The last batch of an epoch is dropped if it is not full, so that all have one shape.
    learning_rate
        Of the first step; it falls to 0 along half a cosine.
    seed
        Seed of the order of the examples.
    after_epoch
        Called with the number of epochs done.

    Returns
    -------
    list of float
        Mean training loss of each epoch, in nats a symbol.
    """
    set_seed(seed)
    generator = np.random.default_rng(seed)
    batches = len(source) // batch_size
    if not batches:
        raise ValueError(f"{len(source)} examples do not fill one batch of {batch_size}: take a smaller one.")
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * batches)
    network.model.compile(keras.optimizers.Adam(rate), masked_crossentropy)
    losses = []
    with tqdm(total=epochs, unit="epoch", leave=False, disable=settings.quiet()) as bar:
        for epoch in range(epochs):
            order = generator.permutation(len(source))[: batches * batch_size].reshape(batches, batch_size)
            total = 0.0
            for batch in order:
                network.model.reset_metrics()
                x = [source[batch], target[batch, :-1]]
                total += float(network.model.train_on_batch(x, target[batch, 1:]))
            losses.append(total / batches)
            if after_epoch is not None:
                after_epoch(epoch + 1)
            bar.set_postfix(loss=f"{losses[-1]:.3f}")
            bar.update()
    return losses


def teacher_forced(network: Seq2Seq, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Run the decoder along known targets.

    Parameters
    ----------
    network
        Trained or not.
    source, target
        As in :func:`fit`.

    Returns
    -------
    log_probabilities : of every symbol at every place after the first, float64, (batch, target - 1, symbols)
    weights : what each of those places took from each place of the memory, (batch, target - 1, places)
    """
    memory, real, state = network.encoder.predict_on_batch(source)
    logits, _, weights = network.decoder.predict_on_batch([target[:, :-1], state, memory, real])
    return log_softmax(logits), np.asarray(weights)


def log_probability(network: Seq2Seq, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return how probable the network finds each whole target, as a natural logarithm, (batch,)."""
    steps, _ = teacher_forced(network, source, target)
    chosen = np.take_along_axis(steps, target[:, 1:, None], axis=2)[:, :, 0]
    return np.sum(chosen * (target[:, 1:] != PADDING), axis=1)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the logarithms of the probabilities along the last axis, float64."""
    z = np.asarray(logits, dtype=float)
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
