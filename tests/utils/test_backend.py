"""Keras is imported without a word, and gradients come out the same on each backend."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest

from utils import backend
from utils.backend import keras, ops, set_seed, value_and_grad
from utils.settings import ROOT

SCRIPT = """
import numpy as np
from utils.backend import keras, ops, value_and_grad
layer = keras.layers.Dense(1, dtype="float64")
layer.build((1, 2))
layer.set_weights([np.array([[2.0], [3.0]]), np.array([0.5])])
x, k = np.array([[1.0, -1.0]]), np.array([4])
value, (w, b), (dx, dk) = value_and_grad(
    lambda x, k: ops.sum(layer(x) * ops.cast(k, "float64")), layer.trainable_variables, x, k
)
print(keras.backend.backend(), value, w.tolist(), b.tolist(), dx.tolist(), dk, value.dtype, w.dtype, dx.dtype)
"""


def run(code: str, name: str) -> subprocess.CompletedProcess:
    environment = {
        k: v
        for k, v in os.environ.items()
        if k not in ("JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION", "TF_CPP_MIN_LOG_LEVEL")
    }
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | {"KERAS_BACKEND": name},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("name", ["tensorflow", "jax"])
def test_gradients_on_each_backend_and_nothing_on_stderr(name):
    result = run(SCRIPT, name)
    assert result.stderr == ""
    expected = f"{name} -2.0 [[4.0], [-4.0]] [4.0] [[8.0, 12.0]] None float64 float64 float64\n"
    assert result.stdout == expected


@pytest.mark.parametrize(
    ("name", "asked", "answer"),
    [
        ("tensorflow", "backend.tf.config.experimental.tensor_float_32_execution_enabled()", "False"),
        ("jax", "backend.jax.config.jax_default_matmul_precision", "highest"),
    ],
)
def test_products_on_a_gpu_keep_single_precision(name, asked, answer):
    assert run(f"from utils import backend\nprint({asked})", name).stdout == f"{answer}\n"


def test_descriptor_2_is_restored_after_an_error():
    code = (
        "import os\nfrom utils.backend import _silent_stderr\n"
        "try:\n    with _silent_stderr():\n        os.write(2, b'lost')\n        raise RuntimeError\n"
        "except RuntimeError:\n    os.write(2, b'seen')"
    )
    assert run(code, "tensorflow").stderr == "seen"


def test_an_unused_variable_has_a_gradient_of_zeros():
    used, unused = keras.Variable(np.ones(2)), keras.Variable(np.ones(3))
    _, gradients, (of_input,) = value_and_grad(lambda x: ops.sum(used * x), [used, unused], np.full(2, 3.0, np.float32))
    assert gradients[0].tolist() == [3, 3]
    assert gradients[1].tolist() == [0, 0, 0]
    assert of_input.tolist() == [1, 1]


def test_another_backend_is_named(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(NotImplementedError, match="tensorflow and jax backends, not with torch"):
        backend.value_and_grad(lambda: 0, [])


def test_the_seed_repeats_what_keras_draws():
    draws = []
    for _ in range(2):
        set_seed(3)
        draws.append((ops.convert_to_numpy(keras.random.normal((3,))), random.random()))
    assert np.array_equal(draws[0][0], draws[1][0])
    assert draws[0][1] == draws[1][1]
