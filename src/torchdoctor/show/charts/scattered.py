"""Samples as points, coloured by class; the browser shows the sample of a point (board/static/projector.js).

May not: write HTML, compute a projection.
"""

from __future__ import annotations

from collections.abc import Sequence

from torchdoctor.show.charts.option import Option, plain
from torchdoctor.show.texts import Texts
from torchdoctor.show.words import printable

# Ten that are told apart by day and by night (Tableau 10).
COLOURS = ["#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#bab0ac"]
WRONG = {"borderColor": "$error", "borderWidth": 2}


def scattered(
    places: Sequence[tuple[float, float]], classes: Sequence[str], wrong: Sequence[bool], t: Texts
) -> Option | None:
    """classes, wrong: of each point; a ring stands round what was answered wrongly. None for no points."""
    names = list(dict.fromkeys(classes))
    if not places:
        return None
    groups: dict[str, list[Option]] = {name: [] for name in sorted(names)}
    for i, (place, name, bad) in enumerate(zip(places, classes, wrong)):
        point: Option = {"value": [plain(place[0], 4), plain(place[1], 4)], "sample": i}
        groups[name].append(point | ({"itemStyle": WRONG} if bad else {}))
    bare = {"type": "value", "scale": True, "axisLabel": {"show": False}, "axisTick": {"show": False}}
    series = [
        {
            "type": "scatter",
            "name": printable(name),
            "data": points,
            "symbolSize": 8,
            "itemStyle": {"opacity": 0.8},
            "emphasis": {"disabled": False, "scale": 2},
        }
        for name, points in groups.items()
    ]
    return {
        "xAxis": bare,
        "yAxis": bare,
        "color": COLOURS,
        "series": series,
        "legend": {"show": len(groups) > 1, "icon": "circle", "itemHeight": 9},
        "tooltip": {"show": False},
        "square": True,
        "aria": {"label": t("points_alt", samples=len(places), classes=len(groups))},
    }
