"""The checkers of ``scale-out`` take right answers however they are written, and name what goes wrong."""

import numpy as np

from tests.utils.readers import QUIET, UNKNOWN, answers_of, mistakes_of, refused, single
from utils.checks.scale_out import bytes_of_stage, mean_over_devices, ring_seconds, scale_after, sum_of_parts


def one_by_one(weight=lambda n, counts: n, below=lambda counts: sum(counts)):
    """Return an answer in loops: each row times a weight, divided by something."""

    def answer(gradients, counts):
        total = [0.0] * gradients.shape[1]
        for g, n in zip(gradients, counts, strict=True):
            for i, value in enumerate(g):
                total[i] += value * weight(n, counts)
        return np.array([value / below(counts) for value in total])

    return answer


def step_by_step(size, n, latency, bandwidth):
    seconds = 0.0
    for _ in range(n - 1):
        seconds += latency + size / n / bandwidth  # sum
        seconds += latency + size / n / bandwidth  # share
    return seconds


def ring(messages=lambda n: 2 * n - 2, parts=lambda n: 2 * n - 2, piece=lambda size, n: size / n):
    return lambda size, n, latency, bandwidth: messages(n) * latency + parts(n) * piece(size, n) / bandwidth


def in_loops(each=lambda y: y, bias_inside=False, bias=True, end=lambda y: y, share=lambda n: 1.0, devices=None):
    """Return an answer that adds number by number."""

    def answer(hidden, weights, b):
        y = np.zeros((len(hidden[0]), len(b)))
        for h, w in list(zip(hidden, weights, strict=True))[:devices]:
            part = np.zeros_like(y)
            for e in range(len(h)):
                for i in range(w.shape[0]):
                    for j in range(w.shape[1]):
                        part[e, j] += h[e, i] * w[i, j]
            y += each(part + b if bias_inside else part) * share(len(hidden))
        return end(y + b if bias and not bias_inside else y)

    return answer


def stages(moments=12, gradients=2, weights=2, shift=0, all_at_once=False, times=lambda parameters, n: parameters):
    def answer(parameters, n, stage):
        stage = min(3, max(0, stage + shift))
        if stage and all_at_once:
            stage = 3
        first = moments / n if stage >= 1 else moments
        second = gradients / n if stage >= 2 else gradients
        third = weights / n if stage >= 3 else weights
        return times(parameters, n) * (first + second + third)

    return answer


def by_number(scale, finite, patience):
    for i in range(len(finite)):
        if not finite[i]:
            scale = scale / 2
        elif (i + 1) % patience == 0:
            scale = 2 * scale
    return scale


def never_reset(scale, finite, patience):
    row = 0
    for fine in finite:
        if not fine:
            scale, row = scale / 2, 0
            continue
        row += 1
        if row == patience:
            scale = scale * 2
    return scale


def scaled(down=2.0, up=2.0, needed=lambda patience: patience, keep_after_bad=False, keep_after_growth=False):
    def answer(scale, finite, patience):
        row = 0
        for fine in finite.tolist():
            row = row + 1 if fine else (row if keep_after_bad else 0)
            if not fine:
                scale = scale / down
            elif row >= needed(patience):
                scale = scale * up
                row = row if keep_after_growth else 0
        return scale

    return answer


def in_single(hidden, weights, bias):
    parts = [h.astype("float32") @ w.astype("float32") for h, w in zip(hidden, weights, strict=True)]
    return np.sum(parts, axis=0) + np.float32(bias)


