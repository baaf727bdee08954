"""Order findings: alarms before hints, causes before symptoms, what explains before what is explained, likely first.

`explains` draws arrows between the names of a report. Loops among them are cut, so that at least one finding is
explained by nothing: a root, which is what to read first. How likely a cause is, the table of likelihoods says.

May not: print, import torch, name any rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torchdoctor.judge.finding import Finding
from torchdoctor.judge.likelihoods import LIKELIHOODS
from torchdoctor.judge.odds import Likelihoods, Sign, strength

# Of the confidences that rules give, where arrows contradict each other. SEVERITY: what each step from info to error
# adds. DOUBT: by how much a cause may be less sure than another cause and still explain it away; a weak suspicion must
# not hide a fault that was as good as seen. First guesses: no case hangs on them.
SEVERITY = 0.1
DOUBT = 0.3

Arrows = Mapping[str, frozenset[str]]  # name -> names that follow from it


def ranked(findings: Iterable[Finding], table: Likelihoods | None = LIKELIHOODS) -> tuple[Finding, ...]:
    """The findings in the order a person should read them, with `explained_by` filled in.

    Alarms before hints (info); among these causes before symptoms; then by the length of the chain of explanations
    above a finding, so that what explains comes first; then by how likely they are. The confidence that a rule gave to
    a cause becomes the chance that it is right, by the table; symptoms are seen or not, and keep theirs. None leaves
    all as the rules gave it. The order in which the findings are given does not matter.
    """
    given = tuple(findings)
    names = _names(given)
    arrows = _without_loops(_arrows(names), names)
    depth = _depths(arrows)
    chances = [_chance(f, _sign(f, names, arrows), table) for f in given]
    score = {n: max(c for f, c in zip(given, chances) if f.name == n) for n in names}

    def explainers(f: Finding) -> tuple[str, ...]:
        by = [n for n in names if f.name in arrows[n]]
        return tuple(sorted(by, key=lambda n: (names[n].kind != "cause", -score[n], -names[n].weight, n)))

    def key(pair: tuple[Finding, float]) -> tuple[Any, ...]:
        f, chance = pair
        likely = (-score[f.name], -names[f.name].weight)  # the weight tells apart what the table's steps do not
        own = f.confidence + SEVERITY * _rank(f)
        return (not f.alarm, f.kind != "cause", depth[f.name], *likely, f.name, -chance, -own, f.message, str(f))

    ordered = sorted(zip(given, chances), key=key)
    return tuple(replace(f, explained_by=explainers(f), confidence=chance) for f, chance in ordered)


def signs(findings: Iterable[Finding]) -> tuple[Sign, ...]:
    """What the table is asked about each cause among the findings, as rules gave them: what calibration counts."""
    given = tuple(findings)
    names = _names(given)
    arrows = _without_loops(_arrows(names), names)
    return tuple(_sign(f, names, arrows) for f in given if f.kind == "cause")


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


def _chance(f: Finding, sign: Sign, table: Likelihoods | None) -> float:
    return f.confidence if table is None or f.kind != "cause" else table.chance(sign)


def _sign(f: Finding, names: Mapping[str, _Name], arrows: Arrows) -> Sign:
    symptoms = {n for n in names if names[n].kind == "symptom" and names[n].alarm}
    follow = _reached(f.name, arrows) & symptoms
    share = "unseen" if not symptoms else "all" if follow == symptoms else "not all"
    explained = any(f.name in arrows[n] and names[n].kind == "cause" and names[n].alarm for n in names)
    beside = "explained" if explained else "alone"
    return Sign(f.name, f.alarm, str(f.severity), strength(f.confidence), share, beside)


def _rank(finding: Finding) -> int:
    return finding.severity.rank if finding.severity else 0
