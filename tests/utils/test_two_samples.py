"""Tests of two samples: values by hand and by loops, scipy's where it has them, false alarms and power."""

import itertools
import math
import warnings

import numpy as np
import pytest
from scipy import special, stats

from utils.scratch.two_samples import (
    bonferroni,
    coin_test,
    gaussian_kernel,
    kolmogorov,
    kolmogorov_smirnov,
    median_distance,
    mmd2,
    mmd_test,
    shift_test,
    squared_distances,
)


def samples(seed=0, m=7, n=5, d=3, shift=0.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(m, d)), rng.normal(size=(n, d)) + shift


def test_distances_and_kernel():
    x, y = samples()
    expected = [[sum((a - b) ** 2 for a, b in zip(row, other, strict=True)) for other in y] for row in x]
    np.testing.assert_allclose(squared_distances(x, y), expected, rtol=1e-12)
    np.testing.assert_allclose(gaussian_kernel(x, y, 0.7), np.exp(-np.array(expected) / (2 * 0.49)), rtol=1e-10)
    assert gaussian_kernel(np.zeros((1, 1)), np.full((1, 1), 2.0), 2.0)[0, 0] == pytest.approx(math.exp(-0.5))
    assert squared_distances(np.array([[3.0, 0.0]]), np.array([[0.0, 4.0]])).tolist() == [[25.0]]


def test_distances_of_equal_rows_are_not_negative_and_float32_is_widened():
    x = np.random.default_rng(1).normal(size=(40, 64)).astype("float32") + 100
    found = squared_distances(x, x)
    assert found.dtype == np.float64
    assert found.min() == 0
    np.testing.assert_allclose(np.diag(found), 0, atol=1e-8)
    near = (x + np.float32(0.001))[:1]
    assert squared_distances(x[:1], near)[0, 0] == pytest.approx(
        ((x[:1].astype(float) - near.astype(float)) ** 2).sum(), rel=1e-3
    )


def test_median_distance():
    # distances of 0, 1, 3 and 7: 1, 2, 3, 4, 6, 7
    assert median_distance(np.array([[0.0], [1.0], [3.0], [7.0]])) == pytest.approx(math.sqrt((9 + 16) / 2))
    assert median_distance(np.array([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5)
    assert median_distance(np.array([[0.0], [0.25]])) == 0.25
    message = r"^The median distance is 0: expected at least two rows, and most of them different\.$"
    for rows in (np.ones((1, 2)), np.ones((5, 2)), np.array([[0.0], [0.0], [0.0], [1.0]])[:, :1].repeat(2, axis=0)):
        with warnings.catch_warnings(action="error"), pytest.raises(ValueError, match=message):
            median_distance(rows)


def test_mmd_by_hand():
    x, y = np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]])
    half, two = math.exp(-0.5), math.exp(-2)
    expected = half + two - 2 * (1 + two + half + half) / 4
    assert mmd2(x, y, 1.0) == pytest.approx(expected)
    assert mmd2(2 * x, 2 * y, 2.0) == pytest.approx(expected)


