"""Induction heads: where a head of a network looks, what it gains, and what is missing without it."""

import numpy as np
import pytest

from utils.scratch.induction import attention_weights, attentions, looking_back, losses_by_step, repeated, without
from utils.scratch.losses import softmax_cross_entropy
from utils.scratch.network import Dense, Network, ReLU
from utils.scratch.transformer import gpt


def model(depth=2, heads=2, vocabulary=11, width=8, seed=0):
    network = Network(gpt(vocabulary, width, depth, heads), (6,), seed=seed, dtype="float64")
    rng = np.random.default_rng(seed)
    for parameter in network.parameters:
        parameter += 0.3 * rng.normal(size=parameter.shape)
    return network


def tokens(batch=3, time=6, vocabulary=11, seed=1):
    return np.random.default_rng(seed).integers(0, vocabulary, (batch, time))


def test_all_layers_of_attention_in_order():
    network = model(depth=3)
    found = attentions(network)
    assert len(found) == 3
    network.forward(tokens())
    assert len({id(layer) for layer in found}) == 3
    assert attentions(Network([Dense(3), ReLU()], (4,))) == []


def test_weights_are_causal_shares():
    network = model()
    found = attention_weights(network, tokens())
    assert [w.shape for w in found] == [(3, 2, 6, 6)] * 2
    for w in found:
        np.testing.assert_allclose(w.sum(axis=-1), 1)
        assert not np.triu(w, 1).any()
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_repeated():
    found = repeated(9, 4, 5, np.random.default_rng(0))
    assert found.shape == (4, 10)
    np.testing.assert_array_equal(found[:, :5], found[:, 5:])
    assert all(len(set(row[:5])) == 5 for row in found)
    assert found.min() >= 0
    assert found.max() < 9
    assert (found[0] != found[1]).any()
    assert set(repeated([3, 5, 8], 2, 3, np.random.default_rng(0)).ravel()) == {3, 5, 8}
    with pytest.raises(ValueError, match=r"^4 different tokens do not make a period of 5: take a shorter one\.$"):
        repeated(4, 1, 5, np.random.default_rng(0))
    assert repeated(5, 1, 5, np.random.default_rng(0)).shape == (1, 10)


def test_looking_back_by_hand():
    w = np.zeros((2, 1, 4, 4))
    w[0, 0] = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.2, 0.3, 0.5, 0], [0.1, 0.2, 0.3, 0.4]]
    w[1, 0] = np.eye(4)
    # one step back from steps 2 and 3: .3 and .3 in the first row, nothing in the second
    assert looking_back(w, 1, 2) == pytest.approx([0.15])
    assert looking_back(w, 1, 1) == pytest.approx([(0.5 + 0.3 + 0.3) / 6])
    assert looking_back(w, 3, 3) == pytest.approx([0.05])
    assert looking_back(w, 0, 3) == pytest.approx([0.7])
    for distance, first in ((3, 2), (1, 4)):
        with pytest.raises(ValueError) as error:
            looking_back(w, distance, first)
        assert str(error.value) == (
            f"Of 4 steps those from {first} on cannot look {distance} back: take {distance} ≤ first < 4."
        )


def test_a_perfect_induction_head():
    period = 5
    w = np.zeros((1, 2, 10, 10))
    for step in range(period, 10):
        w[0, 0, step, step - period + 1] = 1
        w[0, 1, step, step - period] = 1
    assert looking_back(w, period - 1, period).tolist() == [1, 0]
    assert looking_back(w, period, period).tolist() == [0, 1]


def test_without_a_head_its_values_reach_nobody_and_all_is_as_before_afterwards():
    network, x = model(), tokens()
    before = network.forward(x)
    layer = attentions(network)[1]
    matrix = layer.parameters[2].copy()
    with without(network, [(1, 0)]):
        ablated = network.forward(x)
        assert not layer.parameters[2][:4].any()
        np.testing.assert_array_equal(layer.parameters[2][4:], matrix[4:])
        layer.parameters[0][:, 16:20] += 1.0  # values of the head: q, k and v of two heads of four numbers
        np.testing.assert_array_equal(network.forward(x), ablated)
        layer.parameters[0][:, 16:20] -= 1.0
    assert np.abs(ablated - before).max() > 1e-3
    np.testing.assert_allclose(network.forward(x), before, rtol=1e-12)
    np.testing.assert_array_equal(layer.parameters[2], matrix)


def test_two_heads_of_one_layer_and_one_of_another():
    network, x = model(), tokens()
    kept = [layer.parameters[2].copy() for layer in attentions(network)]
    with pytest.raises(KeyError), without(network, [(0, 0), (0, 1), (1, 1)]):
        first, second = (layer.parameters[2] for layer in attentions(network))
        assert not first.any()
        np.testing.assert_array_equal(second[:4], kept[1][:4])
        assert not second[4:].any()
        raise KeyError  # what was switched off comes back, whatever happens
    for layer, matrix in zip(attentions(network), kept, strict=True):
        np.testing.assert_array_equal(layer.parameters[2], matrix)
    network.forward(x)


def test_losses_by_step():
    network, x = model(), tokens()
    found = losses_by_step(network, x)
    assert found.shape == (5,)
    logits = network.forward(x[:, :-1])
    for step in range(5):
        loss, _ = softmax_cross_entropy(logits[:, step], x[:, step + 1])
        assert found[step] == pytest.approx(loss)
    network.parameters[0][...] *= 1e4  # logits far beyond what exp can take
    assert np.isfinite(losses_by_step(network, x)).all()
