"""Heads of queries that share keys and values, in NumPy: head by head, against differences, and as a layer."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given

from tests.utils.attending import Attending, Headed, draw, gradients_agree, grouped_heads, multi_heads, rough
from tests.utils.drawing import central_differences
from utils.scratch.attention import causal_mask, dot_product_attention
from utils.scratch.multi_head import SelfAttention, multi_head_attention, multi_head_attention_backward
from utils.scratch.network import GELU, Dense, Flatten, Network, glorot_uniform

SMALLEST = Headed(Attending((1,), 1, 1, d=1, d_v=1, hidden="none", seed=3), 1, 1, 1, 1, key_heads=1)
CROSS = Headed(Attending((2,), 4, 5, d=3, d_v=2, hidden="scattered", seed=8), 6, inputs=4, others=2, outputs=5)
CROSS = replace(CROSS, key_heads=2)
PARAMETERS = [f"{what} of {part}" for part in ("queries", "keys", "values", "output") for what in ("weights", "bias")]
BATCH, TIME, INPUTS, HEADS, KEY_HEADS, SIZE = 5, 4, 3, 6, 2, 3
SHAPE = (TIME, INPUTS)
# Rows without padding, padded on the right, on the left, with a hole, and all padding.
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1], [0, 0, 0, 0]], bool)
MASKS = pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
CAUSAL = pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])


def run(case, x, memory, parameters, scale=None):
    """Run the attention of a case."""
    return multi_head_attention(x, memory, parameters, case.heads, case.head.mask, scale, case.key_heads)


def by_heads(case, x, memory, parameters, scale):
    """Attend one head after the other; the first heads of queries share the first of keys and values, and so on."""
    w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o = parameters
    d, d_v, y, weights = case.head.d, case.head.d_v, b_o, []
    for head in range(case.heads):
        shared = head * case.key_heads // case.heads
        of_queries, of_keys = slice(head * d, (head + 1) * d), slice(shared * d, (shared + 1) * d)
        of_values, out = slice(shared * d_v, (shared + 1) * d_v), slice(head * d_v, (head + 1) * d_v)
        q, k = x @ w_q[:, of_queries] + b_q[of_queries], memory @ w_k[:, of_keys] + b_k[of_keys]
        v = memory @ w_v[:, of_values] + b_v[of_values]
        mixed, of_head = dot_product_attention(q, k, v, case.head.mask, scale)
        y = y + mixed @ w_o[out]
        weights.append(of_head)
    return y, np.stack(weights, axis=1)


@pytest.mark.parametrize("scale", [None, 0.4])
@given(case=grouped_heads())
@example(case=SMALLEST)
@example(case=CROSS)
@example(case=replace(CROSS, key_heads=1))
@example(case=replace(CROSS, key_heads=6))
def test_it_is_attention_head_by_head(agree, scale, case):
    y, weights, _ = run(case, *case.arrays(), scale)
    expected_y, expected_weights = by_heads(case, *case.arrays(), scale)
    agree("grouped attention, head by head, output", y, expected_y, 1e-12)
    agree("grouped attention, head by head, weights", weights, expected_weights, 1e-12)


@pytest.mark.parametrize("scale", [None, 0.4])
@given(case=grouped_heads())
@example(case=SMALLEST)
def test_gradients_equal_central_differences(agree, scale, case):
    (x, memory, parameters), dy = case.arrays(), case.weighting()
    dx, dmemory, gradients = multi_head_attention_backward(dy, run(case, x, memory, parameters, scale)[2])
    arrays = ("x", "memory", *PARAMETERS), (x, memory, *parameters), (dx, dmemory, *gradients)
    for part, array, gradient in zip(*arrays, strict=True):
        differences = central_differences(lambda: float((run(case, x, memory, parameters, scale)[0] * dy).sum()), array)
        agree(f"grouped attention, differences, {part}", gradient, differences, 1e-6)


@given(case=multi_heads())
def test_as_many_heads_of_keys_as_of_queries_is_the_default(case):
    explicit = run(replace(case, key_heads=case.heads), *case.arrays())
    default = run(case, *case.arrays())
    assert all(np.array_equal(a, b) for a, b in zip(explicit[:2], default[:2], strict=True))
    assert default[2].heads.key_heads == case.heads


def copied(case, array, d):
    """Return weights or a bias with the columns of every shared head once for each head of queries."""
    heads = array.reshape(*array.shape[:-1], case.key_heads, d)
    return np.repeat(heads, case.heads // case.key_heads, axis=-2).reshape(*array.shape[:-1], case.heads * d)


def test_sharing_is_attention_with_copies_whose_gradients_add_up(agree):
    (x, memory, parameters), dy = CROSS.arrays(), CROSS.weighting()
    sizes = [CROSS.head.d] * 2 + [CROSS.head.d_v] * 2
    copies = [copied(CROSS, array, d) for array, d in zip(parameters[2:6], sizes, strict=True)]
    y, weights, trace = run(CROSS, x, memory, parameters)
    whole = replace(CROSS, key_heads=None)
    expected_y, expected_weights, of_copies = run(whole, x, memory, [*parameters[:2], *copies, *parameters[6:]])
    agree("grouped attention, copies, output", y, expected_y, 1e-13)
    agree("grouped attention, copies, weights", weights, expected_weights, 1e-13)
    dx, dmemory, gradients = multi_head_attention_backward(dy, trace)
    expected_dx, expected_dmemory, expected = multi_head_attention_backward(dy, of_copies)
    for part, d in zip(range(2, 6), sizes, strict=True):
        groups = expected[part].reshape(*expected[part].shape[:-1], CROSS.key_heads, -1, d)
        expected[part] = groups.sum(axis=-2).reshape(parameters[part].shape)
    for found, theirs in zip((dx, dmemory, *gradients), (expected_dx, expected_dmemory, *expected), strict=True):
        agree("grouped attention, copies, gradients", found, theirs, 1e-12)


def test_a_query_that_sees_nothing_puts_out_the_bias_of_the_output():
    (x, memory, parameters), mask = CROSS.arrays(), np.ones((2, 4, 5), bool)
    mask[1, 2] = False
    y, weights, trace = multi_head_attention(x, memory, parameters, 6, mask, key_heads=2)
    assert np.array_equal(y[1, 2], parameters[-1])
    assert not weights[1, :, 2].any()
    dy = CROSS.weighting() * ~mask.any(axis=-1)[..., None]
    dx, dmemory, gradients = multi_head_attention_backward(dy, trace)
    assert not any(gradient.any() for gradient in (dx, dmemory, *gradients[:-1]))


# --- the layer -----------------------------------------------------------------------------------


def stack(causal, dtype="float64"):
    """Return a network of two layers of attention, the second one with a single head of keys and values."""
    between = GELU(), SelfAttention(3, 2, key_heads=1), Flatten()
    return rough([SelfAttention(HEADS, SIZE, causal, KEY_HEADS), *between, Dense(3)], SHAPE, dtype)


@CAUSAL
@MASKS
def test_the_packed_layer_is_three_projections(agree, causal, mask):
    net = rough([SelfAttention(HEADS, SIZE, causal, KEY_HEADS)], SHAPE)
    (layer,), x, dy = net.layers, draw(BATCH, TIME, INPUTS), draw(BATCH, TIME, INPUTS, seed=1)
    w, b, w_o, b_o = layer.parameters
    ends = [HEADS * SIZE, (HEADS + KEY_HEADS) * SIZE]
    separate = [part for pair in zip(np.split(w, ends, axis=1), np.split(b, ends), strict=True) for part in pair]
    seen = np.ones((BATCH, 1, TIME), bool) if mask is None else mask[:, None]
    seen = seen & (causal_mask(TIME) if causal else True)
    expected, weights, trace = multi_head_attention(x, x, [*separate, w_o, b_o], HEADS, seen, None, KEY_HEADS)
    agree("grouped layer, output", net.forward(x, mask), expected, 1e-13)
    agree("grouped layer, weights", layer.trace.weights, weights, 1e-13)
    of_queries, of_memory, gradients = multi_head_attention_backward(dy, trace)
    packed = [np.concatenate(gradients[0:6:2], axis=1), np.concatenate(gradients[1:6:2]), *gradients[6:]]
    for found, theirs in zip(net.backward(dy), packed, strict=True):
        agree("grouped layer, gradients", found, theirs, 1e-12)
    agree("grouped layer, input gradient", net.input_gradient, of_queries + of_memory, 1e-12)


@CAUSAL
@MASKS
def test_gradients_of_a_network_equal_central_differences(agree, causal, mask):
    gradients_agree(agree, "grouped network", stack(causal), draw(BATCH, TIME, INPUTS), np.arange(BATCH) % 3, mask)


def test_a_layer_starts_as_four_dense_layers():
    heads, key_heads, size, inputs = 6, 2, 20, 40
    net = Network([SelfAttention(heads, size, key_heads=key_heads)], (TIME, inputs), seed=3, dtype="float64")
    w, b, w_o, b_o = net.parameters
    assert (w.shape, b.shape, w_o.shape, b_o.shape) == ((40, 200), (200,), (120, 40), (40,))
    for projection in (*np.split(w, [120, 160], axis=1), w_o):
        limit = np.sqrt(6 / sum(projection.shape))
        assert 0.99 * limit < projection.max() <= limit
        assert -0.99 * limit > projection.min() >= -limit
    assert not b.any()
    assert not b_o.any()
    assert net.shapes == [(TIME, inputs)] * 2


def test_without_groups_a_layer_starts_with_the_numbers_that_it_always_had():
    (layer,), generator = Network([SelfAttention(2, 3)], SHAPE, seed=5).layers, np.random.default_rng(5)
    dtype = np.dtype("float32")
    assert layer.key_heads == 2
    assert np.array_equal(layer.parameters[0], glorot_uniform((3, 18), 3, 6, generator, dtype))
    assert np.array_equal(layer.parameters[2], glorot_uniform((6, 3), 6, 3, generator, dtype))


def test_a_float32_network_stays_float32():
    net, x = stack(True, "float32"), draw(BATCH, TIME, INPUTS).astype(np.float32)
    assert net.forward(x, MASK).dtype == np.float32
    _, gradients = net.loss_and_gradients(x, np.arange(BATCH) % 3, MASK)
    assert {g.dtype.name for g in (*gradients, net.input_gradient)} == {"float32"}


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("key_heads", [4, 5, 12, 0, -2])
def test_says_that_the_heads_do_not_share_the_keys_equally(key_heads):
    message = f"6 heads cannot share {key_heads} of the keys equally: expected a divisor of 6."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        multi_head_attention(*CROSS.arrays(), heads=6, key_heads=key_heads)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        SelfAttention(6, 2, key_heads=key_heads)


def test_says_that_the_columns_are_not_those_of_so_many_heads():
    message = "The projection has 6 columns for 4 heads: expected as many for each head."
    x, memory, parameters = CROSS.arrays()
    wider = [draw(4, 24), draw(24), *parameters[2:]]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        multi_head_attention(x, memory, wider, heads=8, key_heads=4)
