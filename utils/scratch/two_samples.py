"""Do two samples come from the same distribution? Tests that need no labels."""

import math

import numpy as np


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the squared distance of each row of one sample to each of another: (m, d), (n, d) to (m, n) in float64."""
    x, y = np.asarray(x, float), np.asarray(y, float)  # squares of near rows cancel: float32 would leave its errors
    squares = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2 * x @ y.T
    return np.maximum(squares, 0)  # rounding may leave a little less than none


def median_distance(x: np.ndarray) -> float:
    """Return the median distance of two different rows: a common choice for the width of a kernel.

    Source: Gretton et al., 2012 (see :func:`mmd2`), section 8.

    Raises
    ------
    ValueError
        If there are fewer than two rows, or most of them are the same: no width would be left.
    """
    above = np.triu_indices(len(x), 1)
    width = float(np.sqrt(np.median(squared_distances(x, x)[above]))) if len(x) > 1 else 0.0
    if not width > 0:
        raise ValueError("The median distance is 0: expected at least two rows, and most of them different.")
    return width


def gaussian_kernel(x: np.ndarray, y: np.ndarray, width: float) -> np.ndarray:
    """Return ``exp(-|a - b|² / (2 width²))`` for each row a of one sample and b of another, shape (m, n)."""
    return np.exp(-squared_distances(x, y) / (2 * width * width))


def mmd2(x: np.ndarray, y: np.ndarray, width: float) -> float:
    """Return the squared maximum mean discrepancy of two samples under a Gaussian kernel, without bias.

    Source: A. Gretton et al., *A Kernel Two-Sample Test*, 2012, equation 3. The pairs of a row with itself are left
    out, so the mean over samples of one distribution is 0, and single values may be negative.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shapes (m, d) and (n, d), at least two rows each.
    width : float
        Of the kernel.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    _check(x, y)
    m, n = len(x), len(y)
    inside = gaussian_kernel(x, x, width).sum() - m, gaussian_kernel(y, y, width).sum() - n
    between = gaussian_kernel(x, y, width).sum()
    return float(inside[0] / (m * (m - 1)) + inside[1] / (n * (n - 1)) - 2 * between / (m * n))


def mmd_test(
    x: np.ndarray,
    y: np.ndarray,
    generator: np.random.Generator,
    permutations: int = 199,
    width: float | None = None,
) -> tuple[float, float]:
    """Return :func:`mmd2` of two samples and how probable it or more is if both come from the same distribution.

    The rows of both are thrown together and dealt out again, ``permutations`` times. The p-value is the share of the
    deals, the real one among them, that give as much: under 5% in at most 5% of cases without a difference.

    Parameters
    ----------
    x, y : numpy.ndarray
        As for :func:`mmd2`.
    generator : numpy.random.Generator
        Deals.
    permutations : int
        Deals beside the real one.
    width : float, optional
        Of the kernel; by default the median distance of all rows.
    """
    _check(x, y)
    rows = np.concatenate([x, y])
    kernel = gaussian_kernel(rows, rows, width or median_distance(rows))
    m, n = len(x), len(y)
    first = np.zeros((permutations + 1, m + n))  # 1 where a row is dealt to the first sample
    first[0, :m] = 1
    for deal in first[1:]:
        deal[generator.permutation(m + n)[:m]] = 1
    own = ((first @ kernel) * first).sum(axis=1)  # of the first sample with itself, (permutations + 1,)
    between = first @ kernel.sum(axis=1) - own
    other = kernel.sum() - own - 2 * between
    found = (own - m) / (m * (m - 1)) + (other - n) / (n * (n - 1)) - 2 * between / (m * n)
    return float(found[0]), float((found >= found[0] - 1e-12).mean())


def kolmogorov_smirnov(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest distance of the distribution functions of two samples, column by column, and its p-value.

    Source: N. Smirnov, *Table for Estimating the Goodness of Fit of Empirical Distributions*, 1948: the p-value is the
    one of large samples. With many equal values it is too large, so the test is on the safe side.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shapes (m, d) and (n, d).

    Returns
    -------
    distances, p : numpy.ndarray
        Both (d,).

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    _check(x, y, 1)
    m, n = len(x), len(y)
    rows = np.concatenate([x, y])
    order = np.argsort(rows, axis=0)
    values = np.take_along_axis(rows, order, axis=0)
    gap = np.cumsum(np.where(order < m, 1 / m, -1 / n), axis=0)  # (m + n, d)
    last = np.diff(values, axis=0, append=np.inf) != 0  # of equal values: the functions are compared after all of them
    distances = np.abs(gap * last).max(axis=0)
    return distances, kolmogorov(np.sqrt(m * n / (m + n)) * distances)


def kolmogorov(z: np.ndarray) -> np.ndarray:
    """Return how probable a larger value than each is under Kolmogorov's distribution.

    It has two series: one is short where z is large, the other where it is small.
    """
    z, k = z[..., None], np.arange(1, 11)
    large = -2 * ((-1.0) ** k * np.exp(-2 * (k * z) ** 2)).sum(axis=-1)
    safe = np.maximum(z, 0.05)  # below, nothing is left of the other series
    small = 1 - np.sqrt(2 * np.pi) / safe[..., 0] * np.exp(-(((2 * k - 1) * np.pi / safe) ** 2) / 8).sum(axis=-1)
    return np.where(z[..., 0] < 1, small, large)


def bonferroni(p: np.ndarray) -> float:
    """Return the p-value of several tests together: the smallest, times their number, and at most 1."""
    return min(1.0, len(p) * float(np.min(p)))


def shift_test(x: np.ndarray, y: np.ndarray) -> float:
    """Return the p-value that two samples come from one distribution, by a test of each column.

    Source: S. Rabanser et al., *Failing Loudly: An Empirical Study of Methods for Detecting Dataset Shift*, 2019,
    section 3. Applied to the probabilities that a classifier gives, it is their best method, BBSDs.
    """
    return bonferroni(kolmogorov_smirnov(x, y)[1])


def coin_test(correct: int, total: int) -> float:
    """Return how probable as many or more right answers are for somebody who tosses a coin.

    Of a classifier that tells two samples apart, on examples that it was not trained on, it is the p-value of the
    classifier two-sample test. Source: D. Lopez-Paz and M. Oquab, *Revisiting Classifier Two-Sample Tests*, 2017; they
    take the normal distribution, which is near.

    Raises
    ------
    ValueError
        If there are more right answers than questions.
    """
    if not 0 <= correct <= total:
        raise ValueError(f"{correct} right answers of {total}: expected from 0 to {total}.")
    ways = beyond = math.comb(total, correct)
    for k in range(correct, total):
        ways = ways * (total - k) // (k + 1)  # now those with k + 1 right answers
        beyond += ways
    return beyond / 2**total


def _check(x: np.ndarray, y: np.ndarray, least: int = 2) -> None:
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < least:
        raise ValueError(
            f"The samples have shapes {x.shape} and {y.shape}: expected (m, d) and (n, d), {least} rows or more."
        )
