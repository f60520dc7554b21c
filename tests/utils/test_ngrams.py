"""n-gram models: sums by hand, a dictionary straight from the formulas, and what must hold for any text."""

import re
from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from utils.scratch.ngrams import NGrams, count

SMOOTHINGS = ("witten-bell", "kneser-ney")
TEXTS = st.lists(st.integers(0, 3), min_size=1, max_size=40)


def slow(text, order, vocabulary, smoothing):
    """Return a function p(symbol, context) that reads as the formulas do, in fractions."""
    times = {n: Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1)) for n in range(1, order + 2)}
    c = {order: times[order]}
    for n in range(1, order):
        before = defaultdict(set)
        for gram in times[n + 1]:
            before[gram[1:]].add(gram[0])
        c[n] = Counter({gram: len(symbols) for gram, symbols in before.items()})
    if smoothing == "witten-bell":
        c = times
    discounts = {}
    for n in range(1, order + 1):
        once, twice = (sum(count == wanted for count in c[n].values()) for wanted in (1, 2))
        discounts[n] = Fraction(once, once + 2 * twice) if once else Fraction(1, 2)

    def p(symbol, context):
        context = context[-(order - 1) :] if order > 1 else ()
        lower = p(symbol, context[1:]) if context else Fraction(1, vocabulary)
        n = len(context) + 1
        following = {gram[-1]: count for gram, count in c[n].items() if gram[:-1] == context}
        total, different, own = sum(following.values()), len(following), following.get(symbol, 0)
        if not total:
            return lower
        if smoothing == "witten-bell":
            return (own + different * lower) / Fraction(total + different)
        return (max(own - discounts[n], 0) + discounts[n] * different * lower) / total

    return p


def test_witten_bell_by_hand():
    """Text a b a a, and c, which is not in it.

    One symbol: a 3 times, b once, two different: (3 + 2/3) / 6 = 11/18, (1 + 2/3) / 6 = 5/18, (2/3) / 6 = 2/18.
    After a stand b and a, once each: (1 + 2 · 11/18) / 4 = 20/36, (1 + 2 · 5/18) / 4 = 14/36, (2 · 2/18) / 4 = 2/36.
    After b stands a, once: (1 + 11/18) / 2 = 29/36, (5/18) / 2 = 5/36, (2/18) / 2 = 2/36. After c: as of one symbol.
    """
    model = NGrams(2, 3).fit(np.array([0, 1, 0, 0]))
    assert model.smoothing == "witten-bell"
    for context, expected in (([], [22, 10, 4]), ([0], [20, 14, 2]), ([1], [29, 5, 2]), ([2], [22, 10, 4])):
        assert np.allclose(model.distribution(np.array(context, int)), np.array(expected) / 36, rtol=0, atol=1e-15)
    expected = -np.log2(np.array([22, 14, 29, 2, 4]) / 36)
    assert np.allclose(model.bits(np.array([0, 1, 0, 2, 2])), expected, rtol=0, atol=1e-14)


def test_kneser_ney_by_hand():
    """Text a b a a b c, and d, which is not in it.

    Pairs: ab 2, ba 1, aa 1, bc 1. Three count 1, one counts 2: D = 3 / (3 + 2) = .6.
    One symbol: before a stand b and a, before b a, before c b: 2, 1, 1, of 4. D = 2 / (2 + 2) = .5, three different.
    a: (2 - .5 + .5 · 3 / 4) / 4 = 1.875 / 4. b and c: (1 - .5 + .375) / 4 = .875 / 4. d: .375 / 4.
    After a, 3 times, two different, .6 · 2 = 1.2: a (1 - .6 + 1.2 · 1.875 / 4) / 3 = .9625 / 3,
    b (2 - .6 + 1.2 · .875 / 4) / 3 = 1.6625 / 3, c 1.2 · .875 / 4 / 3 = .2625 / 3, d 1.2 · .375 / 4 / 3 = .1125 / 3.
    After b, twice, two different: a .9625 / 2, b .2625 / 2, c (.4 + .2625) / 2, d .1125 / 2.
    After c the text ends, after d nothing stands: as of one symbol.
    """
    model = NGrams(2, 4, "kneser-ney").fit(np.array([0, 1, 0, 0, 1, 2]))
    one = np.array([1.875, 0.875, 0.875, 0.375]) / 4
    after = {
        (): one,
        (0,): np.array([0.9625, 1.6625, 0.2625, 0.1125]) / 3,
        (1,): np.array([0.9625, 0.2625, 0.6625, 0.1125]) / 2,
        (2,): one,
        (3,): one,
    }
    for context, expected in after.items():
        assert np.allclose(model.distribution(np.array(context, int)), expected, rtol=0, atol=1e-15)
    expected = -np.log2([one[2], one[0], after[0,][3], one[1], after[1,][1]])
    assert np.allclose(model.bits(np.array([2, 0, 3, 1, 1])), expected, rtol=0, atol=1e-14)


