"""Layers in a row on devices in a row: schedules of micro-batches, their idle time, and the gradients.

A schedule is a table (stages, ticks) of whole numbers: ``k`` is the forward pass of micro-batch ``k``, counted from 1,
``-k`` its backward pass, and 0 is an idle tick. Both passes are taken to last one tick.

Sources: Y. Huang and others, *GPipe*, 2019, section 2.3; D. Narayanan and others, *Efficient Large-Scale Language Model
Training on GPU Clusters Using Megatron-LM*, 2021, section 2.2.
"""

import copy
import itertools

import numpy as np

from utils.scratch.collectives import shares
from utils.scratch.network import Network


def fill(orders: list[list[int]]) -> np.ndarray:
    """Let each stage do its work in its own order, each piece as early as what it needs is there.

    A forward pass needs that of the stage before, a backward pass that of the stage after; the last stage turns around.

    Raises
    ------
    ValueError
        If the stages wait for each other.
    """
    stages, left = len(orders), [list(order) for order in orders]
    done: set[tuple[int, int]] = set()
    ticks = []
    while any(left):
        tick = [0] * stages
        for stage, order in enumerate(left):
            if order:
                needed = (stage - 1, order[0]) if order[0] > 0 else (stage + 1, order[0])
                turn = order[0] < 0 and stage == stages - 1
                if turn:
                    needed = (stage, -order[0])
                if needed in done or (order[0] > 0 and stage == 0):
                    tick[stage] = order[0]
        if not any(tick):
            raise ValueError("The stages wait for each other: no piece of work can begin.")
        for stage, piece in enumerate(tick):
            if piece:
                left[stage].pop(0)
                done.add((stage, piece))
        ticks.append(tick)
    return np.array(ticks).T


def gpipe(stages: int, micro: int) -> np.ndarray:
    """Return GPipe's schedule: all forward passes, then all backward passes, shape (stages, ticks)."""
    _check(stages, micro)
    forward = list(range(1, micro + 1))
    return fill([forward + [-k for k in reversed(forward)] for _ in range(stages)])


def alternating(stages: int, micro: int) -> np.ndarray:
    """Return the schedule that takes one forward and one backward pass in turn, shape (stages, ticks).

    Stage ``s`` first does as many forward passes as there are stages from it to the end, or all if they are fewer.
    """
    _check(stages, micro)
    orders = []
    for stage in range(stages):
        first = min(micro, stages - stage)
        order = list(range(1, first + 1))
        for k in range(1, micro + 1):
            order.append(-k)
            if first + k <= micro:
                order.append(first + k)
        orders.append(order)
    return fill(orders)


def idle_share(schedule: np.ndarray) -> float:
    """Return the share of all ticks of all stages in which nothing is done: the bubble."""
    return float((schedule == 0).mean())


def bubble(stages: int, micro: int) -> float:
    """Return the same by formula: (p - 1) / (m + p - 1)."""
    _check(stages, micro)
    return (stages - 1) / (micro + stages - 1)


def in_flight(schedule: np.ndarray) -> np.ndarray:
    """Return for each stage the most micro-batches whose activations it keeps at once, shape (stages,)."""
    return np.cumsum(np.sign(schedule), axis=1).max(axis=1)


def pipelined_gradients(
    network: Network, cuts: list[int], x: np.ndarray, targets: np.ndarray, schedule: np.ndarray
) -> tuple[float, list[np.ndarray], int]:
    """Run a batch through a network that is cut into stages, in the order of a schedule.

    Parameters
    ----------
    network : Network
        Its parameters are not changed.
    cuts : list of int
        Number of the layer with which each stage but the first begins, rising.
    x, targets : numpy.ndarray
        The batch; it is cut into as many micro-batches as the schedule has.
    schedule : numpy.ndarray
        As :func:`gpipe` or :func:`alternating` return it.

    Returns
    -------
    loss : float
        Mean of the batch.
    gradients : list of numpy.ndarray
        Of all parameters, summed over the micro-batches with their shares.
    sent : int
        Bytes of activations and their gradients that pass from stage to stage.

    Raises
    ------
    ValueError
        If the schedule has another number of stages than the cuts make.
    """
    ends = [0, *cuts, len(network.layers)]
    stages = [network.layers[start:end] for start, end in itertools.pairwise(ends)]
    if len(stages) != len(schedule):
        raise ValueError(f"{len(cuts)} cuts make {len(stages)} stages, and the schedule has {len(schedule)}.")
    parts = shares(len(x), int(schedule.max()))
    loss, sent = 0.0, 0
    totals: dict[int, list[list[np.ndarray]]] = {}
    waiting = {(0, k + 1): x[part] for k, part in enumerate(parts)}
    working: dict[tuple[int, int], list] = {}
    for tick in schedule.T:
        arrived = {}
        for stage, piece in enumerate(tick):
            if not piece:
                continue
            k = abs(int(piece))
            value = waiting.pop((stage, int(piece)))
            if piece > 0:
                layers = working[stage, k] = [copy.copy(layer) for layer in stages[stage]]
                for layer in layers:
                    value = layer.forward(value)
                if stage < len(stages) - 1:
                    arrived[stage + 1, k] = value
                    sent += value.nbytes
                else:
                    part = parts[k - 1]
                    share = (part.stop - part.start) / len(x)
                    mean, dy = network.loss(value, targets[part])
                    loss += share * mean
                    arrived[stage, -k] = share * dy
            else:
                layers = working.pop((stage, k))
                for layer in reversed(layers):
                    value = layer.backward(value)
                if stage:
                    arrived[stage - 1, -k] = value
                    sent += value.nbytes
                totals.setdefault(stage, []).append([g for layer in layers for g in layer.gradients])
        waiting |= arrived
    gradients = [sum(same[1:], same[0]) for stage in sorted(totals) for same in zip(*totals[stage], strict=True)]
    return loss, gradients, sent


def _check(stages: int, micro: int) -> None:
    if stages < 1 or micro < 1:
        raise ValueError(f"{stages} stages and {micro} micro-batches: there must be one of each at least.")
