"""One time step of the three recurrent cells, forward and backward, with Keras's order of the gates.

A step is handed ``a``, what the input adds to all of its sums: ``x_t w + b``. It does not depend on the state, so
:mod:`utils.scratch.recurrent` computes it for all steps in one product. Weights of several gates lie side by side in
blocks of one matrix, ``w`` (inputs, blocks · units) and ``u`` (units, blocks · units).
"""

from typing import Any

import numpy as np

from utils.scratch.activations import sigmoid, sigmoid_backward, tanh, tanh_backward

State = tuple[np.ndarray, ...]


class Cell:
    """What all cells share.

    Attributes
    ----------
    blocks : int
        Blocks of weights, one for each gate or candidate.
    states : int
        Arrays (batch, units) that a step hands to the next one; the first is the output.
    """

    blocks = 1
    states = 1

    def bias_shape(self, units: int) -> tuple[int, ...]:
        """Return the shape of the bias ``b``."""
        return (self.blocks * units,)

    def step(self, a: np.ndarray, state: State, u: np.ndarray, b: np.ndarray) -> tuple[State, Any]:
        """Take one step.

        Parameters
        ----------
        a : numpy.ndarray
            ``x_t w + b``, shape (batch, blocks · units).
        state : tuple of numpy.ndarray
            What the step before handed on.
        u : numpy.ndarray
            Recurrent weights, shape (units, blocks · units).
        b : numpy.ndarray
            The bias; only a cell with a second row in it uses it here.

        Returns
        -------
        state : tuple of numpy.ndarray
            What the next step gets.
        saved
            What :meth:`step_backward` needs.
        """
        raise NotImplementedError

    def step_backward(
        self, dstate: State, saved: Any, u: np.ndarray
    ) -> tuple[np.ndarray, State, np.ndarray, np.ndarray]:
        """Take one step back.

        Parameters
        ----------
        dstate : tuple of numpy.ndarray
            Gradients with respect to the state after the step.
        saved
            As :meth:`step` returned it.
        u : numpy.ndarray
            As it was handed to :meth:`step`.

        Returns
        -------
        da : numpy.ndarray
            Gradient with respect to ``a``.
        dstate : tuple of numpy.ndarray
            Gradients with respect to the state before the step.
        du : numpy.ndarray
            This step's share of the gradient with respect to ``u``.
        drecurrent : numpy.ndarray
            Gradient with respect to the sums that the recurrent product enters: ``da``, unless a gate stands between.
        """
        raise NotImplementedError


class SimpleCell(Cell):
    """The plain cell, ``h = tanh(a + h' u)`` with the state ``h'`` before.

    Source: J. L. Elman, *Finding Structure in Time*, 1990.
    """

    def step(self, a: np.ndarray, state: State, u: np.ndarray, b: np.ndarray) -> tuple[State, Any]:
        (before,) = state
        h = tanh(a + before @ u)  # (batch, units)
        return (h,), (before, h)

    def step_backward(
        self, dstate: State, saved: Any, u: np.ndarray
    ) -> tuple[np.ndarray, State, np.ndarray, np.ndarray]:
        before, h = saved
        da = tanh_backward(dstate[0], h)
        return da, (da @ u.T,), before.T @ da, da


class LSTMCell(Cell):
    """The LSTM cell; blocks: input gate, forget gate, candidate, output gate. The state is (h, c).

    Source: S. Hochreiter and J. Schmidhuber, *Long Short-Term Memory*, 1997; the forget gate is that of F. A. Gers,
    J. Schmidhuber and F. Cummins, *Learning to Forget*, 2000.
    """

    blocks = 4
    states = 2

    def step(self, a: np.ndarray, state: State, u: np.ndarray, b: np.ndarray) -> tuple[State, Any]:
        before, memory = state
        units = len(u)
        sums = a + before @ u  # (batch, 4 · units)
        gates = sigmoid(sums)  # the candidate's block of it is not used: one call is faster than three
        i, f, o = gates[:, :units], gates[:, units : 2 * units], gates[:, 3 * units :]
        g = tanh(sums[:, 2 * units : 3 * units])
        c = f * memory + i * g
        squashed = tanh(c)
        return (o * squashed, c), (before, memory, i, f, g, o, squashed)

    def step_backward(
        self, dstate: State, saved: Any, u: np.ndarray
    ) -> tuple[np.ndarray, State, np.ndarray, np.ndarray]:
        before, memory, i, f, g, o, squashed = saved
        dh, dc = dstate
        dc = dc + tanh_backward(dh * o, squashed)
        da = np.concatenate(
            [
                sigmoid_backward(dc * g, i),
                sigmoid_backward(dc * memory, f),
                tanh_backward(dc * i, g),
                sigmoid_backward(dh * squashed, o),
            ],
            axis=1,
        )
        return da, (da @ u.T, dc * f), before.T @ da, da


class GRUCell(Cell):
    """The GRU cell; blocks: update gate, reset gate, candidate.

    Source: K. Cho et al., *Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
    Translation*, 2014.

    Parameters
    ----------
    reset_after : bool
        Whether the reset gate multiplies ``h' u + b`` of the candidate, as Keras does by default, with a bias of two
        rows; else it multiplies the state before the product, as in the paper.
    """

    blocks = 3

    def __init__(self, reset_after: bool = True) -> None:
        self.reset_after = reset_after

    def bias_shape(self, units: int) -> tuple[int, ...]:
        return (2, 3 * units) if self.reset_after else (3 * units,)

    def step(self, a: np.ndarray, state: State, u: np.ndarray, b: np.ndarray) -> tuple[State, Any]:
        (before,) = state
        two = 2 * len(u)  # the columns of both gates
        if self.reset_after:
            recurrent = before @ u + b[1]  # (batch, 3 · units)
            z, r = np.split(sigmoid(a[:, :two] + recurrent[:, :two]), 2, axis=1)
            product = recurrent[:, two:]
            g = tanh(a[:, two:] + r * product)
        else:
            z, r = np.split(sigmoid(a[:, :two] + before @ u[:, :two]), 2, axis=1)
            product = None
            g = tanh(a[:, two:] + (r * before) @ u[:, two:])
        return (z * before + (1 - z) * g,), (before, z, r, g, product)

    def step_backward(
        self, dstate: State, saved: Any, u: np.ndarray
    ) -> tuple[np.ndarray, State, np.ndarray, np.ndarray]:
        before, z, r, g, product = saved
        (dh,) = dstate
        two = 2 * len(u)
        dg = tanh_backward(dh * (1 - z), g)  # with respect to the candidate's sum
        dz = sigmoid_backward(dh * (before - g), z)
        if self.reset_after:
            dr = sigmoid_backward(dg * product, r)
            da = np.concatenate([dz, dr, dg], axis=1)
            drecurrent = np.concatenate([dz, dr, dg * r], axis=1)
            return da, (dh * z + drecurrent @ u.T,), before.T @ drecurrent, drecurrent
        dreset = dg @ u[:, two:].T  # with respect to r * before
        dr = sigmoid_backward(dreset * before, r)
        da = np.concatenate([dz, dr, dg], axis=1)
        dbefore = dh * z + dreset * r + da[:, :two] @ u[:, :two].T
        du = np.concatenate([before.T @ da[:, :two], (r * before).T @ dg], axis=1)
        return da, (dbefore,), du, da
