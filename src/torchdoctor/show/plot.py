"""The geometry of a plot with two measured axes: lines, dots and bands in a square box. The page draws it.

May not: write HTML, read files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from torchdoctor.show.words import number

WIDTH, HEIGHT = 320, 240  # of the box, without the margins in which labels stand
Point = tuple[float, float]
Span = tuple[float, float]


@dataclass(frozen=True)
class Plot:
    """lines: (name, SVG path). bars: (x, top, bottom) of intervals. dots: (x, y). ticks: (where, what is written)."""

    title: str
    x: str
    y: str
    lines: tuple[tuple[str, str], ...]
    bars: tuple[tuple[float, float, float], ...]
    dots: tuple[Point, ...]
    guide: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]

    @property
    def alt(self) -> str:
        """For people who do not see the picture."""
        return f"{self.title}: {self.y} against {self.x}" + "".join(f", {name}" for name, _ in self.lines if name)


def plot(
    title: str,
    x: str,
    y: str,
    lines: Mapping[str, Iterable[Point]] | None = None,
    *,
    bars: Iterable[tuple[float, float, float]] = (),
    dots: Iterable[Point] = (),
    guide: Sequence[Point] = (),
    x_span: Span | None = None,
    y_span: Span | None = None,
) -> Plot:
    """lines: {name: points}. bars: (x, low, high). guide: a dashed line. Spans: by default the data's."""
    drawn = {name: list(points) for name, points in (lines or {}).items()}
    spans, scattered = list(bars), list(dots)
    every = [p for points in drawn.values() for p in points] + scattered + [(a, e) for a, *ends in spans for e in ends]
    x_span, y_span = x_span or _span(p[0] for p in every), y_span or _span(p[1] for p in every)

    def place(at: Point) -> Point:
        return (_along(at[0], x_span) * WIDTH, (1 - _along(at[1], y_span)) * HEIGHT)

    return Plot(
        title, x, y,
        tuple((name, path([place(p) for p in points])) for name, points in drawn.items()),
        tuple((place((a, low))[0], place((a, high))[1], place((a, low))[1]) for a, low, high in spans),
        tuple(place(p) for p in scattered),
        path([place(p) for p in guide]),
        tuple((place((v, 0.0))[0], number(v)) for v in ticks(x_span)),
        tuple((place((0.0, v))[1], number(v)) for v in ticks(y_span)),
    )  # fmt: skip


def ticks(span: Span) -> list[float]:
    """About five round numbers in the span."""
    low, high = span
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = power * next(m for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def path(points: Sequence[Point]) -> str:
    """SVG: a line through the points; empty for none."""
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points) if points else ""


def _along(value: float, span: Span) -> float:
    return float(np.clip((value - span[0]) / ((span[1] - span[0]) or 1.0), 0, 1))


def _span(values: Iterable[float]) -> Span:
    finite = [v for v in values if math.isfinite(v)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
