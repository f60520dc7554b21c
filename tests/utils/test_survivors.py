"""Explanations of mutants that no test kills must not outlive the lines that they speak of."""

import tomllib
from pathlib import Path

import pytest

from utils.settings import ROOT

ENTRIES = tomllib.loads((Path(__file__).parent / "survivors.toml").read_text("utf-8"))["survivor"]


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["added"] for entry in ENTRIES])
def test_an_explained_mutant_is_a_change_of_a_line_of_scratch(entry):
    lines = {
        line.strip()
        for path in (ROOT / "utils" / "scratch").glob("*.py")
        for line in path.read_text("utf-8").splitlines()
    }
    assert entry["removed"] in lines
    assert entry["added"] not in lines
    assert entry["why"].endswith(".")


def test_no_change_is_explained_twice():
    changes = [(entry["removed"], entry["added"]) for entry in ENTRIES]
    assert len(set(changes)) == len(changes)
