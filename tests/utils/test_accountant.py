"""The accountant of private training: published values, numerical integration, and what must grow or fall.

Published values are from the tests of TensorFlow Privacy (privacy/analysis/rdp_accountant_test.py, classic conversion),
of Opacus (opacus/tests/accountants_test.py, improved conversion) and of Google's dp_accounting
(rdp_privacy_accountant_test.py, improved conversion).
"""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import erfc
from scipy.stats import norm

from utils.scratch import accountant
from utils.scratch.accountant import ORDERS, epsilon, gaussian_rdp, noise_for, sampled_rdp, spent

WHOLE = np.arange(2, 33)


def composed(orders, *parts):
    """Return the divergences of several (steps, rate, noise) in turn."""
    return np.array([sum(steps * sampled_rdp(order, q, noise) for steps, q, noise in parts) for order in orders])


def test_tensorflow_privacy():
    # q = 0.01, σ = 4, T = 10,000: Abadi et al., 2016, have 1.26
    divergences = composed(WHOLE, (10_000, 0.01, 4))
    assert epsilon(divergences, WHOLE, 1e-5, "classic") == pytest.approx(1.258575, abs=1e-6)
    assert (divergences - math.log(1e-5) / (WHOLE - 1)).argmin() == 18  # order 20
    assert epsilon(divergences, WHOLE, 1e-5) < 1.258575
    assert 10 * sampled_rdp(5, 0.1, 2) == pytest.approx(0.07737, abs=1e-5)
    found = [50 * sampled_rdp(order, 0.01, 2.5) for order in (1.5, 2.5, 5, 50, 100)]
    np.testing.assert_allclose(found, [0.00065, 0.001085, 0.00218075, 0.023846, 167.416307], atol=1e-6)


def test_tensorflow_privacy_two_mechanisms():
    orders = np.array([1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 64, 256])
    divergences = composed(orders, (40_000, 1e-4, 0.4), (100, 0.1, 2))
    assert epsilon(divergences, orders, 1e-5, "classic") == pytest.approx(8.509656, abs=1e-6)


