"""Page `finding`: one finding of a run."""

from __future__ import annotations

from typing import Any

from torchdoctor.board.folder import NoSuchRun, Place
from torchdoctor.board.opened import Board, traced
from torchdoctor.board.page import Asked, Made, page
from torchdoctor.discover import discover
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.report import Report
from torchdoctor.judge.rule import SECTIONS, Rule
from torchdoctor.show.charts.curves import curves
from torchdoctor.show.charts.marks import marks_of
from torchdoctor.show.docstring import apart, paragraphs
from torchdoctor.show.evidence import shown
from torchdoctor.show.remedy import call, code
from torchdoctor.show.texts import Texts
from torchdoctor.show.words import place_of


@page
def finding(board: Board, asked: Asked) -> Made:
    """One finding: its evidence drawn, what it explains, what explains it, fixes as code, the rule's own page."""
    at = board.place(asked.run)
    report = board.report(at)
    name = asked.words.get("finding", "")[:100]
    same = [f for f in report if f.name == name]
    if not same:
        raise NoSuchRun(f"{at.key} has no finding {name!r}; the run may have gone on since.")
    nth = asked.number("nth", 0, 0, len(same) - 1)
    chosen = same[nth]
    t = asked.texts
    rule = discover("rules", Rule).get(name)
    drawn = board.kept(f"evidence {name} {nth} {t.language}", at, lambda: _evidence(at, chosen, t))
    return {
        "key": at.key, "state": at.state, "nth": nth, **chosen.to_dict(), "said": t.said(name),
        "place_of": place_of(chosen, asked.texts),
        "remedies": [{"call": call(r), "code": code(r)} for r in chosen.fixes],
        "related": {f.name: f.message for f in report if f.name in (*chosen.explained_by, *_under(chosen, report))},
        "under": _under(chosen, report),
        "rule": _page_of(rule), "charts": drawn,
    }  # fmt: skip


def _under(chosen: Finding, report: Report) -> list[str]:
    return list(dict.fromkeys(f.name for f in report if chosen.name in f.explained_by))


def _evidence(at: Place, chosen: Finding, t: Texts) -> dict[str, Any]:
    """Only what the rule itself needs is read."""
    rule = discover("rules", Rule).get(chosen.name)
    needs = [signal for need in rule.needs for signal in need.split("|")] if rule else []
    drawn = shown(chosen, traced(at, needs))
    if drawn is None:
        return {}
    option = curves({drawn.label: drawn.series}, t, marks_of([chosen]), chosen.steps)
    return {"evidence": option} if option else {}


def _page_of(rule: Rule | None) -> dict[str, list[str]]:
    """{"": what it says, "Why it hurts": ..., "How it decides": ...} of the rule's own documentation, in paragraphs."""
    if rule is None:
        return {}
    before, titled = apart(rule.doc, SECTIONS)
    return {title: paragraphs(text) for title, text in {"": before, **titled}.items()}
