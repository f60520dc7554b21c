"""Critical values and power against SciPy's distributions, and against simulated runs."""

import numpy as np
import pytest
from scipy import stats

from utils.scratch.power import normal_cdf, runs_needed, t_critical, t_power


def test_the_bell():
    np.testing.assert_allclose(normal_cdf(np.array([-1.96, 0, 0.84])), stats.norm.cdf([-1.96, 0, 0.84]), atol=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 3, 9, 18, 100, 2000])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_critical_values_are_student_s(freedom, level):
    expected = stats.t.ppf(1 - level / 2, freedom)
    assert t_critical(freedom, level) == pytest.approx(expected, rel=5e-4)


def noncentral(freedom, shift, level):
    """The power from SciPy's noncentral t distribution."""
    critical = stats.t.ppf(1 - level / 2, freedom)
    return stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift)


@pytest.mark.parametrize("runs", [2, 3, 5, 10, 40])
@pytest.mark.parametrize("effect", [0.0, 0.3, 1.0, -2.0])
def test_power_is_that_of_the_noncentral_t(runs, effect):
    found = t_power(effect * 0.7, 0.7, runs)
    expected = noncentral(2 * runs - 2, effect * np.sqrt(runs / 2), 0.05)
    assert found == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("runs", [2, 3, 5, 10, 40])
@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.5, 0.9])
def test_paired_power_is_that_of_the_noncentral_t(runs, correlation):
    found = t_power(0.4, 0.5, runs, correlation, 0.01)
    effect = 0.4 / (0.5 * np.sqrt(2 * (1 - correlation)))
    expected = noncentral(runs - 1, effect * np.sqrt(runs), 0.01)
    assert found == pytest.approx(expected, abs=2e-4)


def test_simulated_runs_are_found_as_often():
    generator = np.random.default_rng(0)
    a = generator.normal(0, 0.6, (20_000, 6))
    b = 0.5 * a + generator.normal(0.5, 0.6 * np.sqrt(0.75), (20_000, 6))
    paired = np.mean(stats.ttest_rel(a, b, axis=1).pvalue < 0.05)
    assert t_power(0.5, 0.6, 6, 0.5) == pytest.approx(paired, abs=0.015)
    alone = np.mean(stats.ttest_ind(a, generator.permutation(b), axis=1).pvalue < 0.05)
    assert t_power(0.5, 0.6, 6) == pytest.approx(alone, abs=0.015)


def test_runs_needed_is_the_least_number():
    for correlation in (None, 0.6):
        runs = runs_needed(0.5, 0.5, correlation)
        assert t_power(0.5, 0.5, runs, correlation) >= 0.8 > t_power(0.5, 0.5, runs - 1, correlation)
    assert runs_needed(0.5, 0.5) == 17  # as in tables for an effect of one standard deviation
    assert runs_needed(50.0, 0.1) == 2
    assert runs_needed(0.5, 0.5, power=0.95) > runs_needed(0.5, 0.5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: t_critical(0), "There are 0 degrees of freedom: expected at least 1, so at least two runs."),
        (lambda: t_critical(5, 1.0), "The level is 1: expected a probability between 0 and 1."),
        (lambda: t_critical(5, 0.0), "The level is 0"),
        (lambda: t_power(1, 1, 1), "There are 1 runs: expected at least 2 of each recipe."),
        (lambda: t_power(1, 0, 5), "The difference of two runs has the variance 0: expected more than 0."),
        (lambda: t_power(1, 1, 5, 1.0), "The difference of two runs has the variance 0"),
        (lambda: runs_needed(0.01, 1, most=50), "Even 50 runs of each find the difference in fewer than 80% of the"),
    ],
)
def test_refusals(call, sentence):
    with pytest.raises(ValueError, match="^" + sentence):
        call()
