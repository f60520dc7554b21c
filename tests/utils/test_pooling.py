"""Pooling in NumPy: against loops, at ties and borders, and against differences."""

import re

import numpy as np
import pytest
from hypothesis import given

from tests.utils.drawing import Pooling, central_differences, poolings
from utils.scratch.convolution import output_size, same_padding
from utils.scratch.pooling import average_pool, average_pool_backward, max_pool, max_pool_backward

SIZE = "expected one whole number of at least 1, or a pair of them."


def cells(case: Pooling):
    """Yield every output position with the slices of the input that its window sees, the border left out."""
    stride = case.stride or case.size
    axes = list(zip(case.shape[1:3], case.size, stride, strict=True))
    before = [same_padding(*axis)[0] if case.padding == "same" else 0 for axis in axes]
    for position in np.ndindex(*(output_size(n, k, s, case.padding) for n, k, s in axes)):
        corner = [p * s - b for p, s, b in zip(position, stride, before, strict=True)]
        yield position, tuple(slice(max(c, 0), c + k) for c, k in zip(corner, case.size, strict=True))


@given(poolings())
def test_max_pool_takes_the_largest_of_each_window(case):
    x = case.distinct()
    y = max_pool(x, *case.options)
    for (i, j), (rows, columns) in cells(case):
        assert np.array_equal(y[:, i, j], x[:, rows, columns].max(axis=(1, 2)))


@given(poolings())
def test_average_pool_takes_the_mean_of_each_window_without_the_border(case):
    x = case.distinct()
    y = average_pool(x, *case.options)
    for (i, j), (rows, columns) in cells(case):
        assert np.allclose(y[:, i, j], x[:, rows, columns].mean(axis=(1, 2)), atol=1e-12)


@given(poolings())
def test_the_first_of_equal_elements_gets_the_gradient(case):
    x = case.tied()
    dy = np.random.default_rng(1).normal(size=max_pool(x, *case.options).shape)
    expected = np.zeros_like(x)
    for (i, j), (rows, columns) in cells(case):
        for n, c in np.ndindex(x.shape[0], x.shape[3]):
            window = x[n, rows, columns, c]
            row, column = np.unravel_index(window.argmax(), window.shape)
            expected[n, rows.start + row, columns.start + column, c] += dy[n, i, j, c]
    assert np.allclose(max_pool_backward(dy, x, *case.options), expected, atol=1e-12)


def test_integers_are_pooled_as_integers():
    x = -np.arange(1, 10).reshape(1, 3, 3, 1)
    y = max_pool(x, 2, padding="same")
    assert y.dtype == x.dtype
    assert y[0, :, :, 0].tolist() == [[-1, -3], [-7, -9]]
    assert max_pool_backward(np.ones(y.shape), x, 2, padding="same").sum() == 4


def test_a_tie_in_one_window():
    x = np.ones((1, 2, 2, 1))
    assert max_pool_backward(np.full((1, 1, 1, 1), 5.0), x)[0, :, :, 0].tolist() == [[5, 0], [0, 0]]


@pytest.mark.parametrize(
    ("forward", "backward"), [(max_pool, max_pool_backward), (average_pool, average_pool_backward)]
)
@given(case=poolings())
def test_gradients_equal_central_differences(agree, forward, backward, case):
    x = case.distinct()
    dy = np.random.default_rng(case.seed + 1).normal(size=forward(x, *case.options).shape)
    differences = central_differences(lambda: float((forward(x, *case.options) * dy).sum()), x)
    agree(f"{forward.__name__}, differences", backward(dy, x, *case.options), differences, 1e-6)


@pytest.mark.parametrize(
    ("forward", "backward"), [(max_pool, max_pool_backward), (average_pool, average_pool_backward)]
)
def test_defaults_are_size_2_and_a_stride_of_the_size(forward, backward):
    x = Pooling((2, 7, 6, 3), (2, 2), None, "valid", 0).distinct()
    y = forward(x)
    assert y.shape == (2, 3, 3, 3)
    assert np.array_equal(y, forward(x, (2, 2), (2, 2), "valid"))
    assert np.array_equal(forward(x, 3, 1, "same"), forward(x, (3, 3), (1, 1), "same"))
    assert np.array_equal(backward(y, x), backward(y, x, (2, 2), (2, 2), "valid"))
    assert np.array_equal(backward(x, x, 3, 1, "same"), backward(x, x, (3, 3), (1, 1), "same"))


@pytest.mark.parametrize(
    ("forward", "backward"), [(max_pool, max_pool_backward), (average_pool, average_pool_backward)]
)
def test_works_in_the_dtype_of_its_inputs(forward, backward):
    x = Pooling((2, 5, 5, 2), (2, 2), None, "same", 0).distinct().astype(np.float32)
    y = forward(x, 2, None, "same")
    assert y.dtype == np.float32
    assert backward(y, x, 2, None, "same").dtype == np.float32


@given(poolings())
def test_leaves_its_inputs_alone(case):
    x = case.tied()
    copy = x.copy()
    for forward, backward in ((max_pool, max_pool_backward), (average_pool, average_pool_backward)):
        y = forward(x, *case.options)
        dy = y.copy()
        backward(dy, x, *case.options)
        assert np.array_equal(x, copy)
        assert np.array_equal(dy, y)


@pytest.mark.parametrize("function", [max_pool, average_pool])
@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4, 4, 1), {}, "The input has shape (4, 4, 1): expected (batch, height, width, channels)."),
        ((1, 4, 4, 1), {"size": 0}, f"The window size is 0: {SIZE}"),
        ((1, 4, 4, 1), {"stride": 0}, f"The stride is 0: {SIZE}"),
        ((1, 4, 4, 1), {"padding": "no"}, "The padding is 'no': expected 'valid' or 'same'."),
        (
            (1, 4, 4, 1),
            {"size": (2, 5)},
            "The kernel spans 5 positions but the input has 4: use a smaller kernel or padding='same'.",
        ),
    ],
)
def test_says_what_does_not_fit(function, shape, options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        function(np.ones(shape), **options)
