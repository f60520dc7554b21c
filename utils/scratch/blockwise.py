"""Dot-product attention that never holds all scores: it passes over the keys block by block.

Softmax needs the largest score and the sum of the exponentials. Both are kept as running values; whenever a larger
score turns up, what was summed so far shrinks by the factor that it would have had.

Sources: M. Milakov and N. Gimelshein, *Online normalizer calculation for softmax*, 2018, for the running sum; M. N.
Rabe and C. Staats, *Self-attention Does Not Need O(n²) Memory*, 2021, for attention; T. Dao et al., *FlashAttention:
Fast and Memory-Efficient Exact Attention with IO-Awareness*, 2022, appendix B.2, for the backward pass; T. Dao,
*FlashAttention-2: Faster Attention with Better Parallelism and Work Partitioning*, 2023, section 3.1, for handing on
one number a query.
"""

import numpy as np

from utils.scratch.attention import check_shapes, score_scale


def blockwise_attention(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, block: int, causal: bool = False, scale: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return what :func:`utils.scratch.attention.dot_product_attention` returns, without its weights.

    Parameters
    ----------
    q, k, v : numpy.ndarray
        Queries (..., queries, d), keys (..., keys, d) and values (..., keys, d_v).
    block : int
        Keys at a time. No array is larger than the inputs or (..., queries, block).
    causal : bool
        Whether query i sees the keys 0 to i only, of as many keys as there are queries.
    scale : float, optional
        1/sqrt(d) by default.

    Returns
    -------
    y : numpy.ndarray
        Shape (..., queries, d_v).
    log_sum : numpy.ndarray
        Logarithm of the sum of the exponentials of a query's scores, shape (..., queries).

    Raises
    ------
    ValueError
        If the shapes do not fit or a block has no key.
    """
    check_shapes(q, k, v)
    if block < 1:
        raise ValueError(f"A block has {block} keys: expected at least 1.")
    if causal and q.shape != k.shape:
        raise ValueError(
            f"There are {q.shape[-2]} queries and {k.shape[-2]} keys: causal attention expects as many of both."
        )
    largest = np.full((*q.shape[:-1], 1), -np.inf, q.dtype)  # (..., queries, 1), as the sum
    total = np.zeros_like(largest)
    y = np.zeros((*q.shape[:-1], v.shape[-1]), v.dtype)
    for part in _blocks(k, block):
        scores = _scores(q, k, part, causal, scale)  # (..., queries, block)
        before, largest = largest, np.maximum(largest, scores.max(axis=-1, keepdims=True))
        exponentials = np.exp(scores - largest)
        shrink = np.exp(before - largest)  # 0 for the first block
        total = total * shrink + exponentials.sum(axis=-1, keepdims=True)
        y = y * shrink + exponentials @ v[..., part, :]
    return y / total, (largest + np.log(total))[..., 0]


def blockwise_attention_backward(
    dy: np.ndarray,
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    y: np.ndarray,
    log_sum: np.ndarray,
    block: int,
    causal: bool = False,
    scale: float | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of a loss with respect to the queries, keys and values of :func:`blockwise_attention`.

    The weights of a block are computed again from its scores and the sum. The softmax also needs, for every query, the
    sum over all keys of weight times gradient: that is ``dy · y``, for which no block is needed.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (..., queries, d_v).
    q, k, v, causal, scale
        As they were handed to :func:`blockwise_attention`.
    y, log_sum : numpy.ndarray
        As it returned them.
    block : int
        Keys at a time; it need not be that of the forward pass.

    Returns
    -------
    dq, dk, dv : numpy.ndarray
        In the shapes of ``q``, ``k`` and ``v``.
    """
    dq, dk, dv = np.zeros_like(q), np.empty_like(k), np.empty_like(v)
    shared = (dy * y).sum(axis=-1, keepdims=True)  # (..., queries, 1)
    for part in _blocks(k, block):
        weights = np.exp(_scores(q, k, part, causal, scale) - log_sum[..., None])  # (..., queries, block)
        dweights = dy @ v[..., part, :].swapaxes(-1, -2)
        dscores = weights * (dweights - shared) * score_scale(q, scale)
        dq += dscores @ k[..., part, :]
        dk[..., part, :] = dscores.swapaxes(-1, -2) @ q
        dv[..., part, :] = weights.swapaxes(-1, -2) @ dy
    return dq, dk, dv


def _blocks(k: np.ndarray, block: int) -> list[slice]:
    """Return the blocks of keys; the last one may be shorter."""
    return [slice(start, start + block) for start in range(0, k.shape[-2], block)]


def _scores(q: np.ndarray, k: np.ndarray, part: slice, causal: bool, scale: float | None) -> np.ndarray:
    """Return the scores of one block of keys, -inf where causal attention hides a key."""
    scores = q @ k[..., part, :].swapaxes(-1, -2) * score_scale(q, scale)
    if not causal:
        return scores
    time = np.arange(q.shape[-2])
    return np.where(time[part] <= time[:, None], scores, -np.inf)
