"""Elastic weight consolidation: information by closed form and example by example, springs, and forgetting less."""

import numpy as np
import pytest

from tests.utils.drawing import central_differences
from utils.scratch.consolidation import Memory, fisher, penalty
from utils.scratch.network import GELU, Conv2D, Dense, Flatten, Network, ReLU
from utils.scratch.optimizers import SGD


def softmax(scores):
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def case(seed=0, examples=6, shape=(2, 2), classes=3, activation=ReLU):
    rng = np.random.default_rng(seed)
    network = Network([Flatten(), Dense(5), activation(), Dense(4), GELU(), Dense(classes)], shape, seed, "float64")
    for parameter in network.parameters:
        parameter[...] = rng.normal(size=parameter.shape)
    return network, rng.normal(size=(examples, *shape)), rng.integers(0, classes, examples)


def test_softmax_regression_has_a_closed_form():
    rng = np.random.default_rng(1)
    network = Network([Dense(3)], (4,), 0, "float64")
    network.set_parameters([rng.normal(size=(4, 3)), rng.normal(size=3)])
    x, labels = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)
    p = softmax(network.forward(x))
    w, b = fisher(network, x)
    np.testing.assert_allclose(w, (x**2).T @ (p * (1 - p)) / 7, rtol=1e-12)
    np.testing.assert_allclose(b, (p * (1 - p)).mean(axis=0), rtol=1e-12)
    w, b = fisher(network, x, labels)
    np.testing.assert_allclose(w, (x**2).T @ (p - np.eye(3)[labels]) ** 2 / 7, rtol=1e-12)
    np.testing.assert_allclose(b, ((p - np.eye(3)[labels]) ** 2).mean(axis=0), rtol=1e-12)


def test_of_softmax_regression_it_is_the_curvature_of_the_loss():
    """The second derivative does not depend on the labels, so information and curvature are the same."""
    rng = np.random.default_rng(2)
    network = Network([Dense(3)], (2,), 0, "float64")
    x, labels = rng.normal(size=(5, 2)), rng.integers(0, 3, 5)
    w = network.parameters[0]
    for i, j in np.ndindex(w.shape):

        def slope(i=i, j=j):
            return float(network.loss_and_gradients(x, labels)[1][0][i, j])

        curvature = central_differences(slope, w[i : i + 1, j])[0]
        assert fisher(network, x)[0][i, j] == pytest.approx(curvature, abs=1e-8)


@pytest.mark.parametrize(("examples", "shape", "classes"), [(6, (2, 2), 3), (1, (3,), 2), (4, (3, 2, 1), 5)])
def test_example_by_example_and_label_by_label(examples, shape, classes):
    network, x, labels = case(3, examples, shape, classes)
    p = softmax(network.forward(x))
    expected = [np.zeros_like(parameter) for parameter in network.parameters]
    empirical = [np.zeros_like(parameter) for parameter in network.parameters]
    for n in range(examples):
        for label in range(classes):
            _, gradients = network.loss_and_gradients(x[n : n + 1], np.array([label]))
            for place, gradient in enumerate(gradients):
                expected[place] += p[n, label] * gradient**2 / examples
                empirical[place] += (label == labels[n]) * gradient**2 / examples
    for found, wanted in ((fisher(network, x), expected), (fisher(network, x, labels), empirical)):
        assert len(found) == 6
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-15)


def test_scores_that_no_exponential_can_take():
    network = Network([Dense(3)], (1,), 0, "float64")
    network.set_parameters([np.array([[1.0, 0.5, 0.25]]), np.zeros(3)])
    w, _ = fisher(network, np.array([[2000.0], [-2000.0], [0.0]]))
    np.testing.assert_allclose(w, 0, atol=1e-12)  # two answers are certain, and the third example has no inputs
    _, b = fisher(network, np.array([[2000.0], [-2000.0], [0.0]]))
    np.testing.assert_allclose(b, 2 / 9 / 3)


