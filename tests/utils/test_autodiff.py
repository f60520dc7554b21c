"""The autodiff engine against NumPy forward and central differences backward, operation by operation."""

import numpy as np
import pytest

from utils.scratch import autodiff as ad
from utils.scratch.autodiff import Tensor, gradients

MASK = np.array([[True, False, True, True], [False, False, True, False], [True, True, False, True]])


def draw(*shapes, positive=False):
    rng = np.random.default_rng(len(shapes))
    arrays = [np.array(rng.normal(size=shape)) for shape in shapes]
    return [np.array(np.exp(array)) for array in arrays] if positive else arrays


def differences(function, arrays, dy, h=1e-6):
    """Return the central differences of sum(dy · function) with respect to every element of every array."""
    result = []
    for array in arrays:
        slopes = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            middle, losses = array[index], []
            for move in (h, -h):
                array[index] = middle + move
                losses.append(np.sum(dy * function(*arrays)))
            array[index] = middle
            slopes[index] = (losses[0] - losses[1]) / (2 * h)
        result.append(slopes)
    return result


def agree(of_tensors, of_arrays, arrays):
    """Compare value and gradients under a random weighting of the output."""
    tensors = [Tensor(array) for array in arrays]
    y = of_tensors(*tensors)
    expected = np.asarray(of_arrays(*arrays))
    assert y.shape == expected.shape
    assert np.allclose(y.value, expected, rtol=1e-14, atol=1e-14)
    dy = np.random.default_rng(9).normal(size=y.shape)
    for found, slopes in zip(gradients((y * dy).sum(), tensors), differences(of_arrays, arrays, dy), strict=True):
        assert found.shape == slopes.shape
        assert np.allclose(found, slopes, rtol=1e-7, atol=1e-7)


PAIRS = [
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((4,), (3, 4)),
    ((2, 1, 4), (3, 1)),
    ((1, 1), (3, 4)),
    ((), (3, 4)),
    ((), ()),
]


@pytest.mark.parametrize(("a", "b"), PAIRS)
@pytest.mark.parametrize(
    "function",
    [lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y, lambda x, y: x / y],
    ids=["add", "subtract", "multiply", "divide"],
)
def test_arithmetic_with_broadcasting(function, a, b):
    agree(function, function, draw(a, b, positive=True))


C = np.random.default_rng(8).normal(size=(2, 3, 1))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + C,
        lambda x: C + x,
        lambda x: x - C,
        lambda x: C - x,
        lambda x: x * C,
        lambda x: C * x,
        lambda x: x / C,
        lambda x: C / x,
        lambda x: x + 2,
        lambda x: 2 + x,
        lambda x: x - 2.5,
        lambda x: 2.5 - x,
        lambda x: 3 * x,
        lambda x: x / 3,
        lambda x: 3 / x,
        lambda x: -x,
        lambda x: x**3,
        lambda x: x**0.5,
        lambda x: x**-2,
        lambda x: x * x * x,
        lambda x: (x + x) / x**2,
    ],
)
def test_constants_on_either_side(function):
    agree(function, function, draw((3, 4), positive=True))


@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((1, 2, 3), (5, 3, 4))],
)
def test_matrix_products_in_batches(a, b):
    x, y = draw(a, b)
    agree(lambda x, y: x @ y, lambda x, y: x @ y, [x, y])
    agree(lambda x: x @ y, lambda x: x @ y, [x])
    agree(lambda y: x @ y, lambda y: x @ y, [y])


@pytest.mark.parametrize(("tensors", "arrays"), [(ad.exp, np.exp), (ad.log, np.log), (ad.tanh, np.tanh)])
def test_functions_of_one_number(tensors, arrays):
    agree(tensors, arrays, draw((3, 4), positive=True))


def test_relu_and_maximum():
    agree(ad.relu, lambda x: np.maximum(x, 0), draw((3, 4)))
    agree(ad.maximum, np.maximum, draw((3, 4), (4,)))
    agree(lambda x: ad.maximum(x, 0.3), lambda x: np.maximum(x, 0.3), draw((3, 4)))
    agree(lambda x: ad.maximum(C, x), lambda x: np.maximum(C, x), draw((3, 4)))


def test_ties_of_relu_and_maximum():
    zero, one, other = Tensor(np.zeros(2)), Tensor(np.ones(2)), Tensor(np.ones(2))
    assert gradients(ad.relu(zero).sum(), [zero])[0].tolist() == [0, 0]
    assert [g.tolist() for g in gradients(ad.maximum(one, other).sum(), [one, other])] == [[1, 1], [0, 0]]


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (1, -1)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions(name, axis, keepdims):
    agree(
        lambda x: getattr(x, name)(axis, keepdims),
        lambda x: getattr(x, name)(axis=axis, keepdims=keepdims),
        draw((2, 3, 4)),
    )


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions_take_all_elements_and_keep_no_axis_by_default(name):
    x = draw((2, 3))[0]
    assert getattr(Tensor(x), name)().value == pytest.approx(getattr(x, name)(), rel=1e-15)
    assert getattr(Tensor(x), name)().shape == ()
    assert getattr(Tensor(x), name)(axis=1).shape == (2,)


