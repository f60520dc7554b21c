"""Rank correlation against SciPy, and deletion by hand."""

import numpy as np
import pytest
from scipy import stats

from utils.scratch.agreement import deleted, rank_correlation, ranks


def test_ranks_with_ties():
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1, 3.5, 2]
    assert ranks(np.array([5.0])).tolist() == [1]


@pytest.mark.parametrize("seed", range(4))
def test_as_scipy_has_it(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 6, 40).astype(float), rng.normal(size=40)
    np.testing.assert_allclose(ranks(a), stats.rankdata(a))
    assert rank_correlation(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)
    assert rank_correlation(a, np.exp(a) + 3) == pytest.approx(1)
    assert rank_correlation(b, -b) == pytest.approx(-1)


def test_refusals():
    with pytest.raises(
        ValueError, match=r"^The lists have shapes \(3,\) and \(2,\): expected two of the same length\.$"
    ):
        rank_correlation(np.ones(3), np.ones(2))
    with pytest.raises(ValueError, match=r"shapes \(1, 2\) and \(1, 2\)"):
        rank_correlation(np.ones((1, 2)), np.ones((1, 2)))
    for a, b in ((np.ones(3), np.arange(3)), (np.arange(3), np.ones(3))):
        with pytest.raises(
            ValueError, match=r"^All values of a list are the same, so they have no order to compare\.$"
        ):
            rank_correlation(a, b)


def test_deletion():
    x = np.arange(1.0, 7).reshape(2, 3)
    seen = []

    def model(images):
        seen.append(images)
        return images.sum(axis=(1, 2))

    found = deleted(model, x, np.array([5, 0, 3]), [0, 1, 3])
    assert found.tolist() == [21, 15, 10]
    assert seen[0].shape == (3, 2, 3)
    assert seen[0][2].tolist() == [[0, 2, 3], [0, 5, 0]]
    assert x[1, 2] == 6  # the image itself stays
    assert deleted(model, x, np.array([5]), [1], blank=-1.0).tolist() == [14]
