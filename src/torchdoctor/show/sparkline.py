"""A series in a few characters, for terminals and for the documentation's pages."""

from __future__ import annotations

import numpy as np

from torchdoctor.judge.series import Floats, Series
from torchdoctor.show.words import number

BARS = "▁▂▃▄▅▆▇█"
NOT_FINITE = "×"
DECADES = 3  # positive values that span more are drawn by their logarithm, else all but a few are flat


def sparkline(series: Series, width: int = 32) -> str:
    """At most `width` bars between the smallest and the largest value; × where a value is NaN or infinite."""
    if not len(series):
        return ""
    values = flat(series).values
    points = np.array([_telling(piece) for piece in np.array_split(values, min(width, len(values)))])
    return "".join(NOT_FINITE if np.isnan(h) else BARS[int(h)] for h in _heights(points))


def ends(series: Series) -> str:
    """The first and the last value: "2.3 → 0.04"; one number when there is one point."""
    first, last = flat(series).first, flat(series).last
    return number(first) if len(series) == 1 else f"{number(first)} → {number(last)}"


def flat(series: Series) -> Series:
    """A vector per step (one value per unit) as its mean; any other series as it is."""
    if series.values.ndim == 1:
        return series
    with np.errstate(over="ignore", invalid="ignore"):  # sums past the largest float, infinity minus infinity
        return Series(series.steps, np.asarray(series.values.mean(axis=1), np.float64))


def _telling(piece: Floats) -> float:
    """The value that stands for a few: not finite if one is, else the one farthest from their median, so that a spike
    of one step is still seen among thousands."""
    if not np.isfinite(piece).all():
        return float("nan")
    return float(piece[np.argmax(np.abs(piece / 2 - np.median(piece / 2)))])  # halves: no difference overflows


def _heights(points: Floats) -> Floats:
    """Bar numbers 0..7, NaN kept; a constant series lies in the middle."""
    good = np.isfinite(points)
    if good.any() and points[good].min() > 0 and np.ptp(np.log10(points[good])) > DECADES:
        points = np.log10(points, where=good, out=points.copy())
    low, high = np.min(points[good], initial=np.inf) / 2, np.max(points[good], initial=-np.inf) / 2
    if not high > low:
        return np.where(good, 3.0, np.nan)
    return np.round((points / 2 - low) / (high - low) * (len(BARS) - 1))
