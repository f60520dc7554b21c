"""Numbers of 16 bits in training: rounding to them, and a scale for the loss that finds itself.

Sources: P. Micikevicius and others, *Mixed Precision Training*, 2018, section 3; D. Kalamkar and others, *A Study of
BFLOAT16 for Deep Learning Training*, 2019. Products are summed in 32 bits here, and what comes out is rounded: so do
the units of a GPU that multiply matrices.
"""

from collections.abc import Callable

import numpy as np

from utils.scratch.network import Network

Rounding = Callable[[np.ndarray], np.ndarray]


def bfloat16(x: np.ndarray) -> np.ndarray:
    """Round to bfloat16, half to even, and return the result as float32.

    A bfloat16 is the upper half of a float32: its sign, all eight bits of its exponent and seven of its fraction. So
    half of the lowest bit that stays is added, a little less where that bit is 0 and the rest is exactly half, and the
    lower half is cut off.

    Parameters
    ----------
    x : numpy.ndarray
        Any shape; it becomes float32 first.
    """
    single = np.asarray(x, np.float32)
    bits = single.view(np.uint32)
    even = (bits >> np.uint32(16)) & np.uint32(1)
    rounded = (bits + np.uint32(0x7FFF) + even) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(single), single, rounded.view(np.float32))


def float16(x: np.ndarray) -> np.ndarray:
    """Round to float16 and return the result as float32; what is too large becomes infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(x, np.float32).astype(np.float16).astype(np.float32)


def float32(x: np.ndarray) -> np.ndarray:
    """Round to float32."""
    return np.asarray(x, np.float32)


def rounded_gradients(
    network: Network, x: np.ndarray, targets: np.ndarray, rounding: Rounding, scale: float = 1.0
) -> tuple[float, list[np.ndarray]]:
    """Return loss and gradients as 16 bits give them: weights, activations and gradients are rounded.

    The loss itself stays in 32 bits and is multiplied by ``scale`` before the way back; the gradients are divided by it
    once they are in 32 bits again.

    Parameters
    ----------
    network : Network
        Of float32; its parameters are as before when the function returns.
    x, targets : numpy.ndarray
        The batch.
    rounding : callable
        :func:`bfloat16`, :func:`float16` or :func:`float32`.
    scale : float
        Of the loss; a power of two changes no digit.

    Returns
    -------
    loss : float
        Of the batch, not scaled.
    gradients : list of numpy.ndarray
        Of all parameters, float32; infinite or NaN where 16 bits were too few.
    """
    whole = [parameter.copy() for parameter in network.parameters]
    try:
        network.set_parameters([rounding(parameter) for parameter in whole])
        value = rounding(x)
        with np.errstate(over="ignore", invalid="ignore"):
            for layer in network.layers:
                value = rounding(layer.forward(value))
            loss, dy = network.loss(value, targets)
            dy = rounding(dy * np.float32(scale))
            gradients: list[np.ndarray] = []
            for layer in reversed(network.layers):
                dy = rounding(layer.backward(dy))
                gradients = [rounding(gradient) for gradient in layer.gradients] + gradients
        return loss, [gradient / np.float32(scale) for gradient in gradients]
    finally:
        network.set_parameters(whole)


class LossScale:
    """A scale for the loss that halves where gradients overflow and doubles after a while without.

    Parameters
    ----------
    scale : float
        To begin with.
    patience : int
        Steps without overflow after which it doubles.

    Attributes
    ----------
    scale : float
        For the next step.
    skipped : int
        Steps that were not taken.
    """

    def __init__(self, scale: float = 2.0**15, patience: int = 2000) -> None:
        if scale <= 0 or patience < 1:
            raise ValueError(f"A scale of {scale} and a patience of {patience}: both must be positive.")
        self.scale, self.patience = float(scale), patience
        self.good = 0
        self.skipped = 0

    def accepts(self, gradients: list[np.ndarray]) -> bool:
        """Return whether a step may be taken with these gradients, and set the scale of the next."""
        if all(np.isfinite(gradient).all() for gradient in gradients):
            self.good += 1
            if self.good == self.patience:
                self.scale, self.good = 2 * self.scale, 0
            return True
        self.scale, self.good = self.scale / 2, 0
        self.skipped += 1
        return False
