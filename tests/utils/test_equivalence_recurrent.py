"""The recurrent cells and layers in NumPy against Keras's, in float64: forward, all gradients, ten training steps.

Runs on the TensorFlow and the JAX backend. Lengths, masks and sizes are drawn at random; inputs have no symmetry.
"""

import numpy as np
import pytest
from hypothesis import example, given, settings

from tests.utils.drawing import CELLS, RAGGED, Sequences, sequences
from tests.utils.keras_twins import (
    EXACT,
    exact_tanh,
    gradients_of_keras,
    rounded,
    same_gradients,
    same_steps,
    trajectories,
)
from utils.backend import keras, ops
from utils.scratch.network import Dense, Network
from utils.scratch.optimizers import SGD, clip_by_norm
from utils.scratch.recurrent import unroll, unroll_backward
from utils.scratch.recurrent_layers import GRU, LSTM, Bidirectional, SimpleRNN

pytestmark = pytest.mark.usefixtures("double_precision")
JAX = keras.backend.backend() == "jax"
# keras.ops.tanh rounds float64 to float32 on JAX: there, and only there, Keras's layers get one that does not.
TANH = exact_tanh if JAX else "tanh"
OURS = {"plain": SimpleRNN, "LSTM": LSTM, "GRU": GRU, "GRU, reset before": lambda *o: GRU(*o, reset_after=False)}
EACH_CELL = pytest.mark.parametrize("name", CELLS)
SEQUENCES = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "all"])
SMALLEST = Sequences(((True,),), inputs=1, units=1, seed=2, masked=False)
# Outside of a compiled function Keras loops slowly over time.
FEWER = settings(max_examples=settings.default.max_examples // 6)
FEWEST = settings(max_examples=1 + settings.default.max_examples // 40)


def of_keras(name, units, activation=TANH, **options):
    """Return the layer of Keras that has the cell of a name."""
    if name.startswith("GRU"):
        options["reset_after"] = name == "GRU"
    kind = "SimpleRNN" if name == "plain" else name[:4].rstrip(",")
    return getattr(keras.layers, kind)(units, activation=activation, **options)


def side_by_side(y, state):
    """Return outputs of all steps and states as one array, (batch, time + states, units)."""
    return np.concatenate([y, *(s[:, None] for s in state)], axis=1)


def compare(agree, part, bound, name, case, activation=TANH):
    """Compare an unrolled cell with the layer of Keras: outputs, states, and gradients with respect to everything."""
    cell, mask = CELLS[name], case.mask
    *arrays, initial = case.arrays(cell)
    layer = of_keras(name, case.units, activation, return_sequences=True, return_state=True)
    layer.build(arrays[0].shape)
    layer.set_weights(arrays[1:])

    def call(x, *state):
        y, *state = layer(x, mask=mask, initial_state=list(state))
        if JAX and mask is not None:  # there Keras puts out the initial state before the first real step
            y = y * np.logical_or.accumulate(mask, axis=1)[..., None]
        return ops.concatenate([y, *(s[:, None] for s in state)], axis=1)

    expected, dy, of_weights, of_inputs = gradients_of_keras(call, layer.trainable_variables, arrays[0], *initial)
    y, state, trace = unroll(cell, *arrays, mask, initial)
    *dy, dstate = dy[:, : y.shape[1]], tuple(dy[:, y.shape[1] + k] for k in range(cell.states))
    dx, *gradients, dinitial = unroll_backward(*dy, dstate, trace)
    agree(f"{part}, forward", side_by_side(y, state), expected, bound)
    agree(f"{part}, input gradient", dx, of_inputs[0], bound)
    for what, found, expected in zip(("kernel", "recurrent kernel", "bias"), gradients, of_weights, strict=True):
        agree(f"{part}, {what} gradient", found, expected, bound)
    for found, expected in zip(dinitial, of_inputs[1:], strict=True):
        agree(f"{part}, initial state gradient", found, expected, bound)


@EACH_CELL
@FEWER
@given(case=sequences())
@example(case=RAGGED)
@example(case=SMALLEST)
def test_unrolled_cell(agree, name, case):
    compare(agree, name, EXACT, name, case)


@pytest.mark.skipif(not JAX, reason="on TensorFlow all tests use Keras's own tanh")
@EACH_CELL
def test_the_tanh_of_keras_on_jax(agree, name):
    """It agrees as well as float32 can; once Keras no longer rounds, ``exact_tanh`` is not needed any more."""
    assert keras.backend.standardize_dtype(ops.tanh(np.ones(1)).dtype) == "float32"
    compare(agree, f"{name}, tanh in float32", 1e-5, name, RAGGED, "tanh")


@pytest.mark.skipif(JAX, reason="on JAX Keras puts out the initial state before the first real step")
@EACH_CELL
def test_zeros_stand_before_the_first_real_step_whatever_the_initial_state(name):
    *arrays, initial = RAGGED.arrays(CELLS[name])
    layer = of_keras(name, RAGGED.units, return_sequences=True)
    layer.build(arrays[0].shape)
    expected = ops.convert_to_numpy(layer(arrays[0], mask=RAGGED.mask, initial_state=list(initial)))
    y, _, _ = unroll(CELLS[name], *arrays, RAGGED.mask, initial)
    for outputs in (y, expected):
        assert not any(part.any() for part in (outputs[2, :2], outputs[3, :1], outputs[4]))
        assert outputs[2, 2:].all()


def compare_layers(agree, part, layer, theirs, case):
    """Compare a layer of a network with that of Keras, weights and biases drawn at random."""
    x, mask, rng = case.arrays(CELLS["plain"])[0], case.mask, np.random.default_rng(case.seed)
    network = Network([layer], x.shape[1:], dtype="float64")
    network.set_parameters([rng.normal(size=p.shape) for p in network.parameters])
    theirs.build(x.shape)
    theirs.set_weights(network.parameters)
    expected, dy, of_weights, (of_input,) = gradients_of_keras(
        lambda x: theirs(x, mask=mask), theirs.trainable_variables, x
    )
    agree(f"{part}, forward", network.forward(x, mask), expected, EXACT)
    gradients = network.backward(dy)
    agree(f"{part}, input gradient", network.input_gradient, of_input, EXACT)
    for found, expected in zip(gradients, of_weights, strict=True):
        agree(f"{part}, weight gradients", found, expected, EXACT)


@EACH_CELL
@SEQUENCES
@pytest.mark.parametrize("both", [False, True], ids=["layer", "both directions"])
@FEWEST
@given(case=sequences())
@example(case=RAGGED)
@example(case=SMALLEST)
def test_layer(agree, name, return_sequences, both, case):
    ours = OURS[name](case.units, return_sequences)
    theirs = of_keras(name, case.units, return_sequences=return_sequences)
    if both:
        ours, theirs = Bidirectional(ours), keras.layers.Bidirectional(theirs)
    compare_layers(agree, f"{name}, {'both directions' if both else 'layer'}", ours, theirs, case)


@EACH_CELL
def test_biases_start_as_in_keras(name):
    theirs = of_keras(name, 3)
    theirs.build((1, 2, 4))
    ours = Network([OURS[name](3)], (2, 4), dtype="float64")
    assert [p.shape for p in ours.parameters] == [w.shape for w in theirs.get_weights()]
    assert np.array_equal(ours.parameters[2], theirs.get_weights()[2])


@EACH_CELL
@pytest.mark.parametrize("window", [1, 2, 3])
def test_truncation_is_stopping_the_gradient_between_windows(agree, name, window):
    """The loss looks at real steps only: at others the windows of Keras do not know what stood before them."""
    cell, mask = CELLS[name], RAGGED.mask
    *arrays, initial = RAGGED.arrays(cell)
    layer = of_keras(name, RAGGED.units, return_sequences=True, return_state=True)
    layer.build(arrays[0].shape)
    layer.set_weights(arrays[1:])

    def call(x, *state):
        outputs = []
        for start in range(0, mask.shape[1], window):
            part = np.s_[:, start : start + window]
            given_state = [ops.stop_gradient(s) for s in state] if start else list(state)
            y, *state = layer(x[part], mask=mask[part], initial_state=given_state)
            outputs.append(y * mask[part][..., None])
        return ops.concatenate([*outputs, *(s[:, None] for s in state)], axis=1)

    expected, dy, of_weights, of_inputs = gradients_of_keras(call, layer.trainable_variables, arrays[0], *initial)
    y, state, trace = unroll(cell, *arrays, mask, initial)
    time = y.shape[1]
    dstate = tuple(dy[:, time + k] for k in range(cell.states))
    dx, *gradients, dinitial = unroll_backward(dy[:, :time] * mask[..., None], dstate, trace, window)
    agree("truncated, forward", side_by_side(y * mask[..., None], state), expected, EXACT)
    agree("truncated, input gradient", dx, of_inputs[0], EXACT)
    for found, expected in zip((*gradients, *dinitial), (*of_weights, *of_inputs[1:]), strict=True):
        agree("truncated, weight and state gradients", found, expected, EXACT)


def test_clipping_is_the_global_clipnorm_of_keras(agree):
    """Twenty steps on gradients of sizes from 1 down to 1e-7: some are clipped, most are not."""
    ours, norms = SGD(0.05, rounded(0.9)), []

    def step(parameters, gradients):
        clipped, norm = clip_by_norm(gradients, 0.1)
        norms.append(norm)
        ours.update(parameters, clipped)

    for found, expected in trajectories(keras.optimizers.SGD(0.05, momentum=0.9, global_clipnorm=0.1), step):
        agree("clipping, 20 steps", found, expected, EXACT)
    assert min(norms) < 0.1 < max(norms)


def twins(name):
    """Return a small network for ragged sequences in NumPy and in Keras, with the same weights."""
    if name == "LSTM":
        layers = [LSTM(5, return_sequences=True), LSTM(4), Dense(3)]
        theirs = [of_keras(name, 5, return_sequences=True), of_keras(name, 4), keras.layers.Dense(3)]
    else:
        layers, theirs = [GRU(5), Dense(3)], [of_keras(name, 5), keras.layers.Dense(3)]
    network = Network(layers, (6, 2), seed=4, dtype="float64")
    model = keras.Sequential([keras.Input((6, 2)), keras.layers.Masking(), *theirs])
    model.set_weights(network.parameters)
    return network, model


def ragged(seed):
    """Return 16 sequences of 1 to 6 steps, padded with zeros, their labels and their mask."""
    rng = np.random.default_rng(seed)
    mask = np.arange(6) < rng.integers(1, 7, (16, 1))
    return rng.normal(size=(16, 6, 2)) * mask[..., None], rng.integers(0, 3, 16), mask


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_network_gradients_on_padded_sequences(agree, name):
    same_gradients(agree, f"padded, {name} network", *twins(name), *ragged(1))


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_ten_training_steps_end_in_the_same_weights(agree, name, optimizer):
    part = f"ten steps of {optimizer}, {name} network"
    same_steps(agree, part, optimizer, *twins(name), [ragged(seed) for seed in range(10)])
