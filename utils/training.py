"""Train a Keras classifier and keep what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
    learning_rate: float = 0.001,
    seed: int = 0,
) -> History:
    """Train a classifier with Adam and cross-entropy on its logits.

    Parameters
    ----------
    model
        Maps a batch of ``data.x_train`` to logits (batch, classes). Trained in place.
    data
        Examples with integer labels; the test part is only measured.
    epochs, batch_size, learning_rate
        As in Keras.
    seed
        Seed of the order of the examples.

    Returns
    -------
    History
        The training figures are means over the epoch, as Keras reports them; the test
        figures are those after the epoch.
    """
    set_seed(seed)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        # Without a dtype the loss of a float64 model is computed in float32.
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=model.outputs[0].dtype),
        metrics=["accuracy"],
    )
    history = History()
    with tqdm(total=epochs, unit="epoch", leave=False, disable=settings.quiet()) as bar:

        def store(epoch: int, logs: dict[str, float]) -> None:
            history.loss.append(float(logs["loss"]))
            history.accuracy.append(float(logs["accuracy"]))
            history.test_loss.append(float(logs["val_loss"]))
            history.test_accuracy.append(float(logs["val_accuracy"]))
            bar.set_postfix(test_accuracy=f"{history.test_accuracy[-1]:.3f}")
            bar.update()

        model.fit(
            data.x_train,
            data.y_train,
            validation_data=(data.x_test, data.y_test),
            epochs=epochs,
            batch_size=batch_size,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=store)],
        )
    return history
