"""The multilayer perceptron in Keras."""

import re

import numpy as np
import pytest

from utils.backend import ops
from utils.models.mlp import mlp


def test_layers_and_parameters():
    model = mlp((784, 64, 32, 10))
    assert [w.shape for w in model.get_weights()] == [(784, 64), (64,), (64, 32), (32,), (32, 10), (10,)]
    assert [layer.activation.__name__ for layer in model.layers] == ["relu", "relu", "linear"]
    assert model.output_shape == (None, 10)


def test_computes_what_it_says():
    model = mlp((6, 5, 4, 3), seed=2, dtype="float64")
    x = np.random.default_rng(0).normal(size=(7, 6))
    w1, b1, w2, b2, w3, b3 = [w + 0.1 for w in model.get_weights()]
    model.set_weights([w1, b1, w2, b2, w3, b3])
    h = np.maximum(np.maximum(x @ w1 + b1, 0) @ w2 + b2, 0)
    assert ops.convert_to_numpy(model(x)) == pytest.approx(h @ w3 + b3, rel=1e-12)


def test_the_hidden_kernels_are_he_normal_and_the_last_is_glorot_uniform():
    w1, b1, w2, b2, w3, _ = mlp((800, 600, 400, 300)).get_weights()
    assert w1.std() == pytest.approx(np.sqrt(2 / 800), rel=0.02)
    assert w2.std() == pytest.approx(np.sqrt(2 / 600), rel=0.02)
    assert w3.std() == pytest.approx(np.sqrt(2 / 700), rel=0.02)
    assert np.abs(w3).max() <= np.sqrt(6 / 700)
    assert not b1.any() and not b2.any()


def test_seed_and_dtype():
    one, same, other = (mlp((4, 3, 3, 2), seed, "float64").get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[2], one[4][:, :1])
    assert {w.dtype.name for w in one} == {"float64"}


def test_refuses_a_single_size():
    message = "The sizes are (784,): expected at least those of the input and the output."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mlp([784])
