"""The feed-forward language model in NumPy: sizes, what it costs a text, training, and guesses in a row."""

import numpy as np
import pytest

from tests.utils.drawing import central_differences
from utils.scratch.feed_forward_language import FeedForward, Lookup, exact_match, fit, score
from utils.scratch.losses import softmax_cross_entropy
from utils.scratch.transformer import Embedding

VOCABULARY = 5


def small(units=4, context=3, width=2, seed=0, dtype="float64"):
    return FeedForward(VOCABULARY, units, context, width, seed=seed, dtype=dtype)


def text(count, seed=0):
    return np.random.default_rng(seed).integers(0, VOCABULARY, count).astype("int32")


def test_sizes():
    model = small()
    # embedding 5 x 2; 6 x 4 + 4; 4 x 4 + 4; 4 x 5 + 5
    assert [p.shape for p in model.parameters] == [(5, 2), (6, 4), (4,), (4, 4), (4,), (4, 5), (5,)]
    assert model.size == 10 + 28 + 20 + 25
    assert model.size_without_embedding == 73
    assert model.context == 3
    usual = FeedForward(88, 8)
    assert (usual.context, usual.parameters[0].shape, usual.parameters[1].shape) == (12, (88, 16), (192, 8))
    assert usual.parameters[0].dtype == np.float32
    assert usual.size == 3816


