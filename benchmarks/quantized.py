"""A dense layer in eight bits: NumPy's product of whole numbers, and Keras's own quantization, beside float32."""

from collections.abc import Iterator

import numpy as np

from benchmarks.clock import side_by_side
from utils.backend import keras
from utils.models.quantization import quantize

PIECES, WIDTH, HIDDEN = 1024, 384, 1536  # 32 texts of 32 pieces at the first dense layer of a block of MiniLM
ROUNDS = 15


def rows() -> Iterator[dict]:
    """Time the layer on random numbers, four ways."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(PIECES, WIDTH)).astype(np.float32)
    w = rng.normal(size=(WIDTH, HIDDEN)).astype(np.float32)
    eight = quantize({"x": x, "w": w.T})

    def product() -> np.ndarray:
        return x @ w

    def in_eight_bits() -> np.ndarray:
        codes = np.matmul(eight["x"].codes, eight["w"].codes.T, dtype=np.int32)
        return codes * eight["x"].scales * eight["w"].scales.T

    ways = {"NumPy, int8 into int32": in_eight_bits}
    for name in ("Keras, float32", "Keras, quantized to int8"):
        inputs = keras.Input((WIDTH,))
        layer = keras.layers.Dense(HIDDEN, use_bias=False)
        model = keras.Model(inputs, layer(inputs))
        layer.set_weights([w])
        if name.endswith("int8"):
            layer.quantize("int8")
        ways[name] = lambda model=model: model.predict_on_batch(x)
    for other, way in ways.items():
        if np.corrcoef(way().ravel(), product().ravel())[0, 1] < 0.99:
            raise RuntimeError(f"{other} computes something else than the product in float32.")
        yield {"what": f"dense layer {WIDTH} → {HIDDEN:,}, {PIECES:,} rows", "other": other} | side_by_side(
            product, way, ROUNDS
        )
