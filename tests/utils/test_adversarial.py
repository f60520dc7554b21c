"""Adversarial examples in NumPy: by hand, against the best of all corners, and bounds that hold."""

import itertools

import numpy as np
import pytest

from utils.scratch.adversarial import fgsm, pgd
from utils.scratch.losses import softmax_cross_entropy
from utils.scratch.network import Conv2D, Dense, Flatten, Network, ReLU


def linear(dtype="float64"):
    """Return two classes whose logits are 0 and w x, with w = (1, -2, 0)."""
    network = Network([Dense(2)], (3,), dtype=dtype)
    network.set_parameters([np.array([[0.0, 1.0], [0.0, -2.0], [0.0, 0.0]]), np.zeros(2)])
    return network


def deep(seed=0, dtype="float64"):
    network = Network([Dense(8), ReLU(), Dense(3)], (4,), seed=seed, dtype=dtype)
    rng = np.random.default_rng(seed)
    for parameter in network.parameters:
        parameter[...] = rng.normal(size=parameter.shape)
    return network, rng.random((6, 4)).astype(dtype), rng.integers(0, 3, 6)


def losses(network, x, targets):
    return np.array([softmax_cross_entropy(network.forward(x[[e]]), targets[[e]])[0] for e in range(len(x))])


def test_by_hand():
    x, targets = np.array([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0.95, 0.02, 0.3]]), np.array([0, 1, 0])
    # of class 0 the loss grows with w x: up, down, and the third, whose gradient is 0, stays
    found = fgsm(linear(), x, targets, 0.1)
    np.testing.assert_allclose(found, [[0.6, 0.4, 0.5], [0.4, 0.6, 0.5], [1.0, 0.0, 0.3]], atol=1e-12)
    np.testing.assert_array_equal(fgsm(linear(), x, targets, 0), x)
    found = fgsm(linear(), np.array([[0.0, 1.0, 1.0]]), targets[:1], 0.1)
    np.testing.assert_allclose(found, [[0.1, 0.9, 1.0]], atol=1e-12)


def test_steps_by_hand():
    x, targets = np.array([[0.5, 0.5, 0.5]]), np.array([0])
    for steps, expected in ((0, 0.5), (1, 0.54), (2, 0.58), (3, 0.6), (9, 0.6)):
        found = pgd(linear(), x, targets, 0.1, steps, 0.04)
        np.testing.assert_allclose(found, [[expected, 1 - expected, 0.5]], atol=1e-12)
    np.testing.assert_allclose(pgd(linear(), x, targets, 0.9, 3, 0.4), [[1, 0, 0.5]], atol=1e-12)


def test_one_step_of_full_length_is_the_sign_method():
    network, x, targets = deep()
    np.testing.assert_array_equal(pgd(network, x, targets, 0.2, 1, 0.2), fgsm(network, x, targets, 0.2))


def test_many_steps_come_near_the_best_corner():
    network, x, targets = deep(1)
    epsilon = 0.15
    corners = np.array(list(itertools.product((-epsilon, epsilon), repeat=4)))
    best = np.max([losses(network, np.clip(x + corner, 0, 1), targets) for corner in corners], axis=0)
    plain = losses(network, x, targets)
    quick = losses(network, fgsm(network, x, targets, epsilon), targets)
    slow = losses(network, pgd(network, x, targets, epsilon, 40, 0.03), targets)
    assert (slow >= plain).all()
    assert slow.mean() >= quick.mean() - 1e-9
    assert ((slow - plain) >= 0.9 * (best - plain)).all()  # it may end at a lower top


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bounds(dtype):
    network, x, targets = deep(2, dtype)
    before = x.copy()
    for found in (
        fgsm(network, x, targets, 0.3),
        pgd(network, x, targets, 0.3, 5, 0.1),
        pgd(network, x, targets, 0.3, 5, 0.1, np.random.default_rng(0)),
        pgd(network, x, targets, 0.3, 0, 0.1, np.random.default_rng(0)),
    ):
        assert found.dtype == np.dtype(dtype)
        assert found.shape == x.shape
        assert found.min() >= 0 and found.max() <= 1
        assert np.abs(found - x).max() <= 0.3 + 1e-6
        assert np.abs(found - x).max() > 0.1
    np.testing.assert_array_equal(x, before)


def test_the_start_is_drawn_in_the_whole_cube():
    network = linear()
    x, targets = np.full((4000, 3), 0.5), np.zeros(4000, int)
    found = pgd(network, x, targets, 0.2, 0, 0.1, np.random.default_rng(0)) - x
    assert np.abs(found).max() <= 0.2
    assert found.mean() == pytest.approx(0, abs=0.005)
    assert found.std() == pytest.approx(0.4 / 12**0.5, rel=0.02)
    drawn = np.random.default_rng(0).uniform(-0.2, 0.2, x.shape)  # and the generator decides it
    np.testing.assert_array_equal(found, (x + drawn) - x)


def test_images():
    network = Network([Conv2D(3, 2), ReLU(), Flatten(), Dense(2)], (4, 4, 1), dtype="float64")
    rng = np.random.default_rng(0)
    x, targets = rng.random((5, 4, 4, 1)), rng.integers(0, 2, 5)
    found = pgd(network, x, targets, 0.1, 5, 0.03, rng)
    assert found.shape == x.shape
    assert losses(network, found, targets).mean() > losses(network, x, targets).mean() + 0.01


def test_refusals():
    network, x, targets = deep()
    calls = (fgsm, lambda network, x, targets, epsilon: pgd(network, x, targets, epsilon, 1, 0.1))
    for call in calls:
        with pytest.raises(
            ValueError, match=r"^The inputs are float64, 0\.0 to 1\.5: expected floating-point numbers in"
        ):
            call(network, np.array([[0.0, 1.5, 0.0, 0.0]]), targets[:1], 0.1)
        with pytest.raises(ValueError, match=r"^The inputs are float64, -0\.5 to 1\.0: .* \[0, 1\]\.$"):
            call(network, np.array([[1.0, -0.5, 0.0, 0.0]]), targets[:1], 0.1)
        with pytest.raises(ValueError, match=r"^The inputs are int64, 0 to 1: expected floating-point numbers"):
            call(network, np.array([[1, 0, 0, 0]], "int64"), targets[:1], 0.1)
        for epsilon in (-0.1, np.nan):
            with pytest.raises(ValueError, match=rf"^The bound of the change is {epsilon}: expected 0 or more\.$"):
                call(network, x, targets, epsilon)