RIGHT = {
    mean_over_devices: [
        one_by_one(),
        lambda g, n: np.average(g, axis=0, weights=n),
        lambda g, n: (g * n[:, None]).sum(0) / n.sum(),
        single(lambda g, n: n @ g / n.sum()),
    ],
    ring_seconds: [
        step_by_step,
        ring(),
        lambda size, n, a, b: np.float32(2 * (n - 1) * (a + size / (n * b))),
    ],
    sum_of_parts: [
        in_loops(),
        lambda h, w, b: np.concatenate(h, axis=1) @ np.concatenate(w) + b,
        in_single,
    ],
    bytes_of_stage: [
        stages(),
        lambda p, n, s: p * [16, 4 + 12 / n, 2 + 14 / n, 16 / n][s],
        lambda p, n, s: np.float32(stages()(p, n, s)),
    ],
    scale_after: [
        scaled(),
        lambda scale, finite, patience: np.float32(scaled()(scale, finite, patience)),
    ],
}
WRONG = {
    mean_over_devices: [
        ("Every device seems", one_by_one(lambda n, counts: 1, len)),
        ("That seems to be the plain sum", one_by_one(lambda n, counts: 1, lambda counts: 1)),
        ("It seems not to be divided", one_by_one(below=lambda counts: 1)),
        ("It seems to be divided by the number of devices", one_by_one(below=len)),
        ("The weights seem to be upside", one_by_one(lambda n, counts: 1 / n, lambda counts: sum(1 / counts))),
        ("The counts seem to be missing", one_by_one(lambda n, counts: 1)),
        ("Only the largest", lambda g, n: g[list(n).index(max(n))]),
        ("The weights seem to run", lambda g, n: (g * np.resize(n, g.shape[1])).sum(axis=1) / n.sum()),
        (UNKNOWN, lambda g, n: g, lambda g, n: g[0] * 0, lambda g, n: -one_by_one()(g, n)),
    ],
    ring_seconds: [
        ("That seems to be one half", ring(lambda n: n - 1, lambda n: n - 1)),
        ("Each message seems to carry everything", ring(piece=lambda size, n: size)),
        ("The latency seems to be missing", ring(messages=lambda n: 0)),
        ("The latency seems to count once", ring(messages=lambda n: 1)),
        ("A ring of n devices", ring(lambda n: 2 * n, lambda n: 2 * n)),
        ("The bytes seem to be missing", ring(parts=lambda n: 0)),
        ("The bytes seem to be multiplied", lambda size, n, a, b: 2 * (n - 1) * (a + size / n * b)),
        ("Only one part each way", ring(parts=lambda n: 2)),
        ("The fraction", lambda size, n, a, b: 2 * (n - 1) * a + 2 * n / (n - 1) * size / b),
        ("The latency of one half", ring(messages=lambda n: n - 1)),
        ("The bytes of one half", ring(parts=lambda n: n - 1)),
        ("The bytes seem to be those of very many", ring(parts=lambda n: 2 * n)),
        ("Everything seems to be sent once", ring(parts=lambda n: n)),
        (UNKNOWN, lambda size, n, a, b: size, lambda size, n, a, b: 3 * step_by_step(size, n, a, b)),
    ],
    sum_of_parts: [
        ("The bias seems to be added on every", in_loops(bias_inside=True)),
        ("The bias seems to be missing", in_loops(bias=False)),
        ("That seems to be the mean", in_loops(share=lambda n: 1 / n)),
        ("Only the first device", in_loops(devices=1)),
        ("There seems to be a bend", in_loops(end=lambda y: y * (y > 0))),
        ("Each part seems to be bent", in_loops(each=lambda y: y * (y > 0))),
        ("The parts seem to stand", lambda h, w, b: np.hstack([a @ c for a, c in zip(h, w, strict=True)])),
        ("The weights seem to belong", lambda h, w, b: in_loops()(h[::-1], w, b)),
        (UNKNOWN, lambda h, w, b: h[0], lambda h, w, b: b, lambda h, w, b: 2 * in_loops()(h, w, b)),
    ],
    bytes_of_stage: [
        ("The master weights", stages(8)),
        ("Weights and gradients seem to have 32", stages(8, 4, 4)),
        ("The order of the stages", stages(2, 2, 12)),
        ("Everything seems to be split", stages(all_at_once=True)),
        ("Nothing seems to be split", lambda p, n, s: 16 * p),
        ("The stages seem to be one ahead", stages(shift=1)),
        ("The stages seem to be one behind", stages(shift=-1)),
        ("That seems to be the sum over", stages(times=lambda parameters, n: parameters * n)),
        ("That seems to be for one parameter", stages(times=lambda parameters, n: 1)),
        ("What is split seems to vanish", lambda p, n, s: p * sum([12, 2, 2][s:])),
        ("Each stage seems to split", lambda p, n, s: p * [16, 4 + 12 / n, 14 + 2 / n, 14 + 2 / n][s]),
        (UNKNOWN, lambda p, n, s: p, lambda p, n, s: stages()(p, n, s) / 1e9),
    ],
    scale_after: [
        ("It never seems to grow", scaled(up=1)),
        ("It never seems to shrink", scaled(down=1)),
        ("An infinite step", scaled(keep_after_bad=True)),
        ("The count seems to go on", scaled(keep_after_growth=True)),
        ("It seems to double one step late", scaled(needed=lambda patience: patience + 1)),
        ("Up and down", scaled(0.5, 0.5)),
        ("Every finite step", scaled(needed=lambda patience: 1)),
        ("It seems to shrink to a quarter", scaled(down=4)),
        ("The factor", scaled(10, 10)),
        ("All steps seem to be counted", by_number),
        ("A long row", never_reset),
        (UNKNOWN, lambda scale, finite, patience: scale, lambda scale, finite, patience: 0.0),
    ],
}

test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


@QUIET
def test_messages_show_the_case_that_gives_a_mistake_away():
    ahead = refused(bytes_of_stage, stages(shift=1))
    assert "bytes_of_stage" not in ahead and "(10.0, 4, 0)\n  returns  70.0\n  expected 160.0" in ahead
    inside = refused(ring_seconds, ring(messages=lambda n: 1))
    assert "(100.0, 4, 0.5, 20.0)\n  returns  8.0\n  expected 10.5" in inside
