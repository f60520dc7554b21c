"""The skill map: what nine roles need, which exercise proves it, and in which order the chapters are read.

The weights are the book's own judgment; ``asked_by`` says which source asks for a skill in its own words.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np

from utils import settings
from utils.data import DataError

FILE = settings.ROOT / "utils" / "data" / "skills.csv"
RESTORE = "restore the file: git checkout utils/data/skills.csv"
CORE = 3  # the weight of what a role cannot do without

ROLES = (
    "research scientist",
    "research engineer",
    "ML engineer",
    "data engineer",
    "ML platform",
    "applied scientist",
    "product",
    "safety and evaluation",
    "domain specialist",
)
SOURCES = {
    "amershi": "https://doi.org/10.1109/ICSE-SEIP.2019.00042",
    "continuum": "https://arxiv.org/abs/2601.06087",
    "dropbox-data": "https://dropbox.github.io/dbx-career-framework/de-_appendix.html",
    "dropbox-ml": "https://dropbox.github.io/dbx-career-framework/ic3_machine_learning_engineer.html",
    "dropbox-reliability": "https://dropbox.github.io/dbx-career-framework/ic3_reliability_engineer.html",
    "gitlab": "https://about.gitlab.com/handbook/product/product-manager-role/",
    "nahar": "https://arxiv.org/abs/2110.10234",
    "onet": "https://www.onetonline.org/link/details/15-2051.00",
    "park": "https://arxiv.org/abs/2102.00036",
    "red-team": "https://arxiv.org/abs/2503.16431",
    "sambasivan": "https://doi.org/10.1145/3411764.3445518",
    "shankar": "https://arxiv.org/abs/2209.09125",
    "uk-ml": "https://ddat-capability-framework.service.gov.uk/role/machine-learning-engineer",
}
COLUMNS = ("skill", *ROLES, "chapter", "exercise", "asked_by")


@dataclass(frozen=True)
class Skill:
    """One row of the map.

    Attributes
    ----------
    name : what somebody can do
    weights : for each of ``ROLES``, from 0 (not needed) to 3 (not without it)
    chapter : whose exercise proves it; empty where the book proves nothing
    exercise : number of that exercise, 0 where there is none
    asked_by : keys of ``SOURCES``, those that ask for it
    """

    name: str
    weights: tuple[int, ...]
    chapter: str
    exercise: int
    asked_by: tuple[str, ...]

    def weight(self, role: str) -> int:
        """Return how much a role needs it."""
        return self.weights[number_of(role)]


def number_of(role: str) -> int:
    """Return the place of a role in ``ROLES``.

    Raises
    ------
    ValueError
        If there is no such role.
    """
    if role not in ROLES:
        raise ValueError(f"There is no role {role!r}; there are: {', '.join(ROLES)}.")
    return ROLES.index(role)


def skills() -> tuple[Skill, ...]:
    """Return the map.

    Raises
    ------
    DataError
        If the file is missing, or one of its rows is damaged.
    """
    if not FILE.is_file():
        raise DataError(f"The skill map utils/data/skills.csv is missing; {RESTORE}")
    return parse(FILE.read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Skill, ...]:
    """Return the rows of a map in the form of ``skills.csv``.

    Raises
    ------
    DataError
        If a column, a weight, an exercise or a source is missing or malformed, or a skill stands twice.
    """
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise DataError(f"The skill map has other columns than {', '.join(COLUMNS)}; {RESTORE}")
    rows: list[Skill] = []
    for cells in reader:
        place = f"Line {reader.line_num} of the skill map"
        if None in cells or None in cells.values() or not cells["skill"]:
            raise DataError(f"{place} has not {len(COLUMNS)} cells, or no name; {RESTORE}")
        if any(cells[role] not in ("0", "1", "2", "3") for role in ROLES):
            raise DataError(f"{place} ({cells['skill']}): a weight is not 0, 1, 2 or 3; {RESTORE}")
        if bool(cells["chapter"]) != bool(re.fullmatch(r"[1-9]\d*", cells["exercise"])):
            raise DataError(f"{place} ({cells['skill']}): a chapter goes with the number of an exercise; {RESTORE}")
        asked_by = tuple(cells["asked_by"].split())
        if unknown := set(asked_by) - set(SOURCES):
            raise DataError(f"{place} ({cells['skill']}): unknown source {', '.join(sorted(unknown))}; {RESTORE}")
        if cells["skill"] in {row.name for row in rows}:
            raise DataError(f"The skill map has {cells['skill']} twice; {RESTORE}")
        weights = tuple(int(cells[role]) for role in ROLES)
        rows.append(Skill(cells["skill"], weights, cells["chapter"], int(cells["exercise"] or 0), asked_by))
    return tuple(rows)


def table(rows: tuple[Skill, ...]) -> np.ndarray:
    """Return the weights as an array of shape (skills, roles)."""
    return np.array([row.weights for row in rows]).reshape(-1, len(ROLES))


def order() -> list[str]:
    """Return the chapters in the order of ``_toc.yml``."""
    return re.findall(r"^\s*- file: chapters/([\w-]+)\s*$", (settings.ROOT / "_toc.yml").read_text("utf-8"), re.M)


def builds_on() -> dict[str, tuple[str, ...]]:
    """Return for each chapter those that its first cell names under *Before this*, in the order of the book."""
    found = {}
    for name in order():
        path = settings.CHAPTERS / f"{name}.ipynb"
        if path.is_file():  # a chapter that is being written has none yet
            first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
            before = re.search(r"\*\*Before this:\*\*(.*?)\*\*Time:", first, re.DOTALL)
            found[name] = tuple(dict.fromkeys(re.findall(r"\]\(([\w-]+)\.ipynb", before[1]))) if before else ()
    return found


def plan(wanted: set[str], before: dict[str, tuple[str, ...]], known: set[str] = frozenset()) -> list[str]:
    """Return the chapters to read, each after what it builds on.

    Parameters
    ----------
    wanted : set of str
        Chapters that shall be read.
    before : dict
        What each chapter builds on; its order decides between chapters that are ready at the same time.
    known : set of str
        Chapters that need not be read, not even for the sake of another one.

    Raises
    ------
    ValueError
        If a chapter is unknown, or chapters build on each other in a circle.
    """
    needed, open_ = set(), set(wanted) - set(known)
    while open_:
        name = open_.pop()
        if name not in before:
            raise ValueError(f"There is no chapter {name!r}; there are: {', '.join(before)}.")
        needed.add(name)
        open_ |= set(before[name]) - needed - set(known)
    sorter = TopologicalSorter({name: set(before[name]) & needed for name in needed})
    try:
        sorter.prepare()
    except CycleError as error:
        raise ValueError(f"These chapters build on each other: {', '.join(sorted(set(error.args[1])))}.") from None
    places, ready, found = list(before), [], []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=places.index)
        found.append(ready.pop(0))
        sorter.done(found[-1])
    return found


def chapters_for(role: str, rows: tuple[Skill, ...], least: int = CORE) -> set[str]:
    """Return the chapters whose exercises prove what a role needs with at least this weight."""
    return {row.chapter for row in rows if row.chapter and row.weight(role) >= least}


def seconds() -> dict[str, int]:
    """Return how long the cells of each chapter took in the stored run."""
    stored = json.loads((settings.RECORDS / "chapters.json").read_text(encoding="utf-8"))
    return {name: int(about["seconds"]) for name, about in stored.items()}
