"""Recurrent layers for :class:`utils.scratch.network.Network`, built and initialized as in Keras."""

from copy import deepcopy

import numpy as np

from utils.scratch.cells import Cell, GRUCell, LSTMCell, SimpleCell
from utils.scratch.network import Layer, glorot_uniform
from utils.scratch.recurrent import Trace, unroll, unroll_backward


def orthogonal(shape: tuple[int, int], generator: np.random.Generator, dtype: np.dtype) -> np.ndarray:
    """Draw a matrix whose rows, or columns if there are fewer of them, are orthonormal.

    Source: A. M. Saxe, J. L. McClelland and S. Ganguli, *Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks*, 2014; Keras's default for recurrent weights.
    """
    rows, columns = shape
    q, r = np.linalg.qr(generator.normal(size=(max(shape), min(shape))))
    q *= np.sign(np.diag(r))  # else the signs depend on how the factors were computed
    return (q if rows >= columns else q.T).astype(dtype)


class Recurrent(Layer):
    """A cell unrolled over time: (batch, time, inputs) to the last output (batch, units), or to all of them.

    Parameters
    ----------
    cell : Cell
        What a step computes.
    units : int
        Length of the state.
    return_sequences : bool
        Whether to return the outputs of all steps, (batch, time, units).
    window : int, optional
        Truncates backpropagation through time; see :func:`utils.scratch.recurrent.unroll_backward`.
    """

    takes_mask = True

    def __init__(self, cell: Cell, units: int, return_sequences: bool = False, window: int | None = None) -> None:
        super().__init__()
        self.cell = cell
        self.units = units
        self.return_sequences = return_sequences
        self.window = window
        self.trace: Trace | None = None

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        time, inputs = shape
        sums = self.cell.blocks * self.units
        w = glorot_uniform((inputs, sums), inputs, sums, generator, dtype)
        u = orthogonal((self.units, sums), generator, dtype)
        self.parameters = [w, u, np.zeros(self.cell.bias_shape(self.units), dtype)]
        return (time, self.units) if self.return_sequences else (self.units,)

    def forward(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        y, state, self.trace = unroll(self.cell, x, *self.parameters, mask)
        return y if self.return_sequences else state[0]

    def backward(self, dy: np.ndarray) -> np.ndarray:
        if self.return_sequences:
            dstate = None
        else:
            others = [np.zeros_like(dy)] * (self.cell.states - 1)
            dy, dstate = None, (dy, *others)
        dx, *self.gradients, _ = unroll_backward(dy, dstate, self.trace, self.window)
        return dx


class SimpleRNN(Recurrent):
    """The plain cell over time; arguments as :class:`Recurrent`."""

    def __init__(self, units: int, return_sequences: bool = False, window: int | None = None) -> None:
        super().__init__(SimpleCell(), units, return_sequences, window)


class LSTM(Recurrent):
    """The LSTM over time; arguments as :class:`Recurrent`.

    Parameters
    ----------
    forget_bias : float
        Where the bias of the forget gate starts.
    """

    def __init__(
        self, units: int, return_sequences: bool = False, window: int | None = None, forget_bias: float = 1.0
    ) -> None:
        super().__init__(LSTMCell(), units, return_sequences, window)
        self.forget_bias = forget_bias

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        output = super().build(shape, generator, dtype)
        self.parameters[2][self.units : 2 * self.units] = self.forget_bias
        return output


class GRU(Recurrent):
    """The GRU over time; arguments as :class:`Recurrent` and :class:`utils.scratch.cells.GRUCell`."""

    def __init__(
        self, units: int, return_sequences: bool = False, window: int | None = None, reset_after: bool = True
    ) -> None:
        super().__init__(GRUCell(reset_after), units, return_sequences, window)


class Bidirectional(Layer):
    """Two layers of one kind, one of which reads from the end, with their outputs side by side.

    Where all outputs are returned, those of one step stand together: the second layer's are turned round again. Those
    of masked steps are zeros, as in Keras.

    Source: M. Schuster and K. K. Paliwal, *Bidirectional Recurrent Neural Networks*, 1997.

    Parameters
    ----------
    layer : Recurrent
        The layer that reads from the start; the other is a copy of it with weights of its own.
    """

    takes_mask = True

    def __init__(self, layer: Recurrent) -> None:
        super().__init__()
        self.ahead = layer
        self.back = deepcopy(layer)
        self.real: np.ndarray | None = None

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        *time, units = self.ahead.build(shape, generator, dtype)
        self.back.build(shape, generator, dtype)
        self.parameters = self.ahead.parameters + self.back.parameters
        return (*time, 2 * units)

    def forward(self, x: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
        turned = None if mask is None else mask[:, ::-1]
        of_back = self.back.forward(x[:, ::-1], turned)
        y = np.concatenate([self.ahead.forward(x, mask), self._turn(of_back)], axis=-1)
        self.real = mask[..., None] if mask is not None and self.ahead.return_sequences else None
        return y if self.real is None else y * self.real

    def backward(self, dy: np.ndarray) -> np.ndarray:
        of_ahead, of_back = np.split(dy if self.real is None else dy * self.real, 2, axis=-1)
        dx = self.ahead.backward(of_ahead) + self.back.backward(self._turn(of_back))[:, ::-1]
        self.gradients = self.ahead.gradients + self.back.gradients
        return dx

    def _turn(self, y: np.ndarray) -> np.ndarray:
        """Turn outputs of all steps round; a last output has no order."""
        return y[:, ::-1] if self.ahead.return_sequences else y
