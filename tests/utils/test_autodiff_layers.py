"""The hand-derived gradients of utils.scratch against the autodiff engine, which knows no layers: two derivations.

Each layer is written once more with the engine's operations alone; its gradients must be those of the layer's backward
function to twelve digits.
"""

import numpy as np
import pytest

from utils.scratch import activations, losses
from utils.scratch import autodiff as ad
from utils.scratch.attention import (
    additive_attention,
    additive_attention_backward,
    dot_product_attention,
    dot_product_attention_backward,
)
from utils.scratch.autodiff import Tensor, gradients
from utils.scratch.cells import GRUCell, LSTMCell, SimpleCell
from utils.scratch.convolution import conv2d, conv2d_backward, same_padding
from utils.scratch.dense import dense, dense_backward
from utils.scratch.normalization import layer_norm, layer_norm_backward, rms_norm, rms_norm_backward
from utils.scratch.pooling import average_pool, average_pool_backward, max_pool, max_pool_backward
from utils.scratch.recurrent import unroll, unroll_backward


def draw(*shapes):
    rng = np.random.default_rng(len(shapes))
    return [rng.normal(size=shape) for shape in shapes]


def close(found, expected):
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)


def agree(layer, y, backward, *arrays):
    """Compare a layer of tensors with the value and the gradients of the hand-derived one."""
    tensors = [Tensor(array) for array in arrays]
    found = layer(*tensors)
    close(found.value, y)
    dy = np.random.default_rng(9).normal(size=y.shape)
    by_hand = backward(dy)
    by_hand = by_hand if isinstance(by_hand, tuple) else (by_hand,)
    for one, other in zip(gradients((found * dy).sum(), tensors), by_hand, strict=True):
        close(one, other)


def sigmoid(x):
    return 1 / (1 + ad.exp(-x))


def softmax(x, axis=-1):
    exponentials = ad.exp(x)
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def test_dense():
    x, w, b = draw((5, 3), (3, 4), (4,))
    agree(lambda x, w, b: x @ w + b, dense(x, w, b), lambda dy: dense_backward(dy, x, w), x, w, b)


@pytest.mark.parametrize(("name", "tensors"), [("sigmoid", sigmoid), ("tanh", ad.tanh), ("softmax", softmax)])
def test_activations_that_step_back_from_their_output(name, tensors):
    (x,) = draw((4, 5))
    y = getattr(activations, name)(x)
    agree(tensors, y, lambda dy: getattr(activations, f"{name}_backward")(dy, y), x)


def test_relu():
    (x,) = draw((4, 5))
    x[0] = 0
    agree(ad.relu, activations.relu(x), lambda dy: activations.relu_backward(dy, x), x)


@pytest.mark.parametrize("shape", [(6, 4), (2, 3, 4)])
def test_cross_entropy(shape):
    (z,) = draw(shape)
    labels = np.random.default_rng(0).integers(0, shape[-1], shape[:-1])
    value, dz = losses.softmax_cross_entropy(z, labels)
    logits = Tensor(z)
    answers = softmax(logits).reshape(-1, shape[-1])[np.arange(labels.size), labels.ravel()]
    loss = -ad.log(answers).mean()
    assert loss.value == pytest.approx(value, rel=1e-14)
    close(gradients(loss, [logits])[0], dz)


def test_squared_error():
    outputs, targets = draw((4, 3), (4, 3))
    value, expected = losses.mean_squared_error(outputs, targets)
    y = Tensor(outputs)
    loss = ((y - targets) ** 2).mean()
    assert loss.value == pytest.approx(value, rel=1e-14)
    close(gradients(loss, [y])[0], expected)


def windows(x, kernel, stride, dilation, places):
    """Gather the windows of a padded batch: (batch, rows, columns, kernel height · kernel width, channels)."""
    rows = (np.arange(places[0]) * stride)[:, None, None, None] + (np.arange(kernel[0]) * dilation)[:, None]
    columns = (np.arange(places[1]) * stride)[:, None, None] + np.arange(kernel[1]) * dilation
    seen = x[:, rows, columns]  # (batch, rows, columns, kernel height, kernel width, channels)
    return seen.reshape(*seen.shape[:3], -1, seen.shape[-1])


def padded(x, widths, fill=0.0):
    """Join a border to height and width."""
    for axis, (before, after) in enumerate(widths, start=1):
        borders = [np.full([*x.shape[:axis], n, *x.shape[axis + 1 :]], fill) for n in (before, after)]
        x = ad.concatenate([borders[0], x, borders[1]], axis=axis)
    return x


@pytest.mark.parametrize(
    ("stride", "padding", "dilation"), [(1, "valid", 1), (2, "same", 1), (1, "same", 2), (2, "valid", 2)]
)
def test_convolution(stride, padding, dilation):
    x, w, b = draw((2, 7, 6, 3), (2, 3, 3, 4), (4,))
    y = conv2d(x, w, b, stride, padding, dilation)
    widths = [same_padding(n, k, stride, dilation) if padding == "same" else (0, 0) for n, k in ((7, 2), (6, 3))]

    def layer(x, w, b):
        seen = windows(padded(x, widths), (2, 3), stride, dilation, y.shape[1:3])
        flat = seen.reshape(*seen.shape[:3], -1)
        return flat @ w.reshape(-1, 4) + b

    agree(layer, y, lambda dy: conv2d_backward(dy, x, w, stride, padding, dilation), x, w, b)


