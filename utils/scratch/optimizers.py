"""Optimizers that change a list of arrays in place, with Keras's conventions."""

import numpy as np


def clip_by_norm(gradients: list[np.ndarray], limit: float) -> tuple[list[np.ndarray], float]:
    """Scale gradients down together where their norm exceeds a limit; their direction stays.

    Source: R. Pascanu, T. Mikolov and Y. Bengio, *On the difficulty of training recurrent neural networks*, 2013,
    algorithm 1; ``global_clipnorm`` of Keras's optimizers.

    Parameters
    ----------
    gradients : list of numpy.ndarray
        Of all parameters.
    limit : float
        Largest norm that is left as it is.

    Returns
    -------
    clipped : list of numpy.ndarray
        New arrays, or those given if nothing had to be done.
    norm : float
        Before clipping: the root of the sum of all squares.
    """
    norm = float(np.sqrt(sum((gradient * gradient).sum(dtype=float) for gradient in gradients)))
    if norm <= limit:
        return gradients, norm
    return [gradient * (limit / norm) for gradient in gradients], norm


class SGD:
    """Stochastic gradient descent, with momentum if asked for.

    Parameters
    ----------
    learning_rate : float
        Step size.
    momentum : float
        Share of the last step that is kept, in [0, 1): ``v = momentum · v - learning_rate · g``, then ``w += v``.
    """

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.0) -> None:
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocities: list[np.ndarray] = []

    def update(self, parameters: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """Take one step.

        Parameters
        ----------
        parameters : list of numpy.ndarray
            Changed in place; the same list in every call.
        gradients : list of numpy.ndarray
            Of the same shapes, in the same order.
        """
        if not self.velocities:
            self.velocities = [np.zeros_like(parameter) for parameter in parameters]
        for parameter, gradient, velocity in zip(parameters, gradients, self.velocities, strict=True):
            velocity *= self.momentum
            velocity -= self.learning_rate * gradient
            parameter += velocity


class Adam:
    """Adam: steps scaled by running means of the gradient and of its square.

    Source: D. P. Kingma and J. Ba, *Adam: A Method for Stochastic Optimization*, 2015, in the reordered form at the end
    of its section 2, which Keras uses. There ``epsilon`` is added to the root of the *uncorrected* second moment, so
    the steps differ from the paper's algorithm 1 where the gradients are as small as ``epsilon``.

    Parameters
    ----------
    learning_rate : float
        Step size.
    beta_1, beta_2 : float
        Share of the running means that each step keeps.
    epsilon : float
        Keeps the division finite.
    """

    def __init__(
        self, learning_rate: float = 0.001, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
    ) -> None:
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.steps = 0
        self.means: list[np.ndarray] = []
        self.squares: list[np.ndarray] = []

    def step_size(self) -> float:
        """Return the learning rate, corrected for both means starting at 0 and being too small at first."""
        correction = np.sqrt(1 - self.beta_2**self.steps) / (1 - self.beta_1**self.steps)
        return float(self.learning_rate * correction)  # a Python float leaves float32 arrays float32

    def update(self, parameters: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """Take one step; see :meth:`SGD.update`."""
        if not self.means:
            self.means = [np.zeros_like(parameter) for parameter in parameters]
            self.squares = [np.zeros_like(parameter) for parameter in parameters]
        self.steps += 1
        step_size = self.step_size()
        for parameter, gradient, mean, square in zip(parameters, gradients, self.means, self.squares, strict=True):
            mean += (gradient - mean) * (1 - self.beta_1)
            square += (gradient * gradient - square) * (1 - self.beta_2)
            parameter -= step_size * mean / (np.sqrt(square) + self.epsilon)
