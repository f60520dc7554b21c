"""The autodiff engine's graph: what it keeps, in which order it walks, and what it refuses."""

import re

import numpy as np
import pytest

from utils.scratch import autodiff as ad
from utils.scratch.autodiff import Tensor, gradients

IN_PLACE = (
    "A tensor is not changed in place, since the way back needs its value: write y = x + 1 instead of x += 1, and use "
    "where or concatenate instead of x[i] = y. An optimizer changes x.value."
)


def exactly(message):
    return f"^{re.escape(message)}$"


def test_gradients_of_tensors_on_the_way():
    x = Tensor(np.array([1.0, -2.0]))
    h = x * 3
    y = h**2
    loss = y.sum()
    found = gradients(loss, [loss, y, h, x, h])
    assert [g.tolist() for g in found] == [1, [1, 1], [6, -12], [18, -36], [6, -12]]


def test_a_tensor_that_does_not_matter_gets_zeros():
    x, y = Tensor(np.ones((2, 3), np.float32)), Tensor(np.ones(1))
    (found,) = gradients(y.sum(), [x])
    assert found.dtype == np.float32
    assert found.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_the_gradients_are_new_arrays_that_share_nothing():
    x, y = Tensor(np.ones(2)), Tensor(np.ones(2))
    s = x + y
    one, two, three, four = gradients(s.sum(), [x, y, s, x])
    one *= 5
    three *= 7
    assert [g.tolist() for g in (two, four)] == [[1, 1], [1, 1]]


def test_asking_twice_gives_the_same():
    x = Tensor(np.array([2.0, 3.0]))
    loss = (x * x).sum()
    assert gradients(loss, [x])[0].tolist() == gradients(loss, [x])[0].tolist() == [4, 6]


def test_a_loss_of_one_element_may_have_any_shape():
    x = Tensor(np.array([[2.0]]))
    assert gradients(x**2, [x])[0].tolist() == [[4]]


def test_no_gradient_is_computed_for_constants():
    x = Tensor(np.ones(2))
    y = x * np.ones(2) + 1.0
    assert [parent.shape for parent, _ in y.parents] == [(2,)]
    assert all(parent is x for parent, _ in y.parents[0][0].parents)
    assert ad.matmul(np.ones((1, 1)), np.ones((1, 1))).parents == []


def test_the_order_puts_parents_first_and_each_tensor_once():
    x = Tensor(np.ones(2))
    y = x * 2
    z = y * x + y
    order = ad.topological_order(z)
    assert len(order) == len({id(t) for t in order}) == 4
    assert order[-1] is z
    place = {id(tensor): i for i, tensor in enumerate(order)}
    assert all(place[id(p)] < place[id(t)] for t in order for p, _ in t.parents)


def test_each_tensor_steps_back_once():
    """A graph of 60 doublings has 2^60 paths, and 61 tensors."""
    x = Tensor(np.array(1.0))
    y = x
    for _ in range(60):
        y = y + y
    assert gradients(y, [x])[0] == 2.0**60


def test_a_graph_may_be_deeper_than_the_stack():
    x = Tensor(np.array(1.0))
    y = x
    for _ in range(5000):
        y = y * 1.0 + 0.001
    assert gradients(y, [x])[0] == 1


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + 1.5,
        lambda x: 2 - x,
        lambda x: x / 3,
        lambda x: 3 / x,
        lambda x: x**2,
        lambda x: x.mean(axis=1),
        lambda x: x.max(axis=0),
        lambda x: ad.relu(x),
        lambda x: ad.where(np.eye(3, dtype=bool), x, 0.0),
        lambda x: ad.where(np.eye(3, dtype=bool), 0.0, x),
        lambda x: ad.log(ad.exp(ad.tanh(x))),
        lambda x: x @ x.transpose(1, 0),
        lambda x: ad.stack([x[0], x[1]]),
        lambda x: ad.concatenate([x, x]),
    ],
)
def test_float32_stays_float32(function):
    x = Tensor(np.exp(np.random.default_rng(0).normal(size=(3, 3))).astype(np.float32))
    y = function(x)
    assert y.value.dtype == np.float32
    assert gradients(y.sum(), [x])[0].dtype == np.float32


def test_a_tensor_shows_shape_and_dtype():
    assert repr(Tensor(np.ones((2, 3), np.float32))) == "Tensor(shape=(2, 3), dtype=float32)"
    assert Tensor(1.0).shape == ()


def test_an_optimizer_may_change_a_tensor_through_its_array():
    array = np.ones(2)
    x = Tensor(array)
    array += 1
    assert x.value is array
    assert (x * 1).value.tolist() == [2, 2]
    assert x.parents == ()


def test_results_are_read_only():
    x = Tensor(np.ones((2, 3)))
    for y in (x + 1, x.reshape(6), x.transpose(1, 0), x[0], x.sum()):
        with pytest.raises(ValueError, match="read-only"):
            y.value[...] = 0
    x.value[...] = 2  # a parameter is not


@pytest.mark.parametrize("value", [np.arange(3), 3, np.array([True])])
def test_refuses_whole_numbers(value):
    name = np.asarray(value).dtype
    with pytest.raises(TypeError, match=exactly(f"A tensor holds floats, not {name}: whole numbers have no gradient.")):
        Tensor(value)


def test_refuses_changes_in_place():
    x = Tensor(np.ones((2, 2)))
    for statement in ("x += 1", "x -= 1", "x *= 2", "x /= 2", "x **= 2", "x @= x", "x[0] = 1.0"):
        with pytest.raises(TypeError, match=exactly(IN_PLACE)):
            exec(statement, {"x": x})


def test_refuses_a_loss_of_several_numbers():
    message = "The loss has shape (2, 1): expected one number, such as its sum() or mean()."
    with pytest.raises(ValueError, match=exactly(message)):
        gradients(Tensor(np.ones((2, 1))), [])


@pytest.mark.parametrize(("a", "b"), [((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (2, 3)), ((), (3, 2))])
def test_refuses_factors_that_do_not_fit(a, b):
    message = f"The factors have shapes {a} and {b}: expected (..., n, k) and (..., k, m)."
    with pytest.raises(ValueError, match=exactly(message)):
        Tensor(np.ones(a)) @ Tensor(np.ones(b))


def test_refuses_a_tensor_as_exponent():
    with pytest.raises(
        TypeError, match=exactly("The exponent must be a number: for a tensor y write exp(y * log(x)).")
    ):
        Tensor(2.0) ** Tensor(3.0)


def test_numpy_hands_over_and_refuses_its_own_functions():
    x = Tensor(np.ones(2))
    assert isinstance(np.ones(2) - x, Tensor)
    assert isinstance(np.float64(1) / x, Tensor)
    with pytest.raises(TypeError, match="ufunc"):
        np.exp(x)
