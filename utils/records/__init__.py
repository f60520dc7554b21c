"""Experiments that are too long for a quick run: run once over their seeds, stored with their provenance, read back.

A record belongs to a function that stands in a chapter. When that function, its parameters or its data change, the
record is stale and refuses to be read: a number of the book always comes from the code that is shown beside it. (The
``utils`` modules that the function uses have a hash in the record, too; the status page lists the records older than
them, since a change there seldom changes a result.)
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from utils import machine, settings, sources
from utils.records.storage import Record, RecordError, Row, command, read, storable, write

__all__ = ["Record", "RecordError", "data_hash", "record"]


def record(
    name: str,
    function: Callable[..., Row],
    *,
    run: settings.Run,
    data: object = None,
    measure: str,
    cases: Sequence[Mapping[str, Any]] = ({},),
    seeds: Iterable[int] = range(10),
    live: Mapping[str, Any] | None = None,
    alone: bool = False,
    folder: Path = settings.RECORDS,
) -> Record:
    """Read the record of an experiment, or run the experiment and store it.

    The quick profile reads; the full profile, and ``make record NAME=…`` for that one name, run the function for every
    case and seed, side by side on all cores, and write the record whole or not at all.

    Parameters
    ----------
    name : str
        Small letters, digits and hyphens, the chapter's name first.
    function : callable
        ``function(seed, **case)`` runs once and returns numbers, or lists of numbers, by name. Under ``weights`` it may
        return a list of arrays: those of the first run are kept. It stands in the chapter.
    run : settings.Run
        The chapter's run.
    data : dataclass, optional
        What the function learns from; its arrays are hashed. Left out where the function draws its own examples.
    measure : str
        The share, from 0 to 1, that decides whether a run here and now agrees with the record.
    cases : sequence of mapping
        The parameters of the runs; one run a case and seed.
    seeds : iterable of int
        At least two.
    live : mapping, optional
        A case that the quick profile runs once more, with the run's seed. It must agree with the record within five
        standard deviations or two points, whichever is more.
    alone : bool
        Only ``make record NAME=…`` renews it: for an experiment that takes longer than the half hour that the full
        profile has for a chapter.
    folder : Path
        Where records lie.

    Returns
    -------
    Record

    Raises
    ------
    RecordError
        If the record is missing, damaged, stale or of another format, if its weights are not those that were stored,
        if the run here disagrees, or if the function returns what cannot be stored.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"The record's name {name!r} must be small letters, digits and single hyphens.")
    cases, seeds = [dict(case) for case in cases], [int(seed) for seed in seeds]
    _check_parameters(name, cases, seeds, live)
    source, modules = sources.function_source(function)
    origin = {
        "code": hashlib.sha256(source.encode()).hexdigest(),
        "parameters": {"cases": cases, "seeds": seeds},
        "data": data_hash(data),
    }
    asked_for = os.environ.get("BOOK_RECORD")
    if asked_for == name or (run.full and not alone):
        start = time.perf_counter()
        rows, weights = _run_all(name, function, cases, seeds, measure)
        about = {
            "made": date.today().isoformat(),
            "seconds": round(time.perf_counter() - start),
            "machine": machine.machine(),
            "versions": machine.versions("scikit-learn", "scipy"),
            "backend": machine.backend(),
            "modules": modules,
            "modules_hash": sources.modules_hash(settings.ROOT, modules),
            **origin,
        }
        write(folder, name, about, rows, weights)
        live = None  # it has just run
    found = read(folder, name)
    if not asked_for:  # whoever renews one record may find others stale
        _check_origin(found, origin, function.__name__)
    if live is not None and not asked_for:
        found = dataclasses.replace(found, live=_run_live(found, function, live, run.seed, measure))
    return found


