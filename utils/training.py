"""Train a Keras classifier and keep what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from utils import settings
from utils.backend import keras, set_seed

if TYPE_CHECKING:
    from utils.data import Dataset


@dataclass
class History:
    """One number an epoch: mean training loss and accuracy, and those on the test part."""

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    test_loss: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)


def fit(
    model: keras.Model,
    data: Dataset,
    epochs: int = 5,
    batch_size: int = 32,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 0.001,
    seed: int = 0,
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
) -> History:
    """Train a classifier with Adam and cross-entropy on its logits.

    Parameters
    ----------
    model
        Maps a batch of ``data.x_train`` to logits (batch, classes). Trained in place.
    data
        Examples with integer labels; the test part is only measured.
    epochs, batch_size
        As in Keras.
    learning_rate
        A number, or one of Keras's schedules over the steps.
    seed
        Seed of the order of the examples and of ``augment``.
    augment
        Maps the training inputs and a generator to inputs of the same shape, anew for each epoch.

    Returns
    -------
    History
        The training figures are means over the epoch, as Keras reports them; the test
        figures are those after the epoch.
    """
    set_seed(seed)
    generator = np.random.default_rng(seed)
    x = data.x_train
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        # Without a dtype the loss of a float64 model is computed in float32.
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=model.outputs[0].dtype),
        metrics=["accuracy"],
    )
    history = History()
    with tqdm(total=epochs, unit="epoch", leave=False, disable=settings.quiet()) as bar:
        for _ in range(epochs):
            if augment is not None:
                x = augment(data.x_train, generator)
            order = generator.permutation(len(x))
            # One call a batch. A call to Keras's `fit` starts a pipeline with threads of its own, which took a third
            # of the time of a small network where the processes of a record already keep all cores busy.
            loss, accuracy = _over_batches(model, model.train_on_batch, x[order], data.y_train[order], batch_size)
            history.loss.append(loss)
            history.accuracy.append(accuracy)
            loss, accuracy = _over_batches(model, model.test_on_batch, data.x_test, data.y_test, 100)
            history.test_loss.append(loss)
            history.test_accuracy.append(accuracy)
            bar.set_postfix(test_accuracy=f"{history.test_accuracy[-1]:.3f}")
            bar.update()
    return history


def _over_batches(
    model: keras.Model, method: Callable[..., dict[str, float]], x: np.ndarray, y: np.ndarray, batch_size: int
) -> tuple[float, float]:
    """Hand all examples to a method of the model, batch by batch; return mean loss and accuracy."""
    totals = np.zeros(2)
    for start in range(0, len(x), batch_size):
        batch = slice(start, start + batch_size)
        model.reset_metrics()  # the versions of Keras do not agree whether the method does
        means = method(x[batch], y[batch], return_dict=True)
        totals += len(x[batch]) * np.array([means["loss"], means["accuracy"]])
    loss, accuracy = totals / len(x)
    return float(loss), float(accuracy)
