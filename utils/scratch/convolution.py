"""Two-dimensional convolution as neural networks use it (a cross-correlation), forward and backward.

Source: V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning*, 2016, for the sizes; the
gradients are derived in the chapter ``cnn-math``. Padding follows TensorFlow and Keras.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

PADDINGS = ("valid", "same")


def pair(value: int | tuple[int, int], name: str = "value") -> tuple[int, int]:
    """Return a size for height and width; one number stands for both.

    Raises
    ------
    ValueError
        If it is not one or two whole numbers of at least 1.
    """
    both = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or not all(isinstance(part, (int, np.integer)) and part >= 1 for part in both):
        raise ValueError(f"The {name} is {value!r}: expected one whole number of at least 1, or a pair of them.")
    return int(both[0]), int(both[1])


def same_padding(n: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Return the zeros that ``same`` padding adds before and after an axis, so that its output has ceil(n / stride).

    An odd number of zeros puts the extra one after the axis, as TensorFlow does.

    Parameters
    ----------
    n : int
        Length of the axis.
    kernel, stride, dilation : int
        Of the convolution, along this axis.

    Returns
    -------
    before, after : int
    """
    extent = (kernel - 1) * dilation + 1
    total = max((-(-n // stride) - 1) * stride + extent - n, 0)
    return total // 2, total - total // 2


def output_size(n: int, kernel: int, stride: int = 1, padding: str = "valid", dilation: int = 1) -> int:
    """Return the length of a convolution's output along one axis.

    Parameters
    ----------
    n : int
        Length of the input.
    kernel, stride, dilation : int
        Of the convolution, along this axis.
    padding : str
        ``"valid"`` (none) or ``"same"`` (zeros, so that the output has ceil(n / stride)).

    Returns
    -------
    int
        ``floor((n + p - d (k - 1) - 1) / s) + 1`` with p zeros in all.

    Raises
    ------
    ValueError
        If the padding is unknown, or the kernel does not fit into the input.
    """
    if padding not in PADDINGS:
        raise ValueError(f"The padding is {padding!r}: expected 'valid' or 'same'.")
    padded = n + (sum(same_padding(n, kernel, stride, dilation)) if padding == "same" else 0)
    extent = (kernel - 1) * dilation + 1
    if extent > padded:
        raise ValueError(
            f"The kernel spans {extent} positions but the input has {padded}: use a smaller kernel or padding='same'."
        )
    return (padded - extent) // stride + 1


def pad(
    x: np.ndarray, kernel: tuple[int, int], stride: tuple[int, int], padding: str, dilation: tuple[int, int]
) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Pad the height and width of a batch with zeros.

    Returns
    -------
    padded : numpy.ndarray
        Shape (batch, padded height, padded width, channels).
    inside : tuple of slice
        Where the input lies in it, along height and width.

    Raises
    ------
    ValueError
        As :func:`output_size`.
    """
    sizes = x.shape[1:3]
    for n, k, s, d in zip(sizes, kernel, stride, dilation, strict=True):
        output_size(n, k, s, padding, d)  # complains if the kernel does not fit
    if padding == "valid":
        return x, (slice(0, sizes[0]), slice(0, sizes[1]))
    widths = [same_padding(*axis) for axis in zip(sizes, kernel, stride, dilation, strict=True)]
    inside = tuple(slice(before, before + n) for (before, _), n in zip(widths, sizes, strict=True))
    return np.pad(x, [(0, 0), *widths, (0, 0)]), inside


def windows(
    x: np.ndarray,
    kernel: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    dilation: int | tuple[int, int] = 1,
) -> np.ndarray:
    """Return every window that a kernel sees, as a read-only view that copies nothing.

    Parameters
    ----------
    x : numpy.ndarray
        A padded batch, shape (batch, height, width, channels).
    kernel, stride, dilation : int or pair of int
        Size, step and spacing of the window.

    Returns
    -------
    numpy.ndarray
        Shape (batch, out_height, out_width, kernel_height, kernel_width, channels).
    """
    (kernel_h, kernel_w), (stride_h, stride_w) = pair(kernel, "kernel size"), pair(stride, "stride")
    dilation_h, dilation_w = pair(dilation, "dilation")
    extent = ((kernel_h - 1) * dilation_h + 1, (kernel_w - 1) * dilation_w + 1)
    view = sliding_window_view(x, extent, axis=(1, 2))  # (batch, rows, columns, channels, extent_h, extent_w)
    view = view[:, ::stride_h, ::stride_w, :, ::dilation_h, ::dilation_w]
    return view.transpose(0, 1, 2, 4, 5, 3)


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray | None = None,
    stride: int | tuple[int, int] = 1,
    padding: str = "valid",
    dilation: int | tuple[int, int] = 1,
) -> np.ndarray:
    """Slide kernels over a batch of images (cross-correlation).

    Parameters
    ----------
    x : numpy.ndarray
        Shape (batch, height, width, in_channels).
    w : numpy.ndarray
        Shape (kernel_height, kernel_width, in_channels, out_channels).
    b : numpy.ndarray, optional
        Shape (out_channels,).
    stride, dilation : int or pair of int
        Step of the window, and spacing of its taps.
    padding : str
        ``"valid"`` or ``"same"``.

    Returns
    -------
    numpy.ndarray
        Shape (batch, out_height, out_width, out_channels).

    Raises
    ------
    ValueError
        If the shapes do not fit, with the shapes that were found and expected.
    """
    columns, _, _, out_shape = _columns(x, w, stride, padding, dilation)
    if b is not None and b.shape != w.shape[3:]:
        raise ValueError(f"The bias has shape {b.shape}: expected {w.shape[3:]}, one number an output channel.")
    y = columns @ w.reshape(-1, w.shape[3])  # (batch · out_h · out_w, out_channels)
    if b is not None:
        y += b
    return y.reshape(out_shape)


def conv2d_backward(
    dy: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    stride: int | tuple[int, int] = 1,
    padding: str = "valid",
    dilation: int | tuple[int, int] = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of a loss with respect to the input, the kernels and the bias of :func:`conv2d`.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (batch, out_height, out_width, out_channels).
    x, w, stride, padding, dilation
        As they were handed to :func:`conv2d`.

    Returns
    -------
    dx, dw, db : numpy.ndarray
        The shapes of ``x``, ``w`` and the bias.

    Raises
    ------
    ValueError
        If a shape does not fit.
    """
    columns, padded_shape, inside, out_shape = _columns(x, w, stride, padding, dilation)
    if dy.shape != out_shape:
        raise ValueError(f"The gradient of the output has shape {dy.shape}: expected {out_shape}, as the output has.")
    kernel_h, kernel_w, in_channels, out_channels = w.shape
    (stride_h, stride_w), (dilation_h, dilation_w) = pair(stride), pair(dilation)
    dy_rows = dy.reshape(-1, out_channels)
    dw = (columns.T @ dy_rows).reshape(w.shape)
    db = dy_rows.sum(axis=0)

    # What each window hands back is added to where the window lay: one strided slice for each tap of the kernel.
    dx_padded = np.zeros(padded_shape, dtype=np.result_type(dy, w))
    _, out_h, out_w, _ = out_shape
    for row in range(kernel_h):
        for column in range(kernel_w):
            top, left = row * dilation_h, column * dilation_w
            bottom, right = top + stride_h * out_h, left + stride_w * out_w
            share = (dy_rows @ w[row, column].T).reshape(*out_shape[:3], in_channels)
            dx_padded[:, top:bottom:stride_h, left:right:stride_w] += share
    return dx_padded[:, inside[0], inside[1]], dw, db


def _columns(
    x: np.ndarray, w: np.ndarray, stride: int | tuple[int, int], padding: str, dilation: int | tuple[int, int]
) -> tuple[np.ndarray, tuple[int, ...], tuple[slice, slice], tuple[int, ...]]:
    """Unfold the windows of ``x`` into rows (im2col); return also the padded shape, the inside and the output shape."""
    if x.ndim != 4 or w.ndim != 4:
        raise ValueError(
            f"The input has shape {x.shape} and the kernels {w.shape}: expected (batch, height, width, channels) and "
            "(kernel height, kernel width, in channels, out channels)."
        )
    if x.shape[3] != w.shape[2]:
        raise ValueError(f"The input has {x.shape[3]} channels but the kernels expect {w.shape[2]}.")
    kernel, stride, dilation = w.shape[:2], pair(stride, "stride"), pair(dilation, "dilation")
    padded, inside = pad(x, kernel, stride, padding, dilation)
    seen = windows(padded, kernel, stride, dilation)  # (batch, out_h, out_w, kernel_h, kernel_w, in_channels)
    out_shape = (*seen.shape[:3], w.shape[3])
    return seen.reshape(-1, w[..., 0].size), padded.shape, inside, out_shape
