"""Effects with their intervals, beside the line of no effect.

May not: write HTML, read files.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torchdoctor.show.charts.option import Option
from torchdoctor.show.texts import Texts
from torchdoctor.show.words import printable


@dataclass(frozen=True)
class Effect:
    """mean, low, high: of the effect on the score; NaN: not known. proven: drawn in the colour of what is good."""

    name: str
    mean: float
    low: float
    high: float
    proven: bool

    @property
    def colour(self) -> str:
        return "$good" if self.proven else "$quiet"


def effects(some: Sequence[Effect], t: Texts) -> Option | None:
    """A row each; None when nothing is known of any. An interval without an end is drawn to the edge."""
    known = [v for e in some for v in (e.mean, e.low, e.high) if math.isfinite(v)]
    if not known:
        return None
    reach = [min([0.0, *known]), max([0.0, *known])]
    room = 0.04 * (reach[1] - reach[0]) or 0.01
    low, high = reach[0] - room, reach[1] + room
    names = [f"{i + 1} {printable(e.name)}" for i, e in enumerate(some)]
    bars = [
        {"type": "line", "name": name, "data": [[max(low, e.low), i], [min(high, e.high), i]], "showSymbol": False,
         "lineStyle": {"width": 8, "opacity": 0.45, "color": e.colour, "cap": "butt"}}
        for i, (name, e) in enumerate(zip(names, some))
        if not math.isnan(e.low + e.high)
    ]  # fmt: skip
    dots = [
        {"value": [e.mean, i], "itemStyle": {"color": e.colour}} for i, e in enumerate(some) if math.isfinite(e.mean)
    ]
    zero = {"symbol": "none", "silent": True, "label": {"show": False}, "data": [{"xAxis": 0}],
            "lineStyle": {"color": "$text", "type": "solid"}}  # fmt: skip
    middle = {"type": "scatter", "name": t("effect"), "data": dots, "symbolSize": 10, "markLine": zero}
    return {
        "xAxis": {"type": "value", "name": t("effect"), "min": low, "max": high},
        "yAxis": {"type": "category", "data": names, "inverse": True},
        "series": [*bars, middle],
        "legend": {"show": False},
        "rows": len(names),
        "tooltip": {"trigger": "item"},
        "aria": {"label": t("races_alt", count=len(names))},
    }
