"""The network container in NumPy: shapes, gradients by differences, steps."""

import re

import numpy as np
import pytest

from tests.utils.drawing import central_differences
from utils.scratch.network import (
    GELU,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    MaxPool2D,
    Network,
    ReLU,
    Sequential,
    glorot_uniform,
    rows,
)
from utils.scratch.optimizers import SGD, Adam


def small(seed: int = 0, dtype: str = "float64") -> Network:
    """A network with every layer and every option of the convolution in use."""
    layers = [Conv2D(3, (3, 2), (1, 2), "same", (2, 1)), ReLU(), MaxPool2D((2, 3)), Flatten(), Dense(4)]
    return Network(layers, (7, 12, 2), seed=seed, dtype=dtype)


def batch(size: int = 3):
    rng = np.random.default_rng(1)
    return rng.normal(size=(size, 7, 12, 2)), rng.integers(0, 4, size)


def chapter() -> Network:
    layers = [Conv2D(8, 5), ReLU(), MaxPool2D(2), Conv2D(16, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(10)]
    return Network(layers, (28, 28, 1))


def test_shapes_and_parameters():
    network = small()
    assert network.shapes == [(7, 12, 2), (7, 6, 3), (7, 6, 3), (3, 2, 3), (18,), (4,)]
    assert [p.shape for p in network.parameters] == [(3, 2, 2, 3), (3,), (18, 4), (4,)]
    x, _ = batch()
    assert network.forward(x).shape == (3, 4)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: Conv2D(3, (3, 2), (2, 3)),
        lambda: Conv2D(3, (2, 3), dilation=(3, 2)),
        lambda: Conv2D(3, (5, 4), (3, 2), "same"),
        lambda: MaxPool2D((2, 5)),
        lambda: MaxPool2D((3, 2)),
        MaxPool2D,
        ReLU,
        GELU,
        Flatten,
        lambda: Dense(5),
        lambda: Sequential([Conv2D(3, 2), Flatten(), Dense(5)]),
    ],
)
@pytest.mark.parametrize("size", [(8, 9), (11, 10)])
def test_layers_announce_the_shape_that_they_return(layer, size):
    network = Network([layer()], (*size, 2), dtype="float64")
    assert network.forward(np.ones((4, *size, 2))).shape == (4, *network.shapes[-1])


def test_pooling_has_size_2_by_default():
    assert MaxPool2D().size == (2, 2)


def test_the_network_of_the_chapter_has_5386_parameters():
    network = chapter()
    assert sum(p.size for p in network.parameters) == 5386
    assert {p.dtype.name for p in network.parameters} == {"float32"}
    assert network.shapes[-2:] == [(400,), (10,)]


def test_kernels_are_glorot_uniform_and_biases_zero():
    w, b, dense_w, dense_b = Network([Conv2D(40, (3, 5)), Flatten(), Dense(300)], (5, 7, 20), seed=3).parameters
    for values, limit in ((w, np.sqrt(6 / (15 * 20 + 15 * 40))), (dense_w, np.sqrt(6 / (3 * 3 * 40 + 300)))):
        assert np.abs(values).max() <= limit
        assert values.max() > 0.99 * limit
        assert values.min() < -0.99 * limit
        assert abs(values.mean()) < 0.02 * limit
    assert not b.any()
    assert not dense_b.any()


def test_the_limit_may_differ_from_column_to_column():
    units = np.array([1, 1, 400])
    w = glorot_uniform((300, 3), 2, units, np.random.default_rng(0), np.dtype("float64"))
    for column, limit in zip(w.T, np.sqrt(6 / (2 + units)), strict=True):
        assert 0.98 * limit < np.abs(column).max() <= limit


def test_the_seed_decides_the_parameters():
    one, same, other = small(1), small(1), small(2)
    assert all(np.array_equal(a, b) for a, b in zip(one.parameters, same.parameters, strict=True))
    assert not np.array_equal(one.parameters[0], other.parameters[0])
    default = Network([Flatten(), Dense(4)], (3, 3, 1))
    assert np.array_equal(default.parameters[0], Network([Flatten(), Dense(4)], (3, 3, 1), seed=0).parameters[0])


def test_gradients_equal_central_differences(agree):
    network = small()
    x, labels = batch()
    _, gradients = network.loss_and_gradients(x, labels)
    of_input = network.input_gradient

    def loss() -> float:
        return network.loss_and_gradients(x, labels)[0]

    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        agree("network, differences, parameters", gradient, central_differences(loss, parameter), 1e-6)
    agree("network, differences, input", of_input, central_differences(loss, x), 1e-6)


def sequences():
    """A network on sequences, with layers in a row inside it, and with a mask for one of them."""

    class Hiding(Layer):
        takes_mask = True

        def forward(self, x, mask=None):
            self.x = np.ones(x.shape[:2]) if mask is None else mask
            return x * self.x[..., None]

        def backward(self, dy):
            return dy * self.x[..., None]

    inner = Sequential([Dense(4), GELU(), Hiding(), Dense(3)])
    network = Network([inner, ReLU(), Flatten(), Dense(2)], (5, 2), dtype="float64")
    for parameter in network.parameters:
        parameter += np.random.default_rng(parameter.size).normal(size=parameter.shape)
    return network


