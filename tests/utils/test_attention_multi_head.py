"""Multi-head attention in NumPy: head by head, against differences, and as a layer of a network."""

import re

import numpy as np
import pytest
from hypothesis import example, given

from tests.utils.attending import Attending, Headed, multi_heads
from tests.utils.drawing import central_differences
from utils.scratch.attention import causal_mask, dot_product_attention
from utils.scratch.multi_head import (
    SelfAttention,
    join_heads,
    multi_head_attention,
    multi_head_attention_backward,
    split_heads,
)
from utils.scratch.network import Dense, Flatten, Network, ReLU

SMALLEST = Headed(Attending((1,), 1, 1, d=1, d_v=1, hidden="none", seed=3), heads=1, inputs=1, others=1, outputs=1)
CROSS = Headed(Attending((2,), 4, 5, d=3, d_v=2, hidden="scattered", seed=8), heads=3, inputs=4, others=2, outputs=5)
PARAMETERS = [f"{what} of {part}" for part in ("queries", "keys", "values", "output") for what in ("weights", "bias")]
BATCH, TIME, INPUTS, HEADS, SIZE = 5, 4, 3, 2, 3
# Rows without padding, padded on the right, on the left, with a hole, and all padding.
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1], [0, 0, 0, 0]], bool)
MASKS = pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
CAUSAL = pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])


def draw(*shape):
    """Draw numbers, for every shape other ones."""
    return np.random.default_rng(shape).normal(size=shape)


def equal(found, expected, bound=1e-13):
    """Say whether two lists hold the same arrays."""
    pairs = list(zip(found, expected, strict=True))
    return all(a.shape == b.shape and np.allclose(a, b, rtol=0, atol=bound) for a, b in pairs)


# --- heads ---------------------------------------------------------------------------------------


def test_heads_are_columns_side_by_side():
    x = draw(2, 5, 6)
    heads = split_heads(x, 3)
    assert heads.shape == (2, 3, 5, 2)
    for head in range(3):
        assert np.array_equal(heads[:, head], x[:, :, 2 * head : 2 * head + 2])
    assert np.array_equal(join_heads(heads), x)


