"""Recurrent layers in NumPy, alone, in both directions and in a network with masks."""

import numpy as np
import pytest

from tests.utils.drawing import RAGGED, central_differences
from utils.scratch.cells import GRUCell, LSTMCell, SimpleCell
from utils.scratch.losses import mean_squared_error
from utils.scratch.network import Dense, Layer, Network, ReLU
from utils.scratch.optimizers import SGD
from utils.scratch.recurrent import unroll, unroll_backward
from utils.scratch.recurrent_layers import GRU, LSTM, Bidirectional, Recurrent, SimpleRNN, orthogonal

TIME, INPUTS, UNITS = 4, 2, 3
LAYERS = {
    "plain": (SimpleRNN, SimpleCell()),
    "LSTM": (LSTM, LSTMCell()),
    "GRU": (GRU, GRUCell()),
    "GRU, reset before": (lambda *options: GRU(*options, reset_after=False), GRUCell(reset_after=False)),
}
EACH_LAYER = pytest.mark.parametrize(("make", "cell"), LAYERS.values(), ids=LAYERS)
SEQUENCES = pytest.mark.parametrize("sequences", [False, True], ids=["last", "all"])
MASK = RAGGED.mask


def built(layer, dtype="float64", seed=0):
    """Return a layer with weights and biases that have no symmetry."""
    layer.build((TIME, INPUTS), np.random.default_rng(seed), np.dtype(dtype))
    rng = np.random.default_rng(seed + 1)
    for parameter in layer.parameters:
        parameter += rng.normal(size=parameter.shape).astype(dtype)
    return layer


def draw(*shape):
    """Draw numbers, for every shape other ones."""
    return np.random.default_rng(shape).normal(size=shape)


# --- how they start ------------------------------------------------------------------------------


@EACH_LAYER
@SEQUENCES
def test_announces_shapes_and_holds_input_weights_recurrent_weights_and_bias(make, cell, sequences):
    network = Network([make(UNITS, sequences)], (TIME, INPUTS))
    sums = cell.blocks * UNITS
    assert [p.shape for p in network.parameters] == [(INPUTS, sums), (UNITS, sums), cell.bias_shape(UNITS)]
    assert {p.dtype.name for p in network.parameters} == {"float32"}
    assert network.shapes[-1] == ((TIME, UNITS) if sequences else (UNITS,))
    assert network.forward(draw(5, TIME, INPUTS).astype("float32")).shape == (5, *network.shapes[-1])


@EACH_LAYER
def test_input_weights_are_glorot_uniform_and_recurrent_weights_orthogonal(make, cell):
    w, u, b = Network([make(40)], (TIME, 30), seed=3, dtype="float64").parameters
    limit = np.sqrt(6 / (30 + 40 * cell.blocks))
    assert 0.99 * limit < w.max() <= limit
    assert -0.99 * limit > w.min() >= -limit
    assert abs(w.mean()) < 0.05 * limit
    assert np.allclose(u @ u.T, np.eye(40), atol=1e-12)
    assert not np.allclose(u[:, :40], np.eye(40), atol=0.1)
    if make is not LSTM:
        assert not b.any()


@pytest.mark.parametrize(("options", "bias"), [({}, 1.0), ({"forget_bias": 0.0}, 0.0), ({"forget_bias": 2.5}, 2.5)])
def test_only_the_forget_gate_has_a_bias_at_first(options, bias):
    *_, b = Network([LSTM(UNITS, **options)], (TIME, INPUTS)).parameters
    assert b.tolist() == [0] * 3 + [bias] * 3 + [0] * 6


@pytest.mark.parametrize("shape", [(4, 12), (6, 6), (7, 3)])
def test_orthogonal(shape):
    matrix = orthogonal(shape, np.random.default_rng(2), np.dtype("float64"))
    assert matrix.shape == shape
    tall = matrix if shape[0] >= shape[1] else matrix.T
    assert np.allclose(tall.T @ tall, np.eye(min(shape)), atol=1e-12)
    # The one factor of the drawn numbers whose other factor is triangular with a positive diagonal.
    factor = tall.T @ np.random.default_rng(2).normal(size=tall.shape)
    assert np.allclose(np.tril(factor, -1), 0, atol=1e-12)
    assert (np.diag(factor) > 0).all()
    assert orthogonal(shape, np.random.default_rng(2), np.dtype("float32")).dtype == np.float32


