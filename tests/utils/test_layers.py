"""Dense layer, activations and losses in NumPy: against differences, at extremes, and what they refuse."""

import re
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.drawing import central_differences
from utils.scratch import activations
from utils.scratch.dense import dense, dense_backward
from utils.scratch.losses import mean_squared_error, softmax_cross_entropy

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(0, 9999))
TWO_AXES = "expected (batch, n) and (n, units)."


def off_zero(rng, shape):
    """Draw numbers of either sign whose size is at least 0.1, away from the kink of ReLU."""
    return rng.choice([-1.0, 1.0], shape) * (0.1 + rng.exponential(size=shape))


@given(SHAPES)
def test_dense_gradients_equal_central_differences(agree, drawn):
    batch, inputs, units, seed = drawn
    rng = np.random.default_rng(seed)
    x, w, b, dy = (rng.normal(size=s) for s in ((batch, inputs), (inputs, units), units, (batch, units)))
    for array, gradient in zip((x, w, b), dense_backward(dy, x, w), strict=True):
        differences = central_differences(lambda: float((dense(x, w, b) * dy).sum()), array, 1e-2)
        agree("dense, differences", gradient, differences, 1e-6)


def test_dense_by_hand():
    x, w = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
    assert dense(x, w).tolist() == [[15, 18, 21]]
    assert dense(x, w, np.array([0.5, 0.0, -1.0])).tolist() == [[15.5, 18, 20]]


@pytest.mark.parametrize(
    ("x", "w", "b", "message"),
    [
        ((2, 3, 1), (3, 4), (4,), "The input has shape (2, 3, 1) and the weights (3, 4): " + TWO_AXES),
        ((2, 3), (3,), (4,), "The input has shape (2, 3) and the weights (3,): " + TWO_AXES),
        ((2, 3), (2, 4), (4,), "The input has shape (2, 3) and the weights (2, 4): " + TWO_AXES),
        ((2, 3), (3, 4), (3,), "The bias has shape (3,): expected (4,), one number a unit."),
    ],
)
def test_dense_says_what_does_not_fit(x, w, b, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        dense(np.ones(x), np.ones(w), np.ones(b))


@pytest.mark.parametrize("name", ["relu", "gelu", "sigmoid", "tanh", "softmax"])
@given(drawn=SHAPES)
def test_activation_gradients_equal_central_differences(agree, name, drawn):
    forward, backward = getattr(activations, name), getattr(activations, f"{name}_backward")
    *shape, seed = drawn
    rng = np.random.default_rng(seed)
    x, dy = off_zero(rng, shape), rng.normal(size=shape)
    given_forward = x if name in ("relu", "gelu") else forward(x)
    differences = central_differences(lambda: float((forward(x) * dy).sum()), x)
    agree(f"{name}, differences", backward(dy, given_forward), differences, 1e-6)


@given(SHAPES)
def test_softmax_along_another_axis(agree, drawn):
    *shape, seed = drawn
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=shape), rng.normal(size=shape)
    y = activations.softmax(x, axis=1)
    assert np.allclose(y.sum(axis=1), 1, atol=1e-12)
    assert np.array_equal(y, np.moveaxis(activations.softmax(np.moveaxis(x, 1, -1)), -1, 1))
    differences = central_differences(lambda: float((activations.softmax(x, axis=1) * dy).sum()), x)
    agree("softmax, differences", activations.softmax_backward(dy, y, axis=1), differences, 1e-6)


def test_relu_is_flat_at_zero():
    x = np.array([-2.0, 0.0, 3.0])
    assert activations.relu(x).tolist() == [0, 0, 3]
    assert activations.relu_backward(np.array([5.0, 5.0, 5.0]), x).tolist() == [0, 0, 5]


def test_gelu_is_its_formula():
    x = np.array([-3.0, -1.0, 0.0, 0.5, 4.0])
    expected = [number * NormalDist().cdf(number) for number in x.tolist()]
    assert np.allclose(activations.gelu(x), expected, rtol=1e-13, atol=0)
    assert activations.gelu_backward(np.array([3.0]), np.array([0.0])).tolist() == [1.5]


@pytest.mark.filterwarnings("error")
def test_gelu_at_extremes_is_zero_or_its_input():
    x = np.array([-1e4, -40.0, 40.0, 1e4])
    assert activations.gelu(x).tolist() == [0, 0, 40, 1e4]
    assert activations.gelu_backward(np.array([5.0, 5.0, 5.0, 5.0]), x).tolist() == [0, 0, 5, 5]


def test_sigmoid_is_its_formula_on_both_sides_of_zero():
    x = np.array([-3.0, -1.0, 0.0, 0.5, 4.0])
    assert np.allclose(activations.sigmoid(x), 1 / (1 + np.exp(-x)), rtol=1e-14)


@pytest.mark.filterwarnings("error")
def test_rows_of_very_different_size_do_not_disturb_each_other():
    x = np.array([[0.0, 1.0], [5000.0, 5001.0], [-5000.0, -4999.0]])
    assert np.allclose(activations.softmax(x), [[1 / (1 + np.e), np.e / (1 + np.e)]] * 3, rtol=1e-12)
    loss, gradient = softmax_cross_entropy(x, np.array([1, 1, 1]))
    assert loss == pytest.approx(np.log1p(np.exp(-1.0)), rel=1e-12)
    assert np.allclose(gradient, [gradient[0]] * 3, rtol=1e-12)


