"""Data parallel in NumPy: each process computes on its share, then gradients go around a ring of sockets.

Option ``repeat``: how many steps are timed, after two that are not; seconds of the median step in ``step``, and of its
computing alone in ``compute``.
"""

from __future__ import annotations

import statistics
import threading
import time
from multiprocessing.connection import Client, Connection, Listener

import numpy as np

from utils.engines.job import Job, read
from utils.scratch.collectives import flatten, shares, unflatten
from utils.scratch.network import Dense, Network, ReLU


class Ring:
    """The connections of a process to its two neighbors, and the bytes that it has sent."""

    def __init__(self, job: Job) -> None:
        self.rank, self.devices, self.sent = job.rank, job.processes, 0
        with Listener(("127.0.0.1", job.ports[job.rank])) as listener:
            self.to = _connect(job.ports[(job.rank + 1) % job.processes])
            self.sender = listener.accept()

    def exchange(self, array: np.ndarray, room: np.ndarray) -> None:
        """Send an array to the next process while one arrives from the process before."""
        sending = threading.Thread(target=self.to.send_bytes, args=(array.tobytes(),))
        sending.start()
        self.sender.recv_bytes_into(room)
        sending.join()
        self.sent += array.nbytes

    def all_reduce(self, vector: np.ndarray) -> None:
        """Replace a vector by the sum over all processes; `utils.scratch.collectives` has the steps."""
        places = shares(vector.size, self.devices)
        room = np.empty(places[0].stop, vector.dtype)
        for step in range(self.devices - 1):
            part = places[(self.rank - 2 - step) % self.devices]
            arriving = room[: part.stop - part.start]
            self.exchange(vector[places[(self.rank - 1 - step) % self.devices]], arriving)
            vector[part] += arriving
        for step in range(self.devices - 1):
            part = places[(self.rank - 1 - step) % self.devices]
            self.exchange(vector[places[(self.rank - step) % self.devices]], vector[part])

    def close(self) -> None:
        """End both connections."""
        self.to.close()
        self.sender.close()


def _connect(port: int) -> Connection:
    """Connect to a neighbor that may not listen yet."""
    until = time.monotonic() + 20
    while True:
        try:
            return Client(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def main(job: Job) -> None:
    """Compute, sum around the ring, divide by the number of processes, write."""
    units = [b.size for b in job.parameters[1::2]]
    layers = [layer for count in units for layer in (Dense(count), ReLU())][:-1]
    network = Network(layers, job.x.shape[1:], dtype=job.x.dtype.name)
    network.set_parameters(job.parameters)
    ring = Ring(job) if job.processes > 1 else None
    times = []
    for _ in range(1 + job.options.get("repeat", -1) + 2):
        start = time.perf_counter()
        loss, gradients = network.loss_and_gradients(job.x[job.own()], job.y[job.own()])
        vector = np.append(flatten(gradients), job.x.dtype.type(loss))
        computed = time.perf_counter()
        if ring:
            ring.sent = 0
            ring.all_reduce(vector)
        vector /= job.processes
        times.append((time.perf_counter() - start, computed - start))
    timed = dict(zip(("step", "compute"), map(statistics.median, zip(*times[2:], strict=True)), strict=False))
    job.finish(vector[-1], unflatten(vector[:-1], gradients), sent=ring.sent if ring else 0, **timed)
    if ring:
        ring.close()


if __name__ == "__main__":
    main(read())
