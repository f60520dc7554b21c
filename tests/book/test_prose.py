"""Each rule for the text of chapters complains about a broken one, and a heading's link is the one that MyST makes."""

import pytest
from markdown_it.renderer import RendererHTML
from markdown_it.tree import SyntaxTreeNode
from myst_parser.config.main import MdParserConfig
from myst_parser.mdit_to_docutils.base import compute_unique_slug
from myst_parser.parsers.mdit import create_md_parser

from tests.book.sound import add, edit, prints, tag
from tools import prose
from tools.book import Book
from tools.chapter import Chapter


@pytest.mark.parametrize(
    ("rule", "change", "complaint"),
    [
        (prose.plain, edit(4, "```python", "```{note}"), "MyST in a chapter: ```{note}"),
        (prose.plain, edit(4, "Equation (1)", "{cite}`gauss`"), "MyST in a chapter: {cite}`gauss`"),
        (prose.plain, edit(4, "Equation (1)", ":::{tip}\nx\n:::"), "MyST in a chapter: :::{tip}"),
        (prose.plain, add(7, "::: note\nx\n:::"), "not plain Markdown: ::: note"),
        (prose.plain, add(7, "(my-label)=\n# x"), "not plain Markdown: (my-label)="),
        (prose.plain, add(7, "% x"), "not plain Markdown: % x"),
        (prose.plain, add(7, "+++"), "not plain Markdown: +++"),
        (prose.plain, add(7, "> [!NOTE]\n> x"), "not plain Markdown: > [!NOTE]"),
        (prose.plain, add(7, "As said.[^1]"), "not plain Markdown: [^1]"),
        (prose.plain, add(7, "[G]: https://doi.org/10.1"), "not plain Markdown: [G]:"),
        (prose.plain, add(7, "[Gauss, 1801][G]"), "not plain Markdown: ][G]"),
        (prose.plain, edit(4, "\\tag{1} $$", "$$ (eq-sum)"), "not plain Markdown: $$ (eq-sum)"),
        (prose.plain, add(7, "A __big sum__."), "bold is **…**: __big sum__"),
        (prose.plain, add(7, "A <b>sum</b>."), "bold is **…**: <b>"),
        (prose.plain, add(7, 'A <strong class="x">sum</strong>.'), 'bold is **…**: <strong class="x">'),
        (prose.equations, edit(6, "A sum.", "$$ x \\tag{1} $$"), "used twice"),
        (prose.equations, edit(4, "Equation (1)", "Equation (2)"), "equation (2) has no"),
        (prose.equations, edit(4, "Equation (1)", "Equations (1) and (12)"), "equation (12) has no"),
        (prose.equations, edit(4, "By (1)", "(7) says"), "equation (7) has no"),
        (prose.notation, edit(4, "a + b", "a + \\hat d"), "not in pages/notation.md: \\hat d in a + \\hat d = c"),
        (
            prose.citations,
            edit(4, "10.1000/1)", "10.1000/12)"),
            "not in pages/references.md: https://doi.org/10.1000/12",
        ),
        (prose.citations, edit(4, "10.1000/1)", "10.1000/)"), "not in pages/references.md"),
        (prose.citations, edit(4, "doi.org/10.1000/1)", "www.jstor.org/1)"), "not in pages/references.md"),
        (prose.citations, edit(4, "doi.org/10.1000/1)", "dx.doi.org/10.1/2)"), "not in pages/references.md"),
        (prose.citations, edit(4, "[Gauss, 1801]", "[Gauss]"), "the year"),
        (prose.citations, edit(4, "Gauss, 1801", "Gauss et al., 1832"), "[Gauss et al., 1832] has another year in"),
        (prose.citations, edit(4, "Gauss, 1801", "Noether & Gauss, 1801"), "1801] has another first author in"),
        (prose.citations, edit(4, "Gauss, 1801", "Gaussian sums, 1801"), "1801] has another first author in"),
        (prose.links, edit(4, "#does-it-add", "#does-it"), "one has no section #does-it"),
        (prose.links, edit(4, "one.ipynb#exercises", "one.ipynb#exercise"), "one has no section #exercise"),
        (prose.links, edit(4, "one.ipynb#exercises", "two.ipynb#exercises"), "there is no chapter two"),
        (prose.links, edit(4, "one.ipynb#exercises", "two.ipynb"), "there is no chapter two"),
        (prose.exercises, edit(9, "Exercise 2", "Exercise 3"), "the exercises are not numbered from 1: 1, 3"),
        (prose.exercises, edit(9, "**Exercise", "Exercise"), "the exercises are not numbered from 1: there are none"),
        (prose.exercises, edit(9, "2 (write)", "2 (hard)"), "exercise 2 is not marked (predict), (write) or (extend)"),
        (prose.exercises, edit(9, "2 (write)", "2"), "exercise 2 is not marked"),
        (prose.exercises, edit(9, "<details>", ""), "exercise 1 has no folded solution below it"),
        (prose.exercises, tag(11), "exercise 2 has no folded solution below it"),
        (prose.exercises, tag(11), "not Not yet in the open cell [5], ✓ in the open cell [6]"),
        (prose.exercises, tag(10, "hide-cell"), "checks.add says 'Not yet' in one open cell"),
        (prose.exercises, prints(10, "✓ add is right."), "not ✓ in the open cell [5], ✓ in the folded cell [6]"),
        (prose.exercises, prints(11, "Almost."), "something else in the folded cell [6]"),
        (prose.exercises, edit(10, "checks.add(add)", "2"), "checks.add says 'Not yet' in one open cell"),
        (prose.exercises, edit(11, "checks.add(sum)", "2"), "checks.add says 'Not yet' in one open cell"),
        (prose.exercises, edit(5, "draw", "checks.add(add)\ndraw"), "not something else in the open cell [4], Not yet"),
        (prose.quiz, edit(8, "Yes.", "No."), "question 1 has 0 answers that begin with Yes"),
        (prose.quiz, edit(8, "No.", "Yes:"), "question 1 has 2 answers that begin with Yes"),
        (prose.quiz, edit(8, "**1.**", "**2.**"), "the questions are not numbered from 1: 2"),
        (prose.quiz, edit(8, "**1.**", "1."), "the questions are not numbered from 1: there are none"),
    ],
)
def test_a_broken_chapter_is_named(sound, rule, change, complaint):
    assert complaint in sound.broken(change, rule)


