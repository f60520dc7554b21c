"""A small network container: layers in a row, with a forward and a backward pass.

Every layer keeps what its backward pass needs from the last forward pass, so one network serves one batch at a time.
"""

import math

import numpy as np

from utils.scratch.activations import gelu, gelu_backward, relu, relu_backward
from utils.scratch.convolution import conv2d, conv2d_backward, output_size, pair
from utils.scratch.dense import dense, dense_backward
from utils.scratch.losses import Loss, softmax_cross_entropy
from utils.scratch.pooling import max_pool, max_pool_backward


class Layer:
    """What all layers share: parameters and gradients in one order, and none of either unless a layer has them.

    A layer whose ``takes_mask`` is true works on sequences, and its ``forward`` takes their mask as well.
    """

    takes_mask = False

    def __init__(self) -> None:
        self.parameters: list[np.ndarray] = []
        self.gradients: list[np.ndarray] = []
        self.x: np.ndarray | None = None

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        """Draw the parameters for inputs of a shape (without the batch), and return the shape of the outputs."""
        return shape

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output for a batch, and keep what the backward pass needs."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray) -> np.ndarray:
        """Set ``gradients`` and return the gradient with respect to the input of the last forward pass."""
        raise NotImplementedError


def glorot_uniform(
    shape: tuple[int, ...],
    fan_in: int,
    fan_out: int | np.ndarray,
    generator: np.random.Generator,
    dtype: np.dtype,
) -> np.ndarray:
    """Draw weights uniformly in ±sqrt(6 / (fan_in + fan_out)), where ``fan_out`` may differ from column to column.

    Source: X. Glorot and Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, 2010,
    equation 16; Keras's default.
    """
    limit = np.sqrt(6 / (fan_in + fan_out))
    return generator.uniform(-limit, limit, shape).astype(dtype)


def rows(x: np.ndarray) -> np.ndarray:
    """Return an array as a matrix of as many columns: of sequences, all steps below each other."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


class Conv2D(Layer):
    """A convolution with bias; arguments as :func:`utils.scratch.convolution.conv2d`."""

    def __init__(
        self,
        filters: int,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: str = "valid",
        dilation: int | tuple[int, int] = 1,
    ) -> None:
        super().__init__()
        self.filters = filters
        self.kernel = pair(kernel, "kernel size")
        self.stride = pair(stride, "stride")
        self.padding = padding
        self.dilation = pair(dilation, "dilation")

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        height, width, channels = shape
        taps = self.kernel[0] * self.kernel[1]
        kernels = (*self.kernel, channels, self.filters)
        w = glorot_uniform(kernels, taps * channels, taps * self.filters, generator, dtype)
        self.parameters = [w, np.zeros(self.filters, dtype)]
        axes = zip((height, width), self.kernel, self.stride, self.dilation, strict=True)
        return (*(output_size(n, k, s, self.padding, d) for n, k, s, d in axes), self.filters)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return conv2d(x, *self.parameters, self.stride, self.padding, self.dilation)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        w, _ = self.parameters
        dx, *self.gradients = conv2d_backward(dy, self.x, w, self.stride, self.padding, self.dilation)
        return dx


class MaxPool2D(Layer):
    """Maximum pooling over windows that do not overlap."""

    def __init__(self, size: int | tuple[int, int] = 2) -> None:
        super().__init__()
        self.size = pair(size, "window size")

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        height, width, channels = shape
        return output_size(height, self.size[0], self.size[0]), output_size(width, self.size[1], self.size[1]), channels

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return max_pool(x, self.size)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return max_pool_backward(dy, self.x, self.size)


class ReLU(Layer):
    """The rectifier, element by element."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return relu(x)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return relu_backward(dy, self.x)


class GELU(Layer):
    """The Gaussian error linear unit, element by element."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return gelu(x)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return gelu_backward(dy, self.x)


class Flatten(Layer):
    """Every example as one row, in C order, as Keras flattens."""

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        return (int(np.prod(shape)),)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return x.reshape(len(x), -1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy.reshape(self.x.shape)


class Dense(Layer):
    """A dense layer with bias; of a sequence, (batch, time, inputs), the same for every step."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        *steps, inputs = shape
        w = glorot_uniform((inputs, self.units), inputs, self.units, generator, dtype)
        self.parameters = [w, np.zeros(self.units, dtype)]
        return (*steps, self.units)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return dense(rows(x), *self.parameters).reshape(*x.shape[:-1], self.units)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        w, _ = self.parameters
        dx, *self.gradients = dense_backward(rows(dy), rows(self.x), w)
        return dx.reshape(self.x.shape)


