"""Power laws: values by hand, fits against what made the losses, profiles, resampled seeds, and parabolas."""

import dataclasses

import numpy as np
import pytest
from scipy import optimize

from utils.scratch.scaling import (
    PowerLaw,
    bootstrap,
    fit_power_law,
    fit_two_terms,
    parabola_minimum,
    power_law,
    profile_floor,
)

SIZES = np.array([2000.0, 5000.0, 11000.0, 30000.0, 90000.0])


def noisy(law, spread, seed=0, x=SIZES):
    return law(x) * np.exp(spread * np.random.default_rng(seed).normal(size=len(x)))


def test_power_laws_by_hand():
    assert power_law(100, 6.0, 0.5) == pytest.approx(0.6)
    assert power_law(100.0, 6.0, 0.5, 2.0) == pytest.approx(2.6)
    np.testing.assert_allclose(power_law(np.array([1, 4]), 3.0, 0.5, 1.0), [4, 2.5])
    assert PowerLaw(6.0, 0.5)(100) == pytest.approx(0.6)
    assert PowerLaw(6.0, 0.5, 2.0)(100) == pytest.approx(2.6)


@pytest.mark.parametrize("floor", [0.0, 1.5, -0.7])
def test_a_law_without_noise_is_found(floor):
    law = PowerLaw(7.0, 0.1, floor)
    found = fit_power_law(SIZES, law(SIZES), floor)
    assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(law), rel=1e-9)
    assert all(isinstance(value, float) for value in dataclasses.astuple(found))


def test_fit_is_the_line_of_least_squares_in_logarithms():
    losses = noisy(PowerLaw(6.0, 0.12, 1.0), 0.03)
    found = fit_power_law(SIZES, losses, 0.8)
    slope, height = np.polyfit(np.log(SIZES), np.log(losses - 0.8), 1)
    assert (found.a, found.alpha, found.floor) == pytest.approx((np.exp(height), -slope, 0.8))
    assert fit_power_law(list(SIZES), list(losses)).floor == 0
    two = fit_power_law(SIZES[:2], losses[:2])
    np.testing.assert_allclose(two(SIZES[:2]), losses[:2])


def test_single_precision_goes_in_and_double_comes_out():
    single = SIZES.astype("float32"), noisy(PowerLaw(6.0, 0.12, 1.0), 0.03).astype("float32")
    double = [part.astype(float) for part in single]
    for one, other in ((single[0], double[1]), (double[0], single[1])):
        assert fit_power_law(one, other) == fit_power_law(*double)
    assert power_law(single[0], 6.0, 0.5).dtype == np.float64


SHAPES = r"^The sizes have shape .* and the losses .*: expected one loss a size\.$"
VALUES = r"^Sizes and losses must be positive, and at least two sizes different\.$"


@pytest.mark.parametrize(
    ("x", "losses", "message"),
    [
        ([1.0, 2.0, 3.0], [1.0, 2.0], SHAPES),
        ([[1.0, 2.0]], [[1.0, 2.0]], SHAPES),
        ([1.0, 0.0], [1.0, 2.0], VALUES),
        ([2.0, 2.0, 2.0], [1.0, 2.0, 3.0], VALUES),
        ([1.0, 2.0], [1.0, 0.0], VALUES),
        ([], [], VALUES),
    ],
)
def test_what_cannot_be_fitted(x, losses, message):
    good = [1.0, 2.0]
    for call in (
        lambda: fit_power_law(x, losses, -1.0),
        lambda: fit_two_terms(x, good, losses),
        lambda: fit_two_terms(good, x, losses),
    ):
        with pytest.raises(ValueError, match=f"{SHAPES}|{VALUES}" if len(losses) != 2 else message):
            call()


def test_two_sizes_suffice_and_need_not_be_above_one():
    assert fit_power_law([0.5, 0.25], [1.0, 2.0]).alpha == pytest.approx(1)


def test_a_loss_on_the_floor():
    for floor in (1.0, 1.2):
        with pytest.raises(ValueError, match=rf"^The smallest loss is 1: expected all .* the floor of {floor:g}\.$"):
            fit_power_law([1.0, 2.0], [2.0, 1.0], floor)


def test_profile_is_lowest_at_the_floor_that_made_the_losses():
    floors = np.linspace(-0.5, 1.2, 18)
    errors = profile_floor(SIZES, PowerLaw(7.0, 0.3, 1.0)(SIZES), floors)
    assert errors.shape == (18,)
    assert floors[errors.argmin()] == pytest.approx(1.0)
    assert errors.min() < 1e-20
    assert np.all(np.diff(errors[:16]) < 0)
    assert np.all(np.diff(errors[15:]) > 0)


