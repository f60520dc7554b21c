"""An encoder of the BERT family: Transformer blocks whose tokens see all others, and one vector for the sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from utils import settings
from utils.backend import keras, ops

# What Keras calls the parameters of a layer, and what a file of weights does.
PARAMETERS = {"kernel": "weight", "embeddings": "weight", "gamma": "weight", "bias": "bias", "beta": "bias"}
STEP = 16  # padded lengths are multiples of it, since JAX compiles for every new shape


@dataclass(frozen=True, eq=False)
class Encoder:
    """An encoder with two ways to look at it, which share all layers.

    Both models read tokens, whole numbers (batch, time), and which of them are real, bool (batch, time).

    Attributes
    ----------
    sentence : keras.Model
        Maps them to one vector of length 1 a sentence, (batch, width).
    inside : keras.Model
        Maps them to the states before the first block and after each, (batch, depth + 1, time, width), and to the
        attention weights of each block, (batch, depth, heads, time, time): row a query, column a key. At padding they
        mean nothing.
    """

    sentence: keras.Model
    inside: keras.Model


def encoder(
    vocabulary: int,
    width: int,
    depth: int,
    heads: int,
    hidden: int,
    positions: int = 512,
    types: int = 2,
    epsilon: float = 1e-12,
) -> Encoder:
    """Build an encoder whose layers have the names that they have in a file of weights.

    Parameters
    ----------
    vocabulary
        How many different tokens.
    width
        Numbers of a token between the blocks; each head has ``width / heads`` of them.
    depth
        Blocks.
    heads
        Heads of the attention.
    hidden
        Units between the two dense layers of a block.
    positions
        Tokens of a sentence at most.
    types
        Kinds of sentences that have a vector of their own; here all are of the first.
    epsilon
        Added to the variances in layer normalization.

    Returns
    -------
    Encoder

    Raises
    ------
    ValueError
        If the heads cannot share the width.

    Notes
    -----
    BERT of Devlin et al., 2019, https://arxiv.org/abs/1810.04805, without dropout: the encoder of Vaswani et al., 2017,
    https://arxiv.org/abs/1706.03762, with learned positions and GELU. The mean of the last states as the vector of a
    sentence is from Reimers & Gurevych, 2019, https://arxiv.org/abs/1908.10084.
    """
    if width % heads:
        raise ValueError(f"{heads} heads cannot share a width of {width}: take a multiple of {heads}.")
    layers = keras.layers
    tokens = keras.Input((None,), dtype="int32")
    real = keras.Input((None,), dtype="bool")

    def normalized(x: Any, name: str) -> Any:
        return layers.LayerNormalization(epsilon=epsilon, name=f"{name}.LayerNorm")(x)

    def embedded(numbers: Any, count: int, kind: str) -> Any:
        return layers.Embedding(count, width, name=f"embeddings.{kind}_embeddings")(numbers)

    places = ops.cumsum(ops.ones_like(tokens), axis=1) - 1  # (batch, time)
    x = embedded(tokens, vocabulary, "word") + embedded(places, positions, "position")
    x = x + embedded(ops.zeros_like(tokens), types, "token_type")
    states, weights = [normalized(x, "embeddings")], []  # (batch, time, width) each
    for number in range(depth):
        name, x = f"encoder.layer.{number}", states[-1]
        y, seen = attention(x, real, heads, f"{name}.attention")
        x = normalized(x + y, f"{name}.attention.output")
        y = layers.Dense(hidden, activation="gelu", name=f"{name}.intermediate.dense")(x)
        y = layers.Dense(width, name=f"{name}.output.dense")(y)
        states.append(normalized(x + y, f"{name}.output"))
        weights.append(seen)
    mean = layers.GlobalAveragePooling1D()(states[-1], mask=real)  # (batch, width)
    return Encoder(
        sentence=keras.Model([tokens, real], layers.UnitNormalization()(mean)),
        inside=keras.Model([tokens, real], [ops.stack(states, axis=1), ops.stack(weights, axis=1)]),
    )


def attention(x: Any, real: Any, heads: int, name: str) -> tuple[Any, Any]:
    """Let every token look at all real ones.

    Parameters
    ----------
    x
        (batch, time, width).
    real
        (batch, time).
    heads
        How many sets of weights.
    name
        What the names of its four dense layers begin with.

    Returns
    -------
    y : what the tokens saw, (batch, time, width)
    weights : (batch, heads, time, time)
    """
    layers, width = keras.layers, x.shape[-1]

    def projected(kind: str) -> Any:
        y = layers.Dense(width, name=f"{name}.self.{kind}")(x)
        return layers.Permute((2, 1, 3))(layers.Reshape((-1, heads, width // heads))(y))  # (batch, heads, time, size)

    q, k, v = map(projected, ("query", "key", "value"))
    scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / (width // heads) ** 0.5  # (batch, heads, time, time)
    weights = layers.Softmax()(scores, mask=real[:, None, None, :])
    y = layers.Reshape((-1, width))(layers.Permute((2, 1, 3))(ops.matmul(weights, v)))
    return layers.Dense(width, name=f"{name}.output.dense")(y), weights


def load(network: Encoder, weights: Mapping[str, np.ndarray]) -> None:
    """Give an encoder its weights, each to the layer of its name.

    Parameters
    ----------
    network
        Changed in place.
    weights
        By the names of the Hugging Face library's BERT; dense ones as PyTorch keeps them, (outputs, inputs).

    Raises
    ------
    ValueError
        If weights are missing or left over, or one has another shape. Nothing has changed then.
    """
    variables = {f"{layer.name}.{PARAMETERS[v.name]}": v for layer in network.inside.layers for v in layer.weights}
    if missing := sorted(variables.keys() - weights.keys()):
        raise ValueError(
            f"The encoder needs {missing[0]}, which the weights do not have ({len(missing)} are missing): build it "
            "with the depth of the weights."
        )
    if left := sorted(weights.keys() - variables.keys()):
        raise ValueError(
            f"The weights have {left[0]}, for which the encoder has no place ({len(left)} are left over): build it "
            "with the depth of the weights, or leave out what it does not use."
        )
    for name, variable in variables.items():
        expected = tuple(variable.shape[::-1] if variable.name == "kernel" else variable.shape)
        if weights[name].shape != expected:
            raise ValueError(
                f"{name} has the shape {weights[name].shape}, and the encoder needs {expected}: build it with the "
                "sizes of the weights."
            )
    for name, variable in variables.items():
        variable.assign(weights[name].T if variable.name == "kernel" else weights[name])


def embed(network: Encoder, sentences: Sequence[Sequence[int]], batch_size: int = 32) -> np.ndarray:
    """Return the vectors of sentences, those of about one length in a batch, the longest first.

    Parameters
    ----------
    network
        With its weights.
    sentences
        Tokens of each.
    batch_size
        Sentences at once.

    Returns
    -------
    numpy.ndarray
        float32, (sentences, width), in the order given.

    Raises
    ------
    ValueError
        If a sentence has no tokens, or more than the encoder has positions.
    """
    positions = network.inside.get_layer("embeddings.position_embeddings").input_dim
    for number, sentence in enumerate(sentences):
        if not 0 < len(sentence) <= positions:
            raise ValueError(
                f"Sentence {number} has {len(sentence)} tokens, and the encoder reads 1 to {positions}: a tokenizer "
                "marks beginning and end, and cuts what is longer."
            )
    vectors = np.zeros((len(sentences), network.sentence.output_shape[-1]), np.float32)
    order = np.argsort([-len(sentence) for sentence in sentences], kind="stable")
    quick = len(sentences) <= 8 * batch_size
    with tqdm(total=len(sentences), unit="sentence", leave=False, disable=settings.quiet() or quick) as bar:
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            lengths = np.array([len(sentences[number]) for number in chosen])
            time = min(-(-lengths[0] // STEP) * STEP, positions)
            real = np.arange(time) < lengths[:, None]  # (batch, time)
            tokens = np.zeros(real.shape, np.int32)
            tokens[real] = np.concatenate([sentences[number] for number in chosen])
            vectors[chosen] = network.sentence.predict_on_batch([tokens, real])
            bar.update(len(chosen))
    return vectors
