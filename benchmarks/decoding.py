"""A GPT writes: with keys and values kept and with everything computed anew, in NumPy and in Keras."""

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.clock import side_by_side
from utils.models import gpt, language
from utils.scratch import transformer
from utils.scratch.decoding import next_logits
from utils.scratch.network import Network

VOCABULARY, WIDTH, DEPTH, HEADS, LENGTH = 1024, 128, 4, 4, 128  # the larger GPT of the chapter ``transformer``
ROUNDS = 5


def rows() -> Iterator[dict]:
    """Time the writing of one text, and of sixteen at once."""
    model = gpt.GPT(gpt.Shape(VOCABULARY, WIDTH, DEPTH, HEADS, length=LENGTH))
    network = Network(transformer.gpt(VOCABULARY, WIDTH, DEPTH, HEADS), (LENGTH,))
    network.set_parameters(model.get_weights())
    for texts in (1, 16):
        prompt = np.zeros((texts, 1), "int32")
        ways = {
            "NumPy, everything anew": in_numpy(network, prompt, cached=False),
            "Keras, with the cache": in_keras(model, prompt, cached=True),
            "Keras, everything anew": in_keras(model, prompt, cached=False),
        }
        what = f"GPT writes {LENGTH - 1} tokens with the cache, {texts} text{'s' if texts > 1 else ''}"
        for other, way in ways.items():
            yield {"what": what, "other": other} | side_by_side(in_numpy(network, prompt, cached=True), way, ROUNDS)


def in_numpy(network: Network, prompt: np.ndarray, cached: bool) -> Callable[[], object]:
    """Return a function that writes the likeliest tokens."""

    def write() -> np.ndarray:
        written, past = prompt, {}
        for _ in range(LENGTH - 1):
            logits = next_logits(network, written[:, -1], past) if cached else network.forward(written)[:, -1]
            written = np.column_stack([written, logits.argmax(axis=1)])
        return written

    return write


def in_keras(model: gpt.GPT, prompt: np.ndarray, cached: bool) -> Callable[[], object]:
    """Return a function that does the same with the model in Keras."""
    return lambda: language.write(model, prompt, LENGTH - 1, lambda logits: logits.argmax(axis=1), cached)
