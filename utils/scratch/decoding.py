"""Write with a GPT token by token: the keys and values of what was written are kept, and nothing is computed twice.

Source: R. Pope et al., *Efficiently Scaling Transformer Inference*, 2022, section 2, calls them the KV cache.
"""

import numpy as np

from utils.scratch.attention import dot_product_attention
from utils.scratch.multi_head import SelfAttention, join_heads, split_heads
from utils.scratch.network import Layer, Network, Sequential
from utils.scratch.positions import rotate
from utils.scratch.transformer import LearnedPositions, Residual

Past = dict[SelfAttention, tuple[np.ndarray, np.ndarray]]  # keys and values, (batch, key heads, time, size) each


def next_logits(network: Network, tokens: np.ndarray, past: Past) -> np.ndarray:
    """Return the logits after one more token of each text.

    Parameters
    ----------
    network : Network
        Of the layers that :func:`utils.scratch.transformer.gpt` returns.
    tokens : numpy.ndarray
        Whole numbers (batch,).
    past : dict
        Keys and values of the tokens before, for each layer of attention; empty at the start. The new ones are added.

    Returns
    -------
    numpy.ndarray
        Shape (batch, vocabulary): the last step of ``network.forward`` for all tokens so far.
    """
    place = next((keys.shape[2] for keys, _ in past.values()), 0)
    return _through(network.layers, tokens[:, None], past, place)[:, 0]


def _through(layers: list[Layer], x: np.ndarray, past: Past, place: int) -> np.ndarray:
    """Hand one step of each text, (batch, 1, ...), through layers in a row."""
    for layer in layers:
        if isinstance(layer, Sequential):
            inner = _through(layer.layers, x, past, place)
            x = x + inner if isinstance(layer, Residual) else inner
        elif isinstance(layer, SelfAttention):
            x = _attend(layer, x, past, place)
        elif isinstance(layer, LearnedPositions):
            x = x + layer.parameters[0][place]
        else:
            x = layer.forward(x)
    return x


def _attend(layer: SelfAttention, x: np.ndarray, past: Past, place: int) -> np.ndarray:
    """Let one step of each text, (batch, 1, width), see itself and what is past, and keep its key and its value."""
    w, b, w_o, b_o = layer.parameters
    columns, shared = layer.heads * layer.size, layer.key_heads * layer.size
    q, k, v = np.split(x @ w + b, [columns, columns + shared], axis=2)
    q, k, v = split_heads(q, layer.heads), split_heads(k, layer.key_heads), split_heads(v, layer.key_heads)
    if layer.rotary:
        q, k = rotate(q, place), rotate(k, place)
    if layer in past:
        k, v = (np.concatenate(both, axis=2) for both in zip(past[layer], (k, v), strict=True))
    past[layer] = k, v
    k, v = (np.repeat(part, layer.heads // layer.key_heads, axis=1) for part in (k, v))
    y, _ = dot_product_attention(q, k, v)
    return join_heads(y) @ w_o + b_o
