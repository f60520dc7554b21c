"""The encoder and decoder: masks, parallel against step by step, and what the searches find."""

import itertools

import numpy as np
import pytest

from utils.backend import keras, set_seed
from utils.models import decoding, seq2seq

SOURCE, TARGET = 9, 6
START, END = seq2seq.START, seq2seq.END


def build(attention=True, seed=0, target=TARGET):
    """Return a small network that is less sure of nothing than a fresh one: its weights are three times as large."""
    set_seed(seed)
    network = seq2seq.seq2seq(SOURCE, target, attention, width=6, units=8)
    network.model.set_weights([3 * w for w in network.model.get_weights()])
    return network


@pytest.fixture
def source():
    """Four sources of 6, 4, 2 and 1 symbols, padded with zeros."""
    source = np.random.default_rng(1).integers(1, SOURCE, (4, 6))
    for n, length in enumerate((6, 4, 2, 1)):
        source[n, length:] = 0
    return source


@pytest.fixture
def target():
    """Four targets with start and end, padded with zeros."""
    target = np.random.default_rng(2).integers(3, TARGET, (4, 7))
    target[:, 0] = START
    for n, place in enumerate((6, 3, 4, 1)):
        target[n, place] = END
        target[n, place + 1 :] = 0
    return target


BOTH = pytest.mark.parametrize("attention", [True, False])


@BOTH
def test_shapes(attention, source, target):
    network = build(attention)
    assert network.model.predict_on_batch([source, target]).shape == (4, 7, TARGET)
    memory, real, start = network.encoder.predict_on_batch(source)
    places = 6 if attention else 1
    assert memory.shape == (4, places, 8)
    assert start.shape == (4, 8)
    np.testing.assert_array_equal(real, source != 0 if attention else np.ones((4, 1)))


def test_parameters():
    both = [seq2seq.seq2seq(29, 42, attention).model.count_params() for attention in (True, False)]
    reader = 2 * 3 * 64 * (64 + 64 + 2)
    writer = 3 * 128 * (64 + 128 + 2)
    rest = (29 + 42) * 64 + reader + writer + 257 * 128 + 129 * 42
    assert both == [rest + 128 * 128, rest]


def test_one_vector_gets_all_the_weight(source, target):
    network = build(attention=False)
    _, weights = seq2seq.teacher_forced(network, source, target)
    np.testing.assert_array_equal(weights, np.ones((4, 6, 1)))
    memory, _, start = network.encoder.predict_on_batch(source)
    np.testing.assert_array_equal(memory[:, 0], start)


@BOTH
def test_source_padding_changes_nothing(attention, source, target):
    network = build(attention)
    expected, weights = seq2seq.teacher_forced(network, source, target)
    longer, more = seq2seq.teacher_forced(network, np.pad(source, ((0, 0), (0, 3))), target)
    np.testing.assert_allclose(longer, expected, atol=1e-5)
    if attention:
        assert (more[:, :, 6:] == 0).all()
        assert (weights[source[:, None, :].repeat(6, axis=1) == 0] == 0).all()
        np.testing.assert_allclose(weights.sum(axis=2), 1, atol=1e-6)
        assert weights[0].std() > 1e-3


def test_weights_are_the_softmax_of_the_score(source, target):
    """Equation (8), "general", of Luong et al., 2015: the state after the step, times a matrix, times each memory."""
    network = build()
    memory, real, state = network.encoder.predict_on_batch(source)
    writer = next(layer for layer in network.decoder.layers if isinstance(layer, keras.layers.GRU))
    states = keras.Model(network.decoder.inputs, writer.output[0])
    h = states.predict_on_batch([target[:, :-1], state, memory, real])
    score = next(layer for layer in network.decoder.layers if isinstance(layer, keras.layers.Dense))
    (matrix,) = score.get_weights()
    e = np.where(real[:, None, :], np.einsum("btk,bsk->bts", h, memory @ matrix), -np.inf)
    e = np.exp(e - e.max(axis=2, keepdims=True))
    _, weights = seq2seq.teacher_forced(network, source, target)
    np.testing.assert_allclose(weights, e / e.sum(axis=2, keepdims=True), atol=1e-5)


