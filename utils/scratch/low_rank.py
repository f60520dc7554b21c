"""Low-rank adaptation of a dense layer, forward and backward: weights that stay, and a narrow path beside them."""

import numpy as np

from utils.scratch.dense import dense
from utils.scratch.network import Dense, Layer, rows


def low_rank(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, down: np.ndarray, up: np.ndarray, scale: float = 1.0
) -> np.ndarray:
    """Return ``x w + b + scale · (x A) B``, with ``A`` the matrix down to the rank and ``B`` the one up from it.

    Source: E. J. Hu et al., *LoRA: Low-Rank Adaptation of Large Language Models*, 2021, equation 3. There inputs are
    columns, so ``BA`` of the paper is ``AB`` here, transposed; ``scale`` is its α/r.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (batch, inputs).
    w, b : numpy.ndarray
        Shapes (inputs, units) and (units,): they are frozen.
    down, up : numpy.ndarray
        A and B, shapes (inputs, rank) and (rank, units).
    scale : float
        Of what the path adds.

    Returns
    -------
    numpy.ndarray
        Shape (batch, units).

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    _check(w, down, up)
    return dense(x, w, b) + scale * ((x @ down) @ up)


def low_rank_backward(
    dy: np.ndarray, x: np.ndarray, w: np.ndarray, down: np.ndarray, up: np.ndarray, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of a loss with respect to the input and to both matrices of :func:`low_rank`.

    Parameters
    ----------
    dy : numpy.ndarray
        Gradient with respect to the output, shape (batch, units).
    x, w, down, up : numpy.ndarray
        As they were handed to :func:`low_rank`.
    scale : float
        As there.

    Returns
    -------
    dx, ddown, dup : numpy.ndarray
        Shapes (batch, inputs), (inputs, rank) and (rank, units). The weights and the bias need none.
    """
    narrow = scale * (dy @ up.T)  # (batch, rank)
    return dy @ w.T + narrow @ down.T, x.T @ narrow, scale * (x @ down).T @ dy


def merge(w: np.ndarray, down: np.ndarray, up: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Return ``w + scale · A B``, weights of a dense layer that computes what :func:`low_rank` does.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    _check(w, down, up)
    return w + scale * (down @ up)


def size(shapes: list[tuple[int, int]], rank: int) -> int:
    """Return how many numbers the adapters of dense layers have, ``rank · (inputs + units)`` each."""
    return sum(rank * (inputs + units) for inputs, units in shapes)


def nearest(change: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the two matrices of a rank whose product is nearest to a change of weights, in the sum of squares.

    Source: C. Eckart and G. Young, *The approximation of one matrix by another of lower rank*, 1936: keep the largest
    singular values. Their roots go to both sides.

    Parameters
    ----------
    change : numpy.ndarray
        Shape (inputs, units).
    rank : int
        At most the smaller of both.

    Returns
    -------
    down, up : numpy.ndarray
        Shapes (inputs, rank) and (rank, units).

    Raises
    ------
    ValueError
        If the rank does not fit.
    """
    _check_rank(rank, change.shape)
    left, values, right = np.linalg.svd(change, full_matrices=False)
    root = np.sqrt(values[:rank])
    return left[:, :rank] * root, root[:, None] * right[:rank]


def kept(change: np.ndarray) -> np.ndarray:
    """Return the share of a change's sum of squares that its best approximations keep, by rank from 1 on.

    A change of zeros has nothing to keep: all shares are 1.
    """
    squares = np.linalg.svd(change, compute_uv=False) ** 2
    total = squares.sum()
    return np.cumsum(squares) / total if total else np.ones(len(squares))


class LowRank(Layer):
    """A dense layer that stays as it is, with a path of low rank beside it that learns.

    Parameters
    ----------
    layer : Dense
        Built, or to be built as part of the network. Its parameters are no parameters of this layer.
    rank : int
        Width of the path.
    alpha : float
        The path is multiplied by ``alpha / rank``.
    """

    def __init__(self, layer: Dense, rank: int, alpha: float = 1.0) -> None:
        super().__init__()
        self.layer = layer
        self.rank = rank
        self.scale = alpha / rank

    def build(self, shape: tuple[int, ...], generator: np.random.Generator, dtype: np.dtype) -> tuple[int, ...]:
        """Draw A with variance 1 / inputs, and set B to zero: at first the layer is the dense layer alone."""
        outputs = (*shape[:-1], self.layer.units)
        if not self.layer.parameters:
            self.layer.build(shape, generator, dtype)
        _check_rank(self.rank, self.layer.parameters[0].shape)
        down = generator.normal(size=(shape[-1], self.rank)) / np.sqrt(shape[-1])
        self.parameters = [down.astype(dtype), np.zeros((self.rank, self.layer.units), dtype)]
        return outputs

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        y = low_rank(rows(x), *self.layer.parameters, *self.parameters, self.scale)
        return y.reshape(*x.shape[:-1], self.layer.units)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        w, _ = self.layer.parameters
        dx, *self.gradients = low_rank_backward(rows(dy), rows(self.x), w, *self.parameters, self.scale)
        return dx.reshape(self.x.shape)

    def merged(self) -> Dense:
        """Return a dense layer that computes the same, with weights of its own."""
        w, b = self.layer.parameters
        merged = Dense(self.layer.units)
        merged.parameters = [merge(w, *self.parameters, self.scale), b.copy()]
        return merged


def _check(w: np.ndarray, down: np.ndarray, up: np.ndarray) -> None:
    """Raise where the path does not lead from the inputs of the weights to their units."""
    if down.ndim != 2 or up.ndim != 2 or down.shape[1] != up.shape[0] or (len(down), up.shape[1]) != w.shape:
        raise ValueError(
            f"The weights have shape {w.shape}, A {down.shape} and B {up.shape}: expected (n, m), (n, r) and (r, m)."
        )


def _check_rank(rank: int, shape: tuple[int, ...]) -> None:
    if not 1 <= rank <= min(shape):
        raise ValueError(f"A rank of {rank} does not fit weights of shape {shape}: take 1 to {min(shape)}.")
