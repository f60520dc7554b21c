"""Federated learning in NumPy: the average, what it reduces to, the shards, and what a gradient betrays."""

import numpy as np
import pytest

from utils.scratch.federated import Client, Server, average, label_shards, local_steps, recovered_inputs
from utils.scratch.network import Dense, Network, ReLU
from utils.scratch.optimizers import SGD


def network(seed=0, dtype="float64"):
    return Network([Dense(6), ReLU(), Dense(3)], (4,), seed=seed, dtype=dtype)


def clients(sizes=(5, 3, 8), seed=1):
    rng = np.random.default_rng(seed)
    return [Client(rng.normal(size=(n, 4)), rng.integers(0, 3, n)) for n in sizes]


def together(some):
    return np.concatenate([c.x for c in some]), np.concatenate([c.y for c in some])


def test_average_by_hand():
    models = [[np.array([1.0, 2.0]), np.array([[4.0]])], [np.array([3.0, 6.0]), np.array([[0.0]])]]
    found = average(models, [1, 3])
    np.testing.assert_allclose(found[0], [2.5, 5])
    np.testing.assert_allclose(found[1], [[1]])
    np.testing.assert_allclose(average(models, [0, 2])[0], [3, 6])
    np.testing.assert_allclose(average(models, [0.5, 0.5])[0], [2, 4])
    assert models[0][0].tolist() == [1, 2]


def test_average_keeps_the_dtype():
    assert average([[np.ones(2, np.float32)], [np.ones(2, np.float32)]], [1, 2])[0].dtype == np.float32


@pytest.mark.parametrize(
    ("count", "weights", "message"),
    [
        (0, [], "0 models and 0 weights: give one weight a model, at least one."),
        (2, [1], "2 models and 1 weights: give one weight a model, at least one."),
        (2, [1, -1], "The weights of an average are 0 or more, and not all of them 0."),
        (2, [3, -1], "The weights of an average are 0 or more, and not all of them 0."),
        (2, [0, 0], "The weights of an average are 0 or more, and not all of them 0."),
        (1, [float("nan")], "The weights of an average are 0 or more, and not all of them 0."),
    ],
)
def test_averages_that_are_refused(count, weights, message):
    with pytest.raises(ValueError) as error:
        average([[np.ones(1)]] * count, weights)
    assert str(error.value) == message


def test_models_of_different_depth_are_refused():
    with pytest.raises(ValueError):
        average([[np.ones(1)], [np.ones(1), np.ones(1)]], [1, 1])


def test_one_client_and_one_step_are_plain_gradient_descent():
    (client,), plain = clients((9,)), network()
    server, sgd = Server(network()), SGD(0.1)
    for _ in range(5):
        server.round([client], 0.1)
        plain.step(client.x, client.y, sgd)
    for ours, theirs in zip(server.shared, plain.parameters, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-15)


