"""What to take, by what the book has measured: a choice with its reason, or one sentence that says what is not known.

The options of a situation are in :mod:`utils.advice.measured`. Between two measured numbers of examples the costs are
drawn as straight lines over the logarithm. Taken is the simplest option that is not worse than the best one beyond the
noise: by at most twice the standard error of their difference over the seeds.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import numpy as np

from utils import settings
from utils.advice.measured import Family, Option, families

__all__ = ["Advice", "AdviceError", "advise", "choose", "costs_at", "families", "regret"]

NOISE = 2.0  # standard errors
REACH = 2.0  # how far beyond what was measured, as a factor
MODALITIES = ("images", "paragraphs", "speech", "tables", "text", "user")


class AdviceError(ValueError):
    """A question that the book has not measured; the message is one sentence."""

    def _render_traceback_(self) -> list[str]:
        """Let a notebook show the sentence alone."""
        return [f"✗ {self}"]


@dataclass(frozen=True)
class Advice:
    """What to take, and why.

    Attributes
    ----------
    option : str
        What to take.
    cost : float
        What it was measured at, or lies at between two measurements.
    best : str
        What has the lowest mean; another one than ``option`` where that is simpler and as good up to noise.
    best_cost : float
        Its mean.
    family : Family
        All that was compared.
    value : float
        The case: how many examples, or what else the family's axis counts.
    left_out : tuple of str
        Options that a limit excludes, or of which the book does not know whether it does.
    """

    option: str
    cost: float
    best: str
    best_cost: float
    family: Family
    value: float
    left_out: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why this option, in one sentence."""
        if self.option == self.best:
            return "of what was compared nothing is better, or simpler and as good."
        return f"it is simpler than {self.best} ({_shown(self.best_cost, self.family.unit)}) and as good up to noise."

    def __str__(self) -> str:
        family = self.family
        seeds = len(family.options[0].costs[0])
        if any(np.isclose(self.value, v) for v in family.values):
            kind = "Measured"
        elif family.values[0] < self.value < family.values[-1]:
            kind = "Drawn between measurements"
        else:
            nearest = family.values[0] if self.value < family.values[0] else family.values[-1]
            kind = f"As measured at {_number(nearest)}"
        lines = [
            f"Take {self.option}: {_shown(self.cost, family.unit)}.",
            f"Why: {self.reason}",
            f"{kind}: {family.record}, {family.axis} {_number(self.value)}, {seeds} seeds.",
            f"See: {family.link}",
        ]
        if self.left_out:
            lines.insert(2, f"Left out, over a limit or not measured: {', '.join(self.left_out)}.")
        return "\n".join(textwrap.fill(line, 76, subsequent_indent="  ") for line in lines)  # as wide as a page


def _shown(cost: float, unit: str) -> str:
    """Return a cost for reading: shares as percent, bits as they are."""
    return f"{cost:.3f} {unit}" if unit.startswith("bits") else f"{cost:.1%} {unit}"