@pytest.mark.parametrize(
    "label", ["Gauss et al., 1801", "C. F. Gauss & Noether, 1801", "As Gauss and Noether say, 1801b"]
)
def test_a_citation_names_the_first_author_as_it_likes(sound, label):
    assert sound.broken(edit(4, "Gauss, 1801", label), prose.citations) == ""


def test_a_page_number_is_no_year(sound):
    assert "has another year" in sound.broken(edit(4, "Gauss, 1801", "Gauss, 1831"), prose.citations)


@pytest.mark.parametrize(
    "text", ["In (1801).", "Twelve (12 of them).", "See f(3), $f$(3), 20(18) and (3a).", "$$ (7) $$"]
)
def test_other_parentheses_are_no_equations(sound, text):
    assert sound.broken(add(7, text), prose.equations) == ""


@pytest.mark.parametrize(
    "text",
    [
        "`__init__`, `(x)=` and `[^1]`",
        "```\n% x\n::: note\n```",
        "$$\n% x\n$$ (see below)",
        "[0, 1] [a](#b), 5 % of\n100",
    ],
)
def test_plain_markdown_passes(sound, text):
    assert sound.broken(add(7, text), prose.plain) == ""


@pytest.mark.parametrize("words", ["over 2%", "at most 1,000", "within 0.5"])
def test_a_bound_in_words_is_named(sound, words):
    change = edit(5, '"One and one is over {bound}", 2, above=1', f'"One and one is {words}", True, is_true=True')
    complaint = f"is_true does not test {words!r}, below= or above= does: 'One and one is {words}'"
    assert sound.broken(change, prose.claims) == complaint


def myst_anchors(chapter: Chapter) -> list[str]:
    """What MyST links the headings of a chapter by."""
    parser = create_md_parser(MdParserConfig(enable_extensions={"dollarmath"}), RendererHTML)
    found: list[str] = []
    for node in SyntaxTreeNode(parser.parse("\n\n".join(cell.source for cell in chapter.markdown))).walk():
        if node.type == "heading":
            found.append(compute_unique_slug(node, found))
    return found


@pytest.mark.parametrize("name", Book().chapters())
def test_the_anchors_of_a_chapter_are_those_of_myst(book, name):
    assert prose.anchors(Chapter(book, name)) == myst_anchors(Chapter(book, name))


def test_the_anchors_of_odd_headings_are_those_of_myst(sound):
    headings = ["What is `sum`?", 'Too "long"?', "*Why* $R^2$ is – no sum", "Why", "Why", "Why", "Ünder_way, 2 × 3"]
    sound.broken(add(7, "\n\n".join(f"### {heading}" for heading in headings) + "\n\n```\n# none\n```"), prose.links)
    chapter = Chapter(sound.book, "one")
    assert prose.anchors(chapter) == myst_anchors(chapter)
    assert prose.anchors(chapter)[3:8] == ["what-is-sum", "too-long", "why--is--no-sum", "why", "why-1"]
