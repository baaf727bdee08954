"""One small place of the inputs that tells nearly everything, where all else tells less."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torchdoctor.judge.finding import Finding, Severity
from torchdoctor.judge.rule import rule
from torchdoctor.judge.trace import Trace

NOTHING = 0.01  # left untold, of some hundreds of samples


def _seen(kind: str, name: str, local: float, following: float, **more: float) -> Trace:
    facts: dict[str, Any] = {"local_place": {"kind": kind, "name": name, "others": 12}}
    return Trace.of(facts, local_score=local, next_local_score=following, **more)


FIRES = {
    "a mark in the corner of digits": _seen("patch", "rows 0-3, columns 0-3", 1.0, 0.33, rest_score=0.88),
    "a column of tumours, filled in after the diagnosis": _seen("column", "30", 0.99, 0.76, rest_score=0.9),
    "a column that is the answer under another name": _seen("column", "30", 1.0, 0.12, rest_score=0.45),
    "the scanner's edge, which validation has not": _seen(
        "edge", "the lower edge", 0.99, 0.24, rest_score=0.8, local_val_score=0.02
    ),
    "a column beside noise, perhaps the task itself: a hint": _seen("column", "0", 0.99, 0.0, rest_score=0.01),
}
QUIET = {
    "flowers, told by either of two lengths": _seen("column", "3", 0.95, 0.88, rest_score=0.78),
    "tumours": _seen("column", "22", 0.76, 0.7),
    "digits, whose middle tells most": _seen("patch", "rows 12-15, columns 12-15", 0.31, 0.24),
    "a slow series, whose last value is nearly the next": _seen("column", "23", 0.97, 0.88, rest_score=0.98),
}


@rule(
    "I08",
    kind="symptom",
    needs=["local_score", "next_local_score"],
    stages=["training", "data"],
)
def shortcut_features(
    trace: Trace, *, tells: float = 0.95, cliff: float = 8.0, rest: float = 0.1, lost: float = 0.3
) -> Iterator[Finding]:
    """One column, patch, edge or token alone tells the target, and no other tells nearly as much.

    Why it hurts
        The network learns the mark (a stamp of the source, a number of the sample, a column that was filled in after
        the answer was known) and little else. Validation from the same source has the mark too and praises it; where it
        is missing, in use, the answers are guesses.

    How it decides
        A small tree that sees that place alone tells `tells` of what there is to tell (1 is all, 0 the commonest class
        or the mean), of samples it was not fitted to, and the best place elsewhere leaves `cliff` times as much untold
        (a hundredth counts as nothing left). A warning when all the rest without it tells `rest` at least, so that
        there is another way that it hides, or when what it tells of validation is lower by `lost`. Else a hint: a table
        with one column that matters among noise looks the same, and may be right. Between what was measured: of 140
        sound sets the best place told 0.0 to 0.76, but for flowers and slow series, 0.95 with 0.85 for the next one,
        and made-up tables where two places tell all; a mark planted in digits 1.0 with 0.35, an answer in a table of
        tumours 1.0 with 0.76.

    When it is wrong
        A task that is decided by one input and can be: then no network is needed. It does not see marks that are spread
        thin (a tint, a noise of the camera), that move about, or two columns that both give the answer away.

    References
        Geirhos et al.: Shortcut Learning in Deep Neural Networks (2020). Kaufman, Rosset, Perlich: Leakage in Data
        Mining (2011). Lapuschkin et al.: Unmasking Clever Hans Predictors (2019).
    """
    told, elsewhere = trace.value("local_score"), trace.value("next_local_score")
    place = trace.facts.get("local_place")
    if told is None or elsewhere is None or not isinstance(place, dict) or not place.get("others"):
        return
    if not (told >= tells and 1 - elsewhere >= cliff * max(1 - told, NOTHING)):
        return
    without, held_out = trace.value("rest_score"), trace.value("local_val_score")
    breaks = held_out is not None and held_out <= told - lost
    alarm = breaks or (without is not None and without >= rest)
    kind, name = str(place.get("kind")), str(place.get("name"))[:50]
    what = name if kind == "edge" else f"{kind} {name}"
    of_val = f", and {held_out:.0%} of validation" if breaks else ""
    yield Finding(
        f"{what[0].upper()}{what[1:]} alone tells {told:.0%} of the target{of_val}; the next place {elsewhere:.0%}.",
        severity=Severity.WARNING if alarm else Severity.INFO,
        confidence=0.9 if breaks else 0.8 if alarm else 0.4,
        evidence={
            "tells": told,
            "next": elsewhere,
            **({} if without is None else {"rest": without}),
            **({} if held_out is None else {"of_validation": held_out}),
        },
    )
