"""Multi-head attention: several attentions side by side, each on projections of its own; and a layer of it.

Source: A. Vaswani et al., *Attention Is All You Need*, 2017, section 3.2.2. The projections of all heads stand side by
side in the columns of one matrix, head by head: ``keras.layers.MultiHeadAttention`` keeps the same numbers in the same
order, with one axis more.

Keys and values may have fewer heads than the queries, each for a group of neighboring heads of queries, as in
``keras.layers.GroupQueryAttention``. Source: J. Ainslie et al., *GQA: Training Generalized Multi-Query Transformer
Models from Multi-Head Checkpoints*, 2023, section 2.2.
"""

from dataclasses import dataclass

import numpy as np

from utils.scratch.attention import (
    broadcast_mask,
    causal_mask,
    dot_product_attention,
    dot_product_attention_backward,
)
from utils.scratch.dense import dense, dense_backward
from utils.scratch.network import Layer, glorot_uniform, rows
from utils.scratch.positions import rotate, rotate_backward


@dataclass
class Heads:
    """What the backward pass needs of all heads: (batch, heads, time, size) each, and (batch, heads, queries, keys).

    Keys and values that several heads of queries share stand here once for each of those.
    """

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    weights: np.ndarray
    scale: float | None
    key_heads: int
    rotary: bool


@dataclass
class Trace:
    """What the backward pass needs from the forward pass."""

    x: np.ndarray
    memory: np.ndarray
    parameters: list[np.ndarray]
    heads: Heads
    joined: np.ndarray