# --- what they compute ---------------------------------------------------------------------------


@EACH_LAYER
@SEQUENCES
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize("window", [None, 2])
def test_a_layer_is_its_cell_unrolled(make, cell, sequences, mask, window):
    layer, x = built(make(UNITS, sequences, window)), draw(5, TIME, INPUTS)
    y, state, trace = unroll(cell, x, *layer.parameters, mask)
    expected = y if sequences else state[0]
    assert np.array_equal(layer.forward(x, mask), expected)
    dy = draw(*expected.shape)
    others = tuple(np.zeros((5, UNITS)) for _ in range(cell.states - 1))
    dx, *gradients, _ = unroll_backward(*((dy, None) if sequences else (None, (dy, *others))), trace, window)
    assert np.array_equal(layer.backward(dy), dx)
    assert all(np.array_equal(a, b) for a, b in zip(layer.gradients, gradients, strict=True))


@EACH_LAYER
def test_the_last_output_of_a_row_without_any_real_step_is_zero(make, cell):
    y = built(make(UNITS)).forward(draw(5, TIME, INPUTS), MASK)
    assert not y[4].any()
    assert y[:4].all()


@pytest.mark.parametrize("make", [SimpleRNN, LSTM, GRU, lambda units: Recurrent(LSTMCell(), units)])
def test_returns_the_last_output_and_truncates_nothing_by_default(make):
    layer = make(UNITS)
    assert (layer.return_sequences, layer.window, layer.trace) == (False, None, None)
    both_ways = Bidirectional(layer)
    assert (both_ways.real, both_ways.parameters, both_ways.gradients) == (None, [], [])


# --- both directions -----------------------------------------------------------------------------


def both(make, sequences, seed=0):
    return built(Bidirectional(make(UNITS, sequences)), seed=seed)


def two_passes(cell, layer, x, mask):
    """Return outputs and state of the cell with the weights of either direction, each in the order it read."""
    turned = None if mask is None else mask[:, ::-1]
    ahead = unroll(cell, x, *layer.ahead.parameters, mask)
    return ahead[:2], unroll(cell, x[:, ::-1], *layer.back.parameters, turned)[:2]


@EACH_LAYER
@SEQUENCES
def test_both_directions_announce_twice_the_units_and_have_weights_of_their_own(make, cell, sequences):
    layer = Bidirectional(make(UNITS, sequences))
    network = Network([layer], (TIME, INPUTS))
    assert network.shapes[-1] == ((TIME, 2 * UNITS) if sequences else (2 * UNITS,))
    shapes = [p.shape for p in layer.ahead.parameters]
    assert [p.shape for p in network.parameters] == shapes * 2
    for ahead, back in list(zip(network.parameters[:3], network.parameters[3:], strict=True))[:2]:
        assert not np.allclose(ahead, back, atol=0.01)
    assert network.forward(draw(5, TIME, INPUTS)).shape == (5, *network.shapes[-1])


@EACH_LAYER
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_outputs_of_one_step_stand_together(make, cell, mask):
    x, layer = draw(5, TIME, INPUTS), both(make, True)
    (ahead, _), (back, _) = two_passes(cell, layer, x, mask)
    y, real = layer.forward(x, mask), np.ones((5, TIME), bool) if mask is None else mask
    assert np.allclose(y[real], np.concatenate([ahead, back[:, ::-1]], axis=2)[real], rtol=0, atol=1e-14)
    assert not y[~real].any()
    dy = draw(*y.shape)
    dx, gradients = layer.backward(dy), layer.gradients
    assert np.array_equal(layer.backward(dy * real[..., None]), dx)
    assert all(np.array_equal(a, b) for a, b in zip(layer.gradients, gradients, strict=True))


@EACH_LAYER
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_last_outputs_stand_side_by_side(make, cell, mask):
    x, layer = draw(5, TIME, INPUTS), both(make, False)
    (_, ahead), (_, back) = two_passes(cell, layer, x, mask)
    assert np.array_equal(layer.forward(x, mask), np.concatenate([ahead[0], back[0]], axis=1))