@pytest.mark.parametrize(("size", "stride", "padding"), [(2, 2, "valid"), (3, 2, "valid"), (3, 2, "same")])
def test_pooling(size, stride, padding):
    (x,) = draw((2, 7, 6, 3))
    widths = [same_padding(n, size, stride) if padding == "same" else (0, 0) for n in (7, 6)]
    y = max_pool(x, size, stride, padding)

    def largest(x):
        return windows(padded(x, widths, -np.inf), (size, size), stride, 1, y.shape[1:3]).max(axis=3)

    agree(largest, y, lambda dy: max_pool_backward(dy, x, size, stride, padding), x)

    def mean(x):
        inside = padded(Tensor(np.ones_like(x.value)), widths)
        sums, counts = (
            windows(a, (size, size), stride, 1, y.shape[1:3]).sum(axis=3) for a in (padded(x, widths), inside)
        )
        return sums / counts

    y = average_pool(x, size, stride, padding)
    agree(mean, y, lambda dy: average_pool_backward(dy, x, size, stride, padding), x)


def simple_step(a, state, u, b):
    return (ad.tanh(a + state[0] @ u),)


def lstm_step(a, state, u, b):
    h, c = state
    n = u.shape[0]
    sums = a + h @ u
    i, f, o = (sigmoid(sums[:, k * n : (k + 1) * n]) for k in (0, 1, 3))
    c = f * c + i * ad.tanh(sums[:, 2 * n : 3 * n])
    return o * ad.tanh(c), c


def gru_step(a, state, u, b):
    (h,) = state
    n = u.shape[0]
    after = len(b.shape) == 2
    recurrent = h @ u + (b[1] if after else 0.0)
    z, r = (sigmoid(a[:, k * n : (k + 1) * n] + recurrent[:, k * n : (k + 1) * n]) for k in (0, 1))
    product = r * recurrent[:, 2 * n :] if after else (r * h) @ u[:, 2 * n :]
    return (z * h + (1 - z) * ad.tanh(a[:, 2 * n :] + product),)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    ("cell", "step"),
    [(SimpleCell(), simple_step), (LSTMCell(), lstm_step), (GRUCell(), gru_step), (GRUCell(False), gru_step)],
    ids=["plain", "LSTM", "GRU", "GRU, reset before"],
)
def test_backpropagation_through_time(cell, step, masked):
    units, time = 3, 6
    sums = cell.blocks * units
    x, w, u, b, *state = draw(
        (4, time, 2), (2, sums), (units, sums), cell.bias_shape(units), *[(4, units)] * cell.states
    )
    mask = np.random.default_rng(1).random((4, time)) < 0.6 if masked else None
    y, _, trace = unroll(cell, x, w, u, b, mask, tuple(state))

    def layer(x, w, u, b, *state):
        outputs, started = [], np.zeros((4, 1), bool)
        for t in range(time):
            a = x[:, t] @ w + (b[0] if len(b.shape) == 2 else b)
            new = step(a, state, u, b)
            if masked:
                real = mask[:, t, None]
                new = tuple(ad.where(real, one, other) for one, other in zip(new, state, strict=True))
                started = started | real
            state = new
            outputs.append(ad.where(started, state[0], 0.0) if masked else state[0])
        return ad.stack(outputs, axis=1)

    def backward(dy):
        *found, dstate = unroll_backward(dy, None, trace)
        return (*found, *dstate)

    agree(layer, y, backward, x, w, u, b, *state)


MASKS = {"none": None, "causal": np.tri(3, 4, dtype=bool), "one row sees nothing": np.tri(3, 4, k=-1, dtype=bool)}


def masked_softmax(scores, mask):
    if mask is None:
        return softmax(scores)
    exponentials = ad.where(mask, ad.exp(scores), 0.0)
    total = exponentials.sum(axis=-1, keepdims=True)
    return exponentials / ad.where(mask.any(axis=-1, keepdims=True), total, 1.0)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_attention(mask):
    q, k, v, w = draw((2, 3, 5), (2, 4, 5), (2, 4, 6), (5,))
    y, weights = dot_product_attention(q, k, v, mask)

    def dot_product(q, k, v):
        return masked_softmax(q @ k.transpose(0, 2, 1) / np.sqrt(5), mask) @ v

    agree(dot_product, y, lambda dy: dot_product_attention_backward(dy, q, k, v, weights), q, k, v)
    y, other_weights = additive_attention(q, k, v, w, mask)

    def additive(q, k, v, w):
        pairs = ad.tanh(q.reshape(2, 3, 1, 5) + k.reshape(2, 1, 4, 5))
        return masked_softmax((pairs * w).sum(axis=-1), mask) @ v

    agree(additive, y, lambda dy: additive_attention_backward(dy, q, k, v, w, other_weights), q, k, v, w)


def test_normalization():
    x, gamma, beta = draw((2, 3, 5), (5,), (5,))

    def of_rms(x, gamma):
        return x / ((x**2).mean(axis=-1, keepdims=True) + 0.1) ** 0.5 * gamma

    agree(of_rms, rms_norm(x, gamma, 0.1), lambda dy: rms_norm_backward(dy, x, gamma, 0.1), x, gamma)

    def of_layer(x, gamma, beta):
        return of_rms(x - x.mean(axis=-1, keepdims=True), gamma) + beta

    y = layer_norm(x, gamma, beta, 0.1)
    agree(of_layer, y, lambda dy: layer_norm_backward(dy, x, gamma, 0.1), x, gamma, beta)