def split_heads(x: np.ndarray, heads: int) -> np.ndarray:
    """Return (batch, time, heads · size) as (batch, heads, time, size).

    Raises
    ------
    ValueError
        If the columns cannot be shared out equally.
    """
    batch, time, columns = x.shape
    if heads < 1 or columns % heads:
        raise ValueError(f"The projection has {columns} columns for {heads} heads: expected as many for each head.")
    return x.reshape(batch, time, heads, columns // heads).swapaxes(1, 2)


def join_heads(x: np.ndarray) -> np.ndarray:
    """Return (batch, heads, time, size) as (batch, time, heads · size): undoes :func:`split_heads`."""
    batch, heads, time, size = x.shape
    return x.swapaxes(1, 2).reshape(batch, time, heads * size)


def multi_head_attention(
    x: np.ndarray,
    memory: np.ndarray,
    parameters: list[np.ndarray],
    heads: int,
    mask: np.ndarray | None = None,
    scale: float | None = None,
    key_heads: int | None = None,
) -> tuple[np.ndarray, np.ndarray, Trace]:
    """Let every step of one sequence attend to all steps of another one, or of the same.

    Parameters
    ----------
    x : numpy.ndarray
        Where the queries come from, shape (batch, queries, inputs).
    memory : numpy.ndarray
        Where keys and values come from, shape (batch, keys, memory inputs); ``x`` again for self-attention.
    parameters : list of numpy.ndarray
        Weights and bias of four projections, in the order of Keras's ``get_weights``: of the queries (inputs,
        heads · d), of the keys (memory inputs, key_heads · d), of the values (memory inputs, key_heads · d_v) and of
        the output (heads · d_v, outputs), each followed by its bias, one number a column.
    heads : int
        How many attentions.
    mask : numpy.ndarray, optional
        True where a query may see a key, in every head; broadcasts to (batch, queries, keys).
    scale : float, optional
        1/sqrt(d) by default.
    key_heads : int, optional
        Heads of the keys and values, a divisor of ``heads``; by default as many.

    Returns
    -------
    y : numpy.ndarray
        Shape (batch, queries, outputs); the output's bias for a query that sees no key.
    weights : numpy.ndarray
        Shape (batch, heads, queries, keys); each row sums to 1, or to 0 for a query that sees no key.
    trace : Trace
        For :func:`multi_head_attention_backward`.

    Raises
    ------
    ValueError
        If the shapes do not fit, the mask is not of booleans, or the heads cannot share the keys equally.
    """
    w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o = parameters
    q, k, v = _project(x, w_q, b_q), _project(memory, w_k, b_k), _project(memory, w_v, b_v)
    joined, parts = _attend(q, k, v, heads, _key_heads(heads, key_heads), mask, scale)
    return _project(joined, w_o, b_o), parts.weights, Trace(x, memory, parameters, parts, joined)


def multi_head_attention_backward(dy: np.ndarray, trace: Trace) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return the gradients of a loss with respect to both inputs and all parameters of :func:`multi_head_attention`.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (batch, queries, outputs).
    trace : Trace
        As :func:`multi_head_attention` returned it.

    Returns
    -------
    dx, dmemory : numpy.ndarray
        In the shapes of ``x`` and ``memory``; in self-attention the gradient of the input is their sum.
    gradients : list of numpy.ndarray
        In the order and the shapes of the parameters.
    """
    w_q, _, w_k, _, w_v, _, w_o, _ = trace.parameters
    djoined, *of_output = _project_backward(dy, trace.joined, w_o)
    dq, dk, dv = _attend_backward(djoined, trace.heads)
    dx, *of_queries = _project_backward(dq, trace.x, w_q)
    through_keys, *of_keys = _project_backward(dk, trace.memory, w_k)
    through_values, *of_values = _project_backward(dv, trace.memory, w_v)
    return dx, through_keys + through_values, [*of_queries, *of_keys, *of_values, *of_output]


class SelfAttention(Layer):
    """Multi-head self-attention, (batch, time, inputs) to the same shape.

    Queries, keys and values come from one product: their three projections stand side by side in one matrix (inputs,
    (heads + 2 · key_heads) · size), as in the source code of GPT-2. The output is projected back to the inputs' size. A
    mask of the sequences, (batch, time), hides padded steps as keys; as queries they stay, and what they put out is to
    be ignored.

    Each of the four projections starts as a dense layer of Keras would by itself, Glorot uniform with bias 0. For the
    three that share a matrix the units are therefore those of one, not of all three.

    Parameters
    ----------
    heads : int
        How many attentions.
    size : int
        Length of a head's queries, keys and values.
    causal : bool
        Whether a step sees itself and the steps before it only.
    key_heads : int, optional
        Heads of the keys and values, a divisor of ``heads``; by default as many.
    rotary : bool
        Whether queries and keys are turned by their positions, head by head: :func:`utils.scratch.positions.rotate`.

    Raises
    ------
    ValueError
        If the heads cannot share the keys equally.
    """

    takes_mask = True

    def __init__(
        self, heads: int, size: int, causal: bool = False, key_heads: int | None = None, rotary: bool = False
    ) -> None:
        super().__init__()
        self.heads = heads
        self.size = size
        self.causal = causal
        self.key_heads = _key_heads(heads, key_heads)
        self.rotary = rotary
        self.trace: Heads | None = None
        self.joined: np.ndarray | None = None

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        _, inputs = shape
        columns, shared = self.heads * self.size, self.key_heads * self.size
        units = np.repeat([columns, shared], [columns, 2 * shared])  # of the projection that a column belongs to
        w = glorot_uniform((inputs, len(units)), inputs, units, generator, dtype)
        w_o = glorot_uniform((columns, inputs), columns, inputs, generator, dtype)
        self.parameters = [w, np.zeros(len(units), dtype), w_o, np.zeros(inputs, dtype)]
        return shape

    def forward(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        self.x = x
        w, b, w_o, b_o = self.parameters
        columns, shared = self.heads * self.size, self.key_heads * self.size
        q, k, v = np.split(_project(x, w, b), [columns, columns + shared], axis=2)
        seen = self._seen(x, mask)
        self.joined, self.trace = _attend(q, k, v, self.heads, self.key_heads, seen, None, self.rotary)
        return _project(self.joined, w_o, b_o)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        w, _, w_o, _ = self.parameters
        djoined, *of_output = _project_backward(dy, self.joined, w_o)
        da = np.concatenate(_attend_backward(djoined, self.trace), axis=2)  # as q, k and v stood side by side
        dx, *of_input = _project_backward(da, self.x, w)
        self.gradients = of_input + of_output
        return dx

    def _seen(self, x: np.ndarray, mask: np.ndarray | None) -> np.ndarray | None:
        """Return which steps see which, (time, time) or (batch, 1 or time, time), from the mask of the sequences."""
        causal = causal_mask(x.shape[1]) if self.causal else None
        if mask is None:
            return causal
        keys = broadcast_mask(mask, x.shape[:2])[:, None]
        return keys if causal is None else keys & causal


def _key_heads(heads: int, key_heads: int | None) -> int:
    """Return how many heads keys and values have: as many as the queries unless it is said otherwise."""
    if key_heads is None:
        return heads
    if key_heads < 1 or heads % key_heads:
        raise ValueError(f"{heads} heads cannot share {key_heads} of the keys equally: expected a divisor of {heads}.")
    return key_heads


def _attend(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    heads: int,
    key_heads: int,
    mask: np.ndarray | None,
    scale: float | None,
    rotary: bool = False,
) -> tuple[np.ndarray, Heads]:
    """Return the outputs of all heads side by side, (batch, queries, heads · d_v), and what the way back needs."""
    if mask is not None:
        mask = broadcast_mask(mask, (*q.shape[:2], k.shape[1]))[:, None]  # the same in every head
    q, k, v = split_heads(q, heads), split_heads(k, key_heads), split_heads(v, key_heads)
    if rotary:
        q, k = rotate(q), rotate(k)
    k, v = (np.repeat(part, heads // key_heads, axis=1) for part in (k, v))
    y, weights = dot_product_attention(q, k, v, mask, scale)
    return join_heads(y), Heads(q, k, v, weights, scale, key_heads, rotary)


def _attend_backward(dy: np.ndarray, saved: Heads) -> list[np.ndarray]:
    """Return the gradients with respect to queries, keys and values, all heads side by side."""
    of_heads = split_heads(dy, saved.q.shape[1])
    dq, dk, dv = dot_product_attention_backward(of_heads, saved.q, saved.k, saved.v, saved.weights, saved.scale)
    dk, dv = (_sum_groups(part, saved.key_heads) for part in (dk, dv))
    if saved.rotary:
        dq, dk = rotate_backward(dq), rotate_backward(dk)
    return [join_heads(part) for part in (dq, dk, dv)]


def _sum_groups(x: np.ndarray, key_heads: int) -> np.ndarray:
    """Return (batch, heads, time, size) as (batch, key_heads, time, size), a sum over the heads of each group."""
    batch, heads, time, size = x.shape
    return x.reshape(batch, key_heads, heads // key_heads, time, size).sum(axis=2)


def _project(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Apply a dense layer to every step, (batch, time, inputs) to (batch, time, units)."""
    if x.ndim != 3 or x.shape[2] != len(w):
        raise ValueError(f"The input has shape {x.shape}: expected (batch, time, {len(w)}) for weights {w.shape}.")
    return dense(rows(x), w, b).reshape(*x.shape[:2], len(b))


def _project_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients with respect to input, weights and bias."""
    dx, dw, db = dense_backward(rows(dy), rows(x), w)
    return dx.reshape(x.shape), dw, db
