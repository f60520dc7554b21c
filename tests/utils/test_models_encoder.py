"""The encoder: equal to the formulas of the papers, to the Hugging Face library, and blind to padding."""

import math
import re

import numpy as np
import pytest

from utils.data import minilm
from utils.models.encoder import embed, encoder, load

SIZES = {
    "vocabulary": 11,
    "width": 6,
    "depth": 2,
    "heads": 3,
    "hidden": 10,
    "positions": 20,
    "types": 2,
    "epsilon": 0.1,  # far from what Keras takes by itself
}
BOUND = 1e-5


@pytest.fixture(scope="module")
def model():
    return minilm.minilm()


@pytest.fixture(scope="module")
def reference():
    return minilm.reference()


@pytest.fixture(scope="module")
def network(model):
    network = encoder(**model.sizes)
    load(network, model.weights)
    return network


@pytest.fixture(scope="module")
def vectors(network, reference):
    """MiniLM's, of all sentences, in padded batches."""
    return embed(network, reference.tokens)


@pytest.fixture(scope="module")
def weights():
    """Random weights for a small encoder, by name."""
    rng = np.random.default_rng(0)
    width, hidden = SIZES["width"], SIZES["hidden"]
    shapes = {
        "embeddings.word_embeddings.weight": (SIZES["vocabulary"], width),
        "embeddings.position_embeddings.weight": (SIZES["positions"], width),
        "embeddings.token_type_embeddings.weight": (2, width),
    }
    dense = {"intermediate.dense": (hidden, width), "output.dense": (width, hidden)}
    dense |= {f"attention.{name}": (width, width) for name in ("self.query", "self.key", "self.value", "output.dense")}
    norms = ["embeddings.LayerNorm"]
    for block in ("encoder.layer.0", "encoder.layer.1"):
        for name, shape in dense.items():
            shapes |= {f"{block}.{name}.weight": shape, f"{block}.{name}.bias": shape[:1]}
        norms += [f"{block}.attention.output.LayerNorm", f"{block}.output.LayerNorm"]
    for norm in norms:
        shapes |= {f"{norm}.weight": (width,), f"{norm}.bias": (width,)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def small(weights):
    network = encoder(**SIZES)
    load(network, weights)
    return network


def alone(tokens):
    """One sentence without padding, as a model reads it."""
    return [np.array([tokens], np.int32), np.ones((1, len(tokens)), bool)]


def by_hand(weights, tokens):
    """States, attention weights and vector of one sentence, in float64, straight from the papers."""
    w = {name: array.astype(float) for name, array in weights.items()}
    heads, size = SIZES["heads"], SIZES["width"] // SIZES["heads"]

    def dense(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x, name):
        x = x - x.mean(axis=1, keepdims=True)
        x = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + SIZES["epsilon"])
        return x * w[f"{name}.LayerNorm.weight"] + w[f"{name}.LayerNorm.bias"]

    x = w["embeddings.word_embeddings.weight"][tokens]
    x = x + w["embeddings.position_embeddings.weight"][: len(tokens)] + w["embeddings.token_type_embeddings.weight"][0]
    states, seen = [norm(x, "embeddings")], []
    for number in range(SIZES["depth"]):
        block, x = f"encoder.layer.{number}", states[-1]
        q, k, v = (dense(x, f"{block}.attention.self.{name}") for name in ("query", "key", "value"))
        rows, parts = [], []
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            e = np.exp(q[:, part] @ k[:, part].T / np.sqrt(size))
            rows.append(e / e.sum(axis=1, keepdims=True))
            parts.append(rows[-1] @ v[:, part])
        x = norm(
            x + dense(np.concatenate(parts, axis=1), f"{block}.attention.output.dense"), f"{block}.attention.output"
        )
        h = dense(x, f"{block}.intermediate.dense")
        h = h * (1 + np.vectorize(math.erf)(h / np.sqrt(2))) / 2
        states.append(norm(x + dense(h, f"{block}.output.dense"), f"{block}.output"))
        seen.append(rows)
    mean = states[-1].mean(axis=0)
    return np.array(states), np.array(seen), mean / np.linalg.norm(mean)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1")  # one token has nothing else to see
@pytest.mark.parametrize("tokens", [[4], [1, 2], [3, 1, 4, 1, 5, 9, 2], [10, 0, 7]])
def test_it_is_the_encoder_of_the_papers(small, weights, tokens, agree):
    states, seen, vector = by_hand(weights, tokens)
    found_states, found_seen = small.inside.predict_on_batch(alone(tokens))
    agree("encoder: states", found_states[0], states, BOUND)
    agree("encoder: attention weights", found_seen[0], seen, BOUND)
    agree("encoder: vector", small.sentence.predict_on_batch(alone(tokens))[0], vector, BOUND)


