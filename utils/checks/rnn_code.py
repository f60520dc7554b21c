"""The checkers of the chapter ``rnn-code``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check

Answer = Callable[..., Any]


def parameters(attempt: Answer) -> None:
    """Check ``parameters(inputs, units)``, equation (1)."""
    mistakes = [
        Mistake(
            lambda d, n: n * (d + n + 1),
            "One gate seems to be counted: an LSTM has three gates and a candidate, all of one shape.",
        ),
        Mistake(
            lambda d, n: 3 * n * (d + n + 1),
            "Three seem to be counted: the candidate has weights, too.",
        ),
        Mistake(
            lambda d, n: 3 * n * (d + n),
            "Three seem to be counted, and no biases: the candidate has weights, too, and each gate a bias for a unit.",
        ),
        Mistake(
            lambda d, n: 3 * n * (d + n + 2),
            "It seems to be Keras's GRU: an LSTM has another number of gates, and of biases.",
        ),
        Mistake(lambda d, n: 4 * n * (d + n), "The biases seem to be missing: one for each unit and gate."),
        Mistake(
            lambda d, n: 4 * n * (d + 1),
            "The weights from the state seem to be missing: each gate sees all units of the step before.",
        ),
        Mistake(
            lambda d, n: 4 * n * (d + n + 2),
            "There seem to be two biases for a gate: Keras's GRU has them, its LSTM has one.",
        ),
        Mistake(
            lambda d, n: 4 * d * (d + n + 1),
            "Inputs and units seem to be swapped: each gate has one number for each unit.",
        ),
    ]
    check(attempt, lambda d, n: 4 * n * (d + n + 1), [(13, 64), (64, 64), (1, 2)], mistakes)


def last_states(attempt: Answer) -> None:
    """Check ``last_states(h, lengths)``: the state after the last real step of each sequence."""

    def at(h: np.ndarray, places: np.ndarray) -> np.ndarray:
        return h[np.arange(len(h)), places]

    mistakes = [
        Mistake(
            lambda h, n: h[:, -1],
            "It seems to be the state after the padding: each word has a last step of its own.",
        ),
        Mistake(
            lambda h, n: at(h, n % h.shape[1]),
            "It seems to be one step late: steps are counted from 0, so a word of T steps ends at T - 1.",
        ),
        Mistake(lambda h, n: at(h, n - 2), "It seems to be one step early: a word of T steps ends at T - 1."),
        Mistake(
            lambda h, n: h[:, n - 1],
            "Every word seems to be asked at every word's end: pair the words with the ends, one index each.",
        ),
        Mistake(
            lambda h, n: h[:, int(n.max()) - 1],
            "It seems to be one step for all words: the end of the longest.",
        ),
        Mistake(
            lambda h, n: np.stack([states[:end].mean(axis=0) for states, end in zip(h, n, strict=True)]),
            "It seems to be the mean over the real frames: asked for is one of their states.",
        ),
    ]
    rng = np.random.default_rng(0)
    cases = [
        (rng.normal(size=(2, 4, 2)).round(1), np.array([2, 3])),
        (rng.normal(size=(3, 5, 2)).round(1), np.array([4, 2, 3])),
    ]
    check(attempt, lambda h, n: at(h, n - 1), cases, mistakes)


def masked_mean(attempt: Answer) -> None:
    """Check ``masked_mean(h, mask)``, equation (6)."""

    def total(h: np.ndarray, m: np.ndarray) -> np.ndarray:
        return (h * m[:, :, None]).sum(axis=1)

    mistakes = [
        Mistake(lambda h, m: h.mean(axis=1), "The mask seems not to be used: padding counts like a frame."),
        Mistake(
            lambda h, m: total(h, m) / h.shape[1],
            "It seems to divide by all steps: short words would get small states. Divide by the real ones.",
        ),
        Mistake(total, "It seems not to be divided: long words would get large states."),
        Mistake(
            lambda h, m: total(h, 1 - m) / np.maximum(1 - m, 0).sum(axis=1, keepdims=True),
            "It seems to be the mean over the padding: the mask is 1 where a frame is real.",
        ),
        Mistake(
            lambda h, m: total(h, m) / m.sum(),
            "It seems to divide by the real steps of all words together: each word has its own number.",
        ),
        Mistake(
            lambda h, m: np.stack([h[i, : int(m[i].sum())].mean(axis=0) for i in range(len(h))]),
            "The mask seems only to be counted: it also says which frames are real, and they need not come first.",
        ),
        Mistake(
            lambda h, m: total(h, m) / m.sum(axis=1),
            "The counts, shape (N,), seem to meet the features: NumPy lines shapes up from the right.",
        ),
        Mistake(
            lambda h, m: (h * m).sum(axis=1) / m.sum(axis=1, keepdims=True),
            "The mask, shape (N, T), seems to meet the wrong axes of h: NumPy lines shapes up from the right.",
        ),
    ]
    rng = np.random.default_rng(0)
    cases = [
        (rng.normal(size=(2, 4, 2)).round(1), np.array([[1.0, 1, 0, 0], [1, 1, 1, 0]])),
        (rng.normal(size=(2, 3, 3)).round(1), np.array([[False, True, True], [True, False, True]])),
        (rng.normal(size=(2, 2, 2)).round(1), np.array([[0.0, 1], [1, 0]])),
    ]
    check(attempt, lambda h, m: total(h, m) / m.sum(axis=1, keepdims=True), cases, mistakes)


def windows(attempt: Answer) -> None:
    """Check ``windows(values, length, horizon)``: all windows of a series, and the value so far after each."""

    def cut(values: np.ndarray, length: int, first: int, horizon: int) -> np.ndarray:
        """Windows, and behind each the value at ``horizon`` after its end, as one table."""
        count = len(values) - length - horizon + 1
        rows = [np.append(values[i : i + length], values[i + first]) for i in range(count)]
        return np.array(rows)

    def solution(values: np.ndarray, length: int, horizon: int) -> np.ndarray:
        return cut(values, length, length - 1 + horizon, horizon)

    mistakes = [
        Mistake(
            lambda v, length, horizon: cut(v, length, length - 1, horizon),
            "The target seems to be the window's own last value: that one is known already.",
        ),
        Mistake(
            lambda v, length, horizon: cut(v, length, length + horizon, horizon + 1),
            "The target seems to lie one step too far: one step ahead is the value right after the window.",
        ),
        Mistake(
            lambda v, length, horizon: cut(v, length, length, 1),
            "The horizon seems not to be used: the target is always one step ahead.",
        ),
        Mistake(
            lambda v, length, horizon: cut(v, length, length, horizon),
            "The horizon seems to be used for the number of windows only: the target is always one step ahead.",
        ),
        Mistake(
            lambda v, length, horizon: cut(v, length, horizon, horizon),
            "The target seems to be counted from the window's start, and may lie inside: count from its end.",
        ),
        Mistake(
            lambda v, length, horizon: solution(v, length, horizon)[:-1],
            "The last window seems to be missing: its target is the last value of the series.",
        ),
        Mistake(
            lambda v, length, horizon: solution(v, length, horizon)[::length],
            "The windows seem not to overlap: one begins at every value.",
        ),
    ]
    series = np.array([3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0])
    check(attempt, solution, [(series, 3, 2), (series[:6], 2, 3)], mistakes)


def seasonal_naive(attempt: Answer) -> None:
    """Check ``seasonal_naive(values, horizon, season)``: equation (9) from the end of the series."""

    def place(values: np.ndarray, horizon: int, season: int) -> int:
        return len(values) - 1 + horizon - season * -(-horizon // season)

    once = "It seems to go back one season whatever the horizon: beyond one season, that is still in the future."
    late = "It seems to be one step late: the forecast for one whole season ahead is the last value."
    late_once = "It seems to be one step late, and to go back one season only: try horizons of one season and of more."
    mistakes = [
        Mistake(lambda v, h, s: v[-1], "It seems to be the last value: that is the forecast without a season."),
        Mistake(
            lambda v, h, s: v[-s],
            "The horizon seems not to be used: one step ahead and two steps ahead have different seasons.",
        ),
        Mistake(
            lambda v, h, s: v[(len(v) - 1 + h - s) % len(v)] if h <= s else v[-1],
            "Beyond one season it seems to repeat the last value: go back another season.",
        ),
        Mistake(lambda v, h, s: v[len(v) - 1 + h - s], once),
        Mistake(lambda v, h, s: v[-s + h - 1], once),
        Mistake(lambda v, h, s: v[place(v, h, s) + 1], late),
        Mistake(lambda v, h, s: v[place(v, h, s) + 1 - len(v)], late),
        Mistake(lambda v, h, s: v[-s + h % s], late),
        Mistake(lambda v, h, s: v[len(v) + h - s], late_once),
        Mistake(lambda v, h, s: v[-s + h], late_once),
        Mistake(
            lambda v, h, s: v[len(v) - 1 + h - s * (h // s)],
            "The seasons seem to be rounded down: that many seasons back, the place may still lie in the future.",
        ),
        Mistake(
            lambda v, h, s: v[len(v) - 1 + h - s * (h // s + 1)],
            "It seems to go back one season too many when the horizon is a whole number of seasons.",
        ),
        Mistake(
            lambda v, h, s: v[place(v, h, s) - 1],
            "It seems to be one step early: h steps ahead is the place n - 1 + h.",
        ),
        Mistake(
            lambda v, h, s: v[place(v, h, s) - s],
            "It seems to go back one season too many: a season that is fully known is enough.",
        ),
    ]
    series = np.arange(12.0) ** 2
    cases = [(series, 1, 4), (series, 3, 4), (series, 4, 4), (series, 6, 4), (series, 2, 3)]
    check(attempt, lambda v, h, s: v[place(v, h, s)], cases, mistakes)


def fill_forward(attempt: Answer) -> None:
    """Check ``fill_forward(values)``: every gap gets the last value that was measured before it."""

    def filled(values: np.ndarray, backward: bool = False) -> np.ndarray:
        out = values[::-1].copy() if backward else values.copy()
        for i in range(1, len(out)):
            if np.isnan(out[i]):
                out[i] = out[i - 1]
        return out[::-1] if backward else out

    def once(values: np.ndarray) -> np.ndarray:
        before = np.concatenate([values[:1], values[:-1]])
        return np.where(np.isnan(values), before, values)

    def straight(values: np.ndarray) -> np.ndarray:
        known = np.flatnonzero(~np.isnan(values))
        return np.interp(np.arange(len(values)), known, values[known])

    mistakes = [
        Mistake(
            straight,
            "It seems to draw a line to the next measurement: that one lies in the future of the gap.",
        ),
        Mistake(
            lambda v: filled(v, backward=True),
            "It seems to take the next measurement: a forecast could then read it in the gap.",
        ),
        Mistake(
            lambda v: np.where(np.isnan(v), np.nanmean(v), v),
            "It seems to take the mean of the whole series, the future included.",
        ),
        Mistake(np.nan_to_num, "It seems to put zeros: a network reads them as measurements."),
        Mistake(
            lambda v: np.where(np.isnan(v), np.fmax.accumulate(v), v),
            "It seems to take the largest value so far: the series may have fallen since.",
        ),
        Mistake(
            lambda v: v,
            "Nothing seems to be filled: NaN is not equal to anything, not even to NaN.",
        ),
        Mistake(
            once,
            "Only the first of several missing values seems to be filled: go through the series in order.",
        ),
    ]
    gap = np.nan
    series = ([1.0, gap, 3.0, 4.0, 7.0], [2.0, 5.0, gap, gap, 9.0, gap, 8.0], [5.0, 2.0, gap, gap, 3.0])
    cases = [(np.array(values),) for values in series]
    check(attempt, filled, cases, mistakes)
