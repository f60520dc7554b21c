"""Symbols in LaTeX, and those that ``pages/notation.md`` explains."""

from __future__ import annotations

import re

_GREEK = (
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|vartheta|iota|kappa|varkappa|lambda|mu|nu|xi|pi|varpi|rho|varrho|sigma|varsigma|tau|"
    "upsilon|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega|ell|nabla"
)
_MARKS = "bar|hat|tilde|vec|mathbf|mathcal|mathbb|overrightarrow|overleftarrow"
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$([^$\n]+?)\$", re.DOTALL)
# What stands in braces after these is words, or the name of an environment.
_WORDS = re.compile(r"\\(?:text|operatorname|mathrm|texttt|tag|begin|end)\*?\s*\{[^{}]*\}")
_LETTER = rf"(?:\\(?:{_GREEK})(?![a-zA-Z])|[A-Za-z])"
# A letter with its mark, a letter, or a command that is no symbol and must not be read as letters.
_TOKEN = re.compile(
    rf"\\(?P<mark>{_MARKS})(?![a-zA-Z])\s*\{{?\s*(?P<marked>{_LETTER})|(?P<letter>{_LETTER})|\\[a-zA-Z]+"
)


def formulas(prose: str) -> list[str]:
    """Return all formulas of a text, those in lines and those displayed."""
    return [displayed or inline for displayed, inline in FORMULA.findall(prose)]


def symbols(formula: str) -> set[str]:
    r"""Return the letters of a formula, Latin and Greek, each with its mark, as in ``\hat h``; subscripts count, too.

    A bar means a gradient everywhere in the book: the letter below it stands for itself.
    """
    found = set()
    for token in _TOKEN.finditer(_WORDS.sub(" ", formula)):
        letter = token["marked"] or token["letter"]
        if letter:
            found.add(letter if token["mark"] in (None, "bar") else f"\\{token['mark']} {letter}")
    return found


def explained(notation: str, chapter: str) -> set[str]:
    """Return the symbols of the table for all chapters, and of the tables whose section links to the chapter."""
    found: set[str] = set()
    for section in re.split(r"^## ", notation, flags=re.MULTILINE)[1:]:
        if not (section.startswith("Everywhere") or f"/{chapter}.ipynb" in section):
            continue
        for row in re.findall(r"^\|(?P<symbol>[^|]*)\|(?P<shape>[^|]*)\|", section, re.MULTILINE):
            found |= {symbol for formula in formulas("|".join(row)) for symbol in symbols(formula)}
    return found
