"""Two layers that are split over devices are the unsplit ones, forward and backward."""

import numpy as np
import pytest

from utils.scratch.collectives import ring_bytes
from utils.scratch.network import Dense, Network, ReLU
from utils.scratch.parallel import SplitPair, kept_shapes


def networks(devices, units=6, outputs=3, inputs=4):
    split = Network([SplitPair(units, outputs, devices)], (inputs,), 5, "float64")
    return split, Network([Dense(units), ReLU(), Dense(outputs)], (inputs,), 5, "float64")


@pytest.mark.parametrize("devices", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("batch", [1, 7])
def test_the_split_pair_is_the_unsplit_one(devices, batch):
    rng = np.random.default_rng(1)
    split, whole = networks(devices)
    for a, b in zip(split.parameters, whole.parameters, strict=True):
        assert a.tobytes() == b.tobytes()
        a += rng.normal(size=a.shape)  # biases too
        b[...] = a
    x, y = rng.normal(size=(batch, 4)), rng.integers(0, 3, batch)
    loss, gradients = split.loss_and_gradients(x, y)
    expected, others = whole.loss_and_gradients(x, y)
    assert abs(loss - expected) < 1e-12
    for a, b in zip([*gradients, split.input_gradient], [*others, whole.input_gradient], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_bytes_are_those_of_outputs_and_of_the_inputs_gradient():
    split, _ = networks(2)
    x = np.ones((5, 4))
    split.forward(x)
    assert split.layers[0].sent.tolist() == [120, 120] and ring_bytes(5 * 3 * 8, 2) == 120
    split.backward(np.ones((5, 3)))
    assert split.layers[0].sent.tolist() == [280, 280] and ring_bytes(5 * 4 * 8, 2) == 160


def test_float32_stays():
    split = Network([SplitPair(4, 2, 2)], (3,), 0)
    assert split.forward(np.ones((2, 3), np.float32)).dtype == np.float32
    assert split.stack.layers[0].sent.tolist() == [16, 16]


def test_what_each_device_keeps():
    assert kept_shapes(10, 5, 3, 2) == [[(10, 3), (3, 3)], [(10, 2), (2, 3)]]


@pytest.mark.parametrize("devices", [0, 7])
def test_devices_that_are_refused(devices):
    with pytest.raises(ValueError) as error:
        SplitPair(6, 3, devices)
    assert str(error.value) == f"6 units cannot be split over {devices} devices."
