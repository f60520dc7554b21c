"""Where the parts of the book lie, and its records on disk."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

# Tables that tools write; every other file in records/ belongs to an experiment of a chapter.
TABLES = ("chapters", "benchmarks", "mutants")
ADDRESS = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?$")


@dataclass(frozen=True)
class Book:
    """A book on disk.

    Parameters
    ----------
    root : Path
        The folder that holds ``pyproject.toml``, ``chapters`` and ``records``.
    """

    root: Path = Path(__file__).resolve().parents[1]

    @property
    def runs(self) -> Path:
        """The folder for runs that are not stored."""
        return self.root / "_runs"

    @property
    def status_page(self) -> Path:
        """The page that ``tools.status`` generates."""
        return self.root / "pages" / "status.md"

    @property
    def repository(self) -> str:
        """The repository as ``owner/name``, read from ``pyproject.toml``."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        url = project["project"]["urls"]["Repository"]
        match = ADDRESS.match(url)
        if not match:
            raise ValueError(f"pyproject.toml: {url!r} is not https://github.com/owner/name")
        return match[1]

    def toc(self) -> list[str]:
        """Files of ``_toc.yml`` without suffix, in reading order, the root first."""
        tree = yaml.safe_load((self.root / "_toc.yml").read_text(encoding="utf-8"))

        def walk(node: object) -> list[str]:
            if isinstance(node, list):
                return [file for item in node for file in walk(item)]
            if not isinstance(node, Mapping):
                return []
            own = [node[key] for key in ("root", "file") if key in node]
            return own + [f for key in ("parts", "chapters", "sections") for f in walk(node.get(key))]

        return walk(tree)

    def chapters(self) -> dict[str, Path]:
        """Notebooks by name, in the order of ``_toc.yml``; those it lacks come last."""
        paths = {path.stem: path for path in sorted((self.root / "chapters").glob("*.ipynb"))}
        order = [Path(file).name for file in self.toc()] if (self.root / "_toc.yml").exists() else []
        names = [name for name in order if name in paths]
        return {name: paths[name] for name in [*names, *(n for n in paths if n not in names)]}

    def select(self, name: str | None) -> dict[str, Path]:
        """All chapters, or the one called ``name``; a clear error when there is none."""
        chapters = self.chapters()
        if not name:
            return chapters
        if name not in chapters:
            raise SystemExit(f"There is no chapter {name!r}; there are: {', '.join(chapters)}.")
        return {name: chapters[name]}

    def record(self, name: str) -> dict:
        """Content of ``records/NAME.json``, empty when it does not exist; one sentence when it is damaged."""
        path = self.root / "records" / f"{name}.json"
        try:
            return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        except ValueError:
            raise SystemExit(
                f"records/{name}.json is damaged (it is not JSON): restore it with git, or renew it."
            ) from None

    def experiments(self) -> dict[str, dict]:
        """Return the recorded experiments by name."""
        names = sorted(path.stem for path in (self.root / "records").glob("*.json"))
        return {name: self.record(name) for name in names if name not in TABLES}

    def write_record(self, name: str, content: Mapping) -> None:
        """Write ``records/NAME.json`` whole or not at all."""
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        replace(self.root / "records" / f"{name}.json", text)


def replace(path: Path, text: str) -> None:
    """Put ``text`` into ``path`` in one step, so that an interruption leaves the old file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_text(text, encoding="utf-8", newline="\n")
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
