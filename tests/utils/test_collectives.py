"""Sums in a ring: what arrives, what is sent, and the mean over shards."""

import numpy as np
import pytest

from utils.scratch.collectives import (
    all_gather,
    flatten,
    reduce_scatter,
    ring_all_reduce,
    ring_bytes,
    shares,
    star_all_reduce,
    unflatten,
    weighted_mean,
)


def vectors(devices, size, seed=0):
    return [np.random.default_rng([seed, i]).normal(size=size) for i in range(devices)]


@pytest.mark.parametrize(
    ("count", "parts", "expected"),
    [(7, 3, [(0, 3), (3, 5), (5, 7)]), (2, 4, [(0, 1), (1, 2), (2, 2), (2, 2)]), (0, 1, [(0, 0)]), (6, 1, [(0, 6)])],
)
def test_shares_by_hand(count, parts, expected):
    assert [(part.start, part.stop) for part in shares(count, parts)] == expected


@pytest.mark.parametrize(("count", "parts"), [(3, 0), (-1, 2)])
def test_shares_that_are_refused(count, parts):
    with pytest.raises(ValueError) as error:
        shares(count, parts)
    assert str(error.value) == (
        f"{count} places cannot be cut into {parts} parts: give 0 places or more, 1 part or more."
    )


def test_arrays_become_a_vector_and_come_back():
    arrays = [np.arange(6.0).reshape(2, 3), np.array([7.0]), np.arange(4.0).reshape(2, 2)]
    flat = flatten(arrays)
    assert flat.tolist() == [0, 1, 2, 3, 4, 5, 7, 0, 1, 2, 3]
    back = unflatten(flat, arrays)
    assert [a.tolist() for a in back] == [a.tolist() for a in arrays]
    with pytest.raises(ValueError) as error:
        unflatten(flat[1:], arrays)
    assert str(error.value) == "The vector has 10 numbers and the shapes 11."


@pytest.mark.parametrize("devices", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("size", [1, 8, 13])
def test_everybody_gets_the_sum(devices, size):
    given = vectors(devices, size)
    copies = [v.copy() for v in given]
    whole, sent = ring_all_reduce(given)
    assert len(whole) == devices
    for found in whole:
        np.testing.assert_allclose(found, sum(copies), atol=1e-14)
        assert found.tobytes() == whole[0].tobytes()  # to the last bit
    assert all((a == b).all() for a, b in zip(given, copies, strict=True))
    assert sent.sum() == 2 * (devices - 1) * size * 8
    assert sent.max() - sent.min() <= 2 * 8
    star, through = star_all_reduce(given)
    np.testing.assert_allclose(star[-1], whole[0], atol=1e-14)
    assert through.sum() == sent.sum()
    assert through.tolist() == [(devices - 1) * size * 8] + [size * 8] * (devices - 1)


def test_the_halves_by_hand():
    given = [np.array([1.0, 10, 100]), np.array([2.0, 20, 200]), np.array([3.0, 30, 300])]
    parts, sent = reduce_scatter(given)
    assert [part.tolist() for part in parts] == [[6], [60], [600]]
    assert sent.tolist() == [16, 16, 16]
    whole, sent = all_gather(parts)
    assert [w.tolist() for w in whole] == [[6, 60, 600]] * 3
    assert sent.tolist() == [16, 16, 16]


def test_bytes_are_those_of_the_numbers():
    _, sent = ring_all_reduce([np.ones(4, np.float32), np.ones(4, np.float32)])
    assert sent.tolist() == [16, 16] and ring_bytes(16, 2) == 16


def test_the_formula():
    assert [ring_bytes(12, n) for n in (1, 2, 3, 4)] == [0, 12, 16, 18]
    _, sent = ring_all_reduce(vectors(4, 12))
    assert sent.tolist() == [ring_bytes(96, 4)] * 4
    with pytest.raises(ValueError) as error:
        ring_bytes(1, 0)
    assert str(error.value) == "0 devices: there must be one at least."


@pytest.mark.parametrize("given", [[], [np.ones(2), np.ones(3)], [np.ones((2, 2))]])
def test_what_cannot_be_summed_is_refused(given):
    with pytest.raises(ValueError) as error:
        reduce_scatter(given)
    assert str(error.value) == f"Expected vectors of one shape, found {[a.shape for a in given]}."


def test_the_mean_over_shards():
    found = weighted_mean([[np.array([1.0, 4]), np.array([[2.0]])], [np.array([5.0, 0]), np.array([[6.0]])]], [3, 1])
    assert [a.tolist() for a in found] == [[2, 3], [[3]]]
    assert weighted_mean([[np.ones(1)], [np.zeros(1)]], [0, 2])[0].tolist() == [0]


@pytest.mark.parametrize("counts", [[1], [0, 0], [2, -1], [1, 2, 3]])
def test_counts_that_are_refused(counts):
    with pytest.raises(ValueError) as error:
        weighted_mean([[np.ones(1)], [np.ones(1)]], counts)
    assert str(error.value) == f"2 shards with the counts {counts}: give one a shard, not all 0."
