"""Gradients from several processes, or on several simulated devices: starts an engine, waits for it, cleans up.

An engine is a program of this package, ``utils.engines.NAME_worker``. It is started once for each process, with a
folder that holds the job, and has ended when the call returns, whatever happens: after a while it is stopped. What it
prints is shown only if it fails.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from utils.settings import ROOT

NEEDS = {"numpy": ("numpy",), "jax": ("jax",), "keras": ("keras", "jax"), "tensorflow": ("tensorflow",)}
# What would reach a worker from outside and change what it does.
FOREIGN = ("JAX_", "XLA_", "TF_", "KERAS_", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy")
QUIET = {
    "JAX_PLATFORMS": "cpu",
    "JAX_ENABLE_X64": "1",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "no_proxy": "localhost,127.0.0.1",
    "PYTHONPATH": str(ROOT),
} | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class EngineError(RuntimeError):
    """A process failed, or did not end in time; the message has what it said."""


@dataclass(frozen=True)
class Outcome:
    """What a run of an engine gave.

    Attributes
    ----------
    loss : float
        Mean loss of the whole batch.
    gradients : list of numpy.ndarray
        Of that loss, as every process has them.
    spread : float
        Largest difference between two processes in any gradient.
    more : dict
        What else the first process wrote: counts and texts.
    """

    loss: float
    gradients: list[np.ndarray]
    spread: float
    more: dict


def missing(engine: str) -> str:
    """Return a sentence that says which package an engine lacks here, or nothing if it can run.

    Raises
    ------
    ValueError
        If there is no such engine.
    """
    if engine not in NEEDS:
        raise ValueError(f"There is no engine {engine!r}: choose from {', '.join(NEEDS)}.")
    lacking = [package for package in NEEDS[engine] if not find_spec(package)]
    return f"This run needs {' and '.join(lacking)}, which is not installed here." if lacking else ""


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody uses at the moment."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for holder in holders:
            holder.bind(("127.0.0.1", 0))
        return [holder.getsockname()[1] for holder in holders]
    finally:
        for holder in holders:
            holder.close()


def gradients(
    engine: str,
    parameters: Sequence[np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    processes: int = 2,
    limit: float = 60,
    **options: object,
) -> Outcome:
    """Let an engine compute the gradients of a network of dense layers with ReLU between them.

    Parameters
    ----------
    engine : str
        ``"numpy"``, ``"jax"``, ``"keras"`` or ``"tensorflow"``.
    parameters : sequence of numpy.ndarray
        Weights and biases in turn, in their order.
    x, y : numpy.ndarray
        The batch: inputs (batch, n) and classes (batch,). Each process takes its own share.
    processes : int
        How many to start.
    limit : float
        Seconds after which all are stopped.
    **options
        For the worker; see there.

    Raises
    ------
    EngineError
        If the engine is not installed, a process fails, or they do not end in time.
    """
    if lacking := missing(engine):
        raise EngineError(lacking)
    until = time.monotonic() + limit
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        arrays = {f"p{i}": parameter for i, parameter in enumerate(parameters)}
        np.savez(folder / "job.npz", x=x, y=y, **arrays)
        for attempt in (1, 2):  # a port may be taken between finding and using it
            job = {"processes": processes, "ports": free_ports(processes), **options}
            (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
            try:
                _run(engine, folder, processes, until)
                break
            except EngineError:
                if attempt == 2 or time.monotonic() > until:
                    raise
        found = [np.load(folder / f"out{rank}.npz") for rank in range(processes)]
        each = [[out[f"g{i}"] for i in range(len(parameters))] for out in found]
        for out in found:
            out.close()
        more = json.loads((folder / "out0.json").read_text(encoding="utf-8"))
    spread = max(float(np.abs(a - b).max()) for other in each for a, b in zip(each[0], other, strict=True))
    return Outcome(more.pop("loss"), each[0], spread, more)


def _run(engine: str, folder: Path, processes: int, until: float) -> None:
    """Start the processes, wait for all, and stop those that are left."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    backend = {"KERAS_BACKEND": "tensorflow" if engine == "tensorflow" else "jax"}
    running = []
    try:
        for rank in range(processes):
            command = [sys.executable, "-m", f"utils.engines.{engine}_worker", str(folder), str(rank)]
            with open(folder / f"said{rank}.txt", "w", encoding="utf-8") as said:
                process = subprocess.Popen(
                    command, cwd=ROOT, env=outside | QUIET | backend, stdin=subprocess.DEVNULL, stdout=said, stderr=said
                )
            running.append(process)
        while any(process.poll() is None for process in running):
            if time.monotonic() > until:
                raise EngineError(f"The engine {engine} did not end in time and was stopped. {_said(folder)}")
            if any(process.poll() for process in running):
                break  # one failed: the others would wait for it
            time.sleep(0.02)
        if any(process.poll() for process in running):
            raise EngineError(f"The engine {engine} failed. {_said(folder)}")
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()


def _said(folder: Path) -> str:
    """Return the last lines that the processes printed."""
    texts = [path.read_text(encoding="utf-8", errors="replace")[-1500:] for path in sorted(folder.glob("said*.txt"))]
    return "\n".join(text for text in texts if text.strip())
