"""Handwritten digits of 8 by 8 pixels, a file of scikit-learn, which the book uses anyway."""

from __future__ import annotations

import gzip
import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from utils.data import DataError, Dataset, Provenance, stratified_split

DIGITS8 = Provenance(
    kind="library",
    package="scikit-learn",
    version="1.9.1",
    file="datasets/data/digits.csv.gz",
    sha256="09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
    source=(
        "Optical Recognition of Handwritten Digits, by Ethem Alpaydin and Cenk Kaynak, 1998, at the UCI Machine "
        "Learning Repository (https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits); the "
        "library's code is under BSD-3-Clause"
    ),
    license=(
        "Creative Commons Attribution 4.0 International, says the set's page at the UCI Machine Learning Repository "
        "(https://doi.org/10.24432/C50P49)"
    ),
    note=(
        "the official test part, 1,797 digits by 13 people; each pixel counts the ink in a block of 4 by 4 of a larger "
        "image, 0 to 16; here scaled to [0, 1], shuffled and split, 60 of each digit for the test, a split of the "
        "book's own with the same hands on both sides, so results are optimistic for a new hand and do not compare "
        "with those on the official split"
    ),
)
MEND = "python -m pip install --force-reinstall --no-deps scikit-learn"
SPLIT_SEED = 20
TEST_PER_CLASS = 60


def digits8() -> Dataset:
    """Load 1,797 handwritten digits, 8 by 8 pixels.

    Returns
    -------
    Dataset
        ``x_train`` (1197, 8, 8, 1) and ``x_test`` (600, 8, 8, 1), float32 in [0, 1]; ``y_train`` and ``y_test`` int64;
        114 to 123 and 60 of each digit, the same split every time, no image on both sides.

    Raises
    ------
    utils.data.DataError
        If the file is missing or damaged. Every version of the library that has the same file will do.
    """
    spec = find_spec("sklearn")  # located, not imported
    places = [] if spec is None else spec.submodule_search_locations or []
    path = next((p for place in places if (p := Path(place).joinpath(*DIGITS8.file.split("/"))).is_file()), None)
    content = b"" if path is None else path.read_bytes()
    if hashlib.sha256(content).hexdigest() != DIGITS8.sha256:
        problem = "is missing" if path is None else "is damaged (its SHA-256 is not the expected one)"
        raise DataError(f"The file {DIGITS8.file} of {DIGITS8.package} {problem}; run: {MEND}")
    table = np.loadtxt(gzip.decompress(content).decode("ascii").splitlines(), delimiter=",", dtype=np.uint8)
    pixels, y = table[:, :-1], table[:, -1].astype(np.int64)
    x = pixels.reshape(-1, 8, 8, 1).astype(np.float32) / np.float32(16)
    train, test = stratified_split(pixels, y, TEST_PER_CLASS, SPLIT_SEED)
    return Dataset(
        name="8 x 8 digits",
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        classes=tuple("0123456789"),
        provenance=DIGITS8,
    )
