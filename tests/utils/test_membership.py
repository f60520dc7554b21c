"""Membership inference: curves against scikit-learn's, the attack with shadow models by hand, exposure."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from utils.scratch.losses import softmax_cross_entropy
from utils.scratch.membership import (
    auc,
    confidence,
    exposure,
    likelihood_ratio,
    offline_score,
    rank,
    roc,
    tpr_at,
)


def test_a_curve_by_hand():
    # thresholds 4, 3, 2, 1
    false, true = roc(np.array([4.0, 3.0, 3.0]), np.array([3.0, 1.0, 2.0, 1.0]))
    np.testing.assert_allclose(false, [0, 0, 1 / 4, 2 / 4, 1])
    np.testing.assert_allclose(true, [0, 1 / 3, 1, 1, 1])
    # of 12 pairs the member is above in 10, and two are ties
    assert auc(np.array([4.0, 3.0, 3.0]), np.array([3.0, 1.0, 2.0, 1.0])) == pytest.approx(11 / 12)


@pytest.mark.parametrize("digits", [8, 1, 0])  # the last two with many ties
@pytest.mark.parametrize(("n", "m"), [(40, 60), (1, 7), (30, 1), (1, 1)])
def test_curves_and_areas_of_scikit_learn(digits, n, m):
    rng = np.random.default_rng(n + digits)
    inside, outside = (rng.normal(size=n) + 0.5).round(digits), rng.normal(size=m).round(digits)
    truth, scores = np.repeat([1, 0], [n, m]), np.concatenate([inside, outside])
    expected = roc_curve(truth, scores, drop_intermediate=False)
    false, true = roc(inside, outside)
    np.testing.assert_allclose(false, expected[0])
    np.testing.assert_allclose(true, expected[1])
    assert auc(inside, outside) == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert auc(inside, outside) == pytest.approx(np.trapezoid(true, false), abs=1e-12)
    for rate in (0, 0.01, 0.1, 0.5, 1):
        assert tpr_at(rate, inside, outside) == max(expected[1][expected[0] <= rate])


def test_the_rate_at_few_false_alarms():
    inside, outside = np.array([5.0, 4.0, 1.0, 0.0]), np.array([4.5, 3.0, 2.0, 1.0, 0.5])
    assert tpr_at(0, inside, outside) == 1 / 4
    assert tpr_at(0.19, inside, outside) == 1 / 4  # below 1 / 5 no false alarm is allowed
    assert tpr_at(0.2, inside, outside) == 2 / 4
    assert tpr_at(0.8, inside, outside) == 3 / 4
    assert tpr_at(1, inside, outside) == 1
    assert tpr_at(0.5, np.zeros(3), np.zeros(4)) == 0  # no threshold tells them apart
    for rate in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=rf"^The rate of false positives is {rate}: expected 0 to 1\.$"):
            tpr_at(rate, inside, outside)


def test_scores_that_do_not_fit():
    good = np.array([1.0, 2.0])
    for bad in (np.zeros(0), np.zeros((2, 2)), np.array(1.0)):
        shown = str(bad.shape).replace("(", r"\(").replace(")", r"\)")
        for call in (roc, auc, lambda *scores: tpr_at(0.1, *scores)):
            with pytest.raises(ValueError, match=rf"^The scores have shapes {shown} and \(2,\): expected \(n,\) and"):
                call(bad, good)
            with pytest.raises(
                ValueError, match=rf"^The scores have shapes \(2,\) and {shown}: .*at least one of each"
            ):
                call(good, bad)
    for pair in ((good, np.array([np.nan])), (np.array([np.nan]), good)):
        with pytest.raises(
            ValueError, match=r"^A score is not a number: scores that cannot be compared have no curve\."
        ):
            roc(*pair)
    false, true = roc(np.array([np.inf, 1.0]), np.array([-np.inf]))  # infinite scores can be compared
    assert (false.tolist(), true.tolist()) == ([0, 0, 0, 1], [0, 0.5, 1, 1])


def test_confidence():
    # probabilities 0.5, 0.25, 0.25
    logits = np.log([[2.0, 1.0, 1.0], [2.0, 1.0, 1.0]])
    np.testing.assert_allclose(confidence(logits, np.array([0, 1])), [0, np.log(1 / 3)], atol=1e-12)
    rng = np.random.default_rng(0)
    logits, labels = 3 * rng.normal(size=(20, 5)), rng.integers(0, 5, 20)
    losses = np.array([softmax_cross_entropy(logits[e : e + 1], labels[e : e + 1])[0] for e in range(20)])
    np.testing.assert_allclose(confidence(logits, labels), -losses - np.log(-np.expm1(-losses)), rtol=1e-9)
    # where p rounds to 1 or to 0, also in float32
    found = confidence(np.array([[900.0, 0.0, 0.0], [0.0, 800.0, 0.0]], "float32"), np.array([0, 0]))
    np.testing.assert_allclose(found, [900 - np.log(2), -800])
    assert found.dtype == float
    assert confidence(np.array([[1.0, 4.0]]), np.array([1])).tolist() == [3]
    for x, y in ((np.zeros((2, 3)), [0]), (np.zeros(3), [0, 1, 2]), (np.zeros((2, 1)), [0, 0])):
        with pytest.raises(ValueError, match=r"expected \(batch, classes\) and \(batch,\), at least two classes\.$"):
            confidence(x, np.array(y))


def shadow_case(seed=0, models=7, examples=9):
    rng = np.random.default_rng(seed)
    members = np.array([rng.permutation(models) < 3 for _ in range(examples)]).T  # 3 of 7 saw each
    return rng.normal(size=examples), rng.normal(size=(models, examples)) + 2 * members, members


@pytest.mark.parametrize("seed", range(3))
def test_the_ratio_of_two_normal_densities(seed):
    scores, shadows, members = shadow_case(seed)
    seen = np.where(members, shadows, np.nan)
    unseen = np.where(members, np.nan, shadows)
    # the variance within each example, pooled: 2 and 3 degrees of freedom an example
    spread_seen = np.sqrt(np.nanvar(seen, axis=0, ddof=1).mean())
    spread_unseen = np.sqrt(np.nanvar(unseen, axis=0, ddof=1).mean())
    near = norm.logpdf(scores, np.nanmean(seen, axis=0), spread_seen)
    far = norm.logpdf(scores, np.nanmean(unseen, axis=0), spread_unseen)
    np.testing.assert_allclose(likelihood_ratio(scores, shadows, members), near - far, rtol=1e-10)
    found = offline_score(scores, shadows, members)
    np.testing.assert_allclose(norm.cdf(found), norm.cdf(scores, np.nanmean(unseen, axis=0), spread_unseen))


def test_float32_scores_are_summed_in_float64():
    scores, shadows, members = shadow_case()
    shadows = (shadows + 1000).astype("float32")
    scores = (scores + 1000).astype("float32")
    found = likelihood_ratio(scores, shadows, members)
    np.testing.assert_allclose(found, likelihood_ratio(scores, shadows.astype(float), members), rtol=1e-12)


def test_the_offline_score_needs_no_model_that_saw_the_example():
    scores, shadows, _ = shadow_case()
    found = offline_score(scores, shadows, np.zeros(shadows.shape, bool))
    spread = np.sqrt(shadows.var(axis=0, ddof=1).mean())
    np.testing.assert_allclose(found, (scores - shadows.mean(axis=0)) / spread)


def test_an_attack_finds_members_where_a_threshold_does_not():
    # hard examples of the training data and easy ones of the others have the same scores
    rng = np.random.default_rng(0)
    models, examples = 17, 400
    members = rng.random((models, examples)) < 0.5
    shadows = 5 * rng.normal(size=examples) + 1.5 * members + 0.5 * rng.normal(size=(models, examples))
    target, truth = shadows[0], members[0]
    ratio = likelihood_ratio(target, shadows[1:], members[1:])
    assert auc(target[truth], target[~truth]) < 0.65
    assert auc(ratio[truth], ratio[~truth]) > 0.95
    offline = offline_score(target, shadows[1:], members[1:])
    assert auc(offline[truth], offline[~truth]) > 0.95


def test_shadows_that_do_not_fit():
    scores, shadows, members = shadow_case()
    message = r"^The scores have shape \(9,\), those of shadow models \(7, 9\) and the memberships \(6, 9\): expected"
    for attack in (likelihood_ratio, offline_score):
        with pytest.raises(ValueError, match=message):
            attack(scores, shadows, members[1:])
        with pytest.raises(
            ValueError, match=r"\(8,\), .* expected \(examples,\), \(models, examples\) and \(models, e"
        ):
            attack(scores[1:], shadows, members)
        with pytest.raises(ValueError, match=r"^The scores have shape \(1, 9\)"):
            attack(scores[None], shadows, members)
        with pytest.raises(ValueError, match=r"^The scores have shape \(9,\), those of shadow models \(9,\)"):
            attack(scores, shadows[0], members[0])
        with pytest.raises(ValueError, match=r"^The memberships are of dtype int64: expected bool\.$"):
            attack(scores, shadows, members.astype("int64"))
    everyone, nobody = members.copy(), members.copy()
    everyone[:, 2], nobody[:, 2] = True, False
    for bad in (everyone, nobody):
        with pytest.raises(ValueError, match=r"^An example was seen by all shadow models or by none: each needs some"):
            likelihood_ratio(scores, shadows, bad)
    with pytest.raises(ValueError, match=r"^An example was seen by all shadow models: each needs some that did not"):
        offline_score(scores, shadows, everyone)
    two = np.array([[True] * 9, [False] * 9])
    with pytest.raises(
        ValueError, match=r"^Each example has one shadow model of a kind: a spread needs two for some\.$"
    ):
        likelihood_ratio(scores, shadows[:2], two)
    with pytest.raises(ValueError, match=r"^The scores of shadow models do not differ: there is no spread to compare"):
        offline_score(scores, np.zeros((7, 9)), members)


def test_a_spread_from_a_single_example():
    # one example with two models that did not see it, one with one: the spread comes from the first
    shadows = np.array([[1.0, 7.0], [3.0, 9.0], [5.0, 2.0]])
    members = np.array([[False, True], [False, True], [True, False]])
    np.testing.assert_allclose(offline_score(np.array([4.0, 4.0]), shadows, members), [2 / 2**0.5, 2 / 2**0.5])


def test_rank_and_exposure():
    losses = np.array([3.0, 1.0, 2.0, 2.0])
    assert [rank(losses, place) for place in range(4)] == [4, 1, 3, 3]  # ties count against both
    assert isinstance(rank(losses, 0), int)
    assert rank([2.0], 0) == 1
    assert exposure(1, 1024) == 10
    assert exposure(1024, 1024) == 0
    assert exposure(4, 1024) == 8
    assert exposure(3, 10) == pytest.approx(np.log2(10 / 3))
    assert exposure(1, 1) == 0
    for bad in (0, 0.5, 11):
        with pytest.raises(ValueError, match=rf"^The rank is {bad} of 10 candidates: expected 1 to 10\.$"):
            exposure(bad, 10)
