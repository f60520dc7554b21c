"""Repeatable hypothesis, and a table of the largest differences that the equivalence tests reached."""

import os

import matplotlib
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

matplotlib.use("agg")  # here, not in the environment: the kernels of the chapters inherit that

_common = {"derandomize": True, "deadline": None, "database": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("default", max_examples=150, **_common)
settings.register_profile("few", max_examples=12, **_common)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

_reached: dict[str, list[float]] = {}


@pytest.fixture(scope="session")
def agree():
    """Return a function that asserts that two arrays agree within a bound, and notes how well they did."""

    def check(part: str, found: np.ndarray, expected: np.ndarray, bound: float) -> None:
        found, expected = np.asarray(found), np.asarray(expected)
        assert found.shape == expected.shape
        difference = float(np.abs(found - expected).max())
        worst, _ = _reached.get(part, (0.0, bound))
        _reached[part] = [max(worst, difference), bound]
        assert difference <= bound, f"{part}: differs by {difference}"

    return check


@pytest.fixture(scope="module")
def double_precision():
    """Make Keras compute in float64: floatx rules inputs and variables, the policy rules layers."""
    from utils.backend import keras  # here: most tests do without Keras, and importing it takes seconds

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


def pytest_sessionfinish(session):
    """Hand a worker's table to the process that prints it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["reached"] = _reached


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Collect the table of a worker of pytest-xdist."""
    for part, (worst, bound) in getattr(node, "workeroutput", {}).get("reached", {}).items():
        _reached[part] = [max(worst, _reached.get(part, (0.0, bound))[0]), bound]


def pytest_terminal_summary(terminalreporter):
    """Print the largest differences."""
    if _reached:
        terminalreporter.section("largest differences")
        for part, (worst, bound) in sorted(_reached.items()):
            terminalreporter.write_line(f"{part:<52} {worst:8.1e}   asserted {bound:.0e}")
