"""The checkers of ``trend-domains``, asked with answers as readers write them, right ones and wrong ones."""

import numpy as np

from tests.utils.readers import QUIET, UNKNOWN, answers_of, mistakes_of, refused, single
from utils.checks.trend_domains import class_shares, discrepancy, forgetting, permutation_p, pulled_step


def pairs(kernel, alone=True):
    """Return the sum over pairs of different rows, by loops, and their number."""
    n = len(kernel)
    total = sum(kernel[i, j] for i in range(n) for j in range(n) if i != j)
    return total / (n * (n - 1) if alone else n * n)


def by_loops(of_x, of_y, between):
    return pairs(of_x) + pairs(of_y) - 2 * sum(sum(row) for row in between) / between.size


def by_masks(of_x, of_y, between):
    def mean(kernel):
        return kernel[~np.eye(len(kernel), dtype=bool)].mean()

    return mean(of_x) + mean(of_y) - 2 * between.mean()


def counted(observed, dealt, start=1, more=1, equal=True):
    number = start
    for value in dealt:
        number += value >= observed if equal else value > observed
    return number / (more + len(dealt))


def pulled(pull=lambda way, f, strength: strength * f * way):
    def answer(w, g, anchor, f, strength, rate):
        return w - rate * g - rate * pull(w - anchor, f, strength)

    return answer


def one_by_one(w, gradient, anchor, stiffness, strength, rate):
    new = w.copy()
    for i in range(len(w)):
        new[i] -= rate * gradient[i]
        new[i] -= rate * strength * stiffness[i] * (w[i] - anchor[i])
    return new


def lost(accuracies):
    tasks = len(accuracies) - 1
    losses = []
    for task in range(tasks):
        best = max(accuracies[moment][task] for moment in range(tasks))
        losses.append(best - accuracies[tasks][task])
    return sum(losses) / tasks


def shares(confusion, predicted):
    table = np.array(
        [[confusion[i, j] / confusion[:, j].sum() for j in range(len(confusion))] for i in range(len(confusion))]
    )
    return np.linalg.inv(table) @ predicted


def ratios_times_old(confusion, predicted):
    """Return the same as the paper has it: ratios to the old shares first."""
    joint = confusion / confusion.sum()
    return np.linalg.solve(joint, predicted) * joint.sum(axis=0)


