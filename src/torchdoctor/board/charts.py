"""What is to be drawn, as options of Apache ECharts: plain JSON values. The library draws; nothing here is a chart.

A text that begins with "$" is a colour of the style sheet ("$error"), which the browser puts in: by day and by night.
May not: write HTML, read files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from torchdoctor.board.texts import Texts
from torchdoctor.board.thin import cells, thinned
from torchdoctor.judge.finding import Finding
from torchdoctor.judge.series import Floats, Series
from torchdoctor.show.sparkline import DECADES, flat
from torchdoctor.show.words import number, printable

Option = dict[str, Any]
ROWS = 64  # of a heat map: the first ones; more cannot be told apart
MARKS = 8  # on one curve
_RANK = ["info", "warning", "error"]
HEAT = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"]  # viridis: even to the eye, also without colours


@dataclass(frozen=True)
class Mark:
    """A line across a chart, at a step. colour: of the style sheet."""

    step: int
    label: str
    colour: str


def marks_of(findings: Iterable[Finding]) -> list[Mark]:
    """Where the alarms began; those of one step share a line, in the colour of the worst."""
    at: dict[int, list[Finding]] = {}
    for f in findings:
        if f.steps and f.alarm:
            at.setdefault(f.steps[0], []).append(f)
    worst = {step: max((str(f.severity) for f in some), key=_RANK.index) for step, some in at.items()}
    labels = {step: " ".join(dict.fromkeys(f.code for f in some)) for step, some in at.items()}
    return [Mark(step, labels[step], f"${worst[step]}") for step in sorted(at)][:MARKS]


def curves(
    lines: Mapping[str, Series], t: Texts, marks: Sequence[Mark] = (), band: tuple[int, int] | None = None
) -> Option | None:
    """Curves over steps, on a logarithmic axis where they span decades; None when there is nothing finite to draw."""
    thin = {name: thinned(flat(series)) for name, series in lines.items() if len(series)}
    values = np.concatenate([s.finite().values for s in thin.values()] or [np.empty(0)])
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    logarithmic = low > 0 and math.log10(high) - math.log10(low) > DECADES
    series = [_line(name, s, logarithmic) for name, s in thin.items()]
    series[0] |= _marked([*marks, *_lost(thin.values(), t)], band)
    axis = {"type": "log" if logarithmic else "value", "scale": True}
    return {"xAxis": _steps(thin.values(), t), "yAxis": axis, "series": series, "legend": {"show": len(series) > 1},
            "aria": _alt(thin)}  # fmt: skip


def stack(group: Mapping[str, Series], t: Texts) -> Option | None:
    """What a whole is made of, over steps: the mean of every stretch."""
    alone = {name: s for name, s in group.items() if len(s) and s.values.ndim == 1}
    steps, table = cells(alone, highest=False)
    if len(steps) < 2:
        return None
    area = {
        "type": "line",
        "stack": "all",
        "areaStyle": {"opacity": 0.6},
        "showSymbol": False,
        "lineStyle": {"width": 0},
    }
    rows = [np.where(np.isfinite(row), row, 0.0) for row in table]
    series = [{**area, "name": t.word(f"phase.{name}"), "data": _points(steps, row)} for name, row in zip(alone, rows)]
    axis = {"type": "value"}
    return {"xAxis": _steps(alone.values(), t), "yAxis": axis, "series": series, "legend": {"show": True},
            "aria": _alt(alone)}  # fmt: skip


def heat(group: Mapping[str, Series], t: Texts) -> Option | None:
    """Layers by steps, in colours; the highest value of every stretch. Shares are drawn as they are, what spans decades
    by its logarithm. A cell with a value that is not finite is red."""
    alone = {name: s for name, s in group.items() if len(s) and s.values.ndim == 1}
    alone = dict(list(alone.items())[:ROWS])
    steps, table = cells(alone)
    good = table[np.isfinite(table)]
    if not len(steps) or not len(good) or len(alone) < 2:
        return None
    positive = good[good > 0]
    logarithmic = len(positive) and good.min() >= 0 and positive.max() / positive.min() > 10**DECADES
    floor = float(positive.min()) if logarithmic else 0.0
    shade = np.log10(np.maximum(table, floor)) if logarithmic else table
    bad = [[int(x), int(y), 1] for y, x in np.argwhere(np.isinf(table) | _lost_cells(alone, table))]
    data = [
        [x, y, _plain(table[y, x], 4), *([_plain(shade[y, x], 4)] if logarithmic else [])]
        for y, x in np.argwhere(np.isfinite(table)).tolist()
    ]
    low, high = float(np.nanmin(shade[np.isfinite(table)])), float(np.nanmax(shade[np.isfinite(table)]))
    colours = {"dimension": 3 if logarithmic else 2, "seriesIndex": 0, "min": low, "max": max(high, low + 1e-9),
               "inRange": {"color": HEAT}, "text": [number(float(good.max())), number(float(good.min()))]}  # fmt: skip
    drawn = {"type": "heatmap", "name": "", "data": data, "encode": {"tooltip": [2]}, "progressive": 0}
    broken = {"type": "heatmap", "name": t("not_finite"), "data": bad, "progressive": 0}
    red = {
        "type": "piecewise",
        "show": False,
        "seriesIndex": 1,
        "dimension": 2,
        "pieces": [{"value": 1, "color": "$error"}],
    }
    return {
        "xAxis": {"type": "category", "data": [f"{s:,}" for s in steps.tolist()], "name": t("step")},
        "yAxis": {"type": "category", "data": [printable(name) for name in alone], "inverse": True},
        "series": [drawn, broken] if bad else [drawn],
        "visualMap": [colours, red] if bad else [colours],
        "legend": {"show": False},
        "rows": len(alone),
        "aria": {
            "label": t("heat_alt", rows=len(alone), low=number(float(good.min())), high=number(float(good.max())))
        },
    }


def effects(races: Sequence[tuple[str, float, float, float, bool]], t: Texts) -> Option | None:
    """(name, mean, low, high, proven) of each race as an interval beside the line of no effect. NaN: not known."""
    known = [v for _, *bounds, _ in races for v in bounds if math.isfinite(v)]
    if not known:
        return None
    names = [f"{i + 1} {printable(race[0])}" for i, race in enumerate(races)]
    bars = [
        {"type": "line", "name": name, "data": [[low, i], [high, i]], "showSymbol": False,
         "lineStyle": {"width": 8, "opacity": 0.45, "color": "$good" if proven else "$quiet", "cap": "butt"}}
        for i, (name, (_, _, low, high, proven)) in enumerate(zip(names, races))
        if math.isfinite(low) and math.isfinite(high)
    ]  # fmt: skip
    dots = [
        {"value": [mean, i], "itemStyle": {"color": "$good" if proven else "$quiet"}}
        for i, (_, mean, _, _, proven) in enumerate(races)
        if math.isfinite(mean)
    ]
    zero = {"symbol": "none", "silent": True, "label": {"show": False}, "data": [{"xAxis": 0}],
            "lineStyle": {"color": "$text", "type": "solid"}}  # fmt: skip
    middle = {"type": "scatter", "name": t("effect"), "data": dots, "symbolSize": 10, "markLine": zero}
    reach = [min([0.0, *known]), max([0.0, *known])]
    room = 0.04 * (reach[1] - reach[0]) or 0.01
    return {
        "xAxis": {"type": "value", "name": t("effect"), "min": _plain(reach[0] - room), "max": _plain(reach[1] + room)},
        "yAxis": {"type": "category", "data": names, "inverse": True},
        "series": [*bars, middle],
        "legend": {"show": False},
        "rows": len(names),
        "tooltip": {"trigger": "item"},
        "aria": {"label": t("races_alt", count=len(names))},
    }


def _line(name: str, series: Series, logarithmic: bool) -> Option:
    """On a logarithmic axis there is no place for zero."""
    values = np.where(series.values > 0, series.values, np.nan) if logarithmic else series.values
    return {
        "type": "line",
        "name": printable(name),
        "showSymbol": len(series) < 30,
        "data": _points(series.steps, values),
    }


def _points(steps: Iterable[int], values: Floats) -> list[list[float | int | None]]:
    return [[int(step), _plain(value)] for step, value in zip(steps, values)]


def _plain(value: float, digits: int = 6) -> float | None:
    """Six digits are more than a picture shows; what is not finite leaves a gap."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def _lost(series: Iterable[Series], t: Texts) -> list[Mark]:
    """Where a curve first is NaN or infinite."""
    lost = [int(s.steps[~np.isfinite(s.values)][0]) for s in series if not np.isfinite(s.values).all()]
    return [Mark(min(lost), t("not_finite"), "$error")] if lost else []


