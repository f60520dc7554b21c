"""The autodiff engine against Keras's gradients in float64, operation by operation and through a whole network.

Runs on the TensorFlow and the JAX backend.
"""

import numpy as np
import pytest

from tests.utils.keras_twins import EXACT, exact_tanh, gradients_of_keras, rounded, update_as_keras
from utils.backend import keras, ops
from utils.data.images import mnist
from utils.models.mlp import mlp
from utils.scratch import autodiff as ad
from utils.scratch.optimizers import SGD, Adam, AdamW

pytestmark = pytest.mark.usefixtures("double_precision")
PLACES = np.array([2, 0, 2, 1])
MASK = np.random.default_rng(6).random((3, 4)) < 0.5

# Name: shapes, with the engine, with Keras.
CASES = {
    "add, broadcast": ([(3, 4), (4,)], lambda x, y: x + y, ops.add),
    "subtract, broadcast": ([(2, 1, 4), (3, 1)], lambda x, y: x - y, ops.subtract),
    "multiply, broadcast": ([(3, 1), (1, 4)], lambda x, y: x * y, ops.multiply),
    "divide, broadcast": ([(3, 4), (3, 1)], lambda x, y: x / (y**2 + 1), lambda x, y: x / (ops.square(y) + 1)),
    "power": ([(3, 4)], lambda x: (x**2 + 1) ** -1.5, lambda x: (x**2 + 1) ** -1.5),
    "matmul in batches, broadcast": ([(5, 1, 2, 3), (4, 3, 2)], lambda x, y: x @ y, ops.matmul),
    "exp": ([(3, 4)], ad.exp, ops.exp),
    "log": ([(3, 4)], lambda x: ad.log(x**2 + 1), lambda x: ops.log(x**2 + 1)),
    "tanh": ([(3, 4)], ad.tanh, exact_tanh),
    "relu": ([(3, 4)], ad.relu, ops.relu),
    "maximum": ([(3, 4), (4,)], ad.maximum, ops.maximum),
    "sum": ([(2, 3, 4)], lambda x: x.sum(axis=(0, 2)), lambda x: ops.sum(x, axis=(0, 2))),
    # A sum, since keras.ops.mean rounds float64 to float32 on JAX.
    "mean": ([(2, 3, 4)], lambda x: x.mean(axis=1, keepdims=True), lambda x: ops.sum(x, axis=1, keepdims=True) / 3),
    "max": ([(2, 3, 4)], lambda x: x.max(axis=-1), lambda x: ops.max(x, axis=-1)),
    "reshape, transpose": (
        [(2, 3, 4)],
        lambda x: x.transpose(2, 0, 1).reshape(8, 3),
        lambda x: ops.reshape(ops.transpose(x, (2, 0, 1)), (8, 3)),
    ),
    # The factor: TensorFlow hands back the gradient of a bare table as the rows that were used.
    "gather, repeated": ([(3, 4)], lambda x: x[PLACES], lambda x: ops.take(1.0 * x, PLACES, axis=0)),
    "concatenate": (
        [(3, 4), (2, 4)],
        lambda x, y: ad.concatenate([x, y, x]),
        lambda x, y: ops.concatenate([x, y, x], axis=0),
    ),
    "stack": ([(3, 4), (3, 4)], lambda x, y: ad.stack([x, y], 1), lambda x, y: ops.stack([x, y], axis=1)),
    "where": ([(3, 4), (4,)], lambda x, y: ad.where(MASK, x, y), lambda x, y: ops.where(MASK, x, y)),
}


@pytest.mark.parametrize("name", CASES)
def test_operation(agree, name):
    shapes, ours, theirs = CASES[name]
    rng = np.random.default_rng(4)
    arrays = [rng.normal(size=shape) for shape in shapes]
    y, dy, _, expected = gradients_of_keras(theirs, [], *arrays)
    tensors = [ad.Tensor(array) for array in arrays]
    found = ours(*tensors)
    agree(f"autodiff: {name}, forward", found.value, y, EXACT)
    for one, other in zip(ad.gradients((found * dy).sum(), tensors), expected, strict=True):
        agree(f"autodiff: {name}, gradient", one, other, EXACT)


def test_ties_of_max_and_relu(agree):
    x = np.array([[1.0, 2.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    tensor = ad.Tensor(x)
    for ours, theirs in ((tensor.max(axis=1), lambda x: ops.max(x, axis=1)), (ad.relu(tensor), ops.relu)):
        _, dy, _, (expected,) = gradients_of_keras(theirs, [], x)
        agree("autodiff: ties", ad.gradients((ours * dy).sum(), [tensor])[0], expected, EXACT)


def test_the_first_of_equal_ones_gets_the_gradient_on_tensorflow(agree):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("JAX gives each of them a half")
    one = ad.Tensor(np.ones(3))
    other = ad.Tensor(np.ones(3))
    y = ad.maximum(one, other)
    _, dy, _, expected = gradients_of_keras(ops.maximum, [], np.ones(3), np.ones(3))
    for found, theirs in zip(ad.gradients((y * dy).sum(), [one, other]), expected, strict=True):
        agree("autodiff: maximum of equal ones", found, theirs, EXACT)


def loss_of(x, labels, parameters):
    """A network of dense layers with ReLU between them, and cross-entropy from its logits."""
    for w, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        x = ad.relu(x @ w + b)
    z = x @ parameters[-2] + parameters[-1]
    shifted = z - z.value.max(axis=1, keepdims=True)
    log_sum = ad.log(ad.exp(shifted).sum(axis=1))
    return (log_sum - shifted[np.arange(len(labels)), labels]).mean()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_ten_steps_of_a_network_end_in_the_same_weights(agree, name):
    data, rate = mnist(), 0.03125
    images, labels = data.x_train[:320].reshape(320, 784).astype(np.float64), data.y_train[:320]
    twin = mlp((784, 32, 16, 10), seed=3, dtype="float64")
    parameters = [ad.Tensor(array.copy()) for array in twin.get_weights()]
    arrays = [parameter.value for parameter in parameters]
    ours = {"SGD": SGD(rate, rounded(0.9)), "Adam": Adam(rate), "AdamW": AdamW(rate, 0.0)}[name]
    theirs = {
        "SGD": keras.optimizers.SGD(rate, momentum=0.9),
        "Adam": keras.optimizers.Adam(rate),
        "AdamW": keras.optimizers.AdamW(rate, weight_decay=0.25),
    }[name]
    twin.compile(theirs, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for start in range(0, 320, 32):
        batch = slice(start, start + 32)
        expected = twin.train_on_batch(images[batch], labels[batch])
        loss = loss_of(images[batch], labels[batch], parameters)
        agree("autodiff: a network, loss", loss.value, np.asarray(expected), EXACT)
        gradients = ad.gradients(loss, parameters)
        if name == "SGD":
            ours.update(arrays, gradients)
        else:
            for array in arrays:
                array -= (rate * 0.25 if name == "AdamW" else 0.0) * array
            update_as_keras(ours, rate, arrays, gradients)
    for found, weights in zip(arrays, twin.get_weights(), strict=True):
        agree(f"autodiff: a network, ten steps of {name}", found, weights, 1e-8)
