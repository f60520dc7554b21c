"""The parts of a Transformer in NumPy against Keras's layers, in float64: forward and all gradients.

Runs on the TensorFlow and the JAX backend. Sizes and masks are drawn at random; inputs have no symmetry. On JAX Keras
computes some of these layers in float32, whatever the policy says; here it is kept from that as far as possible, and
one test says what it does by itself. A whole GPT has a test of its own, against the model in ``utils.models``.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.utils.attending import Attending, Headed, draw, grouped_heads, rough
from tests.utils.keras_twins import EXACT, exact_gelu, float64_becomes, gradients_of_keras, same_heads
from utils.backend import keras, ops, value_and_grad
from utils.scratch.activations import gelu, gelu_backward
from utils.scratch.multi_head import SelfAttention
from utils.scratch.network import Dense, Network
from utils.scratch.normalization import LayerNorm, RMSNorm, layer_norm, layer_norm_backward, rms_norm, rms_norm_backward
from utils.scratch.transformer import Embedding, Unembedding, block

pytestmark = [
    pytest.mark.usefixtures("double_precision", "no_float32"),
    pytest.mark.filterwarnings("ignore:You are using a softmax over axis"),  # a single key is meant
]
JAX = keras.backend.backend() == "jax"
FEWER = settings(max_examples=settings.default.max_examples // 12)  # JAX compiles for every shape
SHORT = 1e-4 if JAX else EXACT  # what JAX itself offers for attention computes in float32
SHAPES = st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple)
SEEDS = st.integers(0, 9999)
NORMS = {
    "rms": (getattr(keras.layers, "RMSNormalization", None), rms_norm, rms_norm_backward, RMSNorm),
    "layer": (keras.layers.LayerNormalization, layer_norm, layer_norm_backward, LayerNorm),
}
EACH_NORM = pytest.mark.parametrize(
    "norm",
    [pytest.param("rms", marks=pytest.mark.skipif(NORMS["rms"][0] is None, reason="Keras before 3.9")), "layer"],
)
CROSS = Headed(Attending((2,), 4, 5, d=3, d_v=3, hidden="both", seed=8, sighted=True), 6, 4, 3, 4, key_heads=2)


@pytest.fixture(scope="module")
def no_float32():
    """Keep Keras from computing in float32."""
    with float64_becomes("float64"):
        yield


# --- GELU ----------------------------------------------------------------------------------------


@FEWER
@given(shape=SHAPES, size=st.sampled_from([1.0, 4.0]), seed=SEEDS)
def test_gelu(agree, shape, size, seed):
    """On TensorFlow Keras keeps the root of 1/2 in float32, so there its own agrees less well."""
    x = size * draw(*shape, seed=seed)
    for part, theirs, bound in (
        ("gelu", exact_gelu, EXACT),
        ("gelu of Keras", keras.activations.gelu, EXACT if JAX else 1e-7),
    ):
        y, dy, _, (of_x,) = gradients_of_keras(theirs, [], x)
        agree(f"{part}, forward", gelu(x), y, bound)
        agree(f"{part}, gradient", gelu_backward(dy, x), of_x, bound)


# --- normalization -------------------------------------------------------------------------------


@EACH_NORM
@FEWER
@given(shape=SHAPES, epsilon=st.sampled_from([None, 1e-5, 0.5]), seed=SEEDS)
@example(shape=(1, 1), epsilon=None, seed=0)
def test_normalization(agree, norm, shape, epsilon, seed):
    make, forward, backward, layer = NORMS[norm]
    theirs = make() if epsilon is None else make(epsilon=epsilon)
    theirs.build(shape)
    theirs.set_weights(columns := [draw(shape[-1], seed=seed + i) for i in range(len(theirs.weights))])
    x = 2 + 3 * draw(*shape, seed=seed)
    expected, dy, of_columns, (of_x,) = gradients_of_keras(theirs, theirs.trainable_variables, x)
    epsilon = layer().epsilon if epsilon is None else epsilon
    agree(f"{norm} normalization, forward", forward(x, *columns, epsilon), expected, EXACT)
    for found, their in zip(backward(dy, x, columns[0], epsilon), (of_x, *of_columns), strict=True):
        agree(f"{norm} normalization, gradients", found, their, EXACT)


@EACH_NORM
def test_normalization_of_rows_without_variance(agree, norm):
    """Rows of equal numbers, and of zeros: what epsilon alone keeps finite."""
    make, forward, backward, _ = NORMS[norm]
    theirs, x = make(), np.array([[2.0, 2.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    theirs.build(x.shape)
    theirs.set_weights(columns := [draw(4, seed=i) for i in range(len(theirs.weights))])
    expected, dy, of_columns, (of_x,) = gradients_of_keras(theirs, theirs.trainable_variables, x)
    agree(f"{norm} normalization, no variance, forward", forward(x, *columns), expected, EXACT)
    for found, their in zip(backward(dy, x, columns[0]), (of_x, *of_columns), strict=True):
        agree(f"{norm} normalization, no variance, gradients", found, their, EXACT)


@EACH_NORM
@pytest.mark.skipif(not JAX, reason="on TensorFlow it computes in float64")
def test_by_itself_keras_on_jax_normalizes_in_float32(agree, norm):
    make, forward, *_ = NORMS[norm]
    theirs, x = make(), draw(5, 6)
    theirs.build(x.shape)
    with float64_becomes("float32"):
        found = ops.convert_to_numpy(theirs(x))
    expected = forward(x, *map(ops.convert_to_numpy, theirs.weights))
    agree(f"{norm} normalization, float32", found, expected, 1e-5)
    assert not np.allclose(found, expected, rtol=0, atol=1e-9)


# --- grouped attention ---------------------------------------------------------------------------


def in_keras(case):
    """Return the case in sizes that Keras takes: its output is as long as its input.

    Heads have two numbers at least: those of one Keras may misread on TensorFlow, as in ``MultiHeadAttention``.
    """
    d = case.head.d + 1
    return replace(case, outputs=case.inputs, head=replace(case.head, d=d, d_v=d))


@FEWER
@given(case=grouped_heads())
@example(case=CROSS)
@example(case=replace(CROSS, key_heads=1))
@example(case=replace(CROSS, head=replace(CROSS.head, hidden="scattered", sighted=False)))
def test_grouped_attention_asked_for_scores(agree, case):
    same_heads(agree, "grouped attention, with scores", in_keras(case), True)


@FEWER
@given(case=grouped_heads(sighted=True))
@example(case=CROSS)
@example(case=replace(CROSS, head=replace(CROSS.head, hidden="future")))
def test_grouped_attention_not_asked_for_scores(agree, case):
    same_heads(agree, "grouped attention, without scores", in_keras(case), False, SHORT)


# --- layers --------------------------------------------------------------------------------------


def packed(arrays):
    """Return weights or gradients of Keras's grouped attention as scratch orders them: of eight it makes four."""
    w_q, b_q, w_k, b_k, w_v, b_v, w_o, b_o = arrays
    w = np.concatenate([w.reshape(len(w), -1) for w in (w_q, w_k, w_v)], axis=1)
    return [w, np.concatenate([b.ravel() for b in (b_q, b_k, b_v)]), w_o.reshape(-1, w_o.shape[-1]), b_o]


