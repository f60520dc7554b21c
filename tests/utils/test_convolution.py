"""Convolution in NumPy: against loops, against differences, and by its properties."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.drawing import Case, central_differences, convolutions
from utils.scratch.convolution import conv2d, conv2d_backward, output_size, pad, pair, same_padding, windows

FOUR_AXES = "expected (batch, height, width, channels) and (kernel height, kernel width, in channels, out channels)."


def loops(x, w, b, stride, padding, dilation):
    """Compute every output element by itself, the way the formula reads."""
    axes = list(zip(x.shape[1:3], w.shape[:2], stride, dilation, strict=True))
    before = [same_padding(*axis)[0] if padding == "same" else 0 for axis in axes]
    out = [output_size(n, k, s, padding, d) for n, k, s, d in axes]
    y = np.zeros((len(x), *out, w.shape[3]))
    for n, i, j, f in np.ndindex(y.shape):
        y[n, i, j, f] = b[f]
        for p, q, c in np.ndindex(w.shape[:3]):
            row = i * stride[0] + p * dilation[0] - before[0]
            column = j * stride[1] + q * dilation[1] - before[1]
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
                y[n, i, j, f] += x[n, row, column, c] * w[p, q, c, f]
    return y


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


def test_a_result_that_can_be_checked_by_hand():
    x = np.arange(9.0).reshape(1, 3, 3, 1)
    w = np.array([[1.0, 10.0], [100.0, 1000.0]]).reshape(2, 2, 1, 1)
    y = conv2d(x, w, np.array([0.5]))
    assert y[0, :, :, 0].tolist() == [[4310.5, 5421.5], [7643.5, 8754.5]]  # no flip: 0·1 + 1·10 + 3·100 + 4·1000


def test_defaults_are_stride_1_valid_dilation_1():
    x, w, b = Case(2, (6, 7), 2, 3, (2, 3), (1, 1), (1, 1), "valid", 1).arrays()
    assert np.array_equal(conv2d(x, w, b), conv2d(x, w, b, (1, 1), "valid", (1, 1)))
    dy = np.ones((2, 5, 5, 3))
    for found, expected in zip(
        conv2d_backward(dy, x, w), conv2d_backward(dy, x, w, (1, 1), "valid", (1, 1)), strict=True
    ):
        assert np.array_equal(found, expected)


def test_one_number_stands_for_both_axes():
    x, w, b = Case(1, (9, 8), 2, 2, (2, 2), (2, 2), (3, 3), "same", 1).arrays()
    y = conv2d(x, w, b, 2, "same", 3)
    assert np.array_equal(y, conv2d(x, w, b, (2, 2), "same", (3, 3)))
    found = conv2d_backward(y, x, w, 2, "same", 3)
    expected = conv2d_backward(y, x, w, (2, 2), "same", (3, 3))
    assert all(np.array_equal(f, e) for f, e in zip(found, expected, strict=True))


@given(convolutions())
def test_equals_loops(case):
    x, w, b = case.arrays()
    assert np.abs(conv2d(x, w, b, *case.options) - loops(x, w, b, *case.options)).max() < 1e-12


@given(convolutions())
def test_without_a_bias_equals_a_bias_of_zeros(case):
    x, w, b = case.arrays()
    assert np.array_equal(conv2d(x, w, None, *case.options), conv2d(x, w, 0 * b, *case.options))


@given(convolutions(largest=2))
def test_gradients_equal_central_differences(agree, case):
    x, w, b = case.arrays()
    dy = np.random.default_rng(case.seed + 1).normal(size=conv2d(x, w, b, *case.options).shape)

    def loss():
        return float((conv2d(x, w, b, *case.options) * dy).sum())

    for name, array, gradient in zip(
        ("input", "kernels", "bias"), (x, w, b), conv2d_backward(dy, x, w, *case.options), strict=True
    ):
        # Linear in each of them, so that a large step is exact.
        agree(f"convolution, differences, {name}", gradient, central_differences(loss, array, 1e-2), 1e-6)


@given(convolutions(), st.floats(-3, 3))
def test_is_linear_in_input_and_kernels(case, factor):
    x, w, _ = case.arrays()
    other_x, other_w = x[:, ::-1, ::-1], w[::-1, ::-1]
    y = conv2d(x, w, None, *case.options)
    by_input = conv2d(x + factor * other_x, w, None, *case.options)
    assert np.allclose(by_input, y + factor * conv2d(other_x, w, None, *case.options), atol=1e-10)
    by_kernels = conv2d(x, w + factor * other_w, None, *case.options)
    assert np.allclose(by_kernels, y + factor * conv2d(x, other_w, None, *case.options), atol=1e-10)


@given(convolutions())
def test_backward_is_the_adjoint(case):
    x, w, _ = case.arrays()
    y = conv2d(x, w, None, *case.options)
    z = np.random.default_rng(case.seed + 1).normal(size=y.shape)
    dx, dw, db = conv2d_backward(z, x, w, *case.options)
    assert np.isclose((y * z).sum(), (x * dx).sum(), atol=1e-10)
    assert np.isclose((y * z).sum(), (w * dw).sum(), atol=1e-10)
    assert np.allclose(db, z.sum(axis=(0, 1, 2)), atol=1e-12)


@given(st.integers(1, 3), st.integers(0, 3), st.integers(1, 3), st.integers(0, 9999))
def test_commutes_with_a_shift(kernel, shift, dilation, seed):
    x, w, _ = Case(1, (14, 15), 2, 2, (kernel, kernel), (1, 1), (dilation, dilation), "valid", seed).arrays()
    moved = np.roll(x, shift, axis=(1, 2))
    y, y_moved = (conv2d(image, w, dilation=dilation) for image in (x, moved))
    inside = slice(shift, None)
    assert np.allclose(y_moved[:, inside, inside], y[:, : y.shape[1] - shift, : y.shape[2] - shift], atol=1e-12)


@given(convolutions())
def test_a_batch_is_its_images_one_by_one(case):
    x, w, b = case.arrays()
    single = [conv2d(image[None], w, b, *case.options) for image in x]
    assert np.allclose(conv2d(x, w, b, *case.options), np.concatenate(single), atol=1e-12)


def test_works_in_the_dtype_of_its_inputs():
    case = Case(2, (6, 5), 2, 3, (3, 2), (2, 1), (1, 2), "same", 0)
    x, w, b = (array.astype(np.float32) for array in case.arrays())
    y = conv2d(x, w, b, *case.options)
    assert y.dtype == np.float32
    assert {gradient.dtype.name for gradient in conv2d_backward(y, x, w, *case.options)} == {"float32"}


@pytest.mark.parametrize(("of_dy", "of_w"), [("float32", "float64"), ("float64", "float32")])
def test_the_input_gradient_keeps_the_better_of_two_precisions(of_dy, of_w):
    x, w = np.ones((1, 4, 4, 1), np.float32), np.full((2, 2, 1, 1), 1 / 3, of_w)
    dx, _, _ = conv2d_backward(np.full((1, 3, 3, 1), 1 / 3, of_dy), x, w)
    assert dx.dtype == np.float64


@given(convolutions())
def test_leaves_its_inputs_alone(case):
    x, w, b = case.arrays()
    copies = x.copy(), w.copy(), b.copy()
    y = conv2d(x, w, b, *case.options)
    dy = y.copy()
    conv2d_backward(dy, x, w, *case.options)
    assert np.array_equal(dy, y)
    assert all(np.array_equal(now, before) for now, before in zip((x, w, b), copies, strict=True))


def test_output_size_counts_the_positions_of_the_kernel_on_a_thousand_cases():
    rng = np.random.default_rng(0)
    for _ in range(1000):
        kernel, stride, dilation = (int(value) for value in rng.integers(1, 6, 3))
        extent = (kernel - 1) * dilation + 1
        n = int(rng.integers(extent, extent + 40))
        assert output_size(n, kernel, stride, "valid", dilation) == len(range(0, n - extent + 1, stride))
        small = int(rng.integers(1, 40))
        before, after = same_padding(small, kernel, stride, dilation)
        assert 0 <= before <= after <= before + 1
        positions = len(range(-before, small + after - extent + 1, stride))
        assert output_size(small, kernel, stride, "same", dilation) == positions == -(-small // stride)


def test_output_size_by_default_has_stride_1_no_padding_and_dilation_1():
    assert output_size(28, 5) == 24
    assert same_padding(28, 5) == (2, 2)
    assert same_padding(28, 4) == (1, 2)
    assert same_padding(3, 2, 4) == (0, 0)  # no negative padding where the stride jumps over the rest


@given(convolutions())
def test_windows_copy_nothing(case):
    x, _, _ = case.arrays()
    padded, inside = pad(x, case.kernel, case.stride, case.padding, case.dilation)
    assert np.array_equal(padded[:, inside[0], inside[1]], x)
    assert np.isclose(np.abs(padded).sum(), np.abs(x).sum())
    seen = windows(padded, case.kernel, case.stride, case.dilation)
    assert np.shares_memory(seen, padded)
    assert not seen.flags.writeable
    last = np.array(seen.shape[1:3]) - 1
    row, column = last * case.stride + (np.array(case.kernel) - 1) * case.dilation
    assert np.array_equal(seen[:, -1, -1, -1, -1], padded[:, row, column])


def test_padding_says_where_the_input_lies():
    x = np.ones((1, 5, 6, 1))
    same, inside = pad(x, (3, 2), (1, 1), "valid", (1, 1))
    assert same is x
    assert inside == (slice(0, 5), slice(0, 6))
    padded, inside = pad(x, (4, 2), (1, 1), "same", (1, 1))
    assert padded.shape == (1, 8, 7, 1)
    assert inside == (slice(1, 6), slice(0, 6))


def test_windows_by_default_step_and_spread_by_1():
    x = np.arange(20.0).reshape(1, 4, 5, 1)
    assert windows(x, 2).shape == (1, 3, 4, 2, 2, 1)
    assert windows(x, (2, 3))[0, 1, 2, :, :, 0].tolist() == [[7, 8, 9], [12, 13, 14]]


@pytest.mark.parametrize(
    ("value", "expected"), [(3, (3, 3)), ((2, 5), (2, 5)), ([1, 2], (1, 2)), (np.int64(4), (4, 4))]
)
def test_pair(value, expected):
    assert pair(value) == expected
    assert all(type(part) is int for part in pair(value))


@pytest.mark.parametrize("value", [0, -1, 1.5, (1, 0), (1, 2, 3), (1,), "2", None, (2, 1.5)])
def test_pair_refuses_what_is_no_size(value):
    expected = f"The value is {value!r}: expected one whole number of at least 1, or a pair of them."
    with pytest.raises(ValueError, match=exactly(expected)):
        pair(value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"x": np.ones((5, 5, 2))},
            f"The input has shape (5, 5, 2) and the kernels (3, 3, 2, 4): {FOUR_AXES}",
        ),
        (
            {"w": np.ones((3, 3, 4))},
            f"The input has shape (1, 5, 5, 2) and the kernels (3, 3, 4): {FOUR_AXES}",
        ),
        ({"w": np.ones((3, 3, 1, 4))}, "The input has 2 channels but the kernels expect 1."),
        ({"b": np.ones(3)}, "The bias has shape (3,): expected (4,), one number an output channel."),
        ({"padding": "full"}, "The padding is 'full': expected 'valid' or 'same'."),
        (
            {"w": np.ones((3, 6, 2, 4))},
            "The kernel spans 6 positions but the input has 5: use a smaller kernel or padding='same'.",
        ),
        (
            {"dilation": 3},
            "The kernel spans 7 positions but the input has 5: use a smaller kernel or padding='same'.",
        ),
        ({"stride": 0}, "The stride is 0: expected one whole number of at least 1, or a pair of them."),
        (
            {"dilation": (1, 0)},
            "The dilation is (1, 0): expected one whole number of at least 1, or a pair of them.",
        ),
    ],
)
def test_says_what_does_not_fit(change, message):
    arguments = {"x": np.ones((1, 5, 5, 2)), "w": np.ones((3, 3, 2, 4)), "b": np.ones(4)} | change
    with pytest.raises(ValueError, match=exactly(message)):
        conv2d(**arguments)


def test_backward_says_which_shape_it_expects():
    x, w = np.ones((1, 5, 5, 2)), np.ones((3, 3, 2, 4))
    message = "The gradient of the output has shape (1, 3, 3, 1): expected (1, 3, 3, 4), as the output has."
    with pytest.raises(ValueError, match=exactly(message)):
        conv2d_backward(np.ones((1, 3, 3, 1)), x, w)


@pytest.mark.parametrize(
    ("argument", "name"), [("kernel", "kernel size"), ("stride", "stride"), ("dilation", "dilation")]
)
def test_windows_name_the_option_that_is_wrong(argument, name):
    arguments = {"kernel": 2, "stride": 1, "dilation": 1} | {argument: 0}
    with pytest.raises(ValueError, match=f"^The {name} is 0: "):
        windows(np.ones((1, 4, 4, 1)), **arguments)
