"""Loading Fashion-MNIST from Debian's package or by download, and what is said when neither works.

A tiny set stands in for the real one, and a server of this machine for the internet.
"""

import functools
import gzip
import hashlib
import http.server
import re
import struct
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pooch
import pytest

from utils.data import DataError, images
from utils.data.downloads import CACHE, read_idx
from utils.settings import ROOT

APT = "on Debian run: sudo apt-get install dataset-fashion-mnist"
REINSTALL = "run: sudo apt-get install --reinstall dataset-fashion-mnist"


def idx(values: np.ndarray) -> bytes:
    return b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


class Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Tiny:
    """Four files that a server of this machine gives out, and nothing installed."""

    def __init__(self, tmp_path, monkeypatch):
        rng = np.random.default_rng(0)
        self.arrays = [
            rng.integers(0, limit, shape, dtype=np.uint8)
            for shape, limit in (((5, 28, 28), 256), (5, 10), ((3, 28, 28), 256), (3, 10))
        ]
        self.published, self.installed = tmp_path / "published", tmp_path / "installed"
        self.cache = tmp_path / "cache" / CACHE / "dataset-fashion-mnist"
        self.published.mkdir()
        files = []
        for file, values in zip(images.FASHION_FILES, self.arrays, strict=True):
            packed = gzip.compress(idx(values), mtime=0)
            (self.published / file.name).write_bytes(packed)
            hashes = {"md5": hashlib.md5(packed).hexdigest(), "sha256": hashlib.sha256(idx(values)).hexdigest()}
            files.append(replace(file, **hashes))
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Silent, directory=self.published)
        )
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{self.server.server_port}"
        archive = replace(images.FASHION_ARCHIVE, folder=self.installed, address=address)
        monkeypatch.setattr(images, "FASHION_ARCHIVE", archive)
        monkeypatch.setattr(images, "FASHION_FILES", tuple(files))
        monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
        monkeypatch.setenv("NO_PROXY", "*")
        self.name = files[2].name

    def install(self):
        """Put the files where Debian's package would, compressed anew."""
        self.installed.mkdir()
        for path in self.published.iterdir():
            (self.installed / path.name).write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1))

    def disconnect(self):
        self.server.shutdown()
        self.server.server_close()

    def check(self, dataset):
        for found, expected in zip((dataset.x_train, dataset.x_test), self.arrays[::2], strict=True):
            assert found.dtype == np.float32
            assert np.array_equal(found, expected[..., None].astype(np.float32) / np.float32(255))
        for found, expected in zip((dataset.y_train, dataset.y_test), self.arrays[1::2], strict=True):
            assert found.dtype == np.int64
            assert np.array_equal(found, expected)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    tiny = Tiny(tmp_path, monkeypatch)
    yield tiny
    tiny.disconnect()


def refused(sentence):
    return pytest.raises(DataError, match=f"^{re.escape(sentence)}$")


def test_the_system_package_is_read_and_nothing_is_downloaded(tiny):
    tiny.install()
    tiny.disconnect()
    tiny.check(images.fashion())
    assert not tiny.cache.exists()


def test_without_the_package_it_is_downloaded_once(tiny):
    tiny.check(images.fashion())
    tiny.disconnect()
    tiny.check(images.fashion())
    assert {path.name for path in tiny.cache.iterdir()} == {file.name for file in images.FASHION_FILES}


def test_a_damaged_file_in_the_cache_is_downloaded_anew(tiny):
    images.fashion()
    (tiny.cache / tiny.name).write_bytes(b"damaged")
    tiny.check(images.fashion())


@pytest.mark.parametrize(("quiet", "lines"), [("1", 0), ("0", 4)])
def test_a_download_says_so_unless_outputs_are_compared(tiny, monkeypatch, caplog, quiet, lines):
    monkeypatch.setenv("BOOK_QUIET", quiet)
    monkeypatch.setattr(pooch.get_logger(), "disabled", None)
    monkeypatch.setattr(pooch.get_logger(), "handlers", [caplog.handler])
    images.fashion()
    assert len(caplog.records) == lines