@BOTH
def test_parallel_equals_step_by_step(attention, source, target):
    network = build(attention)
    expected, expected_weights = seq2seq.teacher_forced(network, source, target)
    memory, real, state = network.encoder.predict_on_batch(source)
    for t in range(6):
        logits, state, weights = network.decoder.predict_on_batch([target[:, t : t + 1], state, memory, real])
        np.testing.assert_allclose(seq2seq.log_softmax(logits)[:, 0], expected[:, t], atol=1e-5)
        np.testing.assert_allclose(weights[:, 0], expected_weights[:, t], atol=1e-5)


def test_loss_leaves_padding_out(target):
    logits = np.random.default_rng(0).normal(size=(4, 6, TARGET)).astype("float32")
    steps = seq2seq.log_softmax(logits)
    losses = [-steps[n, t, target[n, t + 1]] for n in range(4) for t in range(6) if target[n, t + 1]]
    assert len(losses) == 6 + 3 + 4 + 1
    found = seq2seq.masked_crossentropy(target[:, 1:], logits)
    np.testing.assert_allclose(float(found), np.mean(losses), rtol=1e-5)


def test_log_probability_adds_up_the_symbols(source, target):
    network = build()
    steps, _ = seq2seq.teacher_forced(network, source, target)
    expected = [sum(steps[n, t, target[n, t + 1]] for t in range(6) if target[n, t + 1]) for n in range(4)]
    np.testing.assert_allclose(seq2seq.log_probability(network, source, target), expected)


def test_log_softmax_of_large_scores():
    found = seq2seq.log_softmax(np.array([[1000.0, 1000.0], [0.0, -1000.0]]))
    np.testing.assert_allclose(found, [[-np.log(2), -np.log(2)], [0, -1000]])


def search(network, source, width, limit=5, **options):
    return decoding.beam_search(network, source, width, limit, **options)


@BOTH
@pytest.mark.parametrize("seed", range(3))
def test_beam_of_one_is_greedy(attention, seed, source):
    network = build(attention, seed)
    written, scores = search(network, source, 1, limit=8)
    greedy = decoding.greedy(network, source, 8)
    np.testing.assert_array_equal(written[:, 0], greedy)
    np.testing.assert_allclose(scores[:, 0], seq2seq.log_probability(network, source, greedy), atol=1e-5)


