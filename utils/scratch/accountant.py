"""What private training costs: Rényi differential privacy of many noisy steps, and the ε that it amounts to.

Two data sets are neighbors where one has one example more. The noise is given in units of what one example can change.
"""

from __future__ import annotations

import math

import numpy as np

# Orders among which the best is taken, as Opacus has them, and larger ones for little noise or a tiny δ.
ORDERS = (*(1 + n / 10 for n in range(1, 100)), *range(11, 64), *(2**n for n in range(6, 11)))


def gaussian_rdp(order: float, noise: float) -> float:
    """Return the Rényi divergence of one noisy answer, ``α / (2 σ²)``.

    Source: I. Mironov, *Rényi Differential Privacy*, 2017, https://arxiv.org/abs/1702.07476, corollary 3.

    Parameters
    ----------
    order : float
        α, greater than 1.
    noise : float
        σ, standard deviation of the noise over the most that one example can change the answer.

    Raises
    ------
    ValueError
        If the order or the noise is too small.
    """
    _check(order, noise)
    return order / (2 * noise**2)


def sampled_rdp(order: float, sample_rate: float, noise: float) -> float:
    """Return the Rényi divergence of one noisy answer about examples that each take part with a probability.

    Source: I. Mironov, K. Talwar and L. Zhang, *Rényi Differential Privacy of the Sampled Gaussian Mechanism*, 2019,
    https://arxiv.org/abs/1908.10530, section 3.3: a binomial sum where the order is whole. Between whole orders the
    integral that the sum stands for is added up point by point.

    Parameters
    ----------
    order : float
        α, greater than 1.
    sample_rate : float
        q from 0 to 1: the probability.
    noise : float
        σ, as for :func:`gaussian_rdp`.

    Returns
    -------
    float
        Of T answers it is T times as much, for each order.

    Raises
    ------
    ValueError
        If the order or the noise is too small, or the rate is no probability.
    """
    _check(order, noise)
    if not 0 <= sample_rate <= 1:
        raise ValueError(f"Each example takes part with probability {sample_rate}: expected 0 to 1.")
    if sample_rate == 0:
        return 0.0
    if sample_rate == 1:
        return gaussian_rdp(order, noise)
    log_moment = _log_sum if order == int(order) else _log_integral
    return max(log_moment(order, sample_rate, noise), 0.0) / (order - 1)


def epsilon(divergences: np.ndarray, orders: np.ndarray, delta: float, conversion: str = "improved") -> float:
    """Return the smallest ε for which Rényi divergences give (ε, δ)-differential privacy.

    Sources: ``"classic"``: Mironov, 2017, proposition 3, ``ε = r + log(1/δ) / (α - 1)`` for divergence r of order α.
    ``"improved"``: B. Balle et al., *Hypothesis Testing Interpretations and Renyi Differential Privacy*, 2020,
    https://arxiv.org/abs/1905.09982, theorem 21, ``ε = r + log(1 - 1/α) - log(δ α) / (α - 1)``; C. Canonne, G. Kamath
    and T. Steinke, 2020, https://arxiv.org/abs/2004.00010, proposition 12, have the same.

    Parameters
    ----------
    divergences, orders : numpy.ndarray
        Of the same shape, (orders,); orders greater than 1.
    delta : float
        δ in (0, 1).
    conversion : str
        ``"classic"`` or ``"improved"``.

    Returns
    -------
    float
        The best over the orders, 0 at least.

    Raises
    ------
    ValueError
        If shapes differ, δ is no probability, or the conversion is unknown.
    """
    r, a = np.asarray(divergences), np.asarray(orders)
    if r.shape != a.shape or r.ndim != 1 or not r.size:
        raise ValueError(f"{r.shape} divergences and {a.shape} orders: expected one divergence an order.")
    if not 0 < delta < 1:
        raise ValueError(f"δ is {delta}: expected a probability between 0 and 1.")
    if conversion == "classic":
        found = r - np.log(delta) / (a - 1)
    elif conversion == "improved":
        found = r + np.log1p(-1 / a) - np.log(delta * a) / (a - 1)
    else:
        raise ValueError(f"The conversion {conversion!r} is unknown: use 'classic' or 'improved'.")
    return max(float(found.min()), 0.0)


def spent(sample_rate: float, noise: float, steps: int, delta: float, conversion: str = "improved") -> float:
    """Return ε after many steps of private training.

    Parameters
    ----------
    sample_rate : float
        q, with which an example takes part in a step.
    noise : float
        σ, in units of the length to which gradients are cut.
    steps : int
        How many, 0 or more.
    delta : float
        δ in (0, 1).
    conversion : str
        As for :func:`epsilon`.

    Raises
    ------
    ValueError
        As :func:`sampled_rdp` and :func:`epsilon`.
    """
    divergences = [steps * sampled_rdp(order, sample_rate, noise) for order in ORDERS]
    return epsilon(np.array(divergences), np.array(ORDERS), delta, conversion)


def noise_for(target: float, sample_rate: float, steps: int, delta: float, conversion: str = "improved") -> float:
    """Return the least noise with which :func:`spent` stays within a target, to a thousandth of itself.

    Parameters
    ----------
    target : float
        ε, greater than 0.
    sample_rate, steps, delta, conversion
        As for :func:`spent`.

    Returns
    -------
    float
        σ, from 0.1 on, rounded to the safe side.

    Raises
    ------
    ValueError
        If the target is not positive, or no noise up to 10,000 reaches it.
    """
    if not target > 0:
        raise ValueError(f"The target is an ε of {target}: expected more than 0.")
    low, high = 0.1, 1e4
    if spent(sample_rate, high, steps, delta, conversion) > target:
        raise ValueError(f"No noise up to 10,000 brings ε down to {target}: take fewer steps or a larger δ.")
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        if spent(sample_rate, middle, steps, delta, conversion) > target:
            low = middle
        else:
            high = middle
    return high


def _log_sum(order: float, q: float, noise: float) -> float:
    """Return the log of ``Σₖ binomial(α, k) (1 - q)^(α - k) q^k exp((k² - k) / (2 σ²))`` of a whole order."""
    k = np.arange(int(order) + 1)
    factorials = np.array([math.lgamma(n + 1) for n in k])  # logs of them
    terms = factorials[-1] - factorials - factorials[::-1] + (order - k) * math.log1p(-q) + k * math.log(q)
    return float(np.logaddexp.reduce(terms + (k * k - k) / (2 * noise**2)))


def _log_integral(order: float, q: float, noise: float) -> float:
    """Return the log of the mean of ``((1 - q) + q exp((2 z - 1) / (2 σ²)))^α`` over z, normal with variance σ².

    A sum over points that lie close is as good as exact here: the integrand is smooth and falls off like a normal.
    """
    step, reach = noise / 8, 12 * noise
    z = np.arange(-reach, order + reach, step)
    ratio = np.logaddexp(math.log1p(-q), math.log(q) + (2 * z - 1) / (2 * noise**2))
    logs = order * ratio - z * z / (2 * noise**2)
    return float(np.logaddexp.reduce(logs)) + math.log(step / (noise * math.sqrt(2 * math.pi)))


def _check(order: float, noise: float) -> None:
    """Raise where there is no divergence of this order, or no noise."""
    if not order > 1:
        raise ValueError(f"The order is {order}: expected more than 1.")
    if not noise > 0:
        raise ValueError(f"The noise is {noise}: expected more than 0.")
