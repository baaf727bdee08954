"""Layers by steps, in colours.

May not: write HTML, read files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from torchdoctor.judge.series import Floats, Series
from torchdoctor.show.charts.option import VIRIDIS, Option, plain
from torchdoctor.show.sparkline import DECADES
from torchdoctor.show.texts import Texts
from torchdoctor.show.thin import cells
from torchdoctor.show.words import number, printable

ROWS = 64  # the first ones; more cannot be told apart
_RED = {"type": "piecewise", "show": False, "seriesIndex": 1, "dimension": 2,
        "pieces": [{"value": 1, "color": "$error"}]}  # fmt: skip


def heat(group: Mapping[str, Series], t: Texts, share: bool = False) -> Option | None:
    """The highest value of every stretch. What spans decades is coloured by its logarithm, a share from 0 to 1. A cell
    with a value that is not finite is red."""
    alone = {name: s for name, s in group.items() if len(s) and s.values.ndim == 1}
    alone = dict(list(alone.items())[:ROWS])
    steps, table = cells(alone)
    good = table[np.isfinite(table)]
    if not len(steps) or not len(good) or len(alone) < 2:
        return None
    bad = [[int(x), int(y), 1] for y, x in np.argwhere(np.isinf(table) | _lost(alone, table))]
    data, colours = _shaded(table, good, share)
    drawn = {"type": "heatmap", "name": "", "data": data, "encode": {"tooltip": [2]}, "progressive": 0}
    broken = {"type": "heatmap", "name": t("not_finite"), "data": bad, "progressive": 0}
    ends = {"low": number(float(good.min())), "high": number(float(good.max()))}
    return {
        "xAxis": {"type": "category", "data": [f"{s:,}" for s in steps.tolist()], "name": t("step")},
        "yAxis": {"type": "category", "data": [printable(name) for name in alone], "inverse": True},
        "series": [drawn, broken] if bad else [drawn],
        "visualMap": [colours, _RED] if bad else [colours],
        "legend": {"show": False},
        "rows": len(alone),
        "aria": {"label": t("heat_alt", rows=len(alone), **ends)},
    }


def _shaded(table: Floats, good: Floats, share: bool) -> tuple[list[list[Any]], Option]:
    """([column, row, value, and its logarithm where that is the colour], the scale of colours)."""
    positive = good[good > 0]
    logarithmic = not share and len(positive) and good.min() >= 0 and positive.max() / positive.min() > 10**DECADES
    shade = np.log10(np.maximum(table, positive.min())) if logarithmic else table
    cells_of = np.argwhere(np.isfinite(table)).tolist()
    data = [[x, y, plain(table[y, x], 4), *([plain(shade[y, x], 4)] if logarithmic else [])] for y, x in cells_of]
    ends = shade[np.isfinite(table)]
    low, high = (0.0, 1.0) if share else (float(ends.min()), float(ends.max()))
    said = (1.0, 0.0) if share else (float(good.max()), float(good.min()))
    colours = {"dimension": 3 if logarithmic else 2, "seriesIndex": 0, "min": low, "max": max(high, low + 1e-9),
               "inRange": {"color": VIRIDIS}, "text": [number(value) for value in said]}  # fmt: skip
    return data, colours


def _lost(group: Mapping[str, Series], table: Floats) -> Any:
    """NaN where something was recorded, and not where nothing was."""
    whole = np.array([np.isfinite(s.values).all() for s in group.values()])
    return np.isnan(table) & ~whole[:, None]
