"""Images of another size: pixels averaged where there are too many, filled in between where there are too few."""

from __future__ import annotations

import numpy as np


def resized(images: np.ndarray, size: int | tuple[int, int]) -> np.ndarray:
    """Return images of another size, along each axis by :func:`shares`.

    Parameters
    ----------
    images
        Shape (examples, height, width, channels).
    size
        The new height and width, or one number for both.

    Returns
    -------
    numpy.ndarray
        Shape (examples, new height, new width, channels), in the dtype of the images if that is a float's, else
        float64. No value is below the smallest of its image or above the largest.

    Raises
    ------
    ValueError
        If the images have another number of axes, or a size is not positive.
    """
    if images.ndim != 4:
        raise ValueError(f"The images have shape {images.shape}: expected (examples, height, width, channels).")
    height, width = (size, size) if isinstance(size, int) else size
    dtype = images.dtype if np.issubdtype(images.dtype, np.floating) else np.dtype(float)
    down = shares(images.shape[1], height).astype(dtype)
    across = shares(images.shape[2], width).astype(dtype)
    return np.einsum("ih,nhwc,jw->nijc", down, images, across, optimize=True).astype(dtype)


def shares(old: int, new: int) -> np.ndarray:
    """Return which share each of ``old`` pixels in a row has in each of ``new`` ones that cover the same stretch.

    Fewer new pixels are means over what they cover, a pixel that is cut counted in part. More are linear between the
    centers of the two old ones beside their own, and flat beyond the outermost.

    Returns
    -------
    numpy.ndarray
        float64, shape (new, old): rows that sum to 1.

    Raises
    ------
    ValueError
        If one of both is not positive.
    """
    if min(old, new) < 1:
        raise ValueError(f"From {old} to {new} pixels: expected at least one of each.")
    ends = np.arange(new + 1) * old / new  # in old pixels, (new + 1,)
    if new < old:
        pixels = np.arange(old)
        covered = np.minimum(ends[1:, None], pixels + 1) - np.maximum(ends[:-1, None], pixels)
        return np.maximum(covered, 0) * new / old
    centers = np.clip((ends[1:] + ends[:-1]) / 2 - 0.5, 0, old - 1)  # as places of old pixels, (new,)
    return np.maximum(1 - np.abs(centers[:, None] - np.arange(old)), 0)
