"""Reverse-mode automatic differentiation of arrays, derived in the chapter ``learning``.

A :class:`Tensor` remembers which tensors it was computed from and how a gradient steps back to each of them;
:func:`gradients` walks that graph from a loss back to what it depends on. NumPy arrays and numbers are constants: they
mix with tensors freely, and no gradient is computed for them.

Source: A. G. Baydin, B. A. Pearlmutter, A. A. Radul and J. M. Siskind, *Automatic Differentiation in Machine Learning:
a Survey*, 2018, section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

StepBack = Callable[[np.ndarray], np.ndarray]
Axis = int | tuple[int, ...] | None


class Tensor:
    """An array whose computation is remembered.

    Parameters
    ----------
    value : numpy.ndarray or float
        Floats of any shape. An array is not copied: an optimizer that changes it in place changes the tensor. Results
        of operations are read-only.
    parents : sequence of pair
        What it was computed from, each with the function that takes the gradient with respect to this tensor to that
        parent's share; empty for a tensor that is not computed.

    Raises
    ------
    TypeError
        If the value is not of floats, or a tensor is changed in place.
    """

    __array_ufunc__ = None  # array + tensor is handed to Tensor.__radd__

    def __init__(self, value: np.ndarray | float, parents: Sequence[tuple[Tensor, StepBack]] = ()) -> None:
        self.value = np.asarray(value)
        self.parents = parents
        if not np.issubdtype(self.value.dtype, np.floating):
            raise TypeError(f"A tensor holds floats, not {self.value.dtype}: whole numbers have no gradient.")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.value.shape

    def __repr__(self) -> str:
        return f"Tensor(shape={self.shape}, dtype={self.value.dtype})"

    def __add__(self, other: Operand) -> Tensor:
        return _result(_value(self) + _value(other), (self, lambda g: g), (other, lambda g: g))

    def __sub__(self, other: Operand) -> Tensor:
        return self + -other

    def __mul__(self, other: Operand) -> Tensor:
        x, y = _value(self), _value(other)
        return _result(x * y, (self, lambda g: g * y), (other, lambda g: g * x))

    def __truediv__(self, other: Operand) -> Tensor:
        return _quotient(self, other)

    def __matmul__(self, other: Operand) -> Tensor:
        return matmul(self, other)

    def __pow__(self, exponent: float) -> Tensor:
        if isinstance(exponent, Tensor):
            raise TypeError("The exponent must be a number: for a tensor y write exp(y * log(x)).")
        x = self.value
        return _result(x**exponent, (self, lambda g: g * exponent * x ** (exponent - 1)))

    def __neg__(self) -> Tensor:
        return _result(-self.value, (self, lambda g: -g))

    __radd__ = __add__

    def __rsub__(self, other: Operand) -> Tensor:
        return -self + other

    __rmul__ = __mul__

    def __rtruediv__(self, other: Operand) -> Tensor:
        return _quotient(other, self)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return matmul(other, self)

    def __getitem__(self, index: Any) -> Tensor:
        """Return the elements of an index as NumPy's; an element that is taken several times gets all gradients."""

        def scatter(g: np.ndarray) -> np.ndarray:
            whole = np.zeros_like(self.value)
            np.add.at(whole, index, g)
            return whole

        return _result(self.value[index], (self, scatter))

    def _in_place(self, *_: Any) -> None:
        raise TypeError(
            "A tensor is not changed in place, since the way back needs its value: write y = x + 1 instead of x += 1, "
            "and use where or concatenate instead of x[i] = y. An optimizer changes x.value."
        )

    __setitem__ = __iadd__ = __isub__ = __imul__ = __itruediv__ = __imatmul__ = __ipow__ = _in_place

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the sum over an axis, several, or all."""
        shape, kept = self.shape, self.value.sum(axis=axis, keepdims=True).shape
        return _result(
            self.value.sum(axis=axis, keepdims=keepdims), (self, lambda g: np.broadcast_to(g.reshape(kept), shape))
        )

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the mean over an axis, several, or all."""
        total = self.sum(axis, keepdims)
        return total * (total.value.size / self.value.size)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Return the largest element along an axis, several, or all; equal ones share its gradient, as in Keras."""
        largest = self.value.max(axis=axis, keepdims=True)
        winners = self.value == largest
        shares = winners / winners.sum(axis=axis, keepdims=True, dtype=self.value.dtype)
        return _result(
            self.value.max(axis=axis, keepdims=keepdims), (self, lambda g: g.reshape(largest.shape) * shares)
        )

    def reshape(self, *shape: int) -> Tensor:
        """Return the same elements in another shape, in C order."""
        return _result(self.value.reshape(shape), (self, lambda g: g.reshape(self.shape)))

    def transpose(self, *axes: int) -> Tensor:
        """Return the tensor with its axes in another order: axis i of the result is ``axes[i]``."""
        back = np.argsort([i % self.value.ndim for i in axes])
        return _result(self.value.transpose(axes), (self, lambda g: g.transpose(back)))


Operand = Tensor | np.ndarray | float


def gradients(loss: Tensor, tensors: Sequence[Tensor]) -> list[np.ndarray]:
    """Return the gradients of a loss with respect to tensors that it depends on, those computed on the way included.

    Parameters
    ----------
    loss : Tensor
        One number, of any shape.
    tensors : sequence of Tensor
        With respect to which; zeros come back for one that the loss does not depend on.

    Returns
    -------
    list of numpy.ndarray
        New arrays, in the shapes of the tensors.

    Raises
    ------
    ValueError
        If the loss has more than one element.
    """
    if loss.value.size != 1:
        raise ValueError(f"The loss has shape {loss.shape}: expected one number, such as its sum() or mean().")
    wanted = {id(tensor) for tensor in tensors}
    found = {id(loss): np.ones_like(loss.value)}
    for tensor in reversed(topological_order(loss)):
        gradient = found[id(tensor)] if id(tensor) in wanted else found.pop(id(tensor))
        for parent, step_back in tensor.parents:
            share = _unbroadcast(step_back(gradient), parent.shape)
            found[id(parent)] = found[id(parent)] + share if id(parent) in found else share
    return [np.array(found.get(id(tensor), np.zeros_like(tensor.value))) for tensor in tensors]


def topological_order(loss: Tensor) -> list[Tensor]:
    """Return all tensors that one was computed from, each after its own parents; the last is the tensor itself."""
    order: list[Tensor] = []
    seen = set()
    stack = [(loss, False)]
    while stack:  # no recursion: a recurrent network's graph is deeper than Python's stack
        tensor, parents_done = stack.pop()
        if parents_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack += [(parent, False) for parent, _ in tensor.parents]
    return order


def matmul(x: Operand, y: Operand) -> Tensor:
    """Return the matrix product of (..., n, k) and (..., k, m); leading axes broadcast.

    Raises
    ------
    ValueError
        If one of them is no matrix, or the shapes do not fit.
    """
    a, b = _value(x), _value(y)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-2]:
        raise ValueError(f"The factors have shapes {a.shape} and {b.shape}: expected (..., n, k) and (..., k, m).")
    return _result(a @ b, (x, lambda g: g @ b.swapaxes(-1, -2)), (y, lambda g: a.swapaxes(-1, -2) @ g))


def exp(x: Tensor) -> Tensor:
    """Return the exponential of each element."""
    y = np.exp(x.value)
    return _result(y, (x, lambda g: g * y))


def log(x: Tensor) -> Tensor:
    """Return the natural logarithm of each element."""
    return _result(np.log(x.value), (x, lambda g: g / x.value))


def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent of each element."""
    y = np.tanh(x.value)
    return _result(y, (x, lambda g: g * (1 - y**2)))


