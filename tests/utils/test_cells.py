"""One step of each recurrent cell against its formulas, gate by gate; the gradients stand in test_recurrent."""

import numpy as np
import pytest

from tests.utils.drawing import CELLS, Sequences
from utils.scratch.cells import Cell, GRUCell
from utils.scratch.recurrent import unroll


def sigma(x):
    return 1 / (1 + np.exp(-x))


def step(cell):
    """Take one step with the cell; return the new state, and x, w, u, b and the old state."""
    x, w, u, b, initial = Sequences(((True,),) * 2, inputs=2, units=3, seed=5).arrays(cell)
    _, state, _ = unroll(cell, x, w, u, b, None, initial)
    return state, x[:, 0], w, u, b, initial


def same(found, expected):
    return np.allclose(found, expected, rtol=0, atol=1e-14)


def test_plain_cell():
    (h,), x, w, u, b, (before,) = step(CELLS["plain"])
    assert same(h, np.tanh(x @ w + before @ u + b))


def test_lstm():
    (h, c), x, w, u, b, (before, memory) = step(CELLS["LSTM"])
    sums = [x @ w[:, gate] + before @ u[:, gate] + b[gate] for gate in (slice(k, k + 3) for k in (0, 3, 6, 9))]
    i, f, g, o = sigma(sums[0]), sigma(sums[1]), np.tanh(sums[2]), sigma(sums[3])
    assert same(c, f * memory + i * g)
    assert same(h, o * np.tanh(f * memory + i * g))


def test_gru():
    (h,), x, w, u, b, (before,) = step(CELLS["GRU"])
    z, r = (sigma(x @ w[:, k] + b[0, k] + before @ u[:, k] + b[1, k]) for k in (slice(0, 3), slice(3, 6)))
    n = np.tanh(x @ w[:, 6:] + b[0, 6:] + r * (before @ u[:, 6:] + b[1, 6:]))
    assert same(h, z * before + (1 - z) * n)


def test_gru_that_resets_before_the_product():
    (h,), x, w, u, b, (before,) = step(CELLS["GRU, reset before"])
    z, r = (sigma(x @ w[:, k] + b[k] + before @ u[:, k]) for k in (slice(0, 3), slice(3, 6)))
    n = np.tanh(x @ w[:, 6:] + b[6:] + (r * before) @ u[:, 6:])
    assert same(h, z * before + (1 - z) * n)


def test_blocks_states_and_bias():
    found = {name: (cell.blocks, cell.states, cell.bias_shape(5)) for name, cell in CELLS.items()}
    assert found == {
        "plain": (1, 1, (5,)),
        "LSTM": (4, 2, (20,)),
        "GRU": (3, 1, (2, 15)),
        "GRU, reset before": (3, 1, (15,)),
    }


def test_the_gru_resets_after_the_product_by_default():
    assert GRUCell().bias_shape(1) == (2, 3)


def test_a_cell_has_no_steps_of_its_own():
    nothing = np.zeros((1, 1))
    with pytest.raises(NotImplementedError):
        Cell().step(nothing, (nothing,), nothing, nothing)
    with pytest.raises(NotImplementedError):
        Cell().step_backward((nothing,), None, nothing)
