"""Training of language models and the bits of a text."""

import numpy as np
import pytest

from utils.backend import keras, ops, set_seed
from utils.models import language
from utils.models.gpt import GPT, Shape

VOCABULARY = 5


class Counting(keras.Model):
    """Scores the token after each: twice as probable as the others is the one that it saw, of all that count."""

    def __init__(self, reach):
        super().__init__()
        self.reach = reach

    def call(self, tokens):
        same = ops.one_hot(tokens, VOCABULARY)
        seen = ops.cumsum(same, axis=1) if self.reach else same
        return ops.log(1.0 + seen)


def text(count, seed=0):
    """Return a random text."""
    return np.random.default_rng(seed).integers(0, VOCABULARY, count).astype("int32")


def by_hand(tokens, length):
    """Return the bits of each token from all that its window shows of what is before it."""
    half, found = length // 2, []
    for t in range(1, len(tokens)):
        # Window n begins at n * half; all but the first are asked for their second halves only.
        start = max((t - 1 - (length - half)) // half, 0) * half
        counts = 1.0 + np.bincount(tokens[start:t], minlength=VOCABULARY)
        found.append(-np.log2(counts[tokens[t]] / counts.sum()))
    return np.array(found)


@pytest.mark.parametrize(
    ("length", "count"), [(2, 2), (2, 9), (4, 5), (4, 6), (8, 8), (8, 9), (8, 10), (8, 13), (8, 41), (9, 13), (9, 40)]
)
def test_bits_of_a_model_that_counts_what_its_window_shows(length, count):
    tokens = text(count)
    found = language.bits(Counting(True), tokens, length, batch_size=3)
    assert found.shape == (count - 1,)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, by_hand(tokens, length), rtol=1e-5)


def test_bits_do_not_depend_on_the_batch():
    tokens, model = text(60), Counting(True)
    np.testing.assert_allclose(language.bits(model, tokens, 8, 1), language.bits(model, tokens, 8, 100), rtol=1e-6)


def small(seed=0):
    """Return a GPT of a few hundred parameters."""
    set_seed(seed)
    return GPT(Shape(VOCABULARY, width=8, depth=1, heads=2, length=16))


MODELS = {"GPT": small, "LSTM": lambda: language.lstm_language_model(VOCABULARY, 8, 12)}


@pytest.mark.parametrize("kind", MODELS)
def test_training_finds_what_repeats(kind):
    tokens = np.tile([0, 3, 1, 3, 2], 60).astype("int32")  # what follows a 3 depends on what was before it
    model = MODELS[kind]()
    losses = language.fit(model, tokens, steps=250, length=16, batch_size=8, learning_rate=0.02)
    assert len(losses) == 250
    assert losses[0] == pytest.approx(np.log(VOCABULARY), abs=0.2)
    assert np.mean(losses[-10:]) < 0.2
    assert language.bits(model, tokens, 16)[16:].mean() < 0.05


def test_the_same_seed_gives_the_same_run():
    def run(seed):
        model = small()
        return language.fit(model, text(100), 5, length=8, seed=seed), model.get_weights()[0]

    (first, weights), (again, same), (other, _) = run(1), run(1), run(2)
    assert first == again != other
    np.testing.assert_array_equal(weights, same)


def test_the_learning_rate_rises_and_falls():
    seen, model = [], small()

    def note(step):
        seen.append((step, float(ops.convert_to_numpy(model.optimizer.learning_rate))))

    language.fit(model, text(100), 40, length=8, learning_rate=0.01, after_step=note)
    steps, rates = zip(*seen, strict=True)
    assert steps == tuple(range(1, 41))
    assert rates[3] == pytest.approx(0.01)  # a tenth of the steps rise
    assert np.all(np.diff(rates[:4]) > 0)
    assert np.all(np.diff(rates[3:]) < 0)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_a_text_must_be_longer_than_a_stretch():
    with pytest.raises(ValueError) as error:
        language.fit(small(), text(8), 1, length=8)
    assert str(error.value) == "The text has 8 tokens: a stretch of 8 needs at least 9."
    language.fit(small(), text(9), 1, length=8)