def test_all_clients_and_one_step_are_gradient_descent_on_all():
    some, plain = clients(), network()
    x, y = together(some)
    server, sgd = Server(network()), SGD(0.3)
    for _ in range(5):
        server.round(some, 0.3)
        plain.step(x, y, sgd)
    for ours, theirs in zip(server.shared, plain.parameters, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    for ours, theirs in zip(server.network.parameters, server.shared, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_equal_weights_are_not_gradient_descent_on_all():
    some, plain = clients(), network()
    server = Server(network())
    server.round(some, 0.3, weigh=lambda client, loss: 1.0)
    plain.step(*together(some), SGD(0.3))
    assert np.abs(server.shared[0] - plain.parameters[0]).max() > 1e-3


def test_batches_and_epochs():
    (client,) = clients((7,))
    ours, theirs, sgd = network(), network(), SGD(0.2)
    local_steps(ours, client, 0.2, epochs=2, batch_size=3)
    for _ in range(2):
        for part in (slice(0, 3), slice(3, 6), slice(6, 7)):
            theirs.step(client.x[part], client.y[part], sgd)
    for a, b in zip(ours.parameters, theirs.parameters, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_order_is_drawn_anew_for_each_epoch():
    (client,) = clients((7,))
    ours, theirs, sgd = network(), network(), SGD(0.2)
    local_steps(ours, client, 0.2, 2, 4, np.random.default_rng(5))
    generator = np.random.default_rng(5)
    for _ in range(2):
        order = generator.permutation(7)
        for part in (order[:4], order[4:]):
            theirs.step(client.x[part], client.y[part], sgd)
    for a, b in zip(ours.parameters, theirs.parameters, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_pull_of_fedprox():
    (client,) = clients((6,))
    ours, theirs = network(), network()
    local_steps(ours, client, 0.1, epochs=3, pull=0.7)
    start = [p.copy() for p in theirs.parameters]
    for _ in range(3):
        _, gradients = theirs.loss_and_gradients(client.x, client.y)
        for p, g, s in zip(theirs.parameters, gradients, start, strict=True):
            p -= 0.1 * (g + 0.7 * (p - s))
    for a, b in zip(ours.parameters, theirs.parameters, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    free, pulled = network(), network()
    local_steps(free, client, 0.1, epochs=20)
    local_steps(pulled, client, 0.1, epochs=20, pull=5.0)
    away = [sum(((p - s) ** 2).sum() for p, s in zip(n.parameters, start, strict=True)) for n in (free, pulled)]
    assert away[1] < away[0] / 2


def test_momentum_of_the_server():
    some = clients((4,))
    server, start = Server(network(), momentum=0.5), [p.copy() for p in network().parameters]
    server.round(some, 0.1)
    first = [p.copy() for p in server.shared]
    plain = network()
    plain.set_parameters(first)
    plain.step(some[0].x, some[0].y, SGD(0.1))
    server.round(some, 0.1)
    for now, own, one, zero in zip(server.shared, plain.parameters, first, start, strict=True):
        np.testing.assert_allclose(now, own + 0.5 * (one - zero), rtol=1e-12, atol=1e-14)


def test_the_weight_sees_client_and_loss_of_the_shared_model():
    some, seen = clients(), []
    server = Server(network())
    expected = [server.network.loss(server.network.forward(c.x), c.y)[0] for c in some]

    def weigh(client, loss):
        seen.append((client, loss))
        return 1.0 if client is some[1] else 0.0

    server.round(some, 0.1, epochs=2, weigh=weigh)
    assert [client for client, _ in seen] == some
    np.testing.assert_allclose([loss for _, loss in seen], expected)
    alone = Server(network())
    alone.round(some[1:2], 0.1, epochs=2)
    for a, b in zip(server.shared, alone.shared, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_bytes_both_ways():
    server = Server(network(dtype="float32"))
    numbers = 4 * 6 + 6 + 6 * 3 + 3
    server.round(clients(), 0.1)
    assert server.sent == 2 * 3 * 4 * numbers
    server.round(clients()[:1], 0.1)
    assert server.sent == 2 * 4 * 4 * numbers


def test_the_rounds_do_not_depend_on_the_order_of_equal_clients():
    some = clients()
    a, b = Server(network()), Server(network())
    a.round(some, 0.1, epochs=3)
    b.round(some[::-1], 0.1, epochs=3)
    for left, right in zip(a.shared, b.shared, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12)


def test_shards():
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(5), 40))
    places = label_shards(y, 10, 2, np.random.default_rng(1))
    assert [len(own) for own in places] == [20] * 10
    assert sorted(np.concatenate(places).tolist()) == list(range(200))
    assert max(len(np.unique(y[own])) for own in places) <= 2
    assert all(len(np.unique(y[own[:10]])) == 1 for own in places)
    other = label_shards(y, 10, 2, np.random.default_rng(2))
    assert any((a != b).any() for a, b in zip(places, other, strict=True))
    again = label_shards(y, 10, 2, np.random.default_rng(1))
    assert all((a == b).all() for a, b in zip(places, again, strict=True))


def test_examples_of_a_label_are_mixed_and_what_is_left_over_is_dealt_to_nobody():
    y = np.repeat([0, 1], [6, 5])
    places = label_shards(y, 2, 2, np.random.default_rng(0))
    assert [len(own) for own in places] == [4, 4]
    assert len(set(np.concatenate(places).tolist())) == 8
    assert np.concatenate(places)[:4].tolist() != [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"^11 examples do not make 12 shards: take fewer clients or fewer shards\.$"):
        label_shards(y, 6, 2, np.random.default_rng(0))
    assert len(label_shards(y, 11, 1, np.random.default_rng(0))) == 11


def test_a_gradient_of_one_example_betrays_it():
    rng = np.random.default_rng(3)
    one, some = rng.normal(size=(1, 4)), network()
    _, (dw, db, *_) = some.loss_and_gradients(one, np.array([2]))
    found = recovered_inputs(dw, db)
    assert 1 <= len(found) == np.count_nonzero(db) <= 6
    np.testing.assert_allclose(found, np.repeat(one, len(found), axis=0), rtol=1e-10)


def test_of_a_batch_it_betrays_weighted_means():
    x, dy = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 3.0, 0.0], [1.0, 0.0, 0.0]])
    found = recovered_inputs(x.T @ dy, dy.sum(axis=0))
    np.testing.assert_allclose(found, [[0.5, 1], [1, 0]])  # the second unit moves for one example alone


def test_a_client_knows_its_size():
    assert [len(c) for c in clients((5, 3))] == [5, 3]


def test_defaults():
    (client,) = clients((6,))
    ours, theirs = network(), network()
    local_steps(ours, client, 0.1)
    theirs.step(client.x, client.y, SGD(0.1))
    for a, b in zip(ours.parameters, theirs.parameters, strict=True):
        np.testing.assert_array_equal(a, b)
    server, alone = Server(network()), network()
    server.round([client], 0.1, epochs=3)
    local_steps(alone, client, 0.1, epochs=3)
    for a, b in zip(server.shared, alone.parameters, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_whole_numbers_stay_whole():
    (found,) = average([[np.array([2, 4])], [np.array([4, 5])]], [1, 1])
    assert found.dtype == int
    assert found.tolist() == [3, 4]


def test_shards_keep_the_order_in_which_the_examples_were_mixed():
    y = np.random.default_rng(0).integers(0, 3, 60)
    places = label_shards(y, 6, 1, np.random.default_rng(4))
    generator = np.random.default_rng(4)
    order = sorted(generator.permutation(60).tolist(), key=lambda place: y[place])
    cut = np.reshape(order, (6, 10))
    np.testing.assert_array_equal(places, cut[generator.permutation(6)])


def test_a_round_hands_all_settings_to_each_client():
    some, settings = clients((6, 7)), {"epochs": 2, "batch_size": 3, "pull": 2.0}
    server, alone, sent = Server(network()), network(), []
    server.round(some, 0.2, **settings, generator=np.random.default_rng(6))
    generator = np.random.default_rng(6)
    for client in some:
        alone.set_parameters(network().parameters)
        local_steps(alone, client, 0.2, **settings, generator=generator)
        sent.append([p.copy() for p in alone.parameters])
    for ours, theirs in zip(server.shared, average(sent, [6, 7]), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-15)


def test_weights_too_large_for_small_numbers():
    weights = np.array([60_000, 60_000], np.float16)  # their sum is more than such a number holds
    (found,) = average([[np.array([1.0])], [np.array([3.0])]], weights)
    assert found.tolist() == [2]
