"""Attention: means of values, weighted by how well each key answers a query; forward and backward.

Queries ``q`` have shape (..., queries, d), keys ``k`` (..., keys, d) and values ``v`` (..., keys, d_v), with the same
leading axes ``...``, of which there may be none. A mask is of booleans, true where a query may see a key, and it must
broadcast to (..., queries, keys): that of padded sequences, (batch, keys), enters as ``mask[:, None, :]``.
"""

import math

import numpy as np

from utils.scratch.activations import softmax, softmax_backward, tanh, tanh_backward


def causal_mask(time: int) -> np.ndarray:
    """Return a mask (time, time) with which query i sees the keys 0 to i: none from its future."""
    return np.tri(time, dtype=bool)


def broadcast_mask(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a view of a mask in a shape.

    Raises
    ------
    ValueError
        If the mask is not of booleans or does not broadcast to the shape.
    """
    try:
        seen = np.broadcast_to(mask, shape)
    except ValueError:
        seen = None
    if seen is None or mask.dtype != bool:
        raise ValueError(
            f"The mask has shape {mask.shape} and dtype {mask.dtype}: expected booleans that broadcast to {shape}."
        )
    return seen


def masked_softmax(scores: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Return the softmax over the last axis, taken over the entries that the mask lets through.

    The other entries get weight 0, exactly, whatever their scores are: not even infinity or NaN matters there. Scores
    that are let through must be finite. A row without any such entry has weight 0 everywhere, so it sums to 0 and hands
    back no gradient. ``keras.layers.Softmax`` defines such a row likewise, and so does ``MultiHeadAttention`` if asked
    for its scores; if not, its weights are all equal there. Those of ``keras.layers.Attention`` are equal in float16
    and float32, but in float64 they are what they would be without the mask.

    Parameters
    ----------
    scores : numpy.ndarray
        Shape (..., keys), with at least one key.
    mask : numpy.ndarray, optional
        Booleans that broadcast to the scores; by default all are true.

    Returns
    -------
    numpy.ndarray
        The shape of the scores. Its gradient is :func:`utils.scratch.activations.softmax_backward`, with any mask.

    Raises
    ------
    ValueError
        If the mask does not fit.
    """
    if mask is None:
        return softmax(scores)
    seen = broadcast_mask(mask, scores.shape)
    some = seen.any(axis=-1, keepdims=True)
    kept = np.where(seen, scores, -np.inf)  # exp(-inf) is exactly 0
    return softmax(np.where(some, kept, 0)) * some


def score_scale(q: np.ndarray, scale: float | None) -> float:
    """Return what multiplies the scores: the given scale, or 1/sqrt(d) for queries (..., queries, d)."""
    return 1 / math.sqrt(q.shape[-1]) if scale is None else float(scale)  # a Python float leaves float32 arrays float32


def dot_product_attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, mask: np.ndarray | None = None, scale: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``softmax(scale · q kᵀ) v``.

    Source: A. Vaswani et al., *Attention Is All You Need*, 2017, equation 1, where the scale is 1/sqrt(d);
    ``keras.layers.Attention`` has scale 1 and takes its inputs in the order q, v, k.

    Parameters
    ----------
    q, k, v : numpy.ndarray
        Queries (..., queries, d), keys (..., keys, d) and values (..., keys, d_v).
    mask : numpy.ndarray, optional
        True where a query may see a key, broadcasts to (..., queries, keys); by default every query sees all keys. What
        keys and values hold where no query sees them changes nothing as long as it is finite.
    scale : float, optional
        1/sqrt(d) by default.

    Returns
    -------
    y : numpy.ndarray
        Shape (..., queries, d_v); zeros for a query that sees no key.
    weights : numpy.ndarray
        Shape (..., queries, keys); each row sums to 1, or to 0 for a query that sees no key.

    Raises
    ------
    ValueError
        If the shapes do not fit or the mask is not of booleans.
    """
    check_shapes(q, k, v)
    scores = q @ k.swapaxes(-1, -2) * score_scale(q, scale)  # (..., queries, keys)
    weights = masked_softmax(scores, mask)
    return weights @ v, weights


def dot_product_attention_backward(
    dy: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, weights: np.ndarray, scale: float | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of a loss with respect to the queries, keys and values of :func:`dot_product_attention`.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (..., queries, d_v).
    q, k, v, scale
        As they were handed to :func:`dot_product_attention`.
    weights : numpy.ndarray
        As it returned them. They are 0 where the mask hid a key, so the mask is not needed.

    Returns
    -------
    dq, dk, dv : numpy.ndarray
        In the shapes of ``q``, ``k`` and ``v``.
    """
    dscores, dv = _mean_backward(dy, v, weights)
    dscores = dscores * score_scale(q, scale)
    return dscores @ k, dscores.swapaxes(-1, -2) @ q, dv


def additive_attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, w: np.ndarray, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of the values for the scores ``tanh(q_i + k_j) · w``.

    Source: D. Bahdanau, K. Cho and Y. Bengio, *Neural Machine Translation by Jointly Learning to Align and Translate*,
    2015, appendix A.1.2. The paper's two projections are dense layers in front of this one, as in
    ``keras.layers.AdditiveAttention``, which takes its inputs in the order q, v, k.

    Parameters
    ----------
    q, k, v : numpy.ndarray
        Queries (..., queries, d), keys (..., keys, d) and values (..., keys, d_v).
    w : numpy.ndarray
        What each of the d numbers contributes to a score, shape (d,).
    mask : numpy.ndarray, optional
        As for :func:`dot_product_attention`.

    Returns
    -------
    y, weights : numpy.ndarray
        As of :func:`dot_product_attention`.

    Raises
    ------
    ValueError
        If the shapes do not fit or the mask is not of booleans.
    """
    check_shapes(q, k, v)
    if w.shape != q.shape[-1:]:
        raise ValueError(f"The weights of the scores have shape {w.shape}: expected {q.shape[-1:]}, as many as d.")
    weights = masked_softmax(_squash(q, k) @ w, mask)  # (..., queries, keys)
    return weights @ v, weights


def additive_attention_backward(
    dy: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, w: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of a loss with respect to all inputs of :func:`additive_attention`.

    It computes the hyperbolic tangents again: to keep them would take d numbers for each pair of a query and a key.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (..., queries, d_v).
    q, k, v, w : numpy.ndarray
        As they were handed to :func:`additive_attention`.
    weights : numpy.ndarray
        As it returned them.

    Returns
    -------
    dq, dk, dv, dw : numpy.ndarray
        In the shapes of ``q``, ``k``, ``v`` and ``w``.
    """
    dscores, dv = _mean_backward(dy, v, weights)
    squashed = _squash(q, k)
    dw = dscores.ravel() @ squashed.reshape(dscores.size, len(w))
    dsum = tanh_backward(dscores[..., None] * w, squashed)  # (..., queries, keys, d)
    return dsum.sum(axis=-2), dsum.sum(axis=-3), dv, dw


def check_shapes(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> None:
    """Raise with one sentence if queries, keys and values do not fit together."""
    axes = min(q.ndim, k.ndim) >= 2 and q.shape[:-2] == k.shape[:-2] and k.shape[:-1] == v.shape[:-1]
    if not axes or q.shape[-1] != k.shape[-1]:
        raise ValueError(
            f"The queries have shape {q.shape}, the keys {k.shape} and the values {v.shape}: "
            "expected (..., queries, d), (..., keys, d) and (..., keys, d_v)."
        )
    if k.shape[-2] == 0:
        raise ValueError("There is no key to attend to: expected at least one.")


def _squash(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return ``tanh(q_i + k_j)`` for all pairs, shape (..., queries, keys, d)."""
    return tanh(q[..., :, None, :] + k[..., None, :, :])


def _mean_backward(dy: np.ndarray, v: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients with respect to the scores and the values."""
    dweights = dy @ v.swapaxes(-1, -2)  # (..., queries, keys)
    return softmax_backward(dweights, weights), weights.swapaxes(-1, -2) @ dy
