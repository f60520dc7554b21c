"""Attention of a sequence to itself: beside Keras, the loops, a GRU, and its own other forms."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np

from benchmarks import loops
from benchmarks.clock import side_by_side
from benchmarks.compare import BATCH, ROUNDS, compare, compiled
from utils.backend import keras
from utils.scratch.attention import (
    additive_attention,
    additive_attention_backward,
    dot_product_attention,
    dot_product_attention_backward,
)
from utils.scratch.blockwise import blockwise_attention, blockwise_attention_backward
from utils.scratch.multi_head import SelfAttention
from utils.scratch.recurrent_layers import GRU

WIDTH, HEADS, BLOCK = 64, 8, 64
FEW_ROUNDS = ROUNDS // 4
Passes = dict[str, Callable[[], object]]


def both(forward: Callable, backward: Callable) -> Passes:
    """Return a forward pass, and a forward with a backward pass that takes what the forward pass returned."""
    return {"forward": forward, "forward and backward": lambda: backward(*forward())}


def dot_product(x: np.ndarray, dy: np.ndarray) -> Passes:
    """Return the passes of attention with the whole matrix of weights."""

    def backward(_: np.ndarray, weights: np.ndarray) -> object:
        return dot_product_attention_backward(dy, x, x, x, weights)

    return both(partial(dot_product_attention, x, x, x), backward)


def additive(x: np.ndarray, dy: np.ndarray) -> Passes:
    """Return the passes of attention with additive scores."""
    w = np.ones(x.shape[2], x.dtype)

    def backward(_: np.ndarray, weights: np.ndarray) -> object:
        return additive_attention_backward(dy, x, x, x, w, weights)

    return both(partial(additive_attention, x, x, x, w), backward)


def blockwise(x: np.ndarray, dy: np.ndarray) -> Passes:
    """Return the passes of attention in blocks of keys."""

    def backward(y: np.ndarray, log_sum: np.ndarray) -> object:
        return blockwise_attention_backward(dy, x, x, x, y, log_sum, BLOCK)

    return both(partial(blockwise_attention, x, x, x, BLOCK), backward)


def sequences(steps: int) -> np.ndarray:
    """Return inputs and gradients of outputs, (2, batch, steps, width)."""
    return np.random.default_rng(0).normal(size=(2, BATCH, steps, WIDTH)).astype(np.float32)


def self_attention(heads: int, x: np.ndarray, dy: np.ndarray) -> Passes:
    """Return the passes of multi-head self-attention, projections included."""
    layer = SelfAttention(heads, WIDTH // heads)
    layer.build(x.shape[1:], np.random.default_rng(0), x.dtype)
    return both(lambda: (layer.forward(x),), lambda _: layer.backward(dy))


def recurrent(x: np.ndarray, dy: np.ndarray) -> Passes:
    """Return the passes of a GRU with as many units as inputs."""
    layer = GRU(WIDTH, return_sequences=True)
    layer.build(x.shape[1:], np.random.default_rng(0), x.dtype)
    return both(lambda: (layer.forward(x),), lambda _: layer.backward(dy))


def rows(with_loops: bool) -> Iterator[dict]:
    """Time all of them."""
    layer = keras.layers.Attention()
    for steps in (32, 128, 512):
        x, dy = sequences(steps)
        theirs = compiled(lambda x: layer([x, x, x]), [], x, dy)
        # The loops share the gradients out among queries, keys and values: here all three are x.
        naive = {
            "forward": partial(loops.attention, x, x, x),
            "forward and backward": lambda x=x, dy=dy: loops.attention_backward(
                dy, x, x, x, loops.attention(x, x, x)[1]
            ),
        }
        what = f"attention, {steps} steps of {WIDTH}"
        yield from compare(what, dot_product(x, dy), theirs, naive if with_loops and steps == 32 else None)
    x, dy = sequences(128)
    heads = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
    heads.build(x.shape, x.shape)
    theirs = compiled(lambda x: heads(x, x), heads.trainable_variables, x, dy)
    what = f"self-attention, {HEADS} heads, 128 steps of {WIDTH}"
    yield from compare(what, self_attention(HEADS, x, dy), theirs, None)
    for count, steps in product((1, HEADS), (32, 64, 128, 256, 512, 1024)):
        x, dy = sequences(steps)
        what = f"self-attention, {count} head{'s' if count > 1 else ''}, {steps} steps of {WIDTH}"
        yield from beside(what, self_attention(count, x, dy), "GRU", recurrent(x, dy))
    for steps, other, name in ((128, additive, "additive attention"), (512, blockwise, f"blocks of {BLOCK} keys")):
        x, dy = sequences(steps)
        yield from beside(f"attention, {steps} steps of {WIDTH}", dot_product(x, dy), name, other(x, dy))


def beside(what: str, ours: Passes, other: str, others: Passes) -> Iterator[dict]:
    """Time two things of our own, side by side."""
    for part in ours:
        yield {"what": f"{what}, {part}", "other": other} | side_by_side(ours[part], others[part], FEW_ROUNDS)
