"""Advice: the simplest option that is as good as the best up to noise, or one sentence about what is not known."""

from dataclasses import replace

import numpy as np
import pytest

from tools.book import Book
from tools.chapter import Chapter
from tools.prose import anchors
from utils import advice, settings
from utils.advice import AdviceError, advise, choose, costs_at, families, regret
from utils.advice.measured import Family, Option
from utils.records.storage import read

NOISY = np.array([0.02, -0.02, 0.01, -0.01])


def family(*options):
    """Two values, 10 and 1,000; an option is its name and its two means, all with the same noise."""
    made = tuple(Option(name, np.array(means)[:, None] + NOISY) for name, *means in options)
    return Family("a test", "misread", "examples", (10, 1000), made, "none", "concepts.ipynb")


TWO = family(("simple", 0.40, 0.30), ("elaborate", 0.50, 0.10))


@pytest.mark.parametrize(
    ("value", "simple", "elaborate"),
    [(10, 0.4, 0.5), (100, 0.35, 0.3), (1000, 0.3, 0.1), (1, 0.4, 0.5), (10**6, 0.3, 0.1)],
)
def test_costs_are_lines_over_the_logarithm(value, simple, elaborate):
    costs = costs_at(TWO, value)
    assert list(costs) == ["simple", "elaborate"]
    assert costs["simple"].shape == (4,)
    assert costs["simple"].mean() == pytest.approx(simple) and costs["elaborate"].mean() == pytest.approx(elaborate)


def test_what_is_skipped_is_not_looked_at():
    assert costs_at(TWO, 10, skip=(10,))["simple"].mean() == pytest.approx(0.3)
    with pytest.raises(ValueError, match="nothing is left: at most 1 values can be skipped"):
        costs_at(TWO, 10, skip=(10, 1000))


def test_the_cheapest_is_taken_where_the_difference_is_sure():
    assert advise(TWO, 10) == ("simple", "simple")
    assert advise(TWO, 1000) == ("elaborate", "elaborate")
    assert advise(TWO, 1000, skip=(1000,)) == ("simple", "simple")
    assert advise(TWO, 1000, allowed=("simple",)) == ("simple", "simple")


@pytest.mark.parametrize(("apart", "taken"), [(0.0189, "simple"), (0.0191, "elaborate")])
def test_up_to_two_standard_errors_of_the_difference_are_noise(apart, taken):
    # The differences are (apart +) 0.02, -0.01, 0, -0.01: a standard deviation of 0.01414, an error of 0.00707 ...
    plain = Option("elaborate", np.array([[0.10, 0.11, 0.12, 0.13]]))
    other = Option("simple", plain.costs + np.array([0.02, -0.01, 0.0, -0.01]) * 1.3435 + apart)
    one = replace(TWO, values=(10,), options=(other, plain))  # ... times 1.3435, twice: 0.0190
    assert advise(one, 10) == (taken, "elaborate")


def test_regret_by_hand():
    assert regret(TWO, 1000, "simple") == pytest.approx(2.0)
    assert regret(TWO, 1000, "elaborate") == 0
    assert regret(TWO, 10, "elaborate") == pytest.approx(0.25)


KNOWN = families(settings.RECORDS)
CASES = [(found, value) for found in KNOWN.values() for value in found.values]


def test_what_was_measured_is_what_the_records_say():
    features = read(settings.RECORDS, "concepts-features")
    images = costs_at(KNOWN["images"], 150)
    np.testing.assert_allclose(images["an SVM on HOG"], features.values("HOG", size=150))
    np.testing.assert_allclose(images["a convolutional network"], features.values("CNN", size=150))
    table = read(settings.RECORDS, "concepts-table").values("boosting", rows=3000, change="none")
    np.testing.assert_allclose(costs_at(KNOWN["tables"], 3000)["boosted trees"], 1 - table)
    turns = read(settings.RECORDS, "concepts-turns").values("HOG", centered=True)
    np.testing.assert_allclose(costs_at(KNOWN["images, few labels"], 100)["a linear model on HOG"], turns[:, 1])
    carried = read(settings.RECORDS, "trend-domains-digits").values("tuned", source="MNIST", target="speech")
    far = costs_at(KNOWN["speech, a network for images at hand"], 1000)
    np.testing.assert_allclose(far["the network, tuned"], 1 - carried[:, 3])


def test_the_private_ones_have_all_examples():
    rows = [r for r in read(settings.RECORDS, "trend-privacy-epsilon").rows if r["epsilon"] == 1]
    few = [r for r in rows if r["way"] == "pixels, network" and r.get("examples")]
    assert few, "the record has a case with fewer examples, which must be left out"
    costs = costs_at(KNOWN["images, private"], 1)["a network on pixels"]
    assert len(costs) == 10 and costs.mean() < 0.2


@pytest.mark.parametrize(("found", "value"), CASES, ids=lambda part: getattr(part, "name", part))
def test_in_each_measured_case_the_advice_is_best_or_within_noise(found, value):
    name, best = advise(found, value)
    costs = costs_at(found, value)
    assert costs[best].mean() == min(c.mean() for c in costs.values())
    more = costs[name] - costs[best]
    assert more.mean() <= 2 * more.std(ddof=1) / len(more) ** 0.5
    assert regret(found, value, name) < 0.15


def test_the_tool_beats_three_policies_that_measure_nothing():
    ruled = np.mean([regret(f, v, advise(f, v)[0]) for f, v in CASES])
    hidden = np.mean([regret(f, v, advise(f, v, skip=(v,))[0]) for f, v in CASES if len(f.values) > 1])
    largest = np.mean([regret(f, v, f.options[-1].name) for f, v in CASES])
    smallest = np.mean([regret(f, v, f.options[0].name) for f, v in CASES])
    die = np.mean([np.mean([regret(f, v, o.name) for o in f.options]) for f, v in CASES])
    assert ruled < hidden < 0.1 < largest < die < smallest


