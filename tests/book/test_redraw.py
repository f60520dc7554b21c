"""Drawing records anew: what stays as it was, and which claims the tool finds."""

import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.book.conftest import FIND_ROOT, TOC, chapter
from tools import notebook as nb
from tools.book import Book
from tools.execute import execute
from tools.redraw import redrawn
from utils.records import Record

CASES = [{"size": 10}, {"size": 20}]


def record(*columns):
    """A record of four seeds and two cases; a column gives (seed, size) -> value."""
    rows = [
        {**case, "seed": seed, **{f"c{i}": column(seed, case["size"]) for i, column in enumerate(columns)}}
        for case in CASES
        for seed in range(4)
    ]
    return Record("one", rows, {"parameters": {"cases": CASES, "seeds": list(range(4))}})


NOISE = np.array([0.3, -0.1, 0.2, -0.4])


def test_mean_scatter_and_pairs_stay():
    found = record(
        lambda seed, size: size + NOISE[seed], lambda seed, size: [float(NOISE[seed]), float(seed) / 7 - size]
    )
    generator = np.random.default_rng(0)
    draws = [redrawn(found, generator) for _ in range(4000)]
    ten = np.array([d.values("c0", size=10) for d in draws])  # (draws, seeds)
    assert ten.mean() == pytest.approx(10, abs=0.02)
    assert ten.var(axis=0) == pytest.approx(np.full(4, NOISE.var(ddof=1)), rel=0.1)
    assert np.abs(np.corrcoef(ten.T) - np.eye(4)).max() < 0.1
    for d in draws[:3]:
        np.testing.assert_allclose(d.values("c0", size=20) - d.values("c0", size=10), 10, rtol=1e-12)
        np.testing.assert_allclose(d.values("c1", size=10)[:, 0], d.values("c0", size=10) - 10, atol=1e-12)
        assert [(row["size"], row["seed"]) for row in d.rows] == [(row["size"], row["seed"]) for row in found.rows]


def test_what_cannot_be_mixed_is_that_of_one_run():
    found = record(
        lambda seed, size: seed + size, lambda seed, size: [0.5] * (seed + 1), lambda seed, size: 0.9 + NOISE[seed] / 4
    )
    generator = np.random.default_rng(1)
    draws = [redrawn(found, generator) for _ in range(50)]
    new = draws[0]
    for row in new.rows:
        assert row["c0"] in range(row["size"], row["size"] + 4)
        assert row["c1"] == [0.5] * (row["c0"] - row["size"] + 1), "of the same run"
    assert max(row["c2"] for draw in draws for row in draw.rows) == 1, "a share ends at 1"
    assert new.values("c0", size=20).tolist() == (new.values("c0", size=10) + 10).tolist()


SETUP = """\
import os

from utils import settings
from utils.claims import claim
from utils.records import record

os.cpu_count = lambda: 1  # no workers: what is tested is the tool, not joblib


def toss(seed):
    return {"lead": [0.11, -0.09, 0.08, 0.1, 0.12][seed] + 0.05}


run = settings.Run(PROFILE, SEED)
found = record("one-toss", toss, run=run, measure="lead", seeds=range(5), live={})
lead = found.values("lead")"""
FALLS = 'claim("Ahead in {bound} of five", (lead > 0).sum(), equal=4)'
HOLDS = 'claim("The mean is above {bound:g}", lead.mean(), above=-1)\nclaim("Runs: {bound}", len(lead), equal=5)'


def test_the_tool_names_the_claim_that_counts_seeds(book, tmp_path):
    for folder in ("tools", "utils"):
        shutil.copytree(book.root / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "_toc.yml").write_text(TOC)
    shutil.copy(book.root / "pyproject.toml", tmp_path)
    (tmp_path / "chapters").mkdir()
    path = tmp_path / "chapters" / "one.ipynb"
    path.write_text(nb.text(chapter(FIND_ROOT, SETUP, FALLS, HOLDS)), encoding="utf-8")
    execute(Book(tmp_path).chapters()["one"], {"PROFILE": "full"})
    before = (tmp_path / "records" / "one-toss.json").read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "tools.redraw", "one", "2"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "Ahead in 4 of five This run measured " in done.stdout
    assert "The mean is above" not in done.stdout and "Runs: 5" not in done.stdout
    assert done.stdout.count("one, draw ") == 2
    assert (tmp_path / "records" / "one-toss.json").read_bytes() == before
