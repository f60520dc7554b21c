"""Grids and draws, halving by hand, and the best of many against enumeration, simulation and order statistics."""

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from utils.scratch.search import between, expected_best, expected_maximum, grid, halving


def test_a_grid_is_every_combination():
    assert grid([1, 2], [0.5, 0.7, 0.9]) == [(1, 0.5), (1, 0.7), (1, 0.9), (2, 0.5), (2, 0.7), (2, 0.9)]
    assert grid([3]) == [(3,)]


def test_draws_are_uniform_in_the_logarithm():
    generator = np.random.default_rng(0)
    drawn = np.array([between(0.001, 1.0, generator) for _ in range(3000)])
    assert drawn.min() >= 0.001
    assert drawn.max() <= 1
    assert stats.kstest(np.log10(drawn), stats.uniform(-3, 3).cdf).pvalue > 0.01


# Setting 2 is best in the end, setting 0 at first; columns are epochs 1, 2, 4, 8.
CURVES = {
    0: {1: 9, 2: 5, 4: 5, 8: 5},
    1: {1: 3, 2: 6, 4: 6, 8: 6},
    2: {1: 8, 2: 8, 4: 8, 8: 9},
    3: {1: 2, 2: 9, 4: 9, 8: 99},
    4: {1: 5, 2: 5, 4: 9, 8: 9},
    5: {1: 4, 2: 4, 4: 4, 8: 4},
    6: {1: 7, 2: 7, 4: 7, 8: 7},
    7: {1: 1, 2: 9, 4: 9, 8: 9},
}


def test_halving_by_hand():
    best, rungs, spent = halving(lambda setting, epochs: CURVES[setting][epochs], 8, 1, 8)
    assert rungs == [list(range(8)), [0, 2, 4, 6], [2, 6], [2]]
    assert best == 2  # setting 3, the best of all, was a slow starter
    assert spent == 8 * 1 + 4 * 1 + 2 * 2 + 1 * 4


def test_halving_that_stops_before_one_is_left_takes_the_best():
    best, rungs, spent = halving(lambda setting, epochs: CURVES[setting][epochs], 8, 1, 3)
    assert (best, rungs, spent) == (2, [list(range(8)), [0, 2, 4, 6]], 12)


def test_one_of_four_is_kept_and_ties_go_to_the_lower_number():
    best, rungs, spent = halving(lambda setting, epochs: 1.0, 8, 2, 8, keep=4)
    assert (best, rungs, spent) == (0, [list(range(8)), [0, 1]], 8 * 2 + 2 * 6)


def test_a_few_settings_and_one_setting():
    assert halving(lambda setting, epochs: setting, 3, 1, 4) == (2, [[0, 1, 2], [2]], 4)
    assert halving(lambda setting, epochs: setting, 1, 2, 8) == (0, [[0]], 2)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_best_of_drawn_scores_by_enumeration(count):
    scores = np.array([0.3, 0.9, 0.1, 0.4])
    expected = np.mean([max(draw) for draw in itertools.product(scores, repeat=count)])
    assert expected_best(scores, count) == pytest.approx(expected)
    assert expected_best(np.array([2.0, 2.0]), count) == 2.0


@pytest.mark.parametrize("count", [1, 2, 5, 30, 200])
def test_the_largest_of_many_draws(count):
    found = expected_maximum(count)
    density = lambda a: a * count * stats.norm.pdf(a) * stats.norm.cdf(a) ** (count - 1)  # noqa: E731
    assert found == pytest.approx(integrate.quad(density, -9, 9)[0], abs=1e-5)
    assert found <= np.sqrt(2 * np.log(count)) + 1e-9
    drawn = np.random.default_rng(count).normal(size=(4000, count)).max(axis=1)
    assert found == pytest.approx(drawn.mean(), abs=5 * drawn.std() / np.sqrt(4000))


def test_two_draws_have_a_known_maximum():
    assert expected_maximum(2) == pytest.approx(1 / np.sqrt(np.pi), abs=1e-6)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: between(0, 1, None), "Between 0 and 1 no logarithm can be drawn: expected 0 < low < high."),
        (lambda: between(2, 2, None), "Between 2 and 2 no logarithm"),
        (lambda: halving(max, 0, 1, 8), "0 settings, 1 to 8 epochs, one of 2 kept: expected at least 1 setting"),
        (lambda: halving(max, 4, 0, 8), "4 settings, 0 to 8 epochs"),
        (lambda: halving(max, 4, 9, 8), "4 settings, 9 to 8 epochs"),
        (lambda: halving(max, 4, 1, 8, 1), "4 settings, 1 to 8 epochs, one of 1 kept"),
        (lambda: expected_best(np.zeros(3), 0), "0 of 3 scores are drawn: expected at least 1 of at least 1."),
        (lambda: expected_best(np.zeros(0), 2), "2 of 0 scores are drawn"),
        (lambda: expected_maximum(0), "The largest of 0 draws does not exist: expected at least 1."),
    ],
)
def test_refusals(call, sentence):
    with pytest.raises(ValueError, match="^" + sentence):
        call()
