"""A record is what its function gave, or refuses to be read and says why in one sentence."""

import dataclasses
import json
import re

import numpy as np
import pytest

from utils import records, settings
from utils.records import RecordError, record, storage

FULL, QUICK = settings.Run("full"), settings.Run("quick", seed=7)
CASES = [{"width": 1}, {"width": 2}]
NAME = "small-sweep"


@dataclasses.dataclass
class Data:
    x: np.ndarray
    name: str = "numbers"


DATA = Data(np.arange(4.0))
OFFSET = 0.0


def sweep(seed, width):
    """Shares around one half, by a tenth of a point apart."""
    generator = np.random.default_rng(seed)
    weights = [generator.normal(size=(3, width)), np.array([width])]
    return {"share": 0.5 + 0.001 * seed + 0.1 * (width - 1) + OFFSET, "curve": [1.0, 2 / 3], "weights": weights}


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    monkeypatch.delenv("BOOK_RECORD", raising=False)
    monkeypatch.setenv("BOOK_QUIET", "1")
    # One worker runs in this process: what is tested is the record, not joblib.
    monkeypatch.setattr(records.os, "cpu_count", lambda: 1)


@pytest.fixture
def read(tmp_path):
    """Return a function that reads the record, or makes it with ``run=FULL``."""

    def call(function=sweep, run=QUICK, **options):
        options = {"data": DATA, "measure": "share", "cases": CASES, "seeds": range(3), **options}
        return record(NAME, function, run=run, folder=tmp_path, **options)

    return call


@pytest.fixture
def stored(read, tmp_path):
    read(run=FULL)
    return tmp_path / f"{NAME}.json"


def sentence(error) -> str:
    text = str(error.value)
    assert text.count(". ") == 0 and text.endswith(".") and "\n" not in text
    return text


def test_what_is_made_is_what_is_read(read, tmp_path):
    made = read(run=FULL)
    found = read()
    assert found.rows == made.rows and found.about == made.about
    assert [(row["width"], row["seed"]) for row in found.rows] == [(w, s) for w in (1, 2) for s in range(3)]
    assert found.values("share", width=2) == pytest.approx([0.6, 0.601, 0.602])
    assert found.values("curve", width=1).shape == (3, 2)
    assert found.rows[0]["curve"] == [1.0, 0.666667]
    assert all(row["seconds"] >= 0 and "weights" not in row for row in found.rows)
    assert {"made", "seconds", "machine", "versions", "backend", "code", "data", "parameters"} <= set(found.about)
    assert found.about["machine"]["cores"] >= 1
    assert not list(tmp_path.glob("*.new"))
    assert f"make record NAME={NAME}" in str(found)
    assert "6 runs" in str(found)


def test_a_function_that_draws_its_own_examples_needs_no_data(read):
    made = read(run=FULL, data=None)
    assert read(data=None).rows == made.rows
    with pytest.raises(RecordError, match="its data changed"):
        read()


def test_the_weights_of_the_first_run_are_kept(read, stored):
    weights = read().weights
    first = np.random.default_rng(0).normal(size=(3, 1))
    assert [w.shape for w in weights] == [(3, 1), (1,)]
    assert all(w.dtype == np.float32 for w in weights)
    assert np.array_equal(weights[0], first.astype(np.float16).astype(np.float32))


def test_two_makings_differ_in_their_seconds_only(read, stored):
    before, archive = json.loads(stored.read_text()), stored.with_suffix(".npz").read_bytes()
    read(run=FULL)
    after = json.loads(stored.read_text())
    for content in (before, after):
        content.pop("digest")
        content["about"].pop("seconds")
        for row in content["rows"]:
            row.pop("seconds")
    assert before == after
    assert stored.with_suffix(".npz").read_bytes() == archive


def test_side_by_side_gives_the_same(read, monkeypatch):
    alone = read(run=FULL)
    monkeypatch.setattr(records.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(records.shutil, "which", lambda name: None)
    together = read(run=FULL)
    for a, b in zip(alone.rows, together.rows, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}


def test_a_missing_record(read):
    with pytest.raises(RecordError, match=f"is missing: make it with make record NAME={NAME}") as error:
        read()
    sentence(error)


def test_a_record_without_runs_of_a_case(read, stored):
    with pytest.raises(KeyError, match="no runs with"):
        read().values("share", width=3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: "",
        lambda text: "[]",
        lambda text: text.replace('"share": 0.501', '"share": 0.401', 1),
        lambda text: text.replace('"cores": ', '"cores": 1', 1),
        lambda text: re.sub(r'"digest": "\w+",', "", text),
    ],
)
def test_a_damaged_record(read, stored, damage):
    text = stored.read_text()
    assert damage(text) != text
    stored.write_text(damage(text))
    with pytest.raises(RecordError, match=r"is damaged .* renew it with make record") as error:
        read()
    sentence(error)


def test_a_record_of_another_format(read, stored):
    stored.write_text(stored.read_text().replace('"format": 1', '"format": 0'))
    with pytest.raises(RecordError, match="was written in format 0, and this book reads format 1") as error:
        read()
    sentence(error)


