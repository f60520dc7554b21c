"""The Keras twin and its training."""

import dataclasses

import numpy as np
import pytest

from utils.backend import keras
from utils.data import Dataset
from utils.data.images import mnist
from utils.models.cnn import small_cnn
from utils.training import History, fit


@pytest.fixture(scope="module")
def few() -> Dataset:
    data = mnist()
    return dataclasses.replace(
        data, x_train=data.x_train[:600], y_train=data.y_train[:600], x_test=data.x_test[:200], y_test=data.y_test[:200]
    )


def test_the_model_is_that_of_the_chapter():
    model = small_cnn()
    assert model.count_params() == 5386
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)
    assert [w.shape for w in model.get_weights()] == [(5, 5, 1, 8), (8,), (3, 3, 8, 16), (16,), (400, 10), (10,)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_model_computes_in_its_dtype(dtype):
    model = small_cnn(dtype=dtype)
    assert {w.dtype.name for w in model.get_weights()} == {dtype}
    assert model.inputs[0].dtype == model.outputs[0].dtype == dtype


def test_the_seed_decides_the_weights():
    one, same, other = small_cnn(1).get_weights(), small_cnn(1).get_weights(), small_cnn(2).get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    for kernel in (0, 2, 4):
        assert not np.array_equal(one[kernel], other[kernel])
        assert not one[kernel + 1].any()


def test_fit_learns_and_keeps_its_history(few, capfd):
    model = small_cnn()
    history = fit(model, few, epochs=3, batch_size=20, learning_rate=0.005, seed=1)
    columns = dataclasses.asdict(history)
    assert list(columns) == ["loss", "accuracy", "test_loss", "test_accuracy"]
    assert {len(column) for column in columns.values()} == {3}
    assert history.loss[2] < 0.5 * history.loss[0]
    right = (model.predict(few.x_test, verbose=0).argmax(axis=1) == few.y_test).mean()
    assert history.test_accuracy[2] == pytest.approx(right, abs=1e-6)
    assert right > 0.7
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("keras_resets", [True, False])
def test_the_figures_are_those_of_keras_whatever_is_left_for_the_last_batch(few, monkeypatch, keras_resets):
    # At a rate of zero all batches meet the same weights; 600 = 8 * 70 + 40, 190 = 100 + 90.
    data = dataclasses.replace(few, x_test=few.x_test[:190], y_test=few.y_test[:190])
    model = small_cnn(seed=2)
    if not keras_resets:  # as in Keras 3.10, where the methods go on counting
        for name in ("train_on_batch", "test_on_batch"):
            monkeypatch.setattr(model, name, _without_reset(model, getattr(model, name)))
    history = fit(model, data, epochs=2, batch_size=70, learning_rate=0.0)
    columns = dataclasses.asdict(history)
    for x, y, prefix in ((data.x_train, data.y_train, ""), (data.x_test, data.y_test, "test_")):
        loss, accuracy = model.evaluate(x, y, verbose=0)
        assert columns[f"{prefix}loss"] == pytest.approx([loss] * 2, rel=1e-5)
        assert columns[f"{prefix}accuracy"] == pytest.approx([accuracy] * 2, abs=1e-6)


def _without_reset(model, method):
    def run(*arguments, **more):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(model, "reset_metrics", lambda: None)
            return method(*arguments, **more)

    return run


def test_every_example_is_seen_once_an_epoch_with_its_own_label(few, monkeypatch):
    seen = []
    model = small_cnn()
    train = model.train_on_batch
    monkeypatch.setattr(model, "train_on_batch", lambda x, y, **more: seen.append((x, y)) or train(x, y, **more))
    fit(model, few, epochs=1, batch_size=250)
    assert [len(x) for x, _ in seen] == [250, 250, 100]
    x, y = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    assert not np.array_equal(y, few.y_train)
    pairs = sorted((a.tobytes(), b) for a, b in zip(x, y, strict=True))
    assert pairs == sorted((a.tobytes(), b) for a, b in zip(few.x_train, few.y_train, strict=True))


def test_the_loss_of_a_model_in_float64_is_float64(few):
    model = small_cnn(dtype="float64")
    fit(model, few, epochs=1, batch_size=200)
    assert model.loss.dtype == "float64"
    assert float(model.optimizer.learning_rate.value) == pytest.approx(0.001)


def test_the_seed_decides_the_order_of_the_examples(few):
    finals = []
    for seed in (1, 1, 2):
        model = small_cnn()
        fit(model, few, epochs=1, batch_size=50, seed=seed)
        finals.append(model.get_weights()[0])
    assert np.allclose(finals[0], finals[1], atol=1e-5)
    assert not np.allclose(finals[0], finals[2], atol=1e-5)


def test_progress_is_one_line_that_goes_away(few, monkeypatch, capsys):
    monkeypatch.setenv("BOOK_QUIET", "0")
    fit(small_cnn(), few, epochs=1, batch_size=100)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "1/1" in shown.err
    assert "\n" not in shown.err


def test_an_empty_history_shares_nothing():
    assert History().loss is not History().loss


def test_keras_is_not_set_to_another_precision(few):
    small_cnn(dtype="float64")
    assert keras.config.floatx() == "float32"


def test_augmentation_is_drawn_anew_for_each_epoch_and_by_the_seed(few):
    seen = []

    def augment(x, generator):
        seen.append(generator.random())
        return np.zeros_like(x)

    model = small_cnn(seed=3)
    before = model.get_weights()
    for _ in range(2):
        fit(model, few, epochs=2, batch_size=300, seed=5, augment=augment)
    assert len(set(seen)) == 2 and seen[:2] == seen[2:]
    # On blank images no kernel can learn: what was trained on is what the function gave.
    after = model.get_weights()
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[-1], after[-1])


def test_a_schedule_sets_the_learning_rate(few):
    model = small_cnn()
    fit(model, few, epochs=2, batch_size=300, learning_rate=keras.optimizers.schedules.CosineDecay(0.01, 4))
    assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)
