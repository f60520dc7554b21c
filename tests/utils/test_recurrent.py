"""Unrolling over time and back in NumPy: against differences, with padding, truncated, and what is refused."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.utils.drawing import CELLS, RAGGED, Sequences, central_differences, sequences
from utils.scratch.cells import GRUCell, LSTMCell, SimpleCell
from utils.scratch.recurrent import unroll, unroll_backward

EACH_CELL = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
PARTS = ("input", "input weights", "recurrent weights", "bias", "state", "memory")
WHOLE = Sequences(((True,) * 5,) * 3, inputs=2, units=3, seed=3, masked=False)


def run(case, cell, window=None):
    """Return outputs, states and all gradients of one batch, as one flat list."""
    *arrays, initial = case.arrays(cell)
    y, state, trace = unroll(cell, *arrays, case.mask, initial)
    *gradients, dinitial = unroll_backward(*case.weighting(cell), trace, window)
    return [y, *state, *gradients, *dinitial]


def equal(found, expected, bound=0.0):
    """Say whether two lists hold the same arrays."""
    pairs = list(zip(found, expected, strict=True))
    return all(a.shape == b.shape and np.allclose(a, b, rtol=0, atol=bound) for a, b in pairs)


@EACH_CELL
@given(case=sequences())
@example(case=RAGGED)
@example(case=Sequences(((True,),), inputs=1, units=1, seed=2, masked=False))
def test_gradients_equal_central_differences(agree, cell, case):
    *arrays, initial = case.arrays(cell)
    dy, dstate = case.weighting(cell)

    def loss() -> float:
        y, state, _ = unroll(cell, *arrays, case.mask, initial)
        return sum(float((a * b).sum()) for a, b in zip((y, *state), (dy, *dstate), strict=True))

    gradients = run(case, cell)[1 + cell.states :]
    for part, array, gradient in zip(PARTS, [*arrays, *initial], gradients, strict=False):
        agree(f"recurrent, differences, {part}", gradient, central_differences(loss, array), 1e-6)


@EACH_CELL
def test_neither_pass_changes_what_it_is_given(cell):
    *arrays, initial = RAGGED.arrays(cell)
    dy, dstate = RAGGED.weighting(cell)
    _, _, trace = unroll(cell, *arrays, RAGGED.mask, initial)
    first, second = (unroll_backward(dy, dstate, trace) for _ in range(2))
    assert equal([*first[:4], *first[4]], [*second[:4], *second[4]])
    *fresh, fresh_initial = RAGGED.arrays(cell)
    fresh_dy, fresh_dstate = RAGGED.weighting(cell)
    assert equal([*arrays, *initial, dy, *dstate], [*fresh, *fresh_initial, fresh_dy, *fresh_dstate])


@EACH_CELL
def test_what_is_left_out_is_zero(cell):
    *arrays, initial = RAGGED.arrays(cell)
    dy, dstate = RAGGED.weighting(cell)
    zeros = tuple(np.zeros_like(s) for s in initial)
    y, state, trace = unroll(cell, *arrays)
    expected_y, expected_state, _ = unroll(cell, *arrays, np.ones((5, 4), bool), zeros)
    assert equal([y, *state], [expected_y, *expected_state])
    for part, whole in (((None, dstate), (0 * dy, dstate)), ((dy, None), (dy, zeros))):
        *gradients, dinitial = unroll_backward(*part, trace)
        *expected, expected_dinitial = unroll_backward(*whole, trace)
        assert equal([*gradients, *dinitial], [*expected, *expected_dinitial])


@EACH_CELL
@pytest.mark.parametrize("masked", [False, True])
def test_no_steps(cell, masked):
    case = Sequences(((), ()), inputs=2, units=3, seed=1, masked=masked)
    *arrays, initial = case.arrays(cell)
    dy, dstate = case.weighting(cell)
    y, state, trace = unroll(cell, *arrays, case.mask, initial)
    assert y.shape == (2, 0, 3)
    assert equal(state, initial)
    *gradients, dinitial = unroll_backward(dy, dstate, trace, window=1)
    assert [g.shape for g in gradients] == [a.shape for a in arrays]
    assert not any(g.any() for g in gradients)
    assert equal(dinitial, dstate)


# --- masks ---------------------------------------------------------------------------------------


@EACH_CELL
def test_a_masked_step_repeats_the_output_and_hands_the_state_on(cell):
    *arrays, initial = RAGGED.arrays(cell)
    y, state, _ = unroll(cell, *arrays, RAGGED.mask, initial)
    _, padded, left, holes, empty = y
    assert equal([padded[2], padded[3], holes[2]], [padded[1], padded[1], holes[1]])
    assert not any(part.any() for part in (left[:2], holes[:1], empty))
    assert all(step.all() for step in (padded[1], left[2], holes[1]))
    assert equal(state[0][:4], y[:4, -1])
    assert equal([s[4] for s in state], [s[4] for s in initial])  # the state of a row without any real step


@EACH_CELL
def test_padding_changes_nothing(cell):
    """Not even a bit of it, whatever finite number it is."""
    *arrays, initial = RAGGED.arrays(cell)
    dy, dstate = RAGGED.weighting(cell)
    found = []
    for padding in (0.0, -3.0, 1e6):
        arrays[0][~RAGGED.mask] = padding
        y, state, trace = unroll(cell, *arrays, RAGGED.mask, initial)
        *gradients, dinitial = unroll_backward(dy, dstate, trace)
        assert not gradients[0][~RAGGED.mask].any()
        found.append([y, *state, *gradients, *dinitial])
    assert equal(found[1], found[0])
    assert equal(found[2], found[0])


@EACH_CELL
@given(case=sequences())
@example(case=RAGGED)
def test_a_padded_sequence_gives_what_it_gives_without_padding(cell, case):
    x, w, u, b, initial = case.arrays(cell)
    dy, dstate = case.weighting(cell)
    mask = np.array(case.rows, bool)
    y, state, trace = unroll(cell, x, w, u, b, case.mask, initial)
    dx, dw, du, db, dinitial = unroll_backward(dy * mask[..., None], dstate, trace)
    total = [np.zeros_like(array) for array in (w, u, b)]
    for row, real in enumerate(mask):
        one = slice(row, row + 1)
        alone, last, alone_trace = unroll(cell, x[one, real], w, u, b, None, tuple(s[one] for s in initial))
        of_x, *of_weights, of_initial = unroll_backward(dy[one, real], tuple(d[one] for d in dstate), alone_trace)
        found = [y[one, real], *(s[one] for s in state), dx[one, real], *(d[one] for d in dinitial)]
        assert equal(found, [alone, *last, of_x, *of_initial], 1e-12)
        total = [a + b for a, b in zip(total, of_weights, strict=True)]
    assert equal([dw, du, db], total, 1e-12)


# --- truncation ----------------------------------------------------------------------------------


@EACH_CELL
@pytest.mark.parametrize("case", [WHOLE, RAGGED], ids=["whole", "ragged"])
def test_a_window_that_holds_all_steps_truncates_nothing(cell, case):
    time = len(case.rows[0])
    expected = run(case, cell)
    assert equal(run(case, cell, time), expected)
    assert equal(run(case, cell, time + 1), expected)
    assert not equal(run(case, cell, time - 1), expected, 1e-3)


@EACH_CELL
@given(case=sequences(), window=st.integers(1, 5))
@example(case=WHOLE, window=1)
@example(case=WHOLE, window=2)
@example(case=RAGGED, window=2)
@example(case=RAGGED, window=3)
def test_truncation_is_running_windows_one_after_the_other(cell, case, window):
    """Each window starts from the state of the one before as from a constant; the gradients add up."""
    x, w, u, b, state = case.arrays(cell)
    dy, dstate = case.weighting(cell)
    starts = range(0, x.shape[1], window)
    of_x, of_weights = [], [np.zeros_like(array) for array in (w, u, b)]
    for start in starts:
        part = np.s_[:, start : start + window]
        _, state, trace = unroll(cell, x[part], w, u, b, None if case.mask is None else case.mask[part], state)
        dx, *gradients, dinitial = unroll_backward(dy[part], dstate if start == starts[-1] else None, trace)
        of_x.append(dx)
        of_weights = [a + b for a, b in zip(of_weights, gradients, strict=True)]
        if start == 0:
            of_initial = dinitial
    found = run(case, cell, window)[1 + cell.states :]
    assert equal(found, [np.concatenate(of_x, axis=1), *of_weights, *of_initial], 1e-12)


@EACH_CELL
def test_truncation_cuts_the_last_state_off_from_all_windows_before(cell):
    *arrays, initial = WHOLE.arrays(cell)
    _, _, trace = unroll(cell, *arrays, None, initial)
    for window, first in ((1, 4), (2, 4), (3, 3), (4, 4), (5, 0)):
        dx, *_, dinitial = unroll_backward(None, WHOLE.weighting(cell)[1], trace, window)
        assert not dx[:, :first].any()
        assert dx[:, first:].all()
        assert any(d.any() for d in dinitial) == (first == 0)


@pytest.mark.parametrize("window", [0, -2])
def test_refuses_a_window_without_steps(window):
    with pytest.raises(ValueError, match=f"^The window has {window} steps: expected at least 1.$"):
        run(WHOLE, CELLS["plain"], window)


@EACH_CELL
def test_refuses_gradients_of_more_states_than_the_cell_has(cell):
    *arrays, initial = RAGGED.arrays(cell)
    _, _, trace = unroll(cell, *arrays, RAGGED.mask, initial)
    with pytest.raises(ValueError, match="zip"):
        unroll_backward(None, (*initial, initial[0]), trace)


# --- dtypes and shapes ---------------------------------------------------------------------------


@EACH_CELL
@pytest.mark.parametrize("case", [WHOLE, RAGGED], ids=["whole", "ragged"])
@pytest.mark.parametrize("given_state", [False, True])
def test_float32_stays_float32(cell, case, given_state):
    *arrays, initial = case.arrays(cell)
    dy, dstate = case.weighting(cell)
    *arrays, dy = (array.astype(np.float32) for array in (*arrays, dy))
    initial, dstate = ([s.astype(np.float32) for s in states] if given_state else None for states in (initial, dstate))
    y, state, trace = unroll(cell, *arrays, case.mask, initial)
    assert {a.dtype.name for a in (y, *state)} == {"float32"}
    for window in (None, 2):
        *gradients, dinitial = unroll_backward(dy, dstate, trace, window)
        assert {a.dtype.name for a in (*gradients, *dinitial)} == {"float32"}


INPUT = "The input has shape {}: expected (batch, time, inputs)."
WEIGHTS = "The weights w, u and b have shapes {}: expected {} for input (2, 4, 3)."
MASK = "The mask has shape {} and dtype {}: expected booleans of shape (2, 4)."
STATE = "The initial state has shapes {}: expected {} of (2, 5)."
PLAIN = ((3, 5), (5, 5), (5,))


@pytest.mark.parametrize(
    ("cell", "x", "weights", "message"),
    [
        (SimpleCell(), (2, 4), PLAIN, INPUT.format((2, 4))),
        (SimpleCell(), (2, 4, 3, 1), PLAIN, INPUT.format((2, 4, 3, 1))),
        (SimpleCell(), (2, 4, 3), ((4, 5), *PLAIN[1:]), WEIGHTS.format(((4, 5), *PLAIN[1:]), PLAIN)),
        (SimpleCell(), (2, 4, 3), (PLAIN[0], (5, 6), (5,)), WEIGHTS.format((PLAIN[0], (5, 6), (5,)), PLAIN)),
        (SimpleCell(), (2, 4, 3), (*PLAIN[:2], (2, 5)), WEIGHTS.format((*PLAIN[:2], (2, 5)), PLAIN)),
        (LSTMCell(), (2, 4, 3), PLAIN, WEIGHTS.format(PLAIN, ((3, 20), (5, 20), (20,)))),
        (GRUCell(), (2, 4, 3), PLAIN, WEIGHTS.format(PLAIN, ((3, 15), (5, 15), (2, 15)))),
    ],
)
def test_says_which_shapes_it_expects(cell, x, weights, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        unroll(cell, np.ones(x), *(np.ones(shape) for shape in weights))


@pytest.mark.parametrize(
    ("cell", "mask", "initial", "message"),
    [
        ("plain", np.ones((4, 2), bool), None, MASK.format((4, 2), "bool")),
        ("plain", np.ones((2, 4, 1), bool), None, MASK.format((2, 4, 1), "bool")),
        ("plain", np.ones((2, 4)), None, MASK.format((2, 4), "float64")),
        ("plain", None, [(5, 2)], STATE.format([(5, 2)], 1)),
        ("plain", None, [(2, 5), (2, 5)], STATE.format([(2, 5), (2, 5)], 1)),
        ("LSTM", None, [(2, 5)], STATE.format([(2, 5)], 2)),
        ("LSTM", None, [(2, 5), (1, 5)], STATE.format([(2, 5), (1, 5)], 2)),
    ],
)
def test_says_which_mask_and_state_it_expects(cell, mask, initial, message):
    case = Sequences(((True,) * 4,) * 2, inputs=3, units=5, seed=1)
    *arrays, _ = case.arrays(CELLS[cell])
    state = None if initial is None else tuple(np.ones(shape) for shape in initial)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        unroll(CELLS[cell], *arrays, mask, state)
