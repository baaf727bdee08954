"""The same seed gives another result."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "augmentation that seeds itself": Trace.of(batch_difference=0.98, gradient_difference=0.0),
    "noise of the model's own": Trace.of(batch_difference=0.0, gradient_difference=0.3),
    "sums in another order, a hint": Trace.of(batch_difference=0.0, gradient_difference=1e-7),
}
QUIET = {
    "to the bit": Trace.of(batch_difference=0.0, gradient_difference=0.0),
    "only the batches are known": Trace.of(batch_difference=0.0),
}


@rule("S12", kind="cause", needs=["batch_difference|gradient_difference"])
def non_deterministic_run(trace: Trace, *, rounding: float = 1e-4) -> Iterator[Finding]:
    """Started from the same seed, the loader gives another batch, or the model another gradient.

    Why it hurts
        A run that cannot be repeated cannot be debugged, and a change that helps cannot be told from luck.

    How it decides
        The first batch is read twice, and one forward and backward pass made by two copies of the model, each after
        seeding Python's, NumPy's and torch's random numbers alike and with all generators that can be reached in the
        same state. What still differs draws from a source that no seed reaches. A gradient that differs by less than
        `rounding` of its length is a hint: operations that add up in another order each time.

    When it is wrong
        Data from a sensor or a stream, which never come again.

    References
        PyTorch's notes on reproducibility; `torchdoctor repro` names the first tensor that differs between two runs.
    """
    batch, gradient = trace.value("batch_difference") or 0.0, trace.value("gradient_difference") or 0.0
    if batch > 0:
        yield Finding(
            f"Read again from the same seed, {batch:.1%} of the numbers in the first batch are others.",
            confidence=0.9,
            evidence={"batch_difference": batch},
        )
    if gradient > 0:
        yield Finding(
            f"Computed again from the same seed, the gradient of a batch differs by {gradient:.1g} of its length.",
            confidence=0.9 if gradient > rounding else 0.6,
            severity=Severity.WARNING if gradient > rounding else Severity.INFO,
            evidence={"gradient_difference": gradient},
        )
