"""What the tests of utils share: random geometries and sequences, and gradients by central differences."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from utils.scratch.cells import Cell, GRUCell, LSTMCell, SimpleCell, State

CELLS = {
    "plain": SimpleCell(),
    "LSTM": LSTMCell(),
    "GRU": GRUCell(),
    "GRU, reset before": GRUCell(reset_after=False),
}


def central_differences(function: Callable[[], float], x: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Return the gradient of a function of ``x``, which is changed in place and restored, element by element."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + step
        above = function()
        x[index] = value - step
        below = function()
        x[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient


@dataclass(frozen=True)
class Case:
    """One convolution: shapes and options."""

    batch: int
    size: tuple[int, int]
    channels: int
    filters: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: str
    seed: int

    @property
    def options(self) -> tuple:
        """Arguments of ``conv2d`` after the bias."""
        return self.stride, self.padding, self.dilation

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Input, kernels and bias, without any symmetry."""
        rng = np.random.default_rng(self.seed)
        x = rng.normal(size=(self.batch, *self.size, self.channels))
        w = rng.normal(size=(*self.kernel, self.channels, self.filters))
        return x, w, rng.normal(size=self.filters)


@st.composite
def convolutions(draw: st.DrawFn, both: bool = True, largest: int = 3) -> Case:
    """Draw a convolution; without ``both``, stride or dilation is 1, as Keras asks."""
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    stride, dilation = draw(pairs), draw(pairs)
    if not both and max(stride) > 1 and max(dilation) > 1:
        if draw(st.booleans()):
            stride = (1, 1)
        else:
            dilation = (1, 1)
    padding = draw(st.sampled_from(["valid", "same"]))
    size = []
    for k, d in zip(kernel, dilation, strict=True):
        smallest = (k - 1) * d + 1 if padding == "valid" else 1
        size.append(draw(st.integers(smallest, smallest + 5)))
    batch, channels, filters = draw(st.tuples(*[st.integers(1, largest)] * 3))
    return Case(batch, tuple(size), channels, filters, kernel, stride, dilation, padding, draw(st.integers(0, 9999)))


@dataclass(frozen=True)
class Pooling:
    """One pooling: shapes and options."""

    shape: tuple[int, int, int, int]
    size: tuple[int, int]
    stride: tuple[int, int] | None
    padding: str
    seed: int

    @property
    def options(self) -> tuple:
        """Arguments of a pooling after its input."""
        return self.size, self.stride, self.padding

    def distinct(self) -> np.ndarray:
        """Return an input whose elements lie at least 0.1 apart."""
        rng = np.random.default_rng(self.seed)
        return 0.1 * (rng.permutation(np.prod(self.shape)).reshape(self.shape) - 20.0)

    def tied(self) -> np.ndarray:
        """Return an input of few values, so that most windows have several largest elements."""
        return np.random.default_rng(self.seed).integers(-1, 2, self.shape).astype(float)


@st.composite
def poolings(draw: st.DrawFn) -> Pooling:
    """Draw a pooling whose stride is its size, smaller or larger."""
    size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    stride = draw(st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4)))
    padding = draw(st.sampled_from(["valid", "same"]))
    height, width = (draw(st.integers(k if padding == "valid" else 1, k + 5)) for k in size)
    shape = (draw(st.integers(1, 2)), height, width, draw(st.integers(1, 3)))
    return Pooling(shape, size, stride, padding, draw(st.integers(0, 9999)))


@dataclass(frozen=True)
class Sequences:
    """One batch of sequences for a recurrent cell: sizes, and for every row which steps are real."""

    rows: tuple[tuple[bool, ...], ...]
    inputs: int
    units: int
    seed: int
    masked: bool = True

    @property
    def mask(self) -> np.ndarray | None:
        """Return the mask, or none if all steps are real."""
        return np.array(self.rows, bool) if self.masked else None

    def arrays(self, cell: Cell) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, State]:
        """Input, weights, bias and initial state, without any symmetry."""
        rng = np.random.default_rng(self.seed)
        sums, shape = cell.blocks * self.units, (len(self.rows), self.units)
        x = rng.normal(size=(len(self.rows), len(self.rows[0]), self.inputs))
        w, u = rng.normal(size=(self.inputs, sums)), rng.normal(size=(self.units, sums))
        b = rng.normal(size=cell.bias_shape(self.units))
        return x, w, u, b, tuple(rng.normal(size=shape) for _ in range(cell.states))

    def weighting(self, cell: Cell) -> tuple[np.ndarray, State]:
        """Return what a loss multiplies the outputs with, and what the states: the gradients that it sends back."""
        rng = np.random.default_rng(self.seed + 1)
        dy = rng.normal(size=(len(self.rows), len(self.rows[0]), self.units))
        return dy, tuple(rng.normal(size=(len(self.rows), self.units)) for _ in range(cell.states))


# A row without padding, one padded on the right, one on the left, one with holes, and one without any real step.
RAGGED = Sequences(((1, 1, 1, 1), (1, 1, 0, 0), (0, 0, 1, 1), (0, 1, 0, 1), (0, 0, 0, 0)), inputs=2, units=3, seed=1)


@st.composite
def sequences(draw: st.DrawFn) -> Sequences:
    """Draw a batch of up to three sequences of up to five steps, half of them with a mask."""
    batch, time, inputs, units = draw(st.tuples(st.integers(1, 3), st.integers(1, 5), *[st.integers(1, 3)] * 2))
    masked = draw(st.booleans())
    row = st.lists(st.booleans() if masked else st.just(True), min_size=time, max_size=time).map(tuple)
    rows = draw(st.lists(row, min_size=batch, max_size=batch).map(tuple))
    return Sequences(rows, inputs, units, draw(st.integers(0, 9999)), masked)
