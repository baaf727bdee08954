"""Two classes that are taken for one another."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

_TEN = {str(k): [100.0] for k in range(10)}
FIRES = {
    "half of the fours are called nine": Trace.of(class_count=_TEN, confusions={"4 as 9": [50.0], "1 as 7": [3.0]}),
    "a hint: a fifth of the cats": Trace.of(
        class_count={"cat": [500.0], "dog": [500.0], "car": [500.0]},
        confusions={"cat as dog": [100.0], "car as dog": [5.0]},
    ),
}
QUIET = {
    "one in a hundred": Trace.of(class_count=_TEN, confusions={"4 as 9": [4.0], "9 as 4": [2.0]}),
    "two of eight: too few to say": Trace.of(class_count={"4": [8.0], "9": [8.0]}, confusions={"4 as 9": [2.0]}),
    "no mistake": Trace.of(class_count=_TEN, confusions={"4 as 9": [0.0]}),
}


@rule("O15", kind="symptom", needs=["confusions", "class_count"], stages=["evaluation"])
def confused_classes(trace: Trace, *, share: float = 0.1, severe: float = 0.3) -> Iterator[Finding]:
    """A large share of one class is called another.

    Why it hurts
        The score of the whole hides it: two classes of ten that cannot be told apart cost five points.

    How it decides
        Of the samples of a class, more than `share` are called the same other class, and that with 95 % certainty: the
        lower end of Wilson's interval counts. A hint; an alarm when that end reaches `severe`. First guesses: on
        CIFAR-10 a good network calls a tenth of the cats dogs.

    When it is wrong
        Classes that are one by their nature, or that people confuse as often.

    References
        E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927.
    """
    counts = {name: series.last for name, series in trace.each("class_count")}
    for pair, series in trace.each("confusions"):
        true = next((c for c in sorted(counts, key=len, reverse=True) if pair.startswith(f"{c} as ")), None)
        if true is None or not (0 <= series.last <= counts[true] < math.inf) or counts[true] < 1:
            continue
        called, least = pair[len(true) + 4 :], _wilson_low(series.last, counts[true])
        if least > share:
            yield Finding(
                f"{series.last / counts[true]:.0%} of class {true[:40]} ({series.last:.0f} of {counts[true]:.0f}) are "
                f"called {called[:40]}.",
                where=(pair,),
                confidence=0.9,
                severity=Severity.WARNING if least >= severe else Severity.INFO,
                evidence={"share": series.last / counts[true], "at_least": least},
            )


def _wilson_low(hits: float, count: float, z: float = 1.96) -> float:
    share = hits / count
    half = z * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return (share + z**2 / (2 * count) - half) / (1 + z**2 / count)