def test_without_a_count_of_one_the_discount_is_a_half():
    """Text a a a with pairs aa 2 and b unseen: for pairs D = 1/2, for one symbol, with a after a only, D = 1."""
    model = NGrams(2, 2, "kneser-ney").fit(np.array([0, 0, 0]))
    assert np.allclose(model.distribution([]), [0.5, 0.5], rtol=0, atol=1e-15)
    assert np.allclose(model.distribution([0]), [(1.5 + 0.25) / 2, 0.25 / 2], rtol=0, atol=1e-15)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@given(TEXTS, TEXTS, st.integers(1, 5), st.integers(4, 6))
@example([0], [0, 0], 1, 4)
@example([0, 1], [1, 0, 1], 5, 4)
def test_the_formulas_in_dictionaries_give_the_same(agree, smoothing, text, other, order, vocabulary):
    p = slow(text, order, vocabulary, smoothing)
    model = NGrams(order, vocabulary, smoothing).fit(np.array(text))
    expected = [float(p(symbol, tuple(other[:place]))) for place, symbol in enumerate(other)]
    agree(f"n-grams, {smoothing}", np.exp2(-model.bits(np.array(other))), expected, 1e-12)
    expected = [float(p(symbol, tuple(other))) for symbol in range(vocabulary)]
    agree(f"n-grams, {smoothing}", model.distribution(np.array(other)), expected, 1e-12)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_a_large_vocabulary_in_long_contexts_gives_the_same(agree, smoothing):
    """60000 ** 6 is beyond 64 bits."""
    rng = np.random.default_rng(3)
    symbols = np.array([0, 1, 255, 256, 59_998, 59_999])
    text, other = symbols[rng.integers(0, 6, 400)], symbols[rng.integers(0, 6, 100)]
    text[200:300] = text[50:150]
    other[:50] = text[30:80]
    p = slow(text.tolist(), 6, 60_000, smoothing)
    expected = [-np.log2(float(p(symbol, tuple(other[:place].tolist())))) for place, symbol in enumerate(other)]
    agree("n-grams, bits", NGrams(6, 60_000, smoothing).fit(text).bits(other), expected, 1e-10)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@given(TEXTS, st.lists(st.integers(0, 6), max_size=8), st.integers(1, 6))
def test_probabilities_sum_to_one_and_none_is_zero(smoothing, text, context, order):
    model = NGrams(order, 7, smoothing).fit(np.array(text))
    p = model.distribution(np.array(context, int))
    assert p.shape == (7,)
    assert p.dtype == np.float64
    assert np.isclose(p.sum(), 1, rtol=0, atol=1e-14)
    assert (p > 0).all()


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@given(TEXTS, st.lists(st.integers(0, 6), min_size=1, max_size=20), st.integers(1, 6))
def test_bits_are_those_of_the_distributions(smoothing, text, other, order):
    model = NGrams(order, 7, smoothing).fit(np.array(text))
    expected = [-np.log2(model.distribution(np.array(other[:place], int))[other[place]]) for place in range(len(other))]
    assert np.allclose(model.bits(np.array(other)), expected, rtol=0, atol=1e-12)


@given(TEXTS, TEXTS, st.integers(1, 4))
def test_only_the_last_symbols_of_a_context_matter(text, context, order):
    assume(len(context) >= order)
    model = NGrams(order, 4).fit(np.array(text))
    cut = context[len(context) - order + 1 :]
    assert np.array_equal(model.distribution(np.array(context)), model.distribution(np.array(cut, int)))


@given(TEXTS, st.integers(1, 5))
def test_counts_are_those_of_a_dictionary_in_order(text, order):
    for n, counts in enumerate(count(np.array(text), order, 4), 1):
        expected = Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1))
        shorter = sorted({tuple(text[i : i + n - 1]) for i in range(len(text) - n + 2)})
        grams = sorted(expected)
        assert counts.times.tolist() == [expected[gram] for gram in grams]
        assert counts.endings.tolist() == [shorter.index(gram[1:]) for gram in grams]
        assert counts.keys.tolist() == [4 * shorter.index(gram[:-1]) + gram[-1] for gram in grams]