def test_greedy_takes_the_likeliest_symbol_each_time(source):
    network = build()
    written = decoding.greedy(network, source, 8)
    steps, _ = seq2seq.teacher_forced(network, source, written)
    steps[:, :, 0] = -np.inf
    assert (written[:, 0] == START).all()
    for row, best in zip(written, steps.argmax(axis=2), strict=True):
        ends = np.flatnonzero(row == END)
        over = ends[0] if len(ends) else 8
        np.testing.assert_array_equal(row[1 : over + 1], best[:over])
        assert (row[over + 1 :] == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_beam_as_wide_as_everything_finds_the_best(seed, source):
    """Four symbols, padding among them, at most three steps: all that can be written is tried."""
    network = build(seed=seed, target=4)
    written, scores = search(network, source, 60, limit=3)
    tried = []
    for symbols in itertools.product((1, 2, 3), repeat=3):
        over = symbols.index(END) + 1 if END in symbols else 3
        row = (START, *symbols[:over], *[0] * (3 - over))
        if row not in tried:
            tried.append(row)
    for n in range(4):
        found = np.isfinite(scores[n])
        assert {tuple(map(int, row)) for row in written[n, found]} == set(tried)
        asked = np.repeat(source[n : n + 1], len(tried), axis=0)
        expected = seq2seq.log_probability(network, asked, np.array(tried))
        finished = np.array([END in row for row in tried])
        best = np.array(tried)[finished][expected[finished].argmax()]
        np.testing.assert_array_equal(written[n, 0], best)
        np.testing.assert_allclose(scores[n, 0], expected[finished].max(), atol=1e-5)
        greedy = decoding.greedy(network, source[n : n + 1], 3)
        if END in greedy:
            assert scores[n, 0] >= seq2seq.log_probability(network, source[n : n + 1], greedy)[0] - 1e-6


def test_what_is_over_stays_and_comes_first(source):
    network = build()
    written, scores = search(network, source, 4, limit=4)
    for n in range(4):
        over = (written[n] == END).any(axis=1)
        assert list(over) == sorted(over, reverse=True)
        for part in (scores[n][over], scores[n][~over]):
            assert (np.diff(part) <= 0).all()
    flat = written.reshape(-1, 5)
    for row in flat:
        ends = np.flatnonzero(row == END)
        if len(ends):
            assert (row[ends[0] + 1 :] == 0).all()
    again = seq2seq.log_probability(network, np.repeat(source, 4, axis=0), flat)
    np.testing.assert_allclose(scores.ravel(), again, atol=1e-5)


def test_normalization_ranks_by_the_mean_of_a_symbol(source):
    network = build()
    *others, bias = network.model.get_weights()
    network.model.set_weights([*others, bias + 2.0 * (np.arange(TARGET) == END)])  # many an end is found
    plain, scores = search(network, source, 20, limit=6)
    written, normalized = search(network, source, 20, limit=6, normalize=1.0)
    assert not np.array_equal(plain, written)
    for n in range(4):
        assert {tuple(row) for row in plain[n]} == {tuple(row) for row in written[n]}
        over = (written[n] == END).any(axis=1)
        mean = normalized[n] / (written[n, :, 1:] != 0).sum(axis=1)
        assert (np.diff(mean[over]) <= 1e-12).all()
        np.testing.assert_allclose(np.sort(normalized[n]), np.sort(scores[n]))


@BOTH
def test_it_learns_to_copy(attention):
    generator = np.random.default_rng(0)
    source = generator.integers(3, SOURCE, (256, 4))
    source[::2, 3] = 0
    target = np.full((256, 6), 0)
    target[:, 0], target[:, 1:5] = START, source
    target[np.arange(256), 1 + (source != 0).sum(axis=1)] = END
    set_seed(0)
    network = seq2seq.seq2seq(SOURCE, SOURCE, attention, width=16, units=32)
    epochs = []
    losses = seq2seq.fit(
        network, source, target, epochs=30, batch_size=32, learning_rate=0.01, seed=0, after_epoch=epochs.append
    )
    assert epochs == list(range(1, 31))
    assert losses[-1] < 0.2 * losses[0]
    written = decoding.greedy(network, source, 6)
    assert np.mean((written[:, :6] == target).all(axis=1)) > 0.9


def test_errors_say_what_to_do(source, target):
    with pytest.raises(ValueError, match=r"^Two directions share the units, and 7 are odd: take an even number\.$"):
        seq2seq.seq2seq(SOURCE, TARGET, units=7)
    message = r"^4 examples do not fill one batch of 64: take a smaller one\.$"
    with pytest.raises(ValueError, match=message):
        seq2seq.fit(build(), source, target)


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ([], [], 0),
        ([3, 4], [], 2),
        ([], [3], 1),
        ([3, 4, 5], [3, 5], 1),
        ([4, 5, 3], [3, 4, 5], 2),
        ([3, 4], [4, 3], 2),
    ],
)
def test_edit_distance(a, b, distance):
    assert decoding.edit_distance(a, b) == decoding.edit_distance(b, a) == distance


def test_edit_distance_is_the_shortest_way():
    """Every sequence of at most three symbols, by a search that knows nothing of the recursion."""
    everything = [w for n in range(4) for w in itertools.product((3, 4), repeat=n)]
    for a in everything:
        reached, steps = {a}, 0
        todo = set(everything)
        while todo:
            for b in todo & reached:
                assert decoding.edit_distance(a, b) == steps
            todo -= reached
            steps += 1
            more = set()
            for w in reached:
                more |= {w[:i] + w[i + 1 :] for i in range(len(w))}
                more |= {(*w[:i], s, *w[i:]) for i in range(len(w) + 1) for s in (3, 4)}
                more |= {(*w[:i], s, *w[i + 1 :]) for i in range(len(w)) for s in (3, 4)}
            reached |= {w for w in more if len(w) <= 4}


def test_symbol_errors_take_the_nearest_target():
    written = np.array([[1, 3, 4, 5, 2, 0], [1, 3, 2, 0, 0, 0], [1, 2, 0, 0, 0, 0], [1, 3, 3, 3, 3, 3]])
    accepted = np.array(
        [
            [[1, 4, 3, 2, 0], [1, 3, 4, 5, 2]],
            [[1, 4, 5, 2, 0], [1, 5, 2, 0, 0]],
            [[1, 5, 5, 5, 2], [1, 5, 5, 2, 0]],
            [[1, 3, 3, 2, 0], [1, 3, 3, 2, 0]],
        ]
    )
    errors, lengths = decoding.symbol_errors(written, accepted)
    np.testing.assert_array_equal(errors, [0, 1, 2, 3])
    np.testing.assert_array_equal(lengths, [3, 1, 2, 2])
