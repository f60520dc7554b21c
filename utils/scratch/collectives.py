"""What devices that train together send each other: sums in a ring, with every byte counted.

The devices are a list: what device ``i`` holds stands at place ``i``. Nothing is sent in truth; each transfer is an
assignment, and its bytes are added to those of the sender.

Source of the ring: P. Patarasuk and X. Yuan, *Bandwidth optimal all-reduce algorithms for clusters of workstations*,
2009.
"""

from collections.abc import Sequence

import numpy as np


def shares(count: int, parts: int) -> list[slice]:
    """Cut ``count`` places into parts that differ by one at most; the longer ones come first.

    Raises
    ------
    ValueError
        If there is no part, or fewer places than none.
    """
    if parts < 1 or count < 0:
        raise ValueError(f"{count} places cannot be cut into {parts} parts: give 0 places or more, 1 part or more.")
    ends = np.cumsum([count // parts + (part < count % parts) for part in range(parts)])
    return [slice(int(start), int(end)) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def flatten(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return all numbers of some arrays as one vector."""
    return np.concatenate([array.ravel() for array in arrays])


def unflatten(vector: np.ndarray, like: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Cut a vector into arrays of the shapes of others.

    Raises
    ------
    ValueError
        If the vector has more or fewer numbers than the shapes.
    """
    sizes = [array.size for array in like]
    if vector.size != sum(sizes):
        raise ValueError(f"The vector has {vector.size} numbers and the shapes {sum(sizes)}.")
    pieces = np.split(vector, np.cumsum(sizes)[:-1])
    return [piece.reshape(array.shape) for piece, array in zip(pieces, like, strict=True)]


def reduce_scatter(arrays: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """Sum vectors so that each device holds the sum of one part: device ``i`` that of part ``i``.

    In step ``s``, device ``i`` sends part ``i - 1 - s`` of what it has summed so far to its neighbor ``i + 1``, which
    adds its own. A part goes once around the ring but for its last step.

    Parameters
    ----------
    arrays : sequence of numpy.ndarray
        One vector a device, all of one shape (size,).

    Returns
    -------
    parts : list of numpy.ndarray
        One a device; together they are the sum.
    sent : numpy.ndarray
        Bytes that each device sends, shape (devices,).

    Raises
    ------
    ValueError
        If there is no device, or what they hold are not vectors of one shape.
    """
    devices = len(arrays)
    if not devices or any(array.ndim != 1 or array.shape != arrays[0].shape for array in arrays):
        raise ValueError(f"Expected vectors of one shape, found {[array.shape for array in arrays]}.")
    places = shares(arrays[0].size, devices)
    held = [[array[place] for place in places] for array in arrays]
    sent = np.zeros(devices, np.int64)
    for step in range(devices - 1):
        moving = [(i - 1 - step) % devices for i in range(devices)]
        carried = [held[i][part] for i, part in enumerate(moving)]  # all send at once
        for i, part in enumerate(moving):
            neighbor = (i + 1) % devices
            held[neighbor][part] = held[neighbor][part] + carried[i]
            sent[i] += carried[i].nbytes
    return [held[i][i] for i in range(devices)], sent


def all_gather(parts: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """Give every device the parts of all: in each step, each passes on the part that it received last.

    Parameters
    ----------
    parts : sequence of numpy.ndarray
        One vector a device.

    Returns
    -------
    whole : list of numpy.ndarray
        One a device, all equal: the parts in the order of the devices.
    sent : numpy.ndarray
        Bytes that each device sends, shape (devices,).
    """
    devices = len(parts)
    held: list[dict[int, np.ndarray]] = [{i: part} for i, part in enumerate(parts)]
    sent = np.zeros(devices, np.int64)
    for step in range(devices - 1):
        moving = [(i - step) % devices for i in range(devices)]
        for i, part in enumerate(moving):
            held[(i + 1) % devices][part] = held[i][part]
            sent[i] += held[i][part].nbytes
    return [np.concatenate([own[part] for part in range(devices)]) for own in held], sent


def ring_all_reduce(arrays: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """Give every device the sum of all vectors; arguments and results as :func:`reduce_scatter` and `all_gather`."""
    parts, first = reduce_scatter(arrays)
    whole, second = all_gather(parts)
    return whole, first + second


def star_all_reduce(arrays: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """Do the same through device 0, which receives all vectors and sends each device the sum."""
    total = sum(arrays[1:], arrays[0])
    sent = np.array([array.nbytes for array in arrays], np.int64)
    sent[0] = (len(arrays) - 1) * arrays[0].nbytes
    return [total.copy() for _ in arrays], sent


def ring_bytes(size: float, devices: int) -> float:
    """Return what each device sends in a ring all-reduce of ``size`` bytes: 2 (n - 1) / n · size.

    Raises
    ------
    ValueError
        If there is no device.
    """
    if devices < 1:
        raise ValueError(f"{devices} devices: there must be one at least.")
    return 2 * (devices - 1) / devices * size


def weighted_mean(gradients: Sequence[Sequence[np.ndarray]], counts: Sequence[int]) -> list[np.ndarray]:
    """Return the gradient of the mean loss over all examples from those of the mean losses of shards.

    Parameters
    ----------
    gradients : sequence of sequence of numpy.ndarray
        For each shard, the gradients of all parameters.
    counts : sequence of int
        Examples of each shard.

    Returns
    -------
    list of numpy.ndarray
        Shard ``k`` weighs ``counts[k] / sum(counts)``.

    Raises
    ------
    ValueError
        If there is not one count a shard, or nobody has an example.
    """
    if len(gradients) != len(counts) or not sum(counts) > 0 or min(counts) < 0:
        raise ValueError(f"{len(gradients)} shards with the counts {list(counts)}: give one a shard, not all 0.")
    weights = [count / sum(counts) for count in counts]
    return [
        sum(w * g for w, g in zip(weights[1:], same[1:], strict=True)) + weights[0] * same[0]
        for same in zip(*gradients, strict=True)
    ]
