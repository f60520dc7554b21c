"""The page of reproductions says what the chapters print, and refuses a verdict that stands on nothing."""

import pytest
from nbformat.v4 import new_markdown_cell, new_output

from tools import notebook as nb
from tools import reproductions

CITED = "# One\n\n[Gauss, 1801](https://doi.org/10.1000/1) adds."
ENTRY = """\
[[result]]
chapter = "one"
work = "https://doi.org/10.1000/1"
finds = "Sums are small."
here = "Two sums."
claims = ["A sum is under 3", "It is one"]
verdict = "holds"
"""
MEASURED = [
    {"sentence": "A sum is under 3", "measured": 2.12345, "bound": 3},
    {"sentence": "It is one", "measured": True, "bound": True},
]


@pytest.fixture
def tried(small):
    """The small book with a result, which the second section prints."""
    path = small.chapters()["one"]
    notebook = nb.read(path)
    notebook.cells[0].source = CITED
    text = "```\n# no heading\n```\n\n## Does it add?\n\nIt does.\n\n## And again?"
    notebook.cells.insert(2, new_markdown_cell(text))
    notebook.cells[3].outputs = [new_output("stream", text="2\n✓ A sum is under 3\n✓ It is one\n")]
    path.write_text(nb.text(notebook), encoding="utf-8")
    (small.root / "pages").mkdir()
    small.write_record("chapters", {"one": {"claims": MEASURED}})
    return small


def judge(book, text=ENTRY):
    (book.root / "pages" / "reproductions.toml").write_text(text, encoding="utf-8")


def test_the_page(tried):
    weak = ENTRY.replace('"holds"', '"weakly"\nremark = "only twos"').replace("small", "tiny")
    judge(tried, weak + ENTRY)
    page = reproductions.page(tried)
    where = "../chapters/one.ipynb#and-again"
    row = (
        "| [Gauss, 1801](https://doi.org/10.1000/1): Sums are {}. "
        f"| [Two sums.]({where})<br>✓ A sum is under 3 (measured: 2.123)<br>✓ It is one | **{{}} |"
    )
    assert "| [One](../chapters/one.ipynb) | 1 | 1 | 0 |\n| all: 2 results of 1 papers | 1 | 1 | 0 |" in page
    assert "## One\n\n| the paper says | the book finds | verdict |" in page
    assert page.endswith(f"{row.format('tiny', 'holds weakly**; only twos')}\n{row.format('small', 'holds**')}\n")
    reproductions.write(tried)
    path = tried.root / "pages" / "reproductions.md"
    assert path.read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    ("sentence", "measured", "bound", "shown"),
    [
        ("Under 5% are wrong", 0.0321, 0.05, " (measured: 3.21%)"),
        ("By over 2.5%", 0.04, 0.025, " (measured: 4%)"),
        ("Over 5% is 0.1 more", 0.2, 0.1, " (measured: 0.2)"),
        ("Under 12 points", 3, 12, " (measured: 3)"),
        ("It is so", True, True, ""),
    ],
)
def test_what_was_measured_has_the_unit_of_the_bound(sentence, measured, bound, shown):
    assert reproductions.unit({"sentence": sentence, "measured": measured, "bound": bound}) == shown


def test_without_verdicts_there_is_no_page(small):
    reproductions.write(small)
    assert not (small.root / "pages" / "reproductions.md").exists()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"one"', '"two"', "there is no such chapter"),
        ('"holds"', '"mostly"', "the verdict 'mostly' is none of holds, weakly, not"),
        ('"holds"', '"not"', "say in a remark how it differs"),
        ("1000/1", "1000/2", "the chapter does not cite https://doi.org/10.1000/2"),
        ("It is one", "It is two", "0 claims of the chapter are 'It is two', not one"),
    ],
)
def test_a_wrong_entry_is_one_sentence(tried, old, new, complaint):
    judge(tried, ENTRY.replace(old, new))
    with pytest.raises(SystemExit) as stopped:
        reproductions.page(tried)
    lines = str(stopped.value).splitlines()
    assert any(line.startswith("pages/reproductions.toml, ") and line.endswith(complaint) for line in lines)


def test_a_claim_that_is_printed_twice_or_not_stored_is_found(tried):
    judge(tried)
    tried.write_record(
        "chapters", {"one": {"claims": [*MEASURED, MEASURED[1], {"sentence": "New", "measured": 1, "bound": 2}]}}
    )
    assert [c.split(": ", 1)[1] for c in reproductions.complaints(tried)] == [
        "2 claims of the chapter are 'It is one', not one"
    ]
    judge(tried, ENTRY.replace("It is one", "New"))
    assert [c.split(": ", 1)[1] for c in reproductions.complaints(tried)] == ["no stored output has the line ✓ New"]


def test_the_page_of_the_book_is_what_the_chapters_say(book):
    page = (book.root / "pages" / "reproductions.md").read_text(encoding="utf-8")
    assert page == reproductions.page(book), "pages/reproductions.md is not what the chapters say: run make status"
