"""What the book has measured that helps to choose: a family of options for each situation, read from the records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from utils.records.storage import Record, read


@dataclass(frozen=True)
class Option:
    """One thing that one could take.

    Attributes
    ----------
    name : str
        What it is.
    costs : numpy.ndarray
        (values, seeds), lower is better; the seeds of one family are in one order.
    bytes : int, optional
        What it keeps, where a record says it.
    ms : float, optional
        Its time for one answer, where ``records/benchmarks.json`` has it.
    minutes : float, optional
        Its time of training on one core, where a record says it.
    """

    name: str
    costs: np.ndarray
    bytes: int | None = None
    ms: float | None = None
    minutes: float | None = None


@dataclass(frozen=True)
class Family:
    """Options that were compared on the same examples.

    Attributes
    ----------
    name : str
        The situation.
    unit : str
        What the costs are.
    axis : str
        What the values count.
    values : tuple of float
        Where it was measured, rising.
    options : tuple of Option
        From the simplest to the most elaborate.
    record : str
        Where the numbers come from.
    link : str
        The section of the book.
    """

    name: str
    unit: str
    axis: str
    values: tuple[float, ...]
    options: tuple[Option, ...]
    record: str
    link: str


def _by_case(record: Record, axis: str, values: Sequence[float], columns: dict[str, str], **case: object) -> tuple:
    """Return options whose costs are columns of a record with a case for each value."""
    return tuple(
        Option(name, np.array([record.values(column, **{axis: value}, **case) for value in values]))
        for name, column in columns.items()
    )


def _by_list(record: Record, columns: dict[str, str], right: bool = False, **case: object) -> tuple:
    """Return options whose costs are lists in a record, one number for each value; ``right`` are shares of hits."""
    lists = {name: record.values(column, **case).T for name, column in columns.items()}
    return tuple(Option(name, 1 - costs if right else costs) for name, costs in lists.items())


PIXELS = {
    "nearest neighbors on pixels": "pixels neighbors",
    "a linear model on pixels": "pixels logistic",
    "an SVM on pixels": "pixels SVM",
    "an SVM on HOG": "HOG",
}
NETWORK = {"a convolutional network": "CNN"}
COPIES = {"an SVM on HOG, with moved copies": "HOG moved", "a convolutional network, with moved copies": "CNN moved"}


def images(folder: Path, copies: bool) -> Family:
    """Return what was compared on labeled digits, without or with copies that are moved."""
    record, sizes = read(folder, "concepts-features"), (50, 150, 500, 1500, 4000)
    columns = {**PIXELS, **NETWORK, **(COPIES if copies else {})}
    name = "images, moved copies allowed" if copies else "images"
    options = _by_case(record, "size", sizes, columns)
    return Family(name, "misread", "images", sizes, options, record.name, "concepts.ipynb#the-race")


def few_labels(folder: Path) -> Family:
    """Return what was compared on four thousand digits of which a few have a label."""
    record = read(folder, "concepts-turns")
    columns = {
        "a linear model on pixels": "pixels",
        "a linear model on HOG": "HOG",
        "a network from nothing": "from nothing",
        "a network that learned from turns": "after turns",
    }
    options, link = _by_list(record, columns, centered=True), "concepts.ipynb#can-features-be-learned-without-labels"
    return Family("images, few labels", "misread", "labels", (20, 100, 500), options, record.name, link)


def transfer(folder: Path, near: bool) -> Family:
    """Return what a network for MNIST is worth, with few examples of other digits (near) or of spoken ones (far)."""
    record = read(folder, "trend-domains-digits")
    columns = {
        "a linear model on the network's features": "probe",
        "a network from nothing": "nothing",
        "the network, tuned": "tuned",
    }
    target = "8 x 8" if near else "speech"  # cut: without the frame that 8 x 8 do not have
    options = _by_list(record, columns, right=True, source="MNIST, cut" if near else "MNIST", target=target)
    name = "images, a network for similar ones at hand" if near else "speech, a network for images at hand"
    link = "trend-domains.ipynb#what-is-kept-and-what-is-new"
    return Family(name, "misread", "examples", (10, 30, 100, 1000), options, record.name, link)


def private(folder: Path) -> Family:
    """Return what was compared under a promise of differential privacy to those in four thousand images."""
    record, budgets = read(folder, "trend-privacy-epsilon"), (0.5, 1.0, 3.0, 8.0)
    ways = {
        "a linear model on pixels": "pixels, linear",
        "a linear model on HOG": "by hand, linear",
        "a network on pixels": "pixels, network",
    }

    def hits(way: str, epsilon: float) -> np.ndarray:
        rows = [r for r in record.rows if r["way"] == way and r["epsilon"] == epsilon and r.get("examples") is None]
        return np.array([r["accuracy"] for r in sorted(rows, key=lambda r: r["seed"])])

    options = tuple(Option(name, np.array([1 - hits(way, e) for e in budgets])) for name, way in ways.items())
    link = "trend-privacy.ipynb#what-does-privacy-cost"
    return Family("images, private", "misread", "epsilon", budgets, options, record.name, link)


def tables(folder: Path) -> Family:
    """Return what was compared on a table; a cost is the share of pairs of two classes in the wrong order."""
    record, sizes = read(folder, "concepts-table"), (300, 1000, 3000, 10_000)
    columns = {"a linear model": "linear", "boosted trees": "boosting", "a network": "network"}
    hits = _by_case(record, "rows", sizes, columns, change="none")
    options = tuple(Option(o.name, 1 - o.costs) for o in hits)
    link = "concepts.ipynb#and-where-there-is-no-image"
    return Family("tables", "of pairs out of order", "rows", sizes, options, record.name, link)


def _sized(record: Record, column: str, names: dict[str, dict], measure: str, width: int = 4) -> tuple:
    """Return options with one value each, and with the bytes of their parameters."""
    return tuple(
        Option(name, record.values(column, **case)[None], int(record.values(measure, **case)[0]) * width)
        for name, case in names.items()
    )


def speech(folder: Path) -> Family:
    """Return what was compared on spoken digits by voices that are known."""
    record = read(folder, "rnn-code-variants")
    names = {
        "a convolution": {"change": "convolution"},
        "a GRU": {"change": "GRU"},
        "an LSTM": {"change": "none"},
        "an LSTM in both directions": {"change": "both directions"},
    }
    options = _sized(record, "error", names, "parameters")
    link = "rnn-code.ipynb#which-part-of-it-matters"
    return Family("speech", "misheard", "words", (2400,), options, record.name, link)


def paragraphs(folder: Path) -> Family:
    """Return what was compared on paragraphs of which to tell the era."""
    record = read(folder, "attention-code-eras")
    names = {
        "the mean of the words": {"parts": "mean word"},
        "the mean of one LSTM's states": {"parts": "mean state"},
        "two LSTMs": {"parts": "no attention"},
        "two LSTMs with attention": {"parts": "attention"},
        "a block of a transformer": {"parts": "block"},
    }
    cases = {name: {**case, "epochs": 3, "masked": True} for name, case in names.items()}
    options = _sized(record, "error", cases, "parameters")
    link = "attention-code.ipynb#what-does-the-attention-buy-here"
    return Family("paragraphs", "of the wrong era", "paragraphs", (8000,), options, record.name, link)


def text(folder: Path) -> Family:
    """Return what was compared on presidential messages of which to predict the next character."""
    record = read(folder, "faq-counts")
    counted = record.values("bits", share=1.0)[:2]  # the networks have two seeds
    seconds = float(record.values("seconds", share=1.0).mean())
    rows = json.loads((folder / "benchmarks.json").read_text(encoding="utf-8"))["rows"]
    ms = next(r for r in rows if r["what"] == "GPT writes 127 tokens with the cache, 1 text" and r["threads"] == 2)
    options = [Option("counting: a 6-gram of tokens", counted[None], minutes=seconds / 60)]
    for name, kind in (("an LSTM", "lstm"), ("a GPT", "gpt")):
        record = read(folder, f"transformer-{kind}")
        minutes = float(record.values("seconds").mean() / 60)
        costs, weight = record.values("bits")[None], int(record.values("parameters")[0]) * 4
        options.append(Option(name, costs, weight, ms["numpy_ms"] / 127 if kind == "gpt" else None, minutes))
    link = "transformer.ipynb#what-does-more-training-buy"
    return Family(
        "text", "bits a character", "characters", (9_843_342,), tuple(options), "faq-counts, transformer-gpt", link
    )


def user(folder: Path) -> Family:
    """Return ways to write as one user types; what is kept of the user is in half precision."""
    record = read(folder, "trend-personalisation-methods")
    names = {
        "a prompt of 16": {"kind": "prompt"},
        "the biases": {"kind": "biases"},
        **{f"LoRA of rank {r}": {"kind": "LoRA", "rank": r, "power": 1.0} for r in (1, 4, 16, 64)},
        "the last block": {"kind": "last block"},
        "all weights": {"kind": "all"},
    }
    options = _sized(record, "bits", names, "numbers", 2)
    link = "trend-personalisation.ipynb#how-much-rank-does-a-user-need"
    return Family("user", "bits a character", "users", (1,), options, record.name, link)


@cache
def families(folder: Path) -> dict[str, Family]:
    """Return all that the book has measured for choosing, by name.

    Parameters
    ----------
    folder : Path
        Where the records lie.
    """
    found = [
        images(folder, False),
        images(folder, True),
        few_labels(folder),
        transfer(folder, True),
        transfer(folder, False),
        private(folder),
        tables(folder),
        speech(folder),
        paragraphs(folder),
        text(folder),
        user(folder),
    ]
    return {family.name: family for family in found}
