"""The GPT: what it may see, what its parts cost, and that writing with a past is writing without one."""

import numpy as np
import pytest

from utils.backend import keras, ops, set_seed
from utils.models import language
from utils.models.gpt import GPT, CausalAttention, Shape, turned

VOCABULARY, LENGTH = 11, 12
KINDS = {
    "plain": {},
    "shared keys": {"key_heads": 2},
    "one key": {"key_heads": 1},
    "learned": {"positions": "learned", "norm": "layer"},
    "after": {"order": "post", "norm": "layer"},
    "no positions": {"positions": "none"},
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


def build(kind="plain", seed=0, **changes):
    """Return a small GPT whose parameters are all random: a fresh one passes everything on."""
    sizes = {"vocabulary": VOCABULARY, "width": 16, "depth": 2, "heads": 4, "length": LENGTH}
    gpt = GPT(Shape(**sizes | KINDS[kind] | changes))
    rng = np.random.default_rng(seed)
    gpt.set_weights([rng.normal(size=w.shape) / 2 for w in gpt.get_weights()])
    return gpt


@pytest.fixture
def tokens():
    """Three texts of full length."""
    return np.random.default_rng(3).integers(0, VOCABULARY, (3, LENGTH)).astype("int32")


@EACH_KIND
def test_a_token_sees_itself_and_what_stands_before_it(kind, tokens):
    gpt = build(kind)
    before = gpt.predict_on_batch(tokens)
    assert before.shape == (3, LENGTH, VOCABULARY)
    for place in (0, 5, LENGTH - 1):
        changed = tokens.copy()
        changed[:, place] = (changed[:, place] + 1) % VOCABULARY
        differs = np.abs(gpt.predict_on_batch(changed) - before).max(axis=(0, 2)) > 1e-4
        np.testing.assert_array_equal(differs, np.arange(LENGTH) >= place)


@EACH_KIND
@pytest.mark.parametrize("first", [1, 5])
def test_a_past_changes_nothing(kind, first, tokens):
    gpt = build(kind)
    expected = gpt.predict_on_batch(tokens)
    past, found = gpt.empty(len(tokens)), []
    for start, end in [(0, first), *((t, t + 1) for t in range(first, LENGTH - 2)), (LENGTH - 2, LENGTH)]:
        inputs = {"tokens": tokens[:, start:end], "place": np.array(start, "int32"), "past": past}
        logits, past = gpt.predict_on_batch(inputs)
        found.append(logits)
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected, atol=1e-4)
    assert past[0].shape == (3, 2, KINDS[kind].get("key_heads", 4), LENGTH, 4)


@EACH_KIND
def test_parameters_follow_from_the_shape(kind):
    shape = build(kind).shape
    d, columns = shape.width, (shape.heads + 2 * shape.shared) * shape.size
    norm = d if shape.norm == "rms" else 2 * d
    block = d * columns + columns + d * d + d + 8 * d * d + 5 * d + 2 * norm
    total = VOCABULARY * d + shape.depth * block
    total += norm if shape.order == "pre" else 0
    total += LENGTH * d if shape.positions == "learned" else 0
    assert build(kind).count_params() == total


def test_scores_of_turned_rows_depend_on_the_distance_only():
    rng = np.random.default_rng(0)
    q, k = rng.normal(size=(2, 1, 1, 1, 6)).astype("float32")
    places = np.arange(40)
    q, k = (ops.convert_to_numpy(turned(np.repeat(x, 40, axis=2), places))[0, 0] for x in (q, k))
    scores = q @ k.T
    for distance in (0, 3, -7):
        diagonal = np.diagonal(scores, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], atol=1e-5)
    assert np.ptp(scores[0]) > 0.5
    np.testing.assert_allclose(np.linalg.norm(q, axis=1), np.linalg.norm(q[0]), rtol=1e-5)


def test_without_positions_the_order_of_what_was_before_does_not_count(tokens):
    swapped = tokens.copy()
    swapped[:, [2, 6]] = swapped[:, [6, 2]]
    for kind, same in (("no positions", True), ("plain", False), ("learned", False)):
        gpt = build(kind, depth=1)
        last, other = (gpt.predict_on_batch(x)[:, -1] for x in (tokens, swapped))
        assert np.allclose(last, other, atol=1e-4) == same


