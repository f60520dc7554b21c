"""Elastic weight consolidation: what a network learned first is held by springs, stiff where a weight mattered."""

import numpy as np

from utils.scratch.network import Dense, Network

Arrays = list[np.ndarray]


def fisher(network: Network, x: np.ndarray, labels: np.ndarray | None = None) -> Arrays:
    """Return how much each parameter matters: the diagonal of the Fisher information.

    It is the mean square of the gradient of log p(label | example), for labels as the network itself would draw them.
    Source: J. Kirkpatrick et al., *Overcoming catastrophic forgetting in neural networks*, 2017, section 2.

    Parameters
    ----------
    network : Network
        Of dense layers, with layers without parameters between them; its outputs are logits.
    x : numpy.ndarray
        Examples, first axis.
    labels : numpy.ndarray, optional
        Whole numbers (examples,). Take these and not those that the network would draw: the *empirical* Fisher
        information. By default each label counts by its probability, and nothing is drawn.

    Returns
    -------
    list of numpy.ndarray
        In the order and the shapes of the parameters.

    Raises
    ------
    ValueError
        If a layer with parameters is not dense, or has sequences as inputs.
    """
    scores = network.forward(x)
    if any(layer.parameters and (type(layer) is not Dense or layer.x.ndim != 2) for layer in network.layers):
        raise ValueError("The information is worked out for dense layers alone, of inputs (examples, numbers).")
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities = shifted / shifted.sum(axis=1, keepdims=True)  # (examples, classes)
    one = np.eye(scores.shape[1])
    chances = probabilities if labels is None else one[labels]
    found = [np.zeros_like(parameter) for parameter in network.parameters]
    for label, chance in enumerate(chances.T):
        dy = probabilities - one[label]  # of one example's loss, (examples, classes)
        place = len(found)
        for layer in reversed(network.layers):
            if layer.parameters:
                squares = chance[:, None] * dy * dy / len(x)
                place -= 2
                found[place] += (layer.x * layer.x).T @ squares  # an example's gradient is an outer product
                found[place + 1] += squares.sum(axis=0)
            dy = layer.backward(dy)
    return found


def penalty(parameters: Arrays, anchors: Arrays, stiffness: Arrays, strength: float) -> tuple[float, Arrays]:
    """Return ``strength / 2 · sum of stiffness · (parameter - anchor)²``, and its gradients.

    Source: Kirkpatrick et al., 2017, equation 3, where the stiffness is :func:`fisher` after the first task.

    Parameters
    ----------
    parameters, anchors, stiffness : list of numpy.ndarray
        Of the same shapes, in one order: where the weights are, where they were, and how much each matters.
    strength : float
        λ, of all springs together.
    """
    loss, gradients = 0.0, []
    for parameter, anchor, stiff in zip(parameters, anchors, stiffness, strict=True):
        pull = strength * stiff * (parameter - anchor)
        loss += float(((parameter - anchor) * pull).sum()) / 2
        gradients.append(pull)
    return loss, gradients


class Memory:
    """What a network is to keep of earlier tasks: for each, where its weights were, and how much each mattered.

    Parameters
    ----------
    network : Network
        As for :func:`fisher`.
    strength : float
        λ. With 0 it forgets as it would without.
    """

    def __init__(self, network: Network, strength: float) -> None:
        self.network = network
        self.strength = strength
        self.tasks: list[tuple[Arrays, Arrays]] = []  # anchors and stiffness of each

    def keep(self, x: np.ndarray, labels: np.ndarray | None = None) -> None:
        """Hold the weights where they are now, by :func:`fisher` of examples of the task that was learned."""
        anchors = [parameter.copy() for parameter in self.network.parameters]
        self.tasks.append((anchors, fisher(self.network, x, labels)))

    def step(self, x: np.ndarray, targets: np.ndarray, optimizer) -> float:
        """Take one optimizer step on a batch and the springs of all tasks; return the batch's loss before it."""
        loss, gradients = self.network.loss_and_gradients(x, targets)
        for anchors, stiffness in self.tasks:
            _, pulls = penalty(self.network.parameters, anchors, stiffness, self.strength)
            gradients = list(map(np.add, gradients, pulls))
        optimizer.update(self.network.parameters, gradients)
        return loss
