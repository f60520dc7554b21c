"""The table of landmark models: every number has its source, the rules hold, and a bad row is refused."""

import csv
import hashlib
import io
import math
import re

import pytest

from utils.data import DataError, landmarks
from utils.data.landmarks import COLUMNS, FILE, LANDMARKS, RESTORE, largest, parse


@pytest.fixture(scope="module")
def rows():
    return landmarks.landmarks()


def named(rows, name):
    return next(row for row in rows if row.name == name)


def test_the_hash_is_that_of_the_file_and_the_note_counts_its_rows(rows):
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() == LANDMARKS.sha256
    looked_up, stand, left_out = map(int, re.findall(r"\d+", LANDMARKS.note)[:3])
    assert (stand, looked_up - left_out) == (len(rows), len(rows))


def test_rows_are_sorted_distinct_and_in_range(rows):
    assert [row.published for row in rows] == sorted(row.published for row in rows)
    assert len({row.name for row in rows}) == len(rows)
    assert all(1987 <= row.year < 2026 for row in rows)
    assert {row.field for row in rows} == {
        "language", "vision", "speech", "recommendation", "games", "biology", "driving"
    }  # fmt: skip


def test_every_number_has_an_address_and_a_place(rows):
    for row in rows:
        for number, source in (
            (row.parameters, row.parameters_source),
            (row.examples, row.examples_source),
            (row.flop, row.flop_source),
            (row.mmlu, row.mmlu_source),
        ):
            assert bool(number) == bool(source), row.name
            assert not number or re.fullmatch(r"https://\S+ .+", source), row.name


def test_numbers_are_consistent(rows):
    for row in rows:
        assert row.active <= row.parameters
        assert bool(row.examples) == bool(row.unit), row.name
        assert row.passes is None or row.examples
        assert row.mmlu is None or 25 <= row.mmlu <= 100
        assert bool(row.flop) == bool(row.flop_basis)
        assert row.active_parameters is None or row.architecture in ("mixture of experts", "encoder-decoder")


def test_counted_compute_is_counted_from_its_row(rows):
    counted = [row for row in rows if row.flop_basis == "counted"]
    assert len(counted) == 8
    for row in counted:
        assert row.flop == pytest.approx(6 * row.multiply_adds * row.seen, rel=1e-3), row.name


def test_six_operations_a_parameter_and_token(rows):
    dense = [row for row in rows if row.flop and row.flop_basis != "counted" and row.unit == "tokens" and row.seen]
    assert len(dense) == 12
    for row in dense:
        allowed = 1.01 if row.flop_basis == "rule" else 1.4
        assert 1 / allowed < row.flop / (6 * row.active * row.seen) < allowed, row.name


def test_multiply_adds_and_parameters_of_networks_of_known_layers(rows):
    """Layers as (places, kernel, channels, filters)."""
    alexnet = [(55, 11, 3, 96), (27, 5, 48, 256), (13, 3, 256, 384), (13, 3, 192, 384), (13, 3, 192, 256)]
    alexnet += [(1, 1, 9216, 4096), (1, 1, 4096, 4096), (1, 1, 4096, 1000)]
    sizes = [(224, 64, 2), (112, 128, 2), (56, 256, 3), (28, 512, 3), (14, 512, 3)]
    vgg, channels = [], 3
    for side, filters, number in sizes:
        for _ in range(number):
            vgg.append((side, 3, channels, filters))
            channels = filters
    vgg += [(1, 1, 7 * 7 * 512, 4096), (1, 1, 4096, 4096), (1, 1, 4096, 1000)]
    for name, layers in (("AlexNet", alexnet), ("VGG-16", vgg)):
        row = named(rows, name)
        assert row.multiply_adds == sum(m * m * k * k * c * f for m, k, c, f in layers)
        assert row.parameters == pytest.approx(sum((k * k * c + 1) * f for _, k, c, f in layers), rel=0.02)


def test_a_row_reads_as_it_stands(rows):
    row = named(rows, "AlexNet")
    assert (row.published, row.parameters, row.examples, row.passes) == ("2012-12", 6e7, 1.2e6, 90)
    assert row.year == pytest.approx(2012 + 11.5 / 12)
    assert row.seen == 1.08e8
    assert named(rows, "GPT-2").seen is None
    assert named(rows, "DeepSeek-V3").active == 37e9
    assert named(rows, "GPT-3").active == named(rows, "GPT-3").parameters == 174.6e9
    assert row.paper.startswith("https://proceedings.neurips.cc/paper/2012/")
    assert named(rows, "GNMT").paper != named(rows, "GNMT").parameters_source.split()[0]


