"""Running text for language models: the presidential messages in plain characters, split by year."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

import numpy as np

from utils.data import Provenance
from utils.data.messages import MESSAGES, messages

RUNNING = replace(
    MESSAGES,
    note=(
        "messages of the years that end in 9 are the test part, those in 4 the validation part, so no year is in "
        "two parts, but presidents are: results are optimistic for a new one; in 1974 and 1979 a speech "
        "stands beside a longer written message on the same matters, both in one part; presidents repeat and quote "
        "messages: of 2,074 test paragraphs of at least 20 words one stands in the training part word for word, and "
        "14 share more than half of their runs of twelve words with it; headings, tables and what stands in square "
        "brackets are kept; printable ASCII and newlines only: quotes are straight, dashes --, bullets -, accents "
        "gone, ½ is 1/2, ° is degrees; a newline ends a paragraph or a line of a table, two a message"
    ),
)
# Ô and Õ are apostrophes and £ an f that were misread on the way to the transcript.
SIGNS = str.maketrans(
    {"‘": "'", "’": "'", "Ô": "'", "Õ": "'", "“": '"', "”": '"', "–": "--", "—": "--", "•": "-"}
    | {"£": "f", "¢": " cents", "°": " degrees"}
)
FRACTION = re.compile(r"(?<=\d)(1⁄2|[¼½])")
UNPRINTABLE = re.compile(r"[^\n -~]")


@dataclass(frozen=True, eq=False)
class Texts:
    """One text in three parts for a language model to learn from, to be chosen by, and to be measured on.

    Attributes
    ----------
    name : what the text is called
    codes_train, codes_validation, codes_test : the ASCII code of every character, uint8, shape (characters,)
    provenance : source, license and what was done to the data
    """

    name: str
    codes_train: np.ndarray
    codes_validation: np.ndarray
    codes_test: np.ndarray
    provenance: Provenance

    @property
    def train(self) -> str:
        """What a model learns from."""
        return self.codes_train.tobytes().decode("ascii")

    @property
    def validation(self) -> str:
        """What settings are chosen by."""
        return self.codes_validation.tobytes().decode("ascii")

    @property
    def test(self) -> str:
        """What is measured at the end."""
        return self.codes_test.tobytes().decode("ascii")

    @property
    def characters(self) -> tuple[str, ...]:
        """The different characters of the training part, in the order of their codes; the other parts have no more."""
        return tuple(map(chr, np.flatnonzero(np.bincount(self.codes_train)).tolist()))


def message_text() -> Texts:
    """Load the presidential messages as one running text, in order of date.

    Returns
    -------
    Texts
        9,843,342 characters of 202 messages to learn from, 1,157,003 of 25 for validation and 1,158,094 of 22 for the
        test; 88 different ones in the training part, 81 of these in each of the others.

    Raises
    ------
    utils.data.DataError
        If a file is missing, damaged or of another version.
    """
    collection = messages()
    texts = np.array([plain(text) for text in collection.texts], object)
    digits = collection.years % 10
    train, validation, test = (
        np.frombuffer("\n\n".join(texts[chosen]).encode("ascii"), np.uint8)
        for chosen in ((digits != 4) & (digits != 9), digits == 4, digits == 9)
    )
    return Texts(
        name="Text of the presidential messages",
        codes_train=train,
        codes_validation=validation,
        codes_test=test,
        provenance=RUNNING,
    )


def plain(text: str) -> str:
    """Return a text in printable ASCII and newlines, of which no two stand together.

    Signs without a counterpart are left out.
    """
    spaced = FRACTION.sub(r" \1", text).translate(SIGNS)  # 4¼ would become 41/4
    # Takes accents off their letters and fractions apart, these with a slash of their own.
    apart = unicodedata.normalize("NFKD", spaced).replace("⁄", "/")
    return re.sub(r" *\n\s*", "\n", UNPRINTABLE.sub("", apart)).strip()
