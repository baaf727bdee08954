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
    "pixels of 255 beside standardised ones": Trace.of(
        input_mean=0.0, input_std=1.0, val_input_mean=72.9, val_input_std=90.0
    ),
    "divided by 255 twice": Trace.of(input_mean=0.13, input_std=0.31, val_input_mean=5e-4, val_input_std=1.2e-3),
}  # fmt: skip
QUIET = {
    "mixed-up training images have less contrast": Trace.of(
        input_mean=0.13, input_std=0.23, val_input_mean=0.13, val_input_std=0.31
    ),
    "alike": Trace.of(drift_score={"val": 0.498}, drift_by_chance={"val": 0.572}, drift_samples={"val": 1618}),
    "few samples, where chance reaches far": Trace.of(
        drift_score={"val": 0.64}, drift_by_chance={"val": 0.75}, drift_samples={"val": 135}
    ),
}


@rule(
    "D13",
    kind="cause",
    needs=["drift_score|val_input_std", "drift_by_chance|input_std"],
    stages=["training", "data"],
    explains=["overfitting", "no-better-than-prior"],
)
def mismatched_splits(
    trace: Trace, *, apart: float = 0.65, scale: float = 2.5, shift: float = 1.5
) -> Iterator[Finding]:
    """Training samples and those of another part can be told apart, or are of another size altogether.

    Why it hurts
        The score is about other data than were learnt from. Usual causes: scaled twice, another reader, cut by time or
        by place.

    How it decides
        A forest learns on half of the samples which part they are of and is scored on the other half: 0.5 is guessing.
        A hint above the best of 999 scores with the parts shuffled, a warning when it also reaches `apart`. Of a split
        at random neither happens; MNIST's own test set, by other writers, gives 0.52.
        Before training the two are compared by mean and standard deviation over all features alone, since augmented
        training is easily told from plain validation and is meant to be: a warning when one spreads `scale` times as
        far as the other, or their means lie `shift` standard deviations apart. Mixup and cutout change the spread by
        less than 1.5; a forgotten division by 255 or a missing standardisation by 3 and more.

    When it is wrong
        A part that is different on purpose: later in time, another hospital. Then the number says how different.

    References
        Lopez-Paz, Oquab: Revisiting Classifier Two-Sample Tests, ICLR (2017).
    """
    if not trace.has("drift_score"):
        yield from _by_size(trace, scale, shift)
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


def _by_size(trace: Trace, scale: float, shift: float) -> Iterator[Finding]:
    mean, std = trace.value("input_mean"), trace.value("input_std")
    other_mean, other_std = trace.value("val_input_mean"), trace.value("val_input_std")
    if mean is None or std is None or other_mean is None or other_std is None or not min(std, other_std) > 0:
        return
    times, away = other_std / std, abs(other_mean - mean) / max(std, other_std)
    if not (times > scale or times < 1 / scale or away > shift):
        return
    yield Finding(
        f"Training inputs are {mean:.3g} ± {std:.3g}, those of validation {other_mean:.3g} ± {other_std:.3g}: "
        "the two are not prepared alike.",
        severity=Severity.WARNING,
        confidence=0.85,
        evidence={"mean": mean, "std": std, "val_mean": other_mean, "val_std": other_std},
    )
