"""Landmark models from 1987 to today: parameters, training examples and compute, each number with its source."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import dataclass, fields
from pathlib import Path

from utils.data import DataError, Provenance

FILE = Path(__file__).with_name("landmarks.csv")
RESTORE = "restore the file: git checkout utils/data/landmarks.csv"

LANDMARKS = Provenance(
    kind="book",
    package="Large AI Models from the Ground Up",
    version="",
    file="utils/data/landmarks.csv",
    sha256="b9d6a3af3d3b9abe4282e85b71dc87dead9a49ca53ee683661b3b97977226083",
    source=(
        "the paper, report or model card that each row names, with the table or section; where it says so, read "
        "as quoted by Epoch AI (https://epoch.ai/data/ai-models) or by other texts"
    ),
    license=(
        "the numbers are facts; their choice and order is the book's own, under the book's license; Epoch AI's "
        "database is under Creative Commons Attribution"
    ),
    note=(
        "97 models were looked up and 80 stand here; 17 were left out because nothing confirmed a count of "
        "parameters, or because it is not published; a value that nothing confirmed is empty"
    ),
)

BASES = ("", "stated", "rule", "counted")


@dataclass(frozen=True)
class Landmark:
    """One row of the table; ``None`` stands for a number that no source confirmed.

    Attributes
    ----------
    name : what the model is called
    published : year and month, ``YYYY-MM``
    field : language, vision, speech, recommendation, games, biology or driving
    architecture : the kind of network
    paper : address of the paper, report or model card that presents it; models of one family share it
    parameters : number of all parameters
    active_parameters : those that work on one token, where that is fewer
    examples : training examples (or tokens, words, ...) that ``unit`` counts
    unit : what is counted
    passes : how often the mean example was seen
    multiply_adds : in one pass forward, for one example
    flop : floating-point operations of the whole training
    flop_basis : ``stated`` by a source; ``rule``, stated by a source that computed it as 6 N D; ``counted`` here as
        6 times multiply_adds times examples times passes; empty with an empty ``flop``
    mmlu : accuracy on MMLU with five examples in the prompt, in percent
    parameters_source, examples_source, flop_source, mmlu_source : address, then the place in it
    note : what to know before use
    """

    name: str
    published: str
    field: str
    architecture: str
    paper: str
    parameters: float
    active_parameters: float | None
    examples: float | None
    unit: str
    passes: float | None
    multiply_adds: float | None
    flop: float | None
    flop_basis: str
    mmlu: float | None
    parameters_source: str
    examples_source: str
    flop_source: str
    mmlu_source: str
    note: str

    @property
    def year(self) -> float:
        """The middle of its month, in years."""
        year, month = map(int, self.published.split("-"))
        return year + (month - 0.5) / 12

    @property
    def active(self) -> float:
        """Parameters that work on one token: ``active_parameters``, or all."""
        return self.active_parameters or self.parameters

    @property
    def seen(self) -> float | None:
        """Examples that training saw, repetitions included."""
        return self.examples * self.passes if self.examples and self.passes else None


NUMBERS = tuple(f.name for f in fields(Landmark) if "float" in f.type)
SOURCED = ("parameters", "examples", "flop", "mmlu")
COLUMNS = tuple(f.name for f in fields(Landmark))


def landmarks() -> tuple[Landmark, ...]:
    """Return all rows, the oldest first.

    Raises
    ------
    DataError
        If the file is missing, or one of its rows is damaged.
    """
    if not FILE.is_file():
        raise DataError(f"The table utils/data/landmarks.csv is missing; {RESTORE}")
    return parse(FILE.read_text(encoding="utf-8"))


def largest(rows: tuple[Landmark, ...]) -> tuple[Landmark, ...]:
    """Return of each paper only the model with the most parameters (the last of equals), in the order of the rows."""
    best: dict[str, Landmark] = {}
    for row in rows:
        if row.paper not in best or row.parameters >= best[row.paper].parameters:
            best[row.paper] = row
    return tuple(row for row in rows if best[row.paper] is row)


def parse(text: str) -> tuple[Landmark, ...]:
    """Return the rows of a table in the form of ``landmarks.csv``.

    Parameters
    ----------
    text
        The table, its first line the names of the columns.

    Raises
    ------
    DataError
        If a column, a value or a source is missing or malformed, a name stands twice, or the dates do not ascend.
    """
    reader = csv.DictReader(io.StringIO(text))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise DataError(f"The table of landmarks has other columns than {', '.join(COLUMNS)}; {RESTORE}")
    rows: list[Landmark] = []
    for cells in reader:
        row = _row(cells, f"Line {reader.line_num} of the table of landmarks ({cells['name'] or 'no name'})")
        if row.name in {other.name for other in rows}:
            raise DataError(f"The table of landmarks has {row.name} twice; {RESTORE}")
        if rows and row.published < rows[-1].published:
            raise DataError(f"The table of landmarks has {row.name} after {rows[-1].name}, which is younger; {RESTORE}")
        rows.append(row)
    return tuple(rows)


def _row(cells: dict[str, str | None], place: str) -> Landmark:
    """Return one checked row."""

    def refuse(column: str, wanted: str) -> DataError:
        return DataError(f"{place}: {column} is {cells[column]!r}, expected {wanted}; {RESTORE}")

    if None in cells or None in cells.values():
        raise DataError(f"{place}: it has not {len(COLUMNS)} cells; {RESTORE}")
    if not cells["name"]:
        raise refuse("name", "a name")
    if not re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", cells["published"]):
        raise refuse("published", "a year and a month, as in 2012-12")
    values: dict[str, str | float | None] = dict(cells)
    for column in NUMBERS:
        values[column] = _number(cells[column])
        if values[column] is None and (cells[column] or column == "parameters"):
            raise refuse(column, "a positive number")
    if cells["flop_basis"] not in BASES:
        raise refuse("flop_basis", "stated, rule, counted or nothing")
    if bool(cells["flop"]) != bool(cells["flop_basis"]):
        raise refuse("flop_basis", "one where there is a flop and none where there is not")
    for column in ("paper", *(f"{number}_source" for number in SOURCED if cells[number])):
        if not re.match(r"https://[\w.-]+\.\w+/\S*( |$)", cells[column]):
            raise refuse(column, "an address that begins with https://")
    return Landmark(**values)


def _number(cell: str) -> float | None:
    """Return a positive finite number, or None for anything else."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if 0 < value < math.inf else None
