"""The checkers of ``rnn-code``, asked with answers as readers write them, right ones and wrong ones."""

import numpy as np
import pytest

from tests.utils.readers import refused
from utils.checks import rnn_code


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (lambda d, n: 3 * n * (d + n + 2), "Keras's GRU"),
        (lambda d, n: 3 * (n * d + n * n), "Three seem to be counted, and no biases"),
    ],
)
def test_parameters(attempt, diagnosis):
    assert diagnosis in refused(rnn_code.parameters, attempt)


def real_mean(h, lengths):
    return np.array([h[i, :length].mean(axis=0) for i, length in enumerate(lengths)])


def test_last_states():
    assert "mean over the real frames" in refused(rnn_code.last_states, real_mean)
    rnn_code.last_states(lambda h, lengths: np.stack([h[i, n - 1] for i, n in enumerate(lengths)]))
    rnn_code.last_states(lambda h, lengths: np.take_along_axis(h, lengths[:, None, None] - 1, axis=1)[:, 0])


RIGHT_MEANS = {
    "product": lambda h, mask: np.sum(h * mask[:, :, None], axis=1) / mask.sum(axis=1, keepdims=True),
    "einsum": lambda h, mask: np.einsum("ntk,nt->nk", h, mask) / mask.sum(axis=1)[:, None],
    "matmul": lambda h, mask: (mask[:, None, :] @ h)[:, 0] / mask.sum(1)[:, None],
    "selected": lambda h, mask: np.array([a[m == 1].mean(axis=0) for a, m in zip(h, mask, strict=True)]),
    "as boolean": lambda h, mask: np.mean(h, axis=1, where=mask.astype(bool)[:, :, None]),
    "where": lambda h, mask: np.where(mask[..., None], h, 0).sum(axis=1) / np.count_nonzero(mask, axis=1)[:, None],
    "averages": lambda h, mask: np.stack([np.average(a, axis=0, weights=m) for a, m in zip(h, mask, strict=True)]),
}


@pytest.mark.parametrize("name", RIGHT_MEANS)
def test_right_means(name):
    rnn_code.masked_mean(RIGHT_MEANS[name])


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (lambda h, mask: np.stack([h[i, : int(mask[i].sum())].mean(0) for i in range(len(h))]), "only to be counted"),
        (lambda h, mask: real_mean(h, mask.sum(axis=1).astype(int)), "only to be counted"),
        (lambda h, mask: (h * mask[:, :, None]).sum(1) / mask.sum(1), "The counts, shape (N,)"),
        (lambda h, mask: np.einsum("ntk,nt->nk", h, mask) / np.sum(mask, axis=-1), "The counts, shape (N,)"),
        (lambda h, mask: (h * mask).sum(1) / mask.sum(1, keepdims=True), "The mask, shape (N, T)"),
        (lambda h, mask: np.sum(h * mask, axis=1) / mask.sum(axis=1), "The mask, shape (N, T)"),
    ],
)
def test_wrong_means(attempt, diagnosis):
    assert diagnosis in refused(rnn_code.masked_mean, attempt)


def test_wrong_axes_show_what_numpy_says():
    message = refused(rnn_code.masked_mean, lambda h, mask: (h * mask[:, :, None]).sum(1) / mask.sum(1))
    assert "\n  raises ValueError: operands could not be broadcast together with shapes (2,3) (2,)" in message


def test_masks_as_in_the_chapter_and_as_numbers():
    kinds = []
    rnn_code.masked_mean(lambda h, mask: kinds.append(mask.dtype.kind) or RIGHT_MEANS["product"](h, mask))
    assert {"b", "f"} <= set(kinds)


def table(targets, count):
    """Return an answer: rows of ``targets(first, length, horizon)``, ``count(n, length, horizon)`` of them."""

    def answer(values, length, horizon):
        rows = range(count(len(values), length, horizon))
        return np.array([[*values[i : i + length], values[targets(i, length, horizon)]] for i in rows])

    return answer


def view(values, length, horizon):
    past = np.lib.stride_tricks.sliding_window_view(values, length)[:-horizon]
    return np.column_stack([past, values[length + horizon - 1 :]])


