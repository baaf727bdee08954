"""Numbers over steps: curves, and what a whole is made of.

May not: write HTML, read files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from torchdoctor.judge.series import Floats, Series
from torchdoctor.show.charts.marks import Mark, lost, marked, zeros
from torchdoctor.show.charts.option import Option, alt, points, step_axis
from torchdoctor.show.sparkline import DECADES, flat
from torchdoctor.show.texts import Texts
from torchdoctor.show.thin import cells, thinned
from torchdoctor.show.words import printable

LINES = 8  # as many as there are colours to tell apart


def curves(
    lines: Mapping[str, Series],
    t: Texts,
    marks: Sequence[Mark] = (),
    band: tuple[int, int] | None = None,
    decades: float = DECADES,
) -> Option | None:
    """Curves over steps, on a logarithmic axis where they span more than `decades` powers of ten; None when there is
    nothing finite to draw."""
    some = [(name, series) for name, series in lines.items() if len(series)][:LINES]
    thin = {name: thinned(flat(series)) for name, series in some}
    values = np.concatenate([s.finite().values for s in thin.values()] or [np.empty(0)])
    if not len(values):
        return None
    logarithmic = _spans(values, decades)
    series = [_line(name, s, logarithmic) for name, s in thin.items()]
    below = step_axis(thin.values(), t)
    every = [*marks, *lost(thin.values(), t), *(zeros(thin.values(), t) if logarithmic else [])]
    series[0] |= marked(every, band, (below["min"], below["max"]))
    axis = {"type": "log" if logarithmic else "value", "scale": True}
    return {"xAxis": below, "yAxis": axis, "series": series, "legend": {"show": len(series) > 1}, "aria": alt(thin)}


def stack(group: Mapping[str, Series], t: Texts) -> Option | None:
    """What a whole is made of, over steps: the mean of every stretch."""
    alone = {name: s for name, s in group.items() if len(s) and s.values.ndim == 1}
    steps, table = cells(alone, highest=False)
    if len(steps) < 2:
        return None
    area = {"type": "line", "stack": "all", "areaStyle": {"opacity": 0.6}, "showSymbol": False,
            "lineStyle": {"width": 0}}  # fmt: skip
    rows = [np.where(np.isfinite(row), row, 0.0) for row in table]
    names = [t.word(f"phase.{name}") for name in alone]
    series = [{**area, "name": name, "data": points(steps, row)} for name, row in zip(names, rows)]
    return {"xAxis": step_axis(alone.values(), t), "yAxis": {"type": "value"}, "series": series,
            "legend": {"show": True}, "aria": alt(dict(zip(names, alone.values())))}  # fmt: skip


def _spans(values: Floats, decades: float) -> bool:
    """Do they span so many powers of ten, with nothing below zero? What is exactly zero does not count: a gradient
    that vanishes for a step must not press all others flat."""
    positive = values[values > 0]
    if not len(positive) or values.min() < 0:
        return False
    return math.log10(positive.max()) - math.log10(positive.min()) > decades


def _line(name: str, series: Series, logarithmic: bool) -> Option:
    """On a logarithmic axis there is no place for zero."""
    values = np.where(series.values > 0, series.values, np.nan) if logarithmic else series.values
    few = len(series) < 30
    return {"type": "line", "name": printable(name), "showSymbol": few, "data": points(series.steps, values)}
