"""Federated learning: clients take steps on what they alone have, a server averages what they send back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from utils.scratch.network import Network

Arrays = list[np.ndarray]


@dataclass(frozen=True, eq=False)
class Client:
    """What one user has.

    Attributes
    ----------
    x : inputs, first axis the examples
    y : integer labels, shape (examples,)
    """

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


def average(models: Sequence[Arrays], weights: Sequence[float]) -> Arrays:
    """Return the weighted mean of models, array by array.

    Source: B. McMahan et al., *Communication-Efficient Learning of Deep Networks from Decentralized Data*, 2017,
    algorithm 1, where the weights are the numbers of examples.

    Parameters
    ----------
    models : sequence of list of numpy.ndarray
        The parameters of each, in the same order and shapes.
    weights : sequence of float
        One a model, none negative; they need not sum to 1.

    Returns
    -------
    list of numpy.ndarray
        New arrays in the dtype of the first model.

    Raises
    ------
    ValueError
        If there is no model, or the weights do not fit.
    """
    if not models or len(models) != len(weights):
        raise ValueError(f"{len(models)} models and {len(weights)} weights: give one weight a model, at least one.")
    shares = np.asarray(weights, float)
    if (shares < 0).any() or not shares.sum() > 0:
        raise ValueError("The weights of an average are 0 or more, and not all of them 0.")
    shares = shares / shares.sum()
    return [
        sum(share * array for share, array in zip(shares.tolist(), arrays, strict=True)).astype(arrays[0].dtype)
        for arrays in zip(*models, strict=True)
    ]


def local_steps(
    network: Network,
    client: Client,
    rate: float,
    epochs: int = 1,
    batch_size: int | None = None,
    generator: np.random.Generator | None = None,
    pull: float = 0.0,
) -> None:
    """Train a network in place on what one client has, by plain gradient descent.

    Parameters
    ----------
    network : Network
        With the server's parameters.
    client : Client
        Its examples are drawn in a new order for each epoch.
    rate : float
        Learning rate.
    epochs : int
        Times through the examples.
    batch_size : int, optional
        Examples of a step; by default all, in one step an epoch.
    generator : numpy.random.Generator, optional
        Of the order; by default the examples stay as they are.
    pull : float
        μ of FedProx: each step also goes ``rate · pull`` of the way back to where the parameters began.
        Source: T. Li et al., *Federated Optimization in Heterogeneous Networks*, 2020, equation 2.
    """
    start = [parameter.copy() for parameter in network.parameters] if pull else []
    for _ in range(epochs):
        order = np.arange(len(client)) if generator is None else generator.permutation(len(client))
        size = batch_size or len(client)
        for first in range(0, len(client), size):
            chosen = order[first : first + size]
            _, gradients = network.loss_and_gradients(client.x[chosen], client.y[chosen])
            for number, (parameter, gradient) in enumerate(zip(network.parameters, gradients, strict=True)):
                if pull:
                    gradient = gradient + pull * (parameter - start[number])
                parameter -= rate * gradient


class Server:
    """The shared model, and the rounds in which clients improve it.

    Parameters
    ----------
    network : Network
        Its parameters are the shared model. It also serves as each client's copy, one after another.
    momentum : float
        What the server keeps of its last step, in [0, 1). 0 is federated averaging.
        Source: T.-M. H. Hsu et al., *Measuring the Effects of Non-Identical Data Distribution for Federated Visual
        Classification*, 2019, section 4.3 (FedAvgM).
    """

    def __init__(self, network: Network, momentum: float = 0.0) -> None:
        self.network = network
        self.momentum = momentum
        self.shared = [parameter.copy() for parameter in network.parameters]
        self.velocities = [np.zeros_like(parameter) for parameter in network.parameters]
        self.sent = 0  # bytes, both ways

    def round(
        self,
        clients: Sequence[Client],
        rate: float,
        epochs: int = 1,
        batch_size: int | None = None,
        generator: np.random.Generator | None = None,
        pull: float = 0.0,
        weigh: Callable[[Client, float], float] | None = None,
    ) -> None:
        """Send the model to clients, let each train it, and take the weighted mean of what comes back.

        Parameters
        ----------
        clients : sequence of Client
            Those that take part.
        rate, epochs, batch_size, generator, pull
            As for :func:`local_steps`.
        weigh : callable, optional
            ``weigh(client, loss)`` is the weight of what a client sends, given the loss of the shared model on its
            examples; by default how many examples it has.
        """
        models, weights = [], []
        for client in clients:
            self.network.set_parameters(self.shared)
            if weigh is None:
                weights.append(float(len(client)))
            else:
                loss, _ = self.network.loss(self.network.forward(client.x), client.y)
                weights.append(weigh(client, loss))
            local_steps(self.network, client, rate, epochs, batch_size, generator, pull)
            models.append([parameter.copy() for parameter in self.network.parameters])
        found = average(models, weights)
        for shared, new, velocity in zip(self.shared, found, self.velocities, strict=True):
            velocity *= self.momentum
            velocity += new - shared
            shared += velocity
        self.network.set_parameters(self.shared)
        self.sent += 2 * len(clients) * sum(parameter.nbytes for parameter in self.shared)


def label_shards(y: np.ndarray, clients: int, shards: int, generator: np.random.Generator) -> list[np.ndarray]:
    """Deal out examples so that each client knows few labels: sort by label, cut into shards, give each some.

    Source: McMahan et al., 2017, section 3: 200 shards, two for each of 100 clients.

    Parameters
    ----------
    y : numpy.ndarray
        Integer labels, shape (examples,).
    clients : int
        How many.
    shards : int
        Shards that each client gets.
    generator : numpy.random.Generator
        Deals them out, and orders the examples of a label.

    Returns
    -------
    list of numpy.ndarray
        The places of each client's examples, as many for each; what is left over is dealt to nobody.

    Raises
    ------
    ValueError
        If there are fewer examples than shards.
    """
    count = clients * shards
    if len(y) < count:
        raise ValueError(f"{len(y)} examples do not make {count} shards: take fewer clients or fewer shards.")
    mixed = generator.permutation(len(y))
    order = mixed[np.argsort(y[mixed], kind="stable")]
    cut = order[: len(y) // count * count].reshape(count, -1)
    dealt = generator.permutation(count).reshape(clients, shards)
    return [cut[own].ravel() for own in dealt]


def recovered_inputs(dw: np.ndarray, db: np.ndarray) -> np.ndarray:
    """Return what each unit of a dense layer betrays: its column of the gradient over that of its bias.

    For a single example, or where only one makes the unit move, that is the example's input.

    Source: L. T. Phong et al., *Privacy-Preserving Deep Learning via Additively Homomorphic Encryption*, 2018,
    section 3; for a batch it is a weighted mean.

    Parameters
    ----------
    dw, db : numpy.ndarray
        Gradients of the weights (inputs, units) and of the bias (units,).

    Returns
    -------
    numpy.ndarray
        Shape (units that moved, inputs): units with a gradient of 0 say nothing and are left out.
    """
    moved = db != 0
    return (dw[:, moved] / db[moved]).T