class Sequential(Layer):
    """Layers in a row as one layer, from input to output. A mask of sequences goes to those that take one."""

    takes_mask = True

    def __init__(self, layers: list[Layer]) -> None:
        super().__init__()
        self.layers = layers
        self.shapes: list[tuple[int, ...]] = []  # without the batch; one more than there are layers

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        self.shapes = [shape]
        for layer in self.layers:
            self.shapes.append(layer.build(self.shapes[-1], generator, dtype))
        self.parameters = [parameter for layer in self.layers for parameter in layer.parameters]
        return self.shapes[-1]

    def forward(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        for layer in self.layers:
            x = layer.forward(x, mask) if layer.takes_mask else layer.forward(x)
        return x

    def backward(self, dy: np.ndarray) -> np.ndarray:
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        self.gradients = [gradient for layer in self.layers for gradient in layer.gradients]
        return dy


class Network:
    """Layers in a row, trained with one loss on their last output.

    Parameters
    ----------
    layers : list of Layer
        From input to logits, or to what the loss compares with its targets.
    input_shape : tuple of int
        Of one example, such as (28, 28, 1), (time, inputs) of a sequence, or (time,) of tokens.
    seed : int
        Of the initial weights.
    dtype : str
        Of the parameters: ``"float32"`` or ``"float64"``.
    loss : callable
        From outputs and targets to the loss and its gradient, as the functions of :mod:`utils.scratch.losses`.
    """

    def __init__(
        self,
        layers: list[Layer],
        input_shape: tuple[int, ...],
        seed: int = 0,
        dtype: str = "float32",
        loss: Loss = softmax_cross_entropy,
    ) -> None:
        self.layers = layers
        self.loss = loss
        self.stack = Sequential(layers)
        self.stack.build(tuple(input_shape), np.random.default_rng(seed), np.dtype(dtype))
        self.shapes = self.stack.shapes
        self.input_gradient: np.ndarray | None = None

    @property
    def parameters(self) -> list[np.ndarray]:
        """All parameters from input to output, kernel before bias: the order of Keras's ``get_weights``."""
        return self.stack.parameters

    def set_parameters(self, values: list[np.ndarray]) -> None:
        """Copy values into the parameters, which keep their dtype.

        Raises
        ------
        ValueError
            If the shapes are not those of the parameters.
        """
        found, expected = [value.shape for value in values], [parameter.shape for parameter in self.parameters]
        if found != expected:
            raise ValueError(f"The values have shapes {found}: this network expects {expected}.")
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter[...] = value

    def forward(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        """Return the outputs of a batch, such as logits (batch, classes).

        The mask of sequences, shape (batch, time), is true where a step is real; by default all are.
        """
        return self.stack.forward(x, mask)

    def backward(self, dy: np.ndarray) -> list[np.ndarray]:
        """Return the gradients of all parameters after a forward pass; ``input_gradient`` has that of the inputs."""
        self.input_gradient = self.stack.backward(dy)
        return self.stack.gradients

    def loss_and_gradients(
        self, x: np.ndarray, targets: np.ndarray, mask: np.ndarray | None = None
    ) -> tuple[float, list[np.ndarray]]:
        """Return the mean loss of a batch and the gradients of all parameters."""
        loss, dy = self.loss(self.forward(x, mask), targets)
        return loss, self.backward(dy)

    def step(self, x: np.ndarray, targets: np.ndarray, optimizer, mask: np.ndarray | None = None) -> float:
        """Take one optimizer step on a batch and return the loss before it."""
        loss, gradients = self.loss_and_gradients(x, targets, mask)
        optimizer.update(self.parameters, gradients)
        return loss

    def predict(self, x: np.ndarray, batch_size: int = 500, mask: np.ndarray | None = None) -> np.ndarray:
        """Return the outputs of many examples, computed batch by batch."""
        parts = [slice(start, start + batch_size) for start in range(0, len(x), batch_size)]
        return np.concatenate([self.forward(x[part], None if mask is None else mask[part]) for part in parts])
