"""The status page says what the records say, and changes only with them."""

import pytest

from tools import status
from utils.sources import modules_hash

CHAPTERS = {
    "one": {
        "seconds": 12,
        "cells": 5,
        "claims": [
            {"sentence": "Errors stay under 5 %", "kind": "below", "measured": 0.0321, "bound": 0.05, "margin": 0.0179},
            {"sentence": "|a| is a", "kind": "is_true", "measured": True, "bound": None, "margin": None},
        ],
        "versions": {"python": "3.11.7", "numpy": "2.4.6"},
        "backend": "tensorflow",
        "verified": "2026-01-02",
        "source": "0",
    },
    "gone": {},
}
BENCHMARKS = {
    "date": "2026-01-03",
    "machine": {"cpu": "A", "cores": 2},
    "note": "Medians.",
    "head": ["what", "ratio"],
    "table": [["convolution", "1.2"]],
}


def test_the_page(small):
    small.write_record("chapters", CHAPTERS)
    page = status.page(small)
    assert "| chapter | seconds | cells | claims | backend | verified |" in page
    assert "| [one](../chapters/one.ipynb) | 12 | 5 | 2 | tensorflow | 2026-01-02 |" in page
    assert "| Errors stay under 5 % | 0.0321 | 0.05 | 0.0179 |" in page
    assert r"| \|a\| is a | yes | – | – |" in page
    assert "numpy 2.4.6, python 3.11.7" in page
    assert "gone" not in page
    status.write(small)
    assert small.status_page.read_text(encoding="utf-8") == page == status.page(small)


def about(small, *modules: str) -> dict:
    """The origin of a record that was made with the present text of modules."""
    return {
        "made": "2026-01-05",
        "seconds": 1234,
        "machine": {"cpu": "A", "cores": 2, "system": "Linux"},
        "versions": {"python": "3.11.7", "numpy": "2.4.6"},
        "modules": list(modules),
        "modules_hash": modules_hash(small.root, modules),
    }


def test_recorded_experiments(small):
    small.write_record("chapters", CHAPTERS)
    small.write_record("benchmarks", BENCHMARKS)
    small.write_record("one-sweep", {"about": about(small, "utils.helper"), "rows": [{"seed": 0}, {"seed": 1}]})
    small.write_record("one-more", {"about": about(small), "rows": [{"seed": 0}]})
    (small.root / "records" / "one-sweep.npz").write_bytes(b"weights")
    page = status.page(small)
    assert page.index("## Chapters") < page.index("## Records") < page.index("## Benchmarks")
    assert "| record | runs | seconds | made | on | versions |" in page
    row = "| 1234 | 2026-01-05 | A, 2 cores | numpy 2.4.6, python 3.11.7 |"
    assert f"| one-more | 1 {row}\n| one-sweep | 2 {row}\n" in page
    assert "Made before" not in page


def test_records_that_modules_have_changed_under_are_named(small):
    (small.root / "utils" / "deeper.py").write_text("y = 1")
    (small.root / "utils" / "user.py").write_text("from utils import deeper")
    for name, module in (("one-a", "utils.helper"), ("one-b", "utils.user"), ("one-c", "utils.deeper")):
        small.write_record(name, {"about": about(small, module), "rows": []})
    assert "Made before" not in status.page(small)
    (small.root / "utils" / "deeper.py").write_text("y = 2")
    sentence = "Made before the present text of the `utils` modules that they use: one-b, one-c.\n"
    assert status.page(small).endswith(sentence)
    (small.root / "utils" / "deeper.py").unlink()
    assert status.page(small).endswith(sentence)


def test_benchmarks_and_survivors(small):
    small.write_record("benchmarks", BENCHMARKS)
    survivor = {
        "id": "utils.scratch.x_1",
        "diff": "--- f.py\n+++ f.py\n@@ -1 +1 @@\n b\n-a + 0\n+a - 0",
        "explanation": "The same.",
    }
    small.write_record(
        "mutants", {"date": "2026-01-04", "score": 0.995, "killed": 199, "survived": 1, "survivors": [survivor]}
    )
    page = status.page(small)
    assert "Measured on 2026-01-03 (cores 2, cpu A); `make bench` renews them. Medians." in page
    assert "| convolution | 1.2 |" in page
    assert "Of 200 small changes to `utils/scratch`, the tests notice 199 (99.5%); measured on 2026-01-04" in page
    assert "**The same.** (1)\n\n```diff\n-a + 0\n+a - 0\n```" in page


def test_without_records_there_is_only_the_introduction(small):
    assert status.page(small) == status.INTRODUCTION


def test_a_damaged_record_is_one_sentence(small):
    small.write_record("one-sweep", {})
    (small.root / "records" / "one-sweep.json").write_text('{"about": ')
    with pytest.raises(SystemExit, match=r"^records/one-sweep\.json is damaged .* restore it with git, or renew it\.$"):
        status.page(small)
