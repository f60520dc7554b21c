"""Run one notebook through papermill, away from the stored file."""

from __future__ import annotations

import ast
import json
import logging
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import papermill
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from tools import notebook as nb
from utils.settings import environment

# ipykernel 7 warns on the terminal about each TCP connection, and logs an error when it is stopped.
KERNEL_ARGUMENTS = ["--log-level=CRITICAL"]


class ChapterError(Exception):
    """A chapter that did not run to its end; the message says where and why."""


@dataclass(frozen=True)
class Result:
    """What a run to the end gave: the notebook with outputs, its seconds, and its checked claims."""

    notebook: NotebookNode
    seconds: float
    claims: list[dict] = field(default_factory=list)


def check_parameters(notebook: NotebookNode, parameters: Mapping[str, object]) -> None:
    """Raise ``ChapterError`` for a parameter that the tagged cell does not set: papermill only warns."""
    tagged = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    known = {
        target.id
        for cell in tagged
        for statement in ast.parse(cell.source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise ChapterError(f"the cell tagged 'parameters' does not set {', '.join(unknown)}")


def execute(path: Path, parameters: Mapping[str, object] | None = None, progress: bool = False) -> Result:
    """Run a copy of a notebook in the notebook's folder.

    Parameters
    ----------
    path : Path
        The notebook; it is only read.
    parameters : mapping, optional
        Values for the cell tagged ``parameters``.
    progress : bool
        Show papermill's bar, for a person.

    Raises
    ------
    ChapterError
        When a cell raises, the kernel dies or a parameter is unknown.
    """
    parameters = dict(parameters or {})
    original = nb.read(path)
    check_parameters(original, parameters)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        claims, copy = Path(folder, "claims.jsonl"), Path(folder, path.name)
        copy.write_text(nb.text(original), encoding="utf-8")
        start = time.perf_counter()
        try:
            with environment(BOOK_QUIET="1", BOOK_CLAIMS=str(claims)):
                notebook = papermill.execute_notebook(
                    str(copy),
                    str(copy),
                    parameters=parameters,
                    cwd=str(path.parent),
                    progress_bar=progress,
                    extra_arguments=KERNEL_ARGUMENTS,
                )
        except papermill.PapermillExecutionError as error:
            where = f"cell [{error.exec_count}]: {error.ename}: {error.evalue}"
            raise ChapterError(f"{error.source}\n{where}") from error
        except DeadKernelError as error:
            raise ChapterError(f"the kernel died: {error}") from error
        seconds = time.perf_counter() - start
        lines = claims.read_text(encoding="utf-8").splitlines() if claims.exists() else []
    return Result(notebook, seconds, [json.loads(line) for line in lines])
