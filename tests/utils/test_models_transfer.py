"""A body that is carried over: what is built, copied, read and trained."""

import re

import numpy as np
import pytest

from utils.models.transfer import Learner, accuracy, classifier, copy_body, features, logits
from utils.scratch import network as scratch

SHAPE = (14, 11, 2)


def build(seed=0, classes=3):
    return classifier(SHAPE, classes, seed, filters=(3, 4), units=5)


def wide(seed=0):
    """A network that learns anything: of five features, most may be dead from the start."""
    return classifier(SHAPE, 3, seed, filters=(6, 8), units=32)


def images(count=7, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, *SHAPE)).astype("float32"), rng.integers(0, 3, count)


def same(one, other):
    return [np.array_equal(a, b) for a, b in zip(one.get_weights(), other.get_weights(), strict=True)]


@pytest.fixture(scope="module")
def learner():
    """One for all tests: compiling takes a second."""
    return Learner(wide())


def test_layers_and_parameters():
    assert [w.shape for w in classifier((16, 16, 1)).get_weights()] == [
        *((3, 3, 1, 8), (8,), (3, 3, 8, 16), (16,)),
        *((64, 64), (64,), (64, 10), (10,)),
    ]
    assert [w.shape for w in build().get_weights()][4] == (8, 5)
    assert build(classes=7).output_shape == (None, 7)


def test_the_kernels_are_he_normal_and_the_last_is_glorot_uniform():
    weights = classifier((30, 30, 8), 200, filters=(60, 70), units=300).get_weights()
    for kernel, fan in zip(weights[:6:2], (72, 540, 36 * 70), strict=True):
        assert kernel.std() == pytest.approx(np.sqrt(2 / fan), rel=0.03)
    assert weights[6].std() == pytest.approx(np.sqrt(2 / 500), rel=0.03)
    assert not any(bias.any() for bias in weights[1::2])


def test_scratch_computes_the_same():
    model = build(3)
    rng = np.random.default_rng(4)
    model.set_weights([w + rng.normal(size=w.shape) / 5 for w in model.get_weights()])
    layers = [
        *(scratch.Conv2D(3, 3), scratch.ReLU(), scratch.MaxPool2D(2)),
        *(scratch.Conv2D(4, 3), scratch.ReLU(), scratch.MaxPool2D(2)),
        *(scratch.Flatten(), scratch.Dense(5), scratch.ReLU(), scratch.Dense(3)),
    ]
    twin = scratch.Network(layers, SHAPE, dtype="float64")
    twin.set_parameters(model.get_weights())
    x, _ = images()
    np.testing.assert_allclose(logits(model, x), twin.forward(x), atol=1e-5)
    np.testing.assert_allclose(features(model, x), layers[-1].x, atol=1e-5)


def test_the_head_turns_features_into_logits():
    model = build(1)
    x, _ = images()
    w, b = model.get_weights()[-2:]
    found = features(model, x)
    assert found.shape == (7, 5)
    assert found.min() >= 0
    np.testing.assert_allclose(found @ w + b, logits(model, x), atol=1e-5)


def test_accuracy():
    model = build(2)
    x, _ = images(8)
    right = logits(model, x).argmax(axis=1)
    assert accuracy(model, x, right) == 1
    assert accuracy(model, x, np.where(np.arange(8) < 2, right, (right + 1) % 3)) == 0.25


def test_seeds():
    assert all(same(build(1), build(1)))
    assert same(build(1), build(2))[::2] == [False] * 4
    first, second = classifier((10, 10, 3), filters=(3, 3)).get_weights()[:3:2]
    assert not np.array_equal(first, second)


def test_a_body_is_copied_and_the_head_is_not():
    source, target = build(1), build(2)
    source.set_weights([w + 0.1 for w in source.get_weights()])  # biases differ, too
    fresh = target.get_weights()
    kept = source.get_weights()
    copy_body(source, target)
    assert same(source, target) == [True] * 6 + [False] * 2
    assert all(np.array_equal(a, b) for a, b in zip(fresh[6:], target.get_weights()[6:], strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(kept, source.get_weights(), strict=True))


def test_a_body_fits_another_head():
    source, target = build(1, classes=3), build(2, classes=6)
    copy_body(source, target)
    x, _ = images()
    np.testing.assert_array_equal(features(source, x), features(target, x))
    assert logits(target, x).shape == (7, 6)


def test_training_lowers_the_loss_and_is_repeatable(learner):
    model, start = learner.model, wide(5).get_weights()
    x, y = images(20)
    found = []
    for seed in (0, 0, 1):
        model.set_weights(start)
        losses = learner.fit(x, y, 60, 8, 0.01, seed)
        found.append((losses, model.get_weights()))
    assert len(losses) == 60
    assert np.mean(found[0][0][-5:]) < 0.5 * np.mean(found[0][0][:5])
    assert found[0][0] == found[1][0]  # nothing of the first training is left in the optimizer
    assert found[0][0] != found[2][0]
    assert accuracy(model, x, y) > 0.9


def test_the_first_loss_is_that_before_the_step_and_the_first_step_is_adams(learner):
    model = learner.model
    model.set_weights(wide(6).get_weights())
    before = model.get_weights()
    x, y = images(4)
    scores = logits(model, x).astype(float)
    expected = (np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(4), y]).mean()
    assert learner.fit(x, y, 1, 4, 0.002) == pytest.approx([expected], abs=1e-5)
    moved = np.abs(model.get_weights()[-1] - before[-1])
    np.testing.assert_allclose(moved, 0.002, rtol=1e-2)  # Adam's first step is a rate long


def test_the_rate_falls_along_half_a_cosine(learner, monkeypatch):
    rates = []
    monkeypatch.setattr(
        learner.model, "train_on_batch", lambda x, y: rates.append(float(learner.optimizer.learning_rate)) or 0.0
    )
    learner.fit(*images(4), 4, 4, 0.01)
    np.testing.assert_allclose(rates, [0.01, 0.005 * (1 + np.sqrt(0.5)), 0.005, 0.005 * (1 - np.sqrt(0.5))], rtol=1e-5)
    rates.clear()
    learner.fit(*images(4), 1)
    assert rates == pytest.approx([0.001])


@pytest.mark.parametrize(("count", "steps", "batch_size"), [(3, 5, 4), (10, 4, 5), (7, 3, 2), (1, 2, 3)])
def test_examples_are_used_equally_often(learner, monkeypatch, count, steps, batch_size):
    seen = []
    monkeypatch.setattr(learner.model, "train_on_batch", lambda x, y: seen.append((x, y)) or 0.0)
    x = np.arange(count)
    learner.fit(x, 10 * x, steps, batch_size, seed=3)
    assert [len(batch) for batch, _ in seen] == [batch_size] * steps
    for batch, labels in seen:
        np.testing.assert_array_equal(10 * batch, labels)
    times = np.bincount(np.concatenate([batch for batch, _ in seen]), minlength=count)
    assert times.max() - times.min() <= 1
    assert times.sum() == steps * batch_size


@pytest.mark.parametrize(("images_", "labels"), [(3, 2), (0, 0)])
def test_examples_that_do_not_fit(learner, images_, labels):
    message = f"{images_} images and {labels} labels: expected as many of both, at least one."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        learner.fit(np.ones((images_, *SHAPE)), np.zeros(labels, int), 1)