def test_padding_changes_nothing(small, weights):
    """Whatever stands at the places that are not real, and wherever they are not seen."""
    rng = np.random.default_rng(1)
    sentences = [[3, 1, 4, 1, 5], [9, 2], [6]]
    tokens, real = rng.integers(0, 11, (3, 8)), np.zeros((3, 8), bool)
    for row, sentence in enumerate(sentences):
        tokens[row, : len(sentence)] = sentence
        real[row, : len(sentence)] = True
    vectors = small.sentence.predict_on_batch([tokens, real])
    states, seen = small.inside.predict_on_batch([tokens, real])
    for row, sentence in enumerate(sentences):
        size = len(sentence)
        expected_states, expected_seen, expected = by_hand(weights, sentence)
        np.testing.assert_allclose(vectors[row], expected, atol=BOUND)
        np.testing.assert_allclose(states[row, :, :size], expected_states, atol=BOUND)
        np.testing.assert_allclose(seen[row, :, :, :size, :size], expected_seen, atol=BOUND)
        assert not seen[row, :, :, :, size:].any()  # nobody looks at padding


def test_embed_keeps_the_order_whatever_the_batches(small, weights):
    rng = np.random.default_rng(2)
    sentences = [rng.integers(0, 11, length).tolist() for length in (3, 20, 1, 17, 16, 3, 8)]
    expected = [by_hand(weights, sentence)[2] for sentence in sentences]
    for batch_size in (1, 2, 3, 7, 50):
        vectors = embed(small, sentences, batch_size)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(vectors, expected, atol=BOUND)
    assert embed(small, []).shape == (0, 6)


@pytest.mark.parametrize(("length", "place"), [(0, 1), (21, 2)])
def test_embed_refuses_what_has_no_vector(small, length, place):
    sentences = [[1, 2], [3], [4]]
    sentences[place] = [1] * length
    message = (
        f"Sentence {place} has {length} tokens, and the encoder reads 1 to 20: a tokenizer marks beginning and end, "
        "and cuts what is longer."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        embed(small, sentences)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda w: w.pop("encoder.layer.1.output.dense.bias"),
            (
                "The encoder needs encoder.layer.1.output.dense.bias, which the weights do not have (1 are missing): "
                "build it with the depth of the weights."
            ),
        ),
        (
            lambda w: w.update({"pooler.dense.weight": np.zeros((6, 6)), "pooler.dense.bias": np.zeros(6)}),
            (
                "The weights have pooler.dense.bias, for which the encoder has no place (2 are left over): build it "
                "with the depth of the weights, or leave out what it does not use."
            ),
        ),
        (
            lambda w: w.update({"encoder.layer.0.output.dense.weight": np.zeros((10, 6))}),
            (
                "encoder.layer.0.output.dense.weight has the shape (10, 6), and the encoder needs (6, 10): build it "
                "with the sizes of the weights."
            ),
        ),
        (
            lambda w: w.update({"embeddings.LayerNorm.weight": np.zeros(7)}),
            (
                "embeddings.LayerNorm.weight has the shape (7,), and the encoder needs (6,): build it with the "
                "sizes of the weights."
            ),
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(small, weights, change, message):
    other = {name: array + 1 for name, array in weights.items()}
    change(other)
    before = [variable.numpy() for variable in small.inside.weights]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        load(small, other)
    assert all(np.array_equal(v.numpy(), old) for v, old in zip(small.inside.weights, before, strict=True))


def test_heads_share_the_width():
    with pytest.raises(ValueError, match=r"^4 heads cannot share a width of 6: take a multiple of 4\.$"):
        encoder(**SIZES | {"heads": 4})


def test_minilm_has_as_many_parameters_as_the_encoder(network, model):
    assert network.sentence.count_params() == sum(array.size for array in model.weights.values()) == 22_565_376


def test_minilm_gives_the_vectors_of_the_reference_in_padded_batches(vectors, reference, agree):
    agree("MiniLM and Hugging Face: vectors, padded", vectors, reference.embeddings, BOUND)


def test_minilm_gives_the_vectors_of_the_reference_one_by_one(network, reference, agree):
    some = range(0, len(reference.tokens), 8)  # JAX compiles for each length
    found = [network.sentence.predict_on_batch(alone(reference.tokens[place]))[0] for place in some]
    agree("MiniLM and Hugging Face: vectors, alone", np.array(found), reference.embeddings[some], BOUND)


def test_minilm_has_the_inside_of_the_reference(network, reference, agree):
    for place, states, weights in zip(reference.opened, reference.states, reference.weights, strict=True):
        found_states, found_weights = network.inside.predict_on_batch(alone(reference.tokens[place]))
        agree("MiniLM and Hugging Face: states", found_states[0], states, BOUND)
        agree("MiniLM and Hugging Face: attention weights", found_weights[0], weights, BOUND)


def test_minilm_finds_what_means_the_same(vectors, reference):
    found = dict(zip(reference.sentences, vectors, strict=True))
    same = found["The law was passed by Congress."] @ found["Congress passed the law."]
    other = found["The law was passed by Congress."] @ found["A dog bites a man."]
    assert same > 0.9 > 0.3 > other
