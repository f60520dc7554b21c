"""The feed-forward language model of scratch and layers of Keras agree, forward and in every gradient."""

import numpy as np
import pytest

from utils.backend import keras, ops, value_and_grad
from utils.scratch.feed_forward_language import FeedForward, fit, score


@pytest.mark.parametrize(("vocabulary", "units", "context", "width", "batch"), [(7, 5, 4, 3, 6), (3, 1, 1, 2, 1)])
def test_keras_and_scratch_agree(agree, double_precision, vocabulary, units, context, width, batch):
    rng = np.random.default_rng(units)
    scratch = FeedForward(vocabulary, units, context, width, dtype="float64")
    scratch.set_parameters([rng.normal(size=parameter.shape) for parameter in scratch.parameters])
    layers = keras.layers
    twin = keras.Sequential(
        [
            layers.Input((context,), dtype="int32"),
            layers.Embedding(vocabulary, width),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
            layers.Dense(units, activation="relu"),
            layers.Dense(vocabulary),
        ]
    )
    twin.set_weights(scratch.parameters)
    x = rng.integers(0, vocabulary, (batch, context)).astype("int32")
    y = rng.integers(0, vocabulary, batch).astype("int32")
    agree("feed-forward language model, logits", ops.convert_to_numpy(twin(x)), scratch.forward(x), 1e-12)

    def loss(x, y):
        return ops.mean(keras.losses.sparse_categorical_crossentropy(y, twin(x), from_logits=True))

    value, expected, _ = value_and_grad(loss, twin.trainable_variables, x, y)
    mean, found = scratch.loss_and_gradients(x, y)
    agree("feed-forward language model, loss", mean, value, 1e-12)
    for ours, theirs in zip(found, expected, strict=True):
        agree("feed-forward language model, gradients", ours, theirs, 1e-12)
    tokens = rng.integers(0, vocabulary, context + 20)
    bits, _ = score(scratch, tokens)
    rows = np.lib.stride_tricks.sliding_window_view(tokens, context + 1)
    theirs = -ops.log_softmax(twin(rows[:, :-1]))
    costs = ops.convert_to_numpy(theirs)[np.arange(20), rows[:, -1]] / np.log(2)
    agree("feed-forward language model, bits", bits, costs, 1e-12)
    fit(scratch, tokens, 2, 4)
