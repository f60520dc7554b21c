"""The run and its profile."""

import dataclasses
import subprocess
import sys

import pytest

from utils import settings
from utils.settings import Run


def test_a_run_is_quick_with_seed_0_by_default():
    assert Run() == Run("quick", 0)
    assert not Run().full
    assert Run("full", 3).full
    assert Run("full", 3).seed == 3


@pytest.mark.parametrize("profile", ["fast", "", "Quick", None])
def test_an_unknown_profile_is_refused(profile):
    with pytest.raises(ValueError, match=rf"^The profile {profile!r} is unknown: use one of 'quick', 'full'\.$"):
        Run(profile)


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None, True])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(
        ValueError, match=rf"^The seed {seed!r} cannot be used: it must be a whole number of 0 or more\.$"
    ):
        Run(seed=seed)


def test_a_run_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Run().seed = 1


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("yes", True), ("0", False), ("", False), (None, False)])
def test_quiet(monkeypatch, value, expected):
    monkeypatch.delenv("BOOK_QUIET", raising=False)
    if value is not None:
        monkeypatch.setenv("BOOK_QUIET", value)
    assert settings.quiet() is expected


def test_paths_lie_in_the_repository():
    assert (settings.ROOT / "pyproject.toml").is_file()
    assert [p.relative_to(settings.ROOT).as_posix() for p in (settings.CHAPTERS, settings.RECORDS, settings.RUNS)] == [
        "chapters",
        "records",
        "_runs",
    ]


def test_the_repository_has_one_address():
    assert settings.repository().startswith("https://github.com/")
    assert not settings.repository().endswith("/")


def test_imports_nothing_heavy():
    code = "import sys, utils.settings; assert not {'numpy', 'keras', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=settings.ROOT, check=True, timeout=60)
