"""The NumPy layers against Keras's, in float64: forward, input gradient, weight gradients, ten training steps.

Runs on the TensorFlow and the JAX backend. Shapes and options are drawn at random; inputs have no symmetry.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.utils.drawing import convolutions, poolings
from tests.utils.keras_twins import (
    EXACT,
    gradients_of_keras,
    rounded,
    same_gradients,
    same_steps,
    trajectories,
    update_as_keras,
)
from utils.backend import keras, value_and_grad
from utils.data.images import mnist
from utils.models.cnn import small_cnn
from utils.scratch import activations
from utils.scratch.convolution import conv2d, conv2d_backward, output_size
from utils.scratch.dense import dense, dense_backward
from utils.scratch.losses import softmax_cross_entropy
from utils.scratch.network import Conv2D, Dense, Flatten, MaxPool2D, Network, ReLU
from utils.scratch.optimizers import SGD, Adam
from utils.scratch.pooling import average_pool, average_pool_backward, max_pool, max_pool_backward

pytestmark = pytest.mark.usefixtures("double_precision")


def of_keras(layer, x, *weights):
    """Forward, weight gradients and input gradient of a Keras layer under a random weighting of its output."""
    layer.build(x.shape)
    layer.set_weights(weights)
    y, dy, of_weights, (of_input,) = gradients_of_keras(layer, layer.trainable_variables, x)
    return y, dy, of_input, of_weights


@settings(max_examples=2 * settings.default.max_examples)
@given(convolutions(both=False))
def test_convolution(agree, case):
    x, w, b = case.arrays()
    layer = keras.layers.Conv2D(
        case.filters, case.kernel, strides=case.stride, padding=case.padding, dilation_rate=case.dilation
    )
    y, dy, of_input, of_weights = of_keras(layer, x, w, b)
    dx, dw, db = conv2d_backward(dy, x, w, *case.options)
    agree("convolution, forward", conv2d(x, w, b, *case.options), y, EXACT)
    agree("convolution, input gradient", dx, of_input, EXACT)
    agree("convolution, kernel gradient", dw, of_weights[0], EXACT)
    agree("convolution, bias gradient", db, of_weights[1], EXACT)


def test_keras_refuses_stride_and_dilation_together():
    """The one case that only the central differences cover."""
    with pytest.raises(ValueError, match="dilation_rate"):
        keras.layers.Conv2D(1, 3, strides=2, dilation_rate=2)


def test_output_size_is_that_of_keras_on_a_thousand_cases():
    rng = np.random.default_rng(1)
    for _ in range(1000):
        kernel, stride, dilation = (int(value) for value in rng.integers(1, 6, 3))
        if rng.random() < 0.5:
            stride = 1
        else:
            dilation = 1
        padding = str(rng.choice(["valid", "same"]))
        n = int(rng.integers((kernel - 1) * dilation + 1 if padding == "valid" else 1, 50))
        layer = keras.layers.Conv1D(1, kernel, strides=stride, padding=padding, dilation_rate=dilation)
        assert layer.compute_output_shape((1, n, 1))[1] == output_size(n, kernel, stride, padding, dilation)


@pytest.mark.parametrize(
    ("name", "forward", "backward"),
    [
        ("MaxPooling2D", max_pool, max_pool_backward),
        ("AveragePooling2D", average_pool, average_pool_backward),
    ],
)
@given(case=poolings(), ties=st.booleans())
def test_pooling(agree, name, forward, backward, case, ties):
    x = case.tied() if ties else case.distinct()
    layer = getattr(keras.layers, name)(case.size, strides=case.stride, padding=case.padding)
    y, dy, of_input, _ = of_keras(layer, x)
    agree(f"{forward.__name__}, forward", forward(x, *case.options), y, EXACT)
    agree(f"{forward.__name__}, input gradient", backward(dy, x, *case.options), of_input, EXACT)


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 5), st.integers(0, 9999))
def test_dense(agree, batch, inputs, units, seed):
    rng = np.random.default_rng(seed)
    x, w, b = rng.normal(size=(batch, inputs)), rng.normal(size=(inputs, units)), rng.normal(size=units)
    y, dy, of_input, of_weights = of_keras(keras.layers.Dense(units), x, w, b)
    dx, dw, db = dense_backward(dy, x, w)
    agree("dense, forward", dense(x, w, b), y, EXACT)
    agree("dense, input gradient", dx, of_input, EXACT)
    agree("dense, weight gradients", dw, of_weights[0], EXACT)
    agree("dense, bias gradient", db, of_weights[1], EXACT)


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh", "softmax"])
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(2, 6)), size=st.sampled_from([1.0, 30.0]), seed=st.integers(0, 99)
)
def test_activation(agree, name, shape, size, seed):
    if name == "tanh" and keras.backend.backend() == "jax":
        pytest.skip("keras.ops.tanh rounds float64 to float32 on JAX")
    x = size * np.random.default_rng(seed).normal(size=shape)
    x[0, 0] = 0.0  # the kink of ReLU
    forward, backward = getattr(activations, name), getattr(activations, f"{name}_backward")
    y, dy, of_input, _ = of_keras(keras.layers.Activation(name), x)
    found = forward(x)
    agree(f"{name}, forward", found, y, EXACT)
    agree(f"{name}, input gradient", backward(dy, x if name == "relu" else found), of_input, EXACT)


@given(st.integers(1, 6), st.integers(2, 6), st.sampled_from([1.0, 30.0, 1000.0]), st.integers(0, 9999))
def test_loss(agree, batch, classes, size, seed):
    rng = np.random.default_rng(seed)
    logits, labels = size * rng.normal(size=(batch, classes)), rng.integers(0, classes, batch)
    of_labels = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    value, _, (of_logits, of_integers) = value_and_grad(lambda z, t: of_labels(t, z), [], logits, labels)
    loss, dlogits = softmax_cross_entropy(logits, labels)
    assert value.dtype == np.float64
    assert of_integers is None
    agree("cross-entropy, forward, relative", loss / max(1.0, size), value / max(1.0, size), EXACT)
    agree("cross-entropy, logits gradient", dlogits, of_logits, EXACT)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_step_for_step(agree, momentum):
    ours = SGD(0.05, rounded(momentum))
    for found, expected in trajectories(keras.optimizers.SGD(0.05, momentum=momentum), ours.update):
        agree("SGD, 20 steps", found, expected, EXACT)


def test_adam_step_for_step(agree):
    ours = Adam(0.01)
    theirs = keras.optimizers.Adam(0.01)
    for found, expected in trajectories(theirs, lambda p, g: update_as_keras(ours, 0.01, p, g)):
        agree("Adam, 20 steps, Keras's rounding of β", found, expected, EXACT)


def test_exact_adam_differs_from_keras_by_its_rounding_only(agree):
    """A rate of 0.01 moves a parameter by 0.2 in 20 steps; float32's rounding of β shows in the seventh digit."""
    ours = Adam(0.01)
    for found, expected in trajectories(keras.optimizers.Adam(0.01), ours.update):
        agree("Adam, 20 steps, exact β", found, expected, 1e-6)


@pytest.fixture(scope="module")
def digits():
    data = mnist()
    return data.x_train[:320].astype(np.float64), data.y_train[:320]


def twins():
    """Return the chapter's network in NumPy and in Keras, with the same weights."""
    layers = [Conv2D(8, 5), ReLU(), MaxPool2D(2), Conv2D(16, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(10)]
    network, model = Network(layers, (28, 28, 1), dtype="float64"), small_cnn(seed=4, dtype="float64")
    network.set_parameters(model.get_weights())
    return network, model


def test_network_gradients_on_real_digits(agree, digits):
    same_gradients(agree, "network", *twins(), digits[0][:16], digits[1][:16])


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_ten_training_steps_end_in_the_same_weights(agree, digits, name):
    batches = [(*(array[start : start + 32] for array in digits), None) for start in range(0, 320, 32)]
    same_steps(agree, f"ten steps of {name}", name, *twins(), batches)
