"""The byte-pair tokenizer: what it learns and writes, against loops over all pairs and against a library in Rust."""

import json
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from utils.data.messages import messages
from utils.data.texts import message_text
from utils.scratch.byte_pairs import WORD, BytePairs, merge, train

PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
OTHERS = [value for value in range(256) if value not in PRINTABLE]
# GPT-2's: the library writes a byte that has no shape as a letter from Ā on.
STAND_INS = {byte: chr(byte) for byte in PRINTABLE} | {byte: chr(256 + i) for i, byte in enumerate(OTHERS)}

# Few different signs, so that pairs repeat.
TEXTS = st.text(st.sampled_from("aab 01.\n\té漢🙂"), max_size=60)


def naive_merges(text: str, count: int) -> list[tuple[int, int]]:
    """Count all pairs again after each merge."""
    words = [list(word.encode()) for word in WORD.findall(text)]
    merges = []
    for token in range(256, 256 + count):
        counts = Counter(pair for word in words for pair in pairwise(word))
        if not counts:
            break
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(pair)
        for word in words:
            place = 0
            while place < len(word) - 1:
                if (word[place], word[place + 1]) == pair:
                    word[place : place + 2] = [token]
                place += 1
    return merges


def written(tokenizer: BytePairs, token: int) -> str:
    return "".join(STAND_INS[byte] for byte in tokenizer.tokens[token])


def library(model: models.BPE) -> Tokenizer:
    """The same cutting into words, and the bytes as the library writes them."""
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD.pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def twin(tokenizer: BytePairs) -> Tokenizer:
    """The library with the merges that were learned here."""
    tokens = [written(tokenizer, token) for token in range(len(tokenizer.tokens))]
    assert len(set(tokens)) == len(tokens)
    merges = [(tokens[left], tokens[right]) for left, right in tokenizer.merges]
    return library(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=merges))


@pytest.fixture(scope="module")
def running():
    return message_text()


@pytest.fixture(scope="module")
def learned(running):
    return train(running.train, 1024)


def test_the_example_of_the_paper_in_bytes():
    """Sennrich et al. 2016, algorithm 1, without its sign for the end of a word."""
    text = "\n".join(["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3)
    tokenizer = train(text, 260)
    assert tokenizer.tokens[256:] == (b"es", b"est", b"lo", b"low")
    assert tokenizer.merges == ((ord("e"), ord("s")), (256, ord("t")), (ord("l"), ord("o")), (258, ord("w")))
    assert tokenizer.encode("lowest").tolist() == [259, 257]
    assert tokenizer.encode("lowest").dtype == np.int32


def test_the_first_merges_of_the_messages(learned):
    assert learned.tokens[:256] == tuple(bytes([value]) for value in range(256))
    assert learned.tokens[256:264] == (b" t", b" th", b" a", b" the", b" o", b"in", b"re", b"on")
    assert len(learned.tokens) == 1024
    assert len(learned.merges) == 768


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("In 1797, the U.S.A.", ["In", " 1797", ",", " the", " U", ".", "S", ".", "A", "."]),
        ("a  b \n\n c_d\te", ["a", " ", " b", " ", "\n\n", " c", "_", "d", "\t", "e"]),
        ("don't, we're: -- \"No\"", ["don", "'", "t", ",", " we", "'", "re", ":", " --", ' "', "No", '"']),
        ("café 漢字🙂 ½\x7f\x80", ["café", " 漢字🙂", " ½", "\x7f", "\x80"]),
        ("AZaz@[`{09/:", ["AZaz", "@[`{", "09", "/:"]),
        ("a12b 3c", ["a", "12", "b", " 3", "c"]),
    ],
)
def test_words(text, words):
    assert WORD.findall(text) == words


@given(st.text())
def test_words_leave_nothing_out(text):
    assert "".join(WORD.findall(text)) == text


@given(st.text() | TEXTS)
@example("")
@example("a\r\n\u2028b")
def test_every_text_comes_back(learned, text):
    assert learned.decode(learned.encode(text)) == text


@given(TEXTS, st.integers(0, 12))
@example("aaaa aaaaa", 3)
def test_counting_what_changed_gives_the_merges_of_counting_all(text, count):
    expected = naive_merges(text, count)
    if len(expected) == count:
        assert train(text, 256 + count).merges == tuple(expected)
    else:
        message = f"The text has no pair left to merge at {256 + len(expected)} tokens: take a smaller vocabulary."
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            train(text, 256 + count)


