"""WordPiece: what a word is and how it is cut, by hand and against the library in Rust, on all messages too."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from utils.data.messages import messages
from utils.data.minilm import minilm
from utils.scratch.word_pieces import WordPieces, split_words

SMALL = ("[PAD]", "un", "##aff", "##able", "aff", "[UNK]", "##a", "a", "##b", "[CLS]", "b", "[SEP]", "!", "##az")
# The library's tables are those of Unicode 8: signs that came or changed since then it may see otherwise. These have
# been the same since Unicode 3.2.
SETTLED = [
    sign
    for sign in map(chr, range(0x110000))
    if unicodedata.ucd_3_2_0.category(sign) == unicodedata.category(sign) not in ("Cn", "Cs")
]
NASTY = (
    "",
    " ",
    "\t\n\r\x0b\x0c\x1c\x85\xa0\u2028\u3000",
    "Café naïve Ångström İstanbul STRASSE straße ΟΔΟΣ Ǆ ﬁ",
    "e\u0301 a\u0308\u0323 \u0301 \u0903 \u302e\u0301\u20dd",
    "漢字かな交じり文 한국어 ไทย हिन्दी עברית العربية",
    "\uf900\ufaff\u3400\u4dbf\u4e00\u9fff\U00020000\U0002a6df\U0002a700\U0002b81f\U0002f800\U0002fa1f",
    "\u33ff\u4dc0\ua000\uf8ff\ufb00",
    "🙂👨‍👩‍👧🇺🇸 👍🏽",
    "a\x00b\x07c\ufffdd\u200be\u200df\ufeffg\u00adh\ue000i\u0378j",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ a$b a_b «x» “y” ‐–—… ¿¡ © ™ € £",
    "[CLS] a [SEP] b [MASK] [UNK] [PAD] ##ing un##able",
    "x" * 100,
    "x" * 101,
    "un" + "a\u0301" * 98,
    "漢" * 101,
    "1,234.5e-6 3½ ² ٣",
)


@pytest.fixture
def small():
    return WordPieces(SMALL)


@pytest.fixture(scope="module")
def trained():
    return WordPieces(minilm().vocabulary)


@pytest.fixture(scope="module")
def library():
    tokenizer = Tokenizer.from_str(minilm().tokenizer)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # [CLS] in a text is text
    return tokenizer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  Two\twords\n", ["two", "words"]),
        ("Don't!", ["don", "'", "t", "!"]),
        ("a\x07b\x00c\ufffdd\u200be\ue000f", ["abcdef"]),
        ("a\x0bb\x85c", ["abc"]),  # control signs, whatever they once did to a printer
        ("a\tb\nc\rd\u2028e\u3000f\xa0g", list("abcdefg")),
        ("Café Ångström", ["cafe", "angstrom"]),
        ("I\u0307 İ", ["i", "i"]),
        ("a漢字b", ["a", "漢", "字", "b"]),
        ("かな", ["かな"]),
        ("$5=€5+6", ["$", "5", "=", "€5", "+", "6"]),
        ("“x”—y…", ["“", "x", "”", "—", "y", "…"]),
        ("ΟΔΟΣ", ["οδοσ"]),  # sign by sign: no special form at the end of a word
    ],
)
def test_words(text, words):
    assert split_words(text) == words


def test_the_borders_of_the_chinese_signs():
    """Each block's first and last sign is a word, the signs before and after it are not."""
    blocks = [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF)]
    blocks += [(0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0x2F800, 0x2FA1F)]

    def apart(code):
        return len(split_words(f"a{chr(code)}a")) == 3

    assert all(apart(code) for block in blocks for code in block)
    inside = {code for first, last in blocks for code in range(first, last + 1)}
    around = {code for first, last in blocks for code in (first - 1, last + 1)} - inside
    assert not any(apart(code) for code in around)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("unaffable", ["un", "##aff", "##able"]),  # the example in BERT's code
        ("Unaffable! aff", ["un", "##aff", "##able", "!", "aff"]),
        ("unaffaz", ["un", "##aff", "##az"]),  # the longest piece is not the first of the vocabulary
        ("aab", ["a", "##a", "##b"]),
        ("ba", ["b", "##a"]),
        ("unq", ["[UNK]"]),  # no piece for a part of it: none for the whole
        ("xun un", ["[UNK]", "un"]),
        ("un un", ["un", "un"]),
        ("##a", ["[UNK]", "[UNK]", "a"]),
        ("!!", ["!", "!"]),
        ("a" * 100, ["a"] + 99 * ["##a"]),
        ("a" * 101, ["[UNK]"]),
    ],
)
def test_pieces(small, text, pieces):
    assert small.pieces(text) == pieces
    assert small.pieces(text) == pieces  # now the words are known
    assert small.encode(text) == [SMALL.index(piece) for piece in ("[CLS]", *pieces, "[SEP]")]