def test_it_keeps_the_dtype_and_the_parameters():
    network = Network([Dense(4), ReLU(), Dense(3)], (2,), 0, "float32")
    before = [parameter.copy() for parameter in network.parameters]
    x = np.array([[1.0, -2.0], [0.0, 1.0]], "float32")
    for found in (fisher(network, x), fisher(network, x, np.array([0, 2]))):
        assert {part.dtype.name for part in found} == {"float32"}
    for one, other in zip(before, network.parameters, strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_dense_layers_of_rows():
    message = r"^The information is worked out for dense layers alone, of inputs \(examples, numbers\)\.$"
    images = Network([Conv2D(2, 2), Flatten(), Dense(3)], (3, 3, 1), 0)
    sequences = Network([Dense(2), Flatten(), Dense(3)], (3, 4), 0)
    for network, shape in ((images, (2, 3, 3, 1)), (sequences, (2, 3, 4))):
        with pytest.raises(ValueError, match=message):
            fisher(network, np.ones(shape, "float32"))


def test_penalty_by_hand():
    parameters = [np.array([1.0, 2.0]), np.array([[3.0]])]
    anchors = [np.array([0.0, 4.0]), np.array([[3.5]])]
    stiffness = [np.array([2.0, 0.5]), np.array([[4.0]])]
    # 2 · 1 + 0.5 · 4 + 4 · 0.25 = 5, half of it, times 10
    loss, gradients = penalty(parameters, anchors, stiffness, 10.0)
    assert loss == pytest.approx(25)
    np.testing.assert_allclose(gradients[0], [20, -10])
    np.testing.assert_allclose(gradients[1], [[-20]])
    assert penalty(parameters, parameters, stiffness, 10.0)[0] == 0
    with pytest.raises(ValueError):
        penalty(parameters, anchors[:1], stiffness, 1.0)
    with pytest.raises(ValueError):
        penalty(parameters, anchors, stiffness[:1], 1.0)


def test_gradients_of_the_penalty_by_differences():
    rng = np.random.default_rng(4)
    parameters, anchors = ([rng.normal(size=shape) for shape in ((3, 2), (2,))] for _ in range(2))
    stiffness = [rng.random(part.shape) for part in parameters]
    _, gradients = penalty(parameters, anchors, stiffness, 3.0)
    for gradient, parameter in zip(gradients, parameters, strict=True):
        expected = central_differences(lambda: penalty(parameters, anchors, stiffness, 3.0)[0], parameter)
        np.testing.assert_allclose(gradient, expected, atol=1e-8)


def test_a_step_follows_the_loss_and_all_springs():
    network, x, labels = case(5)
    memory = Memory(network, 2.0)
    assert memory.tasks == []
    rng = np.random.default_rng(6)
    for _ in range(2):
        memory.keep(x)
        for parameter in network.parameters:
            parameter += rng.normal(size=parameter.shape) / 10
    expected = network.loss_and_gradients(x, labels)
    before = [parameter.copy() for parameter in network.parameters]
    assert memory.step(x, labels, SGD(0.1)) == pytest.approx(expected[0])
    for place, (old, new) in enumerate(zip(before, network.parameters, strict=True)):
        pull = sum(2.0 * stiffness[place] * (old - anchors[place]) for anchors, stiffness in memory.tasks)
        np.testing.assert_allclose(new, old - 0.1 * (expected[1][place] + pull), rtol=1e-12, atol=1e-12)


def test_what_is_kept_is_of_that_moment():
    network, x, labels = case(7)
    memory = Memory(network, 1.0)
    memory.keep(x, labels)
    anchors, stiffness = memory.tasks[0]
    for one, other in zip(stiffness, fisher(network, x, labels), strict=True):
        np.testing.assert_array_equal(one, other)
    for anchor, parameter in zip(anchors, network.parameters, strict=True):
        np.testing.assert_array_equal(anchor, parameter)
        parameter += 1
        assert not np.array_equal(anchor, parameter)
    memory.keep(x)
    assert len(memory.tasks) == 2
    for one, other in zip(memory.tasks[1][1], fisher(network, x), strict=True):
        np.testing.assert_array_equal(one, other)


def learn_two_tasks(strength):
    """Learn two tasks, one after the other, that can be solved at once but pull at the same weights."""
    rng = np.random.default_rng(8)
    network = Network([Dense(16), ReLU(), Dense(2)], (2,), 0, "float64")
    memory, labels = Memory(network, strength), rng.integers(0, 2, 200)
    signs = np.where(labels, 1.0, -1.0)
    first, second = np.zeros((200, 2)), rng.normal(size=(200, 2))
    first[:, 0] = signs * (1 + rng.random(200))  # the first task shows the label in the first input alone
    second[:, 1] += 3 * signs  # the second in the other, and its opposite in the first
    second[:, 0] -= 2 * signs
    for x in (first, second):
        optimizer = SGD(0.1)
        for _ in range(300):
            memory.step(x, labels, optimizer)
        memory.keep(x)
    return [float((network.forward(x).argmax(axis=1) == labels).mean()) for x in (first, second)]


def test_it_forgets_less():
    plain, held = learn_two_tasks(0.0), learn_two_tasks(30.0)
    assert plain[1] > 0.95
    assert held[1] > 0.95
    assert held[0] > plain[0] + 0.2
