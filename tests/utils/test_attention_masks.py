"""Masks of attention in NumPy: what hidden keys do not do, queries that see nothing, and what is refused."""

import re

import numpy as np
import pytest

from tests.utils.attending import EACH_KIND, KINDS, Attending
from utils.scratch.activations import softmax
from utils.scratch.attention import additive_attention, broadcast_mask, causal_mask, masked_softmax

CASE = Attending((2,), queries=5, keys=3, d=2, d_v=4, hidden="none", seed=2)
NOTHING = np.array([[False, True, False, False, True], [True] * 5])  # queries that see no key


def blind():
    """Return a mask that hides one key from some queries, and all from those of ``NOTHING``."""
    mask = np.ones((2, 5, 3), bool)
    mask[:, ::2, 1] = False
    mask[NOTHING] = False
    return mask


def test_causal_mask():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(1).tolist() == [[True]]
    assert causal_mask(2).dtype == bool


def test_broadcast_mask_repeats_without_a_copy():
    mask = np.array([[True, False]])
    seen = broadcast_mask(mask, (4, 3, 2))
    assert seen.shape == (4, 3, 2)
    assert (seen == mask).all()
    assert np.shares_memory(seen, mask)


# --- softmax -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
def test_masked_softmax():
    scores = np.array([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0], [7.0, 7.0, 7.0]])
    mask = np.array([[True, False, True], [False, False, False], [True, True, True]])
    first, second, third = masked_softmax(scores, mask)
    assert np.allclose(first, [1 / (1 + np.exp(3)), 0, 1 / (1 + np.exp(-3))], rtol=1e-14)
    assert second.tolist() == [0, 0, 0]
    assert np.allclose(third, 1 / 3, rtol=1e-14)
    assert masked_softmax(scores, np.zeros((3, 1), bool)).tolist() == [[0, 0, 0]] * 3


def test_a_mask_that_hides_nothing_is_no_mask():
    scores = np.random.default_rng(1).normal(size=(2, 3, 4))
    assert np.array_equal(masked_softmax(scores), softmax(scores))
    assert np.array_equal(masked_softmax(scores, np.ones(4, bool)), softmax(scores))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_a_hidden_score_may_be_anything(number):
    scores = np.array([[1.0, number, 2.0], [number, number, number], [number, -3.0, number]])
    mask = np.array([[True, False, True], [False, False, False], [False, True, False]])
    expected = [[1 / (1 + np.e), 0, np.e / (1 + np.e)], [0, 0, 0], [0, 1, 0]]
    assert np.allclose(masked_softmax(scores, mask), expected, rtol=1e-14)


# --- attention -----------------------------------------------------------------------------------


@EACH_KIND
@pytest.mark.filterwarnings("error")
def test_a_query_that_sees_nothing_puts_out_zeros_and_sends_no_gradient_back(kind):
    (forward, backward), inputs, some = KINDS[kind], CASE.arrays(kind), ~NOTHING
    y, weights = forward(*inputs, blind())
    dq, dk, dv, *dw = backward(CASE.weighting(), *inputs, weights)
    for of_queries in (y, weights, dq):
        assert not of_queries[NOTHING].any()
        assert of_queries[some].any(axis=-1).all()
    for of_keys in (dk, dv):
        assert not of_keys[1].any()
        assert of_keys[0].all()
    assert all(np.isfinite(gradient).all() for gradient in dw)


@EACH_KIND
@pytest.mark.parametrize(("mask", "kept"), [([True, False, True], [0, 2]), ([False, True, False], [1])])
def test_a_hidden_key_is_as_good_as_left_out(kind, mask, kept):
    (forward, backward), (q, k, v, *w), dy = KINDS[kind], CASE.arrays(kind), CASE.weighting()
    y, weights = forward(q, k, v, *w, np.array(mask))
    dq, dk, dv, *dw = backward(dy, q, k, v, *w, weights)
    expected, of_kept = forward(q, k[:, kept], v[:, kept], *w)
    gradients = backward(dy, q, k[:, kept], v[:, kept], *w, of_kept)
    found = y, weights[..., kept], dq, dk[:, kept], dv[:, kept], *dw
    for a, b in zip(found, (expected, of_kept, *gradients), strict=True):
        assert np.allclose(a, b, rtol=0, atol=1e-13)
    assert not weights[..., ~np.array(mask)].any()


