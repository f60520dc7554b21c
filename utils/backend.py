"""Keras, imported quietly, and the few things that depend on its backend.

This is the one module that names a backend. Everything else is written with
``keras`` and ``keras.ops``, so the same source runs on TensorFlow (the default)
and on JAX; ``KERAS_BACKEND`` chooses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Without it JAX turns every float64 into float32 and says nothing.
os.environ.setdefault("JAX_ENABLE_X64", "1")
# Recent GPUs multiply float32 with ten bits (TF32) unless told otherwise; the book compares to a millionth.
os.environ.setdefault("JAX_DEFAULT_MATMUL_PRECISION", "highest")


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Point file descriptor 2 at the null device: TensorFlow's C++ code writes there."""
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(null)
        os.close(saved)


with _silent_stderr():
    import keras
    from keras import ops

    if keras.backend.backend() == "jax":
        import jax
    # Keras's ``fit`` imports an installed TensorFlow on every backend: better here, where it is quiet.
    if find_spec("tensorflow"):
        import tensorflow as tf

        # A chapter builds many small models; TensorFlow warns that each is traced anew.
        tf.get_logger().setLevel("ERROR")
        tf.config.experimental.enable_tensor_float_32_execution(False)

__all__ = ["keras", "ops", "set_seed", "value_and_grad"]


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and the backend: what Keras draws from here on is repeatable."""
    keras.utils.set_random_seed(seed)


def value_and_grad(
    loss: Callable[..., Any], variables: Sequence[Any], *inputs: Any
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray | None]]:
    """Return the value of a scalar loss and its gradients, whatever the backend.

    Parameters
    ----------
    loss
        A function of the inputs that returns a scalar tensor. It may use the
        variables in any way (a layer that owns them, for instance).
    variables
        Keras variables, such as ``layer.trainable_variables``.
    inputs
        Arrays handed to ``loss``, in their own dtype.

    Returns
    -------
    value : numpy scalar array, shape ()
    variable_gradients : list of arrays, one a variable, in its shape
    input_gradients : list of arrays, one an input; None for an integer input

    Raises
    ------
    NotImplementedError
        If the backend is neither TensorFlow nor JAX.
    """
    arrays = [np.asarray(x) for x in inputs]
    real = [i for i, x in enumerate(arrays) if np.issubdtype(x.dtype, np.floating)]
    name = keras.backend.backend()
    if name == "tensorflow":
        value, of_variables, of_inputs = _tensorflow(loss, variables, arrays, real)
    elif name == "jax":
        value, of_variables, of_inputs = _jax(loss, variables, arrays, real)
    else:
        raise NotImplementedError(
            f"value_and_grad works with the tensorflow and jax backends, not with "
            f"{name}: set KERAS_BACKEND to one of them before Keras is imported"
        )
    input_gradients: list[np.ndarray | None] = [None] * len(arrays)
    for i, gradient in zip(real, of_inputs, strict=True):
        input_gradients[i] = np.asarray(gradient)
    return np.asarray(value), [np.asarray(g) for g in of_variables], input_gradients


def _tensorflow(
    loss: Callable[..., Any],
    variables: Sequence[Any],
    arrays: list[np.ndarray],
    real: list[int],
) -> tuple[Any, list[Any], list[Any]]:
    tensors = [tf.constant(x) for x in arrays]
    watched = [tensors[i] for i in real]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        value = loss(*tensors)
    of_variables, of_inputs = tape.gradient(
        value,
        ([v.value for v in variables], watched),
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    # The gradient of an embedding comes as the rows that were used, without the others.
    return value, [tf.convert_to_tensor(gradient) for gradient in of_variables], of_inputs


def _jax(
    loss: Callable[..., Any],
    variables: Sequence[Any],
    arrays: list[np.ndarray],
    real: list[int],
) -> tuple[Any, list[Any], list[Any]]:
    def stateless(values: list[Any], floats: list[Any]) -> Any:
        tensors = [jax.numpy.asarray(x) for x in arrays]
        for i, x in zip(real, floats, strict=True):
            tensors[i] = x
        with keras.StatelessScope(list(zip(variables, values, strict=True))):
            return loss(*tensors)

    values = [v.value for v in variables]
    floats = [jax.numpy.asarray(arrays[i]) for i in real]
    value, (of_variables, of_inputs) = jax.value_and_grad(stateless, argnums=(0, 1))(values, floats)
    return value, of_variables, of_inputs
