"""Multi-head attention: several attentions side by side, each on projections of its own; and a layer of it.

Source: A. Vaswani et al., *Attention Is All You Need*, 2017, section 3.2.2. The projections of all heads stand side by
side in the columns of one matrix, head by head: ``keras.layers.MultiHeadAttention`` keeps the same numbers in the same
order, with one axis more.
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
from utils.scratch.network import Layer, glorot_uniform


@dataclass
class Heads:
    """What the backward pass needs of all heads: (batch, heads, time, size) each, and (batch, heads, queries, keys)."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    weights: np.ndarray
    scale: float | None


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
        heads · d), of the keys (memory inputs, heads · d), of the values (memory inputs, heads · d_v) and of the output
        (heads · d_v, outputs), each followed by its bias, one number a column.
    heads : int
        How many attentions.
    mask : numpy.ndarray, optional
        True where a query may see a key, in every head; broadcasts to (batch, queries, keys).
    scale : float, optional
        1/sqrt(d) by default.

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
        If the shapes do not fit or the mask is not of booleans.
    """
    w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o = parameters
    q, k, v = _project(x, w_q, b_q), _project(memory, w_k, b_k), _project(memory, w_v, b_v)
    joined, parts = _attend(q, k, v, heads, mask, scale)
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
    3 · heads · size), as in the source code of GPT-2. The output is projected back to the inputs' size. A mask of the
    sequences, (batch, time), hides padded steps as keys; as queries they stay, and what they put out is to be ignored.

    Each of the four projections starts as a dense layer of Keras would by itself, Glorot uniform with bias 0. For the
    three that share a matrix the units are therefore heads · size, not three times as many.

    Parameters
    ----------
    heads : int
        How many attentions.
    size : int
        Length of a head's queries, keys and values.
    causal : bool
        Whether a step sees itself and the steps before it only.
    """

    takes_mask = True

    def __init__(self, heads: int, size: int, causal: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.size = size
        self.causal = causal
        self.trace: Heads | None = None
        self.joined: np.ndarray | None = None

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        _, inputs = shape
        columns = self.heads * self.size
        w = glorot_uniform((inputs, 3 * columns), inputs, columns, generator, dtype)
        w_o = glorot_uniform((columns, inputs), columns, inputs, generator, dtype)
        self.parameters = [w, np.zeros(3 * columns, dtype), w_o, np.zeros(inputs, dtype)]
        return shape

    def forward(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        self.x = x
        w, b, w_o, b_o = self.parameters
        q, k, v = np.split(_project(x, w, b), 3, axis=2)
        self.joined, self.trace = _attend(q, k, v, self.heads, self._seen(x, mask), None)
        return _project(self.joined, w_o, b_o)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        w, _, w_o, _ = self.parameters
        djoined, *of_output = _project_backward(dy, self.joined, w_o)
        da = np.concatenate(_attend_backward(djoined, self.trace), axis=2)  # (batch, time, 3 · heads · size)
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


def _attend(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, heads: int, mask: np.ndarray | None, scale: float | None
) -> tuple[np.ndarray, Heads]:
    """Return the outputs of all heads side by side, (batch, queries, heads · d_v), and what the way back needs."""
    if mask is not None:
        mask = broadcast_mask(mask, (*q.shape[:2], k.shape[1]))[:, None]  # the same in every head
    parts = [split_heads(part, heads) for part in (q, k, v)]
    y, weights = dot_product_attention(*parts, mask, scale)
    return join_heads(y), Heads(*parts, weights, scale)


def _attend_backward(dy: np.ndarray, saved: Heads) -> list[np.ndarray]:
    """Return the gradients with respect to queries, keys and values, all heads side by side."""
    of_heads = split_heads(dy, saved.q.shape[1])
    gradients = dot_product_attention_backward(of_heads, saved.q, saved.k, saved.v, saved.weights, saved.scale)
    return [join_heads(gradient) for gradient in gradients]


def _project(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Apply a dense layer to every step, (batch, time, inputs) to (batch, time, units)."""
    if x.ndim != 3 or x.shape[2] != len(w):
        raise ValueError(f"The input has shape {x.shape}: expected (batch, time, {len(w)}) for weights {w.shape}.")
    return dense(_rows(x), w, b).reshape(*x.shape[:2], len(b))


def _project_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients with respect to input, weights and bias."""
    dx, dw, db = dense_backward(_rows(dy), _rows(x), w)
    return dx.reshape(x.shape), dw, db


def _rows(x: np.ndarray) -> np.ndarray:
    """Return the steps of all sequences below each other, (batch · time, numbers)."""
    batch, time, numbers = x.shape
    return x.reshape(batch * time, numbers)
