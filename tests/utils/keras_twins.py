"""What the equivalence tests share: a network and its twin in Keras, layer by layer and step by step."""

import math
import sys
from contextlib import AbstractContextManager, nullcontext
from unittest.mock import patch

import numpy as np

from tests.utils.attending import Headed
from utils.backend import keras, ops, value_and_grad
from utils.scratch.multi_head import multi_head_attention, multi_head_attention_backward
from utils.scratch.optimizers import SGD, Adam

EXACT = 1e-10


@keras.saving.register_keras_serializable("book")
def exact_tanh(x):
    """Return the tanh in float64, which keras.ops.tanh rounds to float32 on JAX."""
    return 2 * ops.sigmoid(2 * x) - 1


@keras.saving.register_keras_serializable("book")
def exact_gelu(x):
    """Return the GELU in float64: that of Keras has the root of 1/2 in float32 on TensorFlow."""
    return x * (1 + ops.erf(x / np.sqrt(2))) / 2


def float64_becomes(name: str) -> AbstractContextManager:
    """Say what Keras on JAX makes of float64 where it works out the type of a result: by itself, float32."""
    if keras.backend.backend() != "jax":
        return nullcontext()
    types = sys.modules[keras.backend.result_type.__module__].BIT64_TO_BIT32_DTYPE
    return patch.dict(types, {"float64": name})


def gradients_of_keras(call, variables, *inputs):
    """Return output, its random weighting, and the gradients of variables and inputs of a computation in Keras."""
    y = ops.convert_to_numpy(call(*inputs))
    dy = np.random.default_rng(7).normal(size=y.shape)
    _, of_variables, (*of_inputs, _) = value_and_grad(
        lambda *arrays: ops.sum(call(*arrays[:-1]) * arrays[-1]), variables, *inputs, dy
    )
    assert {a.dtype.name for a in (y, *of_variables, *of_inputs)} == {"float64"}
    return y, dy, of_variables, of_inputs


def rounded(number: float) -> float:
    """Return β of βᵗ, or the momentum, as Keras rounds it: to float32 on TensorFlow, not at all on JAX."""
    return float(ops.convert_to_numpy(ops.cast(number, "float64")))


def update_as_keras(adam: Adam, rate: float, parameters, gradients) -> None:
    """Take a step of Adam with Keras's rounding of β in the correction, which scratch does not have."""
    t = adam.steps + 1
    exact = np.sqrt(1 - adam.beta_2**t) / (1 - adam.beta_1**t)
    theirs = np.sqrt(1 - rounded(adam.beta_2) ** t) / (1 - rounded(adam.beta_1) ** t)
    adam.learning_rate = rate * theirs / exact
    adam.update(parameters, gradients)
    adam.learning_rate = rate


def trajectories(theirs, step):
    """Run 20 steps of both optimizers on the same gradients, of sizes from 1 down to 1e-7; yield both results."""
    rng = np.random.default_rng(3)
    parameters = [rng.normal(size=(4, 3)), rng.normal(size=5)]
    variables = [keras.Variable(p) for p in parameters]
    theirs.build(variables)
    for t in range(20):
        gradients = [rng.normal(size=p.shape) * 10.0 ** -(t % 8) for p in parameters]
        theirs.apply([ops.convert_to_tensor(g) for g in gradients], variables)
        step(parameters, gradients)
        for parameter, variable in zip(parameters, variables, strict=True):
            yield parameter, ops.convert_to_numpy(variable.value)


def same_gradients(agree, part, network, model, x, labels, mask=None, variables=None):
    """Assert that loss and gradients of a network are those of its twin; a mask the twin finds by itself.

    The twin's variables in the order of the network's parameters, unless they are so by themselves.
    """
    variables = variables or model.trainable_variables
    of_labels = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    value, of_weights, (of_input, _) = value_and_grad(lambda x, t: of_labels(t, model(x)), variables, x, labels)
    loss, gradients = network.loss_and_gradients(x, labels, mask)
    agree(f"{part}, loss", loss, value, EXACT)
    if of_input is not None:  # whole numbers have no gradient
        agree(f"{part}, input gradient", network.input_gradient, of_input, EXACT)
    for found, expected in zip(gradients, of_weights, strict=True):
        agree(f"{part}, weight gradients", found, expected, EXACT)


