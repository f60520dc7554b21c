"""The checkers of ``tuning`` take right answers however they are written, and name what goes wrong."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from tests.utils.readers import UNKNOWN, answers_of, mistakes_of, single
from utils.checks import WrongAnswer
from utils.checks.tuning import best_of, diagnosis, paired_t, rate_at, soft_targets, survivor


def rated(rise=lambda step, warm: step / warm, fall=None):
    fall = fall or (lambda step, steps, warm: 0.5 + 0.5 * math.cos(math.pi * (step - warm) / (steps - warm)))

    def answer(step, steps, warm, peak):
        return (rise(step, warm) if step < warm else fall(step, steps, warm)) * peak

    return answer


def rates_as_an_array(step, steps, warm, peak):
    t = np.arange(steps, dtype="float32")
    fall = np.cos(np.pi * (t - warm) / (steps - warm)) / 2 + 0.5
    return (peak * np.where(t < warm, t / warm, fall))[step]


def dealt(right, others):
    """Return targets by loops, from what the right class gets and what each other one gets."""

    def answer(labels, classes, smoothing):
        rows = np.zeros((len(labels), classes))
        for row, label in zip(rows, labels, strict=True):
            for q in range(classes):
                row[q] = right(smoothing, classes) if q == label else others(smoothing, classes)
        return rows

    return answer


def t_by_loops(a, b, freedom=1, root=math.sqrt, runs=len, sign=1):
    differences = [sign * (p - q) for p, q in zip(a, b, strict=True)]
    mean = sum(differences) / len(differences)
    variance = sum((d - mean) ** 2 for d in differences) / (len(differences) - freedom)
    return mean / root(variance) * math.sqrt(runs(a))


def enumerated(pick=max, draw=lambda scores, count: itertools.product(scores, repeat=count), shift=0):
    def answer(scores, count):
        return np.mean([pick(choice) for choice in draw(scores, count + shift)])

    return answer


def raced(
    key=lambda curves, alive, last: -curves[alive, last], following=lambda epochs: 2 * epochs, anew=False, alone=1
):
    def answer(curves):
        alive, epochs, before, spent = np.arange(len(curves)), 1, 0, 0
        while True:
            spent += len(alive) * (epochs - (0 if anew else before))
            alive = alive[np.argsort(key(curves, alive, epochs - 1), kind="stable")]
            if len(alive) // alone <= 1 or following(epochs) > curves.shape[1]:
                return alive[0], spent
            before, epochs, alive = epochs, following(epochs), alive[: len(alive) // 2]

    return answer


RIGHT = {
    rate_at: [rated(), rates_as_an_array],
    soft_targets: [
        dealt(lambda s, k: 1 - s + s / k, lambda s, k: s / k),
        single(dealt(lambda s, k: 1 - s + s / k, lambda s, k: s / k)),
        lambda labels, classes, s: (labels[:, None] == np.arange(classes)) * (1 - s) + s / classes,
    ],
    paired_t: [t_by_loops, single(t_by_loops), lambda a, b: stats.ttest_rel(a, b).statistic],
    best_of: [
        enumerated(),
        single(enumerated()),
        lambda scores, count: (
            sum(score * ((k + 1) ** count - k**count) for k, score in enumerate(sorted(scores))) / len(scores) ** count
        ),
    ],
    survivor: [raced(), single(raced()), lambda curves: list(raced()(curves))],
}
WRONG = {
    rate_at: [
        ("Nothing seems to warm up", rated(rise=lambda step, warm: 1)),
        ("There seems to be no warm-up", lambda t, n, w, peak: peak * (1 + np.cos(np.pi * t / n)) / 2),
        ("The cosine seems to begin", rated(fall=lambda t, n, w: (1 + np.cos(np.pi * t / n)) / 2)),
        ("The fall seems to take all", rated(fall=lambda t, n, w: (1 + np.cos(np.pi * (t - w) / n)) / 2)),
        ("The fall seems to be a straight", rated(fall=lambda t, n, w: 1 - (t - w) / (n - w))),
        ("That seems to be a quarter", rated(fall=lambda t, n, w: np.cos(np.pi / 2 * (t - w) / (n - w)))),
        ("The fall seems to begin at twice", rated(fall=lambda t, n, w: 1 + np.cos(np.pi * (t - w) / (n - w)))),
        ("After the warm-up", rated(fall=lambda t, n, w: (1 - np.cos(np.pi * (t - w) / (n - w))) / 2)),
        ("The fall seems to go on below", rated(fall=lambda t, n, w: math.cos(math.pi * (t - w) / (n - w)))),
        ("The fall seems to reach", rated(fall=lambda t, n, w: (1 + np.cos(np.pi * (t - w) / (n - 1 - w))) / 2)),
        ("Nothing seems to fall", rated(fall=lambda t, n, w: 1)),
        ("The warm-up seems to be one step", rated(rise=lambda step, warm: (step + 1) / warm)),
        ("The peak seems", lambda t, n, w, peak: rated()(t, n, w, 1)),
        (UNKNOWN, lambda t, n, w, peak: peak, lambda t, n, w, peak: np.zeros(n), rated(rise=lambda t, w: t)),
    ],
    soft_targets: [
        ("Nothing seems to be smoothed", dealt(lambda s, k: 1, lambda s, k: 0)),
        ("The share seems to be taken", dealt(lambda s, k: 1 - s, lambda s, k: 0)),
        ("The share seems to be dealt", dealt(lambda s, k: 1 + s / k, lambda s, k: s / k)),
        ("The label's own class seems to get nothing", dealt(lambda s, k: 1 - s, lambda s, k: s / (k - 1))),
        ("The label's own class seems to miss", dealt(lambda s, k: 1 - s, lambda s, k: s / k)),
        ("Each class", dealt(lambda s, k: 1, lambda s, k: s)),
        ("Each wrong class", dealt(lambda s, k: 1 - s, lambda s, k: s)),
        ("Share and rest", dealt(lambda s, k: s + (1 - s) / k, lambda s, k: (1 - s) / k)),
        (
            "Rows and columns",
            lambda y, k, s: np.transpose(dealt(lambda s, k: 1 - s + s / k, lambda s, k: s / k)(y, k, s)),
        ),
        ("The examples seem", lambda y, k, s: sum(dealt(lambda s, k: 1 - s + s / k, lambda s, k: s / k)(y, k, s))),
        (
            UNKNOWN,
            dealt(lambda s, k: s, lambda s, k: 1 - s),
            lambda y, k, s: y,
            lambda y, k, s: np.full((len(y), k), 1 / k),
        ),
    ],
    paired_t: [
        ("The spreads of both seem to be added: the seeds", lambda a, b: stats.ttest_ind(a, b).statistic),
        (
            "The spreads of both seem to be added, and",
            lambda a, b: (a - b).mean() / np.sqrt((np.var(a) + np.var(b)) / len(a)),
        ),
        ("The root of the number of runs seems to be missing: a mean", lambda a, b: t_by_loops(a, b, runs=lambda a: 1)),
        (
            "The root of the number of runs seems to be missing, and",
            lambda a, b: t_by_loops(a, b, freedom=0, runs=lambda a: 1),
        ),
        ("The squares seem", lambda a, b: t_by_loops(a, b, freedom=0)),
        ("The number of runs seems", lambda a, b: t_by_loops(a, b, runs=lambda a: len(a) ** 2)),
        ("The root seems to be of one run", lambda a, b: t_by_loops(a, b, runs=lambda a: len(a) - 1)),
        ("The variance seems", lambda a, b: t_by_loops(a, b, root=lambda variance: variance)),
        ("The sign seems to be lost", lambda a, b: abs(t_by_loops(a, b))),
        ("The sign seems to be the other", lambda a, b: stats.ttest_rel(b, a).statistic),
        ("That seems to be the mean", lambda a, b: sum(a - b) / len(a)),
        (UNKNOWN, lambda a, b: a - b, lambda a, b: 0.0, lambda a, b: stats.ttest_rel(a, b).pvalue),
    ],
    best_of: [
        ("That seems to be the best", lambda scores, count: max(scores)),
        ("That seems to be the mean", lambda scores, count: sum(scores) / len(scores)),
        ("The first scores", lambda scores, count: max(scores[:count])),
        ("The draws seem", enumerated(draw=itertools.combinations)),
        ("The scores seem to be sorted", enumerated(pick=min)),
        (
            "The scores seem not",
            lambda scores, count: (
                sum(score * ((k + 1) ** count - k**count) for k, score in enumerate(scores)) / len(scores) ** count
            ),
        ),
        (
            "The weights",
            lambda scores, count: (
                sum(score * (k + 1) ** count for k, score in enumerate(sorted(scores))) / len(scores) ** count
            ),
        ),
        ("It seems to be one draw too few", enumerated(shift=-1)),
        ("It seems to be one draw too many", enumerated(shift=1)),
        (UNKNOWN, lambda scores, count: count, enumerated(pick=sum), lambda scores, count: scores),
    ],
    survivor: [
        ("All seem to be trained", lambda curves: (np.argmax(curves[:, -1]), len(curves) * len(curves[0]))),
        ("It seems to be over", lambda curves: (np.argmax(curves[:, 0]), len(curves))),
        ("The worse half", raced(key=lambda curves, alive, last: curves[alive, last])),
        ("Each rung", raced(anew=True)),
        ("The epochs seem to grow", raced(following=lambda epochs: epochs + 1)),
        ("The last one", raced(alone=2)),
        ("The winner is right", lambda curves: (raced()(curves)[0], curves.size)),
        ("Winner and epochs", lambda curves: raced()(curves)[::-1]),
        (UNKNOWN, lambda curves: raced()(curves)[0], lambda curves: (0, 0), lambda curves: curves[0]),
    ],
}

test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


def test_the_assignment_is_taken_however_it_is_written(capsys):
    diagnosis(dict(diagnosis.RUNS))
    diagnosis({letter: f" {cause.upper()} " for letter, cause in diagnosis.RUNS.items()})
    assert capsys.readouterr().out == "✓ All 7 are right.\n" * 2


def test_what_is_empty_is_waited_for(capsys):
    diagnosis(dict.fromkeys("ABCDEFG", ""))
    assert capsys.readouterr().out == "Not yet: A, B, C, D, E, F, G.\n"
    diagnosis({"A": diagnosis.RUNS["A"], "C": diagnosis.RUNS["C"], "B": " "})
    assert capsys.readouterr().out == "Not yet: B, D, E, F, G. The others are right.\n"


@pytest.mark.parametrize("letter", "ABCDEFG")
def test_each_wrong_cause_is_refused_with_a_sign_that_the_run_does_not_have(letter):
    for cause in set(diagnosis.CAUSES) - {diagnosis.RUNS[letter]}:
        with pytest.raises(WrongAnswer) as caught:
            diagnosis({letter: cause})
        start, middle = f"{letter} is not “{cause}”: such a run ", f", and {letter} "
        assert str(caught.value).startswith(start)
        claimed, real = str(caught.value).removeprefix(start).rstrip(".").split(middle)
        sign = next(sign for sign in diagnosis.SIGNS if claimed in sign.values())
        assert real in sign.values()
        assert real != claimed


def test_no_two_causes_have_the_same_signs():
    assert len(set(diagnosis.CAUSES.values())) == 7
    assert sorted(diagnosis.RUNS.values()) == sorted(diagnosis.CAUSES)
    for signs in diagnosis.CAUSES.values():
        assert all(value in sign for value, sign in zip(signs, diagnosis.SIGNS, strict=True))


def test_a_wrong_cause_and_all_wrong_ones_are_named():
    with pytest.raises(WrongAnswer) as caught:
        diagnosis({"E": "rate too high", "B": "weights start at zero", "A": "softmax twice"})
    assert str(caught.value).splitlines() == [
        "B is not “weights start at zero”: such a run never leaves its start, and B leaps far above its start.",
        "E is not “rate too high”: such a run leaps far above its start, and E never leaves its start.",
    ]


def test_unknown_letters_and_causes_are_refused():
    with pytest.raises(WrongAnswer, match=r"^There is no run H: the runs are A to G\.$"):
        diagnosis({"A": "", "H": "rate too low"})
    with pytest.raises(WrongAnswer, match=r"^D: “bad luck” is none of the seven\. They are: rate too low; "):
        diagnosis({"D": "bad luck"})