def test_a_missing_file_of_the_package(tiny):
    tiny.install()
    (tiny.installed / tiny.name).unlink()
    with refused(f"The data file {tiny.name} of Debian's package dataset-fashion-mnist is missing; {REINSTALL}"):
        images.fashion()


@pytest.mark.parametrize(
    ("damage", "how"),
    [
        (lambda packed: packed[:-20], "it cannot be unpacked"),
        (lambda packed: b"", "its SHA-256 is not the expected one"),
        (lambda packed: b"something else", "it cannot be unpacked"),
        (lambda packed: packed[:10] + b"\xff" + packed[11:], "it cannot be unpacked"),
        (lambda packed: gzip.compress(b"something else"), "its SHA-256 is not the expected one"),
    ],
)
def test_a_damaged_file_of_the_package(tiny, damage, how):
    tiny.install()
    path = tiny.installed / tiny.name
    path.write_bytes(damage(path.read_bytes()))
    with refused(
        f"The data file {tiny.name} of Debian's package dataset-fashion-mnist is damaged ({how}); {REINSTALL}"
    ):
        images.fashion()


def test_a_damaged_download(tiny):
    (tiny.published / tiny.name).write_bytes(b"damaged on the way")
    with refused(
        f"The data file {tiny.name} that was downloaded for Fashion-MNIST is damaged "
        f"(its MD5 is not the published one); run this again, or {APT}"
    ):
        images.fashion()
    assert tiny.name not in {path.name for path in tiny.cache.iterdir()}


def test_a_download_is_not_trusted_for_its_md5_alone(tiny, monkeypatch):
    files = [replace(file, sha256="0" * 64) for file in images.FASHION_FILES]
    monkeypatch.setattr(images, "FASHION_FILES", files)
    with refused(
        f"The data file {files[0].name} that was downloaded for Fashion-MNIST is damaged "
        f"(its SHA-256 is not the expected one); run this again, or {APT}"
    ):
        images.fashion()


@pytest.mark.parametrize("error", ["ConnectionError", "HTTPError"])
def test_no_package_and_no_network(tiny, error):
    if error == "HTTPError":
        (tiny.published / images.FASHION_FILES[0].name).unlink()
    else:
        tiny.disconnect()
    with refused(
        f"Fashion-MNIST is not installed, and train-images-idx3-ubyte.gz could not be downloaded ({error}); "
        f"connect to the network and run this again, or {APT}"
    ):
        images.fashion()


def test_a_cache_that_cannot_be_written(tiny):
    tiny.cache.parent.parent.touch()  # a file where the folder should be
    with pytest.raises(DataError) as caught:
        images.fashion()
    assert re.fullmatch(
        r"Fashion-MNIST is not installed, and train-images-idx3-ubyte\.gz could not be stored in the user's cache "
        rf"folder \(\w+Error\); make room or give leave to write there, or {APT}",
        str(caught.value),
    )


def test_no_package_and_no_pooch(tiny, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with refused(
        f"Fashion-MNIST is not installed, and downloading it needs pooch; run: python -m pip install pooch, or {APT}"
    ):
        images.fashion()


def test_the_package_is_read_without_pooch(tiny, monkeypatch):
    tiny.install()
    monkeypatch.setitem(sys.modules, "pooch", None)
    tiny.check(images.fashion())


def test_mnist_needs_no_pooch():
    absent = "import sys; sys.modules['pooch'] = sys.modules['requests'] = None"
    code = f"{absent}; from utils.data.images import mnist; mnist()"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_an_array_survives_the_format():
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert np.array_equal(read_idx(idx(values)), values)


@pytest.mark.parametrize(
    "damage", [lambda b: b[:2] + b"\x0d" + b[3:], lambda b: b[:-1], lambda b: b + b"\0", lambda b: b""]
)
def test_what_is_no_array_of_bytes_is_refused(damage):
    with pytest.raises(ValueError):
        read_idx(damage(idx(np.zeros((2, 3), np.uint8))))