def by_heads(x, memory, parameters, heads, mask, scale):
    """Attend one head after the other, each with its own columns and rows of the weights."""
    w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o = parameters
    y, weights = b_o, []
    for head in range(heads):
        of_keys, of_values = (slice(head * n // heads, (head + 1) * n // heads) for n in (w_k.shape[1], w_v.shape[1]))
        q, k = x @ w_q[:, of_keys] + b_q[of_keys], memory @ w_k[:, of_keys] + b_k[of_keys]
        mixed, of_head = dot_product_attention(q, k, memory @ w_v[:, of_values] + b_v[of_values], mask, scale)
        y = y + mixed @ w_o[of_values]
        weights.append(of_head)
    return y, np.stack(weights, axis=1)


@pytest.mark.parametrize("scale", [None, 0.4])
@given(case=multi_heads())
@example(case=SMALLEST)
@example(case=CROSS)
def test_multi_head_attention_is_attention_head_by_head(agree, scale, case):
    inputs = *case.arrays(), case.heads, case.head.mask, scale
    y, weights, _ = multi_head_attention(*inputs)
    expected_y, expected_weights = by_heads(*inputs)
    agree("multi-head attention, head by head, output", y, expected_y, 1e-12)
    agree("multi-head attention, head by head, weights", weights, expected_weights, 1e-12)


@pytest.mark.parametrize("scale", [None, 0.4])
@given(case=multi_heads())
@example(case=SMALLEST)
def test_gradients_equal_central_differences(agree, scale, case):
    (x, memory, parameters), dy = case.arrays(), case.weighting()

    def run():
        return multi_head_attention(x, memory, parameters, case.heads, case.head.mask, scale)

    dx, dmemory, gradients = multi_head_attention_backward(dy, run()[2])
    arrays = ("x", "memory", *PARAMETERS), (x, memory, *parameters), (dx, dmemory, *gradients)
    for part, array, gradient in zip(*arrays, strict=True):
        differences = central_differences(lambda: float((run()[0] * dy).sum()), array)
        agree(f"multi-head attention, differences, {part}", gradient, differences, 1e-6)


def test_the_bias_of_the_keys_changes_nothing():
    """It adds the same to all scores of a query, which softmax does not see."""
    x, memory, parameters = CROSS.arrays()
    y, _, trace = multi_head_attention(x, memory, parameters, 3, CROSS.head.mask)
    _, _, gradients = multi_head_attention_backward(CROSS.weighting(), trace)
    assert np.allclose(gradients[3], 0, atol=1e-13)
    parameters[3] += 1
    assert np.allclose(multi_head_attention(x, memory, parameters, 3, CROSS.head.mask)[0], y, rtol=0, atol=1e-13)


def test_one_mask_serves_all_heads():
    x, memory, parameters = CROSS.arrays()
    keys = np.array([True, False, True, True, False])
    for mask in (keys, np.tile(keys, (4, 1)), np.tile(keys, (2, 1, 1)), np.tile(keys, (2, 4, 1))):
        _, weights, _ = multi_head_attention(x, memory, parameters, 3, mask)
        assert weights.shape == (2, 3, 4, 5)
        assert not weights[..., ~keys].any()
        assert weights[..., keys].all()


def test_a_query_that_sees_nothing_puts_out_the_bias_of_the_output():
    x, memory, parameters = CROSS.arrays()
    mask = np.ones((2, 4, 5), bool)
    mask[1, 2] = False
    y, weights, trace = multi_head_attention(x, memory, parameters, 3, mask)
    assert np.array_equal(y[1, 2], parameters[-1])
    assert not weights[1, :, 2].any()
    dy = CROSS.weighting() * ~mask.any(axis=-1)[..., None]
    dx, dmemory, gradients = multi_head_attention_backward(dy, trace)
    assert not any(gradient.any() for gradient in (dx, dmemory, *gradients[:-1]))
    assert np.array_equal(gradients[-1], dy.sum(axis=(0, 1)))


def test_without_masks_self_attention_does_not_know_the_order():
    layer, x, order = built(False), draw(BATCH, TIME, INPUTS), [2, 0, 3, 1]
    assert np.allclose(layer.forward(x[:, order]), layer.forward(x)[:, order], rtol=0, atol=1e-13)
    layer = built(True)
    assert not np.allclose(layer.forward(x[:, order]), layer.forward(x)[:, order], atol=1e-3)


def test_neither_pass_changes_what_it_is_given():
    x, memory, parameters = CROSS.arrays()
    dy, mask = CROSS.weighting(), CROSS.head.mask
    _, _, trace = multi_head_attention(x, memory, parameters, 3, mask)
    (dx, dmemory, gradients), (*again, gradients_again) = (multi_head_attention_backward(dy, trace) for _ in range(2))
    assert equal((dx, dmemory, *gradients), (*again, *gradients_again), 0)
    fresh_x, fresh_memory, fresh = CROSS.arrays()
    assert equal(
        (x, memory, *parameters, dy, mask), (fresh_x, fresh_memory, *fresh, CROSS.weighting(), CROSS.head.mask), 0
    )


# --- the layer -----------------------------------------------------------------------------------


def network(*layers, dtype="float64"):
    """Return a network with weights and biases that have no symmetry."""
    net, rng = Network(list(layers), (TIME, INPUTS), seed=2, dtype=dtype), np.random.default_rng(1)
    for parameter in net.parameters:
        parameter += rng.normal(size=parameter.shape).astype(dtype)
    return net


def built(causal):
    """Return a layer in use."""
    return network(SelfAttention(HEADS, SIZE, causal)).layers[0]


def stack(causal, dtype="float64"):
    """Return a network of two layers of attention, with one between that knows no mask."""
    between = ReLU(), SelfAttention(1, 2), Flatten()
    return network(SelfAttention(HEADS, SIZE, causal), *between, Dense(3), dtype=dtype)


@CAUSAL
@MASKS
def test_the_packed_layer_is_three_projections(causal, mask):
    layer, x, dy = built(causal), draw(BATCH, TIME, INPUTS), draw(BATCH, TIME, INPUTS) ** 3
    w, b, w_o, b_o = layer.parameters
    separate = [part for pair in zip(np.split(w, 3, axis=1), np.split(b, 3), strict=True) for part in pair]
    seen = np.ones((BATCH, 1, TIME), bool) if mask is None else mask[:, None]
    seen = seen & (causal_mask(TIME) if causal else True)
    expected, weights, trace = multi_head_attention(x, x, [*separate, w_o, b_o], HEADS, seen)
    assert equal([layer.forward(x, mask), layer.trace.weights], [expected, weights])
    of_queries, of_memory, gradients = multi_head_attention_backward(dy, trace)
    packed = [np.concatenate(gradients[0:6:2], axis=1), np.concatenate(gradients[1:6:2]), *gradients[6:]]
    assert equal([layer.backward(dy), *layer.gradients], [of_queries + of_memory, *packed])


def test_a_layer_starts_as_four_dense_layers():
    heads, size, inputs = 4, 30, 40
    w, b, w_o, b_o = Network([SelfAttention(heads, size)], (TIME, inputs), seed=3, dtype="float64").parameters
    assert (w.shape, b.shape, w_o.shape, b_o.shape) == ((40, 360), (360,), (120, 40), (40,))
    limit = np.sqrt(6 / (inputs + heads * size))
    for projection in (*np.split(w, 3, axis=1), w_o):
        assert 0.99 * limit < projection.max() <= limit
        assert -0.99 * limit > projection.min() >= -limit
        assert abs(projection.mean()) < 0.05 * limit
    assert not b.any()
    assert not b_o.any()


@CAUSAL
@MASKS
def test_it_announces_the_shape_that_it_returns(causal, mask):
    net = network(SelfAttention(HEADS, SIZE, causal))
    assert net.shapes == [(TIME, INPUTS)] * 2
    assert net.forward(draw(BATCH, TIME, INPUTS), mask).shape == (BATCH, TIME, INPUTS)


def test_before_the_first_pass_it_is_empty_and_looks_both_ways():
    layer = SelfAttention(HEADS, SIZE)
    assert (layer.causal, layer.trace, layer.joined, layer.parameters, layer.gradients) == (False, None, None, [], [])
    assert SelfAttention.takes_mask


@CAUSAL
@MASKS
def test_gradients_of_a_network_equal_central_differences(agree, causal, mask):
    net, x, labels = stack(causal), draw(BATCH, TIME, INPUTS), np.arange(BATCH) % 3
    _, gradients = net.loss_and_gradients(x, labels, mask)
    of_input = net.input_gradient

    def loss() -> float:
        return net.loss_and_gradients(x, labels, mask)[0]

    for parameter, gradient in zip(net.parameters, gradients, strict=True):
        agree("attention network, differences, parameters", gradient, central_differences(loss, parameter), 1e-6)
    agree("attention network, differences, input", of_input, central_differences(loss, x), 1e-6)


@CAUSAL
@MASKS
def test_a_float32_network_stays_float32(causal, mask):
    net, x = stack(causal, "float32"), draw(BATCH, TIME, INPUTS).astype(np.float32)
    assert {p.dtype.name for p in net.parameters} == {"float32"}
    assert net.forward(x, mask).dtype == np.float32
    _, gradients = net.loss_and_gradients(x, np.arange(BATCH) % 3, mask)
    assert {g.dtype.name for g in (*gradients, net.input_gradient)} == {"float32"}


# --- what is refused -----------------------------------------------------------------------------


def test_says_that_heads_do_not_share_the_columns_equally():
    x, memory, parameters = CROSS.arrays()
    for heads in (2, 0, -3):
        message = f"The projection has 9 columns for {heads} heads: expected as many for each head."
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            multi_head_attention(x, memory, parameters, heads)


@pytest.mark.parametrize("which", ["x", "memory"])
@pytest.mark.parametrize("shape", [(2, 4, 6), (4, 4), (1, 2, 4, 4)])
def test_says_which_input_it_expects(which, shape):
    x, memory, parameters = CROSS.arrays()
    w = parameters[0 if which == "x" else 2]
    inputs = {"x": x, "memory": memory} | {which: np.ones(shape)}
    message = f"The input has shape {shape}: expected (batch, time, {len(w)}) for weights {w.shape}."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        multi_head_attention(**inputs, parameters=parameters, heads=3)


@pytest.mark.parametrize("mask", [np.ones((2, 4, 5)), np.ones((2, 5), bool), np.ones((2, 3, 4, 5), bool)])
def test_says_which_mask_it_expects(mask):
    message = f"The mask has shape {mask.shape} and dtype {mask.dtype}: "
    message += "expected booleans that broadcast to (2, 4, 5)."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        multi_head_attention(*CROSS.arrays(), 3, mask)


@CAUSAL
@pytest.mark.parametrize("mask", [np.ones((5, 3), bool), np.ones((5, 4)), np.ones((5, 4, 4), bool)])
def test_a_layer_says_which_mask_it_expects(causal, mask):
    message = f"The mask has shape {mask.shape} and dtype {mask.dtype}: expected booleans that broadcast to (5, 4)."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        built(causal).forward(draw(BATCH, TIME, INPUTS), mask)
