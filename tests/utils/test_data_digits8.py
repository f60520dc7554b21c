"""The 8 by 8 digits of scikit-learn: what comes out of the file, and what is said when it is not the right one."""

import re
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from utils.data import DataError, digits8
from utils.settings import ROOT


@pytest.fixture(scope="module")
def digits():
    return digits8.digits8()


def test_shapes_types_and_range(digits):
    assert digits.name == "8 x 8 digits"
    assert digits.x_train.shape == (1197, 8, 8, 1)
    assert digits.x_test.shape == (600, 8, 8, 1)
    assert digits.x_train.dtype == digits.x_test.dtype == np.float32
    assert digits.y_train.dtype == digits.y_test.dtype == np.int64
    assert digits.x_train.min() == digits.x_test.min() == 0
    assert digits.x_train.max() == digits.x_test.max() == 1
    assert digits.classes == tuple("0123456789")


def test_classes(digits):
    assert np.bincount(digits.y_test).tolist() == [60] * 10
    assert np.bincount(digits.y_train).tolist() == [118, 122, 117, 123, 121, 122, 121, 119, 114, 120]
    for labels in (digits.y_train, digits.y_test):
        assert (np.diff(labels) == 0).mean() < 0.2  # the order says nothing about the label


def test_they_are_those_that_the_library_loads(digits):
    """Every image with its label, each once, as the library's own loader has them."""

    def rows(x, y):
        return sorted((*image.ravel().tolist(), int(label)) for image, label in zip(x, y, strict=True))

    theirs = load_digits()
    ours = rows(np.concatenate([digits.x_train, digits.x_test]) * 16, np.concatenate([digits.y_train, digits.y_test]))
    assert ours == rows(theirs.images, theirs.target)


def test_no_image_is_on_both_sides_and_the_split_is_the_same_every_time(digits):
    train, test = ({image.tobytes() for image in part} for part in (digits.x_train, digits.x_test))
    assert not train & test
    assert digits.y_train[:8].tolist() == [9, 7, 1, 6, 7, 2, 4, 0]
    assert digits.y_test[:8].tolist() == [5, 7, 1, 4, 9, 4, 8, 5]
    again = digits8.digits8()
    assert np.array_equal(again.x_train, digits.x_train)
    assert np.array_equal(again.y_test, digits.y_test)


def test_provenance_reads_as_text(digits):
    text = re.sub(r"\s+", " ", str(digits.provenance))
    for part in ("of the library scikit-learn", digits.provenance.sha256, "Attribution 4.0", "Alpaydin", "13 people"):
        assert part in text


def test_the_version_is_that_of_the_lock():
    lock = (ROOT / "requirements.txt").read_text("utf-8")
    assert re.search(rf"^scikit-learn=={re.escape(digits8.DIGITS8.version)} ", lock, re.MULTILINE)


def test_the_library_is_located_and_not_imported():
    code = "import sys; from utils.data.digits8 import digits8; digits8(); assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Pretend that the library is installed in a temporary folder, without the file."""
    spec = ModuleSpec("sklearn", None, is_package=True)
    spec.submodule_search_locations.append(str(tmp_path))
    path = tmp_path.joinpath(*digits8.DIGITS8.file.split("/"))
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(digits8, "find_spec", lambda name: spec if name == "sklearn" else None)
    return path


def refused(problem):
    message = (
        f"The file datasets/data/digits.csv.gz of scikit-learn {problem}; "
        "run: python -m pip install --force-reinstall --no-deps scikit-learn"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        digits8.digits8()


def test_missing_and_damaged_files(folder, monkeypatch):
    import sklearn

    content = Path(sklearn.__file__).parent.joinpath(*digits8.DIGITS8.file.split("/")).read_bytes()
    refused("is missing")
    for damaged in (b"", content[:-1], content[:100] + bytes([content[100] ^ 1]) + content[101:]):
        folder.write_bytes(damaged)
        refused("is damaged (its SHA-256 is not the expected one)")
    folder.write_bytes(content)
    assert len(digits8.digits8().x_test) == 600
    for spec in (None, ModuleSpec("sklearn", None)):
        monkeypatch.setattr(digits8, "find_spec", lambda name, spec=spec: spec)
        refused("is missing")