@pytest.mark.parametrize(("m", "n", "width"), [(7, 5, 1.0), (2, 2, 0.5), (3, 9, 2.5)])
def test_mmd_by_loops(m, n, width):
    x, y = samples(2, m, n)

    def kernel(a, b):
        return math.exp(-((a - b) ** 2).sum() / (2 * width**2))

    first = sum(kernel(x[i], x[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    second = sum(kernel(y[i], y[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    between = sum(kernel(a, b) for a in x for b in y) / (m * n)
    assert mmd2(x, y, width) == pytest.approx(first + second - 2 * between, abs=1e-12)
    assert mmd2(y, x, width) == pytest.approx(mmd2(x, y, width), abs=1e-12)


@pytest.mark.parametrize(("shift", "width"), [(0.0, 1.0), (1.0, 1.0), (0.7, 2.0)])
def test_the_mean_over_samples_is_what_gaussians_have(shift, width):
    """Of N(0, 1) and N(shift, 1) the discrepancy is known: the mean of a Gaussian kernel is a Gaussian integral."""
    spread = width**2 + 2
    expected = 2 * width / math.sqrt(spread) * (1 - math.exp(-(shift**2) / (2 * spread)))
    found = [mmd2(*samples(seed, 20, 15, 1, shift), width) for seed in range(400)]
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / 20
    assert min(found) < 0 or shift


def test_mmd_test_gives_the_discrepancy_and_the_share_of_deals():
    x, y = samples(3, 6, 4, shift=0.0)
    found, p = mmd_test(x, y, np.random.default_rng(0), 19, 1.3)
    assert found == pytest.approx(mmd2(x, y, 1.3), abs=1e-12)
    rows, rng = np.concatenate([x, y]), np.random.default_rng(0)
    orders = [rng.permutation(10) for _ in range(19)]
    dealt = [mmd2(rows[order[:6]], rows[order[6:]], 1.3) for order in orders]
    assert p == pytest.approx((1 + sum(value >= found - 1e-12 for value in dealt)) / 20)
    assert 0.05 < p < 0.95
    default, _ = mmd_test(x, y, np.random.default_rng(0))
    assert default == pytest.approx(mmd2(x, y, median_distance(rows)), abs=1e-12)


def test_its_p_value_is_near_that_of_all_deals():
    x, y = samples(4, 4, 4, 2, 0.8)
    rows = np.concatenate([x, y])
    all_deals = [
        mmd2(rows[list(first)], rows[[i for i in range(8) if i not in first]], 1.0)
        for first in itertools.combinations(range(8), 4)
    ]
    exact = np.mean(np.array(all_deals) >= mmd2(x, y, 1.0) - 1e-12)
    _, p = mmd_test(x, y, np.random.default_rng(1), 4000, 1.0)
    assert p == pytest.approx(exact, abs=0.03)


def test_by_default_there_are_199_deals_beside_the_real_one():
    x, y = samples(5, 30, 30, shift=3.0)
    assert mmd_test(x, y, np.random.default_rng(0))[1] == pytest.approx(1 / 200)
    assert mmd_test(x, y, np.random.default_rng(0), 9)[1] == pytest.approx(1 / 10)


def test_false_alarms_and_power():
    rng = np.random.default_rng(6)
    same = np.array([mmd_test(*samples(seed, 12, 10), rng, 39)[1] for seed in range(300)])
    assert (same <= 0.05).mean() < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)
    assert abs(same.mean() - 0.5 - 0.5 / 40) < 4 * 0.29 / math.sqrt(300)  # uniform
    other = np.array([mmd_test(*samples(seed, 25, 25, shift=0.7), rng, 39)[1] for seed in range(50)])
    assert (other <= 0.05).mean() > 0.9


def test_a_sample_and_itself():
    """Where all deals give the same, none is beyond the real one, and rounding must not decide."""
    x = np.repeat([[0.0], [1.0]], 4, axis=0)
    _, p = mmd_test(x, x.copy(), np.random.default_rng(0), 99, 1.0)
    assert p > 0.5
    equal = np.full((5, 2), 0.1)
    assert mmd_test(equal, equal, np.random.default_rng(0), 9, 0.3) == (pytest.approx(0, abs=1e-12), 1.0)


@pytest.mark.parametrize(
    ("m", "n", "whole"), [(40, 30, False), (1, 5, False), (60, 60, True), (33, 8, True), (1, 1, 0)]
)
def test_kolmogorov_smirnov_is_scipys(m, n, whole):
    x, y = samples(7, m, n, 4, 0.3)
    if whole:  # many equal values
        x, y = x.round(), y.round()
    distances, p = kolmogorov_smirnov(x, y)
    for column in range(4):
        theirs = stats.ks_2samp(x[:, column], y[:, column]).statistic
        assert distances[column] == pytest.approx(theirs, abs=1e-12)
        assert p[column] == pytest.approx(stats.kstwobign.sf(math.sqrt(m * n / (m + n)) * theirs), abs=1e-9)


def test_kolmogorov_smirnov_of_the_same_values_in_another_order():
    x = np.random.default_rng(8).integers(0, 3, (50, 2)).astype(float)
    distances, p = kolmogorov_smirnov(x, x[::-1])
    np.testing.assert_allclose(distances, 0, atol=1e-12)
    assert p.tolist() == [1, 1]
    distances, _ = kolmogorov_smirnov(np.zeros((3, 1)), np.ones((4, 1)))
    assert distances[0] == pytest.approx(1)


def test_kolmogorovs_distribution_is_scipys():
    z = np.concatenate([[0, 1e-9, 0.01], np.linspace(0.02, 4, 400), [0.999999, 1, 1.000001, 10]])
    np.testing.assert_allclose(kolmogorov(z), special.kolmogorov(z), atol=1e-12)
    assert kolmogorov(np.array([0.0, 30.0])).tolist() == [1, 0]
    np.testing.assert_allclose(kolmogorov(z[:400].reshape(20, 20)), special.kolmogorov(z[:400].reshape(20, 20)))


def test_several_tests_together():
    assert bonferroni(np.array([0.2, 0.01, 0.5])) == pytest.approx(0.03)
    assert bonferroni(np.array([0.9, 0.8])) == 1.0
    assert bonferroni(np.array([0.04])) == pytest.approx(0.04)


def test_shift_test():
    x, y = samples(9, 50, 40, 3)
    y[:, 1] += 1
    expected = [stats.kstwobign.sf(math.sqrt(2000 / 90) * stats.ks_2samp(x[:, c], y[:, c]).statistic) for c in range(3)]
    assert shift_test(x, y) == pytest.approx(3 * min(expected), rel=1e-6)
    same = np.array([shift_test(*samples(seed, 60, 60, 5)) for seed in range(400)])
    assert (same <= 0.05).mean() < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    shifted = np.array([shift_test(*samples(seed, 60, 60, 5, 1.0)) for seed in range(30)])
    assert (shifted <= 0.05).mean() > 0.9


@pytest.mark.parametrize(("correct", "total"), [(0, 5), (5, 5), (3, 7), (60, 100), (520, 1000), (2100, 4000), (0, 0)])
def test_coin_test_is_scipys(correct, total):
    assert coin_test(correct, total) == pytest.approx(stats.binom.sf(correct - 1, total, 0.5), rel=1e-9)


def test_coin_test_refuses():
    assert coin_test(2, 2) == 0.25
    for correct, total in ((-1, 4), (5, 4)):
        with pytest.raises(ValueError, match=rf"^{correct} right answers of {total}: expected from 0 to {total}\.$"):
            coin_test(correct, total)


@pytest.mark.parametrize(
    "shapes", [((4,), (4, 1)), ((4, 1), (4,)), ((4, 2), (4, 3)), ((1, 2), (4, 2)), ((4, 2), (1, 2))]
)
def test_shapes_that_do_not_fit(shapes):
    x, y = (np.ones(shape) for shape in shapes)
    message = f"The samples have shapes {x.shape} and {y.shape}: expected (m, d) and (n, d), 2 rows or more."
    for call in (lambda: mmd2(x, y, 1.0), lambda: mmd_test(x, y, np.random.default_rng(0))):
        with pytest.raises(ValueError) as error:
            call()
        assert str(error.value) == message


def test_shapes_that_do_not_fit_the_test_of_columns():
    with pytest.raises(ValueError) as error:
        kolmogorov_smirnov(np.ones((0, 2)), np.ones((3, 2)))
    assert str(error.value) == "The samples have shapes (0, 2) and (3, 2): expected (m, d) and (n, d), 1 rows or more."
    with pytest.raises(ValueError, match=r"shapes \(3, 1\) and \(3, 2\)"):
        kolmogorov_smirnov(np.ones((3, 1)), np.ones((3, 2)))
