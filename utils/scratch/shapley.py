"""Shapley values: what each player, or feature, adds to a result, in the mean over all orders of joining."""

import math
from collections.abc import Callable

import numpy as np

Value = Callable[[np.ndarray], np.ndarray]
MOST_PLAYERS = 16  # 65,536 coalitions


def coalitions(players: int) -> np.ndarray:
    """Return every set of players, as rows of booleans, from nobody to all: shape (2 ** players, players).

    Raises
    ------
    ValueError
        If there are more sets than one should ask.
    """
    if not 1 <= players <= MOST_PLAYERS:
        raise ValueError(
            f"{players} players have 2^{players} coalitions: ask for 1 to {MOST_PLAYERS} players, or draw samples."
        )
    numbers = np.arange(2**players)
    return (numbers[:, None] >> np.arange(players)) & 1 == 1


def exact(value: Value, players: int) -> np.ndarray:
    """Return the Shapley values, from all coalitions.

    Source: L. S. Shapley, *A value for n-person games*, 1953, equation 13: a player joins a coalition of s others of n
    in a share s! (n - s - 1)! / n! of all orders.

    Parameters
    ----------
    value : callable
        Maps coalitions, rows of booleans (sets, players), to what each is worth, (sets,).
    players : int
        How many.

    Returns
    -------
    numpy.ndarray
        Shape (players,). They sum to the worth of all less that of nobody.
    """
    sets = coalitions(players)
    worth = np.asarray(value(sets), float)
    sizes = sets.sum(axis=1)
    share = np.array([1 / (players * math.comb(players - 1, size)) for size in range(players)])
    result = np.zeros(players)
    for player in range(players):
        without = np.flatnonzero(~sets[:, player])
        joined = worth[without + 2**player] - worth[without]  # the set with the player stands 2^player rows below
        result[player] = (share[sizes[without]] * joined).sum()
    return result


def sampled(value: Value, players: int, orders: int, generator: np.random.Generator) -> np.ndarray:
    """Return what each player adds in each of some random orders of joining; the mean estimates the Shapley value.

    Source: J. Castro et al., *Polynomial calculation of the Shapley value based on sampling*, 2009.

    Parameters
    ----------
    value, players
        As for :func:`exact`.
    orders : int
        How many orders are drawn.
    generator : numpy.random.Generator
        Draws them.

    Returns
    -------
    numpy.ndarray
        Shape (orders, players). Each row sums to the worth of all less that of nobody.
    """
    order = np.stack([generator.permutation(players) for _ in range(orders)])
    place = np.argsort(order, axis=1)  # (orders, players): when each joins
    # After k have joined: those with a place below k. (orders, players + 1, players)
    sets = place[:, None, :] < np.arange(players + 1)[:, None]
    worth = np.asarray(value(sets.reshape(-1, players)), float).reshape(orders, players + 1)
    return np.take_along_axis(np.diff(worth, axis=1), place, axis=1)


def regressed(value: Value, players: int) -> np.ndarray:
    """Return the Shapley values as the coefficients of a weighted least squares fit to all coalitions.

    Source: S. M. Lundberg and S.-I. Lee, *A Unified Approach to Interpreting Model Predictions*, 2017, theorem 2
    (Kernel SHAP). The infinite weights of nobody and of all are kept as conditions.

    Parameters
    ----------
    value, players
        As for :func:`exact`, at least two players.

    Returns
    -------
    numpy.ndarray
        Shape (players,).
    """
    sets = coalitions(players)
    worth = np.asarray(value(sets), float)
    sizes = sets.sum(axis=1)
    inner = (sizes > 0) & (sizes < players)
    weights = np.array([(players - 1) / (math.comb(players, size) * size * (players - size)) for size in sizes[inner]])
    total = worth[-1] - worth[0]
    # The last coefficient is what is left of the total: so the sum is right, and the others are free.
    x = sets[inner, :-1] - sets[inner, -1:].astype(float)  # (sets, players - 1)
    y = worth[inner] - worth[0] - sets[inner, -1] * total
    root = np.sqrt(weights)
    free, *_ = np.linalg.lstsq(root[:, None] * x, root * y, rcond=None)
    return np.append(free, total - free.sum())


def interventional(model: Callable[[np.ndarray], np.ndarray], x: np.ndarray, background: np.ndarray) -> Value:
    """Return the worth of a set of features: the mean output where the others come from background examples.

    Source: Lundberg and Lee, 2017, equations 9 to 11, with the features taken as independent.

    Parameters
    ----------
    model : callable
        Maps rows of features (rows, features) to outputs (rows,).
    x : numpy.ndarray
        The example to be explained, shape (features,).
    background : numpy.ndarray
        Shape (examples, features).

    Returns
    -------
    callable
        For :func:`exact`, :func:`sampled` and :func:`regressed`.
    """

    def worth(sets: np.ndarray) -> np.ndarray:
        mixed = np.where(sets[:, None, :], x, background)  # (sets, examples, features)
        outputs = np.asarray(model(mixed.reshape(-1, len(x))))
        return outputs.reshape(len(sets), len(background)).mean(axis=1)

    return worth
