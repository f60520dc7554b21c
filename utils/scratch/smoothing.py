"""Label smoothing: a loss that asks for less than certainty."""

from __future__ import annotations

import numpy as np

from utils.scratch.losses import softmax_cross_entropy


def smoothed_cross_entropy(logits: np.ndarray, labels: np.ndarray, smoothing: float) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy with labels of which a share is dealt out to all classes, and its gradient.

    The target of a class is ``(1 - smoothing) · [class is the label] + smoothing / classes``.

    Source: C. Szegedy et al., *Rethinking the Inception Architecture for Computer Vision*, 2016, section 7.

    Parameters
    ----------
    logits : numpy.ndarray
        Shape (batch, classes).
    labels : numpy.ndarray
        Whole numbers in [0, classes), shape (batch,).
    smoothing : float
        The share, in [0, 1].

    Returns
    -------
    loss : float
        In nats. With smoothing it cannot reach 0: the targets have an entropy.
    dlogits : numpy.ndarray
        Gradient with respect to the logits, shape (batch, classes).

    Raises
    ------
    ValueError
        If the share lies outside, or shapes or labels do not fit.
    """
    if not 0 <= smoothing <= 1:
        raise ValueError(f"The smoothing is {smoothing:g}: expected a share from 0 to 1.")
    if logits.ndim != 2:
        raise ValueError(f"The logits have shape {logits.shape}: expected (batch, classes).")
    hard, dlogits = softmax_cross_entropy(logits, labels)
    if smoothing == 0:
        return hard, dlogits
    batch, classes = logits.shape
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = (1 - smoothing) * hard - smoothing * float(log_probabilities.mean())
    # The gradient is probability minus target: the target moved, the probability did not.
    moved = np.full_like(dlogits, smoothing / classes / batch)
    moved[np.arange(batch), labels] -= smoothing / batch
    return loss, dlogits - moved
