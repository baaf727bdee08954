"""The geometry of a line chart: curves as SVG paths in a box, and what to write beside it. The page does the rest.

A stand-in until the pages have a chart library; it stays small on purpose.
May not: write HTML, read files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from torchdoctor.judge.series import Floats, Series
from torchdoctor.show.sparkline import DECADES, flat
from torchdoctor.show.words import number

WIDTH, HEIGHT = 1000, 200  # of the box; the page stretches it
POINTS = 400  # kept of a curve, as the lowest and highest of every stretch: a spike of one step stays visible


@dataclass(frozen=True)
class Chart:
    """title: what is drawn. paths: (name, SVG path). ticks: top, middle and bottom of the vertical axis, as text.
    steps: first and last. band: (x, width) of the steps that matter. lost: where values are NaN or infinite."""

    title: str
    paths: tuple[tuple[str, str], ...]
    ticks: tuple[str, str, str]
    steps: tuple[str, str]
    band: tuple[float, float] | None
    lost: tuple[float, ...]
    logarithmic: bool

    @property
    def alt(self) -> str:
        """For people who do not see the picture."""
        names = " and ".join(name for name, _ in self.paths)
        level = f"between {self.ticks[2]} and {self.ticks[0]}" if self.ticks[0] else f"level at {self.ticks[1]}"
        return f"{names} {level}, from step {self.steps[0]} to {self.steps[1]}"


def chart(title: str, curves: Mapping[str, Series], band: tuple[int, int] | None = None) -> Chart | None:
    """The curves over common axes; None when there is nothing finite to draw."""
    thin = {name: _thinned(flat(series)) for name, series in curves.items() if len(series)}
    values = np.concatenate([s.finite().values for s in thin.values()] or [np.empty(0)])
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    logarithmic = low > 0 and np.log10(high) - np.log10(low) > DECADES
    first, last = min(int(s.steps[0]) for s in thin.values()), max(int(s.steps[-1]) for s in thin.values())
    bottom, top = (float(np.log10(v)) if logarithmic else v for v in (low, high))

    def x(steps: ArrayLike) -> Floats:
        return np.asarray((np.asarray(steps, np.float64) - first) / max(last - first, 1) * WIDTH, np.float64)

    def y(numbers: Floats) -> Floats:
        height = (np.log10(numbers) if logarithmic else numbers) / 2  # halves: no difference overflows
        share = (height - bottom / 2) / (top / 2 - bottom / 2) if top > bottom else np.full(len(numbers), 0.5)
        return HEIGHT * (1 - share)

    paths = tuple((name, _path(x(s.finite().steps), y(s.finite().values))) for name, s in thin.items())
    lost = {float(p) for s in thin.values() for p in x(s.steps[~np.isfinite(s.values)])}
    middle = bottom / 2 + top / 2
    between = number(10**middle if logarithmic else middle)
    ticks = (number(high), between, number(low)) if high > low else ("", between, "")
    marked = (float(x(band[0])), max(4.0, float(x(band[1]) - x(band[0])))) if band else None
    if marked and marked[1] >= WIDTH:
        marked = None  # all of it: nothing stands out
    return Chart(title, paths, ticks, (f"{first:,}", f"{last:,}"), marked, tuple(sorted(lost)), bool(logarithmic))


def intervals(bounds: Sequence[tuple[float, float, float]]) -> tuple[float, list[tuple[float, float, float]]]:
    """(mean, low, high) of each, over one axis that holds zero: (where zero is, where each of them is), 0..WIDTH.

    A bound that is infinite ends at the edge.
    """
    finite = [v for bound in bounds for v in bound if math.isfinite(v)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    room = 0.03 * (high - low) or 1.0
    low, high = low - room, high + room

    def x(value: float) -> float:
        return (min(max(value, low), high) - low) / (high - low) * WIDTH

    return x(0.0), [(x(mean), x(left), x(right)) for mean, left, right in bounds]


def _path(x: Floats, y: Floats) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y)) if len(x) else ""


def _thinned(series: Series) -> Series:
    """About POINTS points: the lowest and highest of every stretch, or its first that is not finite; and both ends."""
    if len(series) <= POINTS:
        return series
    keep = {0, len(series) - 1}
    for piece in np.array_split(np.arange(len(series)), POINTS // 2):
        values = series.values[piece]
        bad = np.flatnonzero(~np.isfinite(values))
        keep |= {int(piece[bad[0]])} if len(bad) else {int(piece[np.argmin(values)]), int(piece[np.argmax(values)])}
    at = np.array(sorted(keep))
    return Series(series.steps[at], series.values[at])