@EACH_LAYER
@SEQUENCES
def test_a_turned_sequence_with_swapped_weights_gives_turned_outputs(make, cell, sequences):
    x, layer, other = draw(5, TIME, INPUTS), both(make, sequences), both(make, sequences, seed=7)
    for parameter, value in zip(other.parameters, layer.parameters[3:] + layer.parameters[:3], strict=True):
        parameter[...] = value
    y, swapped = layer.forward(x, MASK), other.forward(x[:, ::-1], MASK[:, ::-1])
    turned = swapped[:, ::-1] if sequences else swapped
    expected = np.concatenate([turned[..., UNITS:], turned[..., :UNITS]], axis=-1)
    assert np.allclose(y, expected, rtol=0, atol=1e-14)
    dy = draw(*y.shape)
    halves = np.concatenate([dy[..., UNITS:], dy[..., :UNITS]], axis=-1)
    dx, of_swapped = layer.backward(dy), other.backward(halves[:, ::-1] if sequences else halves)
    assert np.allclose(dx, of_swapped[:, ::-1], rtol=0, atol=1e-12)
    for found, expected in zip(layer.gradients, other.gradients[3:] + other.gradients[:3], strict=True):
        assert np.allclose(found, expected, rtol=0, atol=1e-12)


# --- in a network --------------------------------------------------------------------------------


def stack(dtype="float64", **options):
    """Every recurrent layer, in one and in both directions, with a layer between that knows no mask."""
    layers = [
        SimpleRNN(2, return_sequences=True),
        ReLU(),
        Bidirectional(GRU(2, return_sequences=True)),
        LSTM(3, return_sequences=True),
        Bidirectional(GRU(2, reset_after=False)),
        Dense(3),
    ]
    return Network(layers, (TIME, INPUTS), seed=2, dtype=dtype, **options)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_gradients_of_a_network_equal_central_differences(agree, mask):
    network, x, labels = stack(), draw(5, TIME, INPUTS), np.array([0, 2, 1, 1, 0])
    _, gradients = network.loss_and_gradients(x, labels, mask)
    of_input = network.input_gradient

    def loss() -> float:
        return network.loss_and_gradients(x, labels, mask)[0]

    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        agree("recurrent network, differences, parameters", gradient, central_differences(loss, parameter), 1e-6)
    agree("recurrent network, differences, input", of_input, central_differences(loss, x), 1e-6)


def test_predict_is_forward_in_batches_with_their_masks():
    network, x = stack(), draw(5, TIME, INPUTS)
    expected = network.forward(x, MASK)
    assert not np.allclose(network.forward(x), expected, atol=1e-3)
    assert np.allclose(network.predict(x, 2, MASK), expected, rtol=0, atol=1e-14)
    assert np.array_equal(network.predict(x, mask=MASK), expected)
    assert np.allclose(network.predict(x, 2), network.forward(x), rtol=0, atol=1e-14)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_a_float32_network_stays_float32(mask):
    network, x = stack("float32"), draw(5, TIME, INPUTS).astype(np.float32)
    assert network.forward(x, mask).dtype == np.float32
    _, gradients = network.loss_and_gradients(x, np.arange(5) % 3, mask)
    assert {g.dtype.name for g in (*gradients, network.input_gradient)} == {"float32"}


def test_a_step_uses_the_mask_and_the_loss_that_the_network_was_given():
    network, x, targets = stack(loss=mean_squared_error), draw(5, TIME, INPUTS), draw(5, 3)
    expected, dy = mean_squared_error(network.forward(x, MASK), targets)
    gradients = network.backward(dy)
    moved = [p - 0.1 * g for p, g in zip(network.parameters, gradients, strict=True)]
    assert network.step(x, targets, SGD(0.1), MASK) == expected
    assert all(np.allclose(a, b, rtol=0, atol=1e-15) for a, b in zip(network.parameters, moved, strict=True))
    after, _ = network.loss_and_gradients(x, targets, MASK)
    assert after < expected


def test_only_layers_that_take_a_mask_are_handed_it():
    seen = []

    class Spy(Layer):
        takes_mask = True

        def forward(self, x, mask=None):
            seen.append(mask)
            return x

    assert not Layer.takes_mask
    network = Network([ReLU(), Spy(), ReLU(), Spy()], (TIME, INPUTS))
    network.forward(draw(5, TIME, INPUTS), MASK)
    network.forward(draw(5, TIME, INPUTS))
    assert [mask is MASK for mask in seen] == [True, True, False, False]
    assert seen[2:] == [None, None]
