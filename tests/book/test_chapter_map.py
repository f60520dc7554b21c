"""The map of the chapters: who builds on whom, and where the boxes stand."""

import pytest
from sphinx.errors import ExtensionError

from _ext import chapter_map
from _ext.chapter_map import Chapter, direct, places, svg
from tests.book.conftest import TOC, chapter
from tools import notebook as nb

DIAMOND = [
    Chapter("a", "First", ()),
    Chapter("b", "Left: of two", ("a",)),
    Chapter("c", "Right & last", ("a",)),
    Chapter("d", "Both", ("a", "c", "b")),
]


def write(root, **before):
    """A book with these chapters, each with the text after *Before this*."""
    (root / "chapters").mkdir()
    (root / "_toc.yml").write_text(TOC)
    for name, text in before.items():
        notebook = chapter()
        notebook.cells[0].source = f"# {name.title()}\n\nYou can.\n\n**Before this:** {text} **Time:** long."
        (root / "chapters" / f"{name}.ipynb").write_text(nb.text(notebook), encoding="utf-8")
    return root


def test_chapters_are_read_from_their_first_cells_in_the_order_of_the_book(tmp_path):
    root = write(tmp_path, one="[Two](two.ipynb) and [its end](two.ipynb#end).", two="nothing.")
    assert chapter_map.read(root) == [
        Chapter("two", "Two", ()),
        Chapter("one", "One", ("two",)),
    ]


@pytest.mark.parametrize("name", ["one", "three"])
def test_a_chapter_that_builds_on_a_later_one_stops_the_build(tmp_path, name):
    root = write(tmp_path, one="nothing.", two=f"[It]({name}.ipynb).")
    with pytest.raises(
        ExtensionError, match=rf"^two.ipynb builds on {name}, which does not come before it in _toc.yml.$"
    ):
        chapter_map.read(root)


def test_arrows_that_a_longer_way_replaces_are_left_out():
    assert sorted(direct(DIAMOND)) == [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]


def test_boxes_stand_below_what_they_build_on_and_apart():
    boxes = places(DIAMOND)
    assert boxes["a"].y < boxes["b"].y == boxes["c"].y < boxes["d"].y
    assert boxes["c"].x - boxes["b"].x == chapter_map.WIDTH + chapter_map.ACROSS
    assert boxes["a"].x == boxes["d"].x == (boxes["b"].x + boxes["c"].x) / 2


def test_a_row_that_is_full_goes_on_below():
    boxes = places([Chapter(str(i), "Title", ()) for i in range(4)])
    assert [boxes[str(i)].y for i in range(4)] == [0, 0, 0, boxes["0"].height + chapter_map.DOWN]


def test_a_row_is_as_high_as_its_longest_title_asks_and_the_next_stands_below_it():
    long = Chapter("long", "A title that asks for more lines than the others, by far", ())
    boxes = places([Chapter("a", "First", ()), long, Chapter("b", "Second", ("long",))])
    assert len(long.lines) == 4
    assert boxes["a"].height == boxes["long"].height == 4 * chapter_map.LINE + 2 * chapter_map.PADDING
    assert boxes["b"].y == boxes["long"].height + chapter_map.DOWN
    assert boxes["b"].height < boxes["a"].height


def test_each_box_is_a_link_with_a_title_that_breaks_after_its_colon():
    drawn = svg(DIAMOND, lambda name: f"{name}.html")
    assert drawn.count("<a ") == drawn.count("<rect ") == 4
    assert drawn.count('class="arrow"') == 4
    assert '<a href="c.html">' in drawn and ">Right &amp; last </tspan>" in drawn
    assert ">Left: </tspan>" in drawn and ">of two </tspan>" in drawn
