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

    peak: highest loss over the first. steps: until half of that share.
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
    """way: how far below its beginning the best run came, over that beginning. curves: by rising factor, runs from the
    given weights.

    The way begins at the first loss, or, where that is lower, at the best constant answer: to come down to that from
    badly placed outputs is no learning.
    """

    curves: tuple[Curve, ...]
    begin: float
    way: float

    @classmethod
    def of(cls, trace: Trace) -> Rates:
        series = {s: values for s, values in trace.each("overfit_loss") if s.startswith("here x") and len(values)}
        reached = {s: _last(v) for s, v in series.items()}
        begin = min((v.first for v in series.values() if math.isfinite(v.first)), default=math.nan)
        prior = trace.value("prior_loss")
        begin = min(begin, prior) if prior is not None and math.isfinite(prior) else begin
        best = min((r for r in reached.values() if math.isfinite(r)), default=math.nan)
        curves = [_curve(s, v, reached[s], begin, best) for s, v in series.items()]
        return cls(
            tuple(sorted(curves, key=lambda c: c.factor)), begin, (begin - best) / abs(begin) if begin else math.nan
        )

    @property
    def learnable(self) -> bool:
        """Some rate learns the batch, at least in part: without that nothing can be said of any rate."""
        return self.way > 0.1

    @property
    def good(self) -> bool:
        """The planned rate learns the batch: down to 0.3 of where the way begins."""
        return self.planned is not None and 0 <= self.planned.last < 0.3 * self.begin

    @property
    def planned(self) -> Curve | None:
        return next((c for c in self.curves if c.factor == 1), None)


def _curve(subject: str, series: Series, reached: float, begin: float, best: float) -> Curve:
    values, first = series.values, series.first
    fallen = (begin - reached) / (begin - best) if math.isfinite(reached) and begin > best else -math.inf
    peak = float(np.max(np.where(np.isfinite(values), values, np.inf)) / first) if 0 < first < math.inf else 1.0
    half = np.flatnonzero(values < begin - 0.5 * fallen * (begin - best)) if fallen > 0 else np.array([])
    steps = int(half[0]) if len(half) else len(series)
    return Curve(float(subject.partition("x")[2]), first, reached, peak, fallen, steps)


def _last(series: Series) -> float:
    """Median of the last tenth; infinity when the run ended in NaN or infinity."""
    if not math.isfinite(series.last):
        return math.inf
    return series.tail(max(1, len(series) // 10)).median()
