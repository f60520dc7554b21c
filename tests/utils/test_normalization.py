"""Normalization of rows in NumPy: its formula, against differences, at extremes, and as layers."""

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.utils.drawing import central_differences
from utils.scratch.network import Dense, Flatten, Network
from utils.scratch.normalization import LayerNorm, RMSNorm, layer_norm, layer_norm_backward, rms_norm, rms_norm_backward

KINDS = {"rms": (rms_norm, rms_norm_backward), "layer": (layer_norm, layer_norm_backward)}
LAYERS = {"rms": RMSNorm, "layer": LayerNorm}
EACH_KIND = pytest.mark.parametrize("kind", KINDS)
# Of no leading axis up to three; the last axis is normalized.
SHAPES = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)
SEEDS = st.integers(0, 9999)
EPSILONS = st.sampled_from([1e-3, 0.5])


def arrays(kind, shape, seed):
    """Draw an input, a scale, a shift where there is one, and what a loss multiplies the output with."""
    rng = np.random.default_rng(seed)
    columns = [rng.normal(size=shape[-1]) for _ in range(2 if kind == "layer" else 1)]
    return rng.normal(2, 3, size=shape), columns, rng.normal(size=shape)


def by_rows(kind, x, columns, epsilon):
    """Normalize one row after the other."""
    y = np.empty_like(x)
    for index in np.ndindex(x.shape[:-1]):
        row = x[index]
        if kind == "rms":
            y[index] = columns[0] * row / np.sqrt(np.mean(row**2) + epsilon)
        else:
            y[index] = columns[0] * (row - np.mean(row)) / np.sqrt(np.var(row) + epsilon) + columns[1]
    return y


@EACH_KIND
@given(shape=SHAPES, seed=SEEDS, epsilon=EPSILONS)
@example(shape=(1,), seed=1, epsilon=1e-3)
def test_they_are_their_formula_row_by_row(agree, kind, shape, seed, epsilon):
    x, columns, _ = arrays(kind, shape, seed)
    y = KINDS[kind][0](x, *columns, epsilon)
    agree(f"{kind} normalization, rows", y, by_rows(kind, x, columns, epsilon), 1e-12)


@EACH_KIND
@given(shape=SHAPES, seed=SEEDS, epsilon=EPSILONS)
@example(shape=(1, 1, 1), seed=1, epsilon=1e-3)
def test_gradients_equal_central_differences(agree, kind, shape, seed, epsilon):
    (x, columns, dy), (forward, backward) = arrays(kind, shape, seed), KINDS[kind]
    gradients = backward(dy, x, columns[0], epsilon)
    for part, array, gradient in zip(("x", "scale", "shift"), (x, *columns), gradients, strict=False):
        differences = central_differences(lambda: float((forward(x, *columns, epsilon) * dy).sum()), array)
        agree(f"{kind} normalization, differences, {part}", gradient, differences, 1e-6)
    assert len(gradients) == 1 + len(columns)


def test_what_is_divided_out():
    """A factor for both, and for layer normalization a sum, too; none of them comes back in the gradient."""
    x, (gamma, beta), dy = arrays("layer", (3, 5), 4)
    tiny = 1e-12
    assert np.allclose(rms_norm(7 * x, gamma, tiny), rms_norm(x, gamma, tiny), rtol=0, atol=1e-9)
    assert not np.allclose(rms_norm(x + 1, gamma), rms_norm(x, gamma), atol=0.1)
    changed = layer_norm(7 * x + 3, gamma, beta, tiny)
    assert np.allclose(changed, layer_norm(x, gamma, beta, tiny), rtol=0, atol=1e-9)
    dx, _ = rms_norm_backward(dy, x, gamma, tiny)
    assert np.allclose((dx * x).sum(axis=1), 0, atol=1e-9)
    dx, _, _ = layer_norm_backward(dy, x, gamma, tiny)
    assert np.allclose((dx * x).sum(axis=1), 0, atol=1e-9)
    assert np.allclose(dx.sum(axis=1), 0, atol=1e-12)


def test_by_hand():
    x, ones = np.array([[1.0, 7.0]]), np.ones(2)
    assert rms_norm(x, np.array([1.0, 10.0]), epsilon=0).tolist() == [[0.2, 14.0]]
    assert layer_norm(x, np.array([1.0, 10.0]), np.array([0.5, 0.0]), epsilon=0).tolist() == [[-0.5, 10]]
    assert layer_norm(x, ones, 0 * ones, epsilon=16).tolist() == [[-0.6, 0.6]]
    assert rms_norm(x, ones, epsilon=11).tolist() == [[1 / 6, 7 / 6]]


