"""The parts of a Transformer in NumPy, and whole GPTs: gradients by differences, what sees what, what is refused."""

import re

import numpy as np
import pytest

from tests.utils.attending import draw, gradients_agree, rough
from tests.utils.drawing import central_differences
from utils.scratch.multi_head import SelfAttention
from utils.scratch.network import GELU, Dense, Layer, Network
from utils.scratch.normalization import LayerNorm, RMSNorm
from utils.scratch.optimizers import Adam
from utils.scratch.transformer import Embedding, LearnedPositions, Residual, Unembedding, block, feed_forward, gpt

BATCH, TIME, VOCABULARY = 3, 4, 5
MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]], bool)
MODELS = {
    "pre, rms, rotary": {"width": 4, "depth": 2, "heads": 2},
    "post, layer, learned": {
        "width": 4, "depth": 2, "heads": 2, "order": "post", "norm": "layer", "positions": "learned"
    },
    "pre, layer, learned, one key head": {
        "width": 8, "depth": 1, "heads": 4, "norm": "layer", "positions": "learned", "length": 6, "key_heads": 1
    },
    "post, rms, rotary, groups": {"width": 8, "depth": 1, "heads": 4, "order": "post", "key_heads": 2},
}  # fmt: skip
EACH_MODEL = pytest.mark.parametrize("options", MODELS.values(), ids=MODELS)


def tokens(batch=BATCH, time=TIME):
    """Draw tokens, some of them more than once."""
    return np.random.default_rng((batch, time)).integers(0, VOCABULARY, (batch, time))


def model(options, dtype="float64"):
    """Return a GPT without any symmetry."""
    return rough(gpt(VOCABULARY, **options), (TIME,), dtype)


def refuses(message):
    """Expect an error with just this sentence."""
    return pytest.raises(ValueError, match=f"^{re.escape(message)}$")


# --- embedding and its way back ------------------------------------------------------------------


def test_an_embedding_looks_rows_up_and_adds_their_gradients_up():
    network = Network([Embedding(VOCABULARY, 2)], (TIME,), dtype="float64")
    (w,) = network.parameters
    x, dy = np.array([[3, 0, 3, 1]], np.uint8), draw(1, TIME, 2)
    assert network.shapes == [(TIME,), (TIME, 2)]
    assert np.array_equal(network.forward(x), w[[[3, 0, 3, 1]]])
    for _ in range(2):  # a second pass starts anew
        (gradient,) = network.backward(dy)
        assert np.array_equal(gradient, [dy[0, 1], dy[0, 3], [0, 0], dy[0, 0] + dy[0, 2], [0, 0]])
    assert network.input_gradient is None


@pytest.mark.parametrize("make", [lambda: Embedding(300, 40), lambda: LearnedPositions(300)])
def test_embeddings_start_evenly_in_a_twentieth_as_in_keras(make):
    layer = make()
    layer.build((7,) if isinstance(layer, Embedding) else (7, 40), np.random.default_rng(0), np.dtype("float32"))
    (w,) = layer.parameters
    assert (w.shape, w.dtype) == ((300, 40), np.dtype("float32"))
    assert 0.0499 < w.max() <= 0.05
    assert -0.0499 > w.min() >= -0.05
    assert w.std() == pytest.approx(0.1 / np.sqrt(12), rel=0.02)


def test_learned_positions_add_a_row_a_place():
    network = rough([LearnedPositions(6)], (TIME, 2))
    (w,), x, dy = network.parameters, draw(BATCH, TIME, 2), draw(BATCH, TIME, 2, seed=1)
    assert network.shapes == [(TIME, 2)] * 2
    assert np.array_equal(network.forward(x), x + w[:TIME])
    (gradient,) = network.backward(dy)
    assert np.array_equal(gradient[:TIME], dy.sum(axis=0))
    assert not gradient[TIME:].any()
    assert gradient.shape == (6, 2)
    assert np.array_equal(network.input_gradient, dy)
    assert network.forward(draw(1, 6, 2)).shape == (1, 6, 2)


def tied():
    """Return a network whose last layer uses the matrix of its first one."""
    embedding = Embedding(VOCABULARY, 3)
    return rough([embedding, Dense(3), GELU(), Unembedding(embedding)], (TIME,))


def test_the_matrix_has_one_gradient_for_both_of_its_uses(agree):
    network, x = tied(), tokens()
    assert [p.shape for p in network.parameters] == [(VOCABULARY, 3), (3, 3), (3,)]
    assert network.shapes[-1] == (TIME, VOCABULARY)
    assert network.layers[-1].parameters == []
    gradients_agree(agree, "tied", network, x, tokens(BATCH, TIME))
    hidden = network.layers[2].forward(network.layers[1].forward(network.layers[0].forward(x)))
    assert np.array_equal(network.forward(x), hidden @ network.parameters[0].T)


