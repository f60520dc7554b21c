"""Low-rank adaptation in NumPy: values by hand, gradients by differences, merging, and the best of a rank."""

import numpy as np
import pytest

from tests.utils.drawing import central_differences
from utils.scratch.dense import dense
from utils.scratch.losses import softmax_cross_entropy
from utils.scratch.low_rank import LowRank, kept, low_rank, low_rank_backward, merge, nearest, size
from utils.scratch.network import Dense, Network, ReLU


def arrays(seed=0, batch=5, inputs=4, units=3, rank=2):
    rng = np.random.default_rng(seed)
    shapes = ((batch, inputs), (inputs, units), (units,), (inputs, rank), (rank, units))
    return [rng.normal(size=shape) for shape in shapes]


def test_by_hand():
    x, w, b = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([10.0, 20.0])
    down, up = np.array([[1.0], [1.0]]), np.array([[2.0, -1.0]])
    # x w + b = [11, 26]; x A = 3; 3 B = [6, -3]
    np.testing.assert_allclose(low_rank(x, w, b, down, up), [[17, 23]])
    np.testing.assert_allclose(low_rank(x, w, b, down, up, 0.5), [[14, 24.5]])
    np.testing.assert_allclose(merge(w, down, up), [[3, -1], [2, 2]])
    np.testing.assert_allclose(merge(w, down, up, 2.0), [[5, -2], [4, 1]])


def test_gradients_by_hand():
    x, w = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 3.0]])
    down, up, dy = np.array([[1.0], [1.0]]), np.array([[2.0, -1.0]]), np.array([[1.0, 4.0]])
    # dy B^T = -2; x^T · -2 = [-2, -4]; (x A)^T dy = 3 [1, 4]; dy w^T = [1, 12]
    dx, ddown, dup = low_rank_backward(dy, x, w, down, up)
    np.testing.assert_allclose(dx, [[-1, 10]])
    np.testing.assert_allclose(ddown, [[-2], [-4]])
    np.testing.assert_allclose(dup, [[3, 12]])
    dx, ddown, dup = low_rank_backward(dy, x, w, down, up, 3.0)
    np.testing.assert_allclose(dx, [[-5, 6]])
    np.testing.assert_allclose(ddown, [[-6], [-12]])
    np.testing.assert_allclose(dup, [[9, 36]])


@pytest.mark.parametrize(("batch", "rank", "scale"), [(5, 2, 1.0), (1, 1, 0.25), (3, 3, 4.0)])
def test_gradients_by_differences(batch, rank, scale):
    x, w, b, down, up = arrays(1, batch=batch, rank=rank)
    dy = np.random.default_rng(2).normal(size=(batch, 3))
    found = low_rank_backward(dy, x, w, down, up, scale)
    for gradient, array in zip(found, (x, down, up), strict=True):
        expected = central_differences(lambda: float((dy * low_rank(x, w, b, down, up, scale)).sum()), array)
        np.testing.assert_allclose(gradient, expected, atol=1e-7)


@pytest.mark.parametrize("scale", [1.0, 0.5, 8.0])
def test_merged_weights_give_the_same(scale):
    x, w, b, down, up = arrays(3)
    before = w.copy()
    np.testing.assert_allclose(
        dense(x, merge(w, down, up, scale), b), low_rank(x, w, b, down, up, scale), rtol=1e-12, atol=1e-12
    )
    np.testing.assert_array_equal(w, before)
    assert np.linalg.matrix_rank(merge(w, down, up, scale) - w) == 2


@pytest.mark.parametrize(
    ("down", "up"), [((4, 2), (3, 3)), ((3, 2), (2, 3)), ((4, 2), (2, 4)), ((4,), (2, 3)), ((4, 2), (2,))]
)
def test_shapes_that_do_not_fit(down, up):
    x, w, b, *_ = arrays()
    message = rf"The weights have shape \(4, 3\), A {str(down)!s} and B".replace("A (", r"A \(").replace(
        ") and", r"\) and"
    )
    for call in (lambda: low_rank(x, w, b, np.ones(down), np.ones(up)), lambda: merge(w, np.ones(down), np.ones(up))):
        with pytest.raises(ValueError, match=message) as error:
            call()
        assert str(error.value).endswith(f"and B {up}: expected (n, m), (n, r) and (r, m).")


def test_size():
    assert size([(4, 3)], 2) == 14
    assert size([(4, 3), (10, 5)], 3) == 66
    assert size([], 3) == 0


