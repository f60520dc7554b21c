"""What cannot become a record is refused in one sentence: names, parameters, results."""

import dataclasses

import numpy as np
import pytest

from utils import records, settings
from utils.records import RecordError, record


@dataclasses.dataclass
class Data:
    x: np.ndarray


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Return a function that makes a record; nothing may be left of one that is refused."""
    monkeypatch.delenv("BOOK_RECORD", raising=False)
    monkeypatch.setenv("BOOK_QUIET", "1")
    monkeypatch.setattr(records.os, "cpu_count", lambda: 1)

    def call(function, name="small-sweep", **options):
        options = {"measure": "share", "cases": [{"width": 1}], "seeds": range(2), **options}
        record(name, function, run=settings.Run("full"), data=Data(np.zeros(2)), folder=tmp_path, **options)

    yield call
    assert not list(tmp_path.iterdir())


def never(seed, width):
    raise AssertionError("it ran")


@pytest.mark.parametrize("name", ["", "Two Words", "a/b", "a--b", "../a"])
def test_a_name_that_is_no_file_name(make, name):
    with pytest.raises(ValueError, match="small letters, digits and single hyphens"):
        make(never, name)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"cases": [{"width": (1, 2)}]}, "must be numbers, texts or lists of them"),
        ({"cases": [{"width": np.int64(1)}]}, "must be numbers, texts or lists of them"),
        ({"seeds": [1]}, "needs at least two seeds"),
        ({"seeds": [1, 2, 1]}, "each of them once"),
        ({"live": {"width": 3}}, "must be one of its cases"),
    ],
)
def test_parameters_are_refused_before_anything_runs(make, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        make(never, **options)


@pytest.mark.parametrize("value", [float("nan"), "text", None])
def test_results_that_are_no_finite_numbers(make, value):
    with pytest.raises(RecordError, match="cannot be stored: return finite numbers"):
        make(lambda seed, width: {"share": value})


@pytest.mark.parametrize("row", [{"other": 1}, {"share": 1.0, "width": 3}, {"share": 1.0, "seed": 3}])
def test_results_without_the_measure_or_with_the_name_of_a_parameter(make, row):
    with pytest.raises(RecordError, match=r"must return 'share', .* nothing that has the name of a parameter"):
        make(lambda seed, width: row)
