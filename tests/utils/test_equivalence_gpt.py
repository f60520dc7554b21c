"""A whole GPT twice, in NumPy and in Keras: the same logits, the same gradients, and the same after ten steps.

The two share no line, and do the same in different ways: Keras's turns by a matrix and has one product for queries that
share a key.
"""

import numpy as np
import pytest

from tests.utils.keras_twins import EXACT, exact_gelu, float64_becomes, same_gradients, same_steps
from utils.backend import set_seed
from utils.models.gpt import GPT, Shape
from utils.scratch import transformer
from utils.scratch.network import Network

pytestmark = pytest.mark.usefixtures("double_precision", "no_float32")

VOCABULARY, WIDTH, DEPTH, HEADS, LENGTH = 13, 24, 2, 4, 9
KINDS = {
    "as it is": {},
    "layer": {"norm": "layer"},
    "learned": {"positions": "learned"},
    "post": {"order": "post"},
    "post, layer, learned": {"order": "post", "norm": "layer", "positions": "learned"},
    "two key heads": {"key_heads": 2},
    "one key head, post": {"key_heads": 1, "order": "post"},
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def no_float32():
    """Keep Keras from computing in float32."""
    with float64_becomes("float64"):
        yield


def in_order(gpt: GPT) -> list:
    """Return the variables in the order in which their parts compute, which is that of the layers in NumPy."""
    found = [*gpt.embedding.variables, *(gpt.places.variables if gpt.shape.positions == "learned" else [])]
    for block in gpt.blocks:
        attention, network = [block.attention], [block.hidden, block.output_layer]
        if gpt.shape.order == "pre":
            layers = [block.first, *attention, block.second, *network]
        else:
            layers = [*attention, block.first, *network, block.second]
        found += [variable for layer in layers for variable in layer.variables]
    return found + (gpt.norm.variables if gpt.shape.order == "pre" else [])


def twins(kind: str) -> tuple[Network, GPT]:
    """Return both with the same weights, none of which is zero or one."""
    set_seed(0)
    gpt = GPT(Shape(VOCABULARY, WIDTH, DEPTH, HEADS, length=LENGTH, **KINDS[kind]))
    for block in gpt.blocks:
        block.hidden.activation = exact_gelu
    layers = transformer.gpt(VOCABULARY, WIDTH, DEPTH, HEADS, length=LENGTH, **KINDS[kind])
    network = Network(layers, (LENGTH,), dtype="float64")
    rng = np.random.default_rng(1)
    values = [rng.normal(size=variable.shape) / 3 for variable in in_order(gpt)]
    for variable, value in zip(in_order(gpt), values, strict=True):
        variable.assign(value)
    network.set_parameters(values)
    return network, gpt


def batch(seed: int, texts: int = 3, time: int = LENGTH) -> tuple[np.ndarray, np.ndarray]:
    """Return tokens and what comes after each."""
    tokens = np.random.default_rng(seed).integers(0, VOCABULARY, (texts, time + 1)).astype("int32")
    return tokens[:, :-1], tokens[:, 1:]


@EACH_KIND
@pytest.mark.parametrize(("texts", "time"), [(3, LENGTH), (1, 4)])
def test_logits_and_gradients(agree, kind, texts, time):
    network, gpt = twins(kind)
    x, y = batch(2, texts, time)
    agree("GPT, logits", network.forward(x), np.asarray(gpt(x)), EXACT)
    same_gradients(agree, "GPT", network, gpt, x, y, variables=in_order(gpt))


@pytest.mark.parametrize("kind", ["as it is", "post, layer, learned"])
def test_ten_steps_of_adam(agree, kind):
    network, gpt = twins(kind)
    same_steps(agree, "GPT", "Adam", network, gpt, [(*batch(seed), None) for seed in range(10)], in_order(gpt))


def test_pre_norm_keeps_the_parameters_in_the_order_of_the_layers():
    """So a chapter can hand over the weights of one to the other."""
    network, gpt = twins("two key heads")
    for found, expected in zip(gpt.get_weights(), network.parameters, strict=True):
        np.testing.assert_array_equal(found, expected)
