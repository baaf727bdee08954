"""Page `run`: one run, while it trains or afterwards."""

from __future__ import annotations

from typing import Any

from torchdoctor.board.folder import CURE, Place
from torchdoctor.board.listing import Row, listed, listed_soon
from torchdoctor.board.opened import Board, environment_of, traced
from torchdoctor.board.page import Asked, Made, page
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.recipe.text import written
from torchdoctor.record.folder import DATABASE
from torchdoctor.show.charts.marks import marks_of
from torchdoctor.show.charts.run import pictures
from torchdoctor.show.texts import Texts

NOTHING: Made = {"findings": [], "rules": {}, "charts": {}, "recipe": "", "environment": {}, "waiting": False}
MOST = 200  # runs that stem from this one, in its list


@page
def run(board: Board, asked: Asked) -> Made:
    """Curves with the findings marked at their steps, layers by steps, where the time goes, memory, what was found.
    `from` and `to` draw these steps alone, as finely as they were recorded; `only` names one chart."""
    at = board.place(asked.run)
    rows = listed(board) if asked.patient else listed_soon(board) or {}
    made: Made = {
        "key": at.key, "state": at.state, **board.summary(at), "has_cure": CURE in at.files,
        "parent": rows.get(at.key, {}).get("parent"), "page": rows.get(at.key, {}).get("page", "run"),
        "below": [_below(row) for row in rows.values() if row["parent"] == at.key][:MOST], "writable": board.writable,
    }  # fmt: skip
    if DATABASE not in at.files or made["error"]:
        return made | NOTHING
    t, span = asked.texts, _span(asked)
    if not asked.patient and board.soon(f"opened {t.language}", at, lambda: bool(_pictures(board, at, t))) is None:
        return made | NOTHING | {"waiting": True}
    report = board.report(at)
    drawn = _pictures(board, at, t) if span is None else _drawn(at, report, t, span, asked.words.get("only"))
    recipe = board.recipe(at)
    return made | {
        "waiting": False,
        "findings": [_told(finding, report, t) for finding in report],
        "rules": {"quiet": list(report.quiet), "not_run": dict(report.not_run), "crashed": dict(report.crashed)},
        "recipe": written(recipe) if recipe else "",
        "environment": environment_of(at),
        "charts": drawn,
    }


def _below(row: Row) -> dict[str, Any]:
    """A line on a run that stems from this one."""
    return {name: row[name] for name in ("key", "page", "stage", "state", "fix", "seed", "share", "val_score", "score")}


def _span(asked: Asked) -> tuple[int, int] | None:
    if not {"from", "to"} <= set(asked.words):
        return None
    first = asked.number("from", 0, 0, 10**15)
    return first, asked.number("to", 10**15, first, 10**15)


def _told(finding: Finding, report: Report, t: Texts) -> dict[str, Any]:
    same = [f for f in report if f.name == finding.name]
    return {
        **finding.to_dict(),
        "nth": next(i for i, f in enumerate(same) if f is finding),
        "said": t.said(finding.name),
    }


def _pictures(board: Board, at: Place, t: Texts) -> dict[str, Any]:
    """All of them, with what the rules say marked on them; made once for each state of the run."""
    report = board.report(at)
    name = f"charts {t.language} {[(m.step, m.label) for m in marks_of(report)]}"
    drawn: dict[str, Any] = board.kept(name, at, lambda: _drawn(at, report, t))
    return drawn


def _drawn(
    at: Place, report: Report, t: Texts, span: tuple[int, int] | None = None, only: str | None = None
) -> dict[str, Any]:
    def read(*signals: str) -> Trace:
        return _within(traced(at, signals), span)

    return pictures(read, marks_of(report), t, only)


def _within(trace: Trace, span: tuple[int, int] | None) -> Trace:
    if span is None:
        return trace
    cut = {signal: {s: x.between(*span) for s, x in group.items()} for signal, group in trace.data.items()}
    return Trace(cut, trace.facts)
