"""LoRA on the GPT: what it adds, what learns, what is merged, and that Keras's own and scratch's agree."""

import numpy as np
import pytest

from tests.utils.test_models_gpt import LENGTH, VOCABULARY, build
from utils.backend import keras, ops, value_and_grad
from utils.models import language
from utils.models.adaptation import Prompted, Tuner, free
from utils.models.lora import LoRA, adapt, adapter, load, merge
from utils.scratch import low_rank, network, transformer

TOKENS = np.random.default_rng(3).integers(0, VOCABULARY, (3, LENGTH)).astype("int32")
TEXT = np.random.default_rng(4).integers(0, VOCABULARY, 300).astype("int32")


def logits(model, tokens=TOKENS):
    """Run a model without compiling it: that takes a second each."""
    return ops.convert_to_numpy(model(tokens))


def randomize(layers, seed=5):
    rng = np.random.default_rng(seed)
    load(layers, [rng.normal(size=part.shape) / 3 for part in adapter(layers)])


def test_a_new_adapter_changes_nothing():
    gpt = build()
    before, weights = logits(gpt), gpt.get_weights()
    layers = adapt(gpt, 2, 4)
    assert len(layers) == 8
    assert [layer.scale for layer in layers] == [2.0] * 8
    np.testing.assert_allclose(logits(gpt), before, atol=1e-5)
    for kept, _now in zip(weights, gpt.get_weights(), strict=False):
        assert any(np.array_equal(kept, other) for other in gpt.get_weights() if other.shape == kept.shape)
    assert len(gpt.get_weights()) == len(weights) + 16
    # A of 16 x 2, B of 2 x 48 for the projection, and so on
    shapes = [(16, 48), (16, 16), (16, 64), (64, 16)] * 2
    assert sum(part.size for part in adapter(layers)) == low_rank.size(shapes, 2)
    assert sum(int(np.prod(v.shape)) for v in gpt.trainable_variables) == low_rank.size(shapes, 2)


