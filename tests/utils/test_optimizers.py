"""Optimizers in NumPy against their formulas, written down once more."""

import numpy as np
import pytest

from utils.scratch.optimizers import SGD, Adam, AdamW, RMSprop, clip_by_norm


def problem(steps: int = 6):
    """Two parameters and a few steps of gradients of very different sizes."""
    rng = np.random.default_rng(0)
    parameters = [rng.normal(size=(3, 2)), rng.normal(size=4)]
    return parameters, [[rng.normal(size=p.shape) * 10.0**-k for p in parameters] for k in range(steps)]


def test_sgd():
    parameters, steps = problem()
    expected = [p - 0.1 * sum(g[i] for g in steps) for i, p in enumerate(parameters)]
    optimizer = SGD(0.1)
    for gradients in steps:
        optimizer.update(parameters, gradients)
    assert all(np.allclose(p, e, rtol=0, atol=1e-14) for p, e in zip(parameters, expected, strict=True))


def test_sgd_with_momentum():
    parameters, steps = problem()
    expected = []
    for i, p in enumerate(parameters):
        velocity, value = np.zeros_like(p), p.copy()
        for gradients in steps:
            velocity = 0.9 * velocity - 0.1 * gradients[i]
            value = value + velocity
        expected.append(value)
    optimizer = SGD(0.1, momentum=0.9)
    for gradients in steps:
        optimizer.update(parameters, gradients)
    assert all(np.allclose(p, e, rtol=0, atol=1e-14) for p, e in zip(parameters, expected, strict=True))


@pytest.mark.parametrize(
    ("make", "rate", "beta_1", "beta_2", "epsilon"),
    [(Adam, 0.001, 0.9, 0.999, 1e-7), (lambda: Adam(0.05, 0.8, 0.9, 1e-3), 0.05, 0.8, 0.9, 1e-3)],
    ids=["defaults", "others"],
)
def test_adam(make, rate, beta_1, beta_2, epsilon):
    parameters, steps = problem()
    expected = []
    for i, p in enumerate(parameters):
        m, v, value = np.zeros_like(p), np.zeros_like(p), p.copy()
        for t, gradients in enumerate(steps, start=1):
            m = beta_1 * m + (1 - beta_1) * gradients[i]
            v = beta_2 * v + (1 - beta_2) * gradients[i] ** 2
            value = value - rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (np.sqrt(v) + epsilon)
        expected.append(value)
    optimizer = make()
    for gradients in steps:
        optimizer.update(parameters, gradients)
    assert all(np.allclose(p, e, rtol=0, atol=1e-14) for p, e in zip(parameters, expected, strict=True))


def test_sgd_with_momentum_of_nesterov_is_that_of_the_paper():
    """The paper's parameters stand where the last step left them; those here have taken the next step's momentum."""
    w = np.array([1.0, -2.0])
    curvature = np.array([[2.0, 0.5], [0.5, 1.0]])
    theta, velocity = w.copy(), np.zeros(2)
    optimizer = SGD(0.1, momentum=0.9, nesterov=True)
    for _ in range(5):
        optimizer.update([w], [curvature @ w])
        velocity = 0.9 * velocity - 0.1 * curvature @ (theta + 0.9 * velocity)
        theta = theta + velocity
        assert np.allclose(w, theta + 0.9 * velocity, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("make", "rate", "rho", "epsilon"),
    [(RMSprop, 0.001, 0.9, 1e-7), (lambda: RMSprop(0.05, 0.7, 1e-3), 0.05, 0.7, 1e-3)],
    ids=["defaults", "others"],
)
def test_rmsprop(make, rate, rho, epsilon):
    parameters, steps = problem()
    expected = []
    for i, p in enumerate(parameters):
        square, value = np.zeros_like(p), p.copy()
        for gradients in steps:
            square = rho * square + (1 - rho) * gradients[i] ** 2
            value = value - rate * gradients[i] / np.sqrt(square + epsilon)
        expected.append(value)
    optimizer = make()
    for gradients in steps:
        optimizer.update(parameters, gradients)
    assert all(np.allclose(p, e, rtol=0, atol=1e-14) for p, e in zip(parameters, expected, strict=True))


