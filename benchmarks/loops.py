"""The convolution as its formula reads, one multiplication at a time."""

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
