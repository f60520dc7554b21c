"""Rounding to bfloat16 is that of ml_dtypes, and the loss scale moves as Keras's does."""

import numpy as np
import pytest

from utils.scratch.precision import LossScale, bfloat16, float16

ml_dtypes = pytest.importorskip("ml_dtypes")


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_bfloat16_of_any_bits():
    bits = np.random.default_rng(0).integers(0, 2**32, 200_000, dtype=np.uint32)
    x = bits.view(np.float32)
    expected = x.astype(ml_dtypes.bfloat16).astype(np.float32)
    np.testing.assert_array_equal(bfloat16(x), expected)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_float16_saturates_nowhere():
    x = np.random.default_rng(1).normal(size=1000) * 1e5
    np.testing.assert_array_equal(float16(x), x.astype(np.float32).astype(np.float16).astype(np.float32))


def test_the_scale_moves_as_kerass():
    from utils.backend import keras

    rows = [True, True, True, False, True, True, False, False, True, True, True, True, True]
    inner = keras.optimizers.SGD(0.0)
    outer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=64.0, dynamic_growth_steps=3)
    weight = keras.Variable(np.ones(2, "float32"))
    outer.build([weight])
    ours = LossScale(64.0, patience=3)
    # On JAX, Keras's apply of this optimizer lets a tracer escape; on TensorFlow its stateless_apply is not supported.
    stateless = keras.backend.backend() == "jax"
    place = next(i for i, variable in enumerate(outer.variables) if variable is outer.dynamic_scale)
    state, value = [variable.value for variable in outer.variables], [weight.value]
    for fine in rows:
        gradient = np.array([1.0, 1.0 if fine else np.inf], np.float32)
        given = [keras.ops.convert_to_tensor(gradient)]
        if stateless:
            value, state = outer.stateless_apply(state, given, value)
        else:
            outer.apply(given, [weight])
        assert ours.accepts([gradient]) == fine
        assert float(state[place] if stateless else outer.dynamic_scale) == ours.scale
