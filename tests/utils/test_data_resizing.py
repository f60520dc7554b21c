"""Images of another size: by hand, by brute force, and as Keras has it."""

import math
import re

import numpy as np
import pytest

from utils.data.resizing import resized, shares


def test_by_hand():
    np.testing.assert_allclose(shares(4, 2), [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    np.testing.assert_allclose(shares(3, 2), [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]])
    # centers of the new pixels at -1/4, 1/4, 3/4 and 5/4 of the old ones' places: the outer ones stay flat
    np.testing.assert_allclose(shares(2, 4), [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    np.testing.assert_allclose(shares(1, 3), [[1], [1], [1]])
    np.testing.assert_allclose(shares(3, 1), [[1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_array_equal(shares(5, 5), np.eye(5))
    image = np.array([[1.0, 2], [3, 6]]).reshape(1, 2, 2, 1)
    assert resized(image, 1).tolist() == [[[[3.0]]]]
    np.testing.assert_allclose(resized(image, (1, 2))[0, :, :, 0], [[2, 4]])
    np.testing.assert_allclose(resized(image, (2, 1))[0, :, :, 0], [[1.5], [4.5]])
    np.testing.assert_allclose(resized(image, (2, 4))[0, 1, :, 0], [3, 3.75, 5.25, 6])


@pytest.mark.parametrize(("old", "new"), [(28, 16), (28, 8), (7, 5), (13, 12), (92, 16), (6, 4)])
def test_smaller_is_the_mean_over_what_is_covered(old, new):
    """Every pixel cut into equal parts so fine that they fit both sizes, and the mean of a new pixel's parts."""
    row = np.random.default_rng(0).normal(size=old)
    fine = np.repeat(row, math.lcm(old, new) // old)
    np.testing.assert_allclose(shares(old, new) @ row, fine.reshape(new, -1).mean(axis=1), atol=1e-12)
    assert (shares(old, new) @ row).mean() == pytest.approx(row.mean())  # no ink is lost


@pytest.mark.parametrize(("old", "new"), [(8, 16), (8, 28), (6, 16), (13, 16), (1, 4), (5, 7)])
def test_larger_is_linear_between_the_centers(old, new):
    row = np.random.default_rng(1).normal(size=old)
    places = (np.arange(new) + 0.5) * old / new - 0.5
    np.testing.assert_allclose(shares(old, new) @ row, np.interp(places, np.arange(old), row), atol=1e-12)


@pytest.mark.parametrize("size", [(16, 16), (8, 11), (9, 40)])
def test_larger_is_what_keras_does(size):
    from utils.backend import keras, ops

    images = np.random.default_rng(2).normal(size=(3, 8, 11, 2))
    theirs = ops.convert_to_numpy(keras.ops.image.resize(images, size, "bilinear", antialias=False))
    np.testing.assert_allclose(resized(images, size), theirs, atol=1e-5)  # Keras has the places in float32


@pytest.mark.parametrize("size", [16, (5, 9), (9, 5), (20, 3), 1])
def test_rows_sum_to_one_and_nothing_leaves_the_range(size):
    images = np.random.default_rng(3).normal(size=(2, 7, 11, 3))
    small = resized(images, size)
    assert small.shape == (2, *((size, size) if isinstance(size, int) else size), 3)
    assert small.min() >= images.min() - 1e-12
    assert small.max() <= images.max() + 1e-12
    np.testing.assert_allclose(resized(np.ones((1, 7, 11, 1)), size), 1)


def test_axes_and_channels_stay_apart():
    images = np.random.default_rng(4).normal(size=(2, 6, 4, 3))
    small = resized(images, (3, 9))
    for n in range(2):
        for c in range(3):
            expected = shares(6, 3) @ images[n, :, :, c] @ shares(4, 9).T
            np.testing.assert_allclose(small[n, :, :, c], expected, atol=1e-12)


def test_dtypes():
    assert resized(np.ones((1, 4, 4, 1), np.float32), 8).dtype == np.float32
    assert resized(np.ones((1, 4, 4, 1), np.float64), 2).dtype == np.float64
    assert resized(np.full((1, 4, 4, 1), 255, np.uint8), 2).tolist() == [[[[255.0]] * 2] * 2]


def test_refusals():
    message = "The images have shape (4, 4): expected (examples, height, width, channels)."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        resized(np.ones((4, 4)), 2)
    for old, new in ((4, 0), (0, 4), (-1, 2)):
        with pytest.raises(ValueError, match=f"^From {old} to {new} pixels: expected at least one of each\\.$"):
            shares(old, new)