@pytest.mark.parametrize(("limit", "kept"), [(2, 0), (3, 1), (4, 2), (5, 3), (6, 3), (None, 3)])
def test_a_limit_counts_the_marks_and_cuts_the_end(small, limit, kept):
    assert small.encode("unaffable", limit) == [9, *(1, 2, 3)[:kept], 11]


@pytest.mark.parametrize("limit", [1, 0, -1])
def test_says_that_a_limit_has_no_room(small, limit):
    message = f"A limit of {limit} has no room for [CLS] and [SEP]: take at least 2."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        small.encode("a", limit)


@pytest.mark.parametrize(
    ("vocabulary", "missing"),
    [((), "[UNK], [CLS], [SEP]"), (("[SEP]", "a", "[UNK]"), "[CLS]"), (("[CLS]", "[UNK]"), "[SEP]")],
)
def test_says_what_a_vocabulary_lacks(vocabulary, missing):
    message = f"The vocabulary lacks {missing}: expected one that was made for BERT."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        WordPieces(vocabulary)


@pytest.mark.parametrize("text", NASTY)
def test_the_library_cuts_nasty_texts_the_same_way(trained, library, text):
    assert trained.encode(text) == library.encode(text).ids
    assert trained.pieces(text) == library.encode(text, add_special_tokens=False).tokens


@given(st.text(st.sampled_from(SETTLED)) | st.text(st.sampled_from("aZ é\u0301ß漢\u3000\u200b.-'$İΣ\x00\n9🙂")))
@example("\u302e\u0301a\u0323\u0308")
def test_the_library_cuts_any_text_the_same_way(trained, library, text):
    assert trained.encode(text) == library.encode(text).ids


def test_the_library_reads_every_settled_sign_the_same_way():
    text = " ".join(f"a{sign}b" for sign in SETTLED)
    normal = BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    expected = [word for word, _ in BertPreTokenizer().pre_tokenize_str(normal.normalize_str(text))]
    assert split_words(text) == expected
    assert len(SETTLED) > 200_000


def test_the_library_leaves_a_gap_in_the_chinese_signs(library):
    """Its range begins at 2B920 where BERT's code has 2B820; no piece has any of these signs."""
    gap = range(0x2B820, 0x2B920)
    normal = library.normalizer.normalize_str
    assert {len(split_words(f"a{chr(code)}b")) for code in gap} == {3}
    assert {normal(f"a{chr(code)}b") for code in gap} == {f"a{chr(code)}b" for code in gap}
    assert normal(f"a{chr(0x2B920)}b") == f"a {chr(0x2B920)} b"
    assert not set(map(chr, gap)) & set("".join(minilm().vocabulary))


def test_the_library_cuts_every_piece_of_the_vocabulary_the_same_way(trained, library):
    vocabulary = minilm().vocabulary
    assert [trained.encode(piece) for piece in vocabulary] == [library.encode(piece).ids for piece in vocabulary]


def test_the_library_cuts_all_messages_the_same_way(trained, library):
    paragraphs = [paragraph for text in messages().texts for paragraph in text.split("\n\n")]
    assert [trained.encode(text) for text in paragraphs] == [row.ids for row in library.encode_batch(paragraphs)]


@pytest.mark.parametrize("limit", [2, 3, 16, 256])
def test_the_library_leaves_out_the_same_end(trained, limit):
    library = Tokenizer.from_str(minilm().tokenizer)
    library.no_padding()
    library.enable_truncation(limit)
    for text in ("", "a", "fellow citizens", messages().texts[0][:3000]):
        assert trained.encode(text, limit) == library.encode(text).ids
