"""Low-rank adapters for a trained GPT: put beside its dense layers, stored, changed for others, merged into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from utils.backend import keras, ops
from utils.models.gpt import GPT

# The dense layers of a block: the part of the block that owns them (none: the block itself), and their name there.
PLACES = {
    "attention": (("attention", "projection"), ("attention", "output_layer")),
    "network": ((None, "hidden"), (None, "output_layer")),
}


class LoRA(keras.layers.Layer):
    """A dense layer that stays as it is, and a path of low rank beside it: ``f(x w + b + scale · (x A) B)``.

    Parameters
    ----------
    dense
        Built already; its weights are frozen, not copied.
    rank
        Columns of A and rows of B.
    alpha
        The scale is ``alpha / rank``.
    seed
        Of A, uniform as He et al., 2015, have it; B starts at zero, so that the layer is at first the dense layer.

    Raises
    ------
    ValueError
        If the dense layer is not built, or the rank does not fit its weights.

    Notes
    -----
    Hu et al., 2021, https://arxiv.org/abs/2106.09685, section 4.1; their matrices multiply columns, so their BA is AB
    here. ``Dense.enable_lora`` of Keras has the same formula; it leaves the bias to learn.
    """

    def __init__(self, dense: keras.layers.Dense, rank: int, alpha: float, seed: int = 0, **arguments: Any) -> None:
        super().__init__(**arguments)
        if not dense.built:
            raise ValueError("The dense layer has no weights yet: build it before it is adapted.")
        inputs, units = dense.kernel.shape
        if not 1 <= rank <= min(inputs, units):
            raise ValueError(
                f"A rank of {rank} does not fit weights of {inputs} x {units}: take 1 to {min(inputs, units)}."
            )
        self.dense = dense
        self.rank = rank
        self.scale = alpha / rank
        dense.trainable = False
        dtype = dense.kernel.dtype
        self.down = self.add_weight((inputs, rank), keras.initializers.HeUniform(seed), dtype, name="down")
        self.up = self.add_weight((rank, units), "zeros", dtype, name="up")
        self.built = True

    def call(self, x: Any) -> Any:
        """Return the activation of the dense layer's scores and of what the path adds to them."""
        scores = ops.matmul(x, self.dense.kernel) + self.scale * ops.matmul(ops.matmul(x, self.down), self.up)
        if self.dense.use_bias:
            scores = scores + self.dense.bias
        return self.dense.activation(scores)

    def compute_output_shape(self, shape: tuple) -> tuple:
        """Return the shape of the output, that of the dense layer."""
        return (*shape[:-1], self.dense.units)

    def merged(self) -> np.ndarray:
        """Return ``w + scale · A B``: weights with which the dense layer alone gives the same."""
        w, down, up = (ops.convert_to_numpy(part) for part in (self.dense.kernel, self.down, self.up))
        return w + self.scale * (down @ up)


def adapt(gpt: GPT, rank: int, alpha: float, seed: int = 0, where: Sequence[str] = tuple(PLACES)) -> list[LoRA]:
    """Freeze a GPT and put an adapter beside the dense layers of each block, in place.

    Parameters
    ----------
    gpt
        Trained. All of its own weights are frozen. Compile it after this, not before.
    rank, alpha
        Of each adapter.
    seed
        Of the adapters; each A is another.
    where
        "attention", "network" or both.

    Returns
    -------
    list of LoRA
        From the first block to the last.

    Raises
    ------
    ValueError
        If a place is unknown, the rank does not fit, or the model has adapters already.
    """
    for place in where:
        if place not in PLACES:
            raise ValueError(f"The place {place!r} is unknown: use one of {', '.join(map(repr, PLACES))}.")
    if any(isinstance(getattr(*spot), LoRA) for spot in _spots(gpt, tuple(PLACES))):
        raise ValueError("The model has adapters already: merge them first.")
    for variable in gpt.weights:
        variable.trainable = False
    added = []
    for owner, name in _spots(gpt, where):
        added.append(LoRA(getattr(owner, name), rank, alpha, 1000 * seed + len(added), name=f"{name}_adapted"))
        _replace(owner, name, added[-1])
    return added


def adapter(layers: Sequence[LoRA]) -> list[np.ndarray]:
    """Return what has to be stored for one user: A and B of each layer, in turn."""
    return [ops.convert_to_numpy(part) for layer in layers for part in (layer.down, layer.up)]


def load(layers: Sequence[LoRA], values: Sequence[np.ndarray]) -> None:
    """Set A and B of each layer to what :func:`adapter` returned, for this or for another user.

    Raises
    ------
    ValueError
        If there are more or fewer arrays than the layers take.
    """
    if len(values) != 2 * len(layers):
        raise ValueError(f"{len(values)} arrays do not fit {len(layers)} layers: two for each are needed.")
    for layer, down, up in zip(layers, values[::2], values[1::2], strict=True):
        layer.down.assign(down)
        layer.up.assign(up)


def merge(gpt: GPT) -> None:
    """Add what the adapters learned to the weights beside them, and take the adapters out, in place.

    The model computes the same, without a path more. Its weights stay frozen. Compile it anew.
    """
    for owner, name in _spots(gpt, tuple(PLACES)):
        layer = getattr(owner, name)
        if isinstance(layer, LoRA):
            layer.dense.kernel.assign(layer.merged())
            _replace(owner, name, layer.dense)


def _spots(gpt: GPT, where: Sequence[str]) -> list[tuple[keras.layers.Layer, str]]:
    """Return the owner and the name of each dense layer of these places."""
    spots = [spot for place in where for spot in PLACES[place]]
    return [(getattr(block, part) if part else block, name) for block in gpt.blocks for part, name in spots]


def _replace(owner: keras.layers.Layer, name: str, layer: keras.layers.Layer) -> None:
    """Put a layer into the place of another. Keras locks what is built; ``Dense.enable_lora`` unlocks it so, too."""
    old, tracker, layers = getattr(owner, name), owner._tracker, owner._layers
    place = next(number for number, part in enumerate(layers) if part is old)
    tracker.unlock()
    tracker.untrack(old)
    setattr(owner, name, layer)
    layers.insert(place, layers.pop())  # weights keep their order
    tracker.lock()
