"""Scaling laws: values by hand, fits against what made the losses and against SciPy's searches, published constants."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from scipy import optimize

from utils.scratch import scaling
from utils.scratch.scaling import (
    PowerLaw,
    TwoTermLaw,
    bootstrap,
    fit_power_law,
    fit_two_terms,
    flops,
    optimal_allocation,
    parabola_minimum,
    power_law,
    profile_floor,
)

SIZES = np.array([2000.0, 5000.0, 11000.0, 30000.0, 90000.0])
# J. Hoffmann et al., 2022, appendix D.3, as printed; T. Besiroglu et al., 2024, fit to the same losses.
PRINTED = TwoTermLaw(1.69, 406.4, 410.7, 0.34, 0.28)
REFITTED = TwoTermLaw(1.8172, 482.01, 2085.43, 0.3478, 0.3658)


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


def test_flops_by_hand():
    assert flops(10, 7) == 420
    np.testing.assert_allclose(flops(np.array([1, 2]), np.array([5, 10])), [30, 120])
    # Chinchilla, 70 billion parameters and 1.4 trillion tokens: 5.88e23
    assert flops(70e9, 1.4e12) == pytest.approx(5.88e23)
    assert flops(10**12, 10**12) == 6e24  # more than a whole number of 64 bits holds


def test_two_terms_by_hand():
    law = TwoTermLaw(1.0, 6.0, 8.0, 0.5, 1.0)
    assert law(9, 4) == pytest.approx(1 + 2 + 2)
    np.testing.assert_allclose(law(np.array([9.0, 36.0]), 2), [1 + 2 + 4, 1 + 1 + 4])


def grid(law=None, n=(1e3, 1e5), d=(1e4, 1e6), spread=0.0, seed=0):
    sizes, tokens = (a.ravel() for a in np.meshgrid(np.geomspace(*n, 5), np.geomspace(*d, 6)))
    return sizes, tokens, law(sizes, tokens) * np.exp(spread * np.random.default_rng(seed).normal(size=30))


@pytest.mark.parametrize(
    "law",
    [
        TwoTermLaw(1.0, 20.0, 90.0, 0.3, 0.5),
        TwoTermLaw(2.0, 3.0, 400.0, 0.15, 0.6),
        TwoTermLaw(0.5, 300.0, 50.0, 0.7, 0.35),
    ],
)
def test_a_law_of_two_terms_without_noise_is_found(law):
    found = fit_two_terms(*grid(law))
    assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(law), rel=0.01)
    assert found.alpha == pytest.approx(law.alpha, rel=1e-3)
    assert all(isinstance(value, float) for value in dataclasses.astuple(found))


def test_the_printed_law_is_found_from_its_own_losses():
    sizes, tokens = (a.ravel() for a in np.meshgrid(np.geomspace(1e8, 1e10, 7), np.geomspace(1e9, 1e12, 8)))
    found = fit_two_terms(sizes, tokens, PRINTED(sizes, tokens))
    assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(PRINTED), rel=2e-3)


@pytest.mark.parametrize("seed", range(4))
def test_fit_of_two_terms_is_as_good_as_what_scipy_finds(seed):
    sizes, tokens, losses = grid(TwoTermLaw(1.0, 20.0, 90.0, 0.3, 0.5), spread=0.02, seed=seed)
    found = fit_two_terms(sizes, tokens, losses)

    def errors(values):
        e, log_a, log_b, alpha, beta = values
        return (e + np.exp(log_a - alpha * np.log(sizes)) + np.exp(log_b - beta * np.log(tokens))) / losses - 1

    values = [found.floor, np.log(found.a), np.log(found.b), found.alpha, found.beta]
    ours = np.sum(errors(values) ** 2)
    bounds = ([0, -20, -20, 0.02, 0.02], [9, 20, 20, 1.5, 1.5])
    starts = [values, [0.5, 2.0, 3.0, 0.2, 0.3], [1.5, 4.0, 6.0, 0.6, 0.8]]
    best = min(2 * optimize.least_squares(errors, np.clip(start, *bounds), bounds=bounds).cost for start in starts)
    assert ours <= best * 1.001


@pytest.mark.parametrize("seed", range(6))
def test_weights_are_those_of_scipys_search_without_negative_ones(seed):
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(20, 8, 3)) + 0.2
    weights, errors = scaling._non_negative(columns)
    for part, found, error in zip(columns, weights, errors, strict=True):
        expected, rest = optimize.nnls(part, np.ones(8))
        np.testing.assert_allclose(found, expected, atol=1e-9)
        assert error == pytest.approx(rest**2)
    assert any((w == 0).any() for w in weights) and any((w > 0).all() for w in weights)


def test_no_column_helps():
    weights, errors = scaling._non_negative(-np.abs(np.random.default_rng(0).normal(size=(2, 5, 3))))
    np.testing.assert_array_equal(weights, np.zeros((2, 3)))
    np.testing.assert_array_equal(errors, [5, 5])


def test_a_floor_that_would_be_negative_is_zero():
    sizes, tokens, _ = grid(PRINTED)
    losses = 30 * sizes**-0.3 + 50 * tokens**-0.3 - 0.1
    assert losses.min() > 0
    assert fit_two_terms(sizes, tokens, losses).floor == 0


def test_search_stays_within_its_exponents():
    sizes, tokens, losses = grid(TwoTermLaw(1.0, 20.0, 90.0, 0.3, 0.5))
    found = fit_two_terms(sizes, tokens, losses, exponents=(0.4, 0.45))
    assert (found.alpha, found.beta) == pytest.approx((0.4, 0.45))
    found = fit_two_terms(sizes, tokens, losses, exponents=(0.05, 0.25))
    assert 0.05 <= found.alpha <= 0.25 + 1e-12 and found.beta == pytest.approx(0.25)


def test_more_rounds_come_closer():
    law = TwoTermLaw(1.0, 20.0, 90.0, 0.3, 0.5)
    sizes, tokens, losses = grid(law)
    far = [np.abs(fit_two_terms(sizes, tokens, losses, rounds=n)(sizes, tokens) / losses - 1).max() for n in (1, 3, 6)]
    assert far[0] > 3 * far[1] > 9 * far[2]
    assert far[2] < 1e-4
    # one round gives the best point of the first grid
    first = fit_two_terms(sizes, tokens, losses, (0.1, 1.6), points=5, rounds=1)
    assert (first.alpha, first.beta) == pytest.approx((0.4, 0.4))


@pytest.mark.parametrize("law", [PRINTED, REFITTED, TwoTermLaw(1.0, 20.0, 900.0, 0.7, 0.3)])
@pytest.mark.parametrize("compute", [1e15, 5.76e23])
def test_allocation_is_what_scipy_finds_along_the_budget(law, compute):
    n, d = optimal_allocation(compute, law)
    assert flops(n, d) == pytest.approx(compute)
    found = optimize.minimize_scalar(
        lambda log_n: law(np.exp(log_n), compute / 6 / np.exp(log_n)), bounds=(1, 50), options={"xatol": 1e-10}
    )
    assert np.log(n) == pytest.approx(found.x, abs=1e-3)
    assert law(n, d) == pytest.approx(found.fun, rel=1e-12)


def test_allocation_of_many_budgets():
    n, d = optimal_allocation(np.array([1e18, 1e20]), PRINTED)
    assert n.shape == d.shape == (2,)
    # Hoffmann et al., 2022, table 2: a = 0.46, b = 0.54 for the third approach
    assert np.log(n[1] / n[0]) / np.log(100) == pytest.approx(0.28 / 0.62)
    assert np.log(d[1] / d[0]) / np.log(100) == pytest.approx(0.34 / 0.62)


def test_published_laws_at_the_budget_of_gopher():
    n, d = optimal_allocation(5.76e23, PRINTED)
    assert (n, d) == (pytest.approx(32.2e9, rel=0.01), pytest.approx(2.98e12, rel=0.01))
    n, d = optimal_allocation(5.76e23, REFITTED)  # near Chinchilla: 70 billion, and 20 tokens for each
    assert (n, d / n) == (pytest.approx(70e9, rel=0.05), pytest.approx(20, rel=0.1))


def test_a_term_of_nothing_has_no_best_size():
    for law in (TwoTermLaw(1.0, 0.0, 2.0, 0.3, 0.3), TwoTermLaw(1.0, 2.0, 0.0, 0.3, 0.3)):
        with pytest.raises(
            ValueError, match=rf"^The law has A = {law.a:g} and B = {law.b:g}: expected both above 0\.$"
        ):
            optimal_allocation(1e9, law)


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
    with pytest.raises(ValueError, match=r"^There are 2 different sizes: a parabola needs at least three\.$"):
        parabola_minimum(np.array([7.0, 7.0, 8.0]), np.array([2.0, 2.1, 3.0]))
    assert parabola_minimum(x, np.array([3.0, 2.0, 3.0]))[0] == pytest.approx(8)


def test_isoflop_curves_of_the_law_are_lowest_near_its_allocation():
    places = []
    for compute in (1e19, 1e21):
        n, _ = optimal_allocation(compute, PRINTED)
        sizes = n * np.geomspace(0.5, 2, 7)
        place, _ = parabola_minimum(np.log(sizes), PRINTED(sizes, compute / 6 / sizes))
        assert place == pytest.approx(np.log(n), abs=0.05)
        places.append(place)
    assert all(a < b for a, b in pairwise(places))
