"""Attention in NumPy: against loops and differences, and what holds for any attention."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.utils.attending import EACH_KIND, KINDS, ONE, Attending, attentions
from tests.utils.drawing import central_differences
from utils.scratch.attention import dot_product_attention, dot_product_attention_backward

WIDE = Attending((2, 3), queries=4, keys=5, d=2, d_v=3, hidden="scattered", seed=5)
PARTS = ("queries", "keys", "values", "weights of the scores")
SCALES = st.sampled_from([0.3, 1.0, -2.0])


def by_loops(kind, q, k, v, w=None, mask=None, scale=None):
    """Compute output and weights as their formulas read, one number at a time."""
    (*leading, queries, d), (keys, d_v) = q.shape, v.shape[-2:]
    seen = np.broadcast_to(True if mask is None else mask, (*leading, queries, keys))
    y, weights = np.zeros((*leading, queries, d_v)), np.zeros(seen.shape)
    for at in np.ndindex(*leading):
        for i in range(queries):
            visible, scores = [j for j in range(keys) if seen[at][i, j]], {}
            for j in visible:
                if kind == "dot product":
                    factor = 1 / math.sqrt(d) if scale is None else scale
                    scores[j] = factor * sum(q[at][i, n] * k[at][j, n] for n in range(d))
                else:
                    scores[j] = sum(w[n] * math.tanh(q[at][i, n] + k[at][j, n]) for n in range(d))
            total = sum(math.exp(score) for score in scores.values())
            for j in visible:
                weights[at][i, j] = math.exp(scores[j]) / total
                y[at][i] += weights[at][i, j] * v[at][j]
    return y, weights


# --- against loops and differences ---------------------------------------------------------------


@EACH_KIND
@given(case=attentions())
@example(case=ONE)
@example(case=WIDE)
def test_output_and_weights_are_their_formulas(agree, kind, case):
    forward, inputs = KINDS[kind][0], case.arrays(kind)
    y, weights = forward(*inputs, case.mask)
    expected_y, expected_weights = by_loops(kind, *inputs, mask=case.mask)
    agree(f"{kind} attention, loops, output", y, expected_y, 1e-12)
    agree(f"{kind} attention, loops, weights", weights, expected_weights, 1e-12)


@EACH_KIND
@given(case=attentions())
@example(case=ONE)
@example(case=WIDE)
def test_gradients_equal_central_differences(agree, kind, case):
    (forward, backward), inputs, dy = KINDS[kind], case.arrays(kind), case.weighting()
    gradients = backward(dy, *inputs, forward(*inputs, case.mask)[1])
    for part, array, gradient in zip(PARTS, inputs, gradients, strict=False):
        differences = central_differences(lambda: float((forward(*inputs, case.mask)[0] * dy).sum()), array)
        agree(f"{kind} attention, differences, {part}", gradient, differences, 1e-6)


@given(case=attentions(), scale=SCALES)
def test_another_scale(agree, case, scale):
    inputs, mask, dy = case.arrays(), case.mask, case.weighting()
    y, weights = dot_product_attention(*inputs, mask, scale)
    agree("another scale, loops", y, by_loops("dot product", *inputs, mask=mask, scale=scale)[0], 1e-12)
    for array, gradient in zip(inputs, dot_product_attention_backward(dy, *inputs, weights, scale), strict=True):
        differences = central_differences(
            lambda: float((dot_product_attention(*inputs, mask, scale)[0] * dy).sum()), array
        )
        agree("another scale, differences", gradient, differences, 1e-6)


def test_by_hand():
    q, v = np.array([[2.0, 0, 0, 0]]), np.array([[1.0, 10], [2, 20], [4, 40]])
    k = np.array([[0.0, 1, 1, 1], [math.log(2), 5, 5, 5], [math.log(5), 0, 0, 0]])
    y, weights = dot_product_attention(q, k, v)  # the scale is 1/2, so the scores are the logarithms of 1, 2 and 5
    assert np.allclose(weights, [[0.125, 0.25, 0.625]], rtol=1e-14)
    assert np.allclose(y, [[3.125, 31.25]], rtol=1e-14)


# --- what holds for any attention ----------------------------------------------------------------


@EACH_KIND
@given(case=attentions())
def test_a_row_of_weights_sums_to_one_unless_it_sees_nothing(kind, case):
    _, weights = KINDS[kind][0](*case.arrays(kind), case.mask)
    some = np.broadcast_to(True if case.mask is None else case.mask, weights.shape).any(axis=-1)
    assert (weights >= 0).all()
    assert np.allclose(weights.sum(axis=-1), some, rtol=0, atol=1e-14)


@EACH_KIND
@given(case=attentions(), order=st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter_and_that_of_queries_stays(kind, case, order):
    (forward, _), (q, k, v, *w) = KINDS[kind], case.arrays(kind)
    mask = np.broadcast_to(True if case.mask is None else case.mask, (*case.leading, case.queries, case.keys))
    rows, columns = (order.sample(range(n), n) for n in (case.queries, case.keys))
    y, weights = forward(q, k, v, *w, mask)
    shuffled = q[..., rows, :], k[..., columns, :], v[..., columns, :]
    found_y, found_weights = forward(*shuffled, *w, mask[..., rows, :][..., columns])
    assert np.allclose(found_y, y[..., rows, :], rtol=0, atol=1e-12)
    assert np.allclose(found_weights, weights[..., rows, :][..., columns], rtol=0, atol=1e-12)


@EACH_KIND
def test_values_do_not_change_the_weights_and_enter_linearly(kind):
    (forward, _), (q, k, v, *w) = KINDS[kind], WIDE.arrays(kind)
    y, weights = forward(q, k, v, *w, WIDE.mask)
    found, same = forward(q, k, 2 * v + 1, *w, WIDE.mask)
    assert np.array_equal(same, weights)
    assert np.allclose(found, 2 * y + weights.sum(axis=-1, keepdims=True), rtol=0, atol=1e-13)


@EACH_KIND
def test_leading_axes_hold_attentions_of_their_own(kind):
    (forward, backward), (q, k, v, *w), dy = KINDS[kind], WIDE.arrays(kind), WIDE.weighting()
    y, weights = forward(q, k, v, *w, WIDE.mask)
    dq, dk, dv, *dw = backward(dy, q, k, v, *w, weights)
    total = [np.zeros_like(gradient) for gradient in dw]
    for at in np.ndindex(2, 3):
        one, of_one = forward(q[at], k[at], v[at], *w, WIDE.mask[at])
        one_dq, one_dk, one_dv, *one_dw = backward(dy[at], q[at], k[at], v[at], *w, of_one)
        for found, expected in zip((one, one_dq, one_dk, one_dv), (y[at], dq[at], dk[at], dv[at]), strict=True):
            assert np.allclose(found, expected, rtol=0, atol=1e-13)
        total = [a + b for a, b in zip(total, one_dw, strict=True)]
    assert all(np.allclose(a, b, rtol=0, atol=1e-13) for a, b in zip(dw, total, strict=True))


@EACH_KIND
def test_neither_pass_changes_what_it_is_given(kind):
    (forward, backward), inputs, dy, mask = KINDS[kind], WIDE.arrays(kind), WIDE.weighting(), WIDE.mask
    _, weights = forward(*inputs, mask)
    kept = weights.copy()
    first, second = (backward(dy, *inputs, weights) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    found, fresh = (*inputs, dy, mask, weights), (*WIDE.arrays(kind), WIDE.weighting(), WIDE.mask, kept)
    assert all(np.array_equal(a, b) for a, b in zip(found, fresh, strict=True))


@pytest.mark.filterwarnings("error")
def test_large_scores_do_not_overflow():
    k, v = np.array([[1.0], [2.0], [-3.0]]), np.array([[1.0], [5.0], [7.0]])
    for q, winner in ((1e4, 1), (-1e4, 2)):
        y, weights = dot_product_attention(np.array([[q]]), k, v)
        assert weights.tolist() == [[float(j == winner) for j in range(3)]]
        assert y == v[winner]
    _, weights = dot_product_attention(np.array([[1e4]]), k, v, np.array([True, False, True]))
    assert weights.tolist() == [[1, 0, 0]]


@EACH_KIND
@pytest.mark.parametrize("mask", [None, WIDE.mask], ids=["whole", "masked"])
def test_float32_stays_float32(kind, mask):
    forward, backward = KINDS[kind]
    dy, *inputs = (array.astype(np.float32) for array in (WIDE.weighting(), *WIDE.arrays(kind)))
    y, weights = forward(*inputs, mask)
    assert {a.dtype.name for a in (y, weights, *backward(dy, *inputs, weights))} == {"float32"}


def test_a_scale_of_numpy_leaves_float32_as_it_is():
    dy, *inputs = (array.astype(np.float32) for array in (WIDE.weighting(), *WIDE.arrays()))
    y, weights = dot_product_attention(*inputs, scale=np.float64(0.3))
    gradients = dot_product_attention_backward(dy, *inputs, weights, np.float64(0.3))
    assert {a.dtype.name for a in (y, weights, *gradients)} == {"float32"}
