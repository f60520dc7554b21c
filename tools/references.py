"""The works of ``pages/references.md``: their links, their years and the names that they are cited by."""

from __future__ import annotations

import re
import unicodedata


def entries(page: str) -> list[str]:
    """Return the works of a page, one line each."""
    return [" ".join(entry.split()) for entry in re.findall(r"^- (.+(?:\n  .+)*)", page, re.MULTILINE)]


def works(page: str) -> dict[str, str]:
    """Return the works of a page by their links."""
    return {link: work for work in entries(page) for link in re.findall(r"<(https?://[^>]+)>", work)}


def family(authors: str) -> str:
    """Return the family name of the first author, of a work or of a citation, in letters of English."""
    first = re.split(r",| & | and | et al\b|(?<!\b[A-Z])\. ", authors)[0]
    return unicodedata.normalize("NFKD", first.split()[-1]).encode("ascii", "ignore").decode().lower()


def years(work: str) -> list[str]:
    """Return the years that a work names, not what looks like one in its link or its pages."""
    return re.findall(r"\b\d{4}\b", re.sub(r"<[^>]*>|\d+–\d+", "", work))
