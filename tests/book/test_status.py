"""The status page says what the records say, and changes only with them."""

from tools import status

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


def test_benchmarks_and_survivors(small):
    small.write_record(
        "benchmarks",
        {
            "date": "2026-01-03",
            "machine": {"cpu": "A", "cores": 2},
            "note": "Medians.",
            "head": ["what", "ratio"],
            "table": [["convolution", "1.2"]],
        },
    )
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
