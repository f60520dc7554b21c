"""Convolutional networks."""

from __future__ import annotations

import numpy as np

from utils.backend import keras


def small_cnn(seed: int = 0, dtype: str = "float32") -> keras.Model:
    """Build a network of two convolutions for 28 by 28 images in ten classes: 5,386 parameters.

    Parameters
    ----------
    seed
        Seed of the initial kernels (Glorot uniform; biases are zero).
    dtype
        Dtype of the input, the parameters and the computation.

    Returns
    -------
    keras.Model
        Maps (batch, 28, 28, 1) to logits (batch, 10).

    Notes
    -----
    A small relative of LeNet-5 (https://doi.org/10.1109/5.726791) with ReLU and max
    pooling.
    """
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(3)]
    kernels = [keras.initializers.GlorotUniform(seed=s) for s in seeds]
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((28, 28, 1), dtype=dtype),
            layers.Conv2D(8, 5, kernel_initializer=kernels[0], dtype=dtype),
            layers.ReLU(dtype=dtype),
            layers.MaxPooling2D(2, dtype=dtype),
            layers.Conv2D(16, 3, kernel_initializer=kernels[1], dtype=dtype),
            layers.ReLU(dtype=dtype),
            layers.MaxPooling2D(2, dtype=dtype),
            layers.Flatten(dtype=dtype),
            layers.Dense(10, kernel_initializer=kernels[2], dtype=dtype),
        ],
        name="small_cnn",
    )
