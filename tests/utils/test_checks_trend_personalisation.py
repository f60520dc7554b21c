"""The checkers of ``trend-personalisation``, asked with answers as readers write them, right ones and wrong ones."""

import numpy as np

from tests.utils.readers import QUIET, UNKNOWN, answers_of, mistakes_of, refused, single
from utils.checks.trend_personalisation import (
    adapted,
    adapter_bytes,
    bytes_to_goal,
    federated_average,
    leaked,
    merged,
)


def scores(rank=lambda down: down.shape[1], weights=1.0, bias=1.0, path=1.0):
    def answer(x, w, b, down, up, alpha):
        return weights * (x @ w) + bias * b + path * alpha / rank(down) * ((x @ down) @ up)

    return answer


def in_loops(x, w, b, down, up, alpha):
    y = np.zeros((len(x), w.shape[1]))
    for e in range(len(x)):
        for o in range(w.shape[1]):
            narrow = [sum(x[e, i] * down[i, k] for i in range(len(w))) for k in range(len(up))]
            y[e, o] = sum(x[e, i] * w[i, o] for i in range(len(w))) + b[o]
            y[e, o] += alpha / len(up) * sum(narrow[k] * up[k, o] for k in range(len(up)))
    return y


def mean_by_loop(models, sizes):
    total = np.zeros(models.shape[1])
    for model, size in zip(models, sizes, strict=True):
        total += size / sizes.sum() * model
    return total


def counted(accuracies, goal, clients, parameters):
    sent = 0
    for accuracy in accuracies:
        sent += 2 * 4 * clients * parameters
        if accuracy >= goal:
            return sent
    return -1


def paid(times=1.0, shift=0, clients_too=True, at_least=True):
    def answer(accuracies, goal, clients, parameters):
        for number, accuracy in enumerate(accuracies, 1):
            if accuracy >= goal if at_least else accuracy > goal:
                return times * 8 * (number + shift) * (clients if clients_too else 1) * parameters
        return -1

    return answer


def strongest(dw, db):
    unit = np.abs(db).argmax()
    return dw[:, unit] / db[unit]


def by_least_squares(dw, db):
    return dw @ db / (db @ db)