@pytest.mark.parametrize("vocabulary", [2, 256, 257, 65_536, 65_537])
def test_the_last_symbol_of_a_vocabulary_is_counted_as_such(vocabulary):
    last = vocabulary - 1
    p = NGrams(2, vocabulary).fit(np.array([last, 0, last, last])).distribution([last])
    one = np.array([1 + 2 / vocabulary, 3 + 2 / vocabulary]) / 6  # of symbol 0, and of the last
    assert np.allclose(p[[0, last]], (1 + 2 * one) / 4, rtol=0, atol=1e-15)


def test_a_longer_memory_costs_fewer_bits_where_the_text_repeats():
    text = np.tile(np.random.default_rng(0).integers(0, 5, 50), 20)
    for smoothing in SMOOTHINGS:
        costs = [NGrams(order, 5, smoothing).fit(text).bits(text).mean() for order in (1, 2, 3, 4)]
        assert costs == sorted(costs, reverse=True)
        assert costs[-1] < 0.3 < 2 < costs[0] < np.log2(5)


def test_any_whole_numbers_do_and_the_text_stays_as_it_is():
    text = np.array([1, 0, 2, 1, 0, 1], np.uint8)
    expected = NGrams(3, 3).fit(text.astype(np.int64)).bits(text.astype(np.int64))
    for dtype in (np.uint8, np.int16, np.uint64):
        assert np.array_equal(NGrams(3, 3).fit(text.astype(dtype)).bits(text.astype(dtype)), expected)
    assert np.array_equal(NGrams(3, 3).fit(text.tolist()).bits(text.tolist()), expected)
    assert text.tolist() == [1, 0, 2, 1, 0, 1]


@given(TEXTS, st.lists(st.integers(0, 6), max_size=20), st.integers(1, 5))
def test_lower_orders_are_asked_of_the_same_counts(text, other, order):
    codes, other = np.array(text), np.array(other, int)
    costs = NGrams(order, 7).fit(codes).bits_by_order(other)
    assert costs.shape == (order, len(other))
    for n in range(order):
        assert np.array_equal(costs[n], NGrams(n + 1, 7).fit(codes).bits(other))


def test_fitting_again_forgets():
    model = NGrams(2, 3)
    assert model.fit(np.array([2, 2, 1])) is model
    first = model.distribution([2])
    other = model.fit(np.array([0, 1])).distribution([2])
    assert not np.allclose(first, other)
    assert np.array_equal(other, NGrams(2, 3).fit(np.array([0, 1])).distribution([2]))


def test_a_context_shorter_than_the_order_is_not_filled_up():
    text = np.array([0, 0, 1, 0, 0, 1, 2, 0, 2])
    expected = NGrams(2, 3).fit(text).distribution([0])
    assert np.array_equal(NGrams(4, 3).fit(text).distribution([0]), expected)


def test_one_symbol_and_no_text_to_measure():
    assert NGrams(3, 1).fit(np.array([0])).bits(np.array([0, 0])).tolist() == [0, 0]
    assert NGrams(2, 3).fit(np.array([0, 1])).bits(np.array([])).shape == (0,)


@pytest.mark.parametrize("order", [0, -1])
def test_says_that_an_order_is_too_small(order):
    message = f"The order is {order} and the vocabulary 3: expected at least 1 of each."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        NGrams(order, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NGrams(2, 0), "The order is 2 and the vocabulary 0: expected at least 1 of each."),
        (lambda: NGrams(2, 3, "laplace"), "The smoothing is 'laplace': expected witten-bell or kneser-ney."),
        (lambda: NGrams(2, 3).fit(np.array([], int)), "The text is empty: there is nothing to count."),
        (lambda: NGrams(2, 3).bits(np.array([1])), "The model has not counted a text yet: call fit first."),
        (lambda: NGrams(2, 3).bits_by_order([1]), "The model has not counted a text yet: call fit first."),
        (lambda: NGrams(2, 3).distribution([]), "The model has not counted a text yet: call fit first."),
    ],
)
def test_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize(
    ("codes", "found"),
    [
        ([0, 3], "shape (2,) and type int64"),
        ([-1, 0], "shape (2,) and type int64"),
        ([0.0, 1.0], "shape (2,) and type float64"),
        ([[0, 1]], "shape (1, 2) and type int64"),
        (np.zeros((0, 2), int), "shape (0, 2) and type int64"),
        ([True, False], "shape (2,) and type bool"),
        ("abc", "shape () and type <U3"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "bits", "distribution"])
def test_says_which_codes_do_not_fit(method, codes, found):
    message = f"The codes have {found}: expected one row of whole numbers from 0 to 2."
    model = NGrams(2, 3).fit([0, 1, 2])
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        getattr(model, method)(codes)
