"""Fashion-MNIST itself: what comes out of the real files. Skipped where Debian's package is not installed."""

import hashlib
import re
import struct

import numpy as np
import pytest

from utils.data import images
from utils.data.downloads import read_archive


@pytest.fixture(scope="module")
def clothes():
    if not images.FASHION_ARCHIVE.folder.is_dir():
        pytest.skip("needs the real data: Debian's package dataset-fashion-mnist is not installed")
    return images.fashion()


def test_shapes_types_and_range(clothes):
    assert clothes.name == "Fashion-MNIST"
    assert clothes.x_train.shape == (60000, 28, 28, 1)
    assert clothes.x_test.shape == (10000, 28, 28, 1)
    assert clothes.x_train.dtype == clothes.x_test.dtype == np.float32
    assert clothes.y_train.dtype == clothes.y_test.dtype == np.int64
    assert clothes.x_train.min() == clothes.x_test.min() == 0
    assert clothes.x_train.max() == clothes.x_test.max() == 1


def test_classes_are_balanced(clothes):
    assert np.bincount(clothes.y_train).tolist() == [6000] * 10
    assert np.bincount(clothes.y_test).tolist() == [1000] * 10


def test_no_two_images_are_identical_so_none_is_on_both_sides(clothes):
    pixels = [(part * 255).round().astype(np.uint8) for part in (clothes.x_train, clothes.x_test)]
    assert len({image.tobytes() for part in pixels for image in part}) == 70000


def test_the_split_and_its_order_are_the_official_ones(clothes):
    assert clothes.y_train[:8].tolist() == [9, 0, 0, 3, 0, 2, 7, 2]
    assert clothes.y_test[:8].tolist() == [9, 2, 1, 1, 6, 1, 4, 6]


def test_labels_belong_to_their_images(clothes):
    """The nearest mean image gives the right label for most test images."""
    train, test = clothes.x_train.reshape(60000, -1), clothes.x_test.reshape(10000, -1)
    means = np.stack([train[clothes.y_train == label].mean(axis=0) for label in range(10)])
    distances = (means**2).sum(axis=1) - 2 * test @ means.T
    assert (distances.argmin(axis=1) == clothes.y_test).mean() > 0.6


def test_the_hash_in_the_provenance_is_that_of_the_joined_content(clothes):
    content = b"".join(read_archive(images.FASHION_ARCHIVE, file) for file in images.FASHION_FILES)
    assert hashlib.sha256(content).hexdigest() == clothes.provenance.sha256


def test_the_published_files_have_the_content_of_debians(clothes):
    """They differ in the header of gzip only: with name and time put back, the MD5 is the published one."""
    for file, seconds in zip(images.FASHION_FILES, (0, 0, 21, 21), strict=True):
        debian = (images.FASHION_ARCHIVE.folder / file.name).read_bytes()
        header = b"\x1f\x8b\x08\x08" + struct.pack("<I", 1504176606 + seconds) + b"\x00\x03"
        published = header + file.name.removesuffix(".gz").encode() + b"\0" + debian[10:]
        assert hashlib.md5(published).hexdigest() == file.md5


def test_provenance_reads_as_text():
    lines = str(images.FASHION).splitlines()
    text = re.sub(r"\s+", " ", " ".join(lines))
    for part in ("of the repository zalandoresearch/fashion-mnist b2617bb", "MIT", "Zalando SE", "1,000 per class"):
        assert part in text
    assert "(https://github.com/zalandoresearch/fashion-mnist)" in "".join(lines)
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        "File:",
        "SHA-256:",
        "Source:",
        "License:",
        "Note:",
    ]


def test_the_address_names_one_commit_of_the_official_repository():
    assert re.fullmatch(
        r"https://raw\.githubusercontent\.com/zalandoresearch/fashion-mnist/[0-9a-f]{40}/data/fashion",
        images.FASHION_ARCHIVE.address,
    )
