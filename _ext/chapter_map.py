"""The directive ``{chapter-map}``: all chapters as boxes, with an arrow from each to those that build on it.

What a chapter builds on stands in its first cell, after *Before this*: the map is drawn from there, when the book is
built, so it cannot be out of date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx_external_toc.parsing import parse_toc_yaml

BEFORE = re.compile(r"\*\*Before this:\*\*(.*?)\*\*Time:\*\*", re.DOTALL)
# As wide as the column of text on a phone, so that letters are as large there as everywhere.
COLUMNS, WIDTH, ACROSS, DOWN = 3, 118, 12, 30
LETTERS, LINE, PADDING = 17, 15, 8
ARROW_HEAD = (
    '<defs><marker id="map-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" markerHeight="5" orient="auto">'
    '<path d="M0 0 8 4 0 8z"/></marker></defs>'
)


@dataclass(frozen=True)
class Chapter:
    """A chapter: its file's name, its title, and the chapters that it builds on."""

    name: str
    title: str
    before: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """The title, broken after its colon and where a line is full."""
        return [line for part in re.split(r"(?<=:) ", self.title) for line in wrap(part, LETTERS)]


class Box(NamedTuple):
    """Where the box of a chapter stands: its left upper corner and its height."""

    x: float
    y: float
    height: float


def read(root: Path) -> list[Chapter]:
    """Return the chapters in the order of the table of contents.

    Raises
    ------
    ExtensionError
        If a chapter builds on one that comes later, or that does not exist.
    """
    found: dict[str, Chapter] = {}
    for page in parse_toc_yaml(root / "_toc.yml"):
        path = root / f"{page}.ipynb"
        if not path.exists():
            continue
        header = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        before = dict.fromkeys(re.findall(r"\]\(([\w-]+)\.ipynb", BEFORE.search(header)[1]))
        if late := [name for name in before if name not in found]:
            raise ExtensionError(f"{path.name} builds on {late[0]}, which does not come before it in _toc.yml.")
        found[path.stem] = Chapter(path.stem, header.splitlines()[0].removeprefix("# "), tuple(before))
    return list(found.values())


def direct(chapters: list[Chapter]) -> Iterator[tuple[str, str]]:
    """Yield the arrows, without those that go where a way over other chapters leads, too."""
    needs = {chapter.name: set(chapter.before) for chapter in chapters}
    reach: dict[str, set[str]] = {}
    for name, before in needs.items():
        reach[name] = before.union(*(reach[other] for other in before))
        for other in before:
            if not any(other in reach[third] for third in before - {other}):
                yield other, name


def places(chapters: list[Chapter]) -> dict[str, Box]:
    """Return the box of each chapter: below and near all that it builds on, as high as the longest title of its row."""
    level: dict[str, int] = {}
    for chapter in chapters:
        level[chapter.name] = 1 + max((level[name] for name in chapter.before), default=-1)
    boxes: dict[str, Box] = {}
    y = 0.0
    for number in range(max(level.values(), default=-1) + 1):
        row = [chapter for chapter in chapters if level[chapter.name] == number]
        row.sort(key=lambda chapter: sum(boxes[name].x for name in chapter.before) / max(1, len(chapter.before)))
        for start in range(0, len(row), COLUMNS):
            line = row[start : start + COLUMNS]
            left = (COLUMNS - len(line)) * (WIDTH + ACROSS) / 2
            height = max(len(chapter.lines) for chapter in line) * LINE + 2 * PADDING
            boxes |= {chapter.name: Box(left + i * (WIDTH + ACROSS), y, height) for i, chapter in enumerate(line)}
            y += height + DOWN
    return boxes


def svg(chapters: list[Chapter], address: Callable[[str], str]) -> str:
    """Draw the map; each box is a link to its chapter."""
    boxes = places(chapters)
    width = COLUMNS * (WIDTH + ACROSS) - ACROSS
    height = max(box.y + box.height for box in boxes.values())
    parts = [
        f'<svg viewBox="-1 -1 {width + 2} {height + 2:g}" role="group" aria-label="Map of the chapters">',
        ARROW_HEAD,
    ]
    for above, below in direct(chapters):
        start, end = boxes[above], boxes[below]
        x, y, to_x, to_y = start.x + WIDTH / 2, start.y + start.height, end.x + WIDTH / 2, end.y
        bend = (y + to_y) / 2
        parts.append(
            f'<path class="arrow" marker-end="url(#map-arrow)" '
            f'd="M{x:g} {y:g}C{x:g} {bend:g} {to_x:g} {bend:g} {to_x:g} {to_y:g}"/>'
        )
    for chapter in chapters:
        x, y, height = boxes[chapter.name]
        first = y + height / 2 - LINE * (len(chapter.lines) - 1) / 2
        text = "".join(
            f'<tspan x="{x + WIDTH / 2:g}" y="{first + i * LINE:g}">{escape(line)} </tspan>'
            for i, line in enumerate(chapter.lines)
        )
        parts.append(
            f'<a href="{address(chapter.name)}">'
            f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{height}" rx="6"/><text>{text}</text></a>'
        )
    return "".join([*parts, "</svg>"])


class ChapterMap(SphinxDirective):
    """Put the map where the directive stands; its content is the caption."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a figure of HTML with its caption."""
        chapters = read(Path(self.env.app.confdir))
        for chapter in chapters:
            self.env.note_dependency(f"chapters/{chapter.name}.ipynb")

        def address(name: str) -> str:
            return self.env.app.builder.get_relative_uri(self.env.docname, f"chapters/{name}")

        figure = nodes.container(classes=["chapter-map"])
        figure += nodes.raw("", svg(chapters, address), format="html")
        caption, messages = self.parse_inline(" ".join(self.content))
        figure += nodes.paragraph("", "", *caption)
        return [figure, *messages]


def setup(app: Sphinx) -> dict:
    """Connect to Sphinx."""
    app.add_directive("chapter-map", ChapterMap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
