"""The checkers of the chapter ``cnn-math``."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch.convolution import conv2d, conv2d_backward

Answer = Callable[..., Any]


def output_length(attempt: Answer) -> None:
    """Check ``output_length(n, kernel, stride, padding, dilation)``, equation (5), with all zeros in ``padding``."""

    def solution(n: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
        return (n + padding - dilation * (kernel - 1) - 1) // stride + 1

    mistakes = [
        Mistake(
            lambda n, k, s, p, d: (n + p - d * (k - 1)) // s + 1,
            "A 1 seems to be missing: the last of n + padding positions is n + padding - 1.",
        ),
        Mistake(
            lambda n, k, s, p, d: n + p - d * (k - 1),
            "The stride seems to be missing: the windows start at 0, stride, 2 · stride and so on.",
        ),
        Mistake(
            lambda n, k, s, p, d: (n + p - k) // s + 1,
            "The dilation seems to be missing: a kernel of k taps reaches dilation · (k - 1) places beyond its first.",
        ),
        Mistake(
            lambda n, k, s, p, d: (n + p - d * k - 1) // s + 1,
            "The kernel seems to span dilation · k places: between k taps there are only k - 1 gaps.",
        ),
        Mistake(
            lambda n, k, s, p, d: (n + p - d * k) // s + 1,
            "The 1 seems to be multiplied too: it is dilation · (k - 1) + 1 that must fit into n + padding.",
        ),
        Mistake(
            lambda n, k, s, p, d: (n + 2 * p - d * (k - 1) - 1) // s + 1,
            "The padding seems to be counted twice: here it is the total of both sides, not the zeros on each.",
        ),
        Mistake(
            lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) // s,
            "One output seems to be missing: the window at position 0 counts too.",
        ),
        Mistake(
            lambda n, k, s, p, d: math.ceil((n + p - d * (k - 1) - 1) / s) + 1,
            "It seems to round up: a window that would stick out at the end does not count.",
        ),
        Mistake(
            lambda n, k, s, p, d: (n + p - d * (k - 1) - 1) / s + 1,
            "The floor seems to be missing: a size is a whole number.",
        ),
    ]
    cases = [(10, 3, 1, 0, 1), (10, 3, 2, 0, 1), (11, 4, 3, 3, 1), (12, 3, 1, 2, 3), (20, 5, 3, 1, 2)]
    check(attempt, solution, cases, mistakes)


def correlate(attempt: Answer) -> None:
    """Check ``correlate(x, w)``, equation (1) in one dimension."""
    mistakes = [
        Mistake(
            lambda x, w: np.convolve(x, w, "valid"),
            "The kernel seems to be flipped: that is the convolution of equation (2), not equation (1).",
        ),
        Mistake(
            lambda x, w: np.correlate(x, w, "same"),
            "It seems to pad: there is an output only where the whole kernel lies on the input.",
        ),
        Mistake(
            lambda x, w: np.correlate(x, w, "valid")[:-1],
            "The last window seems to be missing: the first tap can stand on n - k + 1 places.",
        ),
        Mistake(
            lambda x, w: w[-1] * x[len(w) - 1 :],
            "Only the last tap seems to count: add the taps up, one after the other.",
        ),
        Mistake(
            lambda x, w: np.array([x[i] * w.sum() for i in range(len(x) - len(w) + 1)]),
            "Every tap seems to look at the same input: the index of x must move along with the tap.",
        ),
    ]
    cases = [
        (np.array([1.0, 2.0, 4.0, 8.0, 16.0]), np.array([1.0, 10.0, 100.0])),
        (np.array([3.0, -1.0, 2.0, 5.0]), np.array([2.0, 7.0])),
    ]
    check(attempt, _correlate, cases, mistakes)


def convolution_matrix(attempt: Answer) -> None:
    """Check ``convolution_matrix(w, n)``: the matrix of equation (8) in one dimension, shape (n - k + 1, n)."""

    def solution(w: np.ndarray, n: int) -> np.ndarray:
        return np.stack([np.pad(w, (i, n - len(w) - i)) for i in range(n - len(w) + 1)])

    def circulant(w: np.ndarray, n: int) -> np.ndarray:
        return np.stack([np.roll(np.pad(w, (0, n - len(w))), i) for i in range(n)])

    mistakes = [
        Mistake(
            lambda w, n: solution(w, n).T,
            "The matrix seems to be transposed: it has one row for each output and one column for each input.",
        ),
        Mistake(
            lambda w, n: solution(w[::-1], n),
            "The taps seem to be flipped: row i holds w_0 in column i, then w_1 in column i + 1.",
        ),
        Mistake(circulant, "The rows seem to wrap around: a window that sticks out at the end has no row."),
        Mistake(
            lambda w, n: np.stack([np.pad(w, (0, n - len(w)))] * (n - len(w) + 1)),
            "All rows seem to be the same: each next row is moved by one column.",
        ),
    ]
    cases = [(np.array([1.0, 2.0, 3.0]), 5), (np.array([4.0, -1.0]), 4)]
    check(attempt, solution, cases, mistakes)


def receptive_field(attempt: Answer) -> None:
    """Check ``receptive_field(layers)``, equation (11); ``layers`` is a list of (kernel, stride, dilation)."""

    def field(
        layers: Sequence[tuple[int, int, int]],
        reach: Callable[[int, int], int] = lambda kernel, dilation: (kernel - 1) * dilation,
        jump_first: bool = False,
        strides: bool = True,
    ) -> int:
        width, jump = 1, 1
        for kernel, stride, dilation in layers:
            if jump_first:
                jump *= stride
            width += reach(kernel, dilation) * jump
            if strides and not jump_first:
                jump *= stride
        return width

    mistakes = [
        Mistake(
            lambda layers: field(layers, strides=False),
            "The strides seem to be missing: after a stride of 2, one step on the map is two pixels of the image.",
        ),
        Mistake(
            lambda layers: field(layers, jump_first=True),
            "A layer's own stride seems to widen its own field: it only counts for the layers after it.",
        ),
        Mistake(
            lambda layers: field(layers, lambda kernel, dilation: kernel * dilation),
            "Each layer seems to add k places: it adds k - 1, since the first tap lies on what was seen before.",
        ),
        Mistake(
            lambda layers: field(layers) - 1,
            "The field seems to start at 0: before any layer, one place sees one pixel.",
        ),
        Mistake(
            lambda layers: 1 + sum((kernel - 1) * dilation * stride for kernel, stride, dilation in layers),
            "Each layer seems to count one stride only: the jump is the product of all strides before it.",
        ),
        Mistake(
            lambda layers: field(layers, lambda kernel, dilation: kernel - 1),
            "The dilation seems to be missing: it spreads the taps, so the kernel reaches further.",
        ),
    ]
    cases = [
        ([(3, 1, 1), (3, 1, 1)],),
        ([(5, 1, 1), (2, 2, 1), (3, 1, 1), (2, 2, 1)],),
        ([(3, 2, 1), (3, 1, 2), (4, 3, 1), (3, 1, 1)],),
    ]
    check(attempt, field, cases, mistakes)


def input_gradient(attempt: Answer) -> None:
    """Check ``input_gradient(dy, w)``: equation (14) in one dimension, for an input of len(dy) + len(w) - 1."""

    def solution(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
        x = np.zeros((1, 1, len(dy) + len(w) - 1, 1))
        return conv2d_backward(dy[None, None, :, None], x, w[None, :, None, None])[0].ravel()

    mistakes = [
        Mistake(
            lambda dy, w: np.correlate(dy, w, "full"),
            "The kernel seems to lie the wrong way round: equation (14) is a convolution already. "
            "np.convolve flips the kernel by itself, np.correlate does not.",
        ),
        Mistake(
            lambda dy, w: np.convolve(dy, w, "same"),
            "The result seems to have the size of dy: inputs at both ends are seen by windows too.",
        ),
        Mistake(
            lambda dy, w: np.convolve(dy, w, "valid"),
            "Only full overlaps seem to count: take dy as zero outside, and let the kernel stick out.",
        ),
    ]
    cases = [
        (np.array([1.0, 0.0, 0.0, 2.0]), np.array([1.0, 10.0, 100.0])),
        (np.array([3.0, -2.0, 1.0]), np.array([5.0, 7.0])),
    ]
    check(attempt, solution, cases, mistakes)


def convolution_cost(attempt: Answer) -> None:
    """Check ``convolution_cost(side, kernel, channels, filters)``, equation (12): (parameters, multiply-adds)."""

    def solution(side: int, kernel: int, channels: int, filters: int) -> tuple[int, int]:
        taps = kernel * kernel * channels * filters
        return taps + filters, side * side * taps

    mistakes = [
        Mistake(
            lambda m, k, c, f: (m * m * k * k * c * f, (k * k * c + 1) * f),
            "The two seem to be swapped: parameters first, then multiply-adds.",
        ),
        Mistake(
            lambda m, k, c, f: ((k * c + 1) * f, m * m * k * c * f),
            "The kernel seems to be a line: it has k × k taps.",
        ),
        Mistake(
            lambda m, k, c, f: ((k * k * c + 1) * f, m * k * k * c * f),
            "The output seems to be a line: it has side × side places.",
        ),
        Mistake(
            lambda m, k, c, f: (k * k * c * f, m * m * k * k * c * f),
            "The biases seem to be missing: each filter has one.",
        ),
        Mistake(
            lambda m, k, c, f: ((k * k * c + 1) * f, m * m * (k * k * c + 1) * f),
            "The multiply-adds seem to count the bias: adding it takes no multiplication.",
        ),
        Mistake(
            lambda m, k, c, f: (k * k * c * f + 1, m * m * k * k * c * f),
            "There seems to be one bias in all: each filter has its own.",
        ),
        Mistake(
            lambda m, k, c, f: ((k * k + 1) * c * f, m * m * k * k * c * f),
            "There seems to be a bias for each channel of each filter: a filter adds one bias, after summing channels.",
        ),
        Mistake(
            lambda m, k, c, f: ((k * k * c + 1) * f, k * k * c * f),
            "The multiply-adds seem to be those of one place: the filter is used again at each of them.",
        ),
        Mistake(
            lambda m, k, c, f: (m * m * (k * k * c + 1) * f, m * m * k * k * c * f),
            "The parameters seem to grow with the image: all places share them.",
        ),
        Mistake(
            lambda m, k, c, f: ((k * k + 1) * f, m * m * k * k * f),
            "The input channels seem to be missing: a filter has k × k taps on each of them.",
        ),
    ]
    check(attempt, solution, [(24, 5, 1, 8), (10, 3, 8, 16), (7, 1, 3, 2)], mistakes)


def pointwise(attempt: Answer) -> None:
    """Check ``pointwise(x, w)``: a 1 × 1 convolution of x (height, width, C) with w (C, F), without ``conv2d``."""

    def solution(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return conv2d(x[None], w[None, None])[0]

    mistakes = [
        Mistake(
            lambda x, w: np.full((*x.shape[:2], w.shape[1]), (x @ w).sum(axis=(0, 1))),
            "The places seem to be summed: a 1 × 1 kernel mixes channels and leaves each place alone.",
        ),
        Mistake(
            lambda x, w: x @ w[:, ::-1],
            "The filters seem to come out in the wrong order: column o of w belongs to filter o.",
        ),
        Mistake(
            lambda x, w: (x @ w).reshape(-1, w.shape[1]),
            "The grid seems to be lost: the output keeps height and width.",
        ),
    ]
    cases = [
        (np.arange(12.0).reshape(2, 3, 2), np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 40.0]])),
        (np.arange(4.0).reshape(1, 4, 1), np.array([[2.0, -1.0]])),
    ]
    check(attempt, solution, cases, mistakes)


def _correlate(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return conv2d(x[None, None, :, None], w[None, :, None, None]).ravel()