@pytest.mark.parametrize("found", KNOWN.values(), ids=lambda found: found.name)
def test_each_family_is_sound_and_its_link_leads_somewhere(found):
    book = Book()
    name, _, anchor = found.link.partition(".ipynb#")
    assert anchor in anchors(Chapter(book, name))
    assert all((settings.RECORDS / f"{name}.json").exists() for name in found.record.split(", "))
    assert list(found.values) == sorted(found.values)
    assert len({option.name for option in found.options}) == len(found.options) > 1
    shapes = {option.costs.shape for option in found.options}
    assert len(shapes) == 1 and shapes.pop()[0] == len(found.values)
    assert all(option.costs.min() > 0 for option in found.options)


@pytest.mark.parametrize(
    ("question", "option"),
    [
        ({"modality": "images", "examples": 150}, "an SVM on HOG"),
        ({"modality": "images", "examples": 4000}, "a convolutional network"),
        ({"modality": "images", "examples": 30}, "an SVM on HOG"),
        ({"modality": "images", "examples": 8000}, "a convolutional network"),
        ({"modality": "images", "examples": 150, "copies": True}, "a convolutional network, with moved copies"),
        ({"modality": "images", "labels": 500}, "a network that learned from turns"),
        ({"modality": "images", "labels": 100, "examples": 4000}, "a linear model on HOG"),
        ({"modality": "images", "epsilon": 0.5}, "a linear model on HOG"),
        ({"modality": "speech", "examples": 100, "at_hand": "other"}, "a network from nothing"),
        ({"modality": "images", "examples": 100, "at_hand": "similar"}, "the network, tuned"),
        ({"modality": "speech", "examples": 2400}, "a convolution"),
        ({"modality": "tables", "examples": 5000}, "boosted trees"),
        ({"modality": "paragraphs", "examples": 8000}, "the mean of the words"),
        ({"modality": "user"}, "all weights"),
        ({"modality": "user", "memory_mb": 0.1}, "LoRA of rank 4"),
        ({"modality": "text", "examples": 9_000_000, "latency_ms": 1}, "a GPT"),
        ({"modality": "text", "examples": 9_000_000, "minutes": 5}, "counting: a 6-gram of tokens"),
    ],
)
def test_what_it_says(question, option):
    assert choose(**question).option == option


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"modality": "video", "examples": 5}, "has not measured 'video': it can advise on images, paragraphs"),
        ({"modality": "images"}, "Say how many images there are: a positive number, not None."),
        ({"modality": "images", "examples": -3}, "a positive number, not -3."),
        ({"modality": "images", "examples": "150"}, "a positive number, not '150'."),
        ({"modality": "user", "examples": 1000}, "A user is one: leave the number of examples out."),
        ({"modality": "images", "examples": float("nan")}, "a positive number, not nan."),
        (
            {"modality": "images", "examples": 20},
            "For images the book has measured from 50 to 4,000 images",
        ),
        (
            {"modality": "images", "examples": 9000},
            "and 9,000 is off by more than a factor of 2.",
        ),
        (
            {"modality": "images", "labels": 100, "examples": 90},
            "together with labels the book has measured 4,000 images",
        ),
        ({"modality": "images", "labels": 5, "epsilon": 1}, "labels together with epsilon: ask for one of them."),
        ({"modality": "tables", "examples": 500, "epsilon": 1}, "has not measured epsilon=1 for tables."),
        ({"modality": "images", "examples": 50, "at_hand": "other"}, "has not measured at_hand='other' for images."),
        ({"modality": "speech", "examples": 50, "copies": True}, "has not measured copies=True for speech."),
        ({"modality": "images", "examples": 50, "memory_mb": 1}, "has not measured the size of what it compared"),
        ({"modality": "user", "memory_mb": 0.001}, "keeps 0.001 MB: the least is 0.0041 MB."),
        ({"modality": "user", "latency_ms": 1}, "has not measured the time of an answer of what it compared for user."),
    ],
)
def test_what_it_refuses_in_one_sentence(question, sentence):
    with pytest.raises(AdviceError) as caught:
        choose(**question)
    assert sentence in str(caught.value) and str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_the_lines_of_an_advice():
    lines = str(choose("images", 150)).splitlines()
    assert lines[0].startswith("Take an SVM on HOG: 10.0% misread.")
    assert lines[2] == "Measured: concepts-features, images 150, 10 seeds."
    assert lines[3] == "See: concepts.ipynb#the-race"
    between = str(choose("images", 1600)).splitlines()
    assert between[2] == "  up to noise." and max(map(len, between)) <= 76, "wrapped"
    assert between[3].startswith("Drawn between measurements: concepts-features, images 1,600")
    assert str(choose("images", 30)).splitlines()[2].startswith("As measured at 50: concepts-features, images 30")
    assert str(choose("images", 8000)).splitlines()[2].startswith("As measured at 4,000: concepts-features")
    simpler = choose("images", 1500)
    assert simpler.best == "a convolutional network" and "simpler than a convolutional network" in simpler.reason
    assert choose("user", memory_mb=0.1).left_out[-1] == "all weights"
    assert "Left out, over a limit or not measured: " in str(choose("user", memory_mb=0.1))


def test_a_notebook_shows_the_sentence_alone():
    assert AdviceError("Why.")._render_traceback_() == ["✗ Why."]
    assert tuple(sorted(advice.MODALITIES)) == advice.MODALITIES
