"""Histograms of oriented gradients: against loops, and what they must not depend on."""

import math
import re

import numpy as np
import pytest

from utils.scratch.gradient_histograms import cell_histograms, gradients, hog, normalized_blocks


@pytest.fixture
def images():
    return np.random.default_rng(3).uniform(size=(3, 8, 12))


def in_loops(image, cell, bins):
    """Return the histograms of an image's cells, pixel by pixel."""
    height, width = image.shape
    found = np.zeros((height // cell, width // cell, bins))
    for i, j in np.ndindex(height, width):
        up, down = image[max(i - 1, 0), j], image[min(i + 1, height - 1), j]
        left, right = image[i, max(j - 1, 0)], image[i, min(j + 1, width - 1)]
        across, along = (right - left) / 2, (down - up) / 2
        degrees = math.degrees(math.atan2(along, across)) % 180
        for b in range(bins):
            distance = abs(degrees - 180 * (b + 0.5) / bins)
            distance = min(distance, 180 - distance) * bins / 180
            found[i // cell, j // cell, b] += math.hypot(across, along) * max(0, 1 - distance)
    return found


@pytest.mark.parametrize(("cell", "bins"), [(4, 9), (2, 3), (4, 2), (1, 5)])
def test_cells_are_those_of_the_loops(images, cell, bins):
    expected = np.stack([in_loops(image, cell, bins) for image in images])
    assert np.allclose(cell_histograms(images, cell, bins), expected, rtol=0, atol=1e-12)


def test_gradients_by_hand():
    ramp = np.arange(12.0).reshape(1, 3, 4)  # 1 a column, 4 a row
    magnitude, direction = gradients(ramp)
    assert magnitude.shape == direction.shape == (1, 3, 4)
    assert magnitude[0, 1, 1] == pytest.approx(math.hypot(1, 4))
    assert direction[0, 1, 1] == pytest.approx(math.atan2(4, 1) / math.pi)
    assert magnitude[0, 0, 0] == pytest.approx(math.hypot(0.5, 2))  # half the way at the border


def test_a_cell_keeps_all_of_the_gradient(images):
    magnitude, _ = gradients(images)
    assert np.allclose(cell_histograms(images, 4, 9).sum(axis=(1, 2, 3)), magnitude.sum(axis=(1, 2)))


def test_opposite_directions_are_one_from_0_to_1(images):
    (_, direction), (_, opposite) = gradients(images), gradients(1 - images)
    assert direction.min() >= 0 and direction.max() < 1
    assert np.allclose(direction, opposite, rtol=0, atol=1e-12)


def test_whole_numbers_are_images_too(images):
    whole = (255 * images).astype(np.uint8)
    assert np.array_equal(hog(whole), hog(whole.astype(float)))


def test_a_negative_has_the_same_edges(images):
    assert np.allclose(cell_histograms(1 - images), cell_histograms(images), rtol=0, atol=1e-12)


def test_one_direction_alone_counts_everything(images):
    magnitude, _ = gradients(images)
    assert np.allclose(cell_histograms(images, 4, 1).sum(), magnitude.sum())


def test_blocks_by_hand():
    histograms = np.random.default_rng(0).uniform(size=(2, 3, 4, 5))
    found = normalized_blocks(histograms, 2)
    assert found.shape == (2, 2, 3, 20)
    for n, i, j in np.ndindex(2, 2, 3):
        v = np.concatenate([histograms[n, i + a, j + b] for a in (0, 1) for b in (0, 1)])
        v = np.minimum(v / math.sqrt(v @ v + 1e-6), 0.2)
        assert np.allclose(found[n, i, j], v / math.sqrt(v @ v + 1e-6), rtol=0, atol=1e-12)


def test_a_strong_direction_is_cut():
    lone = np.zeros((1, 2, 2, 3))
    lone[0, 0, 0] = [10, 1, 0]
    found = normalized_blocks(lone)[0, 0, 0]
    assert found[0] / found[1] == pytest.approx(0.2 / (1 / math.sqrt(101)), rel=1e-5)


def test_ink_twice_as_strong_is_the_same_shape(images):
    assert np.abs(hog(2 * images) - hog(images)).max() < 1e-4
    assert not hog(np.zeros((1, 8, 8))).any()


def test_the_shape_of_the_features():
    found = hog(np.random.default_rng(0).uniform(size=(5, 28, 28)).astype(np.float32), cell=7)
    assert found.shape == (5, 324)
    assert found.dtype == np.float64


def test_nine_directions_unless_told_otherwise_and_blocks_of_a_single_cell(images):
    assert cell_histograms(images).shape == (3, 2, 3, 9)
    assert hog(images, block=1).shape == (3, 2 * 3 * 9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: hog(x[0]), "The images have the shape (8, 12): expected (images, height, width)."),
        (lambda x: hog(x, cell=3), "Cells of 3 pixels do not fill images of 8 × 12: take a common divisor."),
        (lambda x: hog(x, cell=0), "Cells of 0 pixels do not fill images of 8 × 12: take a common divisor."),
        (lambda x: hog(x, bins=0), "There are 0 directions: take at least 1."),
        (lambda x: hog(x, block=3), "A block of 3 × 3 cells does not fit into 2 × 3: take a smaller one."),
        (lambda x: hog(x, block=0), "A block of 0 × 0 cells does not fit into 2 × 3: take a smaller one."),
    ],
)
def test_what_does_not_fit_is_refused(images, call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(images)
