"""Attributions: exact where the model is linear, complete where it is not, and refusals."""

import numpy as np
import pytest

from tests.utils.drawing import central_differences
from tests.utils.keras_twins import exact_tanh
from utils.backend import keras, ops
from utils.models import attribution
from utils.models.attribution import completeness_gap, grad_cam, integrated_gradients, saliency, scores, smooth_grad

layers = keras.layers


def images(batch=3, seed=0, dtype="float64"):
    return np.random.default_rng(seed).normal(size=(batch, 6, 5, 2)).astype(dtype)


def network(seed=0, dtype="float64", activation=exact_tanh):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            layers.Input((6, 5, 2), dtype=dtype),
            layers.Conv2D(3, 3, activation=activation, dtype=dtype, name="maps", bias_initializer="normal"),
            layers.Flatten(dtype=dtype, name="flat"),
            layers.Dense(4, dtype=dtype, bias_initializer="normal"),
        ]
    )


CLASSES = np.array([2, 0, 3])


def test_scores_and_gradients():
    model, x = network(), images()
    logits = ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(scores(model, x, CLASSES), logits[np.arange(3), CLASSES])
    found = saliency(model, x, CLASSES)
    assert found.shape == x.shape
    expected = central_differences(lambda: float(scores(model, x, CLASSES).sum()), x)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_a_batch_of_one():
    model, x = network(), images()
    np.testing.assert_allclose(saliency(model, x[1:2], CLASSES[1:2]), saliency(model, x, CLASSES)[1:2], atol=1e-12)
    np.testing.assert_allclose(
        integrated_gradients(model, x[1:2], [0], steps=7),
        integrated_gradients(model, x, CLASSES, steps=7)[1:2],
        atol=1e-12,
    )


def linear(x):
    """Three logits of two inputs: w x + b."""
    return ops.matmul(x, np.array([[1.0, 2.0, -3.0], [0.5, 0.0, 4.0]])) + np.array([10.0, 20.0, 30.0])


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_integrated_gradients_of_a_linear_model_are_exact_after_one_step(steps):
    x, start = np.array([[2.0, 3.0], [1.0, -1.0]]), np.array([1.0, 1.0])
    found = integrated_gradients(linear, x, [2, 0], start, steps)
    np.testing.assert_allclose(found, [[-3, 8], [0, -1]])
    np.testing.assert_allclose(completeness_gap(linear, x, [2, 0], found, start), 0, atol=1e-12)
    np.testing.assert_allclose(smooth_grad(linear, x, [2, 0], 0.5, 3, np.random.default_rng(0)), [[-3, 4], [1, 0.5]])


def test_each_step_is_measured_in_its_middle():
    def cube(x):
        return x**3

    # Two steps from 0 to 2 are measured at 1/2 and 3/2: 2 (3/4 + 27/4) / 2 = 7.5, and 8 in the limit.
    x = np.array([[2.0]])
    assert integrated_gradients(cube, x, [0], 0.0, 2) == pytest.approx(7.5)
    assert integrated_gradients(cube, x, [0], 1.0, 1) == pytest.approx(3 * 1.5**2)
    gap = completeness_gap(cube, x, [0], integrated_gradients(cube, x, [0], 0.0, 2))
    assert gap == pytest.approx([0.5 / 8])
    assert completeness_gap(cube, x, [0], np.array([[9.0]])) == pytest.approx([1 / 8])  # never negative


def test_completeness_of_a_network():
    model, x = network(), images()
    start = images(seed=5)
    previous = 1.0
    for steps in (8, 64):
        found = integrated_gradients(model, x, CLASSES, start, steps)
        gap = completeness_gap(model, x, CLASSES, found, start).max()
        assert gap < previous / 10
        previous = gap
    assert gap < 1e-4


def test_completeness_to_a_thousandth_with_kinks_and_single_precision():
    model, x = network(activation="relu", dtype="float32"), images(dtype="float32")
    # The class whose score changes most: a share of a change near 0 says nothing.
    changes = ops.convert_to_numpy(model(x)) - ops.convert_to_numpy(model(np.zeros_like(x)))
    classes = np.abs(changes).argmax(axis=1)
    found = integrated_gradients(model, x, classes, steps=1000)
    assert found.dtype == np.float32
    assert completeness_gap(model, x, classes, found).max() < 1e-3


def test_steps_in_several_batches_are_the_same_steps(monkeypatch):
    model, x = network(), images()
    whole = integrated_gradients(model, x, CLASSES, steps=10)
    for rows in (1, 12):  # three images: one step at once, and four, four, two
        monkeypatch.setattr(attribution, "ROWS", rows)
        np.testing.assert_allclose(integrated_gradients(model, x, CLASSES, steps=10), whole, rtol=1e-12)


def test_two_networks_that_compute_the_same_get_the_same():
    """Implementation invariance: Sundararajan et al., 2017, section 2.2."""

    def one(x):
        return ops.relu(x)

    def another(x):
        return ops.maximum(2 * x, x) - ops.relu(x) + ops.relu(-x)  # 2x - x where x > 0, else x + (-x)

    x = np.array([[1.5], [-0.5]])
    for method in (saliency, integrated_gradients):
        np.testing.assert_allclose(method(one, x, [0, 0]), method(another, x, [0, 0]), atol=1e-12)


def test_the_mean_over_noise():
    model, x = network(), images()
    found = smooth_grad(model, x, CLASSES, 0.2, 4, np.random.default_rng(3))
    generator = np.random.default_rng(3)
    expected = np.mean([saliency(model, x + 0.2 * generator.normal(size=x.shape), CLASSES) for _ in range(4)], axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_allclose(
        smooth_grad(model, x, CLASSES, 0.0, 2, generator), saliency(model, x, CLASSES), rtol=1e-12
    )


def test_class_maps_by_hand():
    model, x = network(), images()
    found = grad_cam(model, "maps", x, CLASSES)
    maps = ops.convert_to_numpy(model.layers[0](x))
    w = ops.convert_to_numpy(model.layers[2].kernel).reshape(4, 3, 3, 4)  # a dense layer over the flattened maps
    expected = np.stack([(m * w[..., c].mean(axis=(0, 1))).sum(axis=-1) for m, c in zip(maps, CLASSES, strict=True)])
    np.testing.assert_allclose(found, np.maximum(expected, 0), atol=1e-12)
    assert (found == 0).any()
    assert found.max() > 0


def test_refusals():
    model, x = network(), images()
    for call in (scores, saliency):
        with pytest.raises(ValueError, match=r"^The classes have shape \(2,\): expected one for each of 3 examples\.$"):
            call(model, x, [1, 2])
    with pytest.raises(ValueError, match=r"^The way from the baseline takes at least one step, not 0\.$"):
        integrated_gradients(model, x, CLASSES, steps=0)
    with pytest.raises(ValueError, match=r"^The model has no layer 'conv': take one of maps, flat, "):
        grad_cam(model, "conv", x, CLASSES)
    with pytest.raises(ValueError, match=r"^The output of flat has shape \(3, 36\): expected maps \(batch, h, w, maps"):
        grad_cam(model, "flat", x, CLASSES)
