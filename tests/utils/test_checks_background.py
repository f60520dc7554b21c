"""The checkers of ``background``, asked with answers as readers write them, right ones and wrong ones."""

import math

import numpy as np
import pytest

from tests.utils.readers import UNKNOWN, answers_of, mistakes_of, refused
from utils.checks.background import (
    doubling_time,
    leave_one_out,
    predictive_value,
    training_energy,
    training_flop,
    transformer_parameters,
)

TWO = math.log(2)


def single(answer):
    """Return the answer, computed from float32 and rounded to it."""

    def rounded(*case):
        return np.float32(answer(*(np.float32(part) if np.ndim(part) else part for part in case)))

    return rounded


def line(x, y):
    """Return the slope by the normal equations."""
    return np.linalg.lstsq(np.column_stack([np.ones(len(x)), x]), y, rcond=None)[0][1]


def months(years, values, log=np.log, two=TWO, unit=12, slope=line):
    return unit * two / slope(years, log(values))


def by_loops(years, values):
    n, logs = len(years), [math.log2(v) for v in values]
    middle, mean = sum(years) / n, sum(logs) / n
    up = sum((t - middle) * (v - mean) for t, v in zip(years, logs, strict=True))
    return 12 * sum((t - middle) ** 2 for t in years) / up


def flop(number=6, count=lambda p, a: a, times=lambda passes: passes):
    return lambda p, a, examples, passes: number * count(p, a) * examples * times(passes)


def exact(depth, width, vocabulary, length):
    """Return what a GPT-2 really has, biases and normalizations included."""
    return depth * (12 * width**2 + 13 * width) + (vocabulary + length + 2) * width


def network(block=12, tokens=1, places=1, power=2):
    return lambda n, d, v, t: block * n * d**power + tokens * v * d + places * t * d


def energy(share=lambda u: 1 / u, hall=lambda p: p, power=lambda w: w, unit=3.6e6):
    return lambda f, peak, u, w, p: f / peak * share(u) * power(w) * hall(p) / unit


def slopes(x, y, slope=line):
    return [slope(np.delete(x, i), np.delete(y, i)) for i in range(len(x))]


def through_zero(x, y):
    return x @ y / (x @ x)


