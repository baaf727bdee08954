"""Features that never vary."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import CannotSay, rule
from torchdoctor.judge.trace import Trace

ENOUGH = 20  # samples; the rows of a truth table may well be alike
FIRES = {
    "all but a few rows are zeros": Trace.of(
        constant_feature_share=0.4, commonest_sample_share=0.93, samples=427.0, samples_read=427.0
    ),
    "a column that was never filled in": Trace.of({"constant_features": [3]}, constant_feature_share=0.1),
    "a reader that gives zeros": Trace.of({"constant_features": [0, 1, 2]}, constant_feature_share=1.0),
}
QUIET = {
    "a third of the rows are empty": Trace.of(
        constant_feature_share=0.0, commonest_sample_share=0.33, samples=427.0, samples_read=427.0
    ),
    "all vary": Trace.of(constant_feature_share=0.0),
    "pictures, whose channels vary": Trace.of({"constant_features": []}, constant_feature_share=0.0, samples=900.0),
}


@rule(
    "D04",
    kind="cause",
    severity=Severity.INFO,
    needs=["constant_feature_share"],
    stages=["training", "data"],
    explains=["no-better-than-prior", "underfitting"],
)
def constant_features(trace: Trace, *, alike: float = 0.5) -> Iterator[Finding]:
    """Columns or channels that have the same value in every training sample.

    Why it hurts
        They say nothing, and where one varies after all, in production, its weight is what the initialisation drew.
        When all are constant nothing can be learnt: the reader gives the same for every sample.

    How it decides
        The share of columns of a table (channels of pictures) whose values are all equal, over every training sample. A
        hint for some of them, however many, since the others may say all there is to say; an error for all. A warning
        when more than `alike` of the samples are equal to one of them: a cast to whole numbers or a broken reader has
        taken away what told them apart.

    When it is wrong
        Words and categories that are rare may all be missing from a small training part.

    References
        None.
    """
    share, read = trace.value("constant_feature_share") or 0.0, trace.value("samples_read", "train")
    if read is not None and read < (trace.value("samples", "train") or 0):
        raise CannotSay("not all training samples were looked at")
    if read is not None and read < 2:
        raise CannotSay("a single sample varies in nothing")
    same = trace.value("commonest_sample_share") or 0.0
    if same > alike and share < 1 and (read or 0) >= ENOUGH:
        yield Finding(
            f"The inputs of {same:.0%} of the samples are the same, number for number.",
            severity=Severity.WARNING,
            confidence=0.85,
            evidence={"share_alike": same},
        )
        return
    if not share > 0:
        return
    names = trace.facts.get("constant_features", [])
    which = f": {', '.join(map(str, names[:5]))}{' ...' if len(names) > 5 else ''}" if names and share < 1 else ""
    severity = Severity.ERROR if share >= 1 else Severity.INFO
    yield Finding(
        f"{share:.1%} of the features never vary{which}.",
        severity=severity,
        confidence=0.95,
        evidence={"share": share},
    )
