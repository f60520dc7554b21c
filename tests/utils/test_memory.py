"""What is kept, by formula and counted, and activations that are computed twice."""

import numpy as np
import pytest

from utils.scratch.memory import (
    activation_bytes,
    checkpoint_units,
    kept_bytes,
    recomputed_gradients,
    state_bytes,
    zero_bytes,
)
from utils.scratch.network import Dense, Flatten, Network, ReLU


def test_views_count_once():
    a = np.zeros((4, 3))
    assert kept_bytes([a, a[1:], a.T, a.reshape(-1)[2:], None]) == 96
    assert kept_bytes([a, a.copy()]) == 192
    assert kept_bytes([np.zeros(2, np.float32)]) == 8
    assert kept_bytes([]) == 0


def test_activations_of_a_network():
    network = Network([Flatten(), Dense(5), ReLU(), Dense(2)], (2, 3), dtype="float64")
    network.forward(np.ones((4, 2, 3)))
    assert activation_bytes(network) == 8 * 4 * (6 + 5 + 5)  # the flat input is a view


def test_states():
    assert state_bytes(10) == 160
    assert state_bytes(10, 2, 2, 12) == 160 and state_bytes(3, 4, 2, 1) == 21


def test_zero_as_printed_in_the_paper():
    assert [round(zero_bytes(7.5e9, 64, stage) / 1e9, 1) for stage in range(4)] == [120, 31.4, 16.6, 1.9]
    assert zero_bytes(1e12, 1024, 3) == 15.625e9


def test_zero_by_hand():
    assert [zero_bytes(10, 4, stage) for stage in range(4)] == [160, 70, 55, 40]
    assert [zero_bytes(10, 1, stage) for stage in range(4)] == [160] * 4
    assert zero_bytes(10, 2, 1, optimizer=8) == 80


@pytest.mark.parametrize(("devices", "stage"), [(0, 1), (2, 4), (2, -1)])
def test_stages_that_are_refused(devices, stage):
    with pytest.raises(ValueError) as error:
        zero_bytes(1, devices, stage)
    assert str(error.value) == (f"Stage {stage} on {devices} devices: stages are 0 to 3, and devices at least one.")


def tower(layers=12, units=4):
    rng = np.random.default_rng(4)
    stack = [layer for _ in range(layers // 2) for layer in (Dense(units), ReLU())]
    return Network(stack, (units,), 3, "float64"), rng.normal(size=(5, units)), rng.integers(0, units, 5)


@pytest.mark.parametrize("every", [1, 2, 3, 4, 5, 6, 12])
def test_gradients_are_the_same(every):
    network, x, y = tower()
    expected, others = network.loss_and_gradients(x, y)
    loss, gradients, peak, passes = recomputed_gradients(network, x, y, every)
    assert loss == expected and len(gradients) == len(others)
    assert all((a == b).all() for a, b in zip(gradients, others, strict=True))
    last = 12 % every or every
    assert passes == 24 - last
    assert all(layer.x is None for layer in network.layers)
    if 12 % every == 0:
        assert peak == checkpoint_units(12, every) * x.nbytes
    assert peak <= checkpoint_units(12, every) * x.nbytes


def test_units_by_hand():
    assert [checkpoint_units(64, c) for c in (1, 8, 64)] == [64, 15, 64]
    assert checkpoint_units(10, 4) == 6
    assert min(checkpoint_units(100, c) for c in range(1, 101)) == checkpoint_units(100, 10) == 19


@pytest.mark.parametrize("every", [0, 5])
def test_spacings_that_are_refused(every):
    with pytest.raises(ValueError) as error:
        checkpoint_units(4, every)
    assert str(error.value) == f"A checkpoint every {every} of 4 layers: from 1 to all of them."
