"""The schedules at their corners, by hand, and what they refuse."""

import numpy as np
import pytest

from utils.scratch.schedules import exponential, one_cycle, warmup_cosine


def test_warmup_and_cosine_by_hand():
    found = warmup_cosine(8, 0.4, warm=4, floor=0.1)
    half = np.sqrt(0.5)  # cos(π / 4)
    fall = [0.4, 0.25 + 0.15 * half, 0.25, 0.25 - 0.15 * half]
    np.testing.assert_allclose(found, [0, 0.1, 0.2, 0.3, *fall], atol=1e-12)


def test_without_warm_up_it_begins_at_the_peak_and_ends_above_the_floor():
    found = warmup_cosine(1000, 0.3)
    assert found.shape == (1000,)
    assert found[0] == 0.3
    assert np.all(np.diff(found) < 0)
    assert 0 < found[-1] < 1e-5
    assert found[500] == pytest.approx(0.15)


def test_one_step_and_one_step_of_warm_up():
    assert warmup_cosine(1, 0.3).tolist() == [0.3]
    np.testing.assert_allclose(warmup_cosine(3, 0.3, 1), [0, 0.3, 0.15])


def test_one_cycle_by_hand():
    found = one_cycle(11, 1.0, start=5, share=0.4, end=10)
    expected = [0.2, 0.4, 0.6, 0.8, 1, 0.8, 0.6, 0.4, 0.2, 0.11, 0.02]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_one_cycle_as_it_comes():
    found = one_cycle(201, 0.5)
    assert found.argmax() == 90
    assert found[[0, 90, 180]].tolist() == pytest.approx([0.05, 0.5, 0.05])
    assert found[-1] == pytest.approx(0.0005)
    np.testing.assert_allclose(found[:91], found[90:181][::-1])


def test_a_cycle_may_fill_the_training():
    np.testing.assert_allclose(one_cycle(5, 1.0, start=2, share=0.5), [0.5, 0.75, 1, 0.75, 0.005])


def test_exponential_grows_by_equal_factors():
    found = exponential(7, 0.001, 1000.0)
    np.testing.assert_allclose(found, [0.001, 0.01, 0.1, 1, 10, 100, 1000])
    np.testing.assert_allclose(exponential(2, 0.5, 2), [0.5, 2])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: warmup_cosine(5, 0.1, 5), "Of 5 steps 5 are to warm up: expected at least 0 and fewer than all."),
        (lambda: warmup_cosine(5, 0.1, -1), "Of 5 steps -1 are to warm up: expected at least 0 and fewer than all."),
        (lambda: one_cycle(9, 1.0, share=0), "The rise takes 0 of the steps: expected more than 0 and at most a half."),
        (lambda: one_cycle(9, 1.0, share=0.6), "The rise takes 0.6 of the steps"),
        (lambda: exponential(1, 1, 2), "From 1 to 2 in 1 steps: expected at least 2 steps and two rates"),
        (lambda: exponential(5, 0, 2), "From 0 to 2 in 5 steps"),
        (lambda: exponential(5, 2, 2), "From 2 to 2 in 5 steps"),
    ],
)
def test_refusals(call, sentence):
    with pytest.raises(ValueError, match="^" + sentence.replace("(", r"\(")):
        call()
