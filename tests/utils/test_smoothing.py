"""Label smoothing by hand, against finite differences, and at its ends."""

import numpy as np
import pytest

from utils.scratch.losses import softmax_cross_entropy
from utils.scratch.smoothing import smoothed_cross_entropy

LOGITS = np.random.default_rng(0).normal(size=(5, 4)) * 2
LABELS = np.array([0, 3, 1, 1, 2])


def by_loops(logits, labels, smoothing):
    total = 0.0
    for row, label in zip(logits, labels, strict=True):
        log_sum = np.log(sum(np.exp(v) for v in row))
        for place, v in enumerate(row):
            target = (1 - smoothing) * (place == label) + smoothing / len(row)
            total -= target * (v - log_sum)
    return total / len(logits)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5, 1.0])
def test_loss_as_in_the_formula_and_gradient_by_differences(smoothing):
    loss, gradient = smoothed_cross_entropy(LOGITS, LABELS, smoothing)
    assert loss == pytest.approx(by_loops(LOGITS, LABELS, smoothing), abs=1e-12)
    h = 1e-6
    for place in np.ndindex(LOGITS.shape):
        up, down = LOGITS.copy(), LOGITS.copy()
        up[place] += h
        down[place] -= h
        slope = (by_loops(up, LABELS, smoothing) - by_loops(down, LABELS, smoothing)) / (2 * h)
        assert gradient[place] == pytest.approx(slope, abs=1e-8)


def test_without_smoothing_it_is_the_plain_loss():
    loss, gradient = smoothed_cross_entropy(LOGITS, LABELS, 0.0)
    plain, expected = softmax_cross_entropy(LOGITS, LABELS)
    assert loss == plain
    np.testing.assert_array_equal(gradient, expected)


def test_the_best_answer_is_the_target_and_costs_its_entropy():
    target = np.array([0.1 / 4, 0.9 + 0.1 / 4, 0.1 / 4, 0.1 / 4])
    loss, gradient = smoothed_cross_entropy(np.log(target)[None], np.array([1]), 0.1)
    assert loss == pytest.approx(-(target * np.log(target)).sum())
    np.testing.assert_allclose(gradient, 0, atol=1e-12)


def test_large_logits_stay_finite_and_float32_stays_float32():
    loss, gradient = smoothed_cross_entropy(np.float32([[1000, 0], [0, 1000]]), np.array([0, 0]), 0.2)
    assert loss == pytest.approx(0.9 * 1000 / 2 + 0.1 * 1000 / 2)
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, [[0.05, -0.05], [-0.45, 0.45]], atol=1e-6)


@pytest.mark.parametrize("smoothing", [-0.1, 1.5])
def test_a_share_outside_is_refused(smoothing):
    with pytest.raises(ValueError, match=rf"^The smoothing is {smoothing:g}: expected a share from 0 to 1\.$"):
        smoothed_cross_entropy(LOGITS, LABELS, smoothing)


def test_sequences_and_other_labels_are_refused():
    with pytest.raises(ValueError, match=r"^The logits have shape \(1, 5, 4\): expected \(batch, classes\)\.$"):
        smoothed_cross_entropy(LOGITS[None], LABELS[None], 0.1)
    with pytest.raises(ValueError, match=r"^The labels must be whole numbers from 0 to 3"):
        smoothed_cross_entropy(LOGITS, LABELS + 1, 0.1)