def same_steps(agree, part, name, network, model, batches, variables=None):
    """Train a network and its twin, a step a batch (input, labels, mask); assert that they end in equal weights."""
    rate = 0.01
    theirs = keras.optimizers.SGD(rate, momentum=0.9) if name == "SGD" else keras.optimizers.Adam(rate)
    model.compile(optimizer=theirs, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    ours = SGD(rate, rounded(0.9)) if name == "SGD" else Adam(rate)
    for x, labels, mask in batches:
        expected = model.train_on_batch(x, labels)
        loss, gradients = network.loss_and_gradients(x, labels, mask)
        agree(f"{part}, loss", loss, np.asarray(expected), EXACT)
        if name == "SGD":
            ours.update(network.parameters, gradients)
        else:
            update_as_keras(ours, rate, network.parameters, gradients)
    weights = map(ops.convert_to_numpy, variables) if variables else model.get_weights()
    for found, expected in zip(network.parameters, weights, strict=True):
        agree(f"{part}, weights", found, expected, 1e-8)


def heads_of_keras(case: Headed, parameters) -> keras.layers.Layer:
    """Return the layer of Keras with these parameters: the same numbers, with one axis more."""
    if case.key_heads is None:
        layer = keras.layers.MultiHeadAttention(case.heads, case.head.d, case.head.d_v, output_shape=case.outputs)
    else:  # its output is as long as its input
        layer = keras.layers.GroupQueryAttention(case.head.d, case.heads, case.key_heads)
    layer.build((1, 1, case.inputs), (1, 1, case.others))
    layer.set_weights([p.reshape(w.shape) for p, w in zip(parameters, layer.weights, strict=True)])
    return layer


def heads_of_scratch(case: Headed, x, memory, parameters):
    """Run scratch with 1/sqrt(d) as Keras keeps it: rounded to float32 on TensorFlow, exact on JAX."""
    scale = rounded(1 / math.sqrt(case.head.d))
    return multi_head_attention(x, memory, parameters, case.heads, case.head.mask, scale, case.key_heads)


def same_heads(agree, part: str, case: Headed, scores: bool, bound: float = EXACT) -> None:
    """Compare output and gradients with respect to both inputs and all parameters; with scores, also the weights."""
    (x, memory, parameters), (mask, causal) = case.arrays(), case.head.in_parts()
    layer, options = heads_of_keras(case, parameters), {"use_causal_mask": causal, "return_attention_scores": scores}
    if mask is not None:
        options |= {"value_mask": mask[:, 0]} if case.head.hidden != "scattered" else {"attention_mask": mask}

    def call(x, memory):
        y = layer(x, memory, **options)
        return y[0] if scores else y

    expected, dy, of_parameters, of_inputs = gradients_of_keras(call, layer.trainable_variables, x, memory)
    y, weights, trace = heads_of_scratch(case, x, memory, parameters)
    dx, dmemory, gradients = multi_head_attention_backward(dy, trace)
    agree(f"{part}, output", y, expected, bound)
    for name, found, theirs in zip(("x", "memory"), (dx, dmemory), of_inputs, strict=True):
        agree(f"{part}, gradient of {name}", found, theirs, bound)
    for found, theirs in zip(gradients, of_parameters, strict=True):
        agree(f"{part}, gradients of parameters", found, theirs.reshape(found.shape), bound)
    if scores:
        agree(f"{part}, weights", weights, ops.convert_to_numpy(layer(x, memory, **options)[1]), bound)
