"""Attention block by block in NumPy: the same outputs and gradients as at once, in less memory."""

import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.utils.attending import ONE, Attending, attentions
from utils.scratch.attention import causal_mask, dot_product_attention, dot_product_attention_backward
from utils.scratch.blockwise import blockwise_attention, blockwise_attention_backward

WIDE = Attending((2, 3), queries=7, keys=7, d=2, d_v=3, hidden="none", seed=5)
CROSS = Attending((2,), queries=4, keys=8, d=3, d_v=2, hidden="none", seed=6)
BLOCKS = st.integers(1, 9)
SCALES = st.sampled_from([None, 1.0, -0.3])


def compare(agree, part, case, causal, block, back, scale=None):
    """Compare both passes with those that hold all scores; the backward pass may have another block."""
    inputs, dy = case.arrays(), case.weighting()
    y, weights = dot_product_attention(*inputs, causal_mask(case.keys) if causal else None, scale)
    found, log_sum = blockwise_attention(*inputs, block, causal, scale)
    agree(f"{part}, output", found, y, 1e-12)
    gradients = blockwise_attention_backward(dy, *inputs, found, log_sum, back, causal, scale)
    expected = dot_product_attention_backward(dy, *inputs, weights, scale)
    for which, a, b in zip(("queries", "keys", "values"), gradients, expected, strict=True):
        agree(f"{part}, gradient of {which}", a, b, 1e-12)


@given(case=attentions(), block=BLOCKS, back=BLOCKS, scale=SCALES)
@example(case=ONE, block=1, back=1, scale=None)
@example(case=WIDE, block=3, back=2, scale=None)
@example(case=CROSS, block=5, back=4, scale=None)
def test_blocks_give_what_all_scores_at_once_give(agree, case, block, back, scale):
    compare(agree, "block by block", case, False, block, back, scale)


@given(time=st.integers(1, 9), seed=st.integers(0, 9999), block=BLOCKS, back=BLOCKS, scale=SCALES)
@example(time=7, seed=1, block=3, back=2, scale=None)
def test_causal_blocks(agree, time, seed, block, back, scale):
    case = Attending((2, 2), time, time, d=2, d_v=3, hidden="none", seed=seed)
    compare(agree, "block by block, causal", case, True, block, back, scale)


@pytest.mark.parametrize("causal", [False, True])
def test_log_sum(causal):
    q, k, v = WIDE.arrays()
    scores = np.exp(q @ k.swapaxes(-1, -2) / np.sqrt(2)) * (causal_mask(7) if causal else 1)
    _, log_sum = blockwise_attention(q, k, v, 3, causal)
    assert log_sum.shape == (2, 3, 7)
    assert np.allclose(log_sum, np.log(scores.sum(axis=-1)), rtol=0, atol=1e-14)


def test_it_sees_the_future_unless_told_otherwise():
    q, k, v = WIDE.arrays()
    y, log_sum = blockwise_attention(q, k, v, 3)
    assert np.allclose(y, dot_product_attention(q, k, v)[0], rtol=0, atol=1e-14)
    gradients = blockwise_attention_backward(WIDE.weighting(), q, k, v, y, log_sum, 3)
    expected = blockwise_attention_backward(WIDE.weighting(), q, k, v, y, log_sum, 3, False)
    assert all(np.array_equal(a, b) for a, b in zip(gradients, expected, strict=True))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_large_scores_do_not_overflow_whatever_their_order(causal, size):
    k, v = np.array([[1.0], [2.0], [-3.0], [2.5]]), np.array([[1.0], [5.0], [7.0], [9.0]])
    q = np.full((4, 1), size)
    expected, weights = dot_product_attention(q, k, v, causal_mask(4) if causal else None)
    for block in (1, 2, 3, 4):
        y, log_sum = blockwise_attention(q, k, v, block, causal)
        assert np.array_equal(y, expected)
        dv = blockwise_attention_backward(np.ones((4, 1)), q, k, v, y, log_sum, block, causal)[2]
        assert np.array_equal(dv, weights.sum(axis=0)[:, None])


def test_neither_pass_changes_what_it_is_given():
    inputs, dy = WIDE.arrays(), WIDE.weighting()
    y, log_sum = blockwise_attention(*inputs, 3, True)
    kept = y.copy(), log_sum.copy()
    first, second = (blockwise_attention_backward(dy, *inputs, y, log_sum, 3, True) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    found, fresh = (*inputs, dy, y, log_sum), (*WIDE.arrays(), WIDE.weighting(), *kept)
    assert all(np.array_equal(a, b) for a, b in zip(found, fresh, strict=True))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scale", [None, np.float64(0.3)])
def test_float32_stays_float32(causal, scale):
    dy, *inputs = (array.astype(np.float32) for array in (WIDE.weighting(), *WIDE.arrays()))
    y, log_sum = blockwise_attention(*inputs, 3, causal, scale)
    gradients = blockwise_attention_backward(dy, *inputs, y, log_sum, 3, causal, scale)
    assert {a.dtype.name for a in (y, log_sum, *gradients)} == {"float32"}


@pytest.mark.parametrize("causal", [False, True])
def test_it_never_holds_all_scores(causal):
    case = Attending((), queries=1000, keys=1000, d=2, d_v=2, hidden="none", seed=1)
    inputs, dy, all_scores = case.arrays(), case.weighting(), 8 * 1000 * 1000
    y, log_sum = blockwise_attention(*inputs, 10, causal)
    for call in (
        lambda: blockwise_attention(*inputs, 10, causal),
        lambda: blockwise_attention_backward(dy, *inputs, y, log_sum, 10, causal),
    ):
        tracemalloc.start()
        call()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < all_scores / 10


@pytest.mark.parametrize("block", [0, -3])
def test_says_that_a_block_has_no_keys(block):
    message = f"A block has {block} keys: expected at least 1."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        blockwise_attention(*WIDE.arrays(), block)


def test_says_that_causal_attention_needs_as_many_keys_as_queries():
    message = "There are 4 queries and 8 keys: causal attention expects as many of both."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        blockwise_attention(*CROSS.arrays(), 2, causal=True)


def test_says_which_shapes_it_expects():
    message = "The queries have shape (2, 3), the keys (4, 2) and the values (4, 3): "
    message += "expected (..., queries, d), (..., keys, d) and (..., keys, d_v)."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        blockwise_attention(np.ones((2, 3)), np.ones((4, 2)), np.ones((4, 3)), 2)
