"""What training keeps in memory, by formula and counted; and activations that are computed twice instead of kept.

Sources: S. Rajbhandari, J. Rasley, O. Ruwase and Y. He, *ZeRO: Memory Optimizations Toward Training Trillion Parameter
Models*, 2020, figure 1 and section 5; T. Chen, B. Xu, C. Zhang and C. Guestrin, *Training Deep Nets with Sublinear
Memory Cost*, 2016, section 4.
"""

from collections.abc import Iterable

import numpy as np

from utils.scratch.network import Network


def kept_bytes(arrays: Iterable[np.ndarray | None]) -> int:
    """Return the bytes that arrays hold; one that is a view of another, or the same, counts once."""
    owners: dict[int, int] = {}
    for array in arrays:
        if array is None:
            continue
        while isinstance(array.base, np.ndarray):
            array = array.base
        owners[id(array)] = array.nbytes
    return sum(owners.values())


def activation_bytes(network: Network) -> int:
    """Return the bytes that the layers of a network keep for the way back, after a forward pass."""
    return kept_bytes(layer.x for layer in network.layers)


def state_bytes(parameters: int, weight: int = 4, gradient: int = 4, optimizer: int = 8) -> int:
    """Return the bytes of weights, gradients and the optimizer's numbers; Adam keeps two of four bytes a parameter."""
    return parameters * (weight + gradient + optimizer)


def zero_bytes(parameters: float, devices: int, stage: int, optimizer: float = 12) -> float:
    """Return the bytes of the same on each of several devices in mixed precision, by ZeRO's stages.

    Parameters
    ----------
    parameters : float
        Of the model.
    devices : int
        That train on shards of the data.
    stage : int
        0: every device has everything. 1: the optimizer's numbers are split over the devices. 2: gradients too. 3:
        weights too.
    optimizer : float
        Bytes a parameter; for Adam a copy of the weight and two means, four bytes each.

    Raises
    ------
    ValueError
        If the stage is not one of the four, or there is no device.
    """
    if stage not in range(4) or devices < 1:
        raise ValueError(f"Stage {stage} on {devices} devices: stages are 0 to 3, and devices at least one.")
    pieces = (optimizer, 2, 2)  # in the order in which they are split
    return parameters * sum(piece / devices if stage > i else piece for i, piece in enumerate(pieces))


def checkpoint_units(layers: int, every: int) -> int:
    """Return how many layers' inputs are kept at the worst moment if the input of every few layers is a checkpoint.

    The checkpoints of all segments, and the inputs inside one of them beside its own.
    """
    if not 1 <= every <= layers:
        raise ValueError(f"A checkpoint every {every} of {layers} layers: from 1 to all of them.")
    return -(-layers // every) + every - 1


def recomputed_gradients(
    network: Network, x: np.ndarray, targets: np.ndarray, every: int
) -> tuple[float, list[np.ndarray], int, int]:
    """Compute gradients while keeping the inputs of every few layers only; the others are computed again.

    Parameters
    ----------
    network : Network
        Its layers must give the same output for the same input each time.
    x, targets : numpy.ndarray
        The batch.
    every : int
        Layers from one checkpoint to the next; as many as there are layers keep everything.

    Returns
    -------
    loss : float
        Mean of the batch.
    gradients : list of numpy.ndarray
        Of all parameters.
    peak : int
        Most bytes that checkpoints and layers kept at once.
    passes : int
        Layers that were run forward.
    """
    layers = network.layers
    starts = list(range(0, len(layers), every))
    checkpoints: list[np.ndarray] = []
    passes = peak = 0

    def note() -> None:
        nonlocal peak
        peak = max(peak, kept_bytes([*checkpoints, *(layer.x for layer in layers)]))

    for layer in layers:
        layer.x = None
    value = x
    for i, layer in enumerate(layers):
        if i in starts:
            checkpoints.append(value)
        value, passes = layer.forward(value), passes + 1
        if i < starts[-1]:
            layer.x = None  # forgotten: only the last segment stays
        note()
    loss, dy = network.loss(value, targets)
    gradients: list[np.ndarray] = []
    for start in reversed(starts):
        segment = layers[start : start + every]
        if start != starts[-1]:
            value = checkpoints[-1]
            for layer in segment:
                value, passes = layer.forward(value), passes + 1
                note()
        for layer in reversed(segment):
            dy = layer.backward(dy)
            gradients = layer.gradients + gradients
            layer.x = None
        checkpoints.pop()
    return loss, gradients, peak, passes
