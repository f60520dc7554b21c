"""Engines: the gradients of one device, from several processes; and what happens when one fails or does not end."""

import os
import sys
import time
from importlib.util import find_spec

import numpy as np
import pytest

from utils import engines
from utils.engines import EngineError, free_ports, gradients, missing
from utils.scratch.network import Dense, Network, ReLU


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    network = Network([Dense(8), ReLU(), Dense(4)], (6,), 1, "float64")
    x, y = rng.normal(size=(24, 6)), rng.integers(0, 4, 24)
    loss, whole = network.loss_and_gradients(x, y)
    return network.parameters, x, y, loss, whole


def near(found, whole):
    return max(np.abs(a - b).max() for a, b in zip(found, whole, strict=True)) < 1e-10


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_the_ring_of_sockets(task, processes):
    parameters, x, y, loss, whole = task
    found = gradients("numpy", parameters, x, y, processes=processes)
    assert near(found.gradients, whole) and abs(found.loss - loss) < 1e-12 and found.spread == 0
    numbers = sum(p.size for p in parameters) + 1
    assert abs(found.more["sent"] - 2 * (processes - 1) / processes * 8 * numbers) <= 16


def test_steps_are_timed(task):
    parameters, x, y, _, whole = task
    found = gradients("numpy", parameters, x, y, processes=1, repeat=3)
    assert near(found.gradients, whole)
    assert 0 < found.more["compute"] <= found.more["step"] < 10


@pytest.mark.skipif(not find_spec("jax"), reason="needs JAX")
def test_jax_in_two_processes(task):
    parameters, x, y, loss, whole = task
    found = gradients("jax", parameters, x, y)
    assert near(found.gradients, whole) and abs(found.loss - loss) < 1e-12 and found.spread < 1e-15
    assert found.more == {"devices": 2, "all_reduce": True, "rows": 12}


@pytest.mark.skipif(not find_spec("jax"), reason="needs JAX")
def test_keras_on_devices_that_are_played(task):
    parameters, x, y, loss, whole = task
    cut = [[".*dense/kernel", [None, "model"]], [".*dense_1/kernel", ["model", None]]]
    silent = [["dense/kernel", [None, "model"]]]
    found = gradients("keras", parameters, x, y, 1, devices=4, mesh=[2, 2], runs=[[], cut, silent])
    assert near(found.gradients, whole) and abs(found.loss - loss) < 1e-12
    assert max(found.more["gaps"]) < 1e-10 and found.more["devices"] == 4
    whole_shapes = [[6, 8], [8], [8, 4], [4]]
    assert found.more["shards"] == [whole_shapes, [[6, 4], [8], [4, 4], [4]], whole_shapes]


@pytest.mark.skipif(not find_spec("tensorflow"), reason="needs TensorFlow")
def test_tensorflow_in_two_processes(task):
    parameters, x, y, loss, whole = task
    found = gradients("tensorflow", parameters, x, y, limit=120)
    assert near(found.gradients, whole) and abs(found.loss - loss) < 1e-12
    assert found.more["replicas"] == 2 and found.more["fit_raises"] == ""


def test_a_batch_that_cannot_be_shared_fails_and_says_why(task):
    parameters, x, y, *_ = task
    with pytest.raises(EngineError) as error:
        gradients("numpy", parameters, x[:5], y[:5], processes=2)
    assert "The engine numpy failed." in str(error.value)
    assert "5 examples cannot be shared evenly by 2 processes." in str(error.value)


def test_processes_that_do_not_end_are_stopped(task, monkeypatch):
    parameters, x, y, *_ = task
    started = []
    start = engines.subprocess.Popen

    def sleeper(command, **options):
        started.append(start([sys.executable, "-c", "import time; time.sleep(60)"], **options))
        return started[-1]

    monkeypatch.setattr(engines.subprocess, "Popen", sleeper)
    begin = time.monotonic()
    with pytest.raises(EngineError) as error:
        gradients("numpy", parameters, x, y, limit=1)
    assert "did not end in time and was stopped" in str(error.value)
    assert time.monotonic() - begin < 20
    assert len(started) == 2 and all(process.poll() is not None for process in started)


def test_nothing_from_outside_reaches_a_worker(task, monkeypatch):
    parameters, x, y, _, whole = task
    seen = []
    start = engines.subprocess.Popen
    monkeypatch.setattr(engines.subprocess, "Popen", lambda *a, **o: seen.append(o["env"]) or start(*a, **o))
    monkeypatch.setenv("XLA_FLAGS", "--nonsense")
    monkeypatch.setenv("TF_CONFIG", "{}")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    found = gradients("numpy", parameters, x, y, processes=1)
    assert near(found.gradients, whole)
    assert seen[0]["KERAS_BACKEND"] == "jax" and not {"XLA_FLAGS", "TF_CONFIG"} & set(seen[0])
    assert seen[0]["PATH"] == os.environ["PATH"]


def test_an_engine_that_is_not_installed(task, monkeypatch):
    parameters, x, y, *_ = task
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "jax" else object())
    assert missing("numpy") == "" and missing("tensorflow") == ""
    assert missing("jax") == "This run needs jax, which is not installed here."
    with pytest.raises(EngineError) as error:
        gradients("jax", parameters, x, y)
    assert str(error.value) == missing("jax")


def test_an_engine_that_does_not_exist(task):
    with pytest.raises(ValueError) as error:
        missing("torch")
    assert str(error.value) == "There is no engine 'torch': choose from numpy, jax, keras, tensorflow."


def test_ports_differ():
    assert len(set(free_ports(5))) == 5
