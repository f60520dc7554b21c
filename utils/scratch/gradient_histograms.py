"""Histograms of oriented gradients: features of an image that were designed, not learned.

Source: N. Dalal and B. Triggs, *Histograms of Oriented Gradients for Human Detection*, 2005,
https://doi.org/10.1109/CVPR.2005.177: centered differences, unsigned directions, votes shared between neighboring
directions, overlapping blocks, the norm "L2-Hys". Votes are not shared between cells here.
"""

from __future__ import annotations

import numpy as np

EPSILON = 1e-3  # keeps the norm of an empty block finite
CLIP = 0.2


def gradients(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return size and direction of the gradient at every pixel.

    Parameters
    ----------
    images : numpy.ndarray
        Shape (images, height, width). Outside an image its outermost pixel goes on.

    Returns
    -------
    magnitude : numpy.ndarray
        Change of brightness from one pixel to the next, shape of ``images``.
    direction : numpy.ndarray
        In half turns, from 0 to 1: 0 and 1 are a change along a row, 1/2 one down a column; opposite directions count
        as one. Shape of ``images``.
    """
    images = _checked(images)
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    down = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    return np.hypot(across, down), np.arctan2(down, across) / np.pi % 1


def cell_histograms(images: np.ndarray, cell: int = 4, bins: int = 9) -> np.ndarray:
    """Return how much gradient each cell of an image has in each direction.

    Parameters
    ----------
    images : numpy.ndarray
        Shape (images, height, width).
    cell : int
        Pixels of a cell along both axes.
    bins : int
        Directions, evenly spaced over a half turn; the center of bin b is at ``(b + 1/2) / bins`` of it. A pixel gives
        its magnitude to the two nearest centers, more to the nearer; the first and the last bin are neighbors.

    Returns
    -------
    numpy.ndarray
        float64, shape (images, height / cell, width / cell, bins).

    Raises
    ------
    ValueError
        If cells do not fill the image, or there is no bin.
    """
    if bins < 1:
        raise ValueError(f"There are {bins} directions: take at least 1.")
    images = _checked(images)
    count, height, width = images.shape
    if cell < 1 or height % cell or width % cell:
        raise ValueError(f"Cells of {cell} pixels do not fill images of {height} × {width}: take a common divisor.")
    magnitude, direction = gradients(images)
    place = direction * bins - 0.5
    below = np.floor(place)
    share = place - below  # of the bin above
    histograms = np.zeros((count, height // cell, width // cell, bins))
    for neighbor, weight in ((below, 1 - share), (below + 1, share)):
        chosen = neighbor.astype(int) % bins
        for b in range(bins):
            votes = np.where(chosen == b, weight * magnitude, 0)
            histograms[..., b] += votes.reshape(count, height // cell, cell, width // cell, cell).sum(axis=(2, 4))
    return histograms


def normalized_blocks(histograms: np.ndarray, block: int = 2) -> np.ndarray:
    """Return all blocks of neighboring cells, each brought to length 1, cut at 0.2, and brought to length 1 again.

    Parameters
    ----------
    histograms : numpy.ndarray
        Shape (images, rows, columns, bins).
    block : int
        Cells of a block along both axes; blocks overlap, each starts one cell after the last.

    Returns
    -------
    numpy.ndarray
        Shape (images, rows - block + 1, columns - block + 1, block · block · bins).

    Raises
    ------
    ValueError
        If a block is larger than the grid of cells.
    """
    count, rows, columns, bins = histograms.shape
    if not 1 <= block <= min(rows, columns):
        raise ValueError(
            f"A block of {block} × {block} cells does not fit into {rows} × {columns}: take a smaller one."
        )
    windows = np.lib.stride_tricks.sliding_window_view(histograms, (block, block), axis=(1, 2))
    blocks = np.moveaxis(windows, 3, -1)  # (images, rows, columns, block, block, bins)
    blocks = blocks.reshape(count, rows - block + 1, columns - block + 1, block * block * bins)
    return _unit(np.minimum(_unit(blocks), CLIP))


def hog(images: np.ndarray, cell: int = 4, bins: int = 9, block: int = 2) -> np.ndarray:
    """Return the histograms of oriented gradients of images, one row an image.

    Parameters
    ----------
    images : numpy.ndarray
        Shape (images, height, width).
    cell, bins : int
        As of :func:`cell_histograms`.
    block : int
        As of :func:`normalized_blocks`.

    Returns
    -------
    numpy.ndarray
        float64, shape (images, features).
    """
    images = _checked(images)
    return normalized_blocks(cell_histograms(images, cell, bins), block).reshape(len(images), -1)


def _unit(v: np.ndarray) -> np.ndarray:
    """Bring the vectors along the last axis to length 1, empty ones excepted."""
    return v / np.sqrt((v**2).sum(axis=-1, keepdims=True) + EPSILON**2)


def _checked(images: np.ndarray) -> np.ndarray:
    """Return the images as float64."""
    if np.ndim(images) != 3:
        raise ValueError(f"The images have the shape {np.shape(images)}: expected (images, height, width).")
    return np.asarray(images, float)
