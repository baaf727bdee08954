"""Order findings: alarms before hints, causes before symptoms, what explains before what is explained, likely first.

`explains` draws arrows between the names of a report. Loops among them are cut, so that at least one finding is
explained by nothing: a root, which is what to read first.

May not: print, import torch, name any rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torchdoctor.judge.finding import Finding

# First guesses, to be calibrated. EXPLAINING: what accounting for all the symptoms of a report adds to a score.
# SEVERITY: what each step from info to error adds. DOUBT: by how much a cause may be less sure than another cause and
# still explain it away; a weak suspicion must not hide a fault that was as good as seen.
EXPLAINING = 0.15
SEVERITY = 0.1
DOUBT = 0.3

Arrows = Mapping[str, frozenset[str]]  # name -> names that follow from it


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings in the order a person should read them, with `explained_by` filled in.

    Alarms before hints (info); among these causes before symptoms; then by the length of the chain of explanations
    above a finding, so that what explains comes first; then by score: its confidence, plus EXPLAINING for the share
    of the symptoms that follow from it, plus SEVERITY. The order in which the findings are given does not matter.
    """
    given = tuple(findings)
    names = _names(given)
    arrows = _without_loops(_arrows(names), names)
    score = {n: name.weight + EXPLAINING * _share_of_symptoms(n, arrows, names) for n, name in names.items()}
    depth = _depths(arrows)

    def explainers(f: Finding) -> tuple[str, ...]:
        by = [n for n in names if f.name in arrows[n]]
        return tuple(sorted(by, key=lambda n: (names[n].kind != "cause", -score[n], n)))

    def key(f: Finding) -> tuple[Any, ...]:
        own = f.confidence + SEVERITY * _rank(f)
        return (not f.alarm, f.kind != "cause", depth[f.name], -score[f.name], f.name, -own, f.message, str(f))

    return tuple(replace(f, explained_by=explainers(f)) for f in sorted(given, key=key))


@dataclass(frozen=True)
class _Name:
    """All findings of one name together. weight: confidence and severity of the weightiest of them."""

    kind: str
    alarm: bool
    confidence: float
    weight: float
    explains: frozenset[str]


def _names(findings: tuple[Finding, ...]) -> dict[str, _Name]:
    grouped: dict[str, list[Finding]] = {}
    for f in sorted(findings, key=lambda f: f.name):
        grouped.setdefault(f.name, []).append(f)
    return {
        name: _Name(
            kind=min(f.kind for f in group),
            alarm=any(f.alarm for f in group),
            confidence=max(f.confidence for f in group),
            weight=max(f.confidence + SEVERITY * _rank(f) for f in group),
            explains=frozenset(n for f in group for n in f.explains),
        )
        for name, group in grouped.items()
    }


def _arrows(names: Mapping[str, _Name]) -> Arrows:
    return {a: frozenset(b for b in names if _accounts_for(a, b, names)) for a in names}


def _accounts_for(a: str, b: str, names: Mapping[str, _Name]) -> bool:
    one, other = names[a], names[b]
    if a == b or b not in one.explains or (other.alarm and not one.alarm):
        return False
    if other.kind == "cause":  # what is only seen explains no cause, and a vague cause no certain one
        return one.kind == "cause" and one.confidence >= other.confidence - DOUBT
    return True


def _without_loops(arrows: Arrows, names: Mapping[str, _Name]) -> Arrows:
    """Of arrows that lie on a loop, only those from a weightier name to a lighter one are kept: they form none."""
    reach = {n: _reached(n, arrows) for n in arrows}

    def weightier(a: str, b: str) -> bool:
        return (names[a].weight, b) > (names[b].weight, a)

    return {a: frozenset(b for b in bs if a not in reach[b] or weightier(a, b)) for a, bs in arrows.items()}


def _reached(start: str, arrows: Arrows) -> frozenset[str]:
    """Every name that follows from `start`, directly or through others."""
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = arrows[waiting.pop()] - reached
        reached |= new
        waiting += new
    return frozenset(reached)


def _depths(arrows: Arrows) -> dict[str, int]:
    """Length of the longest chain of explanations that leads to each name; 0 for a root."""
    depth = dict.fromkeys(arrows, 0)
    for _ in arrows:  # a chain without loops has at most as many links as there are names
        for a, bs in arrows.items():
            for b in bs:
                depth[b] = max(depth[b], depth[a] + 1)
    return depth


def _share_of_symptoms(name: str, arrows: Arrows, names: Mapping[str, _Name]) -> float:
    symptoms = {n for n in names if names[n].kind == "symptom" and names[n].alarm}
    return len(_reached(name, arrows) & symptoms) / len(symptoms) if symptoms else 0.0


def _rank(finding: Finding) -> int:
    return finding.severity.rank if finding.severity else 0