@pytest.mark.parametrize(("noise", "epochs", "published"), [(1.12, 60, 2.92), (0.6, 30, 9.74), (1.2, 10, 1.20)])
def test_tutorial_of_tensorflow_privacy(noise, epochs, published):
    # tutorials/README.md: batches of 256 of 60,000 images
    assert spent(256 / 60_000, noise, epochs * 60_000 // 256, 1e-5, "classic") == pytest.approx(published, rel=0.01)


def test_opacus():
    assert spent(0.04, 1.5, 2250, 1e-5) == pytest.approx(7.32911117143, abs=1e-7)
    found = epsilon(composed(WHOLE, (10, 1e-5, 1), (4, 1e-4, 3)), WHOLE, 1e-5)
    assert found == pytest.approx(0.336, abs=5e-4)
    # they stop once the noise is known to 0.01
    assert noise_for(8, 0.04, 2250, 1e-5) == pytest.approx(1.425307617, rel=0.01)


def test_google():
    orders = np.arange(1001, 100_000) / 1000
    divergences = np.array([gaussian_rdp(order, 4.530877117) for order in orders])
    assert epsilon(divergences, orders, 1e-6) == pytest.approx(1, abs=1e-7)
    assert epsilon(np.full(31, 1.1), WHOLE, 1e-5) == pytest.approx(1.32783806176, abs=1e-9)
    found = [50 * sampled_rdp(order, 0.01, 2.5) for order in (5, 50, 100)]
    np.testing.assert_allclose(found, [2.18075656e-03, 2.38460375e-02, 1.67416308e02], rtol=1e-8)


def integral(order, q, noise):
    """Return the divergence by scipy's quadrature, from the two densities themselves."""
    scale = 2 * noise**2

    def density(z, center):
        return math.exp(-((z - center) ** 2) / scale) / math.sqrt(math.pi * scale)

    def integrand(z):
        mixed = (1 - q) * density(z, 0) + q * density(z, 1)
        return density(z, 0) * (mixed / density(z, 0)) ** order

    cut = [0, 1, order / 2, order]
    total, _ = quad(integrand, -9 * noise, order + 9 * noise, points=cut, limit=500, epsabs=0, epsrel=1e-11)
    return math.log(total) / (order - 1)


@pytest.mark.parametrize("noise", [0.8, 1.3, 4.0])
@pytest.mark.parametrize("q", [0.001, 0.04, 0.5, 0.9])
@pytest.mark.parametrize("order", [1.1, 1.75, 2, 2.5, 3, 7, 7.9])
def test_numerical_integration(order, q, noise):
    assert sampled_rdp(order, q, noise) == pytest.approx(integral(order, q, noise), rel=1e-5, abs=1e-12)


def test_a_whole_order_by_hand():
    # (1 - q)² + 2 q (1 - q) + q² exp(1 / σ²)
    assert sampled_rdp(2, 0.25, 2) == pytest.approx(math.log(1 + 0.25**2 * (math.exp(0.25) - 1)))
    # order 3: the last two terms have exp(1 / σ²) and exp(3 / σ²)
    q, a = 0.1, math.exp(1 / 0.81)
    moment = (1 - q) ** 3 + 3 * q * (1 - q) ** 2 + 3 * q**2 * (1 - q) * a + q**3 * a**3
    assert sampled_rdp(3, q, 0.9) == pytest.approx(math.log(moment) / 2)


@pytest.mark.parametrize(("q", "noise"), [(0.01, 0.1), (0.01, 0.5), (0.3, 1.0), (0.99, 3.0)])
def test_fractional_orders_meet_the_whole_ones(q, noise):
    for order in (2, 5, 31):
        below, here, above = (sampled_rdp(order + d, q, noise) for d in (-1e-7, 0, 1e-7))
        assert below == pytest.approx(here, rel=1e-5)
        assert above == pytest.approx(here, rel=1e-5)


@pytest.mark.parametrize(("q", "noise"), [(0.3, 0.04), (0.01, 0.2), (0.5, 0.7), (0.1, 3.0)])
def test_points_that_lie_closer_change_nothing(q, noise):
    z = np.linspace(-20 * noise, 2.5 + 20 * noise, 1_000_001)
    ratio = np.logaddexp(np.log(1 - q), np.log(q) + (2 * z - 1) / (2 * noise**2))
    log_moment = np.logaddexp.reduce(2.5 * ratio + norm.logpdf(z, 0, noise)) + np.log(z[1] - z[0])
    assert sampled_rdp(2.5, q, noise) == pytest.approx(log_moment / 1.5, rel=1e-10, abs=1e-10)


def test_whole_orders_need_no_integral(monkeypatch):
    monkeypatch.setattr(accountant, "_log_integral", None)
    assert sampled_rdp(2, 0.1, 1.0) == sampled_rdp(2.0, 0.1, 1.0) == sampled_rdp(np.int64(2), 0.1, 1.0)


def test_limits():
    assert sampled_rdp(3.5, 0, 2) == 0
    assert sampled_rdp(3.5, 1, 2) == gaussian_rdp(3.5, 2) == 3.5 / 8
    assert sampled_rdp(4, 1 - 1e-12, 2) == pytest.approx(0.5)
    assert sampled_rdp(1024, 0.01, 0.1) == pytest.approx(1024 / 0.02, rel=0.01)  # no overflow
    assert sampled_rdp(1.01, 1e-9, 50) >= 0
    assert sampled_rdp(2, 1e-9, 50) >= 0


def test_more_orders_steps_and_examples_cost_more_and_noise_less():
    divergences = [sampled_rdp(order, 0.02, 1.1) for order in ORDERS]
    assert (np.diff(divergences) > 0).all()
    costs = [spent(q, 1.1, 1000, 1e-5) for q in (0.01, 0.02, 0.04)]
    assert costs == sorted(costs)
    costs = [spent(0.01, noise, 1000, 1e-5) for noise in (4, 2, 1, 0.5)]
    assert costs == sorted(costs)
    costs = [spent(0.01, 1.0, steps, 1e-5) for steps in (1, 10, 100)]
    assert costs == sorted(costs)
    assert spent(0.01, 1.0, 100, 1e-7) > spent(0.01, 1.0, 100, 1e-5)
    assert spent(0.01, 1.0, 0, 0.01) < 0.05


def test_the_improved_conversion_is_never_worse_and_never_wrong():
    for noise in (0.7, 1.0, 3.0, 20.0):
        for delta in (1e-8, 1e-5, 0.01):
            divergences, orders = np.array([gaussian_rdp(a, noise) for a in ORDERS]), np.array(ORDERS)
            better = epsilon(divergences, orders, delta)
            assert better <= epsilon(divergences, orders, delta, "classic")
            # what the Gaussian mechanism really gives: Balle and Wang, 2018, theorem 8
            root = math.sqrt(2)
            exact = erfc((better * noise - 0.5 / noise) / root) / 2
            exact -= math.exp(better) * erfc((better * noise + 0.5 / noise) / root) / 2
            assert exact <= delta
    assert epsilon(np.array([0.0]), np.array([2.0]), 0.9) == 0  # not below 0


def test_the_default_conversion_is_the_improved_one():
    divergences, orders = composed(WHOLE, (100, 0.01, 1)), WHOLE
    assert epsilon(divergences, orders, 1e-5) == epsilon(divergences, orders, 1e-5, "improved")
    for conversion in ("classic", "improved"):
        assert spent(0.01, 1, 100, 1e-5, conversion) <= epsilon(divergences, orders, 1e-5, conversion)
    assert spent(0.01, 1, 100, 1e-5) == spent(0.01, 1, 100, 1e-5, "improved")
    assert noise_for(1, 0.01, 100, 1e-5) == noise_for(1, 0.01, 100, 1e-5, "improved")
    assert noise_for(1, 0.01, 100, 1e-5, "classic") > noise_for(1, 0.01, 100, 1e-5)


@pytest.mark.parametrize("target", [0.3, 1, 3, 8, 50])
def test_the_least_noise(target):
    found = noise_for(target, 0.05, 320, 1e-4)
    assert spent(0.05, found, 320, 1e-4) <= target < spent(0.05, found / 1.0011, 320, 1e-4)


def test_the_least_noise_at_the_ends():
    assert 0.1 < noise_for(1e4, 0.05, 10, 1e-4) <= 0.1001
    assert noise_for(spent(1, 1e4, 10**9, 1e-5), 1, 10**9, 1e-5) == 1e4
    middle = math.sqrt(0.1 * 1e4)  # where the search begins: this noise is just enough
    assert noise_for(spent(0.5, middle, 1000, 1e-5), 0.5, 1000, 1e-5) == middle


def test_refusals():
    for order in (1, 0.5, math.nan):
        for call in (lambda a: gaussian_rdp(a, 1.0), lambda a: sampled_rdp(a, 0.1, 1.0)):
            with pytest.raises(ValueError, match=rf"^The order is {order}: expected more than 1\.$"):
                call(order)
    for noise in (0, -1):
        for call in (lambda s: gaussian_rdp(2, s), lambda s: sampled_rdp(2, 0.1, s)):
            with pytest.raises(ValueError, match=rf"^The noise is {noise}: expected more than 0\.$"):
                call(noise)
    for q in (-0.1, 1.1):
        with pytest.raises(ValueError, match=rf"^Each example takes part with probability {q}: expected 0 to 1\.$"):
            sampled_rdp(2, q, 1.0)
    for divergences, orders in (([1.0], [2, 3]), (1.0, 2.0), ([], [])):
        with pytest.raises(
            ValueError, match=r"^\(.*\) divergences and \(.*\) orders: expected one divergence an order\.$"
        ):
            epsilon(np.array(divergences), np.array(orders), 1e-5)
    for delta in (0, 1, -1, 2):
        with pytest.raises(ValueError, match=rf"^δ is {delta}: expected a probability between 0 and 1\.$"):
            epsilon(np.array([1.0]), np.array([2.0]), delta)
    with pytest.raises(ValueError, match=r"^The conversion 'best' is unknown: use 'classic' or 'improved'\.$"):
        spent(0.01, 1, 100, 1e-5, "best")
    for target in (0, -1):
        with pytest.raises(ValueError, match=rf"^The target is an ε of {target}: expected more than 0\.$"):
            noise_for(target, 0.01, 100, 1e-5)
    assert noise_for(0.008, 1, 1, 1e-5) < 1e4
    message = r"^No noise up to 10,000 brings ε down to 0\.008: take fewer steps or a larger δ\.$"
    with pytest.raises(ValueError, match=message):
        noise_for(0.008, 1, 1, 1e-5, "classic")  # the largest order is too small for that
    with pytest.raises(ValueError, match=r"^No noise up to 10,000 brings ε down to 1:"):
        noise_for(1, 1, 10**9, 1e-9)
