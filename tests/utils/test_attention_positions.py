"""Sinusoidal positions in NumPy: their formula, and what moving along the sequence does."""

import math
import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from utils.scratch.positions import shift_matrix, sinusoidal_positions

EVEN = st.integers(1, 8).map(lambda half: 2 * half)
BASES = st.sampled_from([10000.0, 100.0, 2.0])


@given(time=st.integers(1, 30), d=EVEN, base=BASES)
@example(time=1, d=2, base=10000.0)
def test_positions_are_their_formula(agree, time, d, base):
    expected = np.empty((time, d))
    for t in range(time):
        for i in range(d // 2):
            angle = t / base ** (2 * i / d)
            expected[t, 2 * i], expected[t, 2 * i + 1] = math.sin(angle), math.cos(angle)
    agree("positions, loops", sinusoidal_positions(time, d, base), expected, 1e-12)


def test_the_first_positions_of_four_numbers():
    expected = [[0, 1, 0, 1], [math.sin(1), math.cos(1), math.sin(0.01), math.cos(0.01)]]
    assert np.allclose(sinusoidal_positions(2, 4), expected, rtol=0, atol=1e-15)
    assert sinusoidal_positions(0, 4).shape == (0, 4)


@given(steps=st.integers(-20, 20), d=EVEN, base=BASES)
@example(steps=0, d=2, base=10000.0)
def test_one_matrix_moves_every_position(agree, steps, d, base):
    positions, shift = sinusoidal_positions(60, d, base), shift_matrix(steps, d, base)
    assert shift.shape == (d, d)
    start, stop = max(0, -steps), min(60, 60 - steps)
    found, expected = positions[start:stop] @ shift, positions[start + steps : stop + steps]
    agree("positions, shifted", found, expected, 1e-12)


def test_the_matrix_has_the_default_base_of_the_positions():
    positions = sinusoidal_positions(9, 6)
    assert np.array_equal(positions, sinusoidal_positions(9, 6, 10000.0))
    assert np.allclose(positions[:-2] @ shift_matrix(2, 6), positions[2:], rtol=0, atol=1e-14)


@given(first=st.integers(-9, 9), second=st.integers(-9, 9), d=EVEN)
def test_steps_add_up_and_the_way_back_is_the_transpose(first, second, d):
    both = shift_matrix(first, d) @ shift_matrix(second, d)
    assert np.allclose(both, shift_matrix(first + second, d), rtol=0, atol=1e-13)
    assert np.allclose(shift_matrix(-first, d), shift_matrix(first, d).T, rtol=0, atol=1e-15)


def test_the_product_of_two_positions_depends_on_their_distance_only():
    positions = sinusoidal_positions(40, 10)
    products = positions @ positions.T
    for distance in range(-39, 40):
        diagonal = np.diagonal(products, distance)
        assert np.allclose(diagonal, diagonal[0], rtol=0, atol=1e-12)
    assert np.allclose(np.diagonal(products), 5, rtol=0, atol=1e-12)
    assert (products[0, 1:] < 5).all()


@pytest.mark.parametrize("d", [1, 7, 0, -2])
@pytest.mark.parametrize("call", [lambda d: sinusoidal_positions(3, d), lambda d: shift_matrix(3, d)])
def test_says_that_the_numbers_come_in_pairs(call, d):
    message = f"A position has {d} numbers: expected an even count, a sine and a cosine for every rate."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(d)