def test_a_second_backward_pass_gives_the_same_gradients():
    network, dy = tied(), draw(BATCH, TIME, VOCABULARY)
    network.forward(tokens())
    first, second = network.backward(dy), network.backward(dy)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    embedding = network.layers[0]
    assert embedding.of_logits == 0.0  # used up: nothing is left for a network without the other use
    embedding.backward(draw(BATCH, TIME, 3))
    assert not np.allclose(embedding.gradients[0], first[0], atol=0.1)


# --- residual ------------------------------------------------------------------------------------


def test_a_residual_adds_what_its_layers_return(agree):
    inner = [Dense(5), GELU(), Dense(3)]
    network, x = rough([Residual(inner)], (TIME, 3)), draw(BATCH, TIME, 3)
    (w, b, v, c), (gelu_layer,) = network.parameters, inner[1:2]
    agree("residual", network.forward(x), x + gelu_layer.forward(x @ w + b) @ v + c, 1e-13)
    agree("residual, of nothing", Residual([]).forward(x), 2 * x, 0)
    dy = draw(BATCH, TIME, 3, seed=1)
    gradients = network.backward(dy)
    assert [g.shape for g in gradients] == [p.shape for p in network.parameters]
    differences = central_differences(lambda: float((network.forward(x) * dy).sum()), x)
    agree("residual, differences", network.input_gradient, differences, 1e-6)


def test_a_residual_hands_the_mask_to_those_that_take_one():
    attention, alone = SelfAttention(2, 3), SelfAttention(2, 3)
    network = Network([Residual([RMSNorm(), Residual([attention]), Dense(4)])], (TIME, 4), dtype="float64")
    network.forward(draw(BATCH, TIME, 4), MASK)
    assert np.array_equal(attention.trace.weights.any(axis=(1, 2)), MASK)
    network.forward(draw(BATCH, TIME, 4))
    assert attention.trace.weights.all()
    Network([alone], (TIME, 4), dtype="float64").forward(draw(BATCH, TIME, 4), MASK)
    assert Residual.takes_mask


def test_a_residual_needs_the_shape_of_its_input():
    with refuses("The layers turn (4, 3) into (4, 5): expected the same shape, to add it to the input."):
        Network([Residual([Dense(3), Dense(5)])], (TIME, 3))


# --- blocks --------------------------------------------------------------------------------------


def kinds(layers):
    """Return the names of layers, those inside a residual in brackets."""
    return [kinds(layer.layers) if isinstance(layer, Residual) else type(layer).__name__ for layer in layers]


def test_what_blocks_and_models_are_made_of():
    feeding = ["Dense", "GELU", "Dense"]
    assert kinds(block(8, 2)) == [["RMSNorm", "SelfAttention"], ["RMSNorm", *feeding]]
    assert kinds(block(8, 2, "post", "layer")) == [["SelfAttention"], "LayerNorm", feeding, "LayerNorm"]
    pre = kinds(block(8, 2, norm="layer"))
    assert pre == [["LayerNorm", "SelfAttention"], ["LayerNorm", *feeding]]
    assert kinds(gpt(5, 8, 2, 2, norm="layer")) == ["Embedding", *pre, *pre, "LayerNorm", "Unembedding"]
    post = kinds(block(8, 2, "post"))
    learned = gpt(5, 8, 1, 2, "post", positions="learned", length=9)
    assert kinds(learned) == ["Embedding", "LearnedPositions", *post, "Unembedding"]
    assert learned[1].length == 9
    assert gpt(5, 8, 1, 2, positions="learned")[1].length == 256
    assert learned[-1].embedding is learned[0]
    assert kinds(gpt(5, 3, 0, 1)) == ["Embedding", "RMSNorm", "Unembedding"]
    assert block(3, 1, rotary=False)[0].layers[1].size == 3


@pytest.mark.parametrize(("key_heads", "found"), [(None, 4), (2, 2)])
@pytest.mark.parametrize("rotary", [True, False])
def test_how_a_block_attends(key_heads, found, rotary):
    attention = block(12, 4, rotary=rotary, key_heads=key_heads)[0].layers[1]
    assert (attention.heads, attention.size, attention.key_heads) == (4, 3, found)
    assert (attention.causal, attention.rotary) == (True, rotary)
    assert block(12, 4)[0].layers[1].rotary
    for positions in ("rotary", "learned"):
        layers = gpt(5, 12, 1, 4, positions=positions, key_heads=key_heads)
        attention = layers[1 if positions == "rotary" else 2].layers[1]
        assert (attention.key_heads, attention.rotary) == (found, positions == "rotary")


def test_the_feed_forward_part_is_four_times_as_wide_inside():
    assert [layer.units for layer in feed_forward(6) if isinstance(layer, Dense)] == [24, 6]


def test_how_many_parameters_a_model_has():
    network = Network(gpt(50, 16, 3, 4, positions="learned", length=20, key_heads=2), (10,))
    attention = 16 * (16 + 2 * 8) + 32 + 16 * 16 + 16
    feeding = 16 * 64 + 64 + 64 * 16 + 16
    assert sum(p.size for p in network.parameters) == 50 * 16 + 20 * 16 + 3 * (attention + feeding + 32) + 16
    assert network.shapes[0] == (10,)
    assert network.shapes[-1] == (10, 50)


