"""Two layers that are split over devices: the first by columns, the second by rows.

Source: M. Shoeybi and others, *Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism*,
2019, section 3, equations 1 to 3 and figure 3a. The devices are slices of the whole arrays, and what they would send
each other is summed by :func:`utils.scratch.collectives.ring_all_reduce`, which counts it.
"""

from __future__ import annotations

import numpy as np

from utils.scratch.activations import relu, relu_backward
from utils.scratch.collectives import ring_all_reduce, shares
from utils.scratch.dense import dense, dense_backward
from utils.scratch.network import Layer, glorot_uniform


class SplitPair(Layer):
    """Dense, ReLU, dense, on several devices, as one layer.

    Device ``k`` has some columns of the first weights with their biases, so it computes some hidden units for itself,
    and the rows of the second weights that read those. What comes out is a sum over the devices: one all-reduce of
    the output forward, one of the input's gradient backward. Weights start as those of two layers
    :class:`utils.scratch.network.Dense`, and the four parameters stand in the same order.

    Parameters
    ----------
    units : int
        Hidden units of all devices together.
    outputs : int
        Outputs, which each device has.
    devices : int
        In how many parts the hidden units are cut.

    Attributes
    ----------
    sent : numpy.ndarray
        Bytes that each device has sent so far, shape (devices,).
    """

    def __init__(self, units: int, outputs: int, devices: int) -> None:
        super().__init__()
        if not 1 <= devices <= units:
            raise ValueError(f"{units} units cannot be split over {devices} devices.")
        self.units, self.outputs = units, outputs
        self.places = shares(units, devices)
        self.sent = np.zeros(devices, np.int64)
        self.scores: list[np.ndarray] = []

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        (inputs,) = shape
        w = glorot_uniform((inputs, self.units), inputs, self.units, generator, dtype)
        v = glorot_uniform((self.units, self.outputs), self.units, self.outputs, generator, dtype)
        self.parameters = [w, np.zeros(self.units, dtype), v, np.zeros(self.outputs, dtype)]
        return (self.outputs,)

    def total(self, parts: list[np.ndarray]) -> np.ndarray:
        """Sum what the devices have, and count what they send for it."""
        sums, sent = ring_all_reduce([part.ravel() for part in parts])
        self.sent += sent
        return sums[0].reshape(parts[0].shape)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        w, b, v, c = self.parameters
        self.scores = [dense(x, w[:, own], b[own]) for own in self.places]  # nothing is sent for these
        parts = [relu(z) @ v[own] for z, own in zip(self.scores, self.places, strict=True)]
        return self.total(parts) + c  # once, not once a device

    def backward(self, dy: np.ndarray) -> np.ndarray:
        w, _, v, _ = self.parameters
        found, parts = [], []
        for z, own in zip(self.scores, self.places, strict=True):
            dh, dv, dc = dense_backward(dy, relu(z), v[own])
            dx, dw, db = dense_backward(relu_backward(dh, z), self.x, w[:, own])
            found.append((dw, db, dv))
            parts.append(dx)
        dw, db, dv = zip(*found, strict=True)
        self.gradients = [np.concatenate(dw, axis=1), np.concatenate(db), np.concatenate(dv), dc]
        return self.total(parts)


def kept_shapes(inputs: int, units: int, outputs: int, devices: int) -> list[list[tuple[int, ...]]]:
    """Return for each device the shapes of the weights that it keeps, biases left out."""
    widths = [own.stop - own.start for own in shares(units, devices)]
    return [[(inputs, width), (width, outputs)] for width in widths]
