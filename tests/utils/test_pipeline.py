"""Schedules of a pipeline: order, idle time, what is kept; and gradients that are those of the unsplit network."""

import numpy as np
import pytest

from utils.scratch.network import Dense, Network, ReLU
from utils.scratch.pipeline import alternating, bubble, fill, gpipe, idle_share, in_flight, pipelined_gradients

SIZES = [(p, m) for p in (1, 2, 3, 5) for m in (1, 2, 4, 9)]


def test_schedules_by_hand():
    assert gpipe(2, 2).tolist() == [[1, 2, 0, 0, -2, -1], [0, 1, 2, -2, -1, 0]]
    assert alternating(2, 3).tolist() == [[1, 2, 0, -1, 3, -2, 0, -3], [0, 1, -1, 2, -2, 3, -3, 0]]


@pytest.mark.parametrize(("stages", "micro"), SIZES)
@pytest.mark.parametrize("schedule", [gpipe, alternating])
def test_every_piece_is_done_once_and_after_what_it_needs(schedule, stages, micro):
    table = schedule(stages, micro)
    assert table.shape == (stages, 2 * (micro + stages - 1))
    when = {(s, int(k)): t for (s, t), k in np.ndenumerate(table) if k}
    assert len(when) == 2 * stages * micro == np.count_nonzero(table)
    for (stage, piece), tick in when.items():
        if piece > 0 and stage:
            assert when[stage - 1, piece] < tick
        if piece < 0:
            assert when[stage, -piece] < tick
            if stage < stages - 1:
                assert when[stage + 1, piece] < tick


@pytest.mark.parametrize(("stages", "micro"), SIZES)
def test_the_bubble(stages, micro):
    expected = (stages - 1) / (micro + stages - 1)
    assert bubble(stages, micro) == pytest.approx(expected, abs=1e-15)
    for schedule in (gpipe, alternating):
        assert idle_share(schedule(stages, micro)) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(("stages", "micro"), SIZES)
def test_what_is_kept(stages, micro):
    assert in_flight(gpipe(stages, micro)).tolist() == [micro] * stages
    assert in_flight(alternating(stages, micro)).tolist() == [min(micro, stages - s) for s in range(stages)]


def test_stages_that_wait_for_each_other_are_refused():
    with pytest.raises(ValueError) as error:
        fill([[-1, 1], [1, -1]])
    assert str(error.value) == "The stages wait for each other: no piece of work can begin."


@pytest.mark.parametrize(("stages", "micro"), [(0, 1), (1, 0)])
def test_sizes_that_are_refused(stages, micro):
    for function in (gpipe, alternating, bubble):
        with pytest.raises(ValueError) as error:
            function(stages, micro)
        assert str(error.value) == (f"{stages} stages and {micro} micro-batches: there must be one of each at least.")


@pytest.mark.parametrize("schedule", [gpipe, alternating])
@pytest.mark.parametrize(("cuts", "micro"), [([], 1), ([], 3), ([2], 4), ([1, 3], 2), ([2, 3, 4], 7)])
def test_the_gradients_are_those_of_the_unsplit_network(schedule, cuts, micro):
    rng = np.random.default_rng(2)
    layers = [Dense(6), ReLU(), Dense(5), ReLU(), Dense(3)]
    network = Network(layers, (4,), 1, "float64")
    before = [p.copy() for p in network.parameters]
    x, y = rng.normal(size=(7, 4)), rng.integers(0, 3, 7)  # micro-batches of different size
    expected, others = network.loss_and_gradients(x, y)
    loss, gradients, sent = pipelined_gradients(network, cuts, x, y, schedule(len(cuts) + 1, micro))
    assert abs(loss - expected) < 1e-12
    assert len(gradients) == len(others)
    for a, b in zip(gradients, others, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)
    widths = [6, 6, 5, 5, 3]
    assert sent == sum(2 * 7 * widths[cut - 1] * 8 for cut in cuts)
    assert all((a == b).all() for a, b in zip(before, network.parameters, strict=True))


def test_cuts_that_do_not_fit_are_refused():
    network = Network([Dense(2), Dense(2)], (2,), 1)
    with pytest.raises(ValueError) as error:
        pipelined_gradients(network, [1], np.ones((2, 2)), np.zeros(2, int), gpipe(3, 2))
    assert str(error.value) == "1 cuts make 2 stages, and the schedule has 3."
