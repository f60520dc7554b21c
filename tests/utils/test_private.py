"""Private gradients: norms and sums against gradients taken one by one, the noise, and training."""

import numpy as np
import pytest

from utils.scratch.losses import mean_squared_error
from utils.scratch.network import GELU, Conv2D, Dense, Flatten, Network, ReLU
from utils.scratch.optimizers import SGD
from utils.scratch.private import clipped_sum, example_norms, factors, fit, private_gradients


def case(batch=6, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    network = Network([Flatten(), Dense(5), ReLU(), Dense(4), GELU(), Dense(3)], (2, 2), seed=seed, dtype=dtype)
    for parameter in network.parameters:
        parameter[...] = rng.normal(size=parameter.shape)
    return network, rng.normal(size=(batch, 2, 2)).astype(dtype), rng.integers(0, 3, batch)


def one_by_one(network, x, targets):
    """Return the gradients of each example, computed alone."""
    found = []
    for e in range(len(x)):
        _, gradients = network.loss_and_gradients(x[e : e + 1], targets[e : e + 1])
        found.append([gradient.copy() for gradient in gradients])
    return found


def lengths(gradients):
    return np.array([np.sqrt(sum((g * g).sum() for g in one)) for one in gradients])


def test_by_hand():
    network = Network([Dense(1)], (2,), dtype="float64", loss=mean_squared_error)
    network.set_parameters([np.array([[1.0], [1.0]]), np.array([0.0])])
    x, y = np.array([[1.0, 2.0], [0.0, 2.0]]), np.array([[1.0], [1.5]])
    # outputs 3 and 2; gradients of the squares 2 · 2 = 4 and 2 · 0.5 = 1
    ((inputs, deltas),) = factors(network, x, y)
    np.testing.assert_allclose(inputs, x)
    np.testing.assert_allclose(deltas, [[4], [1]])
    # (1 + 4 + 1) · 16 and (4 + 1) · 1
    np.testing.assert_allclose(example_norms([(inputs, deltas)]), [np.sqrt(96), np.sqrt(5)])
    # the first gradient is (4, 8, 4), the second (0, 2, 1)
    w, b = clipped_sum([(inputs, deltas)], np.sqrt(6))
    np.testing.assert_allclose(w, [[1], [4]])
    np.testing.assert_allclose(b, [2])


@pytest.mark.parametrize("seed", range(3))
def test_norms_and_sums_one_by_one(seed):
    network, x, targets = case(seed=seed)
    alone = one_by_one(network, x, targets)
    found = factors(network, x, targets)
    norms = example_norms(found)
    np.testing.assert_allclose(norms, lengths(alone), rtol=1e-12)
    for layer, (inputs, deltas) in enumerate(found):
        for e in range(len(x)):
            np.testing.assert_allclose(np.outer(inputs[e], deltas[e]), alone[e][2 * layer], atol=1e-12)
    clip = float(np.median(norms))  # half of them are cut
    expected = [
        sum(one[p] * min(1, clip / norm) for one, norm in zip(alone, norms, strict=True))
        for p in range(len(network.parameters))
    ]
    sums = clipped_sum(found, clip)
    assert len(sums) == 6
    for total, ours in zip(sums, expected, strict=True):
        np.testing.assert_allclose(total, ours, atol=1e-12)


def test_without_a_bound_and_noise_it_is_the_plain_gradient():
    network, x, targets = case()
    _, plain = network.loss_and_gradients(x, targets)
    plain = [gradient.copy() for gradient in plain]
    found = private_gradients(network, x, targets, np.inf, 0.0, len(x), np.random.default_rng(0))
    for gradient, expected in zip(found, plain, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-12)


def test_a_single_layer_and_the_factors_of_another_loss():
    rng = np.random.default_rng(1)
    network = Network([Dense(3)], (4,), dtype="float64", loss=mean_squared_error)
    x, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    np.testing.assert_allclose(example_norms(factors(network, x, y)), lengths(one_by_one(network, x, y)), rtol=1e-12)


def test_no_gradient_is_longer_than_the_bound():
    network, x, targets = case(batch=40, seed=3)
    for clip in (0.01, 1.0, 50.0):
        for e in range(40):
            sums = clipped_sum(factors(network, x[e : e + 1], targets[e : e + 1]), clip)
            assert lengths([sums])[0] <= clip * (1 + 1e-12)


def test_one_example_more_moves_the_sum_by_no_more_than_the_bound():
    network, x, targets = case(batch=20, seed=4)
    whole = clipped_sum(factors(network, x, targets), 0.5)
    for e in range(20):
        rest = np.delete(np.arange(20), e)
        without = clipped_sum(factors(network, x[rest], targets[rest]), 0.5)
        assert lengths([[a - b for a, b in zip(whole, without, strict=True)]])[0] <= 0.5 + 1e-12


def test_a_gradient_of_zeros_stays_zero():
    network = Network([Dense(1)], (1,), dtype="float64", loss=mean_squared_error)
    network.set_parameters([np.zeros((1, 1)), np.zeros(1)])
    found = factors(network, np.zeros((2, 1)), np.array([[0.0], [1.0]]))
    np.testing.assert_allclose(example_norms(found), [0, 2])
    assert [part.tolist() for part in clipped_sum(found, 1.0)] == [[[0.0]], [-1.0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise(dtype):
    network, x, targets = case(dtype=dtype)
    big = Network([Dense(300)], (100,), dtype=dtype)
    rng = np.random.default_rng(2)
    inputs, labels = rng.normal(size=(8, 100)).astype(dtype), rng.integers(0, 300, 8)
    mean = clipped_sum(factors(big, inputs, labels), 0.5)
    found = private_gradients(big, inputs, labels, 0.5, 3.0, 4.0, np.random.default_rng(0))
    noise = np.concatenate([(4.0 * g - m).ravel() for g, m in zip(found, mean, strict=True)])
    assert noise.std() == pytest.approx(1.5, rel=0.02)  # σ C, over 30,300 numbers
    assert abs(noise.mean()) < 0.04
    assert [g.dtype for g in found] == [np.dtype(dtype)] * 2
    assert np.corrcoef(noise[:300], noise[300:600])[0, 1] < 0.3
    rng = np.random.default_rng(0)
    drawn = np.concatenate([1.5 * rng.standard_normal(m.shape, m.dtype).ravel() for m in mean])
    np.testing.assert_allclose(noise, drawn, atol=1e-5)  # added in the order of the parameters
    one, again, other = (
        private_gradients(network, x, targets, 1.0, 1.0, 6, np.random.default_rng(s)) for s in (5, 5, 6)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_an_empty_batch_is_noise_alone():
    network, x, targets = case()
    quiet = private_gradients(network, x[:0], targets[:0], 1.0, 0.0, 6, np.random.default_rng(0))
    assert [g.shape for g in quiet] == [p.shape for p in network.parameters]
    assert not any(g.any() for g in quiet)
    loud = private_gradients(network, x[:0], targets[:0], 1.0, 2.0, 6, np.random.default_rng(0))
    assert all(g.any() for g in loud)


def test_training_without_noise_is_gradient_descent():
    network, x, targets = case(batch=12)
    twin, _, _ = case(batch=12)
    fit(network, x, targets, 5, 1.0, np.inf, 0.0, SGD(0.1), np.random.default_rng(0))
    optimizer = SGD(0.1)
    for _ in range(5):
        twin.step(x, targets, optimizer)
    for ours, theirs in zip(network.parameters, twin.parameters, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_each_example_takes_part_with_a_probability():
    class Kept:
        def __init__(self):
            self.seen = []

        def update(self, parameters, gradients):
            self.seen.append(-float(gradients[1][0]) * 0.25 * 40)

    # the gradient of the bias is -1 an example, before it is divided by q n
    network = Network([Dense(1)], (1,), dtype="float64", loss=mean_squared_error)
    network.set_parameters([np.zeros((1, 1)), np.zeros(1)])
    kept = Kept()
    fit(network, np.zeros((40, 1)), np.full((40, 1), 0.5), 400, 0.25, 9.0, 0.0, kept, np.random.default_rng(0))
    sizes = np.array(kept.seen)
    np.testing.assert_allclose(sizes, sizes.round(), atol=1e-9)
    assert len(sizes) == 400
    assert sizes.mean() == pytest.approx(10, abs=0.5)
    assert sizes.var() == pytest.approx(40 * 0.25 * 0.75, rel=0.25)  # binomial: not every batch has the same size


def test_training_learns():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 400)
    x = (rng.normal(size=(400, 3)) + 3 * targets[:, None]).astype("float32")
    network = Network([Dense(2)], (3,), seed=1)
    fit(network, x, targets, 60, 0.25, 1.0, 1.0, SGD(0.5), np.random.default_rng(1))
    assert (network.forward(x).argmax(axis=1) == targets).mean() > 0.9


def test_refusals():
    network, x, targets = case()
    rng = np.random.default_rng(0)
    convolution = Network([Conv2D(2, 2), Flatten(), Dense(2)], (3, 3, 1))
    message = r"^The layer Conv2D with inputs of shape \(3, 3, 1\) has gradients that are no outer products: use dense"
    with pytest.raises(ValueError, match=message):
        factors(convolution, np.zeros((2, 3, 3, 1)), np.array([0, 1]))
    steps = Network([Dense(2)], (5, 3))
    with pytest.raises(ValueError, match=r"^The layer Dense with inputs of shape \(5, 3\) has gradients that are no"):
        factors(steps, np.zeros((2, 5, 3)), np.zeros((2, 5), int))
    for clip in (0.0, -1.0, np.nan):
        with pytest.raises(
            ValueError, match=rf"^Gradients are cut to a length of {clip}: it must be greater than 0\.$"
        ):
            clipped_sum(factors(network, x, targets), clip)
    with pytest.raises(ValueError, match=r"^The noise is -1\.0 times a bound of 1\.0: expected 0 or more of a finite"):
        private_gradients(network, x, targets, 1.0, -1.0, 6, rng)
    with pytest.raises(
        ValueError, match=r"^The noise is 1\.0 times a bound of inf: expected 0 or more of a finite one"
    ):
        private_gradients(network, x, targets, np.inf, 1.0, 6, rng)
    for rate in (0.0, 1.1):
        with pytest.raises(ValueError, match=rf"^Each example takes part with probability {rate}: expected more than"):
            fit(network, x, targets, 1, rate, 1.0, 1.0, SGD(), rng)
