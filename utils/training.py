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
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        # Without a dtype the loss of a float64 model is computed in float32.
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=model.outputs[0].dtype),
        metrics=["accuracy"],
    )
    history = History()
    with tqdm(total=epochs, unit="epoch", leave=False, disable=settings.quiet()) as bar:
        for _ in range(epochs):
            logs = model.fit(
                data.x_train if augment is None else augment(data.x_train, generator),
                data.y_train,
                validation_data=(data.x_test, data.y_test),
                batch_size=batch_size,
                verbose=0,
            ).history
            history.loss += logs["loss"]
            history.accuracy += logs["accuracy"]
            history.test_loss += logs["val_loss"]
            history.test_accuracy += logs["val_accuracy"]
            bar.set_postfix(test_accuracy=f"{history.test_accuracy[-1]:.3f}")
            bar.update()
    return history
