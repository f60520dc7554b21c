"""One step at a time, with the keys and values kept, is all steps at once."""

import numpy as np
import pytest

from utils.scratch.decoding import next_logits
from utils.scratch.network import Dense, Network, Sequential
from utils.scratch.transformer import gpt

VOCABULARY, LENGTH = 7, 6
KINDS = {
    "as it is": {},
    "post-norm": {"order": "post", "norm": "layer"},
    "learned": {"positions": "learned", "length": LENGTH},
    "two key heads": {"key_heads": 2},
    "one key head, learned": {"key_heads": 1, "positions": "learned", "length": LENGTH},
}


def build(kind: str) -> Network:
    """Return a GPT whose parameters are all random, scales and biases too."""
    network = Network(gpt(VOCABULARY, 16, 2, 4, **KINDS[kind]), (LENGTH,), dtype="float64")
    rng = np.random.default_rng(3)
    network.set_parameters([rng.normal(size=p.shape) / 2 for p in network.parameters])
    return network


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_step_at_a_time_gives_all_logits(kind, batch):
    network = build(kind)
    tokens = np.random.default_rng(4).integers(0, VOCABULARY, (batch, LENGTH))
    past = {}
    found = [next_logits(network, tokens[:, t], past) for t in range(LENGTH)]
    np.testing.assert_allclose(np.stack(found, axis=1), network.forward(tokens), rtol=0, atol=1e-12)
    assert len(past) == 2
    for keys, values in past.values():
        assert keys.shape == values.shape == (batch, KINDS[kind].get("key_heads", 4), LENGTH, 4)


def test_layers_in_a_row_without_a_sum_are_walked_through():
    layers = gpt(VOCABULARY, 16, 1, 4)
    network = Network([*layers[:-1], Sequential([Dense(16)]), layers[-1]], (LENGTH,), dtype="float64")
    tokens, past = np.array([[2, 5, 1]]), {}
    found = [next_logits(network, tokens[:, t], past)[0] for t in range(3)]
    np.testing.assert_allclose(found, network.forward(tokens)[0], rtol=0, atol=1e-12)