def other(seed, width):
    return {"share": 0.5}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"function": other}, "the code of other changed"),
        ({"cases": [{"width": 1}]}, "its cases or seeds changed"),
        ({"seeds": range(4)}, "its cases or seeds changed"),
        ({"data": Data(np.arange(5.0))}, "its data changed"),
        ({"data": Data(np.arange(5.0)), "seeds": range(4)}, "its cases or seeds and its data changed"),
    ],
)
def test_a_stale_record(read, stored, change, what):
    with pytest.raises(RecordError, match=f"is stale, since {what} .* renew it with make record") as error:
        read(**change)
    sentence(error)


def test_a_constant_that_the_function_uses_makes_it_stale(read, stored, monkeypatch):
    monkeypatch.setitem(globals(), "OFFSET", 0.1)
    with pytest.raises(RecordError, match="the code of sweep changed"):
        read()


def test_renewing_one_record_tolerates_others_that_are_stale(read, stored, monkeypatch):
    monkeypatch.setenv("BOOK_RECORD", "small-other")
    before = stored.read_bytes()
    found = read(function=other, live={"width": 1})
    assert found.values("share", width=1)[0] == 0.5
    assert found.live is None
    assert stored.read_bytes() == before
    monkeypatch.setenv("BOOK_RECORD", NAME)
    read(function=other)
    assert stored.read_bytes() != before
    assert not stored.with_suffix(".npz").exists()


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_renewal_leaves_the_record(read, stored, stop):
    def broken(seed, width):
        if width == 2:
            raise stop("in the middle")
        return {"share": 1.0}

    before = {path: path.read_bytes() for path in stored.parent.iterdir()}
    with pytest.raises(stop):
        read(function=broken, run=FULL)
    assert {path: path.read_bytes() for path in stored.parent.iterdir()} == before


def test_an_interruption_while_writing_leaves_no_half_file(read, stored, monkeypatch):
    def full_disk(*_):
        raise OSError("no space left")

    before = {path: path.read_bytes() for path in stored.parent.iterdir()}
    monkeypatch.setattr(storage.os, "replace", full_disk)
    with pytest.raises(OSError, match="no space"):
        read(run=FULL)
    assert {path: path.read_bytes() for path in stored.parent.iterdir()} == before


def test_weights_with_another_hash(read, stored):
    archive = stored.with_suffix(".npz")
    content = archive.read_bytes()
    archive.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(
        RecordError, match=r"The weights of small-sweep are damaged .* restore small-sweep\.npz"
    ) as error:
        read()
    sentence(error)
    archive.unlink()
    with pytest.raises(RecordError, match="The weights of small-sweep are missing") as error:
        read()
    sentence(error)


def test_weights_that_are_too_large(read, stored, monkeypatch):
    monkeypatch.setattr(storage, "MAX_WEIGHT_BYTES", 100)
    before = stored.read_bytes()
    with pytest.raises(RecordError, match="more than the 100 that a record may keep") as error:
        read(run=FULL)
    sentence(error)
    assert stored.read_bytes() == before


def test_a_live_run_that_agrees(read, stored):
    # Seed 7 gives .507: within two points of the mean, though not within five deviations of .001.
    live = read(live={"width": 1}).live
    assert live["share"] == pytest.approx(0.507)
    assert live["width"] == 1 and live["seed"] == 7
    assert read().live is None


def test_a_live_run_that_disagrees(read, stored, monkeypatch):
    monkeypatch.setattr(records, "_check_origin", lambda *_: None)
    monkeypatch.setitem(globals(), "OFFSET", 0.021)
    with pytest.raises(RecordError, match=r"gave 0\.5280 for 'share' here, and the record has 0\.5010 ± 0\.0010") as e:
        read(live={"width": 1})
    assert "further off than 0.0200: renew it" in str(e.value)


def test_five_deviations_are_allowed_where_they_are_more(read, monkeypatch):
    def wide(seed, width):
        return {"share": 0.5 + 0.1 * seed}

    read(function=wide, run=FULL, seeds=range(3))
    monkeypatch.setattr(records, "_check_origin", lambda *_: None)  # mean .6, five deviations .5
    assert read(function=lambda seed, width: {"share": 1.0999}, live={"width": 1}).live["share"] == 1.0999
    with pytest.raises(RecordError, match=r"further off than 0\.5000"):
        read(function=lambda seed, width: {"share": 1.1001}, live={"width": 1})


def test_the_full_profile_makes_and_does_not_repeat(read):
    calls = []

    def counted(seed, width):
        calls.append((seed, width))
        return {"share": 1.0}

    made = read(function=counted, run=FULL, live={"width": 1})
    assert len(calls) == 6
    assert made.live is None


def test_what_is_made_alone_is_made_when_it_is_named_only(read, monkeypatch):
    with pytest.raises(RecordError, match=r"does not exist|missing"):
        read(run=FULL, alone=True)
    monkeypatch.setenv("BOOK_RECORD", NAME)
    read(alone=True)
    monkeypatch.delenv("BOOK_RECORD")
    assert read(run=FULL, alone=True).about == read().about


def test_progress_is_for_persons(read, monkeypatch, capsys):
    read(run=FULL)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("BOOK_QUIET", "0")
    made = read(run=FULL, function=lambda seed, width: {"share": float(settings.quiet())})
    assert f"{NAME}: 100%" in capsys.readouterr().err
    assert (made.values("share") == 1).all()  # one bar is enough: the runs themselves are quiet
