"""The notation has each symbol of each chapter, and none that no chapter uses."""

import re

import pytest

from tools.chapter import Chapter
from tools.symbols import explained, formulas, symbols

PAGE = """# Notation
## Everywhere
| symbol | shape | meaning |
| $x$ | $(n)$ | input, or $k$ |
## One
In [One](../chapters/one.ipynb).
| $\\hat y$, $w$ | numbers | both |
## Two
In [Two](../chapters/two.ipynb) and [Three](../chapters/three.ipynb).
| $\\ell$ | number | layer |
"""


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        (r"y = \sum_{i} w_i\, x_i \tag{3}", {"y", "i", "w", "x"}),
        (r"\hat y_t + \bar y + \hat{h}", {r"\hat y", "t", "y", r"\hat h"}),
        (r"\mathbf W\,\alpha^{(2)} \cdot \mathcal L", {r"\mathbf W", r"\alpha", r"\mathcal L"}),
        (r"\operatorname{Var}(x) \text{ if } n > 1", {"x", "n"}),
        (r"\begin{aligned} a &= b \end{aligned}", {"a", "b"}),
        (r"\exp(\eta) \le \frac{\overrightarrow h}{2} \tilde \rho", {r"\eta", r"\overrightarrow h", r"\tilde \rho"}),
        (r"\varepsilon + \epsilon + \bar \ell", {r"\varepsilon", r"\epsilon", r"\ell"}),
        (r"\varsigma \varrho \varpi \varkappa \infty", {r"\varsigma", r"\varrho", r"\varpi", r"\varkappa"}),
    ],
)
def test_symbols_of_a_formula(formula, found):
    assert symbols(formula) == found


def test_formulas_of_a_text():
    text = "Of $a$ and\n$$\nb\n= c\n$$\nnot \\$5 or a price of $6,\nbut $d$."
    assert [formula.strip() for formula in formulas(text)] == ["a", "b\n= c", "d"]


@pytest.mark.parametrize(
    ("chapter", "found"),
    [("one", {"x", "n", r"\hat y", "w"}), ("three", {"x", "n", r"\ell"}), ("four", {"x", "n"})],
)
def test_a_chapter_has_the_common_table_and_its_own(chapter, found):
    assert explained(PAGE, chapter) == found


def test_no_symbol_is_explained_that_no_chapter_uses(book):
    page = (book.root / "pages" / "notation.md").read_text(encoding="utf-8")
    unused = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        title, introduction = section.split("\n", 1)[0], section.split("|", 1)[0]
        names = re.findall(r"/([\w-]+)\.ipynb", introduction) or book.chapters()
        missing = sorted(set(names) - set(book.chapters()))
        assert not missing, f"{title} leads to no chapter: {', '.join(missing)}"
        used = {s for name in names for formula in formulas(Chapter(book, name).prose) for s in symbols(formula)}
        rows = re.findall(r"^\|([^|]*)\|", section, re.MULTILINE)
        if left := {s for row in rows for formula in formulas(row) for s in symbols(formula)} - used:
            unused[title] = left
    assert unused == {}, "strike them out of pages/notation.md"
