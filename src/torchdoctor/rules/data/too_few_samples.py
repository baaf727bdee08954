"""Too few samples to fit, or to tell a good fit from a bad one."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "a class of three": Trace.of(fewest_of_a_class=3, part_samples={"train": 500, "val": 100}),
    "a handful": Trace.of(part_samples={"train": 18, "val": 4}),
    "still learning from each further sample": Trace.of(
        fewest_of_a_class=60, part_samples={"train": 600, "val": 150}, baseline_score=0.71, half_baseline_score=0.6
    ),
    "nothing to judge by": Trace.of(part_samples={"train": 300, "val": 12}, fewest_of_a_class=90),
}
QUIET = {
    "enough": Trace.of(
        fewest_of_a_class=122, part_samples={"train": 1258, "val": 360}, baseline_score=0.98, half_baseline_score=0.97
    ),
    "small, but learnt": Trace.of(
        fewest_of_a_class=34, part_samples={"train": 125, "val": 35}, baseline_score=0.95, half_baseline_score=0.95
    ),
}


@rule("D10", kind="cause", needs=["part_samples"], explains=["overfitting"])
def too_few_samples(
    trace: Trace, *, least: int = 5, smallest: int = 30, judges: int = 20, gain: float = 0.05
) -> Iterator[Finding]:
    """Fewer samples than the task can be fitted on or judged by.

    Why it hurts
        A network learns a handful of samples by heart. And from 20 validation samples the score is known to within a
        fifth, so every choice made by it is luck.

    How it decides
        A warning when a class has fewer than `least` training samples, or training fewer than `smallest` in all. A hint
        when validation or test has fewer than `judges`, or when a small model's score still rises by `gain` from half
        of the samples to all: then more samples would help more than most settings. First guesses.

    When it is wrong
        Fine-tuning a model that knows nearly all of it already takes a handful a class.

    References
        The interval of a share p of n: about 2 sqrt(p (1 - p) / n).
    """
    train, fewest = trace.value("part_samples", "train"), trace.value("fewest_of_a_class")
    if fewest is not None and fewest < least:
        yield _finding(f"The rarest class has {fewest:.0f} training samples.", Severity.WARNING, fewest)
    elif train is not None and train < smallest:
        yield _finding(f"There are {train:.0f} training samples in all.", Severity.WARNING, train)
    for part, name in (("val", "validation"), ("test", "test")):
        count = trace.value("part_samples", part)
        if count is not None and count < judges:
            yield _finding(f"The {name} score hangs on {count:.0f} samples.", Severity.INFO, count)
    score, half = trace.value("baseline_score"), trace.value("half_baseline_score")
    if score is not None and half is not None and score - half >= gain:
        what = f"A small model scores {half:.3f} learnt from half of the samples and {score:.3f} from all."
        yield _finding(what, Severity.INFO, score - half)


def _finding(what: str, severity: Severity, number: float) -> Finding:
    return Finding(what, severity=severity, confidence=0.7, evidence={"number": number})
