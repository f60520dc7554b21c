"""The classifiers of texts: sizes, masks, order, and what each part is made of."""

import numpy as np
import pytest

from utils.backend import keras, set_seed
from utils.models import attention

VOCABULARY, CLASSES = 11, 3


@pytest.fixture
def words():
    """Three texts of 7, 4 and 1 words, padded with zeros."""
    words = np.random.default_rng(0).integers(1, VOCABULARY, (3, 7))
    words[1, 4:] = 0
    words[2, 1:] = 0
    return words


def build(parts, **options):
    set_seed(0)
    if parts == "transformer":
        return attention.transformer(VOCABULARY, CLASSES, width=8, heads=2, inner=6, **options)
    return attention.classifier(VOCABULARY, CLASSES, parts, width=8, units=5, **options)


def scores(model, words):
    return model.predict(words, verbose=0)


ALL = (*attention.PARTS, "transformer")


@pytest.mark.parametrize("parts", ALL)
def test_padding_changes_nothing(parts, words):
    model = build(parts)
    longer = np.pad(words, ((0, 0), (0, 6)))
    np.testing.assert_allclose(scores(model, longer), scores(model, words), atol=1e-6)
    alone = [scores(model, text[None, text != 0])[0] for text in words]
    np.testing.assert_allclose(scores(model, words), alone, atol=1e-6)


@pytest.mark.parametrize("parts", attention.PARTS)
def test_without_a_mask_padding_is_read(parts, words):
    model = build(parts, masked=False)
    longer = np.pad(words, ((0, 0), (0, 6)))
    assert np.abs(scores(model, longer) - scores(model, words)).max() > 1e-4


@pytest.mark.parametrize(
    ("parts", "ordered"),
    [
        ("attention", True),
        ("uniform attention", True),
        ("no attention", True),
        ("mean state", True),
        ("learned query", False),
        ("mean word", False),
        ("transformer", True),
    ],
)
def test_who_sees_the_order_of_the_words(parts, ordered, words):
    model = build(parts)
    turned = words[:1, ::-1]
    assert not np.array_equal(turned, words[:1])
    moved = np.abs(scores(model, turned) - scores(model, words[:1])).max()
    assert moved > 1e-4 if ordered else moved < 1e-6


def test_a_block_without_positions_is_blind_to_the_order(words):
    model = build("transformer", positions=False)
    np.testing.assert_allclose(scores(model, words[:1, ::-1]), scores(model, words[:1]), atol=1e-6)


def test_parameters():
    lstm = 4 * 64 * (64 + 64 + 1)
    counts = {parts: attention.classifier(8000, 4, parts).count_params() for parts in attention.PARTS}
    assert counts == {
        "attention": 8000 * 64 + 2 * lstm + 65 * 4,
        "uniform attention": 8000 * 64 + 2 * lstm + 65 * 4,
        "no attention": 8000 * 64 + 2 * lstm + 65 * 4,
        "mean state": 8000 * 64 + lstm + 65 * 4,
        "learned query": 8000 * 64 + 64 + 65 * 4,
        "mean word": 8000 * 64 + 65 * 4,
    }
    assert counts["attention"] == 578308
    heads, dense, norms = 4 * 64 * 65, 128 * 65 + 64 * 129, 2 * 2 * 64
    assert attention.transformer(8000, 4).count_params() == 8000 * 64 + heads + dense + norms + 65 * 4


@pytest.mark.parametrize("parts", ["attention", "uniform attention"])
def test_attention_is_that_of_the_states_to_one_another(parts, words):
    model = build(parts)
    first, middle, second = (
        next(layer for layer in layers if isinstance(layer, kind))
        for layers, kind in (
            (model.layers, keras.layers.LSTM),
            (model.layers, keras.layers.Attention),
            (model.layers[::-1], keras.layers.LSTM),
        )
    )
    h = scores(keras.Model(model.inputs, first.output), words)
    found = scores(keras.Model(model.inputs, middle.output), words)
    for n, length in enumerate((7, 4, 1)):
        queries = h[n, :length] if parts == "attention" else np.zeros((length, 5))
        e = np.exp(queries @ h[n, :length].T)  # (words, words)
        weights = e / e.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(found[n, :length], weights @ h[n, :length], atol=1e-6)
    assert first is not second


def test_learned_query_weighs_the_embedded_words(words):
    model = build("learned query")
    embedded, query, w, b = model.get_weights()
    query = 20 * query  # or all weights are nearly alike
    model.set_weights([embedded, query, w, b])
    for text, found in zip(words, scores(model, words), strict=True):
        x = embedded[text[text != 0]]
        weights = np.exp(x @ query)
        np.testing.assert_allclose(found, (weights * x).sum(axis=0) / weights.sum() @ w + b, atol=1e-6)


def test_block_is_that_of_the_paper(words):
    """Sections 3.1 and 3.2 of Vaswani et al., 2017, for one text at a time, without a mask."""
    model = build("transformer")
    generator = np.random.default_rng(3)
    model.set_weights([w + 0.2 * generator.normal(size=w.shape) for w in model.get_weights()])
    embedded, *parts = model.get_weights()
    q, bq, k, bk, v, bv, o, bo, scale, shift, w1, b1, w2, b2, scale2, shift2, w, b = parts

    def normalized(x, scale, shift):
        x = x - x.mean(axis=1, keepdims=True)
        return scale * x / np.sqrt(np.mean(x**2, axis=1, keepdims=True) + 1e-3) + shift

    for text, found in zip(words, scores(model, words), strict=True):
        x = np.asarray(attention.Positions()(embedded[None, text[text != 0]]))[0]
        e = np.einsum("ihd,jhd->hij", np.einsum("ix,xhd->ihd", x, q) + bq, np.einsum("jx,xhd->jhd", x, k) + bk)
        a = np.exp(e / np.sqrt(4))
        a /= a.sum(axis=2, keepdims=True)
        heads = np.einsum("hij,jhd->ihd", a, np.einsum("jx,xhd->jhd", x, v) + bv)
        x = normalized(x + np.einsum("ihd,hdx->ix", heads, o) + bo, scale, shift)
        x = normalized(x + np.maximum(x @ w1 + b1, 0) @ w2 + b2, scale2, shift2)
        np.testing.assert_allclose(found, x.mean(axis=0) @ w + b, atol=1e-5)


def test_positions_are_those_of_the_paper():
    x = np.zeros((2, 5, 6), "float32")
    found = np.asarray(attention.Positions()(x))
    for t in range(5):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            np.testing.assert_allclose(found[1, t, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)], atol=1e-6)


def test_positions_want_an_even_width():
    with pytest.raises(ValueError, match=r"^Sines and cosines come in pairs, and the width is 5: take an even one\.$"):
        attention.Positions()(np.zeros((1, 2, 5), "float32"))


def test_unknown_parts():
    known = "'attention', 'uniform attention', 'no attention', 'mean state', 'learned query', 'mean word'"
    with pytest.raises(ValueError, match=rf"^The parts 'lstm' are unknown: use one of {known}\.$"):
        attention.classifier(VOCABULARY, CLASSES, "lstm")


@pytest.mark.parametrize("parts", ALL)
def test_it_trains(parts):
    """Two kinds of texts, with words of their own."""
    y = np.arange(64) % 2
    x = np.random.default_rng(0).integers(1, 6, (64, 7)) + 5 * y[:, None]
    model = build(parts)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.03), loss)
    before = model.evaluate(x, y, verbose=0)
    model.fit(x, y, epochs=20, batch_size=64, verbose=0)
    assert model.evaluate(x, y, verbose=0) < 0.2 * before
