"""What is wrong with a training? The game of the chapter ``tuning``: causes assigned to curves."""

from typing import ClassVar

from utils.checks import WrongAnswer


class Diagnosis:
    """What is wrong with seven trainings? Says why a wrong assignment cannot be.

    A run is told by four signs. Of two causes at least one sign differs, and the first that does is the reason.
    """

    SIGNS: ClassVar[tuple[dict[str, str], ...]] = (
        {"ln 10": "begins near ln 10", "above": "begins far above ln 10"},
        {
            "falls": "falls from the first epoch on",
            "leaps": "leaps far above its start",
            "lies": "never leaves its start",
        },
        {
            "zero": "ends near 0",
            "floor": "ends at about 1.5, with nearly all training digits right",
            "guess": "ends at ln 10, the loss of guessing",
            "on its way": "is still on its way down at the end",
        },
        {
            "together": "has a validation loss that ends close to its training loss",
            "worse": "has a validation loss that rises while the training loss falls",
        },
    )
    CAUSES: ClassVar[dict[str, tuple[str, str, str, str]]] = {
        "rate too low": ("ln 10", "falls", "on its way", "together"),
        "rate too high": ("ln 10", "leaps", "guess", "together"),
        "weights start at zero": ("ln 10", "lies", "guess", "together"),
        "labels shuffled": ("ln 10", "falls", "on its way", "worse"),
        "inputs not scaled": ("above", "leaps", "guess", "together"),
        "softmax twice": ("ln 10", "falls", "floor", "together"),
        "validation digits in training": ("ln 10", "falls", "zero", "together"),
    }
    RUNS: ClassVar[dict[str, str]] = dict(
        zip(
            "ABCDEFG",
            (
                "softmax twice",
                "rate too high",
                "validation digits in training",
                "rate too low",
                "weights start at zero",
                "labels shuffled",
                "inputs not scaled",
            ),
            strict=True,
        )
    )

    def __call__(self, assigned: dict[str, str]) -> None:
        """Check an assignment of causes to the runs A to G; empty texts are waited for.

        Parameters
        ----------
        assigned : dict
            Letter to cause.

        Raises
        ------
        WrongAnswer
            If a run is given a cause that it cannot have, one line for each; or a letter or a cause is unknown.
        """
        if unknown := sorted(set(assigned) - set(self.RUNS)):
            raise WrongAnswer(f"There is no run {unknown[0]}: the runs are A to G.")
        given = {letter: cause.strip().lower() for letter, cause in assigned.items() if cause.strip()}
        for letter, cause in given.items():
            if cause not in self.CAUSES:
                raise WrongAnswer(f"{letter}: “{cause}” is none of the seven. They are: {'; '.join(self.CAUSES)}.")
        wrong = [self.reason(letter, cause) for letter, cause in sorted(given.items()) if cause != self.RUNS[letter]]
        if wrong:
            raise WrongAnswer("\n".join(wrong))
        if len(given) < len(self.RUNS):
            missing = ", ".join(sorted(set(self.RUNS) - set(given)))
            print(f"Not yet: {missing}." + (" The others are right." if given else ""))
            return
        print(f"✓ All {len(given)} are right.")

    def reason(self, letter: str, cause: str) -> str:
        """Return the sentence that says why a run cannot have a cause."""
        pairs = zip(self.SIGNS, self.CAUSES[cause], self.CAUSES[self.RUNS[letter]], strict=True)
        sign, claimed, real = next(pair for pair in pairs if pair[1] != pair[2])
        return f"{letter} is not “{cause}”: such a run {sign[claimed]}, and {letter} {sign[real]}."
