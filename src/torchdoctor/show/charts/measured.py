"""Two measured axes: lines, points, intervals; and classes against classes.

May not: write HTML, read files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from torchdoctor.show.charts.option import Option, plain
from torchdoctor.show.words import printable

Point = tuple[float, float]
UNIT = (0.0, 1.0)
FEW = 30  # points of a line, up to which each is shown
LABELLED = 20  # classes, up to which each cell of the matrix has its number


def measured(
    x: str,
    y: str,
    lines: Mapping[str, Iterable[Point]],
    *,
    bars: Iterable[tuple[float, float, float]] = (),
    dots: bool = False,
    guide: Sequence[Point] = (),
    x_span: tuple[float, float] | None = None,
    y_span: tuple[float, float] | None = None,
) -> Option | None:
    """lines: {name: points}; bars: (x, low, high) of intervals; dots: points without lines; guide: a dashed line. None
    when there is nothing finite to draw."""
    drawn = {name: [_pair(p) for p in points] for name, points in lines.items()}
    if not any(p is not None for points in drawn.values() for pair in points for p in pair):
        return None
    kind = "scatter" if dots else "line"
    series: list[Option] = [
        {"type": kind, "name": printable(name), "data": points, "showSymbol": len(points) < FEW}
        for name, points in drawn.items()
    ]
    series += [_bar(*bar) for bar in bars if all(map(math.isfinite, bar))]
    if guide:
        dashed = {"type": "dashed", "width": 1, "color": "$quiet"}
        series.append({"type": "line", "name": "", "data": [list(p) for p in guide], "showSymbol": False,
                       "silent": True, "lineStyle": dashed})  # fmt: skip
    names = [printable(name) for name in drawn if name]
    return {
        "xAxis": {"type": "value", "name": x, **_ends(x_span)},
        "yAxis": {"type": "value", "name": y, **_ends(y_span)},
        "series": series,
        "legend": {"show": bool(names), "data": names},
        "square": True,
        "aria": {"label": "; ".join([f"{y} / {x}", *names])},
    }


def matrix(classes: Sequence[str], counts: Sequence[Sequence[int]], called: Callable[[str, str], str]) -> Option | None:
    """How many of each class (row) were called which class (column), coloured by the share of the row: what is right
    green, what is not red. called: what is said of a cell, by the names of its row and its column."""
    if not classes or len(counts) != len(classes):
        return None
    names = [printable(name) for name in classes]
    right, wrong = list[Option](), list[Option]()
    for i, row in enumerate(counts):
        whole = max(1, sum(row))
        for j, count in enumerate(row[: len(classes)]):
            if count:  # the root brings the rare ones out
                value = [j, i, count, plain(math.sqrt(count / whole), 3)]
                said = called(names[i], names[j])
                (right if i == j else wrong).append({"name": said, "value": value})
    label = {"show": len(classes) <= LABELLED, "formatter": "{@[2]}", "color": "$text"}
    common = {"type": "heatmap", "name": "", "label": label, "encode": {"tooltip": [2]}, "progressive": 0}
    return {
        "xAxis": {"type": "category", "data": names, "position": "top"},
        "yAxis": {"type": "category", "data": names, "inverse": True},
        "series": [{**common, "data": some} for some in (right, wrong)],
        "visualMap": [_shades(0, "$good"), _shades(1, "$error")],
        "legend": {"show": False},
        "rows": round(1.3 * len(classes)),
        "grid": {"left": 24, "right": 20, "top": 8, "bottom": 12, "containLabel": True},
        "aria": {"label": f"{len(classes)} × {len(classes)}"},
    }


def balance(classes: Sequence[str], counts: Mapping[str, Sequence[float]], said: str) -> Option | None:
    """Bars of each class, side by side for each part, as shares of the part: parts of other sizes can be compared."""
    if not classes or not counts:
        return None
    bars = [
        {"type": "bar", "name": printable(part), "data": [plain(n / max(1, sum(of)), 3) for n in of]}
        for part, of in counts.items()
    ]
    return {
        "xAxis": {"type": "category", "data": [printable(name) for name in classes]},
        "yAxis": {"type": "value"},
        "series": bars,
        "legend": {"show": True},
        "toolbox": {"show": False},
        "aria": {"label": f"{said}: {', '.join(map(printable, classes[:20]))}"},
    }


def _pair(point: Point) -> list[float | None]:
    return [plain(float(v)) for v in point]


def _bar(x: float, low: float, high: float) -> Option:
    return {"type": "line", "name": "", "data": [[x, low], [x, high]], "showSymbol": False, "silent": True,
            "lineStyle": {"width": 5, "opacity": 0.35, "color": "$c0", "cap": "butt"}}  # fmt: skip


def _shades(series: int, colour: str) -> Option:
    return {"type": "continuous", "show": False, "seriesIndex": series, "dimension": 3, "min": 0, "max": 1,
            "inRange": {"color": ["$card", colour], "opacity": [1, 0.6]}}  # fmt: skip


def _ends(span: tuple[float, float] | None) -> Option:
    return {"scale": True} if span is None else {"min": span[0], "max": span[1]}
