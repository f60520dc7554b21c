"""Which inputs a classifier's score leans on: gradients, their means over noise or along a path, and class maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from utils.backend import keras, ops, value_and_grad

Model = Callable[[Any], Any]
ROWS = 500  # of a batch, where there is a choice


def scores(model: Model, x: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the logit of one class for each example.

    Parameters
    ----------
    model : callable
        Maps inputs (batch, ...) to logits (batch, classes).
    x : numpy.ndarray
        Inputs, in the model's dtype.
    classes : numpy.ndarray
        The class that is asked about, a whole number for each example, shape (batch,).

    Returns
    -------
    numpy.ndarray
        Shape (batch,).

    Raises
    ------
    ValueError
        If there is not one class for each example.
    """
    classes = _checked(x, classes)
    return ops.convert_to_numpy(_chosen(model(x), classes))


def saliency(model: Model, x: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the gradient of each example's score with respect to its input.

    Source: K. Simonyan et al., *Deep Inside Convolutional Networks*, 2013, section 3. They show its absolute value.

    Parameters
    ----------
    model, x, classes
        As for :func:`scores`.

    Returns
    -------
    numpy.ndarray
        The shape of ``x``.
    """
    classes = _checked(x, classes)
    _, _, (gradient, _) = value_and_grad(lambda inputs, chosen: ops.sum(_chosen(model(inputs), chosen)), [], x, classes)
    return gradient


def smooth_grad(
    model: Model, x: np.ndarray, classes: np.ndarray, noise: float, samples: int, generator: np.random.Generator
) -> np.ndarray:
    """Return the mean of :func:`saliency` over noisy copies of the inputs.

    Source: D. Smilkov et al., *SmoothGrad: removing noise by adding noise*, 2017, section 3.

    Parameters
    ----------
    model, x, classes
        As for :func:`scores`.
    noise : float
        Standard deviation of the normal noise, in units of ``x``.
    samples : int
        Noisy copies of each example.
    generator : numpy.random.Generator
        Draws the noise.

    Returns
    -------
    numpy.ndarray
        The shape of ``x``.
    """
    total = np.zeros_like(x)
    for _ in range(samples):
        noisy = x + noise * generator.normal(size=x.shape)
        total += saliency(model, noisy.astype(x.dtype), classes)
    return total / samples


def integrated_gradients(
    model: Model, x: np.ndarray, classes: np.ndarray, baseline: np.ndarray | float = 0.0, steps: int = 50
) -> np.ndarray:
    """Return what each input adds to the score on the straight way from a baseline to the example.

    The sum over the inputs of an example is its score less that of the baseline, but for the error of the sum that
    stands for the integral.

    Source: M. Sundararajan et al., *Axiomatic Attribution for Deep Networks*, 2017, equations 1 and 3; here each of
    the equal steps is measured in its middle.

    Parameters
    ----------
    model, x, classes
        As for :func:`scores`.
    baseline : numpy.ndarray or float
        Where the way begins; it is spread to the shape of ``x``.
    steps : int
        Gradients that are taken on the way.

    Returns
    -------
    numpy.ndarray
        The shape of ``x``.

    Raises
    ------
    ValueError
        If there is no step.
    """
    if steps < 1:
        raise ValueError(f"The way from the baseline takes at least one step, not {steps}.")
    way = x - baseline
    total = np.zeros_like(way)
    # Several steps are one batch: a batch of 20 images takes nearly as long as one of 500.
    at_once = max(1, ROWS // len(x))
    for first in range(0, steps, at_once):
        shares = (np.arange(first, min(first + at_once, steps)) + 0.5) / steps
        places = baseline + np.multiply.outer(shares, way)  # (steps at once, batch, ...)
        places = places.reshape(-1, *x.shape[1:]).astype(x.dtype)
        gradients = saliency(model, places, np.tile(classes, len(shares)))
        total += gradients.reshape(len(shares), *x.shape).sum(axis=0)
    return way * total / steps


def completeness_gap(
    model: Model, x: np.ndarray, classes: np.ndarray, attributions: np.ndarray, baseline: np.ndarray | float = 0.0
) -> np.ndarray:
    """Return by how much the attributions of an example miss the difference of its scores, as a share of it.

    Parameters
    ----------
    model, x, classes, baseline
        As for :func:`integrated_gradients`.
    attributions : numpy.ndarray
        What it returned.

    Returns
    -------
    numpy.ndarray
        Shape (batch,), not negative.
    """
    start = np.broadcast_to(np.asarray(baseline, x.dtype), x.shape)
    difference = scores(model, x, classes) - scores(model, start, classes)
    explained = attributions.reshape(len(x), -1).sum(axis=1)
    return np.abs(explained - difference) / np.abs(difference)


def grad_cam(model: keras.Sequential, layer: str, x: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return where the feature maps of a convolution speak for a class: their sum, each weighted by its mean gradient.

    Source: R. R. Selvaraju et al., *Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
    Localization*, 2017, equations 1 and 2.

    Parameters
    ----------
    model : keras.Sequential
        Maps images (batch, H, W, C) to logits.
    layer : str
        Name of the layer whose output (batch, h, w, maps) is looked at.
    x, classes
        As for :func:`scores`.

    Returns
    -------
    numpy.ndarray
        Shape (batch, h, w), not negative.

    Raises
    ------
    ValueError
        If the model has no layer of that name, or if its output is not a stack of maps.
    """
    classes = _checked(x, classes)
    names = [part.name for part in model.layers]
    if layer not in names:
        raise ValueError(f"The model has no layer {layer!r}: take one of {', '.join(names)}.")
    cut = names.index(layer) + 1
    maps = x
    for part in model.layers[:cut]:
        maps = part(maps)
    maps = ops.convert_to_numpy(maps)
    if maps.ndim != 4:
        raise ValueError(f"The output of {layer} has shape {maps.shape}: expected maps (batch, h, w, maps).")

    def score(features: Any, chosen: Any) -> Any:
        for part in model.layers[cut:]:
            features = part(features)
        return ops.sum(_chosen(features, chosen))

    _, _, (gradient, _) = value_and_grad(score, [], maps, classes)
    weights = gradient.mean(axis=(1, 2), keepdims=True)  # (batch, 1, 1, maps)
    return np.maximum((weights * maps).sum(axis=-1), 0)


def _chosen(logits: Any, classes: Any) -> Any:
    """Return the logit of each row's class: (batch, classes) and (batch,) to (batch,)."""
    return ops.take_along_axis(logits, ops.expand_dims(classes, 1), axis=1)[:, 0]


def _checked(x: np.ndarray, classes: np.ndarray) -> np.ndarray:
    classes = np.asarray(classes, "int32")
    if classes.shape != (len(x),):
        raise ValueError(f"The classes have shape {classes.shape}: expected one for each of {len(x)} examples.")
    return classes