@pytest.mark.parametrize(
    ("make", "adam", "rate", "decay"),
    [
        (AdamW, Adam, 0.001, 0.004),
        (lambda: AdamW(0.05, 0.2, 0.8, 0.9, 1e-3), lambda: Adam(0.05, 0.8, 0.9, 1e-3), 0.05, 0.2),
    ],
    ids=["defaults", "others"],
)
def test_adamw_is_adam_that_takes_a_share_off_first(make, adam, rate, decay):
    ours, steps = problem()
    theirs, _ = problem()
    decoupled, plain = make(), adam()
    for gradients in steps:
        decoupled.update(ours, gradients)
        before = [p.copy() for p in theirs]
        plain.update(theirs, gradients)
        for parameter, value in zip(theirs, before, strict=True):
            parameter -= rate * decay * value
    assert all(np.allclose(p, e, rtol=0, atol=1e-14) for p, e in zip(ours, theirs, strict=True))
    assert decoupled.steps == len(steps)


def test_the_first_step_of_adam_has_the_size_of_the_learning_rate():
    parameter = np.array([1.0, 1.0])
    Adam(0.01).update([parameter], [np.array([5.0, -0.2])])
    assert np.allclose(parameter, [0.99, 1.01], atol=1e-6)


@pytest.mark.parametrize(
    "make", [SGD, lambda: SGD(momentum=0.5), lambda: SGD(momentum=0.5, nesterov=True), RMSprop, Adam, AdamW]
)
def test_changes_parameters_in_place_in_their_dtype_and_leaves_gradients(make):
    parameter, gradient = np.ones((2, 2), np.float32), np.full((2, 2), 0.5, np.float32)
    parameters, optimizer = [parameter], make()
    for _ in range(3):
        optimizer.update(parameters, [gradient])
    assert parameters[0] is parameter
    assert parameter.dtype == np.float32
    assert (parameter < 1).all()
    assert (gradient == 0.5).all()


@pytest.mark.parametrize(
    ("make", "step"),
    [(SGD, -0.01), (RMSprop, -0.001 / np.sqrt(0.1)), (Adam, -0.001), (AdamW, -0.001)],
)
def test_the_default_learning_rates_are_those_of_keras(make, step):
    parameter = np.zeros(1)
    make().update([parameter], [np.ones(1)])
    assert parameter[0] == pytest.approx(step, rel=1e-5)


@pytest.mark.parametrize("make", [SGD, RMSprop, Adam, AdamW])
def test_two_optimizers_share_nothing(make):
    first, second = make(), make()
    a, b = np.zeros(2), np.zeros(2)
    first.update([a], [np.ones(2)])
    second.update([b], [np.ones(2)])
    assert np.array_equal(a, b)


@pytest.mark.parametrize("make", [SGD, RMSprop, Adam, AdamW])
def test_refuses_lists_of_different_lengths(make):
    with pytest.raises(ValueError, match="zip"):
        make().update([np.zeros(1), np.zeros(1)], [np.ones(1)])


def test_gradients_within_the_limit_are_left_as_they_are():
    gradients = [np.array([[3.0, 0.0]]), np.array([4.0])]
    for limit in (5.0, 7.0):
        clipped, norm = clip_by_norm(gradients, limit)
        assert clipped is gradients
        assert norm == 5.0
        assert type(norm) is float


def test_gradients_beyond_the_limit_are_scaled_down_together():
    gradients = [np.array([[3.0, -1.0], [0.0, 2.0]]), np.array([-4.0, 0.5])]
    before = [gradient.copy() for gradient in gradients]
    clipped, norm = clip_by_norm(gradients, 0.7)
    assert norm == pytest.approx(np.sqrt(30.25), rel=1e-15)
    assert np.sqrt(sum((g**2).sum() for g in clipped)) == pytest.approx(0.7, rel=1e-15)
    for found, gradient, copy in zip(clipped, gradients, before, strict=True):
        assert np.allclose(found * (norm / 0.7), gradient, rtol=1e-15, atol=0)
        assert np.array_equal(gradient, copy)


def test_clipping_keeps_float32_and_adds_its_squares_in_float64():
    ones = np.ones(10**5, np.float32)
    clipped, norm = clip_by_norm([ones, 100 * ones], 1.0)
    assert {gradient.dtype.name for gradient in clipped} == {"float32"}
    assert norm == pytest.approx(np.sqrt(10**5 * 10001), rel=1e-15)