def indexed(values, length, horizon):
    origins = np.arange(length - 1, len(values) - horizon)
    return values[origins[:, None] + np.append(np.arange(1 - length, 1), horizon)]


@pytest.mark.parametrize("attempt", [view, indexed, lambda *arguments: view(*arguments).tolist()])
def test_right_windows(attempt):
    rnn_code.windows(attempt)


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (table(lambda i, length, p: i + length, lambda n, length, p: n - length), "The horizon seems not to be used"),
        (lambda v, length, p: view(v, length, 1), "The horizon seems not to be used"),
        (lambda v, length, p: [v[i : i + length + 1] for i in range(len(v) - length - p + 1)], "the number of windows"),
        (lambda v, length, p: (view(v, length, p)[:, :-1], view(v, length, p)[:, -1]), "return one array of shape (4,"),
    ],
)
def test_wrong_windows(attempt, diagnosis):
    assert diagnosis in refused(rnn_code.windows, attempt)


def stepwise(values, horizon, season):
    place = len(values) - 1 + horizon
    while place >= len(values):
        place -= season
    return values[place]


@pytest.mark.parametrize(
    "attempt",
    [
        stepwise,
        lambda v, h, s: v[-s:][(h - 1) % s],
        lambda v, h, s: v[-s + (h - 1) % s],
        lambda v, h, s: np.tile(v[-s:], h)[h - 1],
        lambda v, h, s: float(v[h - s * -(-h // s) - 1]),
    ],
)
def test_right_seasons(attempt):
    rnn_code.seasonal_naive(attempt)


def back(h, s):
    return s * int(np.ceil(h / s))


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (lambda v, h, s: v[len(v) - 1 + h - s], "one season whatever the horizon"),
        (lambda v, h, s: list(v)[len(v) - 1 + h - s], "one season whatever the horizon"),
        (lambda v, h, s: v[-s + h - 1], "one season whatever the horizon"),
        (lambda v, h, s: v[-s:][h - 1], "one season whatever the horizon"),
        (lambda v, h, s: v[len(v) + h - back(h, s)], "one step late: the forecast"),
        (lambda v, h, s: v[h - back(h, s)], "one step late: the forecast"),
        (lambda v, h, s: np.tile(v[-s:], h)[h], "one step late: the forecast"),
        (lambda v, h, s: v[-s:][h % s], "one step late: the forecast"),
        (lambda v, h, s: v[len(v) + h - s], "one step late, and to go back one season"),
        (lambda v, h, s: v[-s + h], "one step late, and to go back one season"),
        (lambda v, h, s: v[len(v) - 1 + h - (h // s + 1) * s], "a whole number of seasons"),
        (lambda v, h, s: v[len(v) - 1 + h - h // s * s], "rounded down"),
    ],
)
def test_wrong_seasons(attempt, diagnosis):
    assert diagnosis in refused(rnn_code.seasonal_naive, attempt)


def last_seen(values):
    place = np.where(np.isnan(values), 0, np.arange(len(values)))
    return values[np.maximum.accumulate(place)]


def remembered(values):
    out = []
    for value in values:
        out.append(out[-1] if np.isnan(value) else value)
    return out


def in_place(values):
    for i in np.flatnonzero(np.isnan(values)):
        values[i] = values[i - 1]
    return values


@pytest.mark.parametrize("attempt", [last_seen, remembered, in_place])
def test_right_fillings(attempt):
    rnn_code.fill_forward(attempt)


def from_the_original(values):
    out = values.copy()
    for i in range(len(values)):
        if np.isnan(values[i]):
            out[i] = values[i - 1]
    return out


def compared_with_nan(values):
    out = values.copy()
    for i in range(1, len(values)):
        if out[i] == np.nan:
            out[i] = out[i - 1]
    return out


def largest_so_far(values):
    return np.where(np.isnan(values), np.fmax.accumulate(values), values)


@pytest.mark.parametrize(
    ("attempt", "diagnosis"),
    [
        (from_the_original, "Only the first of several missing values"),
        (compared_with_nan, "Nothing seems to be filled"),
        (largest_so_far, "the largest value so far"),
    ],
)
def test_wrong_fillings(attempt, diagnosis):
    assert diagnosis in refused(rnn_code.fill_forward, attempt)