def test_each_a_is_another_and_the_seed_decides():
    first, again, other = (adapter(adapt(build(depth=1), 2, 4, seed=seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], first[4])
    assert not any(part.any() for part in first[1::2])


def test_only_the_adapters_learn():
    gpt = build(depth=1)
    layers = adapt(gpt, 2, 4)
    frozen = {v.path: ops.convert_to_numpy(v) for v in gpt.non_trainable_variables}
    before = adapter(layers)
    language.fit(gpt, TEXT, 3, 8, 4)
    for variable in gpt.non_trainable_variables:
        if variable.path in frozen:
            np.testing.assert_array_equal(frozen[variable.path], ops.convert_to_numpy(variable))
    assert len(frozen) == len(build(depth=1).weights)
    assert all(not np.array_equal(a, b) for a, b in zip(before, adapter(layers), strict=True))


def test_merged_is_unmerged():
    gpt = build()
    randomize(adapt(gpt, 3, 6))
    expected = logits(gpt)
    plain = build()
    assert np.abs(logits(plain) - expected).max() > 0.1
    merge(gpt)
    np.testing.assert_allclose(logits(gpt), expected, atol=1e-4)
    assert [w.shape for w in gpt.get_weights()] == [w.shape for w in plain.get_weights()]
    plain.set_weights(gpt.get_weights())  # an ordinary GPT takes them, in the usual order
    np.testing.assert_allclose(logits(plain), expected, atol=1e-4)
    assert len(adapt(gpt, 1, 1)) == 8  # and it can be adapted again


def test_scratch_computes_the_same_from_merged_weights():
    gpt = build()
    layers = adapt(gpt, 3, 6)
    randomize(layers)
    weights = build().get_weights()
    merged = [w.astype("float64") for w in weights]
    kernels = [n for n, w in enumerate(weights) if w.ndim == 2][1:]  # without the embedding
    for number, layer in zip(kernels, _in_order_of_weights(gpt), strict=True):
        down, up = ops.convert_to_numpy(layer.down), ops.convert_to_numpy(layer.up)
        merged[number] = low_rank.merge(merged[number], down, up, layer.scale)
    twin = network.Network(transformer.gpt(VOCABULARY, 16, 2, 4), (LENGTH,), dtype="float64")
    twin.set_parameters(merged)
    np.testing.assert_allclose(logits(gpt), twin.forward(TOKENS), atol=1e-3)


def _in_order_of_weights(gpt):
    return [
        layer
        for block in gpt.blocks
        for layer in (block.attention.projection, block.attention.output_layer, block.hidden, block.output_layer)
    ]


def test_places():
    gpt = build()
    layers = adapt(gpt, 2, 2, where=("attention",))
    assert len(layers) == 4
    assert isinstance(gpt.blocks[1].attention.projection, LoRA)
    assert not isinstance(gpt.blocks[1].hidden, LoRA)
    with pytest.raises(ValueError, match=r"^The model has adapters already: merge them first\.$"):
        adapt(gpt, 2, 2, where=("network",))
    with pytest.raises(ValueError, match=r"^The place 'head' is unknown: use one of 'attention', 'network'\.$"):
        adapt(build(), 2, 2, where=("head",))
    with pytest.raises(ValueError, match=r"^A rank of 17 does not fit weights of 16 x 48: take 1 to 16\.$"):
        adapt(build(), 17, 2)
    with pytest.raises(ValueError, match=r"^A rank of 0 does not fit"):
        adapt(build(), 0, 2)
    with pytest.raises(ValueError, match=r"^The dense layer has no weights yet: build it before it is adapted\.$"):
        LoRA(keras.layers.Dense(3), 1, 1)


def test_users_take_turns():
    gpt = build()
    layers = adapt(gpt, 2, 4)
    nobody, plain = adapter(layers), logits(gpt)
    randomize(layers, 1)
    first, of_first = adapter(layers), logits(gpt)
    randomize(layers, 2)
    assert np.abs(logits(gpt) - of_first).max() > 1e-3
    load(layers, first)
    np.testing.assert_array_equal(logits(gpt), of_first)
    load(layers, nobody)
    np.testing.assert_array_equal(logits(gpt), plain)
    with pytest.raises(ValueError, match=r"^15 arrays do not fit 8 layers: two for each are needed\.$"):
        load(layers, first[:-1])


@pytest.fixture
def case(double_precision):
    rng = np.random.default_rng(6)
    return [rng.normal(size=shape) for shape in ((5, 4), (4, 3), (3,), (4, 2), (2, 3))]


def layer_of(case, activation=None, use_bias=True):
    _, w, b, down, up = case
    dense = keras.layers.Dense(3, activation=activation, use_bias=use_bias)
    dense.build((None, 4))
    dense.set_weights([w, b] if use_bias else [w])
    layer = LoRA(dense, 2, 5)
    load([layer], [down, up])
    return layer


def test_layer_and_scratch_agree(agree, case):
    x, w, b, down, up = case
    layer = layer_of(case)
    y = ops.convert_to_numpy(layer(x))
    agree("LoRA, output", y, low_rank.low_rank(x, w, b, down, up, 2.5), 1e-12)
    dy = np.random.default_rng(7).normal(size=y.shape)
    _, gradients, (dx, _) = value_and_grad(lambda x, dy: ops.sum(layer(x) * dy), [layer.down, layer.up], x, dy)
    expected = low_rank.low_rank_backward(dy, x, w, down, up, 2.5)
    for found, ours in zip((dx, *gradients), expected, strict=True):
        agree("LoRA, gradients", found, ours, 1e-12)
    agree("LoRA, merged", layer.merged(), low_rank.merge(w, down, up, 2.5), 1e-12)
    layer.dense.kernel.assign(layer.merged())
    agree("LoRA, merged output", ops.convert_to_numpy(layer.dense(x)), y, 1e-12)


def test_layer_and_the_lora_of_keras_agree(agree, case):
    x, w, b, down, up = case
    ours = layer_of(case)
    theirs = keras.layers.Dense(3)
    theirs.build((None, 4))
    theirs.set_weights([w, b])
    theirs.enable_lora(2, lora_alpha=5)
    # Keras keeps its own in float32, whatever the layer has: numbers that float32 holds exactly
    down, up = (part.astype("float32") for part in (down, up))
    load([ours], [down, up])
    theirs.lora_kernel_a.assign(down)
    theirs.lora_kernel_b.assign(up)
    agree("LoRA and Keras's own", ops.convert_to_numpy(ours(x)), ops.convert_to_numpy(theirs(x)), 1e-6)


@pytest.mark.parametrize(("activation", "use_bias"), [("gelu", True), ("relu", False), ("tanh", True), (None, False)])
def test_activation_and_bias(case, activation, use_bias):
    layer = layer_of(case, activation, use_bias)
    x = case[0]
    dense = keras.layers.Dense(3, activation=activation, use_bias=use_bias)
    dense.build((None, 4))
    dense.set_weights([layer.merged(), case[2]] if use_bias else [layer.merged()])
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), ops.convert_to_numpy(dense(x)), rtol=1e-7, atol=1e-9)
    assert layer.compute_output_shape((2, 7, 4)) == (2, 7, 3)


