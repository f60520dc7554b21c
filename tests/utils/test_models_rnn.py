"""The networks for sequences: sizes, masks, directions, and the states that they show."""

import numpy as np
import pytest

from utils.backend import keras, set_seed
from utils.models import rnn

SHAPE = (9, 3)


@pytest.fixture
def x():
    """Three sequences of 9, 5 and 2 real steps, padded with zeros."""
    x = np.random.default_rng(0).normal(size=(3, *SHAPE)).astype("float32")
    x[1, 5:] = 0
    x[2, 2:] = 0
    return x


def scores(model, x):
    return model.predict(x, verbose=0)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 57802),
        ({"cell": "GRU"}, 44938),
        ({"bidirectional": True}, 147658),
        ({"pooling": "mean"}, 57802),
        ({"dropout": 0.2}, 57802),
        ({"masked": False}, 57802),
    ],
)
def test_parameters(options, count):
    model = rnn.recurrent((92, 13), 10, **options)
    assert model.count_params() == count
    assert model.output.shape == (None, 10)


@pytest.mark.parametrize("options", [{}, {"cell": "GRU"}, {"bidirectional": True}, {"pooling": "mean"}])
def test_masked_padding_changes_nothing(options, x):
    set_seed(0)
    model = rnn.recurrent(SHAPE, 4, units=5, **options)
    longer = rnn.recurrent((14, 3), 4, units=5, **options)
    longer.set_weights(model.get_weights())
    padded = np.concatenate([x, np.zeros((3, 5, 3), "float32")], axis=1)
    np.testing.assert_allclose(scores(longer, padded), scores(model, x), atol=1e-5)


def test_unmasked_padding_changes_the_scores(x):
    set_seed(0)
    model = rnn.recurrent(SHAPE, 4, units=5, masked=False)
    alone = rnn.recurrent((5, 3), 4, units=5, masked=False)
    alone.set_weights(model.get_weights())
    assert np.abs(scores(model, x[1:2]) - scores(alone, x[1:2, :5])).max() > 1e-3


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
@pytest.mark.parametrize("masked", [True, False])
def test_all_states_end_where_the_network_does(cell, masked, x):
    set_seed(0)
    model = rnn.recurrent(SHAPE, 4, cell=cell, units=5, masked=masked)
    first, second = rnn.all_states(model, x)
    assert first.shape == second.shape == (3, 9, 5)
    hidden = keras.Model(model.inputs, model.layers[-2].output)
    dense = model.layers[-2]
    w, b = dense.get_weights()
    np.testing.assert_allclose(np.maximum(second[:, -1] @ w + b, 0), scores(hidden, x), atol=1e-5)
    held = np.abs(second[1, 5:] - second[1, 4]).max()
    assert held == 0 if masked else held > 1e-3


def test_mean_pooling_leaves_the_padding_out(x):
    set_seed(0)
    model = rnn.recurrent(SHAPE, 4, units=5, pooling="mean")
    last = rnn.recurrent(SHAPE, 4, units=5)
    last.set_weights(model.get_weights())
    states = rnn.all_states(last, x)[1]
    means = np.stack([states[n, :length].mean(axis=0) for n, length in enumerate((9, 5, 2))])
    w, b = model.layers[-2].get_weights()
    hidden = keras.Model(model.inputs, model.layers[-2].output)
    np.testing.assert_allclose(np.maximum(means @ w + b, 0), scores(hidden, x), atol=1e-5)


def test_forget_bias_is_set_in_every_lstm_and_nowhere_else():
    model = rnn.recurrent(SHAPE, 4, units=5)
    before = model.get_weights()
    rnn.set_forget_bias(model, 5.0)
    changed = [(a, b) for a, b in zip(before, model.get_weights(), strict=True) if not np.array_equal(a, b)]
    assert len(changed) == 2
    for old, new in changed:
        np.testing.assert_array_equal(old, np.repeat([0, 1, 0, 0], 5))  # what Keras starts with
        np.testing.assert_array_equal(new, np.repeat([0, 5, 0, 0], 5))


def test_dropout_acts_in_training_alone(x):
    set_seed(0)
    model = rnn.recurrent(SHAPE, 4, units=5, dropout=0.5)
    twice = [np.asarray(model(x)) for _ in range(2)]
    np.testing.assert_array_equal(*twice)
    assert np.abs(np.asarray(model(x, training=True)) - twice[0]).max() > 1e-4


def test_convolution_counts_and_answers_wherever_the_word_is():
    model = rnn.convolutional((92, 13), 10)
    assert model.count_params() == 5 * 13 * 64 + 64 + 5 * 64 * 64 + 64 + 64 * 65 + 650
    small = rnn.convolutional((30, 3), 4, filters=6, taps=3)
    x = np.zeros((2, 30, 3), "float32")
    x[0, 8:14] = x[1, 15:21] = np.random.default_rng(0).normal(size=(6, 3))
    first, second = scores(small, x)
    np.testing.assert_allclose(first, second, atol=1e-5)


def test_depth_of_the_convolution():
    model = rnn.convolutional(SHAPE, 4, depth=3)
    assert sum(isinstance(layer, keras.layers.Conv1D) for layer in model.layers) == 3
