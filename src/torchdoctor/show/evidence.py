"""Which recorded series shows a finding: the rule's own signals, at the place the finding names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torchdoctor.discover import discover
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.rule import Rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import WHOLE, Trace

ENOUGH = 3  # points; fewer are no curve, and their numbers are in the message


@dataclass(frozen=True)
class Shown:
    """One series worth drawing beside a finding; subject is "" when it belongs to the whole run."""

    signal: str
    subject: str
    series: Series

    @property
    def label(self) -> str:
        return f"{self.signal} · {self.subject}" if self.subject else self.signal


def shown(finding: Finding, trace: Trace | None) -> Shown | None:
    """The series that tells most: one the rule needs, where the finding says, before one of the whole run.

    None where no such series has a shape: a level line tells no more than its number in the message.
    """
    rule = discover("rules", Rule).get(finding.name)
    if rule is None or trace is None:
        return None
    named = [str(w) for w in finding.where]
    candidates = [c for c in _candidates(rule, trace) if len(c.series) >= ENOUGH and _changes(c.series)]
    at_the_place = [c for c in candidates if c.subject in named]
    whole = [c for c in candidates if c.subject == WHOLE]
    return next(iter([*at_the_place, *whole, *candidates]), None)


def _candidates(rule: Rule, trace: Trace) -> Iterator[Shown]:
    for need in rule.needs:
        for signal in need.split("|"):
            for subject, series in trace.each(signal):
                yield Shown(signal, subject, series)


def _changes(series: Series) -> bool:
    return bool((series.values != series.values[0]).any())  # NaN too is unlike itself