def test_profile_by_hand():
    losses, floor = np.array([4.0, 3.0, 2.0]), 1.0
    x = np.exp([0.0, 1.0, 2.0])
    v = np.log([3.0, 2.0, 1.0])
    line = v.mean() + (v[2] - v[0]) / 2 * np.array([-1, 0, 1])
    expected = sum((np.log(losses) - np.log(1 + np.exp(line))) ** 2)
    np.testing.assert_allclose(profile_floor(x, losses, [floor]), [expected])


def test_errors_of_all_floors_are_in_percent_of_the_loss():
    # one loss of many that is one percent high, where the law is otherwise exact
    law, x = PowerLaw(5.0, 0.2, 2.0), np.geomspace(1, 1e6, 400)
    losses = law(x)
    losses[200] *= 1.01
    assert profile_floor(x, losses, [2.0])[0] == pytest.approx(np.log(1.01) ** 2, rel=0.02)


def test_bootstrap_draws_seeds_for_each_size_on_its_own():
    losses = np.array([[1.0, 2.0, 4.0], [10.0, 20.0, 40.0]])
    draws = bootstrap(losses, lambda means: means, 4000, seed=1)
    assert draws.shape == (4000, 2)
    np.testing.assert_allclose(draws.mean(axis=0), losses.mean(axis=1), rtol=0.02)
    np.testing.assert_allclose(draws.std(axis=0), losses.std(axis=1) / np.sqrt(3), rtol=0.04)
    assert abs(np.corrcoef(draws.T)[0, 1]) < 0.05
    thirds = np.unique(np.round(3 * draws[:, 0]))
    assert set(thirds) <= {3.0, 4, 5, 6, 7, 8, 9, 10, 12} and {3.0, 12.0} <= set(thirds)


def test_bootstrap_keeps_the_checkpoints_of_a_run_together():
    runs = np.random.default_rng(0).normal(size=(3, 4, 1))
    losses = runs * np.array([1.0, 2.0, 5.0])
    draws = bootstrap(losses, lambda means: means, 50)
    assert draws.shape == (50, 3, 3)
    np.testing.assert_allclose(draws, draws[:, :, :1] * np.array([1.0, 2.0, 5.0]))
    assert np.unique(draws[:, 0, 0]).size > 5


def test_bootstrap_repeats_and_counts():
    losses = np.random.default_rng(0).normal(size=(2, 5))
    first, again, other = (bootstrap(losses, np.sum, 20, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    np.testing.assert_array_equal(bootstrap(losses, np.sum, 20), first)
    assert bootstrap(losses, np.sum).shape == (1000,)


def test_bootstrap_needs_two_seeds():
    with pytest.raises(ValueError, match=r"^The losses have shape \(3, 1\): expected sizes, and at least two seeds"):
        bootstrap(np.ones((3, 1)), np.sum)
    assert bootstrap(np.ones((3, 2)), np.sum, 4).tolist() == [3.0] * 4


def test_minimum_of_a_parabola():
    x = np.array([7.0, 8.0, 9.5, 11.0])
    place, value = parabola_minimum(x, 0.3 * (x - 9.2) ** 2 + 2.5)
    assert (place, value) == pytest.approx((9.2, 2.5))
    assert isinstance(place, float) and isinstance(value, float)
    losses = np.array([3.0, 2.2, 2.4, 3.1])
    place, value = parabola_minimum(x, losses)
    curve = np.polynomial.Polynomial.fit(x, losses, 2)
    found = optimize.minimize_scalar(curve, bounds=(7, 11))
    assert (place, value) == (pytest.approx(found.x, abs=1e-5), pytest.approx(found.fun))


def test_what_has_no_lowest_point():
    x = np.array([7.0, 8.0, 9.0])
    message = "^The parabola opens downward: it has no lowest point, so take sizes on both sides of it\\.$"
    with pytest.raises(ValueError, match=message):
        parabola_minimum(x, np.array([2.0, 3.0, 2.0]))
    with pytest.raises(ValueError, match=message):
        parabola_minimum(x, np.zeros(3))
    with pytest.raises(ValueError, match=r"^There are 2 different sizes: a parabola needs at least three\.$"):
        parabola_minimum(np.array([7.0, 7.0, 8.0]), np.array([2.0, 2.1, 3.0]))
    assert parabola_minimum(x, np.array([3.0, 2.0, 3.0]))[0] == pytest.approx(8)
