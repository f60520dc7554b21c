"""The checkers of the chapter ``scale-out``."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch.memory import zero_bytes
from utils.scratch.step_time import Link

Answer = Callable[..., Any]


def mean_over_devices(attempt: Answer) -> None:
    """Check ``mean_over_devices(gradients, counts)``: the mean over examples from means over shards."""

    def solution(gradients: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return counts @ gradients / counts.sum()

    mistakes = [
        Mistake(
            lambda gradients, counts: gradients.mean(axis=0),
            "Every device seems to weigh the same: one with more examples weighs more.",
        ),
        Mistake(
            lambda gradients, counts: gradients.sum(axis=0),
            "That seems to be the plain sum: these are gradients of means.",
        ),
        Mistake(lambda gradients, counts: counts @ gradients, "It seems not to be divided by the number of examples."),
        Mistake(
            lambda gradients, counts: counts @ gradients / len(counts),
            "It seems to be divided by the number of devices: divide by that of examples.",
        ),
        Mistake(
            lambda gradients, counts: (gradients / counts[:, None]).sum(axis=0) / (1 / counts).sum(),
            "The weights seem to be upside down: more examples weigh less.",
        ),
        Mistake(
            lambda gradients, counts: gradients.sum(axis=0) / counts.sum(),
            "The counts seem to be missing above: what was sent are means, not sums over examples.",
        ),
        Mistake(
            lambda gradients, counts: gradients[np.argmax(counts)],
            "Only the largest shard seems to count: all of them do.",
        ),
        Mistake(
            lambda gradients, counts: gradients @ np.resize(counts, gradients.shape[1]) / counts.sum(),
            "The weights seem to run along the gradient: each row is a device.",
        ),
    ]
    cases = [
        (np.array([[1.0, 2.0, -1.0], [4.0, 0.5, 3.0]]), np.array([30.0, 10.0])),
        (np.array([[2.0, -6.0], [1.0, 5.0], [-3.0, 0.2]]), np.array([5.0, 3.0, 8.0])),
        (np.array([[0.5, 1.5, 2.5, 7.0], [0.1, 0.2, 0.7, 4.0], [9.0, 8.0, 7.0, 1.0]]), np.array([2.0, 7.0, 1.0])),
    ]
    check(attempt, solution, cases, mistakes)


def ring_seconds(attempt: Answer) -> None:
    """Check ``ring_seconds(size, devices, latency, bandwidth)``: how long a ring all-reduce takes."""

    def solution(size: float, devices: int, latency: float, bandwidth: float) -> float:
        return Link(latency, bandwidth).ring(size, devices)

    def by(
        messages: Callable[[int], float] = lambda n: 2 * (n - 1),
        share: Callable[[int], float] = lambda n: 2 * (n - 1) / n,
    ) -> Answer:
        return lambda size, n, latency, bandwidth: messages(n) * latency + share(n) * size / bandwidth

    mistakes = [
        Mistake(by(lambda n: n - 1, lambda n: (n - 1) / n), "That seems to be one half of it: sum first, then share."),
        Mistake(by(share=lambda n: 2 * (n - 1)), "Each message seems to carry everything: it carries one part of n."),
        Mistake(by(messages=lambda n: 0), "The latency seems to be missing."),
        Mistake(by(messages=lambda n: 1), "The latency seems to count once: the messages go one after the other."),
        Mistake(
            by(lambda n: 2 * n, lambda n: 2),
            "A ring of n devices seems to take n steps a half: it takes one less.",
        ),
        Mistake(by(share=lambda n: 0), "The bytes seem to be missing: a message takes its size over the bandwidth."),
        Mistake(
            lambda size, n, latency, bandwidth: 2 * (n - 1) * latency + 2 * (n - 1) / n * size * bandwidth,
            "The bytes seem to be multiplied by the bandwidth: divide by it.",
        ),
        Mistake(by(share=lambda n: 2 / n), "Only one part each way seems to be sent: every step sends one."),
        Mistake(by(share=lambda n: 2 * n / (n - 1)), "The fraction seems to be upside down: it is below 2."),
        Mistake(by(lambda n: n - 1), "The latency of one half seems to be missing: sum first, then share."),
        Mistake(by(share=lambda n: (n - 1) / n), "The bytes of one half seem to be missing: sum first, then share."),
        Mistake(by(share=lambda n: 2), "The bytes seem to be those of very many devices: few send less."),
        Mistake(by(share=lambda n: 1), "Everything seems to be sent once: count the steps, and what each sends."),
    ]
    cases = [(100.0, 4, 0.5, 20.0), (6000.0, 3, 2.0, 500.0), (70.0, 8, 0.25, 4.0)]
    check(attempt, solution, cases, mistakes)


def sum_of_parts(attempt: Answer) -> None:
    """Check ``sum_of_parts(hidden, weights, bias)``: a dense layer whose inputs are spread over devices."""
    Parts = Sequence[np.ndarray]

    def products(hidden: Parts, weights: Parts) -> list[np.ndarray]:
        return [h @ w for h, w in zip(hidden, weights, strict=True)]

    def solution(hidden: Parts, weights: Parts, bias: np.ndarray) -> np.ndarray:
        return sum(products(hidden, weights)) + bias

    mistakes = [
        Mistake(
            lambda hidden, weights, bias: sum(part + bias for part in products(hidden, weights)),
            "The bias seems to be added on every device: it counts once.",
        ),
        Mistake(lambda hidden, weights, bias: sum(products(hidden, weights)), "The bias seems to be missing."),
        Mistake(
            lambda hidden, weights, bias: sum(products(hidden, weights)) / len(hidden) + bias,
            "That seems to be the mean over devices: the parts are added.",
        ),
        Mistake(
            lambda hidden, weights, bias: products(hidden, weights)[0] + bias,
            "Only the first device seems to count: the sum is over all.",
        ),
        Mistake(
            lambda hidden, weights, bias: np.maximum(0, sum(products(hidden, weights)) + bias),
            "There seems to be a bend at the end: nothing is bent here.",
        ),
        Mistake(
            lambda hidden, weights, bias: sum(np.maximum(0, part) for part in products(hidden, weights)) + bias,
            "Each part seems to be bent before the sum.",
        ),
        Mistake(
            lambda hidden, weights, bias: np.concatenate(products(hidden, weights), axis=1),
            "The parts seem to stand side by side: each has all outputs, so they are added.",
        ),
        Mistake(
            lambda hidden, weights, bias: sum(products(hidden, weights[::-1])) + bias,
            "The weights seem to belong to other devices: each has the rows that read its own hidden units.",
        ),
    ]
    rng = np.random.default_rng(3)

    def case(batch: int, widths: tuple[int, ...], outputs: int) -> tuple:
        hidden = [rng.integers(-4, 5, (batch, width)) / 2 for width in widths]
        weights = [rng.integers(-4, 5, (width, outputs)) / 2 for width in widths]
        return hidden, weights, rng.integers(1, 5, outputs) / 2

    cases = [case(2, (2, 2), 3), case(3, (1, 1, 1), 2), case(1, (3, 3), 4)]
    check(attempt, solution, cases, mistakes)


def bytes_of_stage(attempt: Answer) -> None:
    """Check ``bytes_of_stage(parameters, devices, stage)``: what ZeRO leaves on each device."""

    def by(pieces: tuple[float, ...]) -> Answer:
        def answer(parameters: float, devices: int, stage: int) -> float:
            split = [piece / devices if i < stage else piece for i, piece in enumerate(pieces)]
            return parameters * sum(split)

        return answer

    mistakes = [
        Mistake(by((8, 2, 2)), "The master weights seem to be missing: four bytes beside Adam's two means."),
        Mistake(by((8, 4, 4)), "Weights and gradients seem to have 32 bits: they have 16."),
        Mistake(by((2, 2, 12)), "The order of the stages seems to be reversed: the largest part is split first."),
        Mistake(
            lambda parameters, devices, stage: parameters * 16 / (devices if stage else 1),
            "Everything seems to be split in every stage: each stage splits one part more.",
        ),
        Mistake(
            lambda parameters, devices, stage: parameters * 16,
            "Nothing seems to be split: from stage 1 on the moments are.",
        ),
        Mistake(
            lambda parameters, devices, stage: by((12, 2, 2))(parameters, devices, min(stage + 1, 3)),
            "The stages seem to be one ahead: in stage 0 nothing is split.",
        ),
        Mistake(
            lambda parameters, devices, stage: by((12, 2, 2))(parameters, devices, max(stage - 1, 0)),
            "The stages seem to be one behind: stage 1 splits the moments.",
        ),
        Mistake(
            lambda parameters, devices, stage: devices * by((12, 2, 2))(parameters, devices, stage),
            "That seems to be the sum over all devices: asked for is one.",
        ),
        Mistake(
            lambda parameters, devices, stage: by((12, 2, 2))(1, devices, stage),
            "That seems to be for one parameter: multiply by how many there are.",
        ),
        Mistake(
            lambda parameters, devices, stage: parameters * (16, 4, 2, 0)[stage],
            "What is split seems to vanish: each device keeps its share of it.",
        ),
        Mistake(
            lambda parameters, devices, stage: parameters * (16 - (0, 12, 2, 2)[stage] * (1 - 1 / devices)),
            "Each stage seems to split its own part alone: what the stages before split stays split.",
        ),
    ]
    cases = [(10.0, 4, 0), (10.0, 5, 1), (6.0, 10, 2), (100.0, 5, 3)]
    check(attempt, zero_bytes, cases, mistakes)


def scale_after(attempt: Answer) -> None:
    """Check ``scale_after(scale, finite, patience)``: a loss scale that sets itself."""

    def by(
        down: float = 2, up: float = 2, anew: bool = True, after_growth: bool = True, late: int = 0
    ) -> Callable[[float, np.ndarray, int], float]:
        def answer(scale: float, finite: np.ndarray, patience: int) -> float:
            good = 0
            for fine in finite:
                if fine:
                    good += 1
                    if good >= patience + late:
                        scale, good = scale * up, 0 if after_growth else good
                else:
                    scale, good = scale / down, 0 if anew else good
            return scale

        return answer

    def at_every(scale: float, finite: np.ndarray, patience: int) -> float:
        for step, fine in enumerate(finite, 1):
            scale = scale * (2 if step % patience == 0 else 1) if fine else scale / 2
        return scale

    def once_a_row(scale: float, finite: np.ndarray, patience: int) -> float:
        good = 0
        for fine in finite:
            good = good + 1 if fine else 0
            scale = scale * (2 if good == patience else 1) if fine else scale / 2
        return scale

    mistakes = [
        Mistake(by(up=1), "It never seems to grow: enough finite steps in a row double it."),
        Mistake(by(down=1), "It never seems to shrink: an infinite gradient halves it."),
        Mistake(
            by(anew=False), "An infinite step seems not to begin the count anew: the finite ones must be in a row."
        ),
        Mistake(by(after_growth=False), "The count seems to go on after a doubling: it begins anew."),
        Mistake(by(late=1), "It seems to double one step late: when the count reaches the patience."),
        Mistake(by(down=0.5, up=0.5), "Up and down seem to be exchanged."),
        Mistake(
            lambda scale, finite, patience: scale * 2.0 ** (2 * np.sum(finite) - len(finite)),
            "Every finite step seems to double it: it takes as many as the patience says.",
        ),
        Mistake(by(down=4), "It seems to shrink to a quarter: one half is enough."),
        Mistake(by(down=10, up=10), "The factor seems to be 10: it is 2, which changes no digit."),
        Mistake(at_every, "All steps seem to be counted: only finite ones in a row count."),
        Mistake(once_a_row, "A long row seems to double it once only: after a doubling the count begins anew."),
    ]
    cases = [
        (64.0, np.array([True, True, False, True, True]), 3),
        (1024.0, np.array([True] * 7), 2),
        (32.0, np.array([True, False, True, True, False, False, True, True, True, True]), 2),
        (256.0, np.array([False, True, True, True, True, True]), 4),
        (128.0, np.array([False, True, True, True, False]), 4),
    ]
    check(attempt, by(), cases, mistakes)
