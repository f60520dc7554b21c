"""One look for all figures: transparent, in mid-tones that are legible on a white and on a dark page."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Text and axes: about 4.2 : 1 against white and against the dark page alike.
INK = "#7c7c7c"
# Data: distinguishable without color vision too, each with at least 3 : 1 against both pages.
BLUE, ORANGE, GREEN, PINK, VIOLET = "#3a86d0", "#d2691e", "#2a9470", "#d0518c", "#8f6fd8"
COLORS = (BLUE, ORANGE, GREEN, PINK, VIOLET)
# Signed values go from orange over white to violet, values of one sign from white to black.
SIGNED = "PuOr"
PLAIN = "gray_r"

_STYLE = {
    "figure.dpi": 144,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": plt.cycler(color=COLORS),
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 11,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 2,
}


def style() -> None:
    """Give all figures of this kernel the look of the book, and make their stored bytes repeatable."""
    plt.rcParams.update(_STYLE)
    try:
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:  # outside a notebook there is nothing more to set
        return
    # Otherwise every stored figure changes with matplotlib's version, and the tight crop with a font's.
    set_matplotlib_formats("png", bbox_inches=None, metadata={"Software": None})


def panels(
    rows: int = 1, columns: int = 1, height: float = 2.6, width: float = 7.2, **options: object
) -> tuple[Figure, Axes | np.ndarray]:
    """Open a figure of the book's width.

    Parameters
    ----------
    rows, columns : int
        The grid of panels.
    height, width : float
        Height of one row and width of the whole figure, in inches.
    **options
        Handed on to ``matplotlib.pyplot.subplots``.

    Returns
    -------
    figure, axes
        As ``matplotlib.pyplot.subplots`` returns them.
    """
    return plt.subplots(rows, columns, figsize=(width, height * rows), **options)


def image(axis: Axes, values: np.ndarray, title: str = "", signed: bool = False, limit: float | None = None) -> None:
    """Draw a matrix as an image without ticks.

    Parameters
    ----------
    axis : Axes
        Where to draw.
    values : numpy.ndarray
        Shape (height, width).
    title : str
        Written above the image.
    signed : bool
        Signed values are centered: zero is white, and both signs have their own color.
    limit : float, optional
        The value of the strongest color; by default the largest absolute value.
    """
    limit = limit if limit is not None else float(np.abs(values).max()) or 1.0
    low = -limit if signed else 0.0
    axis.imshow(values, cmap=SIGNED if signed else PLAIN, vmin=low, vmax=limit, interpolation="nearest")
    axis.set_title(title)
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(True)


def write_values(axis: Axes, values: np.ndarray, fmt: str = "{:g}", size: float = 10) -> None:
    """Write each number of a matrix into its cell of the image drawn by :func:`image`.

    Parameters
    ----------
    axis : Axes
        The panel that shows ``values``.
    values : numpy.ndarray
        Shape (height, width); a NaN leaves its cell empty.
    fmt : str
        A format for one number.
    size : float
        Size of the text, in points.
    """
    strongest = float(np.nanmax(np.abs(values))) or 1.0
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            continue
        shade = "white" if abs(value) > 0.55 * strongest else "black"
        axis.text(column, row, fmt.format(value), ha="center", va="center", color=shade, fontsize=size)


def image_row(axes: Sequence[Axes], images: np.ndarray, titles: Sequence[str], signed: bool = False) -> None:
    """Draw several matrices side by side on one scale.

    Parameters
    ----------
    axes : sequence of Axes
        One panel an image.
    images : numpy.ndarray
        Shape (count, height, width).
    titles : sequence of str
        One title an image.
    signed : bool
        As in :func:`image`.
    """
    limit = float(np.abs(images).max()) or 1.0
    for axis, values, title in zip(axes, images, titles, strict=True):
        image(axis, values, title, signed=signed, limit=limit)
