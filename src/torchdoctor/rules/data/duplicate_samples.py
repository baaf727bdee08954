"""The same sample more than once in one part."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_WORDS = {"inputs": {"shape": [32, 20], "dtype": "int64"}}
_BITS = {"inputs": {"shape": [32, 2], "dtype": "float32"}, "features": {"mean": [0.5, 0.3], "std": [0.5, 0.458]}}
FIRES = {
    "one in ten": Trace.of(repeated_samples={"train": 500}, part_samples={"train": 5000}, contradicting_samples=0),
    "a few": Trace.of(repeated_samples={"train": 2, "val": 1}, part_samples={"train": 900, "val": 200}),
    "twins with other labels": Trace.of(
        repeated_samples={"train": 30}, part_samples={"train": 900}, contradicting_samples=12
    ),
    "seen by a probe that read the loader": Trace.of(repeated_samples={"train": 90}, samples_read={"train": 900}),
    "short messages: a hint": Trace.of(_WORDS, repeated_samples={"train": 90}, samples_read={"train": 900}),
    "rows of a truth table: a hint": Trace.of(_BITS, repeated_samples={"train": 2}, samples_read={"train": 6}),
    "nearly the same": Trace.of(
        repeated_samples={"train": 0}, part_samples={"train": 900}, near_duplicates={"train": 20},
        near_samples={"train": 900},
    ),
}  # fmt: skip
QUIET = {
    "none": Trace.of(repeated_samples={"train": 0, "val": 0}, part_samples={"train": 900, "val": 200}),
    "none, and none nearly": Trace.of(
        repeated_samples={"train": 0}, part_samples={"train": 900}, near_duplicates={"train": 0},
        near_samples={"train": 900},
    ),
}  # fmt: skip


@rule(
    "D11",
    kind="cause",
    needs=["repeated_samples", "part_samples|samples_read"],
    stages=["training", "data"],
    explains=["overfitting"],
)
def duplicate_samples(trace: Trace, *, many: float = 0.1, contrary: float = 0.01) -> Iterator[Finding]:
    """The same sample occurs more than once in a part, bit for bit or nearly.

    Why it hurts
        It counts more than others in loss and score. Twins that have different targets cannot both be learnt.

    How it decides
        Hashes of all samples; near twins by the distance to the nearest neighbour over that to the next ones, under a
        threshold taken from the data. A hint when there are any, a warning when they are `many` of training, or
        when `contrary` of it are twins with other targets. First guesses; of a collection of short messages 7 % are
        twins by nature. Before training a hint only where samples repeat by nature: word numbers, and features of
        which every one is 0 or 1. Blank samples, which are one value throughout, are no twins.

    When it is wrong
        Tables of a few categories repeat by nature, and so do short messages.

    References
        Barz, Denzler: Do We Train on Test Data? Purging CIFAR of Near-Duplicates (2020).
    """
    for part, series in trace.each("repeated_samples"):
        n = trace.value("part_samples", part) or trace.value("samples_read", part) or 0.0
        count = series.last if len(series) else 0.0
        near, looked = trace.value("near_duplicates", part) or 0.0, trace.value("near_samples", part) or 0.0
        near = near if part == "train" else 0.0  # of other parts it counts twins in training
        if not (n > 0 and (count > 0 or near > 0)):
            continue
        contradict = trace.value("contradicting_samples") or 0.0 if part == "train" else 0.0
        alarm = part == "train" and (count >= many * n or near >= many * max(looked, 1) or contradict >= contrary * n)
        alarm = alarm and not _by_nature(trace)
        beside = f", and {near:.0f} of {looked:,.0f} nearly so" if near else ""
        other = f"; {contradict:.0f} with another target" if contradict else ""
        yield Finding(
            f"{count:.0f} of {n:,.0f} {part} samples equal an earlier one{beside}{other}.",
            severity=Severity.WARNING if alarm else Severity.INFO,
            confidence=0.9,
            evidence={"repeated": count, "nearly": near, "contradicting": contradict},
        )


def _by_nature(trace: Trace) -> bool:
    """Whole numbers, or features of 0 and 1: only these have a mean m and a variance m (1 - m)."""
    if not str(trace.facts.get("inputs", {}).get("dtype", "float")).startswith(("float", "bfloat")):
        return True
    features = trace.facts.get("features", {})
    pairs = list(zip(features.get("mean", []), features.get("std", [])))
    return bool(pairs) and all(0 <= m <= 1 and abs(s * s - m * (1 - m)) < 1e-3 for m, s in pairs)