@pytest.mark.parametrize("masked", [False, True])
def test_gradients_of_a_network_on_sequences_equal_central_differences(agree, masked):
    network, rng = sequences(), np.random.default_rng(4)
    x, labels, mask = rng.normal(size=(3, 5, 2)), np.array([0, 1, 1]), rng.random((3, 5)) < 0.6 if masked else None
    assert network.shapes == [(5, 2), (5, 3), (5, 3), (15,), (2,)]
    assert network.layers[0].shapes == [(5, 2), (5, 4), (5, 4), (5, 4), (5, 3)]
    assert [p.shape for p in network.parameters] == [(2, 4), (4,), (4, 3), (3,), (15, 2), (2,)]
    _, gradients = network.loss_and_gradients(x, labels, mask)
    of_input = network.input_gradient

    def loss() -> float:
        return network.loss_and_gradients(x, labels, mask)[0]

    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        agree("sequences, differences, parameters", gradient, central_differences(loss, parameter), 1e-6)
    agree("sequences, differences, input", of_input, central_differences(loss, x), 1e-6)


def test_a_dense_layer_does_the_same_to_every_step():
    layer, rng = Dense(3), np.random.default_rng(2)
    assert layer.build((4, 2), rng, np.dtype("float64")) == (4, 3)
    x, dy = rng.normal(size=(5, 4, 2)), rng.normal(size=(5, 4, 3))
    w, b = layer.parameters
    b += [1.0, -2.0, 0.5]
    y, dx = layer.forward(x), layer.backward(dy)
    for step in range(4):
        assert np.allclose(y[:, step], x[:, step] @ w + b, rtol=0, atol=1e-14)
        assert np.allclose(dx[:, step], dy[:, step] @ w.T, rtol=0, atol=1e-14)


def test_layers_in_a_row_are_empty_before_they_are_built():
    layers = [ReLU()]
    row = Sequential(layers)
    assert row.layers is layers
    assert (row.shapes, row.parameters, row.gradients, row.takes_mask) == ([], [], [], True)
    assert Network([], (3,)).shapes == [(3,)]


def test_rows_stand_below_each_other():
    x = np.arange(24.0).reshape(2, 3, 4)
    assert np.array_equal(rows(x), x.reshape(6, 4))
    assert rows(np.zeros((0, 3, 4))).shape == (0, 4)
    assert rows(np.arange(3)).shape == (1, 3)


@pytest.mark.parametrize("make", [lambda: SGD(0.1, momentum=0.9), lambda: Adam(0.01)], ids=["sgd", "adam"])
def test_steps_bring_the_loss_down_and_return_the_loss_before(make):
    network, optimizer = small(), make()
    x, labels = batch(8)
    before, _ = network.loss_and_gradients(x, labels)
    losses = [network.step(x, labels, optimizer) for _ in range(60)]
    assert losses[0] == before
    assert losses[-1] < 0.05 * before
    assert (network.forward(x).argmax(axis=1) == labels).all()


def test_predict_is_forward_in_batches():
    network = small()
    x, _ = batch(7)
    expected = network.forward(x)
    assert np.allclose(network.predict(x, batch_size=3), expected, atol=1e-12)
    assert np.array_equal(network.predict(x), expected)


def test_predict_holds_500_examples_at_once_by_default():
    sizes = []

    class Spy(Layer):
        def forward(self, x):
            sizes.append(len(x))
            return x

    Network([Spy()], (1,)).predict(np.zeros((1100, 1)))
    assert sizes == [500, 500, 100]


def test_parameters_are_the_arrays_that_are_used():
    network, other = small(0), small(5)
    x, _ = batch()
    values = [p.copy() for p in other.parameters]
    held = network.parameters
    network.set_parameters(values)
    assert np.array_equal(network.forward(x), other.forward(x))
    assert all(now is before for now, before in zip(network.parameters, held, strict=True))
    values[0][:] = 0  # a copy was taken
    assert np.array_equal(network.forward(x), other.forward(x))


def test_setting_parameters_keeps_their_dtype():
    network = small(dtype="float32")
    network.set_parameters([p.astype(np.float64) for p in small(5).parameters])
    assert {p.dtype.name for p in network.parameters} == {"float32"}
    x, labels = batch()
    _, gradients = network.loss_and_gradients(x.astype(np.float32), labels)
    assert {g.dtype.name for g in gradients} == {"float32"}


@pytest.mark.parametrize("change", [lambda p: p[:-1], lambda p: [*p[:2], p[2].T, p[3]], lambda p: [*p, p[0]]])
def test_refuses_parameters_of_other_shapes(change):
    network = small()
    values = change(network.parameters)
    message = (
        f"The values have shapes {[v.shape for v in values]}: this network expects [(3, 2, 2, 3), (3,), (18, 4), (4,)]."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        network.set_parameters(values)


def test_a_layer_has_no_parameters_and_no_passes_of_its_own():
    layer = Layer()
    assert (layer.parameters, layer.gradients, layer.x) == ([], [], None)
    assert layer.build((2, 3), np.random.default_rng(0), np.dtype("float32")) == (2, 3)
    with pytest.raises(NotImplementedError):
        layer.forward(np.zeros(1))
    with pytest.raises(NotImplementedError):
        layer.backward(np.zeros(1))


def test_layers_name_the_option_that_is_wrong():
    for name, arguments in (("kernel size", (1, 0)), ("stride", (1, 1, 0)), ("dilation", (1, 1, 1, "valid", 0))):
        with pytest.raises(ValueError, match=f"^The {name} is 0: "):
            Conv2D(*arguments)
    with pytest.raises(ValueError, match=r"^The window size is 0: "):
        MaxPool2D(0)


def test_the_input_gradient_is_unknown_before_a_backward_pass():
    assert small().input_gradient is None