def test_of_a_paper_the_largest_model_counts(rows):
    chosen = largest(rows)
    names = [row.name for row in chosen]
    assert len({row.paper for row in rows}) == len(chosen)
    assert {"Chinchilla", "MT-NLG", "GPT-1", "GPT-2", "RoBERTa-Large", "GNMT"} <= set(names)
    assert "LLaMA 65B" in names and "LLaMA 7B" not in names
    assert "PaLM 540B" in names and "PaLM 62B, longer" not in names
    assert names == [row.name for row in rows if row.name in names]


def text(**changes):
    """Return a table of two rows, the second one changed."""
    row = dict.fromkeys(COLUMNS, "") | {
        "name": "One", "published": "2020-01", "field": "vision", "architecture": "dense",
        "paper": "https://example.org/one", "parameters": "5",
        "parameters_source": "https://example.org/one Table 1",
    }  # fmt: skip
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows([row, row | {"name": "Two"} | changes])
    return out.getvalue()


def test_a_good_table_is_read():
    one, two = parse(text())
    assert (one.name, two.name, two.parameters, two.flop, two.seen) == ("One", "Two", 5.0, None, None)
    assert math.isclose(one.year, 2020 + 1 / 24)


PLACE = "Line 3 of the table of landmarks"
ONE_OR_NONE = "one where there is a flop and none where there is not"
BAD = [
    ({"name": ""}, f"{PLACE} (no name): name is '', expected a name; {RESTORE}"),
    ({"name": "One"}, f"The table of landmarks has One twice; {RESTORE}"),
    ({"published": "2019-12"}, f"The table of landmarks has Two after One, which is younger; {RESTORE}"),
    (
        {"published": "2020-13"},
        f"{PLACE} (Two): published is '2020-13', expected a year and a month, as in 2012-12; {RESTORE}",
    ),
    ({"parameters": ""}, f"{PLACE} (Two): parameters is '', expected a positive number; {RESTORE}"),
    ({"parameters": "-5"}, f"{PLACE} (Two): parameters is '-5', expected a positive number; {RESTORE}"),
    ({"examples": "many"}, f"{PLACE} (Two): examples is 'many', expected a positive number; {RESTORE}"),
    ({"passes": "nan"}, f"{PLACE} (Two): passes is 'nan', expected a positive number; {RESTORE}"),
    ({"multiply_adds": "inf"}, f"{PLACE} (Two): multiply_adds is 'inf', expected a positive number; {RESTORE}"),
    (
        {"flop_basis": "guessed"},
        f"{PLACE} (Two): flop_basis is 'guessed', expected stated, rule, counted or nothing; {RESTORE}",
    ),
    (
        {"flop": "1e20"},
        f"{PLACE} (Two): flop_basis is '', expected {ONE_OR_NONE}; {RESTORE}",
    ),
    (
        {"flop_basis": "rule"},
        f"{PLACE} (Two): flop_basis is 'rule', expected {ONE_OR_NONE}; {RESTORE}",
    ),
    (
        {"paper": "a book"},
        f"{PLACE} (Two): paper is 'a book', expected an address that begins with https://; {RESTORE}",
    ),
    (
        {"parameters_source": "Table 1"},
        f"{PLACE} (Two): parameters_source is 'Table 1', expected an address that begins with https://; {RESTORE}",
    ),
    (
        {"mmlu": "60"},
        f"{PLACE} (Two): mmlu_source is '', expected an address that begins with https://; {RESTORE}",
    ),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_a_bad_row_is_refused(changes, message):
    with pytest.raises(DataError) as caught:
        parse(text(**changes))
    assert str(caught.value) == message


@pytest.mark.parametrize("damage", [lambda t: t.removesuffix(",\n"), lambda t: t.removesuffix("\n") + ",more\n"])
def test_a_row_of_another_length_is_refused(damage):
    with pytest.raises(DataError) as caught:
        parse(damage(text()))
    assert str(caught.value) == f"{PLACE} (Two): it has not {len(COLUMNS)} cells; {RESTORE}"


def test_other_columns_and_a_missing_file_are_refused(monkeypatch, tmp_path):
    with pytest.raises(DataError) as caught:
        parse(text().replace("mmlu,", "score,", 1))
    assert str(caught.value) == f"The table of landmarks has other columns than {', '.join(COLUMNS)}; {RESTORE}"
    monkeypatch.setattr(landmarks, "FILE", tmp_path / "none.csv")
    with pytest.raises(DataError) as caught:
        landmarks.landmarks()
    assert str(caught.value) == f"The table utils/data/landmarks.csv is missing; {RESTORE}"
