"""How long a step of training takes on many devices, by a model of three terms: computing, waiting, sending.

A message of ``size`` bytes takes ``latency + size / bandwidth`` seconds.

Sources: Y. Huang and others, *GPipe*, 2019, for the pipeline; D. Narayanan and others, *Efficient Large-Scale Language
Model Training on GPU Clusters Using Megatron-LM*, 2021, equation 4, for the days of a training.
"""

from dataclasses import dataclass

from utils.scratch.collectives import ring_bytes


@dataclass(frozen=True)
class Link:
    """A connection: ``latency`` in seconds for each message, ``bandwidth`` in bytes a second."""

    latency: float
    bandwidth: float

    def ring(self, size: float, devices: int) -> float:
        """Return the seconds of a ring all-reduce of ``size`` bytes: 2 (n - 1) messages, one after the other."""
        return 2 * (devices - 1) * self.latency + ring_bytes(size, devices) / self.bandwidth


def strong(compute: float, size: float, devices: int, link: Link) -> float:
    """Return the seconds of a step whose ``compute`` seconds are shared, and whose gradients are summed afterwards."""
    return compute / devices + link.ring(size, devices)


def weak(compute: float, size: float, devices: int, link: Link) -> float:
    """Return the seconds of a step in which every device computes as much as one did alone."""
    return compute + link.ring(size, devices)


def pipeline(compute: float, stages: int, micro: int, boundary: float, link: Link) -> float:
    """Return the seconds of a step in a pipeline: ``m + p - 1`` slots, each with a message of ``boundary`` bytes.

    ``compute`` is what one device would take for everything. Forward and backward pass of a micro-batch count as one
    slot, so that a slot sends two messages.
    """
    slot = compute / (stages * micro)
    if stages > 1:
        slot += 2 * (link.latency + boundary / link.bandwidth)
    return (micro + stages - 1) * slot


def training_days(parameters: float, tokens: float, devices: int, achieved: float, passes: int = 8) -> float:
    """Return the days of a training: ``passes`` · P · T / (n · X).

    Parameters
    ----------
    parameters, tokens : float
        Of the model, and read in training.
    devices : int
        That share the work evenly.
    achieved : float
        FLOP/s of one device, as measured.
    passes : int
        FLOP a parameter and token: 6, and 8 if the forward pass is done twice.
    """
    return passes * parameters * tokens / (devices * achieved) / 86_400
