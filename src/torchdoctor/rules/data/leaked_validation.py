"""Samples that are in training and in the part that judges it."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "twenty of a thousand": Trace.of(shared_samples={"val": 20}, part_samples={"val": 1000, "train": 4000}),
    "nearly the same pictures": Trace.of(
        shared_samples={"test": 0}, part_samples={"test": 500, "train": 4000}, near_duplicates={"test": 15},
        near_samples={"test": 500},
    ),
    "one of thirty": Trace.of(shared_samples={"val": 1}, part_samples={"val": 30, "train": 105}),
}  # fmt: skip
QUIET = {
    "none": Trace.of(shared_samples={"val": 0, "test": 0}, part_samples={"val": 360, "test": 179}),
    "none nearly": Trace.of(
        shared_samples={"val": 0}, part_samples={"val": 360}, near_duplicates={"val": 0, "train": 4},
        near_samples={"val": 360},
    ),
}  # fmt: skip


@rule("D12", kind="cause", needs=["shared_samples", "part_samples"], stages=["training", "data"])
def leaked_validation(trace: Trace, *, share: float = 0.005, nearly: float = 0.01, least: int = 5) -> Iterator[Finding]:
    """Validation or test holds training samples, bit for bit or nearly.

    Why it hurts
        The score counts what was learnt by heart: it is too good by about the share, and prefers models that memorise.

    How it decides
        Hashes of all samples, and for near twins (noise, compression, exposure) the distance to the nearest training
        sample over that to the next ones, under a threshold taken from the data. A warning when `share` of the part is
        shared, or `nearly` of it nearly so, and `least` samples; else a hint: equal samples occur by chance where there
        are few features, and sound data hold near twins too (MNIST 0.001, Fashion-MNIST 0.007 of validation).

    When it is wrong
        Tables of a few categories, short messages: equal samples may be different cases. A graph whose nodes are in
        training and in validation with other labels: a hint where each is one and the same batch.

    References
        Barz, Denzler: Do We Train on Test Data? Purging CIFAR of Near-Duplicates (2020).
    """
    for part, series in trace.each("shared_samples"):
        n, count = trace.value("part_samples", part) or 0.0, series.last if len(series) else 0.0
        near, looked = trace.value("near_duplicates", part) or 0.0, trace.value("near_samples", part) or 0.0
        if not (n > 0 and (count > 0 or near > 0)):
            continue
        alarm = (count >= least and count >= share * n) or (near >= least and looked > 0 and near >= nearly * looked)
        beside = f", and {near:.0f} of {looked:,.0f} nearly are" if near else ""
        yield Finding(
            f"{count:.0f} of {n:,.0f} {part} samples are in training{beside}.",
            severity=Severity.WARNING if alarm and not trace.is_one_object else Severity.INFO,
            confidence=0.9,
            evidence={"shared": count, "nearly": near, "looked_at": looked},
        )