@pytest.mark.parametrize("which", ["all", "biases", "last block"])
def test_what_may_move(which):
    gpt = build()
    free(gpt, which)
    free(gpt, which)  # once more changes nothing
    assert len(gpt.trainable_variables) == {"all": len(gpt.weights), "biases": 8, "last block": 10}[which]
    names = {variable.path.split("/")[0 if which == "all" else -1] for variable in gpt.trainable_variables}
    assert which != "biases" or names == {"bias"}
    inside = {id(v) for v in gpt.blocks[-1].weights}
    assert which != "last block" or all(id(v) in inside for v in gpt.trainable_variables)
    free(gpt, "biases")
    assert len(gpt.trainable_variables) == 8


def test_an_unknown_choice():
    with pytest.raises(ValueError, match=r"^The choice 'head' is unknown: use one of 'all', 'biases', 'last block'\.$"):
        free(build(), "head")


def test_a_prompt_is_read_before_the_text():
    gpt = build(depth=1)
    prompted = Prompted(gpt, 4, seed=1)
    chosen = np.random.default_rng(1).choice(VOCABULARY, 4, replace=False)
    longer = np.concatenate([np.tile(chosen, (3, 1)), TOKENS], axis=1)
    # It starts as tokens of the vocabulary: what the model says after them
    np.testing.assert_allclose(logits(prompted), logits(gpt, longer)[:, 4:], atol=1e-4)
    assert [v.shape for v in prompted.trainable_variables] == [(4, 16)]
    before = gpt.get_weights()
    language.fit(prompted, TEXT, 3, 8, 4)
    assert all(np.array_equal(a, b) for a, b in zip(before, gpt.get_weights(), strict=True))
    assert not np.array_equal(ops.convert_to_numpy(prompted.prompt), before[0][chosen])


def test_the_tuner_trains_as_language_fit_does():
    one, other = build(depth=1), build(depth=1)
    for gpt in (one, other):
        adapt(gpt, 2, 4, seed=1)
    tuner = Tuner(one)
    first = tuner.fit(TEXT, 12, 8, 4, 0.01, seed=2)
    np.testing.assert_allclose(first, language.fit(other, TEXT, 12, 8, 4, 0.01, seed=2), rtol=1e-4)
    learned = tuner.values()
    assert tuner.fit(TEXT, 12, 8, 4, 0.01, seed=2) != first  # it went on from what it had learned
    tuner.reset()
    np.testing.assert_allclose(tuner.fit(TEXT, 12, 8, 4, 0.01, seed=2), first, rtol=1e-5)
    tuner.reset(learned)
    for a, b in zip(tuner.values(), learned, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"^The text has 8 tokens: a stretch of 8 needs at least 9\.$"):
        tuner.fit(TEXT[:8], 1, 8, 4, 0.01)
