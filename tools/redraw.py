"""Play that a chapter's records are renewed, and say which claims would fall: ``python -m tools.redraw NAME [DRAWS]``.

On another machine the runs of a record come out otherwise, within their scatter. Here each record is drawn anew by lot
with the mean, the scatter and the correlations of its runs, and the chapter runs on that. A claim that falls leans on
the luck of the stored runs: its bound is too near, or it counts what may be counted otherwise.

Results that lie in two heaps, and runs of which each drew another setting, are mixed all the same, which no run can
give: whether such a claim is at fault is left to you.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import papermill
from nbformat.v4 import new_code_cell

from tools import notebook as nb
from tools.book import Book
from tools.execute import KERNEL_ARGUMENTS
from utils import claims, records
from utils.records import storage
from utils.settings import environment

DRAWS = 3


def redrawn(record: storage.Record, generator: np.random.Generator) -> storage.Record:
    """Return a record whose runs are drawn anew.

    A new run is the mean of its case and a mixture of all runs' deviations from it. All cases have the same mixtures,
    so that what was compared seed by seed still is. What cannot be mixed, whole numbers and lists of changing length,
    is that of a run drawn by lot.

    Parameters
    ----------
    record : Record
        With the same seeds in each case.
    generator : numpy.random.Generator
        The lots.
    """
    cases = record.about["parameters"]["cases"]
    given = {name for case in cases for name in case} | {"seed"}
    count = len(record.about["parameters"]["seeds"])
    lots = generator.normal(size=(count, count)) / np.sqrt(count - 1)  # a row a new run: deviations' weights
    chosen = generator.integers(count, size=count)
    rows = []
    for first in range(0, len(record.rows), count):  # the runs of a case stand together, in the order of the seeds
        runs = record.rows[first : first + count]
        drawn = {name: _drawn([run[name] for run in runs], lots, chosen) for name in runs[0] if name not in given}
        rows += [{**run, **{name: values[place] for name, values in drawn.items()}} for place, run in enumerate(runs)]
    return dataclasses.replace(record, rows=rows)


def _drawn(values: list[Any], lots: np.ndarray, chosen: np.ndarray) -> list[Any]:
    """Return one result of the runs of a case, drawn anew."""
    try:
        x = np.array(values, float)  # (runs, ...)
    except ValueError:  # lists of changing length
        return [values[place] for place in chosen]
    if np.all(x == np.round(x)):
        return [values[place] for place in chosen]
    mean = x.mean(axis=0)
    new = mean + np.tensordot(lots, x - mean, 1)
    if x.min() >= 0:  # an error, a loss, a length; a share where none is over 1
        new = np.clip(new, 0, 1 if x.max() <= 1 else None)
    return new.tolist()


def play(seed: int, fallen: str) -> None:
    """Let this process read records that are drawn anew, and write claims that fall into a file in place of raising.

    Parameters
    ----------
    seed : int
        Of the lots.
    fallen : str
        The file, one claim a line.
    """
    stored, check = storage.read, claims.claim

    def read(folder: Path, name: str) -> storage.Record:
        return redrawn(stored(folder, name), np.random.default_rng([seed, zlib.crc32(name.encode())]))

    def claim(*given: Any, **bound: Any) -> None:
        try:
            check(*given, **bound)
        except claims.ClaimError as error:
            with open(fallen, "a", encoding="utf-8") as file:
                file.write(json.dumps(str(error), ensure_ascii=False) + "\n")

    def first_run(found: storage.Record, function: object, case: dict, seed: int, measure: str) -> storage.Row:
        return next(row for row in found.rows if case.items() <= row.items())  # no run here and now is needed

    storage.read = records.read = read
    records._run_live = first_run
    claims.claim = claim


def fallen_claims(book: Book, chapter: str, seed: int) -> list[str]:
    """Return the claims of a chapter that fall with one set of lots, and the cells that fail.

    Parameters
    ----------
    book : Book
        Nothing in it is changed.
    chapter : str
        Its name.
    seed : int
        Of the lots.
    """
    path = book.select(chapter)[chapter]
    notebook = nb.read(path)
    with tempfile.TemporaryDirectory() as folder:
        fallen, copy = Path(folder, "fallen"), Path(folder, path.name)
        start = f"import sys\nsys.path.insert(0, {str(book.root)!r})\nfrom tools import redraw\n"
        notebook.cells.insert(0, new_code_cell(f"{start}redraw.play({seed}, {str(fallen)!r})"))
        copy.write_text(nb.text(notebook), encoding="utf-8")
        failures = []
        try:
            with environment(BOOK_QUIET="1"):
                papermill.execute_notebook(
                    str(copy),
                    str(copy),
                    cwd=str(path.parent),
                    progress_bar=False,
                    extra_arguments=KERNEL_ARGUMENTS,
                    allow_errors=True,
                )
        except papermill.PapermillExecutionError:
            outputs = [output for cell in nb.code_cells(nb.read(copy)) for output in cell.outputs]
            failures = [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
        lines = fallen.read_text(encoding="utf-8").splitlines() if fallen.exists() else []
    return [json.loads(line) for line in lines] + failures


def main() -> int:
    """Run the command line."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if not name:
        raise SystemExit("Which chapter? For example: make redraw CHAPTER=trend-domains")
    draws = int(sys.argv[2]) if len(sys.argv) > 2 else DRAWS
    book, found, examples = Book(), Counter(), {}
    for seed in range(draws):
        fallen = fallen_claims(book, name, seed)
        print(f"{name}, draw {seed + 1} of {draws}: {len(fallen)} claims fall", flush=True)
        for line in fallen:
            sentence = line.partition(" This run measured ")[0]
            found[sentence] += 1
            examples.setdefault(sentence, line)
    for sentence, times in found.most_common():
        print(f"\nin {times} of {draws}: {examples[sentence]}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
