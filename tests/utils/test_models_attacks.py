"""Attacks on Keras models: they agree with those in NumPy, on both backends, and stay within their bounds."""

import numpy as np
import pytest

from utils.backend import keras, ops
from utils.models.attacks import fgsm, pgd
from utils.models.mlp import mlp
from utils.scratch import adversarial
from utils.scratch.network import Dense, Network, ReLU


@pytest.fixture
def case(double_precision):
    """Return a Keras model's loss, its twin in NumPy, inputs and labels."""
    model = mlp((6, 9, 3), seed=1, dtype="float64")
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    twin = Network([Dense(9), ReLU(), Dense(3)], (6,), dtype="float64")
    twin.set_parameters(model.get_weights())

    def loss(x, y):
        return ops.mean(keras.losses.sparse_categorical_crossentropy(y, model(x), from_logits=True))

    x = rng.random((12, 6))
    x[0, :3] = 0, 1, 1
    return loss, twin, x, rng.integers(0, 3, 12).astype("int32")


def test_both_hands_agree(agree, case):
    loss, twin, x, y = case
    agree("FGSM", fgsm(loss, x, y, 0.1), adversarial.fgsm(twin, x, y, 0.1), 1e-12)
    agree("PGD", pgd(loss, x, y, 0.1, 7, 0.03), adversarial.pgd(twin, x, y, 0.1, 7, 0.03), 1e-12)
    ours = pgd(loss, x, y, 0.1, 7, 0.03, np.random.default_rng(3))
    theirs = adversarial.pgd(twin, x, y, 0.1, 7, 0.03, np.random.default_rng(3))
    agree("PGD, random start", ours, theirs, 1e-12)
    assert np.abs(ours - pgd(loss, x, y, 0.1, 7, 0.03)).max() > 1e-3  # the start is another


def test_the_loss_grows_and_the_bounds_hold(case):
    loss, _, x, y = case
    before, value = x.copy(), float(loss(x, y))
    for found in (fgsm(loss, x, y, 0.2), pgd(loss, x, y, 0.2, 5, 0.1, np.random.default_rng(0))):
        assert float(loss(found, y)) > value + 0.1
        assert found.min() >= 0 and found.max() <= 1
        assert np.abs(found - x).max() <= 0.2 + 1e-12
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(fgsm(loss, x, y, 0), x)
    np.testing.assert_array_equal(pgd(loss, x, y, 0.2, 0, 0.1), x)


def test_any_loss_of_the_inputs():
    def loss(x, y):
        return ops.sum(ops.cast(y, "float32")[:, None] * x)

    x, y = np.full((2, 2, 1), 0.5, "float32"), np.array([1, -1])
    found = fgsm(lambda x, y: loss(ops.reshape(x, (2, 2)), y), x, y, 0.25)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[..., 0], [[0.75, 0.75], [0.25, 0.25]])
    found = pgd(lambda x, y: loss(ops.reshape(x, (2, 2)), y), x, y, 0.25, 3, 0.0625)
    np.testing.assert_array_equal(found[..., 0], [[0.6875, 0.6875], [0.3125, 0.3125]])


def test_refusals():
    def loss(x, y):
        raise AssertionError("not reached")

    for call in (fgsm, lambda loss, x, y, epsilon: pgd(loss, x, y, epsilon, 1, 0.1)):
        with pytest.raises(
            ValueError, match=r"^The inputs are float64, 0\.0 to 255\.0: expected floating-point numbers in"
        ):
            call(loss, np.array([[0.0, 255.0]]), np.array([0]), 0.1)
        with pytest.raises(ValueError, match=r"^The inputs are uint8, 0 to 1: expected floating-point numbers"):
            call(loss, np.array([[0, 1]], "uint8"), np.array([0]), 0.1)
        with pytest.raises(ValueError, match=r"^The bound of the change is -1: expected 0 or more\.$"):
            call(loss, np.zeros((1, 2)), np.array([0]), -1)
