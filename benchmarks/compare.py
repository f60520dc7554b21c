"""A layer in NumPy beside Keras's, and beside the loops."""

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.clock import side_by_side

ROUNDS = 60
SLOW_ROUNDS = 3
BATCH = 32


def compiled(layer: Callable, weights: list, x: np.ndarray, dy: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return Keras's forward pass of a layer with weights, and both passes, each compiled into one graph."""
    import tensorflow as tf

    forward = tf.function(layer)

    @tf.function
    def both(x: tf.Tensor, dy: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
        sources = [x, *(variable.value for variable in weights)]
        return tape.gradient(y, sources, output_gradients=dy)

    x, dy = tf.constant(x), tf.constant(dy)
    return {
        "forward": lambda: forward(x).numpy(),
        "forward and backward": lambda: [gradient.numpy() for gradient in both(x, dy)],
    }


def compare(what: str, ours: dict, theirs: dict, naive: dict | None) -> Iterator[dict]:
    """Time NumPy beside Keras, and beside the loops if there are any."""
    for part in ours:
        name = f"{what}, {part}"
        yield {"what": name, "other": "Keras"} | side_by_side(ours[part], theirs[part], ROUNDS)
        if naive is not None:
            times = side_by_side(ours[part], naive[part], SLOW_ROUNDS, warm=False)
            yield {"what": name, "other": "loops"} | times
