"""A data-parallel step on one process and on two, with our ring of sockets."""

from collections.abc import Iterator
from statistics import median, quantiles

import numpy as np

from utils import engines
from utils.scratch.network import Dense, Network, ReLU

# Hidden units of two layers, and the size of the whole batch.
CASES = ((32, 64), (32, 2048), (512, 64), (512, 2048))
ROUNDS = 5
STEPS = 20


def rows() -> Iterator[dict]:
    """Time steps whose batch is fixed: one process computes it all, or two share it; started anew in each round."""
    rng = np.random.default_rng(0)
    for units, batch in CASES:
        network = Network([Dense(units), ReLU(), Dense(units), ReLU(), Dense(10)], (784,))
        x, y = rng.random((batch, 784), np.float32), rng.integers(0, 10, batch)
        seconds = []
        for _ in range(ROUNDS):
            runs = (engines.gradients("numpy", network.parameters, x, y, processes=n, repeat=STEPS) for n in (1, 2))
            seconds.append([run.more["step"] for run in runs])
        low, ratio, high = quantiles([b / a for a, b in seconds], n=4, method="inclusive")
        yield {
            "what": f"data-parallel steps of 784-{units}-{units}-10, batch {batch}",
            "other": "two processes",
            "numpy_ms": 1e3 * median(a for a, _ in seconds),
            "other_ms": 1e3 * median(b for _, b in seconds),
            "ratio": ratio,
            "quartiles": [low, high],
            "rounds": ROUNDS,
        }
