"""The references hold every cited work once, in order, and none that the book does not cite."""

import re
from itertools import pairwise

import pytest

from tools.references import entries, family


def complaints(page: str, book: str) -> list[str]:
    """What is wrong with the page, given the text of all the others. Documentation follows the works, unordered."""
    wrong, seen = [], set()
    for work in entries(page):
        links = re.findall(r"<(https?://[^>]+)>", work)
        if len(links) != 1:
            wrong.append(f"{len(links)} links: {work}")
        for link in links:
            if link in seen:
                wrong.append(f"twice: {link}")
            elif not re.search(re.escape(link) + r"(?![\w/-])", book):
                wrong.append(f"not cited anywhere: {link}")
            seen.add(link)
    # The family name of the first author orders the page.
    families = [family(work) for work in entries(page.split("\n## ")[0])]
    wrong += [f"not in order: {b} after {a}" for a, b in pairwise(families) if b < a]
    return wrong


PAGE = """# References
- Anna Müller, B. Smith. A title of
  two lines. *Journal* 2(3):4–5, 1999. <https://doi.org/10.1/a>
- Carl Noether. Another. 2020. <https://arxiv.org/abs/1>
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("", "", None),
        ("abs/1>", "abs/2>", "not cited anywhere: https://arxiv.org/abs/2"),
        ("<https://arxiv.org/abs/1>", "<https://doi.org/10.1/a>", "twice: https://doi.org/10.1/a"),
        ("Noether", "Abel", "not in order: abel after muller"),
        ("<https://arxiv.org/abs/1>", "", "0 links: Carl Noether. Another. 2020."),
    ],
)
def test_a_broken_page_is_found(old, new, complaint):
    page = PAGE.replace(old, new)
    book = "[A, 1999](https://doi.org/10.1/a), [B, 2020](https://arxiv.org/abs/1) https://arxiv.org/abs/22"
    assert complaints(page, book) == ([complaint] if complaint else [])


def test_the_references(book):
    page = book.root / "pages" / "references.md"
    others = [*book.chapters().values(), *(book.root / "pages").glob("*.md"), book.root / "intro.md"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in others if path != page)
    assert complaints(page.read_text(encoding="utf-8"), text) == []
