"""Membership inference and memorization: what a model gives away about the examples it was trained on.

All scores are high where the example looks like one that the model was trained on.
"""

from __future__ import annotations

import numpy as np


def roc(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rates at which scores of members and of others are called members, for every threshold.

    Parameters
    ----------
    inside, outside : numpy.ndarray
        Scores of members, shape (n,), and of others, shape (m,). Equal scores get the same answer.

    Returns
    -------
    false, true : numpy.ndarray
        Shares of the others and of the members with a score at or above the threshold, shape (distinct scores + 1,):
        from (0, 0), where none is, to (1, 1).

    Raises
    ------
    ValueError
        If there is none of a kind, or a score is no number.
    """
    inside, outside = _checked(inside, outside)
    thresholds = np.unique(np.concatenate([inside, outside]))[::-1]  # falling
    rates = [(len(scores) - np.searchsorted(np.sort(scores), thresholds)) / len(scores) for scores in (outside, inside)]
    return np.append(0.0, rates[0]), np.append(0.0, rates[1])


def auc(inside: np.ndarray, outside: np.ndarray) -> float:
    """Return the area under the curve of :func:`roc`: how often a member scores above another, ties counting half.

    Source: J. A. Hanley and B. J. McNeil, *The meaning and use of the area under a receiver operating characteristic
    (ROC) curve*, 1982.

    Raises
    ------
    ValueError
        As :func:`roc`.
    """
    inside, outside = _checked(inside, outside)
    ranked = np.sort(outside)
    below = np.searchsorted(ranked, inside) + np.searchsorted(ranked, inside, side="right")
    return float(below.mean() / (2 * len(outside)))


def tpr_at(rate: float, inside: np.ndarray, outside: np.ndarray) -> float:
    """Return the share of members that are found by the best threshold that accuses at most this share of others.

    Source: N. Carlini et al., *Membership Inference Attacks From First Principles*, 2022,
    https://arxiv.org/abs/2112.03570, section III: what counts is to be right at a low rate of false alarms.

    Parameters
    ----------
    rate : float
        The highest rate of false positives, from 0 to 1.
    inside, outside : numpy.ndarray
        As for :func:`roc`. A rate below 1 / m allows no false positive at all.

    Raises
    ------
    ValueError
        As :func:`roc`, or if the rate is no share.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"The rate of false positives is {rate}: expected 0 to 1.")
    false, true = roc(inside, outside)
    return float(true[false <= rate][-1])


def confidence(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return ``log(p / (1 - p))`` with the probability p of the label, computed without rounding p to 1.

    Source: Carlini et al., 2022, section IV-C: on this scale the scores of one example over many models look normal.

    Parameters
    ----------
    logits : numpy.ndarray
        Shape (batch, classes), at least two classes.
    labels : numpy.ndarray
        Whole numbers in [0, classes), shape (batch,).

    Returns
    -------
    numpy.ndarray
        float64, shape (batch,): the logit of the label less the log-sum-exp of the others.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    logits, labels = np.asarray(logits, float), np.asarray(labels)
    if logits.ndim != 2 or logits.shape[1] < 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"The logits have shape {logits.shape} and the labels {labels.shape}: "
            "expected (batch, classes) and (batch,), at least two classes."
        )
    own = np.arange(logits.shape[1]) == labels[:, None]  # (batch, classes)
    others = np.where(own, -np.inf, logits)
    top = others.max(axis=1)
    return logits[own] - top - np.log(np.exp(others - top[:, None]).sum(axis=1))


