"""The checkers of the chapter ``trend-privacy``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from utils.checks import Mistake, check
from utils.scratch import accountant, membership

Answer = Callable[..., Any]


def clipped_mean(attempt: Answer) -> None:
    """Check ``clipped_mean(gradients, clip)``: each row cut to a length, then the mean of the rows."""

    def lengths(gradients: np.ndarray) -> np.ndarray:
        return np.linalg.norm(gradients, axis=1, keepdims=True)  # (batch, 1)

    def cut(gradients: np.ndarray, clip: float) -> np.ndarray:
        return gradients / np.maximum(1, lengths(gradients) / clip)

    def solution(gradients: np.ndarray, clip: float) -> np.ndarray:
        return cut(gradients, clip).mean(axis=0)

    def by(share: Callable[[np.ndarray, float], Any]) -> Answer:
        return lambda gradients, clip: (share(gradients, clip) * gradients).mean(axis=0)

    mistakes = [
        Mistake(
            lambda gradients, clip: gradients.mean(axis=0), "Nothing seems to be cut: long rows are shortened first."
        ),
        Mistake(
            lambda gradients, clip: cut(gradients.mean(axis=0)[None], clip)[0],
            "The mean seems to be cut, not each row: one example could then fill it alone.",
        ),
        Mistake(
            lambda gradients, clip: np.clip(gradients, -clip, clip).mean(axis=0),
            "Single numbers seem to be cut: that turns the row. The whole row is shortened.",
        ),
        Mistake(
            by(lambda gradients, clip: clip / lengths(gradients)),
            "Short rows seem to be stretched: a row within the bound stays as it is.",
        ),
        Mistake(
            by(lambda gradients, clip: np.minimum(1, 1 / lengths(gradients))),
            "The bound seems to be 1, whatever clip is.",
        ),
        Mistake(
            by(lambda gradients, clip: np.minimum(1, clip / lengths(gradients) ** 2)),
            "The length seems to lack its root: it is the root of the sum of squares.",
        ),
        Mistake(
            by(lambda gradients, clip: np.minimum(1, clip / np.linalg.norm(gradients, axis=0))),
            "The lengths seem to be those of the columns: each example is a row.",
        ),
        Mistake(
            by(lambda gradients, clip: lengths(gradients) <= clip),
            "Long rows seem to be dropped: they are shortened and stay.",
        ),
        Mistake(
            lambda gradients, clip: cut(gradients, clip).sum(axis=0),
            "That seems to be the sum: divide by the number of rows.",
        ),
    ]
    cases = [
        (np.array([[3.0, 4.0], [0.6, 0.8], [-1.0, 2.0]]), 2.0),
        (np.array([[0.3, -0.4, 1.2], [6.0, 2.0, -3.0], [0.1, 0.2, -0.2], [2.0, 2.0, -1.0]]), 0.7),
        (np.array([[5.0, -12.0], [9.0, 12.0]]), 6.5),
    ]
    check(attempt, solution, cases, mistakes)


def found_at(attempt: Answer) -> None:
    """Check ``found_at(rate, inside, outside)``: members found at a bounded rate of false alarms."""

    def solution(rate: float, inside: np.ndarray, outside: np.ndarray) -> float:
        return membership.tpr_at(rate, inside, outside)

    def best(
        caught: Callable[[np.ndarray, float], np.ndarray],
        allowed: Callable[[float, float], bool] = lambda false, rate: false <= rate,
    ) -> Answer:
        def answer(rate: float, inside: np.ndarray, outside: np.ndarray) -> float:
            thresholds = [np.inf, *np.unique(np.concatenate([inside, outside]))]
            good = [t for t in thresholds if allowed(caught(outside, t).mean(), rate)]
            return max((float(caught(inside, t).mean()) for t in good), default=0.0)

        return answer

    def interpolated(rate: float, inside: np.ndarray, outside: np.ndarray) -> float:
        return float(np.interp(rate, *membership.roc(inside, outside)))

    def accuracy(rate: float, inside: np.ndarray, outside: np.ndarray) -> float:
        false, true = membership.roc(inside, outside)
        return float((true[false <= rate][-1] + 1 - false[false <= rate][-1]) / 2)

    mistakes = [
        Mistake(
            lambda rate, inside, outside: membership.tpr_at(rate, outside, inside),
            "Members and others seem to be exchanged: the false alarms are among the others.",
        ),
        Mistake(best(lambda scores, t: scores <= t), "Low scores seem to be called members: a member's score is high."),
        Mistake(
            best(lambda scores, t: scores >= t, lambda false, rate: false < rate),
            "A rate that is just reached seems to be refused: at most that share is allowed.",
        ),
        Mistake(interpolated, "It seems to read between two points of the curve: no threshold is there."),
        Mistake(
            lambda rate, inside, outside: float((inside >= np.quantile(outside, 1 - rate)).mean()),
            "The threshold seems to be a quantile at which too many others may be accused: count the false alarms.",
        ),
        Mistake(accuracy, "That seems to be the accuracy of the attack: asked for is the share of members alone."),
        Mistake(
            lambda rate, inside, outside: membership.tpr_at(0, inside, outside),
            "No false alarm seems to be allowed, whatever the rate is.",
        ),
    ]
    cases = [
        (0.25, np.array([0.9, 0.7, 0.6, 0.2, 0.1]), np.array([0.8, 0.5, 0.15, 0.05])),
        (0.3, np.array([3.0, 2.5, 2.0, 1.5, 1.0, 0.2]), np.array([2.7, 2.2, 1.8, 0.5, 0.1])),
        (0.5, np.array([0.6, 0.6, 0.4, 0.8]), np.array([0.6, 0.6, 0.7, 0.1, 0.3])),
        (0.2, np.array([0.9, 0.8, 0.3]), np.array([0.95, 0.92, 0.7, 0.6, 0.5])),
    ]
    check(attempt, solution, cases, mistakes)


def exposure_of(attempt: Answer) -> None:
    """Check ``exposure_of(losses, place)``: the bits that a model tells about one candidate."""

    def solution(losses: np.ndarray, place: int) -> float:
        return membership.exposure(membership.rank(losses, place), len(losses))

    def of(rank: Callable[[np.ndarray, float], Any]) -> Answer:
        return lambda losses, place: np.log2(len(losses)) - np.log2(rank(losses, losses[place]))

    mistakes = [
        Mistake(
            lambda losses, place: solution(losses, place) * np.log(2),
            "That seems to be the natural logarithm: bits need the one of base 2.",
        ),
        Mistake(
            of(lambda losses, own: (losses < own).sum() + 1),
            "Ties seem to count for the secret: candidates with the same loss stand before it.",
        ),
        Mistake(
            of(lambda losses, own: (losses >= own).sum()),
            "The largest loss seems to have rank 1: the likeliest candidate has the smallest.",
        ),
        Mistake(
            of(lambda losses, own: (losses < own).sum()),
            "The ranks seem to begin at 0: the likeliest candidate has rank 1.",
        ),
        Mistake(
            lambda losses, place: np.log2(membership.rank(losses, place)),
            "That seems to be the logarithm of the rank: exposure is how far it lies below that of all candidates.",
        ),
        Mistake(
            of(lambda losses, own: losses.tolist().index(own) + 1),
            "The rank seems to be the place in the list: sort by loss first.",
        ),
        Mistake(
            lambda losses, place: len(losses) / membership.rank(losses, place),
            "The logarithm seems to be missing.",
        ),
    ]
    cases = [
        (np.array([2.0, 0.5, 1.0, 1.0, 3.0, 4.0, 6.0, 5.0]), 2),
        (np.array([9.0, 7.0, 5.0, 3.0, 1.0, 6.0]), 3),
        (np.array([0.4, 0.3, 0.2, 0.1, 0.7, 0.2, 0.2]), 0),
    ]
    check(attempt, solution, cases, mistakes)


def epsilon_of(attempt: Answer) -> None:
    """Check ``epsilon_of(noise, steps, delta, orders)``: ε of noisy steps on all examples, classic conversion."""

    def solution(noise: float, steps: int, delta: float, orders: np.ndarray) -> float:
        divergences = [steps * accountant.gaussian_rdp(order, noise) for order in orders]
        return accountant.epsilon(np.array(divergences), orders, delta, "classic")

    def by(
        divergence: Callable[[np.ndarray, float, int], np.ndarray] = lambda a, noise, steps: steps * a / (2 * noise**2),
        price: Callable[[float, np.ndarray], np.ndarray] = lambda delta, a: np.log(1 / delta) / (a - 1),
        choose: Callable[[np.ndarray], float] = np.min,
    ) -> Answer:
        return lambda noise, steps, delta, orders: float(
            choose(divergence(orders, noise, steps) + price(delta, orders))
        )

    mistakes = [
        Mistake(
            by(lambda a, noise, steps: a / (2 * noise**2)),
            "It seems to be the price of one step: divergences add up over the steps.",
        ),
        Mistake(
            lambda noise, steps, delta, orders: steps * solution(noise, 1, delta, orders),
            "The steps seem to multiply ε: divergences add up, and are converted once.",
        ),
        Mistake(by(lambda a, noise, steps: steps * a / (2 * noise)), "The noise seems to lack its square."),
        Mistake(by(lambda a, noise, steps: steps * a / noise**2), "The 2 seems to be missing below the order."),
        Mistake(
            by(lambda a, noise, steps: steps / (2 * noise**2)),
            "The order seems to be missing in the divergence: it grows with it.",
        ),
        Mistake(
            by(price=lambda delta, a: np.log(1 / delta) / a),
            "The conversion seems to divide by the order: it divides by the order less 1.",
        ),
        Mistake(by(price=lambda delta, a: np.log10(1 / delta) / (a - 1)), "That seems to be the logarithm of base 10."),
        Mistake(
            by(price=lambda delta, a: np.log(delta) / (a - 1)),
            "The sign of the logarithm seems to be wrong: a smaller δ costs more.",
        ),
        Mistake(
            by(price=lambda delta, a: 0 * a),
            "That seems to be a divergence: it has yet to be converted, at the price of δ.",
        ),
        Mistake(by(choose=np.max), "The worst order seems to be taken: each is valid, so the best is."),
        Mistake(by(choose=lambda values: values[0]), "Only the first order seems to count: take the best."),
        Mistake(by(choose=np.mean), "The mean over the orders seems to be taken: each is valid, so the best is."),
    ]
    cases = [
        (4.0, 10, 1e-5, np.array([1.5, 3.0, 6.0, 12.0, 24.0])),
        (1.0, 3, 1e-3, np.array([2.0, 4.0, 8.0])),
        (20.0, 200, 1e-6, np.array([1.25, 5.0, 9.0, 40.0])),
    ]
    check(attempt, solution, cases, mistakes)


def attack_step(attempt: Answer) -> None:
    """Check ``attack_step(x, gradient, start, rate, epsilon)``: one step of projected gradient descent."""

    def into(x: np.ndarray, center: np.ndarray, epsilon: float) -> np.ndarray:
        return np.clip(np.clip(x, center - epsilon, center + epsilon), 0, 1)

    def solution(x: np.ndarray, gradient: np.ndarray, start: np.ndarray, rate: float, epsilon: float) -> np.ndarray:
        return into(x + rate * np.sign(gradient), start, epsilon)

    mistakes = [
        Mistake(
            lambda x, gradient, start, rate, epsilon: into(x + rate * gradient, start, epsilon),
            "The gradient seems to be used without its sign: every number moves by the rate.",
        ),
        Mistake(
            lambda x, gradient, start, rate, epsilon: into(x - rate * np.sign(gradient), start, epsilon),
            "It seems to go down: an attack makes the loss grow.",
        ),
        Mistake(
            lambda x, gradient, start, rate, epsilon: into(x + epsilon * np.sign(gradient), start, epsilon),
            "The step seems to be ε long: it is as long as the rate.",
        ),
        Mistake(
            lambda x, gradient, start, rate, epsilon: np.clip(x + rate * np.sign(gradient), 0, 1),
            "It seems to leave the bound: bring it back to within ε of the start.",
        ),
        Mistake(
            lambda x, gradient, start, rate, epsilon: into(x + rate * np.sign(gradient), x, epsilon),
            "The bound seems to lie around x: it lies around the start, or steps would carry it away.",
        ),
        Mistake(
            lambda x, gradient, start, rate, epsilon: np.clip(
                x + rate * np.sign(gradient), start - epsilon, start + epsilon
            ),
            "It seems to leave [0, 1]: no pixel is darker than black or brighter than white.",
        ),
        Mistake(
            lambda x, gradient, start, rate, epsilon: into(start + rate * np.sign(gradient), start, epsilon),
            "The step seems to begin at the start: it goes on from x.",
        ),
        Mistake(
            lambda x, gradient, start, rate, epsilon: np.clip(rate * np.sign(gradient), -epsilon, epsilon),
            "That seems to be the change alone: add it to x.",
        ),
    ]
    cases = [
        (
            np.array([0.5, 0.58, 0.03, 0.98]),
            np.array([2.0, 0.3, -0.5, 0.1]),
            np.array([0.5, 0.5, 0.05, 0.95]),
            0.04,
            0.1,
        ),
        (
            np.array([[0.2, 0.75], [0.42, 1.0]]),
            np.array([[-0.1, 3.0], [0.0, -2.0]]),
            np.array([[0.3, 0.7], [0.4, 0.9]]),
            0.06,
            0.1,
        ),
        (np.array([0.45, 0.5]), np.array([1.5, -1.0]), np.array([0.4, 0.55]), 0.3, 0.1),
    ]
    check(attempt, solution, cases, mistakes)
