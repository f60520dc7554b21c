"""A claim is a sentence of the book that is checked when its cell runs.

The bound that is printed is the bound that is tested, so the printed line is the same on every machine, while the
measured value may differ from run to run within the bound.
"""

import json
import math
import os
from string import Formatter


class ClaimError(AssertionError):
    """A claim does not hold; the message shows the measured value."""


def claim(
    sentence: str,
    measured: float | bool,
    *,
    below: float | None = None,
    above: float | None = None,
    equal: float | None = None,
    tolerance: float = 0.0,
    is_true: bool = False,
) -> None:
    """Check a sentence against what was measured, and print it if it holds.

    Exactly one of ``below``, ``above``, ``equal`` and ``is_true`` is given. A bound is put into the sentence where it
    says ``{bound}`` (a format may follow, as in ``{bound:.0%}``), so what is read is what was tested.

    Parameters
    ----------
    sentence : str
        One sentence, with ``{bound}`` where the bound belongs (none for ``is_true``).
    measured : float or bool
        The value of this run.
    below, above : float, optional
        The claim holds if ``measured < below``, or ``measured > above``.
    equal : float, optional
        The claim holds if ``abs(measured - equal) <= tolerance``.
    tolerance : float
        Goes with ``equal``; 0 asks for the same number. It may be shown with ``{tolerance}``.
    is_true : bool
        The claim holds if ``measured`` is true.

    Raises
    ------
    ClaimError
        If the claim does not hold. The message has the sentence and the measured value.
    ValueError
        If the call itself is wrong: no bound or several, or a sentence that hides its bound.
    """
    kinds = {"below": below, "above": above, "equal": equal, "is_true": is_true or None}
    given = [kind for kind, bound in kinds.items() if bound is not None]
    if len(given) != 1:
        found = ", ".join(given) or "none"
        raise ValueError(f"A claim takes exactly one of below, above, equal and is_true; given: {found}.")
    kind, bound = given[0], kinds[given[0]]
    fields = {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}
    if kind == "is_true" and fields:
        raise ValueError("A claim with is_true has no bound to show: take the braces out of its sentence.")
    if kind != "is_true" and "bound" not in fields:
        raise ValueError("The sentence of a claim must show its bound: write {bound} where the number belongs.")
    if tolerance and kind != "equal":
        raise ValueError("A tolerance goes with equal: a claim with below or above has its bound and no tolerance.")

    printed = sentence if kind == "is_true" else sentence.format(bound=bound, tolerance=tolerance)
    if kind == "is_true":
        holds, margin = bool(measured), None
    else:
        distances = {"below": lambda: bound - measured, "above": lambda: measured - bound}
        margin = float(distances.get(kind, lambda: tolerance - abs(measured - bound))())
        holds = margin >= 0 if kind == "equal" else margin > 0  # a NaN holds nothing
    if not holds:
        expected = "to be true" if kind == "is_true" else f"{kind} {bound!r}"
        if kind == "equal" and tolerance:
            expected += f" within {tolerance!r}"
        raise ClaimError(f"{printed} This run measured {_plain(measured)!r}; the claim needs it {expected}.")
    _log(printed, kind, measured, bound, margin)
    print(f"✓ {printed}")


def _plain(value: float | bool) -> float | bool | int:
    """Return a NumPy scalar (or array of one value) as Python's own number."""
    return value.item() if hasattr(value, "item") else value


def _log(printed: str, kind: str, measured: float | bool, bound: float | bool, margin: float | None) -> None:
    """Append the claim to the file that the environment names, for the status page."""
    path = os.environ.get("BOOK_CLAIMS")
    if not path:
        return
    number = _plain(measured)
    if isinstance(number, float) and not math.isfinite(number):
        number = str(number)
    line = {"sentence": printed, "kind": kind, "measured": number, "bound": _plain(bound), "margin": margin}
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
