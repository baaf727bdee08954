"""Answers that a little disturbance changes."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "a tenth of noise costs a third": Trace.of(
        disturbed_score={"none": [0.95], "noise 0.1": [0.61], "noise 0.4": [0.3], "pgd 0.00784": [0.02]}
    ),
    "a hint: one grey level, chosen with care": Trace.of(
        disturbed_score={"none": [0.92], "noise 0.1": [0.9], "pgd 0": [0.92], "pgd 0.00784": [0.1], "pgd 0.1": [0.0]}
    ),
}
QUIET = {
    "hardly any loss": Trace.of(
        disturbed_score={"none": [0.96], "noise 0.1": [0.96], "noise 1": [0.6], "pgd 0.00784": [0.94], "pgd 0.3": [0.0]}
    ),
    "guessing stays guessing": Trace.of(disturbed_score={"none": [0.1], "noise 0.1": [0.1], "pgd 0.00784": [0.05]}),
}


@rule("I07", kind="symptom", needs=["disturbed_score"], stages=["evaluation"])
def fragile_predictions(trace: Trace, *, noise: float = 0.15, chance: float = 0.2) -> Iterator[Finding]:
    """A small change of the inputs, random or chosen on purpose, changes many answers.

    Why it hurts
        Data in production are never quite those of the test set, and whoever wants a wrong answer can have it.

    How it decides
        Under the weakest noise that was tried (a tenth of the inputs' standard deviation) the accuracy falls by more
        than `noise`: an alarm. Under the weakest attack (2/255 of the inputs' range) less than half of it is left: a
        hint, since hardly any network resists that was not trained to. Models below `chance` are not judged. The limits
        are first guesses.

    When it is wrong
        Inputs whose values are exact by nature, such as codes.

    References
        I. Goodfellow et al., "Explaining and Harnessing Adversarial Examples", 2015; D. Hendrycks, T. Dietterich,
        "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", 2019.
    """
    clean = trace.value("disturbed_score", "none")
    if clean is None:
        raise CannotSay("the score of undisturbed inputs is not recorded")
    if not clean > chance:
        return
    if (weakest := _weakest(trace, "noise")) is not None and clean - weakest[1] > noise:
        degree, left = weakest
        yield Finding(
            f"Noise of {degree:g} standard deviations of the inputs takes the accuracy from {clean:.1%} to {left:.1%}.",
            where=(f"noise {degree:.3g}",),
            confidence=0.85,
            evidence={"clean": clean, "left": left},
        )
    if (weakest := _weakest(trace, "pgd")) is not None and weakest[1] < clean / 2:
        degree, left = weakest
        yield Finding(
            f"Changes of {degree:.2%} of the inputs' range, made on purpose, take the accuracy from {clean:.1%} to "
            f"{left:.1%}.",
            where=(f"pgd {degree:.3g}",),
            confidence=0.9,
            severity=Severity.INFO,
            evidence={"clean": clean, "left": left},
        )


def _weakest(trace: Trace, kind: str) -> tuple[float, float] | None:
    """(degree, what is left) of the smallest degree above zero."""
    found: list[tuple[float, float]] = []
    for subject, series in trace.each("disturbed_score"):
        name, _, degree = subject.rpartition(" ")
        if name == kind and _is_number(degree) and float(degree) > 0 and series.last == series.last:
            found.append((float(degree), series.last))
    return min(found, default=None)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("e-", "", 1).isdecimal()
