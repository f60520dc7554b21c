"""Schedules and the smoothed loss against Keras's."""

import numpy as np
import pytest

from utils.backend import keras, ops, value_and_grad
from utils.scratch.schedules import warmup_cosine
from utils.scratch.smoothing import smoothed_cross_entropy

pytestmark = pytest.mark.usefixtures("double_precision")


@pytest.mark.parametrize(("steps", "warm", "floor"), [(40, 0, 0.0), (40, 8, 0.0), (25, 1, 0.25), (60, 59, 0.5)])
def test_warm_up_and_cosine(agree, steps, warm, floor):
    """Keras counts the steps of the fall alone, and gives the floor as a share of the peak."""
    peak = 0.5
    if warm:
        theirs = keras.optimizers.schedules.CosineDecay(
            0.0, steps - warm, alpha=floor, warmup_target=peak, warmup_steps=warm
        )
    else:
        theirs = keras.optimizers.schedules.CosineDecay(peak, steps, alpha=floor)
    found = warmup_cosine(steps, peak, warm, floor * peak)
    expected = [float(ops.convert_to_numpy(theirs(step))) for step in range(steps)]
    agree("warm-up and cosine, in Keras's float32", found, np.array(expected), 1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.125, 0.5])
def test_label_smoothing(agree, smoothing):
    """Loss and gradient; shares that float32 holds exactly."""
    generator = np.random.default_rng(3)
    logits, labels = generator.normal(size=(6, 5)) * 3, generator.integers(5, size=6)
    loss, gradient = smoothed_cross_entropy(logits, labels, smoothing)
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    value, _, gradients = value_and_grad(lambda z: theirs(np.eye(5)[labels], z), [], logits)
    agree("smoothed loss", loss, value, 1e-10)
    agree("gradient of the smoothed loss", gradient, gradients[0], 1e-10)