RIGHT = {
    adapted: [in_loops, scores(), single(scores())],
    adapter_bytes: [
        lambda shapes, rank, number: sum(rank * (n + m) * number for n, m in shapes),
        lambda shapes, rank, number: sum(np.ones((n, rank)).size + np.ones((rank, m)).size for n, m in shapes) * number,
    ],
    merged: [
        lambda w, down, up, alpha: w + down @ up * alpha / len(up),
        single(lambda w, down, up, alpha: w + np.float32(alpha / len(up)) * down @ up),
    ],
    federated_average: [
        mean_by_loop,
        lambda models, sizes: np.average(models, axis=0, weights=sizes),
        single(mean_by_loop),
    ],
    bytes_to_goal: [counted, paid()],
    leaked: [strongest, by_least_squares, lambda dw, db: dw[:, db != 0][:, 0] / db[db != 0][0], single(strongest)],
}
WRONG = {
    adapted: [
        ("The path of low rank", scores(path=0), lambda x, w, b, down, up, alpha: x @ w + b),
        ("The scale seems to be missing", lambda x, w, b, down, up, alpha: x @ (w + down @ up) + b),
        ("The scale seems to be alpha", scores(rank=lambda down: 1)),
        ("The scale seems to be divided", scores(rank=len)),
        ("That seems to be the scale of rsLoRA", scores(rank=lambda down: down.shape[1] ** 0.5)),
        ("The frozen weights seem", scores(weights=0)),
        ("The bias seems to be missing", scores(bias=0)),
        (
            "The scale seems to multiply the frozen",
            lambda x, w, b, down, up, alpha: alpha / len(up) * x @ (w + down @ up) + b,
        ),
        ("The scale seems to multiply the bias", lambda x, w, b, d, u, alpha: x @ w + alpha / len(u) * (x @ d @ u + b)),
        (UNKNOWN, scores(path=-1), lambda x, w, b, down, up, alpha: x @ w, scores(path=2)),
    ],
    adapter_bytes: [
        ("That seems to be the count", lambda shapes, rank, number: sum(rank * (n + m) for n, m in shapes)),
        (
            "Those seem to be the bytes of the frozen",
            lambda shapes, rank, number: sum(n * m * number for n, m in shapes),
        ),
        ("Inputs and units", lambda shapes, rank, number: number * sum(n * rank * m for n, m in shapes)),
        ("The rank seems", lambda shapes, rank, number: number * sum(map(sum, shapes))),
        ("B seems", lambda shapes, rank, number: number * sum(n * rank for n, m in shapes)),
        ("A seems", lambda shapes, rank, number: number * sum(m * rank for n, m in shapes)),
        ("The biases", lambda shapes, rank, number: number * sum(n * rank + rank * m + m for n, m in shapes)),
        ("The frozen weights", lambda shapes, rank, number: number * sum(n * m + rank * (n + m) for n, m in shapes)),
        ("Only the first", lambda shapes, rank, number: number * rank * (shapes[0][0] + shapes[0][1])),
        (
            UNKNOWN,
            lambda shapes, rank, number: 0,
            lambda shapes, rank, number: 2 * number * rank * sum(map(sum, shapes)),
        ),
    ],
    merged: [
        ("That seems to be the change", lambda w, down, up, alpha: alpha / len(up) * (down @ up)),
        ("The scale seems to be missing", lambda w, down, up, alpha: w + down @ up),
        ("The scale seems to be alpha", lambda w, down, up, alpha: w + alpha * (down @ up)),
        ("The change seems", lambda w, down, up, alpha: w - alpha / len(up) * down @ up),
        ("The scale seems to multiply", lambda w, down, up, alpha: alpha / len(up) * (w + down @ up)),
        (
            "The scale seems to count twice",
            lambda w, down, up, alpha: w + (alpha / len(up) * down) @ (alpha / len(up) * up),
        ),
        ("The weights seem", lambda w, down, up, alpha: w * (down @ up) * alpha / len(up)),
        (UNKNOWN, lambda w, down, up, alpha: w, lambda w, down, up, alpha: w + alpha / len(w) * down @ up),
    ],
    federated_average: [
        ("Every client", lambda models, sizes: sum(models) / len(models)),
        ("The sum seems", lambda models, sizes: sum(n * m for n, m in zip(sizes, models, strict=True))),
        ("It seems to divide", lambda models, sizes: (sizes[:, None] * models).mean(axis=0)),
        ("The weights seem to be upside", lambda models, sizes: np.average(models, axis=0, weights=1 / sizes)),
        ("Only the largest", lambda models, sizes: models[sizes.argmax()]),
        ("The sizes seem to have", lambda models, sizes: np.average(models, axis=0, weights=np.exp(sizes))),
        ("The sizes seem to be squared", lambda models, sizes: np.average(models, axis=0, weights=sizes**2)),
        (UNKNOWN, lambda models, sizes: models.sum(axis=0), lambda models, sizes: models[0], lambda m, n: m.T @ n * 0),
        (UNKNOWN, lambda models, sizes: sizes[:, None] / sizes.sum() * models),
    ],
    bytes_to_goal: [
        ("One way", paid(0.5)),
        ("Those seem to be numbers, both", paid(0.25)),
        ("Those seem to be numbers, one", paid(0.125)),
        ("That seems to be float64", paid(2)),
        ("The clients", paid(clients_too=False)),
        ("It seems to be one round too few", paid(shift=-1)),
        (
            "All rounds",
            lambda accuracies, goal, clients, n: 8 * len(accuracies) * clients * n if max(accuracies) >= goal else -1,
        ),
        (
            "Where the goal is never reached, it seems to give",
            lambda accuracies, goal, clients, n: (
                abs(counted(accuracies, goal, clients, n))
                if max(accuracies) >= goal
                else 8 * len(accuracies) * clients * n
            ),
        ),
        (
            "Where the goal is never reached, it seems to cost",
            lambda accuracies, goal, clients, n: max(counted(accuracies, goal, clients, n), 0),
        ),
        (
            "It seems to wait",
            lambda accuracies, goal, clients, n: (
                8 * clients * n * (max([0, *(i for i, a in enumerate(accuracies, 1) if a < goal)]) + 1)
                if max(accuracies) >= goal
                else -1
            ),
        ),
        (
            "A round that has exactly",
            lambda accuracies, goal, clients, n: max(paid(at_least=False)(accuracies, goal, clients, n), -1),
        ),
        (UNKNOWN, lambda accuracies, goal, clients, n: n, paid(shift=1), paid(3)),
    ],
    leaked: [
        ("It seems to take the first", lambda dw, db: dw[:, 0] / db[0]),
        ("It seems to take the mean", lambda dw, db: np.mean(dw / db, axis=1)),
        ("It seems not to be divided", lambda dw, db: dw[:, np.abs(db).argmax()]),
        ("The sign", lambda dw, db: dw[:, np.abs(db).argmax()] / np.abs(db).max()),
        ("It seems to multiply", lambda dw, db: dw[:, np.abs(db).argmax()] * db[np.abs(db).argmax()]),
        ("The columns", lambda dw, db: dw @ np.ones(len(db))),
        ("It seems to divide", lambda dw, db: dw[:, np.abs(db).argmax()] / (db @ db) ** 0.5),
        (UNKNOWN, lambda dw, db: 0 * dw[:, 0], lambda dw, db: dw, lambda dw, db: -strongest(dw, db)),
    ],
}


test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


@QUIET
def test_messages_show_the_case_that_gives_a_mistake_away():
    never = refused(bytes_to_goal, lambda a, goal, clients, n: max(counted(a, goal, clients, n), 0))
    assert "([0.3, 0.5, 0.7], 0.9, 5, 10)\n  returns  0\n  expected -1" in never
    alike = refused(federated_average, lambda models, sizes: models.mean(axis=0))
    assert "\n  returns  [2.0, 4.0]\n  expected [2.5, 5.0]" in alike