@pytest.mark.filterwarnings("error")
def test_activations_at_extremes():
    x = np.array([-1e4, -40.0, 0.0, 40.0, 1e4])
    y = activations.sigmoid(x)
    assert y[[0, 2, 4]].tolist() == [0, 0.5, 1]
    assert y[1] == pytest.approx(np.exp(-40.0), rel=1e-14)  # tiny, not rounded to 0
    assert activations.softmax(x).tolist() == [0, 0, 0, 0, 1]
    assert activations.softmax(x + 1e6).tolist() == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("name", ["relu", "gelu", "sigmoid", "tanh", "softmax"])
def test_activations_work_in_the_dtype_of_their_input(name):
    x = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    y = getattr(activations, name)(x)
    assert y.dtype == np.float32
    assert getattr(activations, f"{name}_backward")(y, y).dtype == np.float32


@given(SHAPES)
def test_loss_gradient_equals_central_differences(agree, drawn):
    batch, classes, _, seed = drawn
    rng = np.random.default_rng(seed)
    logits, labels = 3 * rng.normal(size=(batch, classes)), rng.integers(0, classes, batch)
    _, gradient = softmax_cross_entropy(logits, labels)
    differences = central_differences(lambda: softmax_cross_entropy(logits, labels)[0], logits)
    agree("cross-entropy, differences", gradient, differences, 1e-6)
    assert np.allclose(gradient.sum(axis=1), 0, atol=1e-12)


def test_loss_of_equal_logits_is_the_logarithm_of_the_classes():
    loss, gradient = softmax_cross_entropy(np.zeros((2, 4)), np.array([1, 3]))
    assert type(loss) is float
    assert loss == pytest.approx(np.log(4), rel=1e-14)
    assert gradient.tolist() == [[0.125, -0.375, 0.125, 0.125], [0.125, 0.125, 0.125, -0.375]]


@pytest.mark.filterwarnings("error")
def test_a_confident_wrong_answer_keeps_its_loss_and_gradient():
    loss, gradient = softmax_cross_entropy(np.array([[1000.0, 0.0, 0.0]]), np.array([1]))
    assert loss == 1000
    assert gradient.tolist() == [[1, -1, 0]]
    shifted, _ = softmax_cross_entropy(np.array([[1e6 + 2.0, 1e6]]), np.array([0]))
    assert shifted == pytest.approx(np.log1p(np.exp(-2.0)), rel=1e-9)


@given(SHAPES)
def test_loss_of_sequences_is_that_of_their_steps(drawn):
    *shape, classes, seed = drawn
    rng = np.random.default_rng(seed)
    logits, labels = 3 * rng.normal(size=(*shape, classes)), rng.integers(0, classes, shape)
    loss, gradient = softmax_cross_entropy(logits, labels)
    expected, of_steps = softmax_cross_entropy(logits.reshape(-1, classes), labels.ravel())
    assert loss == expected
    assert gradient.shape == logits.shape
    assert np.array_equal(gradient.reshape(-1, classes), of_steps)


def test_loss_works_in_float32():
    _, gradient = softmax_cross_entropy(np.zeros((2, 4), np.float32), np.array([0, 1], np.int32))
    assert gradient.dtype == np.float32


@pytest.mark.parametrize(
    ("logits", "labels"),
    [
        ((2, 3), (3,)),
        ((2, 3), (2, 1)),
        ((6,), (6,)),
        ((6,), ()),
        ((2, 3, 1), (2,)),
        ((2, 3), (2, 3)),
        ((2, 3, 4), (2, 4)),
        ((2, 3, 4, 5), (2, 3, 4)),
    ],
)
def test_loss_says_which_shapes_it_expects(logits, labels):
    message = f"The logits have shape {logits} and the labels {labels}: "
    message += "expected (batch, classes) and (batch,), or (batch, time, classes) and (batch, time)."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        softmax_cross_entropy(np.zeros(logits), np.zeros(labels, int))


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [0.0, 1.0], [True, False]])
def test_loss_refuses_labels_that_are_no_class(labels):
    message = "The labels must be whole numbers from 0 to 2, one for each row of the logits."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        softmax_cross_entropy(np.zeros((2, 3)), np.array(labels))


@given(SHAPES)
def test_squared_error_gradient_equals_central_differences(agree, drawn):
    *shape, seed = drawn
    rng = np.random.default_rng(seed)
    outputs, targets = rng.normal(size=shape), rng.normal(size=shape)
    loss, gradient = mean_squared_error(outputs, targets)
    assert type(loss) is float
    assert loss == pytest.approx(np.mean((outputs - targets) ** 2), rel=1e-14)
    differences = central_differences(lambda: mean_squared_error(outputs, targets)[0], outputs)
    agree("squared error, differences", gradient, differences, 1e-6)


def test_squared_error_works_in_float32():
    _, gradient = mean_squared_error(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32))
    assert gradient.dtype == np.float32
    assert np.allclose(gradient, 1 / 3)


@pytest.mark.parametrize(("outputs", "targets"), [((4, 1), (4,)), ((4,), (1,)), ((2, 3), (3, 2))])
def test_squared_error_says_which_shapes_differ(outputs, targets):
    message = f"The outputs have shape {outputs} and the targets {targets}: expected the same."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mean_squared_error(np.zeros(outputs), np.zeros(targets))
