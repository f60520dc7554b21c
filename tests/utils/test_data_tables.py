"""Loading the visits to a doctor: what comes out, and what a household is."""

import dataclasses

import numpy as np
import pytest

from utils.data import read_verified
from utils.data.tables import VISITS, doctor_visits
from utils.records import data_hash


@pytest.fixture(scope="module")
def visits():
    return doctor_visits()


def test_shapes_and_types(visits):
    assert visits.name == "Visits to a doctor"
    assert visits.columns == ("lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp")
    assert visits.x.shape == (20190, 9)
    assert visits.x.dtype == np.float64
    assert visits.counts.shape == visits.households.shape == (20190,)
    assert visits.counts.dtype == visits.households.dtype == np.int64
    assert np.isfinite(visits.x).all()


def test_every_number_of_the_file_is_in_its_place(visits):
    lines = read_verified(*dataclasses.astuple(VISITS)[:4]).decode("ascii").splitlines()
    assert lines[0].split(",") == ["mdvis", *visits.columns]
    for place in (0, 1, 25, 20189):
        assert [float(cell) for cell in lines[place + 1].split(",")] == [visits.counts[place], *visits.x[place]]


def test_known_sums(visits):
    assert (visits.counts.min(), visits.counts.max(), visits.counts.sum()) == (0, 77, 57752)
    assert (visits.counts == 0).sum() == 6308
    health = visits.x[:, 6:]
    assert set(np.unique(health)) == {0, 1}
    assert health.sum(axis=1).max() == 1


def test_a_household_is_a_stretch_of_one_plan(visits):
    home, plan = visits.households, visits.x[:, :4]
    assert home[0] == 0
    assert set(np.diff(home)) == {0, 1}
    assert home[-1] == 2258
    same = (plan[1:] == plan[:-1]).all(axis=1)
    assert np.array_equal(same, np.diff(home) == 0)


def test_health_changes_within_a_household(visits):
    inside = np.diff(visits.households) == 0
    assert (visits.x[1:, 4:] != visits.x[:-1, 4:]).any(axis=1)[inside].sum() > 1000


def test_a_record_notices_every_change(visits):
    hashes = {data_hash(visits)}
    for field in ("x", "counts", "households"):
        values = getattr(visits, field).copy()
        values[5] += 1
        hashes.add(data_hash(dataclasses.replace(visits, **{field: values})))
    assert len(hashes) == 4


def test_provenance_reads_as_text(visits):
    text = " ".join(str(visits.provenance).split())
    for part in ("statsmodels 0.15.0", "randhie.csv", VISITS.sha256, "RAND", "public domain", "20,190 rows"):
        assert part in text