@pytest.mark.filterwarnings("error")
def test_rows_of_equal_numbers_stay_finite():
    """They have no variance: layer normalization leaves the shift, and epsilon alone bounds the gradient."""
    gamma, beta, dy = np.array([2.0, -1.0, 3.0]), np.array([0.5, 4.0, -2.0]), np.array([[1.0, -2.0, 5.0]])
    x = np.full((1, 3), 4.0)
    assert layer_norm(x, gamma, beta).tolist() == [beta.tolist()]
    dx, dgamma, dbeta = layer_norm_backward(dy, x, gamma)
    assert np.allclose(dx, (gamma * dy - (gamma * dy).mean()) / np.sqrt(1e-3), rtol=1e-13)
    assert dgamma.tolist() == [0, 0, 0]
    assert dbeta.tolist() == dy[0].tolist()
    zeros = np.zeros((1, 3))
    assert rms_norm(zeros, gamma).tolist() == zeros.tolist()
    dx, dgamma = rms_norm_backward(dy, zeros, gamma)
    assert np.allclose(dx, gamma * dy / np.sqrt(1e-6), rtol=1e-13)
    assert dgamma.tolist() == [0, 0, 0]
    assert np.allclose(rms_norm(x, gamma, 0), [gamma], rtol=1e-13)


@EACH_KIND
def test_epsilon_is_that_of_keras_by_default(kind):
    x, columns, dy = arrays(kind, (2, 3), 5)
    x *= 0.01
    (forward, backward), epsilon = KINDS[kind], {"rms": 1e-6, "layer": 1e-3}[kind]
    assert np.array_equal(forward(x, *columns), forward(x, *columns, epsilon))
    for found, expected in zip(backward(dy, x, columns[0]), backward(dy, x, columns[0], epsilon), strict=True):
        assert np.array_equal(found, expected)
    assert LAYERS[kind]().epsilon == epsilon


@EACH_KIND
def test_neither_pass_changes_what_it_is_given(kind):
    (x, columns, dy), (forward, backward) = arrays(kind, (2, 3, 4), 6), KINDS[kind]
    forward(x, *columns)
    backward(dy, x, columns[0])
    fresh_x, fresh_columns, fresh_dy = arrays(kind, (2, 3, 4), 6)
    for found, expected in zip((x, dy, *columns), (fresh_x, fresh_dy, *fresh_columns), strict=True):
        assert np.array_equal(found, expected)


# --- the layers ----------------------------------------------------------------------------------


@EACH_KIND
@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 4, 3)])
def test_a_layer_starts_with_scale_one_and_shift_zero(kind, shape):
    network = Network([LAYERS[kind]()], shape)
    assert [p.tolist() for p in network.parameters] == [[1, 1, 1], [0, 0, 0]][: len(network.parameters)]
    assert len(network.parameters) == (2 if kind == "layer" else 1)
    assert {p.dtype.name for p in network.parameters} == {"float32"}
    assert network.shapes == [shape, shape]


@EACH_KIND
def test_a_layer_is_its_functions(kind):
    x, columns, dy = arrays(kind, (2, 4, 3), 7)
    network, (forward, backward) = Network([LAYERS[kind](0.25)], (4, 3), dtype="float64"), KINDS[kind]
    network.set_parameters(columns)
    assert np.array_equal(network.forward(x), forward(x, *columns, 0.25))
    expected, *of_columns = backward(dy, x, columns[0], 0.25)
    for found, theirs in zip(network.backward(dy), of_columns, strict=True):
        assert np.array_equal(found, theirs)
    assert np.array_equal(network.input_gradient, expected)


@EACH_KIND
def test_a_float32_network_stays_float32(kind):
    network = Network([LAYERS[kind](), Dense(2), LAYERS[kind](), Flatten(), Dense(3)], (4, 3))
    x = np.random.default_rng(8).normal(size=(5, 4, 3)).astype(np.float32)
    assert network.forward(x).dtype == np.float32
    _, gradients = network.loss_and_gradients(x, np.array([0, 1, 2, 0, 1]))
    assert {g.dtype.name for g in (*gradients, network.input_gradient)} == {"float32"}


# --- what is refused -----------------------------------------------------------------------------


@EACH_KIND
@pytest.mark.parametrize(("x", "gamma"), [((2, 3), (2,)), ((2, 3), (1,)), ((2, 3), (2, 3)), ((3,), (1, 3))])
def test_says_which_shapes_it_expects(kind, x, gamma):
    message = f"The input has shape {x} and the scale {gamma}: expected (..., n) and (n,)."
    columns = [np.ones(gamma)] * (2 if kind == "layer" else 1)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        KINDS[kind][0](np.ones(x), *columns)


@pytest.mark.parametrize("beta", [(1,), (2,), (3, 1)])
def test_says_which_shift_it_expects(beta):
    message = f"The shift has shape {beta}: expected (3,), as the scale."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        layer_norm(np.ones((2, 3)), np.ones(3), np.ones(beta))
