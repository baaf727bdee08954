"""Fewer points that draw the same picture: of every stretch the lowest and the highest, so that a spike stays.

May not: read files.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from torchdoctor.judge.series import Floats, Ints, Series

POINTS = 1000  # of a curve: more than a chart has pixels across
CELLS = 64  # steps of a heat map


def thinned(series: Series, points: int = POINTS) -> Series:
    """About `points` of them, with the first and the last, and of every stretch one that is NaN or infinite."""
    if len(series) <= points:
        return series
    width = -(-2 * len(series) // points)
    whole = len(series) // width * width
    finite = np.isfinite(series.values)
    keep = {0, len(series) - 1}
    for empty, choose in ((np.inf, np.argmin), (-np.inf, np.argmax)):
        table = np.where(finite, series.values, empty)[:whole].reshape(-1, width)
        keep |= set((choose(table, axis=1) + np.arange(0, whole, width)).tolist())
        if whole < len(series):
            keep.add(whole + int(choose(np.where(finite, series.values, empty)[whole:])))
    lost = np.flatnonzero(~finite)
    keep |= set(lost[np.unique(lost // width, return_index=True)[1]].tolist())
    at = np.array(sorted(keep))
    return Series(series.steps[at], series.values[at])


def cells(group: Mapping[str, Series], many: int = CELLS, highest: bool = True) -> tuple[Ints, Floats]:
    """(first steps of the columns, table of (subjects, columns)): of every stretch of steps the highest value, or the
    mean. A value that is not finite stays so; where a subject has no value at all, NaN."""
    edges = _edges([s.steps for s in group.values() if len(s)], many)
    table = np.full((len(group), len(edges)), np.nan)
    for row, series in zip(table, group.values()):
        starts = np.searchsorted(series.steps, edges)
        counts = np.diff(np.append(starts, len(series)))
        filled = np.flatnonzero(counts)
        if len(filled):
            with np.errstate(invalid="ignore"):  # infinity minus infinity
                sums = (np.maximum if highest else np.add).reduceat(series.values, starts[filled])
            row[filled] = sums if highest else sums / counts[filled]
    return edges, table


def _edges(steps: list[Ints], many: int) -> Ints:
    """Where columns begin: every recorded step where they are few, else evenly over all."""
    if not steps:
        return np.empty(0, np.int64)
    if max(map(len, steps)) <= many:
        return np.unique(np.concatenate(steps))
    first, last = min(int(s[0]) for s in steps), max(int(s[-1]) for s in steps)
    return np.unique(np.linspace(first, last + 1, many + 1).astype(np.int64))[:-1]