def test_it_is_the_causal_attention_of_keras_where_keras_has_it():
    set_seed(0)
    ours = CausalAttention(Shape(VOCABULARY, 16, 1, heads=4, key_heads=2, positions="none"))
    x = np.random.default_rng(1).normal(size=(2, 7, 16)).astype("float32")
    places = np.arange(7, dtype="int32")
    ours(x, places)  # makes the parameters
    theirs = keras.layers.GroupQueryAttention(4, 4, 2)
    theirs(x, x)
    rng = np.random.default_rng(2)
    # Of 16 inputs: results of about 1, whose last digit in float32 is far below the tolerance.
    kernel, bias, w_o, b_o = (rng.normal(size=w.shape).astype("float32") / 4 for w in ours.get_weights())
    ours.set_weights([kernel, bias, w_o, b_o])
    columns = [(slice(0, 16), 4), (slice(16, 24), 2), (slice(24, 32), 2)]
    projections = [
        part
        for place, heads in columns
        for part in (kernel[:, place].reshape(16, heads, 4), bias[place].reshape(heads, 4))
    ]
    theirs.set_weights([*projections, w_o.reshape(4, 4, 16), b_o])
    found, _ = ours(x, places)
    expected = theirs(x, x, use_causal_mask=True)
    np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(expected), atol=1e-6)


def test_a_new_block_passes_on_what_it_reads(tokens):
    gpt = GPT(Shape(VOCABULARY, 16, 3, 4, length=LENGTH))
    embedded = np.asarray(gpt.embedding(tokens))
    normal = embedded / np.sqrt((embedded**2).mean(axis=2, keepdims=True) + 1e-6)
    expected = normal @ gpt.embedding.get_weights()[0].T
    np.testing.assert_allclose(gpt.predict_on_batch(tokens), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 3}, "A width of 16 does not give 3 heads an even count of numbers each: take a multiple of 6."),
        ({"heads": 16}, "A width of 16 does not give 16 heads an even count of numbers each: take a multiple of 32."),
        ({"key_heads": 3}, "4 heads cannot share 3 keys: take a divisor of 4."),
        ({"key_heads": 0}, "4 heads cannot share 0 keys: take a divisor of 4."),
        ({"order": "both"}, "The order 'both' is unknown: use one of 'pre', 'post'."),
        ({"norm": "batch"}, "The norm 'batch' is unknown: use one of 'rms', 'layer'."),
        ({"positions": "no"}, "The positions 'no' is unknown: use one of 'rotary', 'learned', 'none'."),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError) as error:
        Shape(**{"vocabulary": 5, "width": 16, "depth": 1, "heads": 4} | changes)
    assert str(error.value) == message


def greedy(logits):
    """Choose the likeliest token."""
    return logits.argmax(axis=1)


@pytest.mark.parametrize("kind", ["plain", "one key", "no positions"])
def test_writing_with_and_without_a_past_gives_the_same(kind, tokens):
    gpt = build(kind)
    written = language.write(gpt, tokens[:, :3], LENGTH - 3, greedy)
    assert written.shape == (3, LENGTH)
    assert len(np.unique(written[:, 3:])) > 1
    np.testing.assert_array_equal(written[:, :3], tokens[:, :3])
    np.testing.assert_array_equal(language.write(gpt, tokens[:, :3], LENGTH - 3, greedy, cached=False), written)
    logits = gpt.predict_on_batch(written)
    np.testing.assert_array_equal(logits[:, 2:-1].argmax(axis=2), written[:, 3:])


@pytest.mark.parametrize(("time", "count"), [(0, 2), (5, 8), (13, 0)])
def test_a_text_must_fit(time, count):
    with pytest.raises(ValueError) as error:
        language.write(build(), np.zeros((1, time), int), count, greedy)
    assert str(error.value) == (
        f"A prompt of {time} tokens and {count} more do not fit a model of 12: start with at least one token, and "
        "shorten one or the other."
    )
