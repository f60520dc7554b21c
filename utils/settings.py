"""The run: its profile and seed, where the book lies, and what the environment asks for.

Imports nothing heavy, and nothing else of the book.
"""

import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = ROOT / "chapters"
RECORDS = ROOT / "records"
RUNS = ROOT / "_runs"

PROFILES = ("quick", "full")


@dataclass(frozen=True)
class Run:
    """How a chapter runs.

    Parameters
    ----------
    profile : str
        ``"quick"`` fits a laptop (at most 90 seconds a chapter); ``"full"`` runs the larger data and renews records.
    seed : int
        The seed of everything random in the chapter, 0 or more.

    Raises
    ------
    ValueError
        If the profile is unknown or the seed is not a whole number of 0 or more.
    """

    profile: str = "quick"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"The profile {self.profile!r} is unknown: use one of {', '.join(map(repr, PROFILES))}.")
        if not isinstance(self.seed, int) or isinstance(self.seed, bool) or self.seed < 0:
            raise ValueError(f"The seed {self.seed!r} cannot be used: it must be a whole number of 0 or more.")

    @property
    def full(self) -> bool:
        """Whether this is the full profile."""
        return self.profile == "full"


def quiet() -> bool:
    """Whether progress lines stay silent, as they do wherever outputs are stored or compared (``BOOK_QUIET=1``)."""
    return os.environ.get("BOOK_QUIET", "") not in ("", "0")


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables for processes started inside the block."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def repository() -> str:
    """Return the address of the book's repository, read from the one place where it stands, ``pyproject.toml``."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]["urls"]["Repository"]