def test_equal_largest_elements_share_the_gradient():
    x = Tensor(np.array([[1.0, 3.0, 3.0, 0.0], [2.0, 2.0, 2.0, 2.0]]))
    (found,) = gradients((x.max(axis=1) * np.array([10.0, 100.0])).sum(), [x])
    assert found.tolist() == [[0, 5, 5, 0], [25, 25, 25, 25]]
    assert gradients(x.max(), [x])[0].tolist() == [[0, 0.5, 0.5, 0], [0, 0, 0, 0]]


def test_reshape_and_transpose():
    agree(lambda x: x.reshape(4, 6), lambda x: x.reshape(4, 6), draw((2, 3, 4)))
    agree(lambda x: x.reshape(-1), lambda x: x.reshape(-1), draw((2, 3, 4)))
    agree(lambda x: x.transpose(1, 2, 0), lambda x: x.transpose(1, 2, 0), draw((2, 3, 4)))
    agree(lambda x: x.transpose(0, 2, 1), lambda x: x.transpose(0, 2, 1), draw((2, 3, 4)))
    agree(lambda x: x.transpose(-1, 0, 1), lambda x: x.transpose(-1, 0, 1), draw((2, 3, 4)))


@pytest.mark.parametrize(
    "index",
    [
        1,
        (0, 2),
        (slice(None), slice(None, None, 2)),
        (..., 1),
        (slice(None), None, 0),
        ([2, 0, 2, 2],),
        (np.array([0, 1, 1, 0]), np.array([3, 2, 2, 3])),
        (slice(None), np.array([[0, 1], [1, 3]])),
        (MASK,),
    ],
    ids=str,
)
def test_elements_of_an_index(index):
    agree(lambda x: x[index], lambda x: x[index], draw((3, 4)))


def test_an_element_taken_twice_gets_both_gradients():
    x = Tensor(np.array([1.0, 2.0, 3.0]))
    (found,) = gradients((x[np.array([0, 2, 0])] * np.array([1.0, 10.0, 100.0])).sum(), [x])
    assert found.tolist() == [101, 0, 10]


def test_where():
    agree(lambda x, y: ad.where(MASK, x, y), lambda x, y: np.where(MASK, x, y), draw((3, 4), (4,)))
    agree(lambda x: ad.where(MASK[0], x, 7.0), lambda x: np.where(MASK[0], x, 7.0), draw((3, 4)))
    agree(lambda x: ad.where(MASK, C, x), lambda x: np.where(MASK, C, x), draw((1, 4)))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concatenate(axis):
    shapes = [(2, 3, 4), (2, 3, 4)]
    for shape, n in zip([list(s) for s in shapes], (5, 1), strict=True):
        shape[axis] = n
        shapes.append(tuple(shape))
    arrays = draw(*shapes[1:])
    agree(lambda *x: ad.concatenate(x, axis), lambda *x: np.concatenate(x, axis), arrays)
    agree(
        lambda x: ad.concatenate([arrays[0], x, arrays[1]], axis),
        lambda x: np.concatenate([arrays[0], x, arrays[1]], axis),
        [arrays[2]],
    )


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_stack(axis):
    x, y, z = draw((3, 4), (3, 4), (3, 4))
    agree(lambda *x: ad.stack(x, axis), lambda *x: np.stack(x, axis), [x, y, z])
    agree(lambda x: ad.stack([x, y, x], axis), lambda x: np.stack([x, y, x], axis), [x])


def test_both_join_along_the_first_axis_by_default():
    x, y = (Tensor(array) for array in draw((4, 3), (4, 3)))
    assert ad.concatenate([x, y]).shape == (8, 3)
    assert ad.stack([x, y]).shape == (2, 4, 3)


def test_a_whole_computation_with_shared_parts():
    def network(x, w, b):
        h = ad.tanh(x @ w + b)
        return (h @ w.transpose(1, 0)) * h.sum(axis=1, keepdims=True) / (h**2).mean()

    def of_arrays(x, w, b):
        h = np.tanh(x @ w + b)
        return (h @ w.T) * h.sum(axis=1, keepdims=True) / (h**2).mean()

    agree(network, of_arrays, draw((5, 3), (3, 4), (4,)))