def test_seeds():
    first, again, other = (small(seed=seed).parameters for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert np.array_equal(FeedForward(5, 3).parameters[0], FeedForward(5, 3, seed=0).parameters[0])


def test_logits_by_loops():
    model, tokens = small(), text(3)
    table, w1, b1, w2, b2, w3, b3 = model.parameters
    x = np.concatenate([table[token] for token in tokens])
    h = np.maximum(x @ w1 + b1, 0)
    h = np.maximum(h @ w2 + b2, 0)
    np.testing.assert_allclose(model.forward(tokens[None]), [h @ w3 + b3])


def test_gradient_of_the_lookup_is_that_of_the_embedding():
    rng = np.random.default_rng(0)
    x, dy = rng.integers(0, 4, (6, 5)), rng.normal(size=(6, 5, 3))
    layers = [Lookup(4, 3), Embedding(4, 3)]
    for layer in layers:
        layer.build((5,), rng, np.dtype("float64"))
        layer.forward(x)
        assert layer.backward(dy) is None
    np.testing.assert_allclose(layers[0].gradients[0], layers[1].gradients[0], rtol=1e-12)
    single = Lookup(4, 3)
    single.build((5,), rng, np.dtype("float32"))
    single.forward(x)
    single.backward(dy.astype("float32"))
    assert single.gradients[0].dtype == np.float32


def test_gradients_by_differences():
    model, x = small(seed=3), text(15, 1).reshape(5, 3)
    for parameter in model.parameters:  # away from the corners of ReLU
        parameter += np.random.default_rng(parameter.size).normal(size=parameter.shape) / 2
    y = text(5, 2)
    _, found = model.loss_and_gradients(x, y)
    for parameter, gradient in zip(model.parameters, found, strict=True):
        expected = central_differences(lambda: softmax_cross_entropy(model.forward(x), y)[0], parameter)
        np.testing.assert_allclose(gradient, expected, atol=1e-8)


@pytest.mark.parametrize("batch_size", [1, 3, 2000])
def test_score_by_hand(batch_size):
    model, tokens = small(seed=1), text(14, 3)
    bits, hits = score(model, tokens, batch_size)
    assert bits.shape == hits.shape == (11,)
    assert bits.dtype == np.float64 and hits.dtype == bool
    for place in range(11):
        logits = model.forward(tokens[None, place : place + 3])[0]
        p = np.exp(logits) / np.exp(logits).sum()
        assert bits[place] == pytest.approx(-np.log2(p[tokens[place + 3]]))
        assert hits[place] == (p.argmax() == tokens[place + 3])
    assert 0 < hits.sum() < 11


def test_large_logits_cost_what_they_should():
    model = small()
    model.parameters[-1][...] = [0.0, 2000.0, 0.0, 0.0, 0.0]
    bits, hits = score(model, np.array([0, 0, 0, 1, 2]))
    assert bits == pytest.approx([0, 2000 / np.log(2)], abs=1)
    assert hits.tolist() == [True, False]


def test_training_finds_what_repeats():
    tokens = np.tile([0, 3, 1, 3, 2], 60).astype("int32")  # what follows a 3 depends on what was before it
    model = small(16, dtype="float32")
    assert score(model, tokens)[0].mean() == pytest.approx(np.log2(VOCABULARY), abs=0.3)
    assert fit(model, tokens, 300, 16, 0.01) == []
    bits, hits = score(model, tokens)
    assert bits.mean() < 0.02
    assert hits.all()


def reference(model, tokens, steps, batch_size, rate, seed):
    """Train as ``fit`` should, with Adam by hand."""
    rng, means, squares = np.random.default_rng(seed), 0.0, 0.0
    for step in range(1, steps + 1):
        starts = rng.integers(0, len(tokens) - model.context, batch_size)
        x = np.array([tokens[s : s + model.context] for s in starts])
        y = np.array([tokens[s + model.context] for s in starts])
        _, gradients = model.loss_and_gradients(x, y)
        flat = np.concatenate([g.ravel() for g in gradients])
        means, squares = 0.9 * means + 0.1 * flat, 0.999 * squares + 0.001 * flat**2
        change = rate(step) * np.sqrt(1 - 0.999**step) / (1 - 0.9**step) * means / (np.sqrt(squares) + 1e-7)
        for parameter, part in zip(
            model.parameters, np.split(change, np.cumsum([g.size for g in gradients])[:-1]), strict=True
        ):
            parameter -= part.reshape(parameter.shape)


@pytest.mark.parametrize("decay", [False, True])
def test_training_by_hand(decay):
    def rate(step):
        return 0.02 * (np.cos((step - 1) * np.pi / 8) + 1) / 2 if decay else 0.02

    one, other, tokens = small(), small(), text(40)
    fit(one, tokens, 8, 4, 0.02, decay, seed=5)
    reference(other, tokens, 8, 4, rate, 5)
    for a, b in zip(one.parameters, other.parameters, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_defaults():
    one, other, tokens = small(), small(), text(400)
    fit(one, tokens, 3)
    fit(other, tokens, 3, batch_size=512, learning_rate=0.003, decay=False, seed=0)
    assert all(np.array_equal(a, b) for a, b in zip(one.parameters, other.parameters, strict=True))
    assert not np.array_equal(one.parameters[0], small().parameters[0])


def test_every_place_is_drawn():
    seen = set()
    model = small()
    model.step = lambda x, y, optimizer: seen.update((*row, last) for row, last in zip(x.tolist(), y, strict=True))
    fit(model, np.arange(7), 30, 8)
    assert seen == {(i, i + 1, i + 2, i + 3) for i in range(4)}


def test_measures_come_at_the_checkpoints():
    model, tokens, taken = small(), text(50), []
    plain = model.step

    def counted(*rest):
        taken.append(1)
        return plain(*rest)

    model.step = counted
    assert fit(model, tokens, 6, 4, checkpoints=[4, 1, 6, 4], measure=lambda: len(taken)) == [1, 4, 6]
    # to measure changes nothing, and the run does not depend on where it is measured
    once, often = small(), small()
    fit(once, tokens, 6, 4)
    fit(often, tokens, 6, 4, checkpoints=range(1, 7), measure=lambda: score(often, tokens))
    assert all(np.array_equal(a, b) for a, b in zip(once.parameters, often.parameters, strict=True))


@pytest.mark.parametrize("checkpoints", [[0], [3, 7], [-1]])
def test_checkpoints_that_do_not_come(checkpoints):
    with pytest.raises(ValueError) as error:
        fit(small(), text(50), 6, 4, checkpoints=checkpoints, measure=lambda: 0)
    assert str(error.value) == f"The checkpoints are {sorted(checkpoints)}: expected steps from 1 to 6."


def test_a_text_must_be_longer_than_the_context():
    for call in (lambda tokens: fit(small(), tokens, 1, 2), lambda tokens: score(small(), tokens)):
        with pytest.raises(ValueError, match=r"^The text has 3 tokens: a context of 3 needs at least 4\.$"):
            call(text(3))
        call(text(4))


def test_guesses_in_a_row():
    hits = np.array([1, 1, 0, 1, 1, 1], bool)
    assert [exact_match(hits, length) for length in (1, 2, 3, 4, 6)] == pytest.approx([5 / 6, 3 / 5, 1 / 4, 0, 0])
    assert exact_match(np.ones(4, bool), 4) == 1
    for length in (0, 7):
        with pytest.raises(ValueError, match=rf"^A length of {length} does not fit 6 places: take 1 to 6\.$"):
            exact_match(hits, length)


def test_what_a_model_writes_is_right_as_long_as_its_guesses_are():
    tokens = np.tile([0, 3, 1, 3, 2], 60).astype("int32")
    noisy = np.where(np.random.default_rng(0).random(300) < 0.1, text(300), tokens)
    model = small(16, dtype="float32")
    fit(model, noisy, 200, 16, 0.01)
    _, hits = score(model, noisy)
    right = []
    for start in range(len(noisy) - 3 - 4 + 1):
        written = list(noisy[start : start + 3])
        for _ in range(4):
            written.append(model.forward(np.array([written[-3:]])).argmax())
        right.append(np.array_equal(written, noisy[start : start + 7]))
    assert exact_match(hits, 4) == pytest.approx(np.mean(right))
    assert 0.2 < np.mean(right) < 0.9
