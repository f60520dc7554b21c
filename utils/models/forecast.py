"""Forecasts of a series: two without training, a linear one and a recurrent network."""

from __future__ import annotations

import numpy as np

from utils.backend import keras


def fill(values: np.ndarray, season: int) -> np.ndarray:
    """Fill gaps from the past alone: the value before, plus the step that was taken a season ago.

    Parameters
    ----------
    values
        NaN where nothing was measured, shape (n,); the first is not NaN.
    season
        Steps of a season. In the first one the value before is repeated.

    Returns
    -------
    numpy.ndarray
        Shape (n,), without NaN. No number depends on a later one.
    """
    filled = np.array(values, dtype=float)
    if np.isnan(filled[0]):
        raise ValueError("The series begins with a gap: there is no past to fill it from.")
    for i in np.flatnonzero(np.isnan(filled)):
        step = filled[i - season] - filled[i - season - 1] if i > season else 0.0
        filled[i] = filled[i - 1] + step
    return filled


def windows(values: np.ndarray, origins: np.ndarray, length: int) -> np.ndarray:
    """Return the last values up to each origin, it included.

    Parameters
    ----------
    values
        Shape (n,).
    origins
        The place of the last value that a forecast may know, shape (m,).
    length
        How many values it may know.

    Returns
    -------
    numpy.ndarray
        Shape (m, length).
    """
    if np.min(origins) < length - 1 or np.max(origins) >= len(values):
        raise ValueError(f"Every origin must have {length} values up to it.")
    return values[np.asarray(origins)[:, None] + np.arange(1 - length, 1)]


def targets(values: np.ndarray, origins: np.ndarray, horizons: np.ndarray) -> np.ndarray:
    """Return the values so many steps after each origin, shape (origins, horizons)."""
    return values[np.asarray(origins)[:, None] + np.asarray(horizons)]


def seasonal_naive(
    values: np.ndarray, origins: np.ndarray, horizons: np.ndarray, season: int, drift: bool = False
) -> np.ndarray:
    """Forecast the last known value of the same season.

    Parameters
    ----------
    values, origins, horizons
        As in :func:`targets`.
    season
        Steps of a season.
    drift
        Add what the series has gained over the last season, for each season back.

    Returns
    -------
    numpy.ndarray
        Shape (origins, horizons).
    """
    origins, horizons = np.asarray(origins)[:, None], np.asarray(horizons)
    seasons = -(-horizons // season)  # rounded up: the same season must be known at the origin
    forecast = values[origins + horizons - seasons * season]
    if drift:
        forecast = forecast + seasons * (values[origins] - values[origins - season])
    return forecast


def fit_linear(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the least-squares weights of a linear forecast, the constant last.

    Parameters
    ----------
    x
        Windows, shape (m, length).
    y
        Targets, shape (m, horizons).

    Returns
    -------
    numpy.ndarray
        Shape (length + 1, horizons).
    """
    return np.linalg.lstsq(_with_constant(x), y, rcond=None)[0]


def predict_linear(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Apply the weights of :func:`fit_linear`: (m, length) -> (m, horizons)."""
    return _with_constant(x) @ weights


def _with_constant(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, np.ones((len(x), 1))], axis=1)


def forecaster(length: int, horizons: int, units: int = 32) -> keras.Model:
    """Build an LSTM that reads a window and forecasts all horizons at once.

    Parameters
    ----------
    length
        Steps of a window.
    horizons
        Numbers to forecast.
    units
        Units of the LSTM.

    Returns
    -------
    keras.Model
        Maps (batch, length, 1) to (batch, horizons).
    """
    inputs = keras.Input((length, 1))
    state = keras.layers.LSTM(units)(inputs)
    return keras.Model(inputs, keras.layers.Dense(horizons)(state))
