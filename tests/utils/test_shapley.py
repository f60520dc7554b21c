"""Shapley values: games by hand, linear models, and four ways that must agree."""

from itertools import permutations

import numpy as np
import pytest

from utils.scratch.shapley import coalitions, exact, interventional, regressed, sampled


def gloves(sets):
    """Players 0 and 1 have a left glove, player 2 a right one; a pair is worth 1."""
    return ((sets[:, 0] | sets[:, 1]) & sets[:, 2]).astype(float)


def random_game(players, seed=0):
    worth = np.random.default_rng(seed).normal(size=2**players)

    def value(sets):
        return worth[(sets * 2 ** np.arange(players)).sum(axis=1)]

    return value


def by_orders(value, players):
    """The definition: the mean over all orders of what a player adds on joining."""
    total = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        there = np.zeros(players, bool)
        for player in order:
            before = value(there[None])[0]
            there[player] = True
            total[player] += value(there[None])[0] - before
    return total / len(orders)


def test_coalitions():
    assert coalitions(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]
    assert len(coalitions(16)) == 65_536
    for players in (0, 17):
        with pytest.raises(ValueError) as error:
            coalitions(players)
        assert str(error.value) == (
            f"{players} players have 2^{players} coalitions: ask for 1 to 16 players, or draw samples."
        )


def test_the_glove_game():
    np.testing.assert_allclose(exact(gloves, 3), [1 / 6, 1 / 6, 4 / 6])
    np.testing.assert_allclose(regressed(gloves, 3), [1 / 6, 1 / 6, 4 / 6])


@pytest.mark.parametrize("players", [1, 2, 3, 5])
def test_exact_is_the_mean_over_all_orders(players):
    value = random_game(players)
    found = exact(value, players)
    np.testing.assert_allclose(found, by_orders(value, players), atol=1e-12)
    ends = value(np.array([[False] * players, [True] * players]))
    assert found.sum() == pytest.approx(ends[1] - ends[0])  # efficiency


@pytest.mark.parametrize("players", [2, 3, 6])
def test_the_regression_gives_the_same(players):
    value = random_game(players, seed=players)
    np.testing.assert_allclose(regressed(value, players), exact(value, players), atol=1e-10)


def test_who_adds_nothing_gets_nothing_and_equals_get_equal_shares():
    def value(sets):
        return 3.0 * (sets[:, 0] & sets[:, 1]) + 0.0 * sets[:, 2] + 7

    np.testing.assert_allclose(exact(value, 3), [1.5, 1.5, 0])


def test_worths_may_be_booleans():
    def value(sets):
        return sets[:, 0] & ~sets[:, 1]

    np.testing.assert_allclose(exact(value, 2), [0.5, -0.5])
    np.testing.assert_allclose(regressed(value, 2), [0.5, -0.5])
    drawn = sampled(value, 2, 20, np.random.default_rng(0))
    assert {tuple(row) for row in drawn.tolist()} == {(1, -1), (0, 0)}


def test_samples():
    value = random_game(5, seed=1)
    drawn = sampled(value, 5, 4000, np.random.default_rng(0))
    assert drawn.shape == (4000, 5)
    ends = value(np.array([[False] * 5, [True] * 5]))
    np.testing.assert_allclose(drawn.sum(axis=1), ends[1] - ends[0])
    error = drawn.std(axis=0, ddof=1) / np.sqrt(4000)
    assert (np.abs(drawn.mean(axis=0) - exact(value, 5)) < 4 * error).all()


def test_a_sampled_order_by_hand():
    generator = np.random.default_rng(2)
    order = np.random.default_rng(2).permutation(3)
    (row,) = sampled(gloves, 3, 1, generator)
    there, expected = np.zeros(3, bool), np.zeros(3)
    for player in order:
        before = gloves(there[None])[0]
        there[player] = True
        expected[player] = gloves(there[None])[0] - before
    np.testing.assert_array_equal(row, expected)


def test_a_linear_model_in_closed_form():
    rng = np.random.default_rng(3)
    w, x, background = rng.normal(size=4), rng.normal(size=4), rng.normal(size=(9, 4))
    value = interventional(lambda rows: rows @ w + 2, x, background)
    expected = w * (x - background.mean(axis=0))
    np.testing.assert_allclose(exact(value, 4), expected, atol=1e-12)
    np.testing.assert_allclose(sampled(value, 4, 1, rng), [expected], atol=1e-12)
    np.testing.assert_allclose(value(coalitions(4)[[0, -1]]), [(background @ w).mean() + 2, x @ w + 2])


def test_a_product_depends_on_the_background():
    x, background = np.array([2.0, 3.0]), np.array([[0.0, 0.0], [1.0, 1.0]])
    found = exact(interventional(lambda rows: rows[:, 0] * rows[:, 1], x, background), 2)
    # nobody 1/2, the first alone 2 · 1/2, the second alone 3 · 1/2, both 6
    np.testing.assert_allclose(found, [(0.5 + 4.5) / 2, (1 + 5) / 2])
