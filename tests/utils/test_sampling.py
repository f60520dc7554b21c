"""From scores to tokens: what stays, what is drawn, what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.scratch.sampling import draw, sampling_probabilities

P = np.array([[0.1, 0.4, 0.05, 0.25, 0.2], [0.96, 0.01, 0.01, 0.01, 0.01]])
LOGITS = np.log(P) + np.array([[3.0], [-700.0]])  # a constant changes nothing


def near(found, expected):
    """Assert that two tables agree."""
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_as_they_are():
    near(sampling_probabilities(LOGITS), P)
    assert sampling_probabilities(LOGITS.astype("float32")).dtype == np.float64


def test_temperature():
    near(sampling_probabilities(LOGITS, temperature=0.5), P**2 / (P**2).sum(axis=1, keepdims=True))
    near(sampling_probabilities(LOGITS, temperature=2), P**0.5 / (P**0.5).sum(axis=1, keepdims=True))
    near(sampling_probabilities(LOGITS[:1], temperature=1e-3), [[0, 1, 0, 0, 0]])


def test_top_k():
    near(sampling_probabilities(LOGITS, top_k=2)[0], np.array([0, 0.4, 0, 0.25, 0]) / 0.65)
    near(sampling_probabilities(LOGITS, top_k=1), [[0, 1, 0, 0, 0], [1, 0, 0, 0, 0]])
    near(sampling_probabilities(LOGITS, top_k=9), P)


def test_of_equally_probable_tokens_the_first_stay():
    near(sampling_probabilities(np.zeros((1, 4)), top_k=2), [[0.5, 0.5, 0, 0]])
    near(sampling_probabilities(np.zeros((1, 4)), top_p=0.6), [[1 / 3, 1 / 3, 1 / 3, 0]])
    many = np.tile([0.0, 1.0], 500)[None]  # an unstable sort swaps some of so many
    kept = np.flatnonzero(sampling_probabilities(many, top_k=510)[0])
    assert kept.tolist() == [*range(20), *range(21, 1000, 2)]


def test_a_share_that_is_reached_exactly_is_enough():
    near(sampling_probabilities(np.zeros((1, 4)), top_p=0.5), [[0.5, 0.5, 0, 0]])


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.39, [1]), (0.41, [1, 3]), (0.64, [1, 3]), (0.66, [1, 3, 4]), (0.84, [1, 3, 4]), (1.0, None)]
)
def test_top_p_keeps_the_fewest_that_have_it_together(top_p, kept):
    found = sampling_probabilities(LOGITS, top_p=top_p)[0]
    expected = P[0] if kept is None else np.where(np.isin(np.arange(5), kept), P[0], 0)
    near(found, expected / expected.sum())


def test_top_p_is_a_share_of_what_top_k_left():
    # 0.4 of 0.65 is .615: enough for 0.6 after top_k, while of all tokens two would be needed.
    near(sampling_probabilities(LOGITS, top_k=2, top_p=0.6)[0], [0, 1, 0, 0, 0])
    near(sampling_probabilities(LOGITS, top_p=0.6)[0], np.array([0, 0.4, 0, 0.25, 0]) / 0.65)


@given(
    st.lists(st.floats(-30, 30), min_size=1, max_size=8),
    st.floats(0.1, 5),
    st.none() | st.integers(1, 9),
    st.floats(0.01, 1),
)
def test_always_probabilities_and_the_most_probable_token_stays(row, temperature, top_k, top_p):
    found = sampling_probabilities(np.array([row]), temperature, top_k, top_p)[0]
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert found[np.argmax(row)] == found.max() > 0
    if top_k:
        assert np.count_nonzero(found) <= top_k


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0}, "A temperature of 0 cannot be divided by: take one above 0."),
        ({"temperature": np.nan}, "A temperature of nan cannot be divided by: take one above 0."),
        ({"top_k": 0}, "With top_k = 0 nothing can be drawn: keep at least 1."),
        ({"top_p": 0}, "The share top_p = 0 must be above 0 and at most 1."),
        ({"top_p": 1.1}, "The share top_p = 1.1 must be above 0 and at most 1."),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError) as error:
        sampling_probabilities(LOGITS, **arguments)
    assert str(error.value) == message


def test_draws_have_the_probabilities():
    many = draw(np.repeat(P[:1], 20_000, axis=0), np.random.default_rng(0))
    near_enough = 4 * np.sqrt(P[0] * (1 - P[0]) / 20_000)
    assert (np.abs(np.bincount(many, minlength=5) / 20_000 - P[0]) < near_enough).all()


def test_a_token_without_probability_is_never_drawn():
    class Fixed:
        def __init__(self, number):
            self.number = number

        def random(self, rows):
            return np.full(rows, self.number)

    p = np.array([[0, 0.5, 0, 0.5, 0]])
    for number, token in ((0.0, 1), (0.4999, 1), (0.5, 3), (1 - 2**-53, 3)):
        assert draw(p, Fixed(number)) == [token]
    assert draw(np.full((1, 10), 0.1), Fixed(1 - 2**-53)) == [9]  # their sum is a little below 1
