"""Weights in eight bits: whole numbers from -127 to 127, and a scale for each row of a matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LARGEST = 127  # -128 stays unused, so that both signs reach equally far


@dataclass(frozen=True, eq=False)
class Quantized:
    """A matrix in eight bits.

    Attributes
    ----------
    codes : int8, (rows, columns)
    scales : what a code of 1 stands for in each row, float32, (rows, 1)
    """

    codes: np.ndarray
    scales: np.ndarray

    @property
    def nbytes(self) -> int:
        """Bytes of codes and scales."""
        return self.codes.nbytes + self.scales.nbytes


def quantize(weights: Mapping[str, np.ndarray]) -> dict[str, Quantized | np.ndarray]:
    """Round every matrix to eight bits, and leave vectors as they are.

    Parameters
    ----------
    weights
        By name, float32; matrices with the outputs of a dense layer, or the tokens of an embedding, as rows.

    Returns
    -------
    dict
        Under the same names. The largest number of a row, positive or negative, becomes 127 or -127.

    Notes
    -----
    The absmax quantization of Dettmers et al., 2022, https://arxiv.org/abs/2208.07339, with a scale for each inner
    product, as they have it; they round what a layer reads, too.
    """
    return {name: _rounded(array) if array.ndim == 2 else array for name, array in weights.items()}


def dequantize(weights: Mapping[str, Quantized | np.ndarray]) -> dict[str, np.ndarray]:
    """Return weights as a network computes with them: float32 matrices, codes times scales."""
    return {
        name: array.codes * array.scales if isinstance(array, Quantized) else array for name, array in weights.items()
    }


def _rounded(matrix: np.ndarray) -> Quantized:
    scales = np.abs(matrix).max(axis=1, keepdims=True) / LARGEST
    codes = np.round(matrix / np.where(scales == 0, 1, scales))  # a row of zeros keeps its zeros
    return Quantized(codes.astype(np.int8), scales)
