"""A split that was cut from ordered data."""

from __future__ import annotations

from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

FIRES = {
    "sorted by class, then cut": Trace.of(
        class_distance={"val": 0.9}, class_distance_by_chance={"val": 0.14}, classes_missing={"val": 8}
    ),
    "shares that differ": Trace.of(
        class_distance={"val": 0.3, "test": 0.02}, class_distance_by_chance={"val": 0.1, "test": 0.1},
        classes_missing={"val": 0},
    ),
}  # fmt: skip
QUIET = {
    "stratified": Trace.of(class_distance={"val": 0.006}, class_distance_by_chance={"val": 0.14}),
    "as a random split would": Trace.of(
        class_distance={"test": 0.03}, class_distance_by_chance={"test": 0.06}, classes_missing={"test": 0}
    ),
}


@rule(
    "D14",
    kind="cause",
    needs=["class_distance", "class_distance_by_chance"],
    stages=["training", "data"],
    explains=["overfitting"],
)
def unshuffled_split(trace: Trace, *, apart: float = 0.1) -> Iterator[Finding]:
    """The classes of training and of another part differ by more than a random split makes them.

    Why it hurts
        Classes that training never sees cannot be learnt, and those that validation lacks are never judged.

    How it decides
        Total variation between the class shares of the two, against the largest of 999 random splits of the same sizes.
        A warning when it reaches `apart` as well, a hint below.

    When it is wrong
        A test set balanced on purpose, and a split by group or time, where shares differ by nature.

    References
        The multivariate hypergeometric distribution is that of the class counts of a random split.
    """
    for part, series in trace.each("class_distance"):
        distance, chance = series.last if len(series) else 0.0, trace.value("class_distance_by_chance", part)
        if chance is None or not distance > chance:
            continue
        missing = trace.value("classes_missing", part) or 0.0
        lacks = f", and {missing:.0f} classes are in one of them alone" if missing else ""
        yield Finding(
            f"The class shares of train and {part} differ by {distance:.2f}; a random split gives {chance:.2f} at "
            f"most{lacks}.",
            severity=Severity.WARNING if distance >= apart else Severity.INFO,
            confidence=0.9,
            evidence={"distance": distance, "chance": chance, "missing": missing},
        )