def where(mask: np.ndarray, x: Operand, y: Operand) -> Tensor:
    """Return ``x`` where a mask of booleans is true, and ``y`` elsewhere; all three broadcast."""
    return _result(
        np.where(mask, _value(x), _value(y)), (x, lambda g: np.where(mask, g, 0)), (y, lambda g: np.where(mask, 0, g))
    )


def maximum(x: Operand, y: Operand) -> Tensor:
    """Return the larger of two elements; of equal ones, the first gets the gradient, as on TensorFlow."""
    return where(_value(x) >= _value(y), x, y)


def relu(x: Tensor) -> Tensor:
    """Return ``max(x, 0)`` for each element; at 0 the slope counts as 0, as in Keras."""
    return maximum(0.0, x)


def concatenate(tensors: Sequence[Operand], axis: int = 0) -> Tensor:
    """Return tensors joined along an axis that all of them have."""
    values = [_value(tensor) for tensor in tensors]
    ends = np.cumsum([value.shape[axis] for value in values])

    def cut(position: int) -> StepBack:
        return lambda g: np.split(g, ends[:-1], axis=axis)[position]

    return _result(
        np.concatenate(values, axis=axis), *((tensor, cut(position)) for position, tensor in enumerate(tensors))
    )


def stack(tensors: Sequence[Operand], axis: int = 0) -> Tensor:
    """Return tensors of one shape joined along a new axis."""

    def take(position: int) -> StepBack:
        return lambda g: np.take(g, position, axis=axis)

    return _result(
        np.stack([_value(tensor) for tensor in tensors], axis=axis),
        *((tensor, take(position)) for position, tensor in enumerate(tensors)),
    )


def _quotient(x: Operand, y: Operand) -> Tensor:
    a, b = _value(x), _value(y)
    return _result(a / b, (x, lambda g: g / b), (y, lambda g: -g * a / b**2))


def _result(value: np.ndarray, *steps: tuple[Operand, StepBack]) -> Tensor:
    """Return what was computed, with the way back to those operands that are tensors."""
    result = Tensor(value, [step for step in steps if isinstance(step[0], Tensor)])
    result.value.flags.writeable = False
    return result


def _value(operand: Operand) -> np.ndarray | float:
    return operand.value if isinstance(operand, Tensor) else operand


def _unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Add up a gradient over the axes along which an operand of that shape was repeated."""
    extra = gradient.ndim - len(shape)
    stretched = [extra + i for i, n in enumerate(shape) if n == 1 and gradient.shape[extra + i] != 1]
    axes = (*range(extra), *stretched)
    return gradient.sum(axis=axes).reshape(shape) if axes else gradient