def test_a_piece_of_the_messages_gives_the_merges_of_counting_all(running):
    text = running.train[:40_000]
    assert list(train(text, 316).merges) == naive_merges(text, 60)


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [([], []), ([1], [1]), ([1, 2], [9]), ([1, 2, 1, 2, 1], [9, 9, 1]), ([2, 1], [2, 1]), ([3, 1, 2], [3, 9])],
)
def test_merge(tokens, expected):
    assert merge(tokens, (1, 2), 9) == expected


def test_merge_takes_overlapping_pairs_from_the_left():
    assert merge([1, 1, 1], (1, 1), 9) == [9, 1]
    assert merge([1, 1, 1, 1], (1, 1), 9) == [9, 9]


def test_of_equally_frequent_pairs_the_smaller_numbers_come_first():
    assert train("cd\nab\nac", 259).merges == ((97, 98), (97, 99), (99, 100))


def test_the_earliest_merge_comes_first_wherever_it_stands():
    tokenizer = BytePairs([(98, 99), (97, 98)])  # bc, then ab
    assert tokenizer.encode("abc").tolist() == [97, 256]
    assert tokenizer.encode("abab").tolist() == [257, 257]


@given(TEXTS, TEXTS)
def test_a_text_is_encoded_the_same_every_time(first, second):
    text = "ab aab.1\n"
    tokenizer = train(3 * text, 258)
    before = [tokenizer.encode(text).tolist() for text in (first, second)]
    assert before == [BytePairs(tokenizer.merges).encode(text).tolist() for text in (first, second)]
    assert before == [tokenizer.encode(text).tolist() for text in (first, second)]


def test_half_a_character_is_shown_as_such():
    tokenizer = BytePairs([])
    tokens = tokenizer.encode("é")
    assert tokens.tolist() == [195, 169]
    assert tokenizer.decode(tokens[:1]) == "�"
    assert tokenizer.decode([]) == ""


def test_without_merges_the_tokens_are_the_bytes():
    assert train("any text", 256).merges == ()
    assert BytePairs([]).encode("aé").tolist() == list("aé".encode())


def test_the_first_and_the_last_token_can_be_merged_and_read():
    tokenizer = BytePairs([(0, 0), (256, 256)])
    assert tokenizer.tokens[256:] == (b"\0\0", b"\0\0\0\0")
    assert tokenizer.decode([0]) == "\0"
    assert tokenizer.decode([257, 256]) == 6 * "\0"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: train("text", 255), "A vocabulary of 255 has no room for the 256 bytes: take at least as many."),
        (lambda: train("", 257), "The text has no pair left to merge at 256 tokens: take a smaller vocabulary."),
        (lambda: train("ab", 258), "The text has no pair left to merge at 257 tokens: take a smaller vocabulary."),
        (
            lambda: BytePairs([(97, 98), (257, 97)]),
            "Token 257 is to be made of (257, 97): expected two smaller numbers.",
        ),
        (lambda: BytePairs([(-1, 97)]), "Token 256 is to be made of (-1, 97): expected two smaller numbers."),
        (lambda: BytePairs([]).decode([3, 256]), "The tokens go from 3 to 256: expected numbers from 0 to 255."),
        (
            lambda: BytePairs([(97, 98)]).decode(np.array([256, -1])),
            "The tokens go from -1 to 256: expected numbers from 0 to 256.",
        ),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


def test_the_library_learns_the_same_merges(running, learned):
    """Its alphabet is handed over in the order of the bytes, by which it breaks ties."""
    tokenizer = library(models.BPE())
    alphabet = [STAND_INS[byte] for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=1024, special_tokens=alphabet, show_progress=False)
    tokenizer.train_from_iterator([running.train], trainer)
    expected = json.loads(tokenizer.to_str())["model"]["merges"]
    assert [[written(learned, token) for token in pair] for pair in learned.merges] == expected


@given(st.text() | TEXTS)
def test_the_library_writes_the_same_tokens(learned, text):
    assert learned.encode(text).tolist() == twin(learned).encode(text).ids


def test_the_library_writes_the_same_tokens_for_all_messages(learned):
    """Their own signs, not the plain ones that the merges were learned from."""
    other = twin(learned)
    for text in messages().texts:
        assert np.array_equal(learned.encode(text), other.encode(text).ids)
