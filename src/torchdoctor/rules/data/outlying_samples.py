"""Samples far from all others, and files that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "two broken files": Trace.of({"unreadable_files": ["a.jpg: truncated"]}, unreadable_files=2, outlying_samples=0),
    "a salary in cents": Trace.of(
        {"outliers": [[17, 240.0]]}, unreadable_files=0, outlying_samples=1, outlier_samples=900, farthest_sample=240.0
    ),
    "a few odd ones": Trace.of(
        {"outliers": [[3, 4.7], [9, 4.1]]}, outlying_samples=2, outlier_samples=900, farthest_sample=4.7
    ),
}
QUIET = {
    "none": Trace.of(unreadable_files=0, outlying_samples=0, outlier_samples=900, farthest_sample=1.9),
    "all files readable, too few samples for neighbours": Trace.of(unreadable_files=0),
}


@rule(
    "D05",
    kind="cause",
    needs=["outlying_samples|unreadable_files"],
    stages=["training", "data"],
    explains=["loss-spike", "exploding-gradients", "unscaled-inputs"],  # far values widen what scaling goes by
)
def outlying_samples(trace: Trace, *, far: float = 100) -> Iterator[Finding]:
    """Training samples far from all others, or files that could not be read.

    Why it hurts
        One sample of a hundred times the usual size makes one step of a hundred times the usual size. Files that are
        left out quietly are samples that somebody believes are there.

    How it decides
        Every sample's distance to its tenth nearest neighbour; outlying are those beyond three interquartile ranges
        above the upper quartile, in the logarithm (Tukey's outer fence). A hint, and a warning when the farthest lies
        `far` times as far as the median sample does: sound data sets reach 2 to 7, California housing 88. Files that
        cannot be read are always a warning.

    When it is wrong
        Rare but valid cases look like this too; look at them before they are dropped.

    References
        Ramaswamy, Rastogi, Shim: Efficient Algorithms for Mining Outliers from Large Data Sets (2000). Tukey (1977).
    """
    if (lost := trace.value("unreadable_files") or 0.0) > 0:
        files = trace.facts.get("unreadable_files", [])
        first = f", first {str(files[0])[:70]}" if files else ""
        yield Finding(
            f"{lost:.0f} files could not be read and were left out{first}.", confidence=0.97, evidence={"files": lost}
        )
    out, size = trace.value("outlying_samples") or 0.0, trace.value("farthest_sample") or 1.0
    if not out > 0:
        return
    rows = [int(row) for row, _ in trace.facts.get("outliers", [])]
    yield Finding(
        f"{out:.0f} training samples lie far from all others, the farthest {size:.3g} times as far as usual.",
        where=tuple(rows),
        severity=Severity.WARNING if size >= far else Severity.INFO,
        confidence=0.6,
        evidence={"samples": out, "farthest": size, "looked_at": trace.value("outlier_samples") or 0.0},
    )
