"""Parts that were drawn from different distributions, or prepared differently."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "validation scaled otherwise": Trace.of(
        drift_score={"val": 1.0}, drift_by_chance={"val": 0.56}, drift_samples={"val": 1600}
    ),
    "other writers": Trace.of(
        drift_score={"val": 0.5, "test": 0.57}, drift_by_chance={"val": 0.53, "test": 0.53},
        drift_samples={"val": 8000, "test": 8000},
    ),
}  # fmt: skip
QUIET = {
    "alike": Trace.of(drift_score={"val": 0.498}, drift_by_chance={"val": 0.572}, drift_samples={"val": 1618}),
    "few samples, where chance reaches far": Trace.of(
        drift_score={"val": 0.64}, drift_by_chance={"val": 0.75}, drift_samples={"val": 135}
    ),
}


@rule("D13", kind="cause", needs=["drift_score", "drift_by_chance"], explains=["overfitting"])
def mismatched_splits(trace: Trace, *, apart: float = 0.65) -> Iterator[Finding]:
    """A classifier tells training samples from those of another part.

    Why it hurts
        The score is about other data than were learnt from. Usual causes: scaled twice, another reader, cut by time or
        by place.

    How it decides
        A forest learns on half of the samples which part they are of and is scored on the other half: 0.5 is guessing.
        A hint above the best of 999 scores with the parts shuffled, a warning when it also reaches `apart`. Of a split
        at random neither happens; MNIST's own test set, by other writers, gives 0.52.

    When it is wrong
        A part that is different on purpose: later in time, another hospital. Then the number says how different.

    References
        Lopez-Paz, Oquab: Revisiting Classifier Two-Sample Tests, ICLR (2017).
    """
    for part, series in trace.each("drift_score"):
        score, chance = series.last if len(series) else 0.5, trace.value("drift_by_chance", part)
        if chance is None or not score > chance:
            continue
        yield Finding(
            f"A classifier tells {part} from train samples with an area under the curve of {score:.3f}; chance reaches "
            f"{chance:.3f}.",
            severity=Severity.WARNING if score >= apart else Severity.INFO,
            confidence=0.85,
            evidence={"area": score, "chance": chance, "samples": trace.value("drift_samples", part) or 0.0},
        )
