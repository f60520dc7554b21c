"""Sixteen bits: rounding by hand, gradients that vanish, and a scale that finds itself."""

import numpy as np
import pytest

from utils.scratch.network import Dense, Network, ReLU
from utils.scratch.precision import LossScale, bfloat16, float16, float32, rounded_gradients


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1.0, 1.0),
        (1 + 2**-7, 1 + 2**-7),
        (1 + 2**-8, 1.0),  # half way, to the even one below
        (1 + 3 * 2**-8, 1 + 2**-6),  # half way, to the even one above
        (1 + 2**-8 + 2**-20, 1 + 2**-7),
        (-(1 + 3 * 2**-8), -(1 + 2**-6)),
        (0.0, 0.0),
        (3.4e38, np.inf),  # above the largest by more than half a step
        (np.inf, np.inf),
        (1e-38, float(np.float32(9.9918e-39))),
    ],
)
def test_bfloat16_by_hand(given, expected):
    found = bfloat16(np.array([given]))
    assert found.dtype == np.float32
    assert found[0] == expected or (found[0] == pytest.approx(expected, rel=1e-2) and abs(given) < 1e-30)


def test_bfloat16_has_sixteen_bits_and_rounds_to_the_nearest():
    x = np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32)
    found = bfloat16(x)
    assert found.shape == x.shape and not (found.view(np.uint32) & 0xFFFF).any()
    step = 2.0 ** (np.floor(np.log2(np.abs(x))) - 7)
    assert (np.abs(found.astype(float) - x) <= step / 2).all()
    assert (bfloat16(found) == found).all()


def test_nan_stays():
    assert np.isnan(bfloat16(np.array([np.nan, 1])))[0] and np.isnan(float16(np.array([np.nan])))[0]


def test_float16_and_float32():
    assert float16(np.array([1e-8, 70000, 0.1, 2**-24])).tolist() == [0, np.inf, 0.0999755859375, 2**-24]
    assert float16(np.array([0.1])).dtype == float32(np.array([0.1])).dtype == np.float32
    assert float32(np.array([0.1]))[0] == np.float32(0.1)


def network():
    return Network([Dense(5), ReLU(), Dense(3)], (4,), seed=1)


def batch(count=6):
    rng = np.random.default_rng(3)
    return rng.normal(size=(count, 4)).astype(np.float32), rng.integers(0, 3, count)


def test_32_bits_change_nothing():
    net, (x, y) = network(), batch()
    loss, gradients = rounded_gradients(net, x, y, float32)
    expected, others = net.loss_and_gradients(x, y)
    assert loss == expected
    assert all((a == b).all() for a, b in zip(gradients, others, strict=True))


@pytest.mark.parametrize(("rounding", "digits"), [(float16, 2e-3), (bfloat16, 2e-2)])
def test_16_bits_come_close_and_leave_the_weights(rounding, digits):
    net, (x, y) = network(), batch()
    before = [p.copy() for p in net.parameters]
    loss, gradients = rounded_gradients(net, x, y, rounding, 2.0**7)
    expected, others = net.loss_and_gradients(x, y)
    assert loss == pytest.approx(expected, rel=digits) and loss != expected
    assert len(gradients) == len(others)
    for a, b in zip(gradients, others, strict=True):
        assert a.dtype == np.float32
        assert np.abs(a - b).max() < digits and (a != b).any()
        assert (rounding(a * np.float32(2.0**7)) == a * np.float32(2.0**7)).all()
    assert all((a == b).all() for a, b in zip(before, net.parameters, strict=True))


def test_the_input_and_the_weights_are_rounded():
    net, (x, y) = network(), batch()
    found = rounded_gradients(net, x, y, bfloat16)
    net.set_parameters([bfloat16(p) for p in net.parameters])
    again = rounded_gradients(net, bfloat16(x), y, bfloat16)
    assert found[0] == again[0] and all((a == b).all() for a, b in zip(found[1], again[1], strict=True))


def test_a_scale_keeps_what_would_vanish():
    net, (x, y) = network(), batch()
    x = x * np.float32(1e-7)  # so are the gradients of the first weights
    _, plain = rounded_gradients(net, x, y, lambda a: np.where(np.abs(a) < 2**-25, 0, a).astype(np.float32))
    _, scaled = rounded_gradients(net, x, y, lambda a: np.where(np.abs(a) < 2**-25, 0, a).astype(np.float32), 2.0**12)
    assert (plain[0] == 0).mean() > (scaled[0] == 0).mean()


def test_too_large_a_scale_overflows():
    net, (x, y) = network(), batch()
    _, gradients = rounded_gradients(net, x, y, float16, 2.0**40)
    assert not all(np.isfinite(g).all() for g in gradients)


def test_the_weights_come_back_after_an_error():
    net, (x, _) = network(), batch()
    before = [p.copy() for p in net.parameters]
    with pytest.raises(ValueError):
        rounded_gradients(net, x, np.zeros(1, int), bfloat16)
    assert all((a == b).all() for a, b in zip(before, net.parameters, strict=True))


def test_the_scale_by_hand():
    scale, fine, bad = LossScale(8, patience=2), [np.ones(2)], [np.ones(1), np.array([np.inf, 0])]
    seen = []
    for gradients in (fine, fine, fine, bad, fine, fine, [np.array([np.nan])]):
        taken = scale.accepts(gradients)
        seen.append((taken, scale.scale, scale.good, scale.skipped))
    assert seen == [
        (True, 8, 1, 0),
        (True, 16, 0, 0),
        (True, 16, 1, 0),
        (False, 8, 0, 1),
        (True, 8, 1, 1),
        (True, 16, 0, 1),
        (False, 8, 0, 2),
    ]


def test_the_scale_to_begin_with():
    scale = LossScale()
    assert (scale.scale, scale.patience, scale.good, scale.skipped) == (32768, 2000, 0, 0)
    assert LossScale(0.5, 1).accepts([np.ones(1)])


@pytest.mark.parametrize(("scale", "patience"), [(0, 1), (-1, 1), (1, 0)])
def test_scales_that_are_refused(scale, patience):
    with pytest.raises(ValueError) as error:
        LossScale(scale, patience)
    assert str(error.value) == f"A scale of {scale} and a patience of {patience}: both must be positive."
