"""A claim prints the bound that it tests, and a claim that fails shows what was measured."""

import json
import re

import numpy as np
import pytest

from utils.claims import ClaimError, claim


def test_the_printed_bound_is_the_tested_bound(capsys):
    claim("It errs on under {bound:.0%} of the digits", 0.031, below=0.05)
    claim("It is right on over {bound:.1f} of 100", 96.2, above=94)
    claim("The network has {bound:,} parameters", 5386, equal=5386)
    claim("Both agree within {tolerance:g} of {bound}", 0.5 + 1e-9, equal=0.5, tolerance=1e-6)
    claim("The two gradients agree", True, is_true=True)
    assert capsys.readouterr().out.splitlines() == [
        "✓ It errs on under 5% of the digits",
        "✓ It is right on over 94.0 of 100",
        "✓ The network has 5,386 parameters",
        "✓ Both agree within 1e-06 of 0.5",
        "✓ The two gradients agree",
    ]


def test_the_line_does_not_depend_on_the_measured_value(capsys):
    for measured in (0.01, 0.04):
        claim("under {bound}", measured, below=0.05)
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


@pytest.mark.parametrize(
    ("measured", "bound", "needs"),
    [
        (0.05, {"below": 0.05}, "below 0.05"),
        (0.9, {"below": 0.05}, "below 0.05"),
        (0.9, {"above": 0.9}, "above 0.9"),
        (0.1, {"above": 0.9}, "above 0.9"),
        (3, {"equal": 4}, "equal 4"),
        (0.52, {"equal": 0.5, "tolerance": 0.01}, "equal 0.5 within 0.01"),
        (0.48, {"equal": 0.5, "tolerance": 0.01}, "equal 0.5 within 0.01"),
        (float("nan"), {"below": 1.0}, "below 1.0"),
        (float("nan"), {"above": 1.0}, "above 1.0"),
        (float("nan"), {"equal": 1.0, "tolerance": 1.0}, "equal 1.0 within 1.0"),
    ],
)
def test_a_crossed_bound_raises_and_shows_the_measured_value(capsys, measured, bound, needs):
    with pytest.raises(ClaimError, match=re.escape(f"measured {measured!r}; the claim needs it {needs}.")) as raised:
        claim("The bound is {bound}", measured, **bound)
    assert str(raised.value).startswith("The bound is ")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("measured", [False, 0, np.bool_(False)])
def test_a_false_claim_raises(capsys, measured):
    with pytest.raises(
        ClaimError, match=rf"^They agree\. This run measured {measured!s}; the claim needs it to be true"
    ):
        claim("They agree.", measured, is_true=True)
    assert capsys.readouterr().out == ""


def test_a_claim_error_is_an_assertion():
    assert issubclass(ClaimError, AssertionError)


def test_equality_holds_at_its_tolerance():
    claim("{bound}", 1.5, equal=1.0, tolerance=0.5)


def test_numpy_values_are_shown_as_numbers():
    with pytest.raises(ClaimError, match=r"measured 0\.75;"):
        claim("{bound}", np.float64(0.75), below=0.5)
    with pytest.raises(ClaimError, match=r"measured 3;"):
        claim("{bound}", np.array(3), equal=4)


@pytest.mark.parametrize(
    ("sentence", "bounds", "message"),
    [
        ("x", {}, "exactly one of below, above, equal and is_true; given: none"),
        ("{bound}", {"below": 1, "above": 0}, "given: below, above"),
        ("{bound}", {"below": 1, "is_true": True}, "given: below, is_true"),
        ("under five", {"below": 5}, "must show its bound"),
        ("under {tolerance}", {"equal": 5, "tolerance": 1}, "must show its bound"),
        ("it is {bound}", {"is_true": True}, "no bound to show"),
        ("{bound}", {"below": 1, "tolerance": 0.1}, "A tolerance goes with equal"),
    ],
)
def test_a_wrong_call_is_no_failed_claim(sentence, bounds, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        claim(sentence, 0.5, **bounds)


def test_claims_are_logged_with_their_margins(tmp_path, monkeypatch):
    path = tmp_path / "claims.jsonl"
    monkeypatch.setenv("BOOK_CLAIMS", str(path))
    claim("under {bound}", np.float32(0.25), below=1)
    claim("over {bound}", 3, above=1)
    claim("equal {bound}", 1.25, equal=1, tolerance=0.5)
    claim("true × true", np.bool_(True), is_true=True)
    claim("over {bound}", float("inf"), above=0)
    with pytest.raises(ClaimError):
        claim("under {bound}", 2, below=1)
    first, second, third, fourth, fifth = map(json.loads, path.read_text("utf-8").splitlines())
    assert first == {"sentence": "under 1", "kind": "below", "measured": 0.25, "bound": 1, "margin": 0.75}
    assert second == {"sentence": "over 1", "kind": "above", "measured": 3, "bound": 1, "margin": 2}
    assert third == {"sentence": "equal 1", "kind": "equal", "measured": 1.25, "bound": 1, "margin": 0.25}
    assert fourth == {"sentence": "true × true", "kind": "is_true", "measured": True, "bound": True, "margin": None}
    assert fifth["measured"] == "inf"


def test_nothing_is_logged_unasked(tmp_path, monkeypatch):
    monkeypatch.delenv("BOOK_CLAIMS", raising=False)
    monkeypatch.chdir(tmp_path)
    claim("under {bound}", 0, below=1)
    assert not list(tmp_path.iterdir())
