"""Scaling laws: power laws with and without a floor, how sure a fit is, and how to spend a budget of compute."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

Numbers = float | np.ndarray


def power_law(x: Numbers, a: float, alpha: float, floor: float = 0.0) -> Numbers:
    """Return ``floor + a · x^(-alpha)``.

    Source: J. Kaplan et al., *Scaling Laws for Neural Language Models*, 2020, section 1.2, for the law without a floor;
    T. Henighan et al., *Scaling Laws for Autoregressive Generative Modeling*, 2020, equation 1.1, for the one with it,
    "the irreducible loss".
    """
    return floor + a * np.asarray(x, float) ** -alpha


@dataclass(frozen=True)
class PowerLaw:
    """A power law that was fitted; call it with sizes to get losses.

    Attributes
    ----------
    a : what is above the floor at a size of 1
    alpha : how fast that falls: each tenfold size divides it by ``10^alpha``
    floor : where it leads
    """

    a: float
    alpha: float
    floor: float = 0.0

    def __call__(self, x: Numbers) -> Numbers:
        return power_law(x, self.a, self.alpha, self.floor)


def fit_power_law(x: np.ndarray, losses: np.ndarray, floor: float = 0.0) -> PowerLaw:
    """Fit a power law to losses above a known floor: the straight line of least squares through their logarithms.

    Parameters
    ----------
    x : numpy.ndarray
        Sizes, positive, at least two different ones, shape (points,).
    losses : numpy.ndarray
        All above the floor, shape (points,).
    floor : float
        Assumed, not fitted.

    Raises
    ------
    ValueError
        If the shapes differ, the sizes do not fit, or a loss is not above the floor.
    """
    x, losses = _checked(x, losses)
    if (losses <= floor).any():
        raise ValueError(f"The smallest loss is {losses.min():g}: expected all of them above the floor of {floor:g}.")
    u, v = np.log(x), np.log(losses - floor)
    slope = (u - u.mean()) @ (v - v.mean()) / ((u - u.mean()) @ (u - u.mean()))
    return PowerLaw(float(np.exp(v.mean() - slope * u.mean())), float(-slope), floor)


def profile_floor(x: np.ndarray, losses: np.ndarray, floors: np.ndarray) -> np.ndarray:
    """Return how badly the best law with each floor misses the losses: the sum of the squares of its errors in logs.

    An error is ``log(loss) - log(law)``, whatever the floor: one of 0.01 is a loss that is missed by one percent.

    Parameters
    ----------
    x, losses : numpy.ndarray
        As in :func:`fit_power_law`.
    floors : numpy.ndarray
        Each below the smallest loss, shape (floors,).

    Returns
    -------
    numpy.ndarray
        Shape (floors,).
    """
    laws = [fit_power_law(x, losses, floor) for floor in floors]
    return np.array([float(np.sum((np.log(losses) - np.log(law(x))) ** 2)) for law in laws])


def bootstrap(
    losses: np.ndarray, statistic: Callable[[np.ndarray], Any], count: int = 1000, seed: int = 0
) -> np.ndarray:
    """Return a statistic of the mean losses for seeds drawn anew, with replacement, for each size on its own.

    Source: B. Efron, *Bootstrap Methods: Another Look at the Jackknife*, 1979.

    Parameters
    ----------
    losses : numpy.ndarray
        Shape (sizes, seeds), or (sizes, seeds, checkpoints): the checkpoints of a run stay together.
    statistic : callable
        From mean losses, shape (sizes,) or (sizes, checkpoints), to a number or an array of one shape.
    count : int
        How often to draw.
    seed : int
        Of the draws.

    Returns
    -------
    numpy.ndarray
        One row, or one number, a draw.

    Raises
    ------
    ValueError
        If there are fewer than two seeds: they would all be drawn alike.

    Notes
    -----
    With ``n`` seeds the means spread too little, by a factor of ``sqrt((n - 1) / n)`` on average over experiments.
    """
    sizes, seeds = losses.shape[:2]
    if seeds < 2:
        raise ValueError(f"The losses have shape {losses.shape}: expected sizes, and at least two seeds of each.")
    generator, each = np.random.default_rng(seed), np.arange(sizes)[:, None]
    drawn = [generator.integers(0, seeds, (sizes, seeds)) for _ in range(count)]
    return np.array([statistic(losses[each, chosen].mean(axis=1)) for chosen in drawn])


def flops(parameters: Numbers, tokens: Numbers) -> Numbers:
    """Return ``6 N D``, the operations of a training: for a weight and a token 2 forward and 4 backward.

    Source: J. Kaplan et al., *Scaling Laws for Neural Language Models*, 2020, section 2.1.
    """
    return 6.0 * np.asarray(parameters, float) * tokens


@dataclass(frozen=True)
class TwoTermLaw:
    """The loss of ``N`` parameters after ``D`` tokens, ``E + A / N^alpha + B / D^beta``; call it with both.

    Source: J. Hoffmann et al., *Training Compute-Optimal Large Language Models*, 2022, equation 2.

    Attributes
    ----------
    floor : E, of infinitely many parameters and tokens
    a, alpha : of what too few parameters cost
    b, beta : of what too few tokens cost
    """

    floor: float
    a: float
    b: float
    alpha: float
    beta: float

    def __call__(self, parameters: Numbers, tokens: Numbers) -> Numbers:
        return self.floor + power_law(parameters, self.a, self.alpha) + power_law(tokens, self.b, self.beta)


def fit_two_terms(
    parameters: np.ndarray,
    tokens: np.ndarray,
    losses: np.ndarray,
    exponents: tuple[float, float] = (0.02, 1.5),
    points: int = 12,
    rounds: int = 6,
) -> TwoTermLaw:
    """Fit the law of two terms by least squares of its relative errors, ``law / loss - 1``.

    For given exponents the law is linear in E, A and B, so that these are found at once; what is left is a search for
    two exponents, over a grid that closes in on the best of its points.

    Source: G. H. Golub and V. Pereyra, *The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems
    Whose Variables Separate*, 1973. Hoffmann et al., 2022, fit another way, with Huber's loss of logarithms.

    Parameters
    ----------
    parameters, tokens, losses : numpy.ndarray
        One a measurement, positive, shape (points,).
    exponents : tuple of float
        Where the search for both begins and ends.
    points : int
        Of the grid, for each exponent.
    rounds : int
        How often the grid shrinks: to the two steps around the best point.

    Returns
    -------
    TwoTermLaw
        None of its numbers is negative.

    Raises
    ------
    ValueError
        If the shapes differ or the numbers do not fit.
    """
    n, losses = _checked(parameters, losses)
    d, losses = _checked(tokens, losses)
    scale_n, scale_d = np.exp(np.log(n).mean()), np.exp(np.log(d).mean())
    ranges = [exponents, exponents]
    for _ in range(rounds):
        grids = [np.geomspace(low, high, points) for low, high in ranges]
        alpha, beta = (grid.ravel() for grid in np.meshgrid(*grids, indexing="ij"))  # (points²,) each
        columns = np.stack(
            [
                np.ones((len(alpha), len(n))),
                (n / scale_n) ** -alpha[:, None],
                (d / scale_d) ** -beta[:, None],
            ],
            axis=2,
        )  # (points², measurements, 3)
        weights, errors = _non_negative(columns / losses[:, None])
        best = int(errors.argmin())
        ranges = [
            (grid[max(place - 1, 0)], grid[min(place + 1, points - 1)])
            for grid, place in zip(grids, divmod(best, points), strict=True)
        ]
    e, a, b = weights[best]
    alpha, beta = float(alpha[best]), float(beta[best])
    return TwoTermLaw(float(e), float(a * scale_n**alpha), float(b * scale_d**beta), alpha, beta)


def optimal_allocation(compute: Numbers, law: TwoTermLaw) -> tuple[Numbers, Numbers]:
    """Return the parameters and the tokens that give the smallest loss of all with ``6 N D = compute``.

    Source: J. Hoffmann et al., *Training Compute-Optimal Large Language Models*, 2022, equation 4.

    Raises
    ------
    ValueError
        If one of both terms is 0 in the law: what costs nothing has no best size.
    """
    if law.a <= 0 or law.b <= 0:
        raise ValueError(f"The law has A = {law.a:g} and B = {law.b:g}: expected both above 0.")
    total = law.alpha + law.beta
    g = (law.alpha * law.a / (law.beta * law.b)) ** (1 / total)
    product = np.asarray(compute, float) / 6
    return g * product ** (law.beta / total), product ** (law.alpha / total) / g


def parabola_minimum(log_sizes: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
    """Return where the parabola of least squares has its lowest point, and how low that is.

    Source: J. Hoffmann et al., *Training Compute-Optimal Large Language Models*, 2022, section 3.2: the losses of all
    sizes at one budget of compute.

    Parameters
    ----------
    log_sizes, losses : numpy.ndarray
        At least three different sizes, shape (sizes,).

    Raises
    ------
    ValueError
        If there are fewer than three sizes, or the parabola has no lowest point.
    """
    if len(np.unique(log_sizes)) < 3:
        raise ValueError(f"There are {len(np.unique(log_sizes))} different sizes: a parabola needs at least three.")
    middle = np.mean(log_sizes)
    curve, slope, height = np.polyfit(log_sizes - middle, losses, 2)
    if curve <= 0:
        raise ValueError("The parabola opens downward: it has no lowest point, so take sizes on both sides of it.")
    return float(middle - slope / (2 * curve)), float(height - slope**2 / (4 * curve))


def _non_negative(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each of many problems, the weights without a negative one that sum three columns nearest to ones.

    The best weights are positive for some of the columns and zero for the others, and best for those alone: with three
    columns it is quick to try every choice.

    Parameters
    ----------
    columns : numpy.ndarray
        Shape (problems, measurements, 3).

    Returns
    -------
    weights, errors : numpy.ndarray
        Shapes (problems, 3) and (problems,); an error is the sum of the squares of what is missing.
    """
    problems, measurements, _ = columns.shape
    best, errors = np.zeros((problems, 3)), np.full(problems, float(measurements))  # of no column at all
    for count in (1, 2, 3):
        for chosen in combinations(range(3), count):
            part = columns[:, :, chosen]
            q, r = np.linalg.qr(part)  # (problems, measurements, count) and (problems, count, count)
            weights = np.linalg.solve(r, q.sum(axis=1)[:, :, None])  # (problems, count, 1)
            missing = ((1 - (part @ weights)[:, :, 0]) ** 2).sum(axis=1)
            better = (weights >= 0).all(axis=(1, 2)) & (missing < errors)
            best[better], errors[better] = 0, missing[better]
            best[np.ix_(better, chosen)] = weights[better, :, 0]
    return best, errors


def _checked(x: np.ndarray, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sizes and losses as arrays, or raise where they are of no use."""
    x, losses = np.asarray(x, float), np.asarray(losses, float)
    if x.ndim != 1 or x.shape != losses.shape:
        raise ValueError(f"The sizes have shape {x.shape} and the losses {losses.shape}: expected one loss a size.")
    if (x <= 0).any() or len(np.unique(x)) < 2 or (losses <= 0).any():
        raise ValueError("Sizes and losses must be positive, and at least two sizes different.")
    return x, losses
