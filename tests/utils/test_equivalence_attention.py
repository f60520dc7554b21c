"""Attention of one head in NumPy against Keras's layers, in float64: forward and all gradients.

Runs on the TensorFlow and the JAX backend. Sizes and masks are drawn at random; inputs have no symmetry. For a query
that sees no key Keras's attention has no weights of 0, as scratch has: such queries are left out (``sighted``), and the
last test says what happens to them.
"""

import sys
from contextlib import nullcontext
from functools import partial
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.utils.attending import EACH_KIND, ONE, Attending, attentions
from tests.utils.keras_twins import EXACT, exact_tanh, gradients_of_keras
from utils.backend import keras, ops
from utils.scratch.activations import softmax, softmax_backward
from utils.scratch.attention import (
    additive_attention,
    additive_attention_backward,
    dot_product_attention,
    dot_product_attention_backward,
    masked_softmax,
)

pytestmark = [
    pytest.mark.usefixtures("double_precision"),
    pytest.mark.filterwarnings("ignore:You are using a softmax over axis"),  # a single key is meant
]
JAX = keras.backend.backend() == "jax"
KINDS = {
    "dot product": (
        keras.layers.Attention,
        partial(dot_product_attention, scale=1),
        partial(dot_product_attention_backward, scale=1),
    ),
    "additive": (keras.layers.AdditiveAttention, additive_attention, additive_attention_backward),
}
CASE = Attending((2,), queries=4, keys=5, d=3, d_v=2, hidden="both", seed=8, sighted=True)


@given(shape=st.tuples(*[st.integers(1, 4)] * 3), size=st.sampled_from([1.0, 300.0]), seed=st.integers(0, 9999))
def test_masked_softmax(agree, shape, size, seed):
    """Here Keras means the same by a row that is hidden as a whole."""
    rng = np.random.default_rng(seed)
    scores, mask = size * rng.normal(size=shape), rng.random(shape) < 0.5
    layer = keras.layers.Softmax()
    y, dy, _, (of_scores,) = gradients_of_keras(lambda x: layer(x, mask=mask), [], scores)
    found = masked_softmax(scores, mask)
    assert not y[~mask].any()
    agree("masked softmax, forward", found, y, EXACT)
    agree("masked softmax, gradient", softmax_backward(dy, found), of_scores, EXACT)


def compare(agree, kind, case, bound=EXACT):
    """Compare an attention with the layer of Keras: output, weights, and gradients with respect to everything."""
    make, forward, backward = KINDS[kind]
    (q, k, v, *w), (mask, causal), layer = case.arrays(kind), case.in_parts(), make()
    if mask is not None and mask.shape[1] == 1:
        mask = mask[:, 0]  # (batch, keys): the mask that Keras carries from layer to layer

    def call(q, v, k, weights=False):
        return layer([q, v, k], mask=[None, mask], use_causal_mask=causal, return_attention_scores=weights)

    layer.build([array.shape for array in (q, v, k)])
    layer.set_weights(w)
    expected, dy, of_w, (of_q, of_v, of_k) = gradients_of_keras(call, layer.trainable_variables, q, v, k)
    y, weights = forward(q, k, v, *w, case.mask)
    agree(f"{kind} attention, output", y, expected, bound)
    agree(f"{kind} attention, weights", weights, ops.convert_to_numpy(call(q, v, k, True)[1]), bound)
    gradients = backward(dy, q, k, v, *w, weights)
    for name, found, theirs in zip("qkvw", gradients, (of_q, of_k, of_v, *of_w), strict=False):
        agree(f"{kind} attention, gradient of {name}", found, theirs, bound)


def with_exact_tanh():
    """On JAX Keras's hyperbolic tangent rounds float64 to float32: there, and only there, it gets one that does not."""
    used = sys.modules[keras.layers.AdditiveAttention.__module__].ops
    return patch.object(used, "tanh", exact_tanh) if JAX else nullcontext()


@EACH_KIND
@settings(max_examples=settings.default.max_examples // 3)
@given(case=attentions((1,), sighted=True))
@example(case=ONE)
@example(case=CASE)
def test_attention(agree, kind, case):
    with with_exact_tanh():
        compare(agree, kind, case)


@pytest.mark.skipif(not JAX, reason="on TensorFlow all tests use Keras's own tanh")
def test_additive_attention_with_the_tanh_of_keras_on_jax(agree):
    """It agrees as well as float32 can."""
    compare(lambda part, *rest: agree(f"{part}, tanh in float32", *rest), "additive", CASE, 1e-5)


@EACH_KIND
def test_what_keras_masks_as_a_query_is_one_that_sees_nothing(agree, kind):
    (make, forward, _), (q, k, v, *w) = KINDS[kind], CASE.arrays(kind)
    layer, queries = make(), np.array([[True, False, True, True], [False, True, False, False]])
    layer.build([array.shape for array in (q, v, k)])
    layer.set_weights(w)
    with with_exact_tanh():
        expected = ops.convert_to_numpy(layer([q, v, k], mask=[queries, None]))
    assert not expected[~queries].any()
    y, _ = forward(q, k, v, *w, queries[..., None])
    agree(f"{kind} attention, masked queries", y, expected, EXACT)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_keras_gives_weights_to_keys_where_none_is_to_be_seen(dtype):
    """It subtracts 1e9 (65504 in float16) from hidden scores. If all are hidden that cancels in float64, so the weights
    are those without a mask; shorter floats round the scores away, so the weights are equal."""
    q, k, v = CASE.arrays()
    nothing = np.zeros((2, 5), bool)
    _, theirs = keras.layers.Attention(dtype=dtype)([q, v, k], mask=[None, nothing], return_attention_scores=True)
    unmasked = softmax(q @ k.swapaxes(1, 2))
    assert np.ptp(unmasked, axis=-1).min() > 0.1
    expected = unmasked if dtype == "float64" else np.full((2, 4, 5), 0.2)
    assert np.allclose(ops.convert_to_numpy(theirs), expected, rtol=0, atol=1e-3 if dtype == "float16" else 1e-6)
    y, weights = dot_product_attention(q, k, v, nothing[:, None])
    assert not y.any()
    assert not weights.any()