@EACH_KIND
@pytest.mark.filterwarnings("error")
def test_what_a_hidden_key_holds_changes_nothing(kind):
    """Not even a bit of it, whatever finite number it is."""
    (forward, backward), (q, k, v, *w) = KINDS[kind], CASE.arrays(kind)
    found = []
    for number in (0.0, -3.0, 1e6):
        k[:, 1] = v[:, 1] = number
        y, weights = forward(q, k, v, *w, np.array([True, False, True]))
        gradients = backward(CASE.weighting(), q, k, v, *w, weights)
        assert not gradients[1][:, 1].any()
        assert not gradients[2][:, 1].any()
        found.append((y, weights, *gradients))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(other, found[0], strict=True))


@EACH_KIND
def test_a_step_does_not_look_ahead(kind):
    """What later keys and values hold changes no bit of an earlier output; an earlier output sends them no gradient."""
    case = Attending((), queries=4, keys=4, d=3, d_v=2, hidden="future", seed=4)
    (forward, backward), (q, k, v, *w) = KINDS[kind], case.arrays(kind)
    y, weights = forward(q, k, v, *w, causal_mask(4))
    for t in range(4):
        only_t = case.weighting() * (np.arange(4) == t)[:, None]
        _, dk, dv, *_ = backward(only_t, q, k, v, *w, weights)
        assert not dk[t + 1 :].any()
        assert not dv[t + 1 :].any()
        assert dv[: t + 1].all()
        other_k, other_v = k.copy(), v.copy()
        other_k[t + 1 :] += 1
        other_v[t + 1 :] -= 1
        changed, _ = forward(q, other_k, other_v, *w, causal_mask(4))
        assert np.array_equal(changed[: t + 1], y[: t + 1])
        assert t == 3 or not np.allclose(changed[t + 1 :], y[t + 1 :], atol=1e-3)


# --- what is refused -----------------------------------------------------------------------------


@EACH_KIND
@pytest.mark.parametrize(
    ("q", "k", "v"),
    [
        ((2,), (4, 2), (4, 2)),
        ((2, 3), (3,), (3,)),
        ((2, 3), (4, 3), (4,)),
        ((5, 2, 3), (4, 3), (4, 2)),
        ((5, 2, 3), (4, 4, 3), (4, 4, 2)),
        ((5, 2, 3), (1, 4, 3), (1, 4, 2)),
        ((2, 3), (4, 2), (4, 3)),
        ((2, 3), (4, 3), (5, 3)),
        ((5, 2, 3), (5, 4, 3), (4, 3)),
    ],
)
def test_says_which_shapes_it_expects(kind, q, k, v):
    message = f"The queries have shape {q}, the keys {k} and the values {v}: "
    message += "expected (..., queries, d), (..., keys, d) and (..., keys, d_v)."
    w = [np.ones(3)] if kind == "additive" else []
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        KINDS[kind][0](np.ones(q), np.ones(k), np.ones(v), *w)


@EACH_KIND
def test_says_that_there_is_no_key(kind):
    q, k, v, *w = CASE.arrays(kind)
    with pytest.raises(ValueError, match=r"^There is no key to attend to: expected at least one\.$"):
        KINDS[kind][0](q, k[:, :0], v[:, :0], *w)


@pytest.mark.parametrize("shape", [(3,), (1,), (2, 1), ()])
def test_says_which_weights_additive_scores_expect(shape):
    q, k, v = CASE.arrays()
    message = f"The weights of the scores have shape {shape}: expected (2,), as many as d."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        additive_attention(q, k, v, np.ones(shape))


@EACH_KIND
@pytest.mark.parametrize(
    "mask", [np.ones((2, 5, 3)), np.ones(3, int), np.ones((2, 3), bool), np.ones(5, bool), np.ones((1, 2, 5, 3), bool)]
)
def test_says_which_mask_it_expects(kind, mask):
    message = f"The mask has shape {mask.shape} and dtype {mask.dtype}: "
    message += "expected booleans that broadcast to (2, 5, 3)."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        KINDS[kind][0](*CASE.arrays(kind), mask)
