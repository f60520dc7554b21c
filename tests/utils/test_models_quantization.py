"""Eight bits a weight: how far rounding goes, how many bytes are left, and what it does to MiniLM."""

import numpy as np
import pytest

from utils.data import minilm
from utils.models.encoder import embed, encoder, load
from utils.models.quantization import Quantized, dequantize, quantize


def test_by_hand():
    weights = {"w": np.array([[0.5, -1.27, 0.004], [0.0, 2.54, -0.03]], np.float32)}
    found = quantize(weights)["w"]
    assert isinstance(found, Quantized)
    assert found.codes.dtype == np.int8
    assert found.codes.tolist() == [[50, -127, 0], [0, 127, -2]]  # -1.5 is rounded to the even neighbor
    assert found.scales.dtype == np.float32
    np.testing.assert_allclose(found.scales, [[0.01], [0.02]], rtol=1e-6)
    np.testing.assert_allclose(dequantize({"w": found})["w"], [[0.5, -1.27, 0], [0, 2.54, -0.04]], rtol=1e-6)


def test_no_weight_moves_by_more_than_half_a_step():
    matrix = np.random.default_rng(0).normal(size=(30, 50)).astype(np.float32)
    matrix *= np.geomspace(1e-6, 1e6, 30, dtype=np.float32)[:, None]  # rows of all sizes
    found = quantize({"w": matrix})
    rounded = dequantize(found)["w"]
    assert rounded.dtype == np.float32
    assert rounded.shape == matrix.shape
    assert np.all(np.abs(rounded - matrix) <= 0.5001 * found["w"].scales)
    assert np.abs(found["w"].codes).max(axis=1).tolist() == [127] * 30


def test_both_signs_are_treated_alike():
    matrix = np.random.default_rng(1).normal(size=(4, 9)).astype(np.float32)
    there, back = (quantize({"w": sign * matrix})["w"] for sign in (1, -1))
    assert np.array_equal(there.codes, -back.codes)
    assert np.array_equal(there.scales, back.scales)


def test_a_row_of_zeros_stays_one():
    with np.errstate(all="raise"):
        found = dequantize(quantize({"w": np.array([[0, 0], [1, 2]], np.float32)}))["w"]
    assert found[0].tolist() == [0, 0]
    np.testing.assert_allclose(found[1], [1, 2], atol=0.008)


def test_rounding_twice_changes_nothing():
    once = dequantize(quantize({"w": np.random.default_rng(2).normal(size=(5, 7)).astype(np.float32)}))
    np.testing.assert_allclose(dequantize(quantize(once))["w"], once["w"], rtol=1e-6)


def test_vectors_stay_as_they_are():
    weights = {"bias": np.array([0.123456789, 5], np.float32)}
    assert quantize(weights)["bias"] is weights["bias"]
    assert dequantize(quantize(weights))["bias"] is weights["bias"]


@pytest.fixture(scope="module")
def model():
    return minilm.minilm()


def test_bytes_of_minilm(model):
    """A byte a number, four bytes a row; vectors as before."""
    small = quantize(model.weights)
    matrices = [array for array in model.weights.values() if array.ndim == 2]
    numbers, rows = sum(array.size for array in matrices), sum(len(array) for array in matrices)
    vectors = sum(array.nbytes for array in model.weights.values() if array.ndim == 1)
    assert sum(array.nbytes for array in small.values()) == numbers + 4 * rows + vectors == 22_864_624
    assert sum(array.nbytes for array in model.weights.values()) == 90_261_504


def test_minilm_hardly_moves(model):
    reference = minilm.reference()
    short = [place for place, tokens in enumerate(reference.tokens) if len(tokens) <= 32]
    network = encoder(**model.sizes)
    load(network, dequantize(quantize(model.weights)))
    vectors = embed(network, [reference.tokens[place] for place in short])
    cosines = np.sum(vectors * reference.embeddings[short], axis=1)
    assert 0.995 < cosines.min() < cosines.mean() < 0.9999
