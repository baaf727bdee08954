"""What one batch learnt by heart at several learning rates says of the rate that was planned.

May not: read files, import torch, know what a rule is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace


@dataclass(frozen=True)
class Curve:
    """One run at `factor` times the planned rate. fallen: share of the way that it went; 1 for the best of all runs.

    peak: highest loss over the first. steps: until half of its own fall.
    """

    factor: float
    first: float
    last: float
    peak: float
    fallen: float
    steps: int

    @property
    def smooth(self) -> bool:
        """It never went far above where it began."""
        return self.peak < 2


@dataclass(frozen=True)
class Rates:
    """way: how far the best run came, over its first loss. curves: by rising factor, runs from the given weights."""

    curves: tuple[Curve, ...]
    way: float

    @classmethod
    def of(cls, trace: Trace) -> Rates:
        series = {s: values for s, values in trace.each("overfit_loss") if s.startswith("here x") and len(values)}
        reached = {s: _last(v) for s, v in series.items()}
        first = max((v.first for v in series.values() if math.isfinite(v.first)), default=math.nan)
        best = min((r for r in reached.values() if math.isfinite(r)), default=math.nan)
        way = first - best
        curves = [_curve(s, v, reached[s], way) for s, v in series.items()]
        return cls(tuple(sorted(curves, key=lambda c: c.factor)), way / abs(first) if first else math.nan)

    @property
    def learnable(self) -> bool:
        """Some rate learns the batch, at least in part: without that nothing can be said of any rate."""
        return self.way > 0.1

    @property
    def planned(self) -> Curve | None:
        return next((c for c in self.curves if c.factor == 1), None)


def _curve(subject: str, series: Series, reached: float, way: float) -> Curve:
    values = series.values
    first = series.first
    fallen = (first - reached) / way if math.isfinite(reached) and way > 0 else -math.inf
    peak = float(np.max(np.where(np.isfinite(values), values, np.inf)) / first) if first > 0 else 1.0
    half = np.flatnonzero(values < first - 0.5 * fallen * way)
    return Curve(
        float(subject.partition("x")[2]), first, reached, peak, fallen, int(half[0]) if len(half) else len(series)
    )


def _last(series: Series) -> float:
    """Median of the last tenth; infinity when the run ended in NaN or infinity."""
    if not math.isfinite(series.last):
        return math.inf
    return series.tail(max(1, len(series) // 10)).median()