RIGHT = {
    doubling_time: [months, by_loops, single(by_loops), lambda t, v: months(t, v, np.log10, math.log10(2))],
    training_flop: [flop(), lambda p, a, n, e: 2 * a * n * e + 4 * a * n * e, single(flop())],
    transformer_parameters: [network(), lambda n, d, v, t: 4 * n * d * d + 2 * n * 4 * d * d + d * (v + t)],
    training_energy: [energy(), lambda f, peak, u, w, p: f / (peak * u) / 3600 * w / 1000 * p, single(energy())],
    leave_one_out: [slopes, lambda x, y: np.array([np.polyfit(*np.delete([x, y], i, 1), 1)[0] for i in range(len(x))])],
    predictive_value: [lambda c, f, n, s: f / (s * n), single(lambda c, f, n, s: (f / c) * (c / n) / s)],
}
WRONG = {
    doubling_time: [
        ("It seems to be in years", lambda t, v: months(t, v, unit=1)),
        ("Two logarithms seem to meet: with a slope in", lambda t, v: months(t, v, np.log10)),
        ("Two logarithms seem to meet: with a slope of", lambda t, v: months(t, v, two=math.log10(2))),
        ("Only the first and", lambda t, v: months(t, v, slope=lambda x, y: (y[-1] - y[0]) / (x[-1] - x[0]))),
        ("The logarithm of 2", lambda t, v: months(t, v, two=1)),
        ("The values seem to be fitted", lambda t, v: months(t, v, log=lambda v: v)),
        ("The fraction seems", lambda t, v: 12 / months(t, v)),
        (UNKNOWN, lambda t, v: -months(t, v), lambda t, v: months(t, v, slope=through_zero), lambda t, v: t / 12),
        (UNKNOWN, lambda t, v: months(t, v, two=math.log(3)), lambda t, v: months(v, t)),
    ],
    training_flop: [
        ("All parameters seem to count: only", flop(count=lambda p, a: p)),
        ("Multiply-adds seem", flop(3)),
        ("Only the way forward", flop(2)),
        ("Only the way back", flop(4)),
        ("The passes seem to be forgotten", flop(times=lambda passes: 1)),
        ("All parameters seem to count, and", flop(count=lambda p, a: p, times=lambda passes: 1)),
        ("The 6 seems", flop(1)),
        (UNKNOWN, flop(5), flop(times=lambda passes: passes**2), flop(count=lambda p, a: p - a), flop(6e-9)),
    ],
    transformer_parameters: [
        ("The two tables", network(tokens=0, places=0)),
        ("The table of places", network(places=0)),
        ("The table of tokens seems to be missing", network(tokens=0)),
        ("The table of tokens seems to count twice", network(tokens=2)),
        ("Only attention", network(4)),
        ("Only the small networks", network(8)),
        ("The width seems", network(power=1)),
        ("Only the rows", lambda n, d, v, t: 12 * n * d**2 + v + t),
        ("Brackets seem", lambda n, d, v, t: 12 * n * d**2 + v + t * d),
        (UNKNOWN, exact, network(10), network(places=2), lambda *shape: math.prod(shape)),
    ],
    training_energy: [
        ("The utilization seems to multiply", energy(share=lambda u: u)),
        ("The utilization seems to be missing", energy(share=lambda u: 1)),
        ("The PUE seems to be missing", energy(hall=lambda p: 1)),
        ("The PUE seems to divide", energy(hall=lambda p: 1 / p)),
        ("It seems to be in joules", energy(unit=1)),
        ("It seems to be in watt-hours", energy(unit=3600)),
        ("Seconds seem", energy(unit=1000)),
        ("That seems to be the hours", energy(hall=lambda p: 1, power=lambda w: 1, unit=3600)),
        ("It seems to be in megawatt-hours", energy(unit=3.6e9)),
        (UNKNOWN, energy(hall=lambda p: p - 1), energy(power=lambda w: w**2)),
    ],
    leave_one_out: [
        ("No point seems to be left out", lambda x, y: [line(x, y)] * len(x)),
        ("These seem to be changes", lambda x, y: np.array(slopes(x, y)) - line(x, y)),
        ("The lines seem to go through zero", lambda x, y: slopes(x, y, through_zero)),
        ("The mean of all points", lambda x, y: slopes(x - x.mean(), y, through_zero)),
        ("These seem to be the residuals", lambda x, y: y - np.polyval(np.polyfit(x, y, 1), x)),
        ("The slopes seem to be in the wrong order", lambda x, y: slopes(x, y)[::-1]),
        (UNKNOWN, lambda x, y: np.mean(slopes(x, y)), lambda x, y: slopes(y, x), lambda x, y: sorted(slopes(x, y))[:2]),
    ],
    predictive_value: [
        ("That seems to be the share of the sick who", lambda c, f, n, s: f / c),
        ("That seems to be the share of the sick among", lambda c, f, n, s: c / n),
        ("flagged seems", lambda c, f, n, s: f / s),
        ("That seems to be the share of the alarms that is wrong", lambda c, f, n, s: 1 - f / n / s),
        ("All the sick seem", lambda c, f, n, s: c / n / s),
        ("It seems to be in percent", lambda c, f, n, s: 100 * f / n / s),
        ("That seems to be the share found among all", lambda c, f, n, s: f / n),
        (UNKNOWN, lambda c, f, n, s: s, lambda c, f, n, s: f * s / n),
    ],
}


test_mistakes = mistakes_of(WRONG)
test_right_answers, test_wrong_answers = answers_of(RIGHT, WRONG)


@pytest.mark.parametrize("checker", RIGHT, ids=lambda c: c.__name__)
def test_an_empty_stub_is_not_yet_an_answer(checker, capsys):
    def stub(*_):
        pass

    checker(stub)
    assert capsys.readouterr().out.startswith("Not yet: stub returns nothing.")


def test_a_message_shows_the_case():
    message = refused(training_flop, flop(3))
    assert message == (
        "Multiply-adds seem to be counted: each is two operations.\n"
        "<lambda>(1200000000000.0, 96000000000.0, 500000000000.0, 2)\n"
        "  returns  2.88e+23\n  expected 5.76e+23"
    )
