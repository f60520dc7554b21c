"""Maximum and average pooling, forward and backward, with Keras's conventions at the border and for ties."""

import numpy as np

from utils.scratch.convolution import output_size, pair, same_padding, windows

Size = int | tuple[int, int]


def max_pool(x: np.ndarray, size: Size = 2, stride: Size | None = None, padding: str = "valid") -> np.ndarray:
    """Return the largest value of each window.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (batch, height, width, channels).
    size : int or pair of int
        Of the window.
    stride : int or pair of int, optional
        Step of the window; by default its size, so that windows do not overlap.
    padding : str
        ``"valid"`` or ``"same"``; the border counts as minus infinity.

    Returns
    -------
    numpy.ndarray
        Shape (batch, out_height, out_width, channels).

    Raises
    ------
    ValueError
        If the window does not fit or the padding is unknown.
    """
    size, stride, widths = _geometry(x, size, stride, padding)
    padded = _pad_with_lowest(x, widths)
    seen = windows(padded, size, stride)  # (batch, out_h, out_w, size_h, size_w, channels)
    largest = seen[:, :, :, 0, 0].copy()
    for row, column in np.ndindex(size):  # tap by tap: five times as fast as a maximum over two axes
        np.maximum(largest, seen[:, :, :, row, column], out=largest)
    return largest


def max_pool_backward(
    dy: np.ndarray, x: np.ndarray, size: Size = 2, stride: Size | None = None, padding: str = "valid"
) -> np.ndarray:
    """Return the gradient with respect to the input of :func:`max_pool`.

    The whole gradient of a window goes to its largest element; of several equal ones, to the first in reading order.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (batch, out_height, out_width, channels).
    x, size, stride, padding
        As they were handed to :func:`max_pool`.

    Returns
    -------
    numpy.ndarray
        The shape of ``x``.
    """
    size, stride, widths = _geometry(x, size, stride, padding)
    padded = _pad_with_lowest(x, widths)
    seen = windows(padded, size, stride)  # (batch, out_h, out_w, size_h, size_w, channels)
    batch, out_h, out_w, _, _, channels = seen.shape
    winner = seen.reshape(batch, out_h, out_w, -1, channels).argmax(axis=3)  # the first of equal ones
    shares = ((winner == tap) * dy for tap in range(size[0] * size[1]))
    return _scatter(shares, padded, size, stride, widths, dy)


def average_pool(x: np.ndarray, size: Size = 2, stride: Size | None = None, padding: str = "valid") -> np.ndarray:
    """Return the mean of each window, without the border that ``same`` adds; arguments as :func:`max_pool`."""
    size, stride, widths = _geometry(x, size, stride, padding)
    sums = windows(np.pad(x, widths), size, stride).sum(axis=(3, 4))
    return sums / _counts(x, size, stride, widths)


def average_pool_backward(
    dy: np.ndarray, x: np.ndarray, size: Size = 2, stride: Size | None = None, padding: str = "valid"
) -> np.ndarray:
    """Return the gradient with respect to the input of :func:`average_pool`; arguments as :func:`max_pool_backward`."""
    size, stride, widths = _geometry(x, size, stride, padding)
    share = dy / _counts(x, size, stride, widths)
    shares = (share for _ in range(size[0] * size[1]))
    return _scatter(shares, np.pad(x, widths), size, stride, widths, dy)


def _geometry(x: np.ndarray, size: Size, stride: Size | None, padding: str) -> tuple:
    """Return size and stride as pairs, and the widths to pad each axis of ``x`` with; complain if nothing fits."""
    if x.ndim != 4:
        raise ValueError(f"The input has shape {x.shape}: expected (batch, height, width, channels).")
    size = pair(size, "window size")
    stride = size if stride is None else pair(stride, "stride")
    axes = list(zip(x.shape[1:3], size, stride, strict=True))
    for n, k, s in axes:
        output_size(n, k, s, padding)
    widths = [same_padding(*axis) if padding == "same" else (0, 0) for axis in axes]
    return size, stride, [(0, 0), *widths, (0, 0)]


def _pad_with_lowest(x: np.ndarray, widths: list) -> np.ndarray:
    """Pad with a value that no element loses to: minus infinity, or the smallest of an integer type."""
    lowest = np.iinfo(x.dtype).min if np.issubdtype(x.dtype, np.integer) else -np.inf
    return np.pad(x, widths, constant_values=lowest)


def _counts(x: np.ndarray, size: tuple, stride: tuple, widths: list) -> np.ndarray:
    """Return how many elements of the input each window holds, shape (1, out_height, out_width, 1)."""
    inside = np.pad(np.ones((1, *x.shape[1:3], 1), dtype=x.dtype), widths)
    return windows(inside, size, stride).sum(axis=(3, 4))


def _scatter(shares, padded: np.ndarray, size: tuple, stride: tuple, widths: list, dy: np.ndarray) -> np.ndarray:
    """Add each tap's share of the gradient to where that tap lay in the input, then cut the border off."""
    dx = np.zeros(padded.shape, dtype=dy.dtype)
    _, out_h, out_w, _ = dy.shape
    for tap, share in enumerate(shares):
        top, left = divmod(tap, size[1])
        dx[:, top : top + stride[0] * out_h : stride[0], left : left + stride[1] * out_w : stride[1]] += share
    (top, bottom), (left, right) = widths[1:3]
    return dx[:, top : dx.shape[1] - bottom, left : dx.shape[2] - right]
