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

    Sources: B. T. Polyak, *Some methods of speeding up the convergence of iteration methods*, 1964, for momentum;
    I. Sutskever, J. Martens, G. Dahl and G. Hinton, *On the importance of initialization and momentum in deep
    learning*, 2013, equations 1 to 4, for Nesterov's as well. There the parameters are where the last step has already
    carried them when the gradient is taken; here, as in Keras, they hold that point all the time.

    Parameters
    ----------
    learning_rate : float
        Step size.
    momentum : float
        Share of the last step that is kept, in [0, 1): ``v = momentum · v - learning_rate · g``, then ``w += v``.
    nesterov : bool
        Whether to add ``momentum · v - learning_rate · g`` instead, with the new ``v``: the step looks ahead.
    """

    def __init__(self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False) -> None:
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
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
            step = self.learning_rate * gradient
            velocity *= self.momentum
            velocity -= step
            parameter += self.momentum * velocity - step if self.nesterov else velocity


class RMSprop:
    """RMSprop: steps divided by the root of a running mean of the squared gradient.

    Source: T. Tieleman and G. Hinton, *Neural Networks for Machine Learning*, 2012, lecture 6.5. As in Keras,
    ``epsilon`` stands inside the root, and the running mean starts at 0 without a correction, so the first steps are
    ``1 / sqrt(1 - rho)`` learning rates long, about 3.

    Parameters
    ----------
    learning_rate : float
        Step size.
    rho : float
        Share of the running mean that each step keeps.
    epsilon : float
        Keeps the division finite.
    """

    def __init__(self, learning_rate: float = 0.001, rho: float = 0.9, epsilon: float = 1e-7) -> None:
        self.learning_rate = learning_rate
        self.rho = rho
        self.epsilon = epsilon
        self.squares: list[np.ndarray] = []

    def update(self, parameters: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """Take one step; see :meth:`SGD.update`."""
        if not self.squares:
            self.squares = [np.zeros_like(parameter) for parameter in parameters]
        for parameter, gradient, square in zip(parameters, gradients, self.squares, strict=True):
            square += (gradient * gradient - square) * (1 - self.rho)
            parameter -= self.learning_rate * gradient / np.sqrt(square + self.epsilon)


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


class AdamW(Adam):
    """Adam with decoupled weight decay: each step also takes a share off every parameter.

    Source: I. Loshchilov and F. Hutter, *Decoupled Weight Decay Regularization*, 2019, algorithm 2, where one schedule
    multiplies step and decay alike, and the learning rate the step alone. Here, as in Keras, the share is
    ``learning_rate · weight_decay``. All parameters decay, biases too.

    Parameters
    ----------
    learning_rate : float
        Step size.
    weight_decay : float
        Share that a learning rate of 1 would take off.
    beta_1, beta_2, epsilon : float
        As of :class:`Adam`.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon)
        self.weight_decay = weight_decay

    def update(self, parameters: list[np.ndarray], gradients: list[np.ndarray]) -> None:
        """Take one step; see :meth:`SGD.update`."""
        for parameter in parameters:
            parameter -= self.learning_rate * self.weight_decay * parameter
        super().update(parameters, gradients)
