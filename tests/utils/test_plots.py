"""Figures are transparent, legible on light and dark pages, and drawn on one scale."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from utils import plots


@pytest.fixture(autouse=True)
def fresh():
    with mpl.rc_context():
        plots.style()
        yield
        plt.close("all")


def luminance(color: str) -> float:
    """Relative luminance by WCAG 2."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(color)]
    return float(np.dot(channels, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#121212"])
def test_colors_are_legible_on_light_and_dark(page):
    assert contrast(plots.INK, page) >= 4
    for color in plots.COLORS:
        assert contrast(color, page) >= 3


def test_figures_are_transparent():
    figure, axis = plots.panels()
    assert figure.get_facecolor()[3] == 0
    assert axis.get_facecolor()[3] == 0
    assert mpl.rcParams["savefig.facecolor"] == "none"


def test_panels_have_the_width_of_the_book():
    figure, axes = plots.panels(2, 3, height=2)
    assert tuple(figure.get_size_inches()) == (7.2, 4)
    assert axes.shape == (2, 3)


def test_an_image_has_no_ticks_and_a_scale_that_starts_at_zero():
    _, axis = plots.panels()
    plots.image(axis, np.array([[1.0, 4.0]]), "title")
    drawn = axis.images[0]
    assert drawn.get_clim() == (0, 4)
    assert axis.get_title() == "title"
    assert not len(axis.get_xticks())
    assert not len(axis.get_yticks())


def test_signed_images_are_centered_on_zero():
    _, axis = plots.panels()
    plots.image(axis, np.array([[-3.0, 1.0]]), signed=True)
    assert axis.images[0].get_clim() == (-3, 3)
    plots.image(axis, np.zeros((2, 2)))
    assert axis.images[1].get_clim() == (0, 1)  # nothing to divide by


def test_a_row_of_images_shares_its_scale():
    _, axes = plots.panels(1, 2)
    plots.image_row(axes, np.array([[[1.0]], [[-8.0]]]), ["a", "b"], signed=True)
    assert [axis.images[0].get_clim() for axis in axes] == [(-8, 8), (-8, 8)]
    assert [axis.get_title() for axis in axes] == ["a", "b"]


def test_a_row_needs_a_panel_and_a_title_for_each_image():
    _, axes = plots.panels(1, 2)
    with pytest.raises(ValueError, match="zip"):
        plots.image_row(axes, np.ones((2, 1, 1)), ["a"])


def test_values_are_written_where_they_are():
    _, axis = plots.panels()
    plots.write_values(axis, np.array([[1.0, -2.5], [0.0, 9.0]]), fmt="{:.1f}")
    found = {text.get_position(): text.get_text() for text in axis.texts}
    assert found == {(0, 0): "1.0", (1, 0): "-2.5", (0, 1): "0.0", (1, 1): "9.0"}
    assert axis.texts[0].get_color() != axis.texts[3].get_color()  # light on dark cells, dark on light ones


def test_the_same_figure_has_the_same_bytes(tmp_path):
    files = []
    for name in ("a.png", "b.png"):
        figure, axis = plots.panels()
        axis.plot([0, 1], [1, 0])
        figure.savefig(tmp_path / name, metadata={"Software": None})
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]