def test_nearest_is_the_best_of_its_rank():
    change = np.random.default_rng(4).normal(size=(6, 4))
    values = np.linalg.svd(change, compute_uv=False)
    for rank in (1, 2, 4):
        down, up = nearest(change, rank)
        assert down.shape == (6, rank)
        assert up.shape == (rank, 4)
        np.testing.assert_allclose(((change - down @ up) ** 2).sum(), (values[rank:] ** 2).sum(), atol=1e-12)
        np.testing.assert_allclose((down**2).sum(), (up**2).sum())  # the roots go to both sides
    with pytest.raises(ValueError, match=r"^A rank of 5 does not fit weights of shape \(6, 4\): take 1 to 4\.$"):
        nearest(change, 5)
    with pytest.raises(ValueError, match=r"A rank of 0 does not fit"):
        nearest(change, 0)


def test_kept():
    np.testing.assert_allclose(kept(np.diag([3.0, 0.0, 4.0])), [16 / 25, 1, 1])
    assert kept(np.zeros((3, 2))).tolist() == [1, 1]
    change = np.random.default_rng(5).normal(size=(5, 3))
    down, up = nearest(change, 2)
    assert kept(change)[1] == pytest.approx(1 - ((change - down @ up) ** 2).sum() / (change**2).sum())


def adapted(dtype="float64", alpha=1.0):
    first, last = Dense(5), Dense(3)
    plain = Network([first, ReLU(), last], (4,), seed=1, dtype=dtype)
    layers = [LowRank(first, 2, alpha), ReLU(), LowRank(last, 3, alpha)]
    return plain, Network(layers, (4,), seed=2, dtype=dtype)


def test_a_new_layer_is_the_dense_layer():
    plain, network = adapted()
    x = np.random.default_rng(0).normal(size=(7, 4))
    np.testing.assert_array_equal(network.forward(x), plain.forward(x))
    assert [p.shape for p in network.parameters] == [(4, 2), (2, 5), (5, 3), (3, 3)]
    assert not network.parameters[1].any()
    assert network.shapes == [(4,), (5,), (5,), (3,)]


def test_a_is_drawn_with_variance_one_over_inputs():
    layer = LowRank(Dense(50), 40)
    layer.build((400,), np.random.default_rng(0), np.dtype("float32"))
    down, up = layer.parameters
    assert down.dtype == up.dtype == np.float32
    assert down.std() == pytest.approx(1 / 20, rel=0.02)
    assert layer.layer.parameters[0].shape == (400, 50)  # the dense layer was built, too
    assert layer.layer.parameters[0].dtype == np.float32


def test_the_shape_of_sequences():
    assert LowRank(Dense(3), 2).build((5, 4), np.random.default_rng(0), np.dtype("float64")) == (5, 3)


def test_gradients_of_a_network_and_of_sequences():
    plain, network = adapted(alpha=4.0)
    rng = np.random.default_rng(3)
    for parameter in network.parameters:
        parameter[...] = rng.normal(size=parameter.shape)
    x, labels = rng.normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    frozen = [p.copy() for p in plain.parameters]
    _, gradients = network.loss_and_gradients(x, labels)
    assert len(gradients) == 4
    for gradient, parameter in zip(gradients, network.parameters, strict=True):
        expected = central_differences(lambda: softmax_cross_entropy(network.forward(x), labels)[0], parameter)
        np.testing.assert_allclose(gradient, expected, atol=1e-8)
    for before, after in zip(frozen, plain.parameters, strict=True):
        np.testing.assert_array_equal(before, after)
    layer = network.layers[0]
    rows = layer.forward(x)
    dx = layer.backward(rows)
    sequences = layer.forward(x.reshape(2, 3, 4))
    np.testing.assert_array_equal(sequences, rows.reshape(2, 3, 5))
    np.testing.assert_array_equal(layer.backward(sequences), dx.reshape(2, 3, 4))
    assert layer.scale == 2.0


def test_merged_layers():
    plain, network = adapted(alpha=3.0)
    rng = np.random.default_rng(4)
    for parameter in network.parameters:
        parameter[...] = rng.normal(size=parameter.shape)
    x = rng.normal(size=(5, 4))
    first, _, last = network.layers
    merged = [first.merged(), last.merged()]
    y = np.maximum(merged[0].forward(x), 0)
    np.testing.assert_allclose(merged[1].forward(y), network.forward(x), rtol=1e-12)
    assert merged[0].parameters[1] is not plain.parameters[1]  # a bias of its own
    merged[0].parameters[0][...] = 0
    assert plain.parameters[0].any()


def test_a_rank_that_does_not_fit():
    layer = LowRank(Dense(3), 4)
    with pytest.raises(ValueError, match=r"^A rank of 4 does not fit weights of shape \(7, 3\): take 1 to 3\.$"):
        layer.build((7,), np.random.default_rng(0), np.dtype("float64"))


def test_defaults():
    assert LowRank(Dense(3), 2).scale == 0.5
    assert LowRank(Dense(3), 4, 2.0).scale == 0.5
