"""Page `run`: one run, while it trains or afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from torchdoctor.board import charts
from torchdoctor.board.folder import CURE, Place
from torchdoctor.board.opened import Board, environment_of, traced
from torchdoctor.board.page import Asked, Made, page
from torchdoctor.board.texts import Texts
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.report import Report
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.recipe.text import written
from torchdoctor.record.run import DATABASE
from torchdoctor.show.html import CURVES
from torchdoctor.show.words import printable

HEATS = ("param_grad_norm", "activation_std", "dead_share", "saturated_share", "update_ratio")


@page
def run(board: Board, asked: Asked) -> Made:
    """Curves with the findings marked at their steps, layers by steps, where the time goes, memory, what was found.
    `from` and `to` draw these steps alone, as finely as they were recorded; `only` names one chart."""
    at = board.place(asked.run)
    made: Made = {"key": at.key, "state": at.state, **board.summary(at), "has_cure": CURE in at.files}
    if DATABASE not in at.files or made["error"]:
        return made | {"findings": [], "rules": {}, "charts": {}, "recipe": "", "environment": {}}
    report = board.report(at)
    if (span := _span(asked)) is None:
        name = f"charts {asked.texts.language} {[(m.step, m.label) for m in charts.marks_of(report)]}"
        drawn = board.kept(name, at, lambda: _drawn(at, report, asked.texts))
    else:
        drawn = _drawn(at, report, asked.texts, span, asked.words.get("only"))
    recipe = board.recipe(at)
    return made | {
        "findings": [_told(finding, report, asked.texts) for finding in report],
        "rules": {"quiet": list(report.quiet), "not_run": dict(report.not_run), "crashed": dict(report.crashed)},
        "recipe": written(recipe) if recipe else "",
        "environment": environment_of(at),
        "charts": drawn,
    }


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


def _drawn(
    at: Place, report: Report, t: Texts, span: tuple[int, int] | None = None, only: str | None = None
) -> dict[str, Any]:
    """One after another: of a run of ten million points there are a few hundred thousand in memory at a time."""
    marks = charts.marks_of(report)

    def read(*signals: str) -> Trace:
        return _within(traced(at, signals), span)

    def curve(together: tuple[str, ...]) -> charts.Option | None:
        return charts.curves(dict(_lines(read(*together), together, t)), t, marks)

    makers: dict[str, Callable[[], charts.Option | None]] = {
        **{f"curve-{together[0]}": partial(curve, together) for together in CURVES},
        **{f"heat-{signal}": partial(_heat, read, signal, t) for signal in HEATS},
        "phases": lambda: charts.stack(dict(read("phase_time").each("phase_time")), t),
        "memory": lambda: charts.curves(_megabytes(read("memory"), t), t),
    }
    options = {name: make() for name, make in makers.items() if only in (None, name)}
    return {name: option for name, option in options.items() if option}


def _heat(read: Callable[[str], Trace], signal: str, t: Texts) -> charts.Option | None:
    return charts.heat(dict(read(signal).each(signal)), t)


def _megabytes(trace: Trace, t: Texts) -> dict[str, Series]:
    series = trace["memory"]
    return {t("memory"): Series(series.steps, series.values / 1e6)} if len(series) > 1 else {}


def _within(trace: Trace, span: tuple[int, int] | None) -> Trace:
    if span is None:
        return trace
    cut = {signal: {s: x.between(*span) for s, x in group.items()} for signal, group in trace.data.items()}
    return Trace(cut, trace.facts)


def _lines(trace: Trace, together: tuple[str, ...], t: Texts) -> Iterator[tuple[str, Series]]:
    for signal in together:
        group: Mapping[str, Series] = trace.data.get(signal, {})
        for subject, series in group.items():
            if len(series) > 1:
                yield t.word(f"signal.{signal}") + (f" · {printable(subject)}" if subject else ""), series
