"""The time of a step by the model, by hand."""

import pytest

from utils.scratch.step_time import Link, pipeline, strong, training_days, weak

LINK = Link(latency=0.5, bandwidth=10)


def test_the_ring_by_hand():
    assert LINK.ring(40, 1) == 0
    assert LINK.ring(40, 2) == 2 * 0.5 + 4
    assert LINK.ring(40, 4) == pytest.approx(6 * 0.5 + 6)


def test_strong_and_weak():
    assert strong(12, 40, 1, LINK) == weak(12, 40, 1, LINK) == 12
    assert strong(12, 40, 4, LINK) == pytest.approx(3 + 9)
    assert weak(12, 40, 4, LINK) == pytest.approx(12 + 9)


def test_more_devices_can_be_slower():
    times = [strong(12, 40, n, LINK) for n in range(1, 20)]
    assert times.index(min(times)) == 1 and times[-1] > times[0]


def test_a_pipeline():
    assert pipeline(12, 1, 3, 10, LINK) == pytest.approx(12)
    # Slots of 12 / (2 · 3), and two messages of 0.5 + 1 each.
    assert pipeline(12, 2, 3, 10, LINK) == pytest.approx(4 * (2 + 3))
    free = Link(0, 1e30)
    assert pipeline(12, 4, 8, 10, free) == pytest.approx(12 / 4 / (1 - 3 / 11))


def test_days_as_published():
    assert round(training_days(175e9, 300e9, 1024, 140e12)) == 34
    assert training_days(1e12, 450e9, 3072, 163e12) == pytest.approx(84, abs=1)
    assert training_days(1, 86_400, 2, 3, passes=6) == 1
