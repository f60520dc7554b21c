"""What a worker reads and writes; used by the programs of this package alone."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Job:
    """One process's part of a run: its number, the network, the batch and the options."""

    folder: Path
    rank: int
    parameters: list[np.ndarray]
    x: np.ndarray
    y: np.ndarray
    options: dict

    @property
    def processes(self) -> int:
        return self.options["processes"]

    @property
    def ports(self) -> list[int]:
        return self.options["ports"]

    def own(self) -> slice:
        """Return the place of the examples of this process, an equal share of the batch.

        Raises
        ------
        ValueError
            If the batch cannot be shared evenly.
        """
        size, rest = divmod(len(self.x), self.processes)
        if rest:
            raise ValueError(f"{len(self.x)} examples cannot be shared evenly by {self.processes} processes.")
        return slice(self.rank * size, (self.rank + 1) * size)

    def finish(self, loss: float, gradients: list[np.ndarray], **more: object) -> None:
        """Write the result of this process."""
        np.savez(self.folder / f"out{self.rank}.npz", **{f"g{i}": g for i, g in enumerate(gradients)})
        text = json.dumps({"loss": float(loss), **more})
        (self.folder / f"out{self.rank}.json").write_text(text, encoding="utf-8")


def read() -> Job:
    """Return the job that the command line names: its folder and the number of this process."""
    folder, rank = Path(sys.argv[1]), int(sys.argv[2])
    options = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    with np.load(folder / "job.npz") as stored:
        arrays = dict(stored)
    parameters = [arrays[f"p{i}"] for i in range(len(arrays) - 2)]
    return Job(folder, rank, parameters, arrays["x"], arrays["y"], options)
