"""Losses, with their gradients."""

from collections.abc import Callable

import numpy as np

Loss = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]


def softmax_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean negative log-likelihood of the labels under softmax, and its gradient.

    Computed from the logits through log-sum-exp, so that a confident wrong answer costs its logit gap and keeps its
    gradient, where the logarithm of a softmax that has rounded to 0 would not.

    Parameters
    ----------
    logits : numpy.ndarray
        Shape (batch, classes), or (batch, time, classes) for one answer a step.
    labels : numpy.ndarray
        Whole numbers in [0, classes), shape (batch,) or (batch, time).

    Returns
    -------
    loss : float
        Mean over all labels, in nats.
    dlogits : numpy.ndarray
        Gradient with respect to the logits, in their shape.

    Raises
    ------
    ValueError
        If the shapes do not fit or a label is not a class.
    """
    if logits.ndim not in (2, 3) or labels.shape != logits.shape[:-1]:
        raise ValueError(
            f"The logits have shape {logits.shape} and the labels {labels.shape}: "
            "expected (batch, classes) and (batch,), or (batch, time, classes) and (batch, time)."
        )
    classes = logits.shape[-1]
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"The labels must be whole numbers from 0 to {classes - 1}, one for each row of the logits.")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    log_probabilities = (shifted - log_sum).reshape(labels.size, classes)
    answers = np.arange(labels.size), labels.ravel()
    loss = -log_probabilities[answers].mean()
    dlogits = np.exp(log_probabilities)
    dlogits[answers] -= 1
    return float(loss), (dlogits / labels.size).reshape(logits.shape)


def mean_squared_error(outputs: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean squared difference of outputs and targets, and its gradient with respect to the outputs.

    Parameters
    ----------
    outputs, targets : numpy.ndarray
        Of the same shape, (batch, numbers) for instance.

    Raises
    ------
    ValueError
        If the shapes differ: NumPy would stretch one over the other.
    """
    if outputs.shape != targets.shape:
        raise ValueError(f"The outputs have shape {outputs.shape} and the targets {targets.shape}: expected the same.")
    difference = outputs - targets
    return float((difference * difference).mean()), 2 * difference / difference.size
