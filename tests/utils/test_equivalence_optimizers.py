"""The NumPy optimizers against Keras's, step for step in float64, and where Keras departs from the papers.

Runs on the TensorFlow and the JAX backend. Keras keeps learning rates in float32: those here are powers of two, which
float32 holds exactly.
"""

import numpy as np
import pytest

from tests.utils.keras_twins import EXACT, rounded, trajectories, update_as_keras
from utils.backend import keras, ops
from utils.scratch.optimizers import SGD, Adam, AdamW, RMSprop

pytestmark = pytest.mark.usefixtures("double_precision")
RATE = 0.03125


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_momentum_step_for_step(agree, momentum, nesterov):
    ours = SGD(RATE, rounded(momentum), nesterov)
    theirs = keras.optimizers.SGD(RATE, momentum=momentum, nesterov=nesterov)
    for found, expected in trajectories(theirs, ours.update):
        agree("SGD with momentum, 20 steps", found, expected, EXACT)


@pytest.mark.parametrize(("rho", "epsilon"), [(0.9, 1e-7), (0.5, 1e-3)])
def test_rmsprop_step_for_step(agree, rho, epsilon):
    ours = RMSprop(RATE, rho, epsilon)
    theirs = keras.optimizers.RMSprop(RATE, rho=rho, epsilon=epsilon)
    for found, expected in trajectories(theirs, ours.update):
        agree("RMSprop, 20 steps", found, expected, EXACT)


def test_adamw_step_for_step(agree):
    """Keras rounds the decay to float32 on TensorFlow, and the β of Adam's correction."""
    ours = AdamW(RATE, rounded(0.2))

    def step(parameters, gradients):
        for parameter in parameters:  # by the exact rate: what follows changes it for the correction alone
            parameter -= RATE * ours.weight_decay * parameter
        decay, ours.weight_decay = ours.weight_decay, 0.0
        update_as_keras(ours, RATE, parameters, gradients)
        ours.weight_decay = decay

    for found, expected in trajectories(keras.optimizers.AdamW(RATE, weight_decay=0.2), step):
        agree("AdamW, 20 steps, Keras's rounding", found, expected, EXACT)


def test_exact_adamw_differs_from_keras_by_its_rounding_only(agree):
    for found, expected in trajectories(keras.optimizers.AdamW(RATE, weight_decay=0.2), AdamW(RATE, 0.2).update):
        agree("AdamW, 20 steps, exact", found, expected, 1e-5)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SGD, keras.optimizers.SGD),
        (RMSprop, keras.optimizers.RMSprop),
        (Adam, keras.optimizers.Adam),
        (AdamW, keras.optimizers.AdamW),
    ],
)
def test_the_defaults_are_those_of_keras(ours, theirs):
    settings = theirs().get_config()
    shared = {name: value for name, value in vars(ours()).items() if name in settings}
    assert shared
    assert {name: pytest.approx(settings[name], rel=1e-6) for name in shared} == shared


def one_step(optimizer, start, gradient):
    variable = keras.Variable(np.array([start]))
    optimizer.build([variable])
    optimizer.apply([ops.convert_to_tensor(np.array([gradient]))], [variable])
    return float(ops.convert_to_numpy(variable.value)[0]) - start


def test_where_epsilon_stands():
    """Adam: beside the root of the uncorrected second moment. RMSprop: inside the root, without any correction."""
    g, epsilon = 1e-3, 1e-3
    step = one_step(keras.optimizers.Adam(RATE, epsilon=epsilon), 0.0, g)
    square = (1 - rounded(0.999)) * g**2
    assert step == pytest.approx(-RATE * np.sqrt(square) / (np.sqrt(0.001 * g**2) + epsilon), rel=1e-4)
    of_paper = -RATE * g / (g + epsilon)  # algorithm 1
    assert abs(step) < 0.1 * abs(of_paper)
    step = one_step(keras.optimizers.RMSprop(RATE, epsilon=epsilon), 0.0, g)
    assert step == pytest.approx(-RATE * g / np.sqrt(0.1 * g**2 + epsilon), rel=1e-9)


def test_decay_is_the_rate_times_the_factor_of_every_variable():
    for rate in (RATE, 2 * RATE):
        step = one_step(keras.optimizers.AdamW(rate, weight_decay=0.25), 2.0, 0.0)
        assert step == pytest.approx(-rate * 0.25 * 2.0, rel=1e-12)