def test_the_layer_of_attention_starts_as_in_keras():
    theirs = keras.layers.GroupQueryAttention(20, 6, 2)
    theirs.build((1, 6, 40), (1, 6, 40))
    w, b, w_o, b_o = Network([SelfAttention(6, 20, key_heads=2)], (6, 40)).parameters
    their_w, their_b, their_w_o, their_b_o = packed(theirs.get_weights())
    assert not any(bias.any() for bias in (b, b_o, their_b, their_b_o))
    parts = (np.split(matrix, [120, 160], axis=1) for matrix in (w, their_w))
    for found, expected in (*zip(*parts, strict=True), (w_o, their_w_o)):
        assert found.shape == expected.shape
        assert np.abs(found).max() == pytest.approx(np.abs(expected).max(), rel=0.01)


class Twin:
    """A block of layers of Keras, with its weights and their gradients in the order of scratch."""

    def __init__(self, norm, order, width, heads, key_heads):
        self.pre = order == "pre"
        self.attention = keras.layers.GroupQueryAttention(width // heads, heads, key_heads)
        self.attention.build((1, 1, width), (1, 1, width))
        self.norms = [NORMS[norm][0](), NORMS[norm][0]()]
        self.feeding = [keras.layers.Dense(4 * width, exact_gelu), keras.layers.Dense(width)]
        for layer, inputs in zip([*self.norms, *self.feeding], [width, width, width, 4 * width], strict=True):
            layer.build((1, 1, inputs))
        first, second = ([norm] for norm in self.norms)
        parts = (
            (first, [self.attention], second, self.feeding)
            if self.pre
            else ([self.attention], first, self.feeding, second)
        )
        self.layers = [layer for part in parts for layer in part]
        self.variables = [variable for layer in self.layers for variable in layer.trainable_variables]

    def __call__(self, x, mask):
        first, second = self.norms
        hidden, output = self.feeding
        options = {"use_causal_mask": True, "value_mask": mask, "return_attention_scores": True}
        if self.pre:
            read = first(x)
            x = x + self.attention(read, read, **options)[0]
            return x + output(hidden(second(x)))
        x = first(x + self.attention(x, x, **options)[0])
        return second(x + output(hidden(x)))

    def in_order(self, arrays):
        """Return arrays that come in the order of the variables in that of scratch."""
        arrays, found = list(arrays), []
        for layer in self.layers:
            own = [arrays.pop(0) for _ in layer.trainable_variables]
            found += packed(own) if layer is self.attention else own
        return found


@EACH_NORM
@pytest.mark.parametrize("order", ["pre", "post"])
@pytest.mark.parametrize("key_heads", [4, 2, 1])
def test_block(agree, norm, order, key_heads):
    """Heads have 4 numbers, whose scale 1/2 float32 holds exactly."""
    network = rough(block(16, 4, order, norm, rotary=False, key_heads=key_heads), (6, 16))
    twin, part = Twin(norm, order, 16, 4, key_heads), f"block, {order}, {norm}"
    rng = np.random.default_rng(key_heads)
    for variable in twin.variables:
        variable.assign(rng.normal(0.5, 0.5, variable.shape))
    network.set_parameters(twin.in_order([ops.convert_to_numpy(variable) for variable in twin.variables]))
    x, mask = draw(3, 6, 16), np.arange(6) < np.array([[6], [3], [1]])
    expected, dy, of_weights, (of_x,) = gradients_of_keras(lambda x: twin(x, mask), twin.variables, x)
    agree(f"{part}, forward", network.forward(x, mask), expected, EXACT)
    for found, theirs in zip(network.backward(dy), twin.in_order(of_weights), strict=True):
        agree(f"{part}, weight gradients", found, theirs, EXACT)
    agree(f"{part}, input gradient", network.input_gradient, of_x, EXACT)


def test_embedding_whose_matrix_also_gives_the_logits(agree):
    """Keras finds the gradient of a matrix that is used twice by itself."""
    embedding, x, labels = (
        Embedding(7, 3),
        np.array([[3, 0, 3, 6], [1, 1, 5, 3]]),
        np.array([[1, 2, 3, 4], [0, 6, 6, 2]]),
    )
    network = rough([embedding, Dense(3), Unembedding(embedding)], (4,))
    theirs, dense = keras.layers.Embedding(7, 3), keras.layers.Dense(3)
    theirs.build()
    dense.build((2, 4, 3))
    for layer, weights in ((theirs, network.parameters[:1]), (dense, network.parameters[1:])):
        layer.set_weights(weights)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def of_keras_loss():
        return cross_entropy(labels, ops.matmul(dense(theirs(x)), ops.transpose(theirs.embeddings)))

    value, of_weights, _ = value_and_grad(of_keras_loss, [*theirs.trainable_variables, *dense.trainable_variables])
    loss, gradients = network.loss_and_gradients(x, labels)
    agree("tied embedding, loss", loss, value, EXACT)
    for found, expected in zip(gradients, of_weights, strict=True):
        agree("tied embedding, gradients", found, expected, EXACT)
