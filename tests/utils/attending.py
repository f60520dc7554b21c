"""What the tests of attention share: both kinds, random attentions of one head and of several, and rough networks."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.utils.drawing import central_differences
from utils.scratch.attention import (
    additive_attention,
    additive_attention_backward,
    dot_product_attention,
    dot_product_attention_backward,
)
from utils.scratch.network import Layer, Network

KINDS = {
    "dot product": (dot_product_attention, dot_product_attention_backward),
    "additive": (additive_attention, additive_attention_backward),
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


@dataclass(frozen=True)
class Attending:
    """One attention: leading axes, sizes, and which keys are hidden."""

    leading: tuple[int, ...]
    queries: int
    keys: int
    d: int
    d_v: int
    hidden: str
    seed: int
    sighted: bool = False

    @property
    def mask(self) -> np.ndarray | None:
        """Return the mask; if ``sighted``, every query sees the first key at least."""
        rng = np.random.default_rng(self.seed + 1)
        padding = rng.random((*self.leading, 1, self.keys)) < 0.6
        scattered = rng.random((*self.leading, self.queries, self.keys)) < 0.4
        padding[..., 0] |= self.sighted
        scattered[..., 0] |= self.sighted
        past = np.tri(self.queries, self.keys, dtype=bool)
        masks = {"padding": padding, "future": past, "both": padding & past, "scattered": scattered}
        return masks.get(self.hidden)

    def in_parts(self) -> tuple[np.ndarray | None, bool]:
        """Return the mask without what hides the future, and whether that is hidden: Keras takes them separately."""
        without = {"future": "none", "both": "padding"}.get(self.hidden, self.hidden)
        return replace(self, hidden=without).mask, without != self.hidden

    def arrays(self, kind: str = "dot product") -> tuple[np.ndarray, ...]:
        """Queries, keys and values without any symmetry, and the weights of additive scores."""
        rng = np.random.default_rng(self.seed)
        shapes = (self.queries, self.d), (self.keys, self.d), (self.keys, self.d_v)
        q, k, v = (rng.normal(size=(*self.leading, *shape)) for shape in shapes)
        return (q, k, v) if kind == "dot product" else (q, k, v, rng.normal(size=self.d))

    def weighting(self) -> np.ndarray:
        """Return what a loss multiplies the output with: the gradient that it sends back."""
        return np.random.default_rng(self.seed + 2).normal(size=(*self.leading, self.queries, self.d_v))


ONE = Attending((1,), queries=1, keys=1, d=1, d_v=1, hidden="none", seed=1)


@st.composite
def attentions(draw: st.DrawFn, axes: tuple[int, ...] = (0, 1, 2), sighted: bool = False) -> Attending:
    """Draw an attention with so many leading axes; most draws hide keys, and some hide all keys of a query."""
    leading = draw(st.tuples(*[st.integers(1, 2)] * draw(st.sampled_from(axes))))
    queries, keys, d, d_v = draw(st.tuples(*[st.integers(1, 4)] * 2, *[st.integers(1, 3)] * 2))
    hidden = draw(st.sampled_from(["none", "padding", "future", "both", "scattered"]))
    return Attending(leading, queries, keys, d, d_v, hidden, draw(st.integers(0, 9999)), sighted)


@dataclass(frozen=True)
class Headed:
    """One multi-head attention: that of each head, and the sizes around the heads."""

    head: Attending
    heads: int
    inputs: int
    others: int
    outputs: int
    key_heads: int | None = None

    def arrays(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Both inputs, and weights and biases of the four projections, without any symmetry."""
        rng, (batch,) = np.random.default_rng(self.head.seed), self.head.leading
        x = rng.normal(size=(batch, self.head.queries, self.inputs))
        memory = rng.normal(size=(batch, self.head.keys, self.others))
        d, d_v, shared = self.head.d, self.head.d_v, self.key_heads or self.heads
        into = (self.inputs, self.heads * d), (self.others, shared * d), (self.others, shared * d_v)
        weights = *into, (self.heads * d_v, self.outputs)
        return x, memory, [rng.normal(size=size) for shape in weights for size in (shape, shape[1])]

    def weighting(self) -> np.ndarray:
        """Return what a loss multiplies the output with."""
        shape = *self.head.leading, self.head.queries, self.outputs
        return np.random.default_rng(self.head.seed + 2).normal(size=shape)


@st.composite
def multi_heads(draw: st.DrawFn, sighted: bool = False) -> Headed:
    """Draw a multi-head attention over another sequence."""
    return Headed(draw(attentions((1,), sighted)), *draw(st.tuples(*[st.integers(1, 3)] * 4)))


@st.composite
def grouped_heads(draw: st.DrawFn, sighted: bool = False) -> Headed:
    """Draw a multi-head attention over another sequence in which groups of heads share keys and values."""
    key_heads, group = draw(st.tuples(*[st.integers(1, 3)] * 2))
    return replace(draw(multi_heads(sighted)), heads=key_heads * group, key_heads=key_heads)


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    """Draw numbers, for every shape other ones."""
    return np.random.default_rng((*shape, seed)).normal(size=shape)


def rough(layers: list[Layer], shape: tuple[int, ...], dtype: str = "float64") -> Network:
    """Return a network in which no weight is 0 or 1 and no bias is 0, as they are at the start."""
    network, rng = Network(layers, shape, seed=2, dtype=dtype), np.random.default_rng(1)
    for parameter in network.parameters:
        parameter += rng.normal(0, 0.5, parameter.shape).astype(dtype)
    return network


def gradients_agree(agree, part: str, network: Network, x: np.ndarray, labels: np.ndarray, mask=None) -> None:
    """Assert that the gradients of all parameters, and of an input that is not of tokens, are central differences."""
    _, gradients = network.loss_and_gradients(x, labels, mask)
    of_input, step = network.input_gradient, 2e-6  # softmax and normalization bend the loss

    def loss() -> float:
        return network.loss(network.forward(x, mask), labels)[0]

    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        agree(f"{part}, differences, parameters", gradient, central_differences(loss, parameter, step), 1e-6)
    if of_input is not None:
        agree(f"{part}, differences, input", of_input, central_differences(loss, x, step), 1e-6)
