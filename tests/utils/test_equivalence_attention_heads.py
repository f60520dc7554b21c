"""Multi-head attention in NumPy against Keras's, in float64: forward, all gradients, ten training steps.

Runs on the TensorFlow and the JAX backend. Sizes and masks are drawn at random; inputs have no symmetry. Keras has two
ways through this layer. Asked for its scores it means the same as scratch, also by a query that sees no key. Not asked
for them it gives such a query equal weights, so there these queries are left out (``sighted``).
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings

from tests.utils.attending import Attending, Headed, multi_heads
from tests.utils.keras_twins import EXACT, gradients_of_keras, heads_of_keras, heads_of_scratch, same_heads, same_steps
from utils.backend import keras, ops
from utils.scratch.multi_head import SelfAttention, multi_head_attention, multi_head_attention_backward
from utils.scratch.network import Dense, Flatten, Network

pytestmark = [
    pytest.mark.usefixtures("double_precision"),
    pytest.mark.filterwarnings("ignore:You are using a softmax over axis"),  # a single key is meant
]
JAX = keras.backend.backend() == "jax"
FEWER = settings(max_examples=settings.default.max_examples // 4)
# Not asked for scores, Keras on JAX computes in float32, whatever the policy says.
SHORT = 1e-4 if JAX else EXACT
CROSS = Headed(Attending((2,), 4, 5, d=3, d_v=3, hidden="both", seed=8, sighted=True), 2, inputs=4, others=3, outputs=6)
CAUSAL = pytest.mark.parametrize("causal", [False, True], ids=["both ways", "causal"])


def misread(case):
    """Say whether Keras on TensorFlow takes a bias of the heads for one of the steps: see the last test."""
    single = {n for n, size in ((case.head.queries, case.head.d), (case.head.keys, case.head.d)) if size == 1}
    single |= {case.head.queries, case.head.keys} if case.head.d_v == 1 else set()
    return not JAX and case.heads > 1 and case.heads in single


@FEWER
@given(case=multi_heads())
@example(case=CROSS)
@example(case=replace(CROSS, head=replace(CROSS.head, hidden="scattered", sighted=False, d_v=2)))
def test_asked_for_scores(agree, case):
    assume(not misread(case))
    same_heads(agree, "multi-head, with scores", case, True)


@FEWER
@given(case=multi_heads(sighted=True))
@example(case=CROSS)
@example(case=replace(CROSS, head=replace(CROSS.head, hidden="future")))
def test_not_asked_for_scores(agree, case):
    if JAX:
        case = replace(case, head=replace(case.head, d_v=case.head.d))  # it refuses others: see below
    assume(not misread(case))
    same_heads(agree, "multi-head, without scores", case, False, SHORT)


@FEWER
@given(case=multi_heads())
@example(case=CROSS)
def test_self_attention(agree, case):
    case = replace(case, others=case.inputs, head=replace(case.head, keys=case.head.queries))
    assume(not misread(case))
    x, _, parameters = case.arrays()
    (mask, causal), layer = case.head.in_parts(), heads_of_keras(case, parameters)
    options = {"attention_mask": mask, "use_causal_mask": causal, "return_attention_scores": True}
    expected, dy, of_parameters, (of_input,) = gradients_of_keras(
        lambda x: layer(x, x, **options)[0], layer.trainable_variables, x
    )
    y, _, trace = heads_of_scratch(case, x, x, parameters)
    of_queries, of_memory, gradients = multi_head_attention_backward(dy, trace)
    agree("multi-head, self-attention, output", y, expected, EXACT)
    agree("multi-head, self-attention, gradient of x", of_queries + of_memory, of_input, EXACT)
    for found, theirs in zip(gradients, of_parameters, strict=True):
        agree("multi-head, self-attention, gradients of parameters", found, theirs.reshape(found.shape), EXACT)


# --- the layer -----------------------------------------------------------------------------------


def packed(arrays):
    """Return weights or gradients of Keras as scratch orders them: of the eight of each attention it makes four."""
    found = []
    while len(arrays) >= 8:
        (w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o), arrays = arrays[:8], arrays[8:]
        found.append(np.concatenate([w.reshape(len(w), -1) for w in (w_q, w_k, w_v)], axis=1))
        found.append(np.concatenate([b.ravel() for b in (b_q, b_k, b_v)]))
        found += [w_o.reshape(-1, w_o.shape[-1]), b_o]
    return found + arrays


def ragged(seed):
    """Return 16 sequences of 1 to 6 steps, padded with zeros, their labels and their mask."""
    rng = np.random.default_rng(seed)
    mask = np.arange(6) < rng.integers(1, 7, (16, 1))
    return rng.normal(size=(16, 6, 3)) * mask[..., None], rng.integers(0, 3, 16), mask


@CAUSAL
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
def test_layer(agree, causal, padded):
    x, _, mask = ragged(1)
    mask = mask if padded else None
    theirs = keras.layers.MultiHeadAttention(2, 4)  # 1/sqrt(4) is exact in float32 too
    theirs.build(x.shape, x.shape)
    theirs.set_weights([np.random.default_rng(2).normal(size=w.shape) for w in theirs.weights])
    network = Network([SelfAttention(2, 4, causal)], x.shape[1:], dtype="float64")
    network.set_parameters(packed(theirs.get_weights()))
    options = {"value_mask": mask, "use_causal_mask": causal, "return_attention_scores": True}
    expected, dy, of_weights, (of_input,) = gradients_of_keras(
        lambda x: theirs(x, x, **options)[0], theirs.trainable_variables, x
    )
    agree("attention layer, forward", network.forward(x, mask), expected, EXACT)
    gradients = network.backward(dy)
    agree("attention layer, input gradient", network.input_gradient, of_input, EXACT)
    for found, expected in zip(gradients, packed(of_weights), strict=True):
        agree("attention layer, weight gradients", found, expected, EXACT)


def test_the_layer_starts_as_in_keras():
    theirs = keras.layers.MultiHeadAttention(4, 30)
    theirs.build((1, 6, 40), (1, 6, 40))
    w, b, w_o, b_o = Network([SelfAttention(4, 30)], (6, 40)).parameters
    their_w, their_b, their_w_o, their_b_o = packed(theirs.get_weights())
    assert not any(bias.any() for bias in (b, b_o, their_b, their_b_o))
    for found, expected in (*zip(np.split(w, 3, axis=1), np.split(their_w, 3, axis=1), strict=True), (w_o, their_w_o)):
        assert found.shape == expected.shape
        assert np.abs(found).max() == pytest.approx(np.abs(expected).max(), rel=0.01)


class Packed(keras.Model):
    """A model of Keras that hands out its weights in the order of scratch."""

    def get_weights(self):
        return packed(super().get_weights())


def twins(causal):
    """Return a network of two layers of attention for padded sequences, and the same in Keras."""
    inputs = keras.Input((6, 3))
    seen, h = ops.any(ops.not_equal(inputs, 0), axis=-1)[:, None], inputs
    for heads, size, hide in ((2, 4, causal), (3, 1, False)):
        attention = keras.layers.MultiHeadAttention(heads, size)
        h, _ = attention(h, h, attention_mask=seen, use_causal_mask=hide, return_attention_scores=True)
    model = Packed(inputs, keras.layers.Dense(3)(keras.layers.Flatten()(h)))
    network = Network([SelfAttention(2, 4, causal), SelfAttention(3, 1), Flatten(), Dense(3)], (6, 3), 4, "float64")
    network.set_parameters(model.get_weights())
    return network, model


@CAUSAL
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_ten_training_steps_end_in_the_same_weights(agree, causal, optimizer):
    part = f"ten steps of {optimizer}, attention network"
    same_steps(agree, part, optimizer, *twins(causal), [ragged(seed) for seed in range(10)])


# --- what Keras does otherwise -------------------------------------------------------------------


def test_keras_spreads_a_query_that_sees_nothing_over_all_keys_unless_asked_for_scores(agree):
    (x, memory, parameters), nothing = CROSS.arrays(), np.zeros((2, 4, 5), bool)
    layer = heads_of_keras(CROSS, parameters)
    y, weights, _ = multi_head_attention(x, memory, parameters, CROSS.heads, nothing)
    theirs, scores = layer(x, memory, attention_mask=nothing, return_attention_scores=True)
    assert not weights.any()
    assert not ops.convert_to_numpy(scores).any()
    agree("multi-head, nothing seen, with scores", y, ops.convert_to_numpy(theirs), EXACT)
    # Queries and keys of zeros have equal weights.
    uniform, weights, _ = multi_head_attention(x, memory, [0 * p for p in parameters[:4]] + parameters[4:], CROSS.heads)
    assert np.allclose(weights, 0.2, rtol=1e-14)
    theirs = ops.convert_to_numpy(layer(x, memory, attention_mask=nothing))
    agree("multi-head, nothing seen, without scores", uniform, theirs, SHORT)
    assert not np.allclose(theirs, y, atol=0.1)


@pytest.mark.skipif(not JAX, reason="on TensorFlow values may have any length")
def test_on_jax_keras_refuses_values_of_another_length_than_keys_unless_asked_for_scores():
    case = replace(CROSS, head=replace(CROSS.head, d_v=2))
    x, memory, parameters = case.arrays()
    layer = heads_of_keras(case, parameters)
    with pytest.raises(TypeError, match="cannot reshape"):
        layer(x, memory)
    assert layer(x, memory, return_attention_scores=True)[0].shape == (2, 4, 6)


@pytest.mark.skipif(JAX, reason="on JAX biases are added to the heads")
def test_on_tensorflow_keras_adds_the_bias_of_heads_of_one_number_to_the_steps_if_they_are_as_many():
    case = replace(CROSS, heads=4, head=replace(CROSS.head, d=1))
    assert case.heads == case.head.queries
    x, _, (w, b, *others) = case.arrays()
    layer = heads_of_keras(case, [w, b, *others])
    found = ops.convert_to_numpy(layer.query_dense(x))[..., 0]  # (batch, queries, heads)
    assert np.allclose(found, x @ w + b[:, None], rtol=0, atol=EXACT)
    assert not np.allclose(found, x @ w + b, atol=0.1)
