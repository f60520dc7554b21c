"""The checkers of ``faq`` take right answers however they are written, and name what goes wrong."""

import math

import numpy as np

from tests.utils.readers import answers_of, mistakes_of, single
from utils.checks.faq import balanced, examples_needed, mean_regret, tuning_bytes


def case_by_case(result=lambda paid, least: paid / least - 1, end=lambda values: sum(values) / len(values)):
    def answer(costs, chosen):
        values = []
        for k in range(costs.shape[1]):
            column = [row[k] for row in costs]
            values.append(result(column[int(chosen[k])], min(column)))
        return end(values)

    return answer


def by_one_hot(costs, chosen):
    """Answer with a matrix of zeros and ones."""
    taken = np.arange(len(costs))[:, None] == chosen
    return np.mean((costs * taken).sum(axis=0) / costs.min(axis=0)) - 1


def of_all(costs, chosen):
    return np.mean([costs[int(a), k] / np.min(costs) - 1 for k, a in enumerate(chosen)])


def against_the_dearest(costs, chosen):
    return np.mean([max(costs[:, k]) / costs[int(a), k] - 1 for k, a in enumerate(chosen)])


def at_once(costs, chosen):
    return (costs[chosen.astype(int)] / costs.min(axis=0)).mean() - 1


def by_case_first(costs, chosen):
    return np.mean([costs[k, a] / min(costs[:, k]) - 1 for k, a in enumerate(chosen)])


def in_turn(parameters, trainable, width):
    total = parameters * width
    total += trainable * width  # gradients
    total += 2 * trainable * 4  # means
    if width == 2:
        total += trainable * 4
    return total


def frozen_apart(parameters, trainable, width):
    frozen = parameters - trainable
    return frozen * width + trainable * {2: 16, 4: 16, 8: 24}[width]


def searched(p, q, z):
    """Answer by trying whole numbers."""
    for n in range(1, 10**6):
        if abs(p - q) + 1e-9 >= z * math.sqrt(p * (1 - p) / n + q * (1 - q) / n):
            return n
    return None


def solved(variance=lambda p, q: p * (1 - p) + q * (1 - q), z_power=2, power=2, end=math.ceil):
    def answer(p, q, z):
        return end(z**z_power * variance(p, q) / abs(p - q) ** power)

    return answer


def counted(end=lambda shares: sum(shares) / len(shares), classes=lambda truth, said: sorted(set(truth.tolist()))):
    def answer(truth, said):
        shares = []
        for k in classes(truth, said):
            places = [i for i, t in enumerate(truth) if t == k]
            hits = sum(said[i] == k for i in places)
            shares.append(hits / len(places) if places else 0.0)
        return end(shares)

    return answer


def by_matrix(truth, said):
    """Answer with a table of confusions."""
    names = np.union1d(truth, said)
    confusions = np.array([[np.sum((truth == a) & (said == b)) for b in names] for a in names], float)
    there = confusions.sum(axis=1) > 0
    return np.mean(np.diag(confusions)[there] / confusions[there].sum(axis=1))


def exchanged(truth, said):
    return counted()(said, truth)


def one_against_rest(truth, said):
    return np.mean([np.mean((truth == k) == (said == k)) for k in set(truth.tolist())])


def weighed(weights):
    """Return an answer with bytes of each parameter and of each trainable one, by width."""

    def answer(parameters, trainable, width):
        each, learns = weights(width)
        return each * parameters + learns * trainable

    return answer


