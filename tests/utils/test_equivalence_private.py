"""Private gradients against Keras: gradients of a model's examples, taken one by one by the backend."""

import numpy as np
import pytest

from utils.backend import keras, ops, value_and_grad
from utils.models.mlp import mlp
from utils.scratch.network import Dense, Network, ReLU
from utils.scratch.private import clipped_sum, example_norms, factors, private_gradients


@pytest.fixture
def case(double_precision):
    """Return a twin of a Keras model in NumPy, inputs, labels, and Keras's gradients of every example."""
    rng = np.random.default_rng(1)
    model = mlp((5, 7, 4, 3), seed=1, dtype="float64")
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    twin = Network([Dense(7), ReLU(), Dense(4), ReLU(), Dense(3)], (5,), dtype="float64")
    twin.set_parameters(model.get_weights())
    x, y = rng.normal(size=(9, 5)), rng.integers(0, 3, 9).astype("int32")

    def loss(x, y):
        return ops.sum(keras.losses.sparse_categorical_crossentropy(y, model(x), from_logits=True))

    alone = [value_and_grad(loss, model.trainable_variables, x[[e]], y[[e]])[1] for e in range(9)]
    return twin, x, y, alone


def test_norms_and_clipped_sums(agree, case):
    twin, x, y, alone = case
    found = factors(twin, x, y)
    norms = np.array([np.sqrt(sum((gradient**2).sum() for gradient in one)) for one in alone])
    agree("norms of examples", example_norms(found), norms, 1e-11)
    clip = float(np.median(norms))
    shares = np.minimum(1, clip / norms)
    assert (shares < 1).any() and (shares == 1).any()
    for p, total in enumerate(clipped_sum(found, clip)):
        expected = sum(share * one[p] for share, one in zip(shares, alone, strict=True))
        agree("clipped sum", total, expected, 1e-11)


def test_gradients_without_a_bound(agree, case):
    twin, x, y, alone = case
    found = private_gradients(twin, x, y, np.inf, 0.0, 9.0, np.random.default_rng(0))
    for p, gradient in enumerate(found):
        agree("private gradient, no bound, no noise", gradient, sum(one[p] for one in alone) / 9, 1e-12)
