"""The rivals beside us: the same totals from what each tool said of the same runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cases.table import Row

OURS = "torchdoctor"


@dataclass(frozen=True)
class Standing:
    """Shares over runs, 0..1; NaN where nothing was asked or said. named: causes a run, among those with an alarm."""

    tool: str
    detected: float
    healthy_alarmed: float
    first_right: float
    precision: float
    recall: float
    named: float


def standings(faulty: Sequence[Row], healthy: Sequence[Row]) -> list[Standing]:
    """Ours first, then each rival. A verdict that may mean several names is right when one of them is."""
    tools = sorted({tool for r in (*faulty, *healthy) for tool in r.rivals})
    return [_standing(tool, faulty, healthy) for tool in (OURS, *tools)]


def verdicts(r: Row, tool: str) -> tuple[frozenset[str], ...]:
    """What a tool said of a run, each verdict as the names it may mean, in its order."""
    if tool == OURS:
        return tuple(frozenset({name}) for name in r.causes)
    return tuple(frozenset(v.split("|")) for v in r.rivals.get(tool, ()) if v)


def alarmed(r: Row, tool: str) -> bool:
    """Did the tool say anything at all?"""
    return bool(r.found if tool == OURS else r.rivals.get(tool))


def _standing(tool: str, faulty: Sequence[Row], healthy: Sequence[Row]) -> Standing:
    said = [(r, verdicts(r, tool)) for r in faulty]
    named = sum(len(v) for _, v in said)
    right = sum(bool(v & r.right) for r, vs in said for v in vs)
    recalled = sum(any(v & set(names) for v in vs) for r, vs in said for names in r.truths)
    spoken = [vs for r, vs in said if alarmed(r, tool)]
    return Standing(
        tool,
        _ratio(sum(alarmed(r, tool) for r in faulty), len(faulty)),
        _ratio(sum(alarmed(r, tool) for r in healthy), len(healthy)),
        _ratio(sum(bool(vs) and bool(vs[0] & r.right) for r, vs in said), len(faulty)),
        _ratio(right, named),
        _ratio(recalled, sum(len(r.truths) for r in faulty)),
        _ratio(sum(map(len, spoken)), len(spoken)),
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
