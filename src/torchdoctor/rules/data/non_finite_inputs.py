"""NaN or infinity in the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace

_NAN = float("nan")
FIRES = {
    "two samples of a table": Trace.of(
        {"nonfinite_samples": {"train": [17, 803], "train_targets": [], "val": []}},
        input_nonfinite_share={"": 0.002, "val": 0.0}, target_nonfinite_share=0.0,
    ),
    "a target that is missing": Trace.of(
        {"nonfinite_samples": {"train": [], "train_targets": [3], "val": []}},
        input_nonfinite_share=0.0, target_nonfinite_share=0.001,
    ),
    "watched: one batch": Trace.of(input_mean=[0.1, 0.1, _NAN, 0.1], input_absmax=[3.0, 3.1, _NAN, 2.9]),
}  # fmt: skip
QUIET = {
    "clean": Trace.of(input_nonfinite_share={"": 0.0, "val": 0.0}, target_nonfinite_share=0.0),
    "watched: large, but finite": Trace.of(input_mean=[1e30, 2e30], input_absmax=[1e38, 1e38]),
    "token ids have no mean": Trace.of(input_nonfinite_share=0.0),
}


@rule(
    "D03",
    kind="cause",
    severity=Severity.ERROR,
    needs=["input_nonfinite_share|input_absmax"],
    stages=["training", "data"],
    explains=["non-finite-loss", "non-finite-gradient", "stalled-loss", "no-better-than-prior"],
)
def non_finite_inputs(trace: Trace) -> Iterator[Finding]:
    """Inputs or targets hold NaN or infinity.

    Why it hurts
        One NaN in one sample makes the loss of its batch NaN, that the gradients, and the next step all weights.

    How it decides
        The data pass looks at every number it reads and names the samples. A watched run looks at the sampled batches.

    When it is wrong
        A model that masks missing values itself, where(isnan(x), ...), may want them in its inputs.

    References
        IEEE 754: an operation on NaN is NaN.
    """
    named = trace.facts.get("nonfinite_samples", {})
    shares = dict(trace.each("input_nonfinite_share"))
    for subject, split in (("", "training"), ("val", "validation")):
        if subject in shares and shares[subject].last > 0:
            yield _finding(
                f"{split} samples hold NaN or infinity", shares[subject].last, named.get(subject or "train", [])
            )
    if (share := trace.value("target_nonfinite_share") or 0.0) > 0:
        yield _finding("training targets hold NaN or infinity", share, named.get("train_targets", []))
    if not shares:
        yield from _watched(trace)


def _finding(what: str, share: float, samples: list[int]) -> Finding:
    which = f": {', '.join(map(str, samples[:5]))}{' ...' if len(samples) > 5 else ''}" if samples else ""
    return Finding(
        f"{share:.3%} of the {what}{which}.",
        where=tuple(samples),
        confidence=0.98,
        evidence={"share": share},
        fixes=(Remedy("fill-missing"),) if what.startswith("training samples") else (),
    )


def _watched(trace: Trace) -> Iterator[Finding]:
    bad = _bad_steps(trace["input_absmax"]) | _bad_steps(trace["target_absmax"])
    if bad:
        yield Finding(
            f"Inputs or targets held NaN or infinity in {len(bad)} of the sampled batches, first at step {min(bad)}.",
            steps=(min(bad), max(bad)),
            confidence=0.95,
            evidence={"batches": len(bad)},
        )


def _bad_steps(series: Series) -> set[int]:
    return {int(step) for step in series.steps[~np.isfinite(series.values)]}
