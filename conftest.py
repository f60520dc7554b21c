"""What every test and every kernel that nbval starts must find in its environment."""

from __future__ import annotations

import os
import shutil

import pytest

BLAS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
THREADS = (*BLAS, "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NPROC")


def threads() -> int | None:
    """Threads for a process: ``BOOK_THREADS``, or a fair share when workers run side by side."""
    if "BOOK_THREADS" in os.environ:
        return int(os.environ["BOOK_THREADS"])
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return max(1, (os.cpu_count() or 1) // workers) if workers > 1 else None


os.environ["BOOK_QUIET"] = "1"
if os.environ.get("KERAS_BACKEND") == "jax":
    # Mathematics is compared in float64, which JAX gives only on request.
    os.environ.setdefault("JAX_ENABLE_X64", "1")
if threads():
    for name in THREADS:
        os.environ[name] = str(threads())
else:
    # Most matrices of the book are small. Idle, a second thread of NumPy gains next to nothing; where the other core is
    # busy, the two wait for each other at every product, some twenty times as long as the product takes.
    for name in BLAS:
        os.environ.setdefault(name, "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the structure tests look at one chapter."""
    parser.addoption("--chapter", help="only this chapter in tests/book/test_chapters.py")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run the chapters side by side, one a core, unless ``-n`` says how many.

    Not where one notebook is named, which then has all cores, and not on a GPU, whose memory they would fight over.
    """
    alone = any(argument.split("::")[0].endswith(".ipynb") for argument in config.args) or shutil.which("nvidia-smi")
    if config.option.nbval and config.option.numprocesses is None and not (alone or hasattr(config, "workerinput")):
        config.option.numprocesses = "logical"
        config.option.maxprocesses = config.option.maxprocesses or 4  # a kernel with Keras takes about a gigabyte
