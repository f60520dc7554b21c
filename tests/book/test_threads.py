"""What the root conftest puts into the environment of tests and kernels, and how many chapters it runs at once."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import conftest

VARIABLES = (
    "BOOK_QUIET",
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "NPROC",
    "JAX_ENABLE_X64",
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["1", "1", None, None, None, None]),
        ({"BOOK_THREADS": "1"}, ["1", "1", "1", "1", "1", None]),
        ({"OPENBLAS_NUM_THREADS": "2"}, ["1", "2", None, None, None, None]),
        ({"PYTEST_XDIST_WORKER_COUNT": "2"}, ["1", "SHARE", "SHARE", "SHARE", "SHARE", None]),
        ({"PYTEST_XDIST_WORKER_COUNT": "999"}, ["1", "1", "1", "1", "1", None]),
        ({"KERAS_BACKEND": "jax"}, ["1", "1", None, None, None, "1"]),
    ],
)
def test_environment(book, given, expected):
    ours = (*VARIABLES, "BOOK_THREADS", "PYTEST_XDIST_WORKER_COUNT", "KERAS_BACKEND")
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    code = f"import os, conftest; print([os.environ.get(name) for name in {VARIABLES}])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=book.root, env={**clean, **given}, capture_output=True, text=True, check=True
    )
    share = str(max(1, os.cpu_count() // 2))
    assert done.stdout.strip() == str([share if value == "SHARE" else value for value in expected])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"args": ["chapters"]}, "logical"),
        ({"args": ["tests/utils", "chapters"]}, "logical"),
        ({"args": ["chapters/faq.ipynb"]}, None),
        ({"args": ["tests/book", "chapters/faq.ipynb::Cell 3"]}, None),
        ({"numprocesses": 0}, 0),
        ({"numprocesses": 3}, 3),
        ({"nbval": False}, None),
    ],
)
def test_chapters_run_side_by_side(given, expected, monkeypatch):
    monkeypatch.setattr(conftest.shutil, "which", lambda name: None)
    given = {"args": ["chapters"], "nbval": True, "numprocesses": None, "maxprocesses": None, **given}
    config = SimpleNamespace(args=given.pop("args"), option=SimpleNamespace(**given))
    conftest.pytest_cmdline_main(config)
    assert config.option.numprocesses == expected


def test_not_on_a_gpu_and_not_again_in_a_worker(monkeypatch):
    option = SimpleNamespace(nbval=True, numprocesses=None, maxprocesses=None)
    monkeypatch.setattr(conftest.shutil, "which", lambda name: "nvidia-smi")
    conftest.pytest_cmdline_main(SimpleNamespace(args=["chapters"], option=option))
    monkeypatch.setattr(conftest.shutil, "which", lambda name: None)
    conftest.pytest_cmdline_main(SimpleNamespace(args=["chapters"], option=option, workerinput={}))
    assert option.numprocesses is None
