"""A recurrent cell unrolled over time, and backpropagation through time."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.scratch.cells import Cell, State


@dataclass
class Trace:
    """What the backward pass needs from the forward pass."""

    cell: Cell
    x: np.ndarray
    w: np.ndarray
    u: np.ndarray
    b: np.ndarray
    mask: np.ndarray | None
    started: np.ndarray | None
    saved: list[Any]


def unroll(
    cell: Cell,
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    b: np.ndarray,
    mask: np.ndarray | None = None,
    initial: State | None = None,
) -> tuple[np.ndarray, State, Trace]:
    """Run a cell over a batch of sequences.

    A masked step does not exist for its sequence: the state is handed on as it was, and the output of the step before
    is repeated. Before its first real step a sequence puts out zeros, as in Keras. What the input holds at a masked
    step changes nothing as long as it is finite: a NaN would make the gradients NaN.

    Parameters
    ----------
    cell : Cell
        What a step computes.
    x : numpy.ndarray
        Shape (batch, time, inputs).
    w, u, b : numpy.ndarray
        Shapes (inputs, blocks · units), (units, blocks · units) and ``cell.bias_shape(units)``.
    mask : numpy.ndarray, optional
        Shape (batch, time), true where a step is real; by default all are.
    initial : tuple of numpy.ndarray, optional
        State before the first step, ``cell.states`` arrays (batch, units); zeros by default.

    Returns
    -------
    y : numpy.ndarray
        The output after every step, shape (batch, time, units).
    state : tuple of numpy.ndarray
        State after the last step; the initial one where no step is real.
    trace : Trace
        For :func:`unroll_backward`.

    Raises
    ------
    ValueError
        If the shapes do not fit or the mask is not of booleans.
    """
    _check(cell, x, w, u, b, mask, initial)
    batch, time, _ = x.shape
    units = len(u)
    a = x @ w + (b[0] if b.ndim == 2 else b)  # (batch, time, blocks · units): all steps at once
    if initial is None:
        initial = (np.zeros((batch, units), a.dtype),) * cell.states
    state = initial
    y = np.empty((batch, time, units), a.dtype)
    saved = []
    for t in range(time):
        new, kept = cell.step(a[:, t], state, u, b)
        saved.append(kept)
        state = new if mask is None else _where(mask[:, t], new, state)
        y[:, t] = state[0]
    started = None
    if mask is not None:
        started = np.logical_or.accumulate(mask, axis=1)[..., None]  # (batch, time, 1)
        y = y * started
    return y, state, Trace(cell, x, w, u, b, mask, started, saved)


def unroll_backward(
    dy: np.ndarray | None, dstate: State | None, trace: Trace, window: int | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, State]:
    """Return the gradients of a loss through all steps of :func:`unroll`: backpropagation through time.

    Source: P. J. Werbos, *Backpropagation Through Time: What It Does and How to Do It*, 1990.

    Parameters
    ----------
    dy : numpy.ndarray, optional
        Gradient with respect to the output of every step, shape (batch, time, units); zeros by default.
    dstate : tuple of numpy.ndarray, optional
        Gradients with respect to the state after the last step; zeros by default.
    trace : Trace
        As :func:`unroll` returned it.
    window : int, optional
        Truncates: no gradient passes from one window of so many steps to the one before, as if each window's initial
        state were a constant. Windows are counted from the first step, padding included. The forward pass is not
        touched.

    Returns
    -------
    dx, dw, du, db : numpy.ndarray
        In the shapes of ``x``, ``w``, ``u`` and ``b``.
    dinitial : tuple of numpy.ndarray
        In the shapes of the initial state; zeros if truncation cuts it off.

    Raises
    ------
    ValueError
        If the window is shorter than one step.
    """
    if window is not None and window < 1:
        raise ValueError(f"The window has {window} steps: expected at least 1.")
    cell, x, w, u, mask = trace.cell, trace.x, trace.w, trace.u, trace.mask
    batch, time, inputs = x.shape
    units, sums = u.shape
    zeros = (np.zeros((batch, units), w.dtype),) * cell.states
    state = zeros if dstate is None else dstate
    da = np.empty((batch, time, sums), w.dtype)
    du, db_recurrent = np.zeros_like(u), np.zeros(sums, w.dtype)
    for t in reversed(range(time)):
        if dy is not None:
            dh = dy[:, t] if trace.started is None else dy[:, t] * trace.started[:, t]
            state = (state[0] + dh, *state[1:])
        new = state if mask is None else _where(mask[:, t], state, zeros)
        da[:, t], before, share, drecurrent = cell.step_backward(new, trace.saved[t], u)
        du += share
        db_recurrent += drecurrent.sum(axis=0)
        state = before if mask is None else _where(mask[:, t], before, state)
        if window is not None and t > 0 and t % window == 0:
            state = zeros
    dw = x.reshape(-1, inputs).T @ da.reshape(-1, sums)
    db = da.sum(axis=(0, 1))
    if trace.b.ndim == 2:
        db = np.stack([db, db_recurrent])
    return da @ w.T, dw, du, db, state


def _where(real: np.ndarray, new: State, old: State) -> State:
    """Take the new state of the sequences for which the step is real, and the old one of the others."""
    return tuple(np.where(real[:, None], a, b) for a, b in zip(new, old, strict=True))


def _check(
    cell: Cell,
    x: np.ndarray,
    w: np.ndarray,
    u: np.ndarray,
    b: np.ndarray,
    mask: np.ndarray | None,
    initial: State | None,
) -> None:
    """Raise with one sentence if the shapes do not fit."""
    if x.ndim != 3:
        raise ValueError(f"The input has shape {x.shape}: expected (batch, time, inputs).")
    units = len(u)
    sums = cell.blocks * units
    found = w.shape, u.shape, b.shape
    expected = (x.shape[2], sums), (units, sums), cell.bias_shape(units)
    if found != expected:
        raise ValueError(f"The weights w, u and b have shapes {found}: expected {expected} for input {x.shape}.")
    if mask is not None and (mask.shape != x.shape[:2] or mask.dtype != bool):
        raise ValueError(
            f"The mask has shape {mask.shape} and dtype {mask.dtype}: expected booleans of shape {x.shape[:2]}."
        )
    if initial is not None and [s.shape for s in initial] != [(len(x), units)] * cell.states:
        raise ValueError(
            f"The initial state has shapes {[s.shape for s in initial]}: expected {cell.states} of {(len(x), units)}."
        )
