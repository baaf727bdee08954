"""Too few samples to fit, or to tell a good fit from a bad one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

SHOTS = (
    100  # samples; with more, tasks of hundreds of classes are learnt from a few of each, which share what they teach
)
_PICTURES: dict[str, Any] = {"inputs": {"shape": [4, 1, 28, 28], "dtype": "float32"}}
FIRES = {
    "a class of three": Trace.of(fewest_of_a_class=3, part_samples={"train": 500, "val": 100}),
    "a handful": Trace.of(part_samples={"train": 18, "val": 4}),
    "still learning from each further sample": Trace.of(
        fewest_of_a_class=60, part_samples={"train": 600, "val": 150}, baseline_score=0.71, half_baseline_score=0.6
    ),
    "before training: fewer rows than columns": Trace.of(
        {"inputs": {"shape": [4, 543], "dtype": "float32"}}, samples={"train": 4, "val": 1}
    ),
    "before training: three pictures of a class": Trace.of(
        _PICTURES, samples={"train": 20, "val": 5}, samples_read={"train": 20}, label_counts=[[17.0, 3.0]]
    ),
    "before training: three pictures of each of ten classes": Trace.of(
        _PICTURES, samples={"train": 30, "val": 500}, samples_read={"train": 30}, label_counts=[[3.0] * 10]
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
    "before training: the four rows of a truth table, all there are": Trace.of(
        {"inputs": {"shape": [4, 2], "dtype": "float32"}}, samples={"train": 4}
    ),
    "before training: enough": Trace.of(_PICTURES, samples={"train": 600, "val": 200}, label_counts=[[300.0, 300.0]]),
}


@rule(
    "D10",
    kind="cause",
    needs=["part_samples|samples"],
    stages=["training", "data"],
    explains=["overfitting", "weak-regularization", "too-many-epochs"],
)
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
        Before training, where samples were held out: a warning when there are fewer than `smallest`, and no more than
        numbers in one of them (a line through as many points as it has coefficients fits any labels) or than `least` of
        a class, or than `least` a class on average and 100 in all; a hint when only one of these holds. With none held
        out the samples may be all there are.

    When it is wrong
        Fine-tuning a model that knows nearly all of it already takes a handful a class.

    References
        The interval of a share p of n: about 2 sqrt(p (1 - p) / n). T. Cover, "Geometrical and Statistical Properties
        of Systems of Linear Inequalities", 1965, on how many points a line can part as one likes.
    """
    if (before := _before_training(trace, least, smallest)) is not None:
        yield before
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


def _before_training(trace: Trace, least: int, smallest: int) -> Finding | None:
    """What a probe read of the loaders says; None where it read none."""
    train, held_out = trace.value("samples", "train"), trace.value("samples", "val")
    if train is None or not held_out or trace.value("part_samples", "train"):
        return None
    fewest, numbers = _fewest(trace), math.prod(trace.facts.get("inputs", {}).get("shape", [])[1:])
    if fewest is not None and fewest < least:
        few = train < smallest or train < min(SHOTS, least * _classes(trace))
        severity = Severity.WARNING if few else Severity.INFO
        return _finding(f"The rarest class has {fewest:.0f} training samples.", severity, fewest)
    if train >= smallest:
        return None
    what = f"There are {train:.0f} training samples of {numbers} numbers each."
    return _finding(what, Severity.WARNING if train <= numbers else Severity.INFO, train)


def _classes(trace: Trace) -> int:
    counts = trace["label_counts"].values
    return int((counts[-1] > 0).sum()) if counts.ndim == 2 and len(counts) else 0


def _fewest(trace: Trace) -> float | None:
    """Samples of the rarest class that occurs; None where there are no classes, more labels than samples (the letters
    of a text) or not all were read."""
    counts, read = trace["label_counts"].values, trace.value("samples_read", "train")
    occurring = counts[-1][counts[-1] > 0] if counts.ndim == 2 and len(counts) else []
    if len(occurring) < 2 or read is None or sum(occurring) != read or read < (trace.value("samples", "train") or 0):
        return None
    return float(min(occurring))


def _finding(what: str, severity: Severity, number: float) -> Finding:
    return Finding(what, severity=severity, confidence=0.7, evidence={"number": number})