def _lost_cells(group: Mapping[str, Series], table: Floats) -> Any:
    """NaN where something was recorded, and not where nothing was."""
    whole = np.array([np.isfinite(s.values).all() for s in group.values()])
    return np.isnan(table) & ~whole[:, None]


def _marked(marks: Sequence[Mark], band: tuple[int, int] | None) -> Option:
    lines = [
        {"xAxis": m.step, "name": m.label, "label": {"formatter": m.label}, "lineStyle": {"color": m.colour}}
        for m in marks
    ]
    area = {
        "silent": True,
        "itemStyle": {"color": "$band"},
        "data": [[{"xAxis": band[0]}, {"xAxis": band[1]}]] if band else [],
    }
    return {"markLine": {"symbol": "none", "data": lines}, "markArea": area}


def _steps(series: Iterable[Series], t: Texts) -> Option:
    first, last = zip(*((int(s.steps[0]), int(s.steps[-1])) for s in series))
    return {"type": "value", "min": min(first), "max": max(last), "name": t("step")}


def _alt(lines: Mapping[str, Series]) -> Option:
    """For people who do not see the picture."""
    said = [f"{printable(name)}: {number(s.first)} … {number(s.last)}" for name, s in list(lines.items())[:8]]
    return {"label": "; ".join(said)}
