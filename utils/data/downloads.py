"""Larger data sets: read from a system package where it is installed, else downloaded by pooch."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.data import DataError
from utils.settings import quiet

CACHE = "large-ai-models"


@dataclass(frozen=True)
class Archive:
    """Where the compressed files of a larger data set lie.

    Attributes
    ----------
    name : what the set is called
    package : the package of Debian that holds its files
    folder : the folder where that package puts them
    address : the address below which they are downloaded, without the last slash
    """

    name: str
    package: str
    folder: Path
    address: str

    @property
    def install(self) -> str:
        """What to run where the package is missing."""
        return f"on Debian run: sudo apt-get install {self.package}"

    @property
    def reinstall(self) -> str:
        """What to run where the package's files are damaged."""
        return f"run: sudo apt-get install --reinstall {self.package}"


@dataclass(frozen=True)
class Compressed:
    """One compressed file and how to know that it is the right one.

    Attributes
    ----------
    name : its name, which ends in ``.gz``
    md5 : hash of the compressed file, as its publisher gives it; Debian compresses anew
    sha256 : hash of the content, which is the same everywhere
    """

    name: str
    md5: str
    sha256: str


def read_archive(archive: Archive, file: Compressed) -> bytes:
    """Return the content of one file of a larger data set, if it is the expected one.

    Parameters
    ----------
    archive
        The set. Its system folder comes first; nothing is downloaded where it exists.
    file
        The file and its hashes.

    Raises
    ------
    DataError
        If the file is missing, damaged, or cannot be downloaded.
    """
    if archive.folder.is_dir():
        path, cure = archive.folder / file.name, archive.reinstall
        place = f"of Debian's package {archive.package}"
    else:
        path, cure = _download(archive, file), f"run this again, or {archive.install}"
        place = f"that was downloaded for {archive.name}"
    if not path.is_file():
        raise DataError(f"The data file {file.name} {place} is missing; {cure}")
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        raise DataError(f"The data file {file.name} {place} is damaged (it cannot be unpacked); {cure}") from None
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise DataError(f"The data file {file.name} {place} is damaged (its SHA-256 is not the expected one); {cure}")
    return content


def read_idx(content: bytes) -> np.ndarray:
    """Return the array in a file of MNIST's format IDX.

    Parameters
    ----------
    content
        Two zeros, the type of the values, the number of axes, the length of each axis
        (four bytes, the highest first), the values.

    Returns
    -------
    numpy.ndarray
        uint8, read-only.

    Raises
    ------
    ValueError
        If the values are not single bytes or not as many as the lengths say.
    """
    if content[:3] != b"\0\0\x08":
        raise ValueError("this is not an IDX file of single bytes")
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _download(archive: Archive, file: Compressed) -> Path:
    """Return the path of a file in the cache, downloaded if it is not there or damaged."""
    try:
        import pooch  # only here: what comes with pip needs no downloads
        from requests import RequestException
    except ImportError:
        raise DataError(
            f"{archive.name} is not installed, and downloading it needs pooch; "
            f"run: python -m pip install pooch, or {archive.install}"
        ) from None
    pooch.get_logger().disabled = quiet()  # it prints the path of the cache
    try:
        path = pooch.retrieve(
            f"{archive.address}/{file.name}",
            known_hash=f"md5:{file.md5}",
            fname=file.name,
            path=pooch.os_cache(CACHE) / archive.package,
        )
    except ValueError:
        raise DataError(
            f"The data file {file.name} that was downloaded for {archive.name} is damaged "
            f"(its MD5 is not the published one); run this again, or {archive.install}"
        ) from None
    except RequestException as error:
        raise DataError(
            f"{archive.name} is not installed, and {file.name} could not be downloaded ({type(error).__name__}); "
            f"connect to the network and run this again, or {archive.install}"
        ) from None
    except OSError as error:
        raise DataError(
            f"{archive.name} is not installed, and {file.name} could not be stored in the user's cache folder "
            f"({type(error).__name__}); make room or give leave to write there, or {archive.install}"
        ) from None
    return Path(path)
