"""Rotary positions in NumPy: what turning does to numbers, to scores and to attention."""

import cmath
import re
from inspect import signature

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.utils.attending import draw, gradients_agree, rough
from tests.utils.drawing import central_differences
from utils.scratch.attention import causal_mask, dot_product_attention
from utils.scratch.multi_head import SelfAttention, join_heads, split_heads
from utils.scratch.network import Dense, Flatten
from utils.scratch.positions import rotate, rotate_backward, shift_matrix, sinusoidal_positions

LEADING = st.lists(st.integers(1, 3), max_size=2).map(tuple)
TIMES = st.integers(1, 6)
EVEN = st.integers(1, 4).map(lambda half: 2 * half)
STARTS = st.integers(0, 50)
BASES = st.sampled_from([10000.0, 100.0, 2.0])
SEEDS = st.integers(0, 9999)


@given(leading=LEADING, time=TIMES, d=EVEN, start=STARTS, base=BASES, seed=SEEDS)
@example(leading=(), time=1, d=2, start=0, base=10000.0, seed=0)
def test_pairs_turn_as_complex_numbers_do(agree, leading, time, d, start, base, seed):
    x = draw(*leading, time, d, seed=seed)
    expected = np.empty_like(x)
    for *at, t, i in np.ndindex(*leading, time, d // 2):
        turned = complex(*x[(*at, t)][2 * i : 2 * i + 2]) * cmath.exp(1j * (start + t) / base ** (2 * i / d))
        expected[(*at, t)][2 * i : 2 * i + 2] = turned.real, turned.imag
    agree("rotary, loops", rotate(x, start, base), expected, 1e-12)


def test_a_quarter_turn():
    """It takes (a, b) to (-b, a); the second pair is slower by the root of the base."""
    x = np.array([[3.0, 5.0, 2.0, 7.0]])
    quarter = np.pi / 2
    assert np.allclose(rotate(x, quarter, 1.0), [[-5, 3, -7, 2]], rtol=0, atol=1e-15)
    assert np.allclose(rotate(x, quarter, 4.0), [[-5, 3, -5 / np.sqrt(2), 9 / np.sqrt(2)]], rtol=0, atol=1e-14)


@given(time=TIMES, d=EVEN, start=STARTS, base=BASES)
def test_the_rates_are_those_of_the_positions_that_are_added(agree, time, d, start, base):
    """A turned (1, 0) is the position's pair in the other order, and to turn is to move the other way."""
    turned = rotate(np.tile([1.0, 0.0], (time, d // 2)), start, base)
    positions = sinusoidal_positions(start + time, d, base)[start:]
    agree("rotary, sines", turned[:, 1::2], positions[:, 0::2], 1e-12)
    agree("rotary, cosines", turned[:, 0::2], positions[:, 1::2], 1e-12)
    x = draw(time, d)
    expected = np.stack([row @ shift_matrix(-start - t, d, base) for t, row in enumerate(x)])
    agree("rotary, shift", rotate(x, start, base), expected, 1e-12)


@given(time=TIMES, d=EVEN, start=STARTS, base=BASES, seed=SEEDS)
def test_the_gradient_equals_central_differences_and_turns_back(agree, time, d, start, base, seed):
    x, dy = draw(2, time, d, seed=seed), draw(2, time, d, seed=seed + 1)
    differences = central_differences(lambda: float((rotate(x, start, base) * dy).sum()), x)
    agree("rotary, differences", rotate_backward(dy, start, base), differences, 1e-6)
    agree("rotary, there and back", rotate_backward(rotate(x, start, base), start, base), x, 1e-13)


@given(time=TIMES, d=EVEN, start=STARTS, base=BASES)
def test_nothing_gets_longer_or_shorter(agree, time, d, start, base):
    x = draw(3, time, d)
    pairs, turned = x.reshape(3, time, d // 2, 2), rotate(x, start, base).reshape(3, time, d // 2, 2)
    agree("rotary, length of pairs", (turned**2).sum(axis=-1), (pairs**2).sum(axis=-1), 1e-12)


@given(d=EVEN, start=STARTS, base=BASES)
def test_scores_depend_on_distances_only(agree, d, start, base):
    q, k = draw(5, d), draw(7, d)
    scores = rotate(q, 3, base) @ rotate(k, 1, base).T
    agree("rotary, scores moved", rotate(q, start + 3, base) @ rotate(k, start + 1, base).T, scores, 1e-12)
    same, other = np.tile(draw(1, d), (9, 1)), np.tile(draw(d), (9, 1))
    scores = rotate(same, 0, base) @ rotate(other, 0, base).T
    for distance in range(-8, 9):
        assert np.ptp(np.diagonal(scores, distance)) < 1e-12
    assert np.ptp(scores[0]) > 0.01


def test_it_starts_at_zero_with_the_base_of_the_positions():
    x = draw(4, 6)
    for function in (rotate, rotate_backward):
        assert np.array_equal(function(x), function(x, 0, 10000.0))
        assert signature(function).parameters["base"].default == 10000.0
    assert np.array_equal(rotate(x)[0], x[0])
    assert np.array_equal(rotate(x)[2:], rotate(x[2:], 2))


def test_it_works_in_the_dtype_of_its_input_and_leaves_it_alone():
    x = draw(2, 3, 4).astype(np.float32)
    before = x.copy()
    assert {rotate(x).dtype, rotate_backward(x).dtype} == {np.dtype("float32")}
    assert np.array_equal(x, before)
    assert rotate(np.zeros((2, 0, 4))).shape == (2, 0, 4)


@pytest.mark.parametrize("d", [1, 7, 0])
@pytest.mark.parametrize("call", [rotate, rotate_backward])
def test_says_that_the_numbers_come_in_pairs(call, d):
    message = f"A position has {d} numbers: expected an even count, a sine and a cosine for every rate."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(np.zeros((3, d)))


# --- in the layer of attention -------------------------------------------------------------------

BATCH, TIME, INPUTS, HEADS, KEY_HEADS, SIZE = 3, 5, 3, 4, 2, 2
SHAPE = (TIME, INPUTS)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)
CASES = pytest.mark.parametrize(("causal", "mask"), [(False, None), (True, None), (False, MASK), (True, MASK)])


@CASES
def test_the_layer_turns_queries_and_keys_head_by_head(agree, causal, mask):
    net = rough([SelfAttention(HEADS, SIZE, causal, KEY_HEADS, rotary=True)], SHAPE)
    x = draw(BATCH, TIME, INPUTS)
    w, b, w_o, b_o = net.parameters
    q, k, v = np.split(x @ w + b, [HEADS * SIZE, (HEADS + KEY_HEADS) * SIZE], axis=2)
    seen = np.ones((BATCH, 1, TIME), bool) if mask is None else mask[:, None]
    seen = seen & (causal_mask(TIME) if causal else True)
    q, k, v = split_heads(q, HEADS), split_heads(k, KEY_HEADS), split_heads(v, KEY_HEADS)
    mixed = [
        dot_product_attention(rotate(q[:, head]), rotate(k[:, head // 2]), v[:, head // 2], seen)[0]
        for head in range(HEADS)
    ]
    agree("rotary layer", net.forward(x, mask), join_heads(np.stack(mixed, axis=1)) @ w_o + b_o, 1e-13)


@CASES
def test_gradients_of_a_network_equal_central_differences(agree, causal, mask):
    layers = [SelfAttention(HEADS, SIZE, causal, KEY_HEADS, rotary=True), Flatten(), Dense(3)]
    x, labels = draw(BATCH, TIME, INPUTS), np.arange(BATCH) % 3
    gradients_agree(agree, "rotary network", rough(layers, SHAPE), x, labels, mask)


@pytest.mark.parametrize("causal", [False, True])
def test_steps_in_front_that_nobody_sees_change_nothing(causal):
    """All positions move by two and all distances stay. The order of the steps still matters."""
    layer = rough([SelfAttention(HEADS, SIZE, causal, rotary=True)], SHAPE).layers[0]
    x, mask = draw(BATCH, TIME, INPUTS), np.arange(TIME + 2) >= 2
    moved = layer.forward(np.concatenate([draw(BATCH, 2, INPUTS), x], axis=1), np.tile(mask, (BATCH, 1)))
    assert np.allclose(moved[:, 2:], layer.forward(x), rtol=0, atol=1e-13)
    order = [2, 0, 3, 1, 4]
    assert not np.allclose(layer.forward(x[:, order]), layer.forward(x)[:, order], atol=1e-3)


def test_a_rotary_layer_stays_float32():
    net = rough([SelfAttention(HEADS, SIZE, True, KEY_HEADS, True), Flatten(), Dense(3)], SHAPE, "float32")
    x = draw(BATCH, TIME, INPUTS).astype(np.float32)
    assert net.forward(x).dtype == np.float32
    _, gradients = net.loss_and_gradients(x, np.arange(BATCH) % 3)
    assert {g.dtype.name for g in (*gradients, net.input_gradient)} == {"float32"}


def test_attention_turns_nothing_unless_asked_to():
    assert SelfAttention(HEADS, SIZE).rotary is False
    plain, turned = SelfAttention(2, 3), SelfAttention(2, 3, rotary=True)
    with pytest.raises(ValueError, match=r"^A position has 3 numbers: expected an even count"):
        rough([turned], SHAPE).forward(draw(BATCH, TIME, INPUTS))
    assert rough([plain], SHAPE).forward(draw(BATCH, TIME, INPUTS)).shape == (BATCH, TIME, INPUTS)