RIGHT = {
    mean_regret: [case_by_case(), by_one_hot, lambda costs, chosen: np.float32(case_by_case()(costs, chosen))],
    tuning_bytes: [in_turn, frozen_apart, lambda n, k, w: np.int64(in_turn(n, k, w))],
    examples_needed: [searched, solved(), lambda p, q, z: np.float64(solved()(p, q, z))],
    balanced: [counted(), by_matrix, single(by_matrix)],
}
WRONG = {
    mean_regret: [
        ("That seems to be the difference", case_by_case(lambda paid, least: paid - least)),
        ("The 1 seems to be missing", case_by_case(lambda paid, least: paid / least)),
        (
            "That seems to be the ratio of the means",
            case_by_case(
                lambda paid, least: (paid, least), lambda pairs: sum(a for a, _ in pairs) / sum(b for _, b in pairs) - 1
            ),
        ),
        ("The cheapest of all cases", of_all),
        ("It seems to be divided by what was paid", case_by_case(lambda paid, least: 1 - least / paid)),
        ("The dearest seems to be compared with", against_the_dearest),
        ("Whole rows seem to be taken", at_once),
        ("Rows and columns seem to be exchanged", by_case_first),
        ("That seems to be the sum", case_by_case(end=sum)),
    ],
    tuning_bytes: [
        ("Frozen parameters seem to have a gradient", lambda n, k, w: n * {2: 16, 4: 16, 8: 24}[w]),
        ("The frozen parameters seem to be forgotten", lambda n, k, w: k * {2: 16, 4: 16, 8: 24}[w]),
        ("The copy in 4 bytes seems to be missing", weighed(lambda w: (w, w + 8))),
        (
            "There seems to be a copy at a width of 4",
            weighed(lambda w: (w, w + 12)),
            weighed(lambda w: (w, {2: 14, 4: 16, 8: 16}[w])),
        ),
        ("The gradient seems to have 4 bytes", weighed(lambda w: (w, 12 + 4 * (w == 2)))),
        ("That seems to be 16 bytes for each that learns", lambda n, k, w: 16 * k + w * (n - k)),
        ("The copy seems to replace the parameter", lambda n, k, w: (n - k) * w + k * (max(w, 4) + w + 8)),
        ("One mean of Adam", weighed(lambda w: (w, w + 4 + 4 * (w == 2)))),
        ("The means seem to have the width", weighed(lambda w: (w, 3 * w + 4 * (w == 2)))),
        (
            "One width seems to be missing",
            weighed(lambda w: (w, 8 + 4 * (w == 2))),
            lambda n, k, w: w * (n - k) + k * (w + 8 + 4 * (w == 2)),
        ),
        ("Frozen parameters seem to have a copy", weighed(lambda w: (w + 4 * (w == 2), w + 8))),
    ],
    examples_needed: [
        ("Only the first model", solved(lambda p, q: p - p * p)),
        ("Only the second model", solved(lambda p, q: q - q * q)),
        ("z seems to lack its square", solved(z_power=1)),
        ("The difference seems to lack its square", solved(power=1)),
        ("z seems to be left out", solved(z_power=0)),
        ("That is no whole number", solved(end=float)),
        ("It seems to be rounded down", solved(end=math.floor)),
        ("Where n comes out whole", solved(end=lambda n: math.floor(n) + 1), lambda p, q, z: searched(p, q, z + 1e-6)),
        ("It seems to be rounded to the nearest", solved(end=round)),
        (
            "That seems to be the root of n",
            lambda p, q, z: math.ceil(z * math.sqrt(p - p * p + q - q * q) / abs(p - q)),
        ),
        ("The variances seem to be subtracted", solved(lambda p, q: p - p * p - q + q * q)),
        (
            "The standard errors seem to be added",
            solved(lambda p, q: (math.sqrt(p * (1 - p)) + math.sqrt(q * (1 - q))) ** 2),
        ),
        ("One mean share", solved(lambda p, q: (p + q) * (1 - (p + q) / 2))),
    ],
    balanced: [
        ("That seems to be the share of all examples", lambda truth, said: sum(truth == said) / len(truth)),
        ("Truth and answers seem to be exchanged", exchanged),
        ("That seems to be the sum over classes", counted(sum)),
        ("That seems to be the share that is missed", counted(lambda shares: 1 - sum(shares) / len(shares))),
        (
            "A class that never occurs seems to count",
            counted(classes=lambda truth, said: sorted({*truth.tolist(), *said.tolist()})),
        ),
        ("All numbers up to the largest", counted(classes=lambda truth, said: range(max(truth) + 1))),
        (
            "The hits of a class seem to be divided by all",
            lambda truth, said: np.mean([np.sum((truth == k) & (said == k)) / len(truth) for k in set(truth.tolist())]),
        ),
        ("That seems to be the worst class", counted(min)),
        ("That seems to be the median", counted(np.median)),
        ("What is rightly not called the class", one_against_rest),
    ],
}

test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)
test_mistakes = mistakes_of(WRONG)
