"""How many runs tell two recipes apart: the power of a t-test, computed by averaging over what the spread may seem."""

from __future__ import annotations

import math

import numpy as np

from utils.scratch.activations import erf  # the error function, which NumPy lacks

_NODES = 10_000  # of the midpoint rule: three digits of the most extreme value, six of others


def normal_cdf(a: np.ndarray | float) -> np.ndarray:
    """Return the share of the bell with mean 0 and standard deviation 1 that lies below a."""
    return (1 + erf(np.asarray(a) / math.sqrt(2))) / 2


def _spreads(freedom: int) -> tuple[np.ndarray, np.ndarray]:
    """Return estimated spreads, in units of the true one, and the weight of each: (nodes,), (nodes,)."""
    top = 1 + 9 / math.sqrt(freedom)
    s = (np.arange(_NODES) + 0.5) * top / _NODES
    # The density of sqrt(chi² / freedom), through logarithms: its parts overflow.
    log = (
        math.log(2)
        + freedom / 2 * math.log(freedom / 2)
        - math.lgamma(freedom / 2)
        + (freedom - 1) * np.log(s)
        - freedom * s * s / 2
    )
    weights = np.exp(log)
    return s, weights / weights.sum()


def t_critical(freedom: int, level: float = 0.05) -> float:
    """Return what Student's t exceeds, on either side, with probability ``level`` where there is no difference.

    Parameters
    ----------
    freedom : int
        Degrees of freedom, at least 1.
    level : float
        In (0, 1).

    Raises
    ------
    ValueError
        If there is no degree of freedom: one run has no spread.
    """
    if freedom < 1:
        raise ValueError(f"There are {freedom} degrees of freedom: expected at least 1, so at least two runs.")
    if not 0 < level < 1:
        raise ValueError(f"The level is {level:g}: expected a probability between 0 and 1.")
    s, weights = _spreads(freedom)
    low, high = 0.0, 1.0
    while 2 * weights @ normal_cdf(-high * s) > level:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        if 2 * weights @ normal_cdf(-middle * s) > level:
            low = middle
        else:
            high = middle
    return high


def t_power(
    difference: float, spread: float, runs: int, correlation: float | None = None, level: float = 0.05
) -> float:
    """Return how often a two-sided t-test finds a true difference between two recipes.

    Given the estimated spread, t is a bell around the true difference in standard errors; the power is the mean, over
    what the estimate may be, of the part of the bell beyond the critical value.

    Source: J. Cohen, *Statistical Power Analysis for the Behavioral Sciences*, 1988, chapter 2.

    Parameters
    ----------
    difference : float
        Between the true means.
    spread : float
        Standard deviation of the runs of one recipe.
    runs : int
        Of each recipe, at least 2.
    correlation : float, optional
        Of two runs with the same seed: the test is then of their differences. By default the runs are independent.
    level : float
        How often the test may find what is not there.

    Raises
    ------
    ValueError
        If there are too few runs or the spread is not positive.
    """
    if runs < 2:
        raise ValueError(f"There are {runs} runs: expected at least 2 of each recipe.")
    paired = correlation is not None
    variance = 2 * spread**2 * (1 - (correlation or 0.0))
    if not variance > 0:
        raise ValueError(f"The difference of two runs has the variance {variance:g}: expected more than 0.")
    freedom = runs - 1 if paired else 2 * (runs - 1)
    shift = difference / math.sqrt(variance / runs)
    s, weights = _spreads(freedom)
    bound = t_critical(freedom, level) * s
    return float(weights @ (normal_cdf(shift - bound) + normal_cdf(-shift - bound)))


def runs_needed(
    difference: float, spread: float, correlation: float | None = None, power: float = 0.8, most: int = 1000
) -> int:
    """Return the least number of runs of each recipe with which a t-test at 5% finds a difference so often.

    Parameters
    ----------
    difference, spread, correlation
        As for :func:`t_power`.
    power : float
        How often it shall be found.
    most : int
        Where to stop.

    Raises
    ------
    ValueError
        If ``most`` runs are not enough.
    """
    low, high = 1, most  # power grows with the runs
    if t_power(difference, spread, most, correlation) < power:
        raise ValueError(f"Even {most} runs of each find the difference in fewer than {power:.0%} of the trials.")
    while high - low > 1:
        middle = (low + high) // 2
        if t_power(difference, spread, middle, correlation) < power:
            low = middle
        else:
            high = middle
    return high