RIGHT = {
    discrepancy: [by_loops, by_masks, single(by_masks)],
    permutation_p: [
        counted,
        lambda observed, dealt: np.mean(np.append(dealt, observed) >= observed),
        single(lambda observed, dealt: np.mean([observed, *dealt] >= np.float32(observed))),
    ],
    pulled_step: [
        one_by_one,
        pulled(),
        lambda w, g, anchor, f, strength, rate: (1 - rate * strength * f) * w + rate * (strength * f * anchor - g),
        single(pulled()),
    ],
    forgetting: [lost, lambda a: (a[:-1].max(axis=0) - a[-1])[:-1].mean(), single(lost)],
    class_shares: [
        shares,
        ratios_times_old,
        lambda confusion, predicted: np.linalg.lstsq(confusion / confusion.sum(0), predicted, rcond=None)[0],
        single(shares),
    ],
}
WRONG = {
    discrepancy: [
        (
            "The pairs of a row with itself seem to be counted",
            lambda of_x, of_y, between: of_x.sum() / of_x.size + of_y.sum() / of_y.size - 2 * between.mean(),
        ),
        (
            "The pairs of a row with itself seem to be left out",
            lambda of_x, of_y, between: pairs(of_x, False) + pairs(of_y, False) - 2 * np.mean(between),
        ),
        (
            "The mean between the samples seems to count once",
            lambda of_x, of_y, between: pairs(of_x) + pairs(of_y) - between.mean(),
        ),
        (
            "The mean between the samples seems to be added",
            lambda of_x, of_y, between: pairs(of_x) + pairs(of_y) + 2 * between.mean(),
        ),
        ("The sign", lambda *kernels: -by_loops(*kernels)),
        (
            "Pairs seem to be left out",
            lambda of_x, of_y, between: (
                pairs(of_x)
                + pairs(of_y)
                - 2 * (between - np.diag(np.diag(between))).sum() / (len(between) * (len(between) - 1))
            ),
        ),
        ("Negative values", lambda *kernels: max(0, by_masks(*kernels))),
        ("That seems to be the root", lambda *kernels: np.sqrt(np.abs(by_masks(*kernels)))),
        (
            UNKNOWN,
            lambda of_x, of_y, between: 0.0,
            lambda of_x, of_y, between: of_x,
            lambda *kernels: 2 * by_loops(*kernels),
        ),
    ],
    permutation_p: [
        ("The real deal seems not to be counted", lambda observed, dealt: counted(observed, dealt, 0, 0)),
        ("The real deal seems to be counted above", lambda observed, dealt: counted(observed, dealt, 1, 0)),
        ("The real deal seems to be counted below", lambda observed, dealt: counted(observed, dealt, 0, 1)),
        ("Deals that give just as much", lambda observed, dealt: counted(observed, dealt, equal=False)),
        ("It seems to count the deals that give less", lambda observed, dealt: counted(-observed, -dealt)),
        ("The signs", lambda observed, dealt: counted(abs(observed), abs(dealt))),
        (
            UNKNOWN,
            lambda observed, dealt: 1.0,
            lambda observed, dealt: dealt,
            lambda observed, dealt: np.sum(dealt >= observed),
        ),
    ],
    pulled_step: [
        ("The springs seem to be missing", lambda w, g, anchor, f, strength, rate: w - rate * g),
        ("The springs seem to push", pulled(lambda way, f, strength: -strength * f * way)),
        ("All springs", pulled(lambda way, f, strength: strength * way)),
        ("The strength", pulled(lambda way, f, strength: f * way)),
        ("The half", pulled(lambda way, f, strength: 0.5 * strength * f * way)),
        ("That seems to be the penalty", pulled(lambda way, f, strength: 0.5 * strength * f * way * way)),
        ("The penalty itself", pulled(lambda way, f, strength: 0.5 * strength * (f * way * way).sum())),
        ("The pull", pulled(lambda way, f, strength: strength * f * np.where(way > 0, 1, np.where(way < 0, -1, 0)))),
        ("The rate", lambda w, g, anchor, f, strength, rate: w - (rate * g + strength * f * (w - anchor))),
        (
            "The step seems to start",
            lambda w, g, anchor, f, strength, rate: anchor - rate * g - rate * strength * f * (w - anchor),
        ),
        (
            UNKNOWN,
            lambda w, g, anchor, f, strength, rate: w,
            lambda w, g, anchor, f, strength, rate: w + rate * g,
            lambda w, g, anchor, f, strength, rate: (w, anchor),
        ),
    ],
    forgetting: [
        ("The last task", lambda a: (a[:-1].max(axis=0) - a[-1]).mean()),
        ("It seems to compare", lambda a: sum(a[i, i] - a[-1, i] for i in range(len(a) - 1)) / (len(a) - 1)),
        ("The last row", lambda a: (a.max(axis=0) - a[-1])[:-1].mean()),
        ("The sign", lambda a: -lost(a)),
        ("The losses", lambda a: lost(a) * (len(a) - 1)),
        ("The sum", lambda a: lost(a) * (len(a) - 1) / len(a)),
        ("Rows and columns", lambda a: lost(a.T)),
        ("That seems to be the error", lambda a: (1 - a[-1, :-1]).mean()),
        ("That seems to be the task", lambda a: (a[:-1].max(axis=0) - a[-1])[:-1].max()),
        (UNKNOWN, lambda a: 0.0, lambda a: a, lambda a: a[-1].mean()),
    ],
    class_shares: [
        ("That seems to be what was predicted", lambda confusion, predicted: predicted.copy()),
        (
            "The counts seem to be shares",
            lambda confusion, predicted: np.linalg.inv(confusion / confusion.sum()) @ predicted,
        ),
        (
            "Rows seem to sum",
            lambda confusion, predicted: np.linalg.inv(confusion / confusion.sum(1)[:, None]) @ predicted,
        ),
        (
            "The table seems to be turned",
            lambda confusion, predicted: np.linalg.inv((confusion / confusion.sum(0)).T) @ predicted,
        ),
        ("The table seems to be read", lambda confusion, predicted: shares(confusion.T, predicted)),
        ("It seems to multiply", lambda confusion, predicted: predicted @ (confusion / confusion.sum(0)).T),
        ("Those seem to be the shares", lambda confusion, predicted: confusion.sum(0) / confusion.sum()),
        ("The counts seem to be used", lambda confusion, predicted: np.linalg.inv(confusion) @ predicted),
        (
            UNKNOWN,
            lambda confusion, predicted: 0 * predicted,
            lambda confusion, predicted: confusion,
            lambda confusion, predicted: 1.0,
        ),
    ],
}


test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


@QUIET
def test_messages_show_the_case_that_gives_a_mistake_away():
    ties = refused(permutation_p, lambda observed, dealt: counted(observed, dealt, equal=False))
    assert "(0.5, [0.25, -0.75, 0.5, 0.125])\n  returns  0.2\n  expected 0.4" in ties
    later = refused(forgetting, lambda a: (np.diag(a) - a[-1])[:-1].mean())
    assert "[[0.9, 0.1, 0.2], [0.95, 0.8, 0.15], [0.5, 0.6, 0.9]]" in later
