"""A multilayer perceptron: dense layers with ReLU between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from utils.backend import keras


def mlp(sizes: Sequence[int], seed: int = 0, dtype: str = "float32") -> keras.Model:
    """Build dense layers in a row, ReLU after each but the last.

    Parameters
    ----------
    sizes
        Numbers of the input, of each hidden layer, and of the output: (784, 64, 10).
    seed
        Seed of the initial weights (He normal, as for ReLU; the last layer's Glorot uniform; biases are zero).
    dtype
        Dtype of the input, the parameters and the computation.

    Returns
    -------
    keras.Model
        Maps (batch, sizes[0]) to logits (batch, sizes[-1]).

    Raises
    ------
    ValueError
        If there are fewer than two sizes.
    """
    if len(sizes) < 2:
        raise ValueError(f"The sizes are {tuple(sizes)}: expected at least those of the input and the output.")
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(len(sizes) - 1)]
    layers = [keras.layers.Input((sizes[0],), dtype=dtype)]
    for units, kernel_seed in zip(sizes[1:-1], seeds, strict=False):
        kernel = keras.initializers.HeNormal(seed=kernel_seed)
        layers.append(keras.layers.Dense(units, activation="relu", kernel_initializer=kernel, dtype=dtype))
    kernel = keras.initializers.GlorotUniform(seed=seeds[-1])
    layers.append(keras.layers.Dense(sizes[-1], kernel_initializer=kernel, dtype=dtype))
    return keras.Sequential(layers, name="mlp")
