"""Measure with the threads that the environment allows, and print the rows as JSON: ``python -m benchmarks.measure``.

Run by ``python -m benchmarks``: the number of threads is fixed when NumPy and TensorFlow are imported.
"""

import json
import os
import subprocess
import sys

import numpy as np

from benchmarks import loops
from benchmarks.clock import side_by_side
from utils.backend import keras
from utils.models.cnn import small_cnn
from utils.scratch.convolution import conv2d, conv2d_backward
from utils.scratch.network import Conv2D, Dense, Flatten, MaxPool2D, Network, ReLU
from utils.scratch.optimizers import Adam
from utils.settings import ROOT

ROUNDS = 60
SLOW_ROUNDS = 3
# Height, width and channels of the input, kernel size, kernels: the chapter's two layers, and a wider one.
LAYERS = ((28, 28, 1, 5, 8), (12, 12, 8, 3, 16), (32, 32, 16, 3, 32))
BATCH = 32

SCRATCH = """
from utils.scratch.network import *
layers = [Conv2D(8, 5), ReLU(), MaxPool2D(2), Conv2D(16, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(10)]
Network(layers, (28, 28, 1))
"""
KERAS = "from utils.models.cnn import small_cnn; small_cnn()"


def convolutions(with_loops: bool) -> list[dict]:
    """Time the convolution of each layer, forward, and forward and backward."""
    import tensorflow as tf

    rows = []
    rng = np.random.default_rng(0)
    for height, width, channels, kernel, filters in LAYERS:
        x = rng.normal(size=(BATCH, height, width, channels)).astype(np.float32)
        w = rng.normal(size=(kernel, kernel, channels, filters)).astype(np.float32)
        b = np.zeros(filters, np.float32)
        dy = conv2d(x, w, b)
        layer = keras.layers.Conv2D(filters, kernel)
        layer.build(x.shape)
        layer.set_weights([w, b])
        forward = tf.function(layer)

        @tf.function
        def both(x: tf.Tensor, dy: tf.Tensor, layer: keras.Layer = layer) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x)
            sources = [x, *(variable.value for variable in layer.trainable_variables)]
            return tape.gradient(y, sources, output_gradients=dy)

        tensors = tf.constant(x), tf.constant(dy)
        what = f"convolution {height}×{width}×{channels}, {filters} kernels {kernel}×{kernel}"
        ours = {
            "forward": lambda x=x, w=w, b=b: conv2d(x, w, b),
            "forward and backward": lambda x=x, w=w, b=b, dy=dy: (conv2d(x, w, b), conv2d_backward(dy, x, w)),
        }
        theirs = {
            "forward": lambda x=tensors[0], f=forward: f(x).numpy(),
            "forward and backward": lambda t=tensors, f=both: [g.numpy() for g in f(*t)],
        }
        naive = {
            "forward": lambda x=x, w=w, b=b: loops.conv2d(x, w, b),
            "forward and backward": lambda x=x, w=w, b=b, dy=dy: (
                loops.conv2d(x, w, b),
                loops.conv2d_backward(dy, x, w),
            ),
        }
        for part in ours:
            rows.append({"what": f"{what}, {part}", "other": "Keras"} | side_by_side(ours[part], theirs[part], ROUNDS))
            if with_loops and (height, width, channels, kernel, filters) != LAYERS[-1]:
                times = side_by_side(ours[part], naive[part], SLOW_ROUNDS, warm=False)
                rows.append({"what": f"{what}, {part}", "other": "loops"} | times)
    return rows


def baseline_cnn() -> keras.Model:
    """Return the network with which the chapter ``cnn-code`` opens: 93,322 parameters."""
    layers = keras.layers
    convolutions = [layers.Conv2D(filters, 3, activation="relu") for filters in (32, 64, 64)]
    shrink = [layers.MaxPooling2D(2), layers.MaxPooling2D(2), layers.Flatten()]
    body = [layer for pair in zip(convolutions, shrink, strict=True) for layer in pair]
    return keras.Sequential([keras.Input((28, 28, 1)), *body, layers.Dense(64, activation="relu"), layers.Dense(10)])


def training_steps() -> list[dict]:
    """Time one step of Adam of both chapters' networks and of their Keras twins on a batch of the same images."""
    networks = {
        "small CNN": (
            [Conv2D(8, 5), ReLU(), MaxPool2D(2), Conv2D(16, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(10)],
            small_cnn(),
        ),
        "baseline": (
            [
                *(Conv2D(32, 3), ReLU(), MaxPool2D(2)),
                *(Conv2D(64, 3), ReLU(), MaxPool2D(2)),
                *(Conv2D(64, 3), ReLU(), Flatten()),
                *(Dense(64), ReLU(), Dense(10)),
            ],
            baseline_cnn(),
        ),
    }
    rng = np.random.default_rng(0)
    x, labels = rng.random((BATCH, 28, 28, 1), np.float32), rng.integers(0, 10, BATCH)
    rows = []
    for name, (layers, model) in networks.items():
        network, adam = Network(layers, (28, 28, 1)), Adam()
        network.set_parameters(model.get_weights())
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        times = side_by_side(
            lambda network=network, adam=adam: network.step(x, labels, adam),
            lambda model=model: model.train_on_batch(x, labels),
            ROUNDS,
        )
        rows.append({"what": f"training step of the {name}", "other": "Keras"} | times)
    return rows


def start() -> dict:
    """Time a fresh process that imports what it needs and builds the network."""

    def process(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)

    times = side_by_side(lambda: process(SCRATCH), lambda: process(KERAS), SLOW_ROUNDS + 2)
    return {"what": "start Python, import, build the network", "other": "Keras"} | times


if __name__ == "__main__":
    single = os.environ["OMP_NUM_THREADS"] == "1"
    measured = [*convolutions(with_loops=single), *training_steps()]
    if single:
        measured.append(start())
    json.dump(measured, sys.stdout)