def _number(value: float) -> str:
    """Return a count with commas, and what is no whole number as it is."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def costs_at(family: Family, value: float, skip: Collection[float] = ()) -> dict[str, np.ndarray]:
    """Return the costs of all options at a value, (seeds,) each, by straight lines over its logarithm.

    Parameters
    ----------
    family : Family
        What was compared.
    value : float
        Positive; beyond the ends the costs are those of the ends.
    skip : collection of float
        Measured values that are not looked at.

    Raises
    ------
    ValueError
        If nothing is left to look at.
    """
    kept = [i for i, known in enumerate(family.values) if known not in skip]
    if not kept:
        raise ValueError(f"Of {family.name} nothing is left: at most {len(family.values) - 1} values can be skipped.")
    known = np.log([family.values[i] for i in kept])
    where = np.log(value)
    return {
        option.name: np.array([np.interp(where, known, costs) for costs in option.costs[kept].T])
        for option in family.options
    }


def advise(
    family: Family, value: float, skip: Collection[float] = (), allowed: Collection[str] | None = None
) -> tuple[str, str]:
    """Return the simplest option that is as good as the best up to noise, and the best.

    Parameters
    ----------
    family, value, skip
        As in :func:`costs_at`.
    allowed : collection of str, optional
        The options to choose from; by default all.
    """
    costs = {n: c for n, c in costs_at(family, value, skip).items() if allowed is None or n in allowed}
    best = min(costs, key=lambda name: costs[name].mean())
    for name, cost in costs.items():  # from the simplest on
        more = cost - costs[best]
        if more.mean() <= NOISE * more.std(ddof=1) / np.sqrt(len(more)):
            return name, best
    raise AssertionError("the best option is as good as itself")


def regret(family: Family, value: float, option: str) -> float:
    """Return how much more an option costs at a measured value than the best one, as a share of the best.

    Parameters
    ----------
    family : Family
        What was compared.
    value : float
        One of ``family.values``.
    option : str
        One of its options.
    """
    means = {name: float(costs.mean()) for name, costs in costs_at(family, value).items()}
    return means[option] / min(means.values()) - 1


def choose(
    modality: str,
    examples: float | None = None,
    *,
    labels: float | None = None,
    at_hand: str | None = None,
    epsilon: float | None = None,
    copies: bool = False,
    memory_mb: float | None = None,
    latency_ms: float | None = None,
    minutes: float | None = None,
    folder: Path = settings.RECORDS,
) -> Advice:
    """Say what to take, by what the book has measured.

    Parameters
    ----------
    modality : str
        One of ``images``, ``paragraphs``, ``speech`` (spoken digits), ``tables``, ``text`` (predict the next character)
        and ``user`` (a language model that is to write as one user does).
    examples : float, optional
        How many examples there are to learn from: images, rows, words, paragraphs, characters. Not asked of a user.
    labels : float, optional
        How many of the images have a label; by default all.
    at_hand : str, optional
        A network that has learned from ``"similar"`` images, or, for speech, from ``"other"`` things (images).
    epsilon : float, optional
        The promise of differential privacy to those in the images, at a delta of the book.
    copies : bool
        Whether an image that is moved a little keeps its label.
    memory_mb, latency_ms, minutes : float, optional
        What the model may keep, take for an answer, and take to train on one core. Options of which the book has no
        such number are left out.
    folder : Path
        Where the records lie.

    Returns
    -------
    Advice

    Raises
    ------
    AdviceError
        If the book has not measured this.
    """
    if modality not in MODALITIES:
        raise AdviceError(f"The book has not measured {modality!r}: it can advise on {', '.join(MODALITIES)}.")
    known, value = families(folder), examples
    asked = {"labels": labels, "at_hand": at_hand, "epsilon": epsilon, "copies": copies or None}
    extra = [name for name, given in asked.items() if given is not None]
    name = modality
    if len(extra) > 1:
        raise AdviceError(f"The book has not measured {' together with '.join(extra)}: ask for one of them.")
    if extra == ["at_hand"] and (modality, at_hand) in {("images", "similar"), ("speech", "other")}:
        kind = "similar ones" if at_hand == "similar" else "images"
        name = f"{modality}, a network for {kind} at hand"
    elif extra and (modality != "images" or extra == ["at_hand"]):
        raise AdviceError(f"The book has not measured {extra[0]}={asked[extra[0]]!r} for {modality}.")
    elif extra == ["copies"]:
        name = "images, moved copies allowed"
    elif extra:
        if examples is not None:
            _within(4000, examples, f"images together with {extra[0]}", "images")
        name, value = ("images, few labels", labels) if extra == ["labels"] else ("images, private", epsilon)
    family = known[name]
    if modality == "user":
        if examples is not None:
            raise AdviceError("A user is one: leave the number of examples out.")
        value = 1
    if not isinstance(value, Real) or not np.isfinite(value) or value <= 0:
        raise AdviceError(f"Say how many {family.axis} there are: a positive number, not {value!r}.")
    _within(family.values, value, name, family.axis)
    allowed = _allowed(family, memory_mb, latency_ms, minutes)
    option, best = advise(family, value, allowed=allowed)
    costs = {n: float(c.mean()) for n, c in costs_at(family, value).items()}
    left_out = tuple(o.name for o in family.options if o.name not in allowed)
    return Advice(option, costs[option], best, costs[best], family, value, left_out)


def _within(measured: float | tuple[float, ...], value: float, name: str, axis: str) -> None:
    """Raise if a value lies too far from what was measured."""
    low, high = np.min(measured), np.max(measured)
    if not low / REACH <= value <= high * REACH:
        span = _number(low) if low == high else f"from {_number(low)} to {_number(high)}"
        raise AdviceError(
            f"For {name} the book has measured {span} {axis}, and {_number(value)} is off by more than "
            f"a factor of {REACH:g}."
        )


def _allowed(
    family: Family, memory_mb: float | None, latency_ms: float | None, minutes: float | None
) -> tuple[str, ...]:
    """Return the names of the options that keep all limits, as far as the book knows."""

    def has(option: Option, part: str) -> float | None:
        number = getattr(option, part)
        return number / 1e6 if part == "bytes" and number is not None else number

    limits = {"bytes": (memory_mb, "MB"), "ms": (latency_ms, "ms"), "minutes": (minutes, "minutes")}
    words = {"bytes": "the size", "ms": "the time of an answer", "minutes": "the time of training"}
    left = list(family.options)
    for part, (limit, unit) in limits.items():
        if limit is None:
            continue
        numbers = {o.name: has(o, part) for o in left}
        if all(number is None for number in numbers.values()):
            raise AdviceError(f"The book has not measured {words[part]} of what it compared for {family.name}.")
        left = [o for o in left if numbers[o.name] is not None and numbers[o.name] <= limit]
        if not left:
            least = min(number for number in numbers.values() if number is not None)
            raise AdviceError(
                f"Nothing that the book has measured for {family.name} keeps {limit:g} {unit}: "
                f"the least is {least:.3g} {unit}."
            )
    return tuple(o.name for o in left)
