"""A small network for images in two parts, a body that can be carried over and a head that is new for each task."""

from __future__ import annotations

import numpy as np

from utils.backend import keras, ops


def classifier(
    shape: tuple[int, int, int], classes: int = 10, seed: int = 0, filters: tuple[int, int] = (8, 16), units: int = 64
) -> keras.Model:
    """Build a body of two convolutions and a dense layer, and a head: the last layer, which gives the scores.

    Parameters
    ----------
    shape
        Height, width and channels of an image; both sides at least 10.
    classes
        Scores of the head.
    seed
        Of the initial weights (He normal in the body, as for ReLU; the head's Glorot uniform; biases are zero).
    filters
        Of the convolutions, 3 by 3, each with ReLU and max pooling by 2.
    units
        Features that the body gives, after a ReLU.

    Returns
    -------
    keras.Model
        Maps (batch, *shape) to logits (batch, classes).
    """
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(4)]
    kernels = [keras.initializers.HeNormal(s) for s in seeds[:3]]
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(shape),
            layers.Conv2D(filters[0], 3, activation="relu", kernel_initializer=kernels[0]),
            layers.MaxPooling2D(2),
            layers.Conv2D(filters[1], 3, activation="relu", kernel_initializer=kernels[1]),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(units, activation="relu", kernel_initializer=kernels[2]),
            layers.Dense(classes, kernel_initializer=keras.initializers.GlorotUniform(seeds[3])),
        ]
    )


def features(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Return what the body of a :func:`classifier` gives its head, shape (examples, units)."""
    for layer in model.layers[:-1]:
        x = layer(x)
    return ops.convert_to_numpy(x)


def logits(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Return the scores of all examples at once, without compiling the model, shape (examples, classes)."""
    return ops.convert_to_numpy(model(x))


def accuracy(model: keras.Model, x: np.ndarray, y: np.ndarray) -> float:
    """Return the share of examples whose highest score is that of their label."""
    return float((logits(model, x).argmax(axis=1) == y).mean())


def copy_body(source: keras.Model, target: keras.Model) -> None:
    """Set the weights of a body to those of another, in place; the head stays as it is.

    Parameters
    ----------
    source, target
        As :func:`classifier` builds them, for images of one shape. They may have different heads.
    """
    for old, new in zip(source.layers[:-1], target.layers[:-1], strict=True):
        new.set_weights(old.get_weights())


class Learner:
    """Trains a classifier again and again in one compiled step; compiling anew would take longer than most trainings.

    Parameters
    ----------
    model
        Maps images to logits.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.optimizer = keras.optimizers.Adam()
        model.compile(self.optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        self.optimizer.build(model.trainable_variables)

    def fit(
        self,
        x: np.ndarray,
        y: np.ndarray,
        steps: int,
        batch_size: int = 32,
        learning_rate: float = 0.001,
        seed: int = 0,
    ) -> list[float]:
        """Train with a fresh optimizer from the present weights, as many steps whatever the number of examples.

        Parameters
        ----------
        x, y
            Images and labels, at least one. All are used equally often, but for one time more or less.
        steps
            Updates by Adam.
        batch_size
            Examples a step; where there are fewer, some are in a batch more than once.
        learning_rate
            The first; it falls to 0 along half a cosine.
        seed
            Of the order.

        Returns
        -------
        list of float
            Mean loss of each step's batch before the step, in nats.

        Raises
        ------
        ValueError
            If there is no example, or another number of labels.
        """
        if len(x) != len(y) or not len(y):
            raise ValueError(f"{len(x)} images and {len(y)} labels: expected as many of both, at least one.")
        for variable in self.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        generator = np.random.default_rng(seed)
        rounds = -(-steps * batch_size // len(y))
        order = np.concatenate([generator.permutation(len(y)) for _ in range(rounds)])
        losses = []
        for step in range(steps):
            self.optimizer.learning_rate = learning_rate * (1 + np.cos(np.pi * step / steps)) / 2
            chosen = order[step * batch_size : (step + 1) * batch_size]
            self.model.reset_metrics()  # the versions of Keras do not agree whether the method does
            losses.append(float(self.model.train_on_batch(x[chosen], y[chosen])))
        return losses