def _check_parameters(name: str, cases: list[Row], seeds: list[int], live: Mapping[str, Any] | None) -> None:
    """Raise, before anything runs, if the parameters cannot be stored or compared."""
    try:
        plain = json.loads(json.dumps(cases)) == cases
    except TypeError:
        plain = False
    if not plain:
        raise ValueError(f"The cases of {name} must be numbers, texts or lists of them, as JSON keeps them.")
    if len(set(seeds)) < 2 or len(set(seeds)) < len(seeds):
        raise ValueError(f"The record {name} needs at least two seeds, each of them once.")
    if live is not None and dict(live) not in cases:
        raise ValueError(f"The live case of {name} must be one of its cases.")


def data_hash(data: object) -> str:
    """Return the SHA-256 of all arrays of a dataclass, in the order of its fields; of none for ``None``."""
    values = () if data is None else (getattr(data, item.name) for item in dataclasses.fields(data))
    hashes = [sources.array_hash(value) for value in values if isinstance(value, np.ndarray)]
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def _run_all(
    name: str, function: Callable[..., Row], cases: list[Row], seeds: list[int], measure: str
) -> tuple[list[Row], list[np.ndarray]]:
    """Run every case with every seed, one run a core."""
    tasks = [(case, seed) for case in cases for seed in seeds]
    # Several processes would fight over a GPU's memory.
    workers = 1 if shutil.which("nvidia-smi") else min(os.cpu_count() or 1, len(tasks))
    calls = (joblib.delayed(_timed)(position, function, seed, case) for position, (case, seed) in enumerate(tasks))
    # TensorFlow reads these when a worker starts; joblib limits the threads of NumPy.
    threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1") if workers > 1 else {}
    results: dict[int, Row] = {}
    weights: list[np.ndarray] = []
    bar = tqdm(total=len(tasks), desc=name, unit="run", disable=settings.quiet())
    with bar, settings.environment(BOOK_QUIET="1", **threads):
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
        for position, row in parallel(calls):
            kept = row.pop("weights", None)
            results[position] = {key: storable(name, key, value) for key, value in row.items()}
            if measure not in row or {"seed", *tasks[position][0]} & set(row):
                raise RecordError(
                    f"{function.__name__} must return {measure!r}, by which runs of {name} are compared, and nothing "
                    "that has the name of a parameter or of the seed."
                )
            if position == 0 and kept:
                weights = kept
            bar.set_postfix({measure: f"{row[measure]:.4f}"})
            bar.update()
    return [{**case, "seed": seed, **results[position]} for position, (case, seed) in enumerate(tasks)], weights


def _timed(position: int, function: Callable[..., Row], seed: int, case: Row) -> tuple[int, Row]:
    start = time.perf_counter()
    row = dict(function(seed, **case))
    return position, {**row, "seconds": time.perf_counter() - start}


def _check_origin(found: Record, origin: Row, function: str) -> None:
    """Raise if the record comes from other code, parameters or data than are here now."""
    what = {"code": f"the code of {function}", "parameters": "its cases or seeds", "data": "its data"}
    changed = [what[key] for key in origin if found.about.get(key) != origin[key]]
    if changed:
        raise RecordError(
            f"The record {found.name} is stale, since {' and '.join(changed)} changed after it was made: "
            f"change that back, or renew it with {command(found.name)}."
        )


def _run_live(found: Record, function: Callable[..., Row], case: Mapping[str, Any], seed: int, measure: str) -> Row:
    """Run one case here and compare its measure with the record's."""
    stored = found.values(measure, **case)
    row = {**case, "seed": seed, **function(seed, **case)}
    mean, deviation = float(stored.mean()), float(stored.std(ddof=1))
    allowed = max(5 * deviation, 0.02)
    if not abs(row[measure] - mean) <= allowed:
        raise RecordError(
            f"A run of {found.name} gave {row[measure]:.4f} for {measure!r} here, and the record has {mean:.4f} ± "
            f"{deviation:.4f}, which is further off than {allowed:.4f}: renew it with {command(found.name)} "
            "and see what changed."
        )
    return row
