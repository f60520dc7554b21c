"""Compute with the Hugging Face library what the book's MiniLM has to reproduce: ``python -m tools.reference``.

It runs where ``transformers`` and PyTorch are installed, which the book does not need, and writes the two files
that ``utils.data.minilm.reference`` reads. They change only if the sentences or the library do.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import sys
import time
from datetime import date
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from utils.data import INSTALL
from utils.data.messages import messages
from utils.data.minilm import FOLDER, MINILM, REFERENCE, minilm
from utils.machine import machine

NEEDED = ("torch", "transformers")
BATCH = 16
SEED = 19  # a draw without the old spellings that codespell takes for mistakes
SHORT, LONG = 60, 6  # paragraphs of the presidential messages: any, and those of so many words
LONG_WORDS = 300
OPENED = ("", "The bank lent money", "The river bank flooded")  # sentences whose inside is kept
WRITTEN = (
    *OPENED,
    # Nothing, nearly nothing, and what a tokenizer may stumble over.
    " ",
    "\n\t ",
    "a",
    "?",
    "...",
    "!!!???",
    "Hello",
    "democracy",
    "antidisestablishmentarianism",
    "pneumonoultramicroscopicsilicovolcanoconiosis",
    "x" * 100,
    "x" * 101,
    "tabs\tand\nlines\r\nand   blanks",
    "zero\u200bwidth, soft\u00adhyphen, control\u0007sign, no\u00a0break",
    'well-known (so-called) "quotes", ‘curly’ “ones” – dashes — and an ellipsis…',
    "for i in range(10): print(i**2)",
    "https://example.org/a/b?c=d&e=f#g",
    "don't, can't, it's: we'll see",
    "UPPER CASE and lower case",
    # Accents and other writing.
    "Café, naïve, façade, Zürich, São Paulo, Łódź",
    "ÅNGSTRÖM ÉCOLE",
    "e\u0301 is é in two characters",
    "Straße und Fluß",
    "Αθήνα, Москва, Київ",
    "東京は日本の首都です。",
    "北京 and Shanghai 上海",
    "مرحبا بالعالم",
    "thumbs up 👍 and a family 👨‍👩‍👧",
    # Numbers.
    "3.14159",
    "In 1862 the debt was $524,176,412.13.",
    "½ of 100 % is 50 %",
    "10:45 a.m. on 4/7/1776",
    "+1 (202) 456-1111",
    "1000000 is a million, and 1,000,000 too",
    # Sentences that say the same, nearly the same, or the opposite.
    "The law was passed by Congress.",
    "Congress passed the law.",
    "Congress did not pass the law.",
    "The law was rejected by Congress.",
    "The treaty is good for peace.",
    "The treaty is not good for peace.",
    "The treaty is bad for peace.",
    "Nobody said that nothing was wrong.",
    "A dog bites a man.",
    "A man bites a dog.",
    # Questions to the messages.
    "How should the country treat its veterans?",
    "Is the national debt growing?",
    "railroads to the Pacific",
    "What do we owe to the native peoples?",
    "the danger of nuclear weapons",
    # At the limit of 256 pieces: with both marks one fewer, just as many, and more.
    "word " * 253,
    "word " * 254,
    "word " * 255,
    "The union of the States is perpetual. " * 60,
)


def sentences() -> list[str]:
    """Return those above and paragraphs of the presidential messages, drawn at random."""
    paragraphs = [paragraph for text in messages().texts for paragraph in text.split("\n\n")]
    long = [paragraph for paragraph in paragraphs if len(paragraph.split()) >= LONG_WORDS]
    rng = np.random.default_rng(SEED)
    drawn = [*rng.choice(paragraphs, SHORT, replace=False), *rng.choice(long, LONG, replace=False)]
    return [*WRITTEN, *map(str, drawn)]


def compute(texts: list[str], limit: int) -> dict[str, np.ndarray]:
    """Return the arrays of the reference: tokens, their counts, vectors, and the inside of the first sentences.

    The vectors are those of padded batches: the mean of the last states over real tokens, divided by its length.
    """
    import torch  # here: the book does without
    from transformers import AutoTokenizer, BertModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = Path(find_spec(MINILM.package).origin).with_name("model")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # "eager" is the attention that can return its weights.
    model = BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    lengths, tokens, embeddings, inside = [], [], [], {}
    with torch.no_grad():
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(
                texts[start : start + BATCH], padding=True, truncation=True, max_length=limit, return_tensors="pt"
            )
            real = batch["attention_mask"].bool()  # (batch, time)
            found = model(**batch, output_hidden_states=True, output_attentions=True)
            summed = (found.last_hidden_state * real[:, :, None]).sum(dim=1)
            means = summed / real.sum(dim=1, keepdim=True)  # (batch, width)
            embeddings.append(torch.nn.functional.normalize(means, dim=1).numpy())
            tokens.append(batch["input_ids"][real].numpy())
            lengths.append(real.sum(dim=1).numpy())
            for place in range(start, min(start + BATCH, len(OPENED))):
                row, size = place - start, int(real[place - start].sum())
                states = torch.stack([state[row, :size] for state in found.hidden_states])
                weights = torch.stack([seen[row, :, :size, :size] for seen in found.attentions])
                inside |= {f"states_{place}": states.numpy(), f"weights_{place}": weights.numpy()}
    return {
        "tokens": np.concatenate(tokens).astype(np.int32),
        "lengths": np.concatenate(lengths).astype(np.int32),
        "embeddings": np.concatenate(embeddings),
        **inside,
    }


def main() -> int:
    """Compute, write both files, and print the hashes by which they are known."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise SystemExit(
            f"The reference needs {' and '.join(missing)}, which the book does without: in an environment of its own "
            f"run python -m pip install {' '.join(NEEDED)}, then {INSTALL}"
        )
    os.environ["HF_HUB_OFFLINE"] = "1"
    start, limit, texts = time.perf_counter(), minilm().limit, sentences()
    arrays = compute(texts, limit)
    about = {
        "made": date.today().isoformat(),
        "seconds": round(time.perf_counter() - start),
        "machine": machine(),
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in (*NEEDED, "tokenizers", "numpy")},
        "settings": {"limit": limit, "batch": BATCH, "seed": SEED},
    }
    described = {"about": about, "opened": list(range(len(OPENED))), "sentences": texts}
    archive = io.BytesIO()
    np.savez_compressed(archive, **arrays)
    contents = ((json.dumps(described, indent=1, ensure_ascii=False) + "\n").encode(), archive.getvalue())
    print("Now utils/data/minilm.py must have:\nREFERENCE = {")
    for file, content in zip(REFERENCE, contents, strict=True):
        (FOLDER / file).write_bytes(content)
        print(f'    "{file}": "{hashlib.sha256(content).hexdigest()}",')
    print("}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
