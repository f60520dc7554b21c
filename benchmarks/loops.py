"""Convolution, plain recurrent cell and attention as their formulas read, one multiplication at a time."""

import math

import numpy as np


def conv2d(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the valid cross-correlation of stride 1; shapes as in :func:`utils.scratch.convolution.conv2d`."""
    batch, height, width, channels = x.shape
    kernel_h, kernel_w, _, filters = w.shape
    y = np.zeros((batch, height - kernel_h + 1, width - kernel_w + 1, filters), x.dtype)
    for n in range(batch):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                for f in range(filters):
                    total = b[f]
                    for p in range(kernel_h):
                        for q in range(kernel_w):
                            for c in range(channels):
                                total += x[n, i + p, j + q, c] * w[p, q, c, f]
                    y[n, i, j, f] = total
    return y


def conv2d_backward(dy: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients with respect to input, kernels and bias of :func:`conv2d`."""
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros(w.shape[3], w.dtype)
    batch, out_h, out_w, filters = dy.shape
    kernel_h, kernel_w, channels, _ = w.shape
    for n in range(batch):
        for i in range(out_h):
            for j in range(out_w):
                for f in range(filters):
                    share = dy[n, i, j, f]
                    db[f] += share
                    for p in range(kernel_h):
                        for q in range(kernel_w):
                            for c in range(channels):
                                dx[n, i + p, j + q, c] += share * w[p, q, c, f]
                                dw[p, q, c, f] += share * x[n, i + p, j + q, c]
    return dx, dw, db


def plain_cell(x: np.ndarray, w: np.ndarray, u: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return all states of the plain cell; shapes as in :func:`utils.scratch.recurrent.unroll`."""
    batch, time, inputs = x.shape
    units = len(b)
    h = np.zeros((batch, time, units), x.dtype)
    for n in range(batch):
        for t in range(time):
            for k in range(units):
                total = b[k]
                for d in range(inputs):
                    total += x[n, t, d] * w[d, k]
                if t > 0:
                    for j in range(units):
                        total += h[n, t - 1, j] * u[j, k]
                h[n, t, k] = math.tanh(total)
    return h


def plain_cell_backward(
    dy: np.ndarray, x: np.ndarray, h: np.ndarray, w: np.ndarray, u: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients with respect to input, both weights and bias of :func:`plain_cell`."""
    dx, dw, du = np.zeros_like(x), np.zeros_like(w), np.zeros_like(u)
    batch, time, units = h.shape
    db = np.zeros(units, w.dtype)
    for n in range(batch):
        later = np.zeros(units)
        for t in reversed(range(time)):
            now = np.zeros(units)
            for k in range(units):
                dh = dy[n, t, k]
                for j in range(units):
                    dh += later[j] * u[k, j]
                now[k] = dh * (1 - h[n, t, k] ** 2)
                db[k] += now[k]
                for d in range(x.shape[2]):
                    dw[d, k] += x[n, t, d] * now[k]
                    dx[n, t, d] += w[d, k] * now[k]
                if t > 0:
                    for j in range(units):
                        du[j, k] += h[n, t - 1, j] * now[k]
            later = now
    return dx, dw, du, db


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what :func:`utils.scratch.attention.dot_product_attention` returns, without a mask."""
    batch, queries, d = q.shape
    weights = np.zeros((batch, queries, k.shape[1]), q.dtype)
    y = np.zeros((batch, queries, v.shape[2]), v.dtype)
    for n in range(batch):
        for i in range(queries):
            for j in range(k.shape[1]):
                score = 0.0
                for m in range(d):
                    score += q[n, i, m] * k[n, j, m]
                weights[n, i, j] = math.exp(score / math.sqrt(d))
            total = 0.0
            for j in range(k.shape[1]):
                total += weights[n, i, j]
            for j in range(k.shape[1]):
                weights[n, i, j] /= total
                for m in range(v.shape[2]):
                    y[n, i, m] += weights[n, i, j] * v[n, j, m]
    return y, weights


def attention_backward(
    dy: np.ndarray, q: np.ndarray, k: np.ndarray, v: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients with respect to queries, keys and values of :func:`attention`."""
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    batch, queries, keys = weights.shape
    for n in range(batch):
        for i in range(queries):
            dweights = np.zeros(keys)
            for j in range(keys):
                for m in range(v.shape[2]):
                    dweights[j] += dy[n, i, m] * v[n, j, m]
                    dv[n, j, m] += weights[n, i, j] * dy[n, i, m]
            mean = 0.0
            for j in range(keys):
                mean += weights[n, i, j] * dweights[j]
            for j in range(keys):
                share = weights[n, i, j] * (dweights[j] - mean) / math.sqrt(q.shape[2])
                for m in range(q.shape[2]):
                    dq[n, i, m] += share * k[n, j, m]
                    dk[n, j, m] += share * q[n, i, m]
    return dq, dk, dv
