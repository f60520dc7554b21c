"""The law of two terms: fits against what made the losses and against SciPy's searches, and published constants."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from scipy import optimize

from utils.scratch import scaling
from utils.scratch.scaling import TwoTermLaw, fit_two_terms, flops, optimal_allocation, parabola_minimum

# J. Hoffmann et al., 2022, appendix D.3, as printed; T. Besiroglu et al., 2024, fit to the same losses.
PRINTED = TwoTermLaw(1.69, 406.4, 410.7, 0.34, 0.28)
REFITTED = TwoTermLaw(1.8172, 482.01, 2085.43, 0.3478, 0.3658)


def test_flops_by_hand():
    assert flops(10, 7) == 420
    np.testing.assert_allclose(flops(np.array([1, 2]), np.array([5, 10])), [30, 120])
    # Chinchilla, 70 billion parameters and 1.4 trillion tokens: 5.88e23
    assert flops(70e9, 1.4e12) == pytest.approx(5.88e23)
    assert flops(np.float32(3), 1).dtype == np.float64
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
    # the second grid goes from 0.2 to 0.8, again in five steps of one ratio
    second = fit_two_terms(sizes, tokens, losses, (0.1, 1.6), points=5, rounds=2)
    assert (second.alpha, second.beta) == pytest.approx((0.2 * 2**0.5, 0.2 * 2**1.5))
    assert fit_two_terms(sizes, tokens, losses) == fit_two_terms(sizes, tokens, losses, (0.02, 1.5), 12, 6)


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
    assert optimal_allocation(np.float32(1e18), PRINTED)[0].dtype == np.float64
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
    # where both terms are alike, parameters and tokens are too
    assert optimal_allocation(600, TwoTermLaw(0.0, 0.5, 0.5, 0.3, 0.3)) == pytest.approx((10, 10))


def test_isoflop_curves_of_the_law_are_lowest_near_its_allocation():
    places = []
    for compute in (1e19, 1e21):
        n, _ = optimal_allocation(compute, PRINTED)
        sizes = n * np.geomspace(0.5, 2, 7)
        place, _ = parabola_minimum(np.log(sizes), PRINTED(sizes, compute / 6 / sizes))
        assert place == pytest.approx(np.log(n), abs=0.05)
        places.append(place)
    assert all(a < b for a, b in pairwise(places))