# --- whole models --------------------------------------------------------------------------------


@EACH_MODEL
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
def test_gradients_of_a_model_equal_central_differences(agree, options, mask):
    network = model(options)
    gradients_agree(agree, "GPT", network, tokens(), tokens(BATCH, TIME)[::-1], mask)
    assert network.input_gradient is None


@EACH_MODEL
@pytest.mark.parametrize(("batch", "time"), [(1, 1), (1, TIME), (BATCH, 1)])
def test_one_sequence_and_one_token_are_enough(agree, options, batch, time):
    network, x = model(options), tokens(batch, time)
    assert network.forward(x).shape == (batch, time, VOCABULARY)
    _, gradients = network.loss_and_gradients(x, x)
    dw = central_differences(lambda: network.loss_and_gradients(x, x)[0], network.parameters[0], 2e-6)
    agree("GPT, smallest batches", gradients[0], dw, 1e-6)


@EACH_MODEL
def test_a_token_changes_no_logits_before_it(options):
    network, x = model(options), tokens()
    logits = network.forward(x)
    for step in range(TIME):
        changed = x.copy()
        changed[:, step] = (changed[:, step] + 1) % VOCABULARY
        moved = network.forward(changed) != logits
        assert not moved[:, :step].any()
        assert moved[:, step:].any(axis=2).all()


@EACH_MODEL
def test_a_shorter_sequence_has_the_first_logits(options):
    network, x = model(options), tokens()
    assert np.allclose(network.forward(x[:, :2]), network.forward(x)[:, :2], rtol=0, atol=1e-12)


def test_rotary_positions_do_not_count_how_often_the_first_token_is_repeated():
    """They know distances only, and all that is seen is alike. Learned positions tell the steps apart."""
    x = np.full((1, TIME), 2)
    for options, alike in zip(MODELS.values(), (True, False, False, True), strict=True):
        logits = model(options).forward(x)
        assert np.allclose(logits, logits[:, :1], rtol=0, atol=1e-12) == alike


@EACH_MODEL
def test_a_float32_model_stays_float32(options):
    network = model(options, "float32")
    assert network.forward(tokens()).dtype == np.float32
    _, gradients = network.loss_and_gradients(tokens(), tokens(), MASK)
    assert {a.dtype.name for a in (*gradients, *network.parameters)} == {"float32"}


@EACH_MODEL
def test_a_model_learns_a_sequence_by_heart(options):
    x, targets = np.array([[0, 1, 2, 3], [2, 0, 2, 1]]), np.array([[1, 2, 3, 4], [0, 2, 1, 3]])
    network = Network(gpt(VOCABULARY, **options), (TIME,), seed=3)
    assert network.loss_and_gradients(x, targets)[0] == pytest.approx(np.log(VOCABULARY), abs=0.5)
    optimizer = Adam(0.02)
    for _ in range(300):
        network.step(x, targets, optimizer)
    assert np.array_equal(network.predict(x).argmax(axis=2), targets)
    assert network.loss_and_gradients(x, targets)[0] < 0.05


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("x", [[[0, 5]], [[-1, 0]], [[0.0, 1.0]], [[True, False]]])
def test_says_which_tokens_it_expects(x):
    with refuses("The tokens must be whole numbers from 0 to 4."):
        Network([Embedding(VOCABULARY, 2)], (2,)).forward(np.array(x))


def test_says_that_a_sequence_is_too_long():
    with refuses("The sequences have 7 steps: there are positions for 6, so cut them."):
        rough([LearnedPositions(6)], (TIME, 2)).forward(draw(BATCH, 7, 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "before"}, "The order 'before' is unknown: use one of 'pre', 'post'."),
        ({"norm": "batch"}, "The norm 'batch' is unknown: use one of 'rms', 'layer'."),
        ({"positions": "none"}, "The positions 'none' is unknown: use one of 'rotary', 'learned'."),
        ({"heads": 3}, "A width of 8 cannot be shared out among 3 heads: take a multiple."),
        ({"heads": 0}, "A width of 8 cannot be shared out among 0 heads: take a multiple."),
        ({"key_heads": 3}, "4 heads cannot share 3 of the keys equally: expected a divisor of 4."),
    ],
)
def test_says_which_options_there_are(options, message):
    with refuses(message):
        gpt(**{"vocabulary": VOCABULARY, "width": 8, "depth": 1, "heads": 4} | options)


def test_layers_have_what_all_layers_have():
    for layer in (Embedding(2, 3), LearnedPositions(4), Unembedding(Embedding(2, 3)), RMSNorm(), LayerNorm()):
        assert isinstance(layer, Layer)
        assert (layer.parameters, layer.gradients, layer.takes_mask) == ([], [], False)
