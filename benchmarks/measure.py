"""Measure with the threads that the environment allows, and print the rows as JSON: ``python -m benchmarks.measure``.

Run by ``python -m benchmarks``: the number of threads is fixed when NumPy and TensorFlow are imported.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks import attention, decoding, loops, quantized, scaling
from benchmarks.clock import side_by_side
from benchmarks.compare import BATCH, ROUNDS, SLOW_ROUNDS, compare, compiled
from utils.backend import keras
from utils.models.cnn import small_cnn
from utils.scratch import recurrent_layers
from utils.scratch.convolution import conv2d, conv2d_backward
from utils.scratch.network import Conv2D, Dense, Flatten, MaxPool2D, Network, ReLU
from utils.scratch.optimizers import Adam
from utils.settings import ROOT

# Height, width and channels of the input, kernel size, kernels: the chapter's two layers, and a wider one.
LAYERS = ((28, 28, 1, 5, 8), (12, 12, 8, 3, 16), (32, 32, 16, 3, 32))
# The spoken digits of the chapter ``rnn-code`` have 13 numbers a step; its layers have 64 units.
STEPS, INPUTS, UNITS = 50, 13, 64

SCRATCH = """
from utils.scratch.network import *
layers = [Conv2D(8, 5), ReLU(), MaxPool2D(2), Conv2D(16, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(10)]
Network(layers, (28, 28, 1))
"""
KERAS = "from utils.models.cnn import small_cnn; small_cnn()"


def convolutions(with_loops: bool) -> Iterator[dict]:
    """Time the convolution of each layer."""
    rng = np.random.default_rng(0)
    for height, width, channels, kernel, filters in LAYERS:
        x = rng.normal(size=(BATCH, height, width, channels)).astype(np.float32)
        w = rng.normal(size=(kernel, kernel, channels, filters)).astype(np.float32)
        b = np.zeros(filters, np.float32)
        dy = conv2d(x, w, b)
        layer = keras.layers.Conv2D(filters, kernel)
        layer.build(x.shape)
        layer.set_weights([w, b])
        ours = {
            "forward": partial(conv2d, x, w, b),
            "forward and backward": lambda x=x, w=w, b=b, dy=dy: (conv2d(x, w, b), conv2d_backward(dy, x, w)),
        }
        naive = {
            "forward": partial(loops.conv2d, x, w, b),
            "forward and backward": lambda x=x, w=w, b=b, dy=dy: (
                loops.conv2d(x, w, b),
                loops.conv2d_backward(dy, x, w),
            ),
        }
        slow = with_loops and (height, width, channels, kernel, filters) != LAYERS[-1]
        what = f"convolution {height}×{width}×{channels}, {filters} kernels {kernel}×{kernel}"
        yield from compare(what, ours, compiled(layer, layer.trainable_variables, x, dy), naive if slow else None)


def recurrences(with_loops: bool) -> Iterator[dict]:
    """Time the three cells over time; the loops are those of the plain cell."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, STEPS, INPUTS)).astype(np.float32)
    dy = rng.normal(size=(BATCH, STEPS, UNITS)).astype(np.float32)
    for kind in ("SimpleRNN", "GRU", "LSTM"):
        layer = getattr(keras.layers, kind)(UNITS, return_sequences=True)
        layer.build(x.shape)
        ours = getattr(recurrent_layers, kind)(UNITS, return_sequences=True)
        ours.parameters = layer.get_weights()
        w, u, b = ours.parameters
        numpy = {
            "forward": partial(ours.forward, x),
            "forward and backward": lambda layer=ours: (layer.forward(x), layer.backward(dy)),
        }
        naive = {
            "forward": lambda w=w, u=u, b=b: loops.plain_cell(x, w, u, b),
            "forward and backward": lambda w=w, u=u, b=b: loops.plain_cell_backward(
                dy, x, loops.plain_cell(x, w, u, b), w, u
            ),
        }
        slow = with_loops and kind == "SimpleRNN"
        what = f"{kind}, {STEPS} steps of {INPUTS}, {UNITS} units"
        yield from compare(what, numpy, compiled(layer, layer.trainable_variables, x, dy), naive if slow else None)


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
    measured = [
        *convolutions(with_loops=single),
        *recurrences(with_loops=single),
        *attention.rows(with_loops=single),
        *decoding.rows(),
        *quantized.rows(),
        *training_steps(),
    ]
    if single:
        measured += [*scaling.rows(), start()]  # two processes of one thread each
    json.dump(measured, sys.stdout)
