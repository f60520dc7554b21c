"""Networks for sequences: recurrent ones, and a convolution over time."""

from __future__ import annotations

import numpy as np

from utils.backend import keras

CELLS = {"LSTM": keras.layers.LSTM, "GRU": keras.layers.GRU}


def recurrent(
    shape: tuple[int, int],
    classes: int,
    cell: str = "LSTM",
    units: int = 64,
    masked: bool = True,
    bidirectional: bool = False,
    pooling: str = "last",
    dropout: float = 0.0,
) -> keras.Model:
    """Build two recurrent layers, a dense layer and the scores.

    Parameters
    ----------
    shape
        (time, features) of one sequence.
    classes
        How many scores.
    cell
        "LSTM" or "GRU".
    units
        Units of each recurrent layer (and direction), and of the dense layer.
    masked
        Skip the steps that are all zeros; else they are read like any other.
    bidirectional
        Read each sequence in both directions and put the two states side by side.
    pooling
        What the dense layer sees: "last", the state after the last step, or "mean", the
        mean of the states over all steps that are not skipped.
    dropout
        Share of the inputs of each recurrent layer that a training step leaves out, the
        same ones at every step of a sequence.

    Returns
    -------
    keras.Model
        Maps (batch, time, features) to logits (batch, classes).
    """
    layers = keras.layers

    def layer(whole: bool) -> keras.layers.Layer:
        made = CELLS[cell](units, return_sequences=whole, dropout=dropout)
        return layers.Bidirectional(made) if bidirectional else made

    inputs = x = keras.Input(shape)
    if masked:
        x = layers.Masking(0.0)(x)
    x = layer(whole=True)(x)
    x = layer(whole=pooling == "mean")(x)
    if pooling == "mean":
        x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dense(units, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes)(x))


def set_forget_bias(model: keras.Model, value: float) -> None:
    """Give the forget gates of all LSTM layers one bias, in place; Keras starts them at 1.

    Parameters
    ----------
    model
        Its LSTM layers are changed, not those inside a wrapper.
    value
        The bias of each forget gate.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.LSTM):
            kernel, recurrent_kernel, bias = layer.get_weights()
            bias[layer.units : 2 * layer.units] = value  # the gates stand in the order i, f, c, o
            layer.set_weights([kernel, recurrent_kernel, bias])


def convolutional(
    shape: tuple[int, int], classes: int, filters: int = 64, taps: int = 5, depth: int = 2
) -> keras.Model:
    """Build convolutions over time, the largest answer of each filter, a dense layer and the scores.

    Parameters
    ----------
    shape
        (time, features) of one sequence.
    classes
        How many scores.
    filters, taps, depth
        Filters and taps of each convolution, and how many follow one another.

    Returns
    -------
    keras.Model
        Maps (batch, time, features) to logits (batch, classes). Without a mask: steps of
        padding are convolved like any other.
    """
    layers = keras.layers
    inputs = x = keras.Input(shape)
    for _ in range(depth):
        x = layers.Conv1D(filters, taps, padding="same", activation="relu")(x)
    x = layers.GlobalMaxPooling1D()(x)
    x = layers.Dense(filters, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(classes)(x))


def all_states(model: keras.Model, x: np.ndarray) -> list[np.ndarray]:
    """Return what each recurrent layer puts out after every step, (batch, time, units) each.

    Parameters
    ----------
    model
        From :func:`recurrent`, in one direction.
    x
        Sequences, (batch, time, features).
    """
    states = []
    inputs = x
    for layer in model.layers:
        if not isinstance(layer, tuple(CELLS.values())):
            continue
        config = {**layer.get_config(), "return_sequences": True}
        whole = type(layer).from_config(config)
        mask = None
        masks = [m for m in model.layers if isinstance(m, keras.layers.Masking)]
        if masks:
            mask = np.any(x != masks[0].mask_value, axis=-1)
        whole.build(inputs.shape)
        whole.set_weights(layer.get_weights())
        inputs = np.asarray(whole(inputs, mask=mask))
        states.append(inputs)
    return states
