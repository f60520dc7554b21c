"""Split the chapters into shares of about the same recorded time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# A chapter that was never timed counts as the average that quick chapters aim at.
UNKNOWN_SECONDS = 45.0


def parse(text: str) -> tuple[int, int]:
    """Read ``"1/4"`` as (1, 4).

    Raises
    ------
    SystemExit
        When the text is not a share.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match:
        index, count = int(match[1]), int(match[2])
        if 1 <= index <= count:
            return index, count
    raise SystemExit(f"SHARD must look like 1/4 (the first of four shares), not {text!r}.")


def split(names: Iterable[str], seconds: Mapping[str, float], count: int) -> list[list[str]]:
    """Give each chapter, the longest first, to the share that has the least time so far.

    Parameters
    ----------
    names : iterable of str
        Chapters in reading order; a share keeps this order.
    seconds : mapping
        Recorded seconds by name.
    count : int
        The number of shares.
    """
    names = list(names)
    cost = {name: float(seconds.get(name, UNKNOWN_SECONDS)) for name in names}
    totals = [0.0] * count
    chosen: dict[str, int] = {}
    for name in sorted(names, key=lambda n: -cost[n]):
        lightest = totals.index(min(totals))
        totals[lightest] += cost[name]
        chosen[name] = lightest
    return [[name for name in names if chosen[name] == share] for share in range(count)]
