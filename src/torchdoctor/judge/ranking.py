"""Order findings: causes before symptoms, the most likely cause first, symptoms folded under what explains them.

May not: print, import torch, name any rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torchdoctor.judge.finding import Finding

EXPLAINING = 0.15  # what accounting for the other findings adds to a cause's rank; a first guess, to be calibrated


def ranked(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Causes first, by score; each followed by nothing, then the symptoms in the order of what explains them.

    The score of a cause is its confidence, plus EXPLAINING for the share of the symptoms it accounts for, plus a
    little for severity. A cause that another cause accounts for (`explains` may name causes) ranks below it.
    """
    names = {f.name for f in findings}
    linked = [replace(f, explained_by=_explainers(f, findings)) for f in findings]
    symptoms = [f for f in linked if f.kind == "symptom"]

    def score(f: Finding) -> float:
        share = sum(s.name in f.explains for s in symptoms) / len(symptoms) if symptoms else 0.0
        severity = f.severity.rank if f.severity else 0
        return f.confidence + EXPLAINING * share + 0.1 * severity

    def key(f: Finding) -> tuple[bool, bool, float]:
        alarmless_symptom = f.kind == "symptom"
        explained_cause = f.kind == "cause" and bool(set(f.explained_by) & names)
        return (alarmless_symptom, explained_cause, -score(f))

    return tuple(sorted(linked, key=key))


def _explainers(finding: Finding, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Names of the findings that account for this one, the most confident first; an info hint explains no alarm."""
    by = [
        f for f in findings if finding.name in f.explains and f.name != finding.name and (f.alarm or not finding.alarm)
    ]
    # Two causes that explain each other would hide both: the less confident one gives way.
    by = [f for f in by if f.name not in finding.explains or f.confidence > finding.confidence]
    return tuple(dict.fromkeys(f.name for f in sorted(by, key=lambda f: (f.kind != "cause", -f.confidence))))
