"""The forecasts: gaps filled from the past, windows without a look ahead, and the three simple models."""

import numpy as np
import pytest

from utils.models import forecast

GAP = np.nan


def test_fill_takes_the_step_of_a_season_ago():
    values = np.array([1.0, 3.0, 2.0, 2.0, GAP, 3.5, GAP, GAP])
    filled = forecast.fill(values, season=3)
    # 2 + (3 - 1), 3.5 + (2 - 2), 3.5 + (4 - 2)
    np.testing.assert_array_equal(filled, [1, 3, 2, 2, 4, 3.5, 3.5, 5.5])
    assert np.isnan(values[4])  # the series itself keeps its gaps


def test_fill_repeats_in_the_first_season():
    np.testing.assert_array_equal(forecast.fill(np.array([1.0, 4.0, GAP, GAP, 2.0]), 4), [1, 4, 4, 4, 2])
    # At the place of one season the step a season ago would begin before the series.
    np.testing.assert_array_equal(forecast.fill(np.array([1.0, 4.0, GAP]), 2), [1, 4, 4])
    np.testing.assert_array_equal(forecast.fill(np.array([1.0, 4.0, 6.0, GAP]), 2), [1, 4, 6, 9])


def test_fill_never_looks_ahead():
    rng = np.random.default_rng(0)
    values = rng.normal(size=60)
    values[rng.choice(np.arange(1, 60), 20, replace=False)] = GAP
    whole = forecast.fill(values, 7)
    for end in range(1, 60):
        np.testing.assert_array_equal(forecast.fill(values[:end], 7), whole[:end])


def test_fill_needs_a_beginning():
    with pytest.raises(ValueError, match="begins with a gap"):
        forecast.fill(np.array([GAP, 1.0]), 3)


def test_windows_end_at_their_origin_and_targets_lie_behind():
    values = np.arange(10.0) ** 2
    np.testing.assert_array_equal(forecast.windows(values, np.array([2, 5]), 3), [[0, 1, 4], [9, 16, 25]])
    np.testing.assert_array_equal(forecast.targets(values, np.array([2, 5]), np.array([1, 4])), [[9, 36], [36, 81]])


@pytest.mark.parametrize("origin", [1, 10])
def test_windows_must_lie_inside(origin):
    with pytest.raises(ValueError, match="3 values"):
        forecast.windows(np.arange(10.0), np.array([origin]), 3)


def test_seasonal_naive_takes_the_last_known_season():
    values = np.arange(12.0)
    horizons = np.array([1, 4, 5, 8, 9])
    forecasts = forecast.seasonal_naive(values, np.array([9, 11]), horizons, 4)
    np.testing.assert_array_equal(forecasts, [[6, 9, 6, 9, 6], [8, 11, 8, 11, 8]])


def test_drift_is_exact_for_a_season_on_a_line():
    time = np.arange(40)
    values = 0.5 * time + np.array([0.0, 2.0, -1.0, 5.0])[time % 4]
    origins, horizons = np.arange(10, 25), np.array([1, 3, 4, 7, 12])
    expected = forecast.targets(values, origins, horizons)
    np.testing.assert_allclose(forecast.seasonal_naive(values, origins, horizons, 4, drift=True), expected, atol=1e-12)
    assert np.abs(forecast.seasonal_naive(values, origins, horizons, 4) - expected).min() > 1


def test_linear_finds_a_linear_law():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    weights = rng.normal(size=(4, 2))
    y = x @ weights[:3] + weights[3]
    found = forecast.fit_linear(x, y)
    np.testing.assert_allclose(found, weights, atol=1e-10)
    np.testing.assert_allclose(forecast.predict_linear(x, found), y, atol=1e-10)


def test_forecaster_has_one_number_for_each_horizon():
    model = forecast.forecaster(52, 5)
    assert model.output.shape == (None, 5)
    assert model.count_params() == 4 * 32 * (1 + 32 + 1) + 5 * 33