def likelihood_ratio(scores: np.ndarray, shadows: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return the log of how much likelier a score is if the example was trained on, judged by shadow models.

    For each example, two normal densities are fitted: to its scores under the shadow models that saw it, and to those
    under the others. The spreads are pooled over the examples, as the source does for few shadow models.

    Source: Carlini et al., 2022, algorithm 1 (LiRA, online) and section VI-B.

    Parameters
    ----------
    scores : numpy.ndarray
        Of the attacked model, :func:`confidence` for instance, shape (examples,).
    shadows : numpy.ndarray
        The same of shadow models, shape (models, examples).
    members : numpy.ndarray
        Whether a shadow model saw an example, boolean, shape (models, examples).

    Returns
    -------
    numpy.ndarray
        Shape (examples,).

    Raises
    ------
    ValueError
        If the shapes do not fit, or an example was seen by none or by all shadow models.
    """
    scores, shadows, members = _checked_shadows(scores, shadows, members)
    if members.all(axis=0).any() or not members.any(axis=0).all():
        raise ValueError("An example was seen by all shadow models or by none: each needs some that did and did not.")
    (seen, spread_seen), (unseen, spread_unseen) = _normals(shadows, members), _normals(shadows, ~members)
    close, far = (scores - seen) / spread_seen, (scores - unseen) / spread_unseen
    return (far**2 - close**2) / 2 + np.log(spread_unseen / spread_seen)


def offline_score(scores: np.ndarray, shadows: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return by how many spreads a score is above those of shadow models that did not see the example.

    It needs no shadow model that was trained on the example. The spread is pooled over the examples.

    Source: Carlini et al., 2022, equation 4 (LiRA, offline), which takes the normal distribution function of this: the
    order is the same.

    Parameters
    ----------
    scores, shadows, members : numpy.ndarray
        As for :func:`likelihood_ratio`.

    Returns
    -------
    numpy.ndarray
        Shape (examples,).

    Raises
    ------
    ValueError
        If the shapes do not fit, or an example was seen by all shadow models.
    """
    scores, shadows, members = _checked_shadows(scores, shadows, members)
    if members.all(axis=0).any():
        raise ValueError("An example was seen by all shadow models: each needs some that did not see it.")
    unseen, spread = _normals(shadows, ~members)
    return (scores - unseen) / spread


def rank(losses: np.ndarray, place: int) -> int:
    """Return the rank of one candidate among all when the smallest loss is first; ties count against it."""
    losses = np.asarray(losses)
    return int((losses <= losses[place]).sum())


def exposure(rank: float, candidates: int) -> float:
    """Return how many bits a model tells about a secret: log₂ of all candidates less log₂ of the secret's rank.

    Source: N. Carlini et al., *The Secret Sharer*, 2019, https://arxiv.org/abs/1802.08232, definition 5.

    Parameters
    ----------
    rank : float
        Of the secret among all candidates, 1 for the likeliest: :func:`rank`.
    candidates : int
        How many secrets there could be.

    Returns
    -------
    float
        From 0 to log₂ of all candidates.

    Raises
    ------
    ValueError
        If there is no such rank.
    """
    if not 1 <= rank <= candidates:
        raise ValueError(f"The rank is {rank} of {candidates} candidates: expected 1 to {candidates}.")
    return float(np.log2(candidates) - np.log2(rank))


def _normals(shadows: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of the chosen scores of each example, and the spread around it, pooled over the examples."""
    counts = chosen.sum(axis=0)
    means = np.where(chosen, shadows, 0).sum(axis=0) / counts  # (examples,)
    left = chosen.sum() - len(counts)
    if left < 1:
        raise ValueError("Each example has one shadow model of a kind: a spread needs two for some.")
    spread = np.sqrt((np.where(chosen, shadows - means, 0) ** 2).sum() / left)
    if not spread > 0:
        raise ValueError("The scores of shadow models do not differ: there is no spread to compare with.")
    return means, float(spread)


def _checked(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both kinds of scores, if they fit."""
    inside, outside = np.asarray(inside), np.asarray(outside)
    if inside.ndim != 1 or outside.ndim != 1 or not len(inside) or not len(outside):
        raise ValueError(
            f"The scores have shapes {inside.shape} and {outside.shape}: expected (n,) and (m,), at least one of each."
        )
    if np.isnan(inside).any() or np.isnan(outside).any():
        raise ValueError("A score is not a number: scores that cannot be compared have no curve.")
    return inside, outside


def _checked_shadows(
    scores: np.ndarray, shadows: np.ndarray, members: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the arrays of an attack with shadow models, if they fit."""
    scores, shadows, members = np.asarray(scores), np.asarray(shadows, float), np.asarray(members)
    if shadows.ndim != 2 or shadows.shape[1:] != scores.shape or members.shape != shadows.shape:
        raise ValueError(
            f"The scores have shape {scores.shape}, those of shadow models {shadows.shape} and the memberships "
            f"{members.shape}: expected (examples,), (models, examples) and (models, examples)."
        )
    if members.dtype != bool:
        raise ValueError(f"The memberships are of dtype {members.dtype}: expected bool.")
    return scores, shadows, members
