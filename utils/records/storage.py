"""A record on disk: ``records/NAME.json``, and ``records/NAME.npz`` where it keeps a network's weights."""

from __future__ import annotations

import hashlib
import io
import json
import os
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
MAX_WEIGHT_BYTES = 2_000_000
Row = dict[str, Any]


class RecordError(Exception):
    """A record that cannot be used; the message is one sentence that says why and what to do."""

    def _render_traceback_(self) -> list[str]:
        """Let a notebook show the sentence alone."""
        return [f"✗ {self}"]


@dataclass(frozen=True)
class Record:
    """The results of an experiment.

    Attributes
    ----------
    name : str
        The file's name.
    rows : list of dict
        One a run: the case's parameters, ``seed``, ``seconds``, and what the function returned.
    about : dict
        When, on what and from what the record was made.
    weights : list of numpy.ndarray
        Weights of the first run if it returned some, float32 (stored as float16); else empty.
    live : dict, optional
        The row of the run that was repeated here and now.
    """

    name: str
    rows: list[Row]
    about: dict[str, Any]
    weights: list[np.ndarray] = field(default_factory=list)
    live: Row | None = None

    def values(self, measure: str, **case: Any) -> np.ndarray:
        """Return one measure of all runs of a case, in the order of the seeds: (seeds,) or (seeds, ...).

        Raises
        ------
        KeyError
            If no run has these parameters.
        """
        found = [row for row in self.rows if all(row.get(key) == value for key, value in case.items())]
        if not found:
            raise KeyError(f"The record {self.name} has no runs with {case}.")
        return np.array([row[measure] for row in sorted(found, key=lambda row: row["seed"])])

    def __str__(self) -> str:
        about = self.about
        versions = ", ".join(f"{package} {version}" for package, version in about["versions"].items())
        versions = textwrap.fill(f"({versions}).", 76)  # as wide as a page of the book
        return (
            f"Recorded on {about['made']}: {len(self.rows)} runs in {about['seconds']:,} seconds\n"
            f"on {about['machine']['cpu']}, {about['machine']['cores']} cores\n{versions}\n"
            f"To renew it: {command(self.name)}"
        )


def command(name: str) -> str:
    """Return what renews a record."""
    return f"make record NAME={name}"


def storable(name: str, key: str, value: Any) -> Any:
    """Return numbers for JSON, floats to six digits."""
    values = np.asarray(value)
    if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise RecordError(
            f"A run of {name} returned {value!r} for {key!r}, which cannot be stored: return finite numbers."
        )
    plain = values.tolist()
    if values.dtype.kind != "f":
        return plain
    return json.loads(json.dumps(plain), parse_float=lambda text: float(f"{float(text):.6g}"))


def _digest(about: Row, rows: list[Row]) -> str:
    return hashlib.sha256(json.dumps([about, rows], sort_keys=True).encode()).hexdigest()


def write(folder: Path, name: str, about: Row, rows: list[Row], weights: list[np.ndarray]) -> None:
    """Write both files beside their places, then move them in."""
    folder.mkdir(parents=True, exist_ok=True)
    file, archive = folder / f"{name}.json", folder / f"{name}.npz"
    if weights:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, *[np.asarray(array, np.float16) for array in weights])
        content = buffer.getvalue()
        if len(content) >= MAX_WEIGHT_BYTES:
            raise RecordError(
                f"The weights of {name} take {len(content):,} bytes, more than the {MAX_WEIGHT_BYTES:,} that a record "
                "may keep: return those of a smaller network."
            )
        about = {**about, "weights": hashlib.sha256(content).hexdigest()}
    # One row a line: a change of a record can be read.
    head = json.dumps({"format": FORMAT, "digest": _digest(about, rows), "about": about}, indent=1, sort_keys=True)
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    text = head.removesuffix("\n}") + f',\n "rows": [\n  {lines}\n ]\n}}\n'
    # Two renewals at once must not write into each other's files.
    new_file, new_archive = (path.with_suffix(f"{path.suffix}.{os.getpid()}.new") for path in (file, archive))
    try:
        new_file.write_text(text, encoding="utf-8", newline="\n")
        if weights:
            new_archive.write_bytes(content)
            os.replace(new_archive, archive)
        os.replace(new_file, file)
        if not weights:
            archive.unlink(missing_ok=True)
    finally:
        new_file.unlink(missing_ok=True)
        new_archive.unlink(missing_ok=True)


def read(folder: Path, name: str) -> Record:
    """Read a record that is whole and of this format."""
    path = folder / f"{name}.json"
    if not path.exists():
        raise RecordError(f"The record {name} is missing: make it with {command(name)}.")
    damaged = f"The record {name} is damaged (it is not what was stored): restore it, or renew it with {command(name)}."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["format"]
    except (ValueError, TypeError, KeyError):
        raise RecordError(damaged) from None
    if version != FORMAT:
        raise RecordError(
            f"The record {name} was written in format {version}, and this book reads format {FORMAT}: "
            f"renew it with {command(name)}."
        )
    if {"about", "rows", "digest"} - set(content) or content["digest"] != _digest(content["about"], content["rows"]):
        raise RecordError(damaged)
    return Record(name, content["rows"], content["about"], _read_weights(folder, name, content["about"].get("weights")))


def _read_weights(folder: Path, name: str, expected: str | None) -> list[np.ndarray]:
    """Read weights as float32 if they have the hash of the record."""
    if expected is None:
        return []
    path = folder / f"{name}.npz"
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != expected:
        state = "are damaged (their hash is not the one in the record)" if content else "are missing"
        raise RecordError(f"The weights of {name} {state}: restore {name}.npz, or renew both with {command(name)}.")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return [arrays[f"arr_{i}"].astype(np.float32) for i in range(len(arrays.files))]
