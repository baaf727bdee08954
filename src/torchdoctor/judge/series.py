"""A Series is one quantity over steps; the statistics that rules share live here, so that each is written once.

May not: read files, import torch, know what a rule is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Series:
    """steps: int64 (n,), not decreasing. values: float64 (n,), or (n, k) for a vector of k units a step.

    NaN and infinity are kept as recorded.
    """

    steps: Ints
    values: Floats

    @classmethod
    def of(cls, values: ArrayLike, every: int = 1, steps: Sequence[int] | None = None) -> Series:
        """From plain numbers; one number is a series of one point. For tests, examples and probes."""
        v = np.atleast_1d(np.asarray(values, np.float64))
        s = np.arange(len(v), dtype=np.int64) * every if steps is None else np.asarray(steps, np.int64)
        return cls(s, v)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def first(self) -> float:
        """The first value; NaN when there is none."""
        return float(self.values[0]) if len(self) else float("nan")

    @property
    def last(self) -> float:
        """The last value; NaN when there is none."""
        return float(self.values[-1]) if len(self) else float("nan")

    def finite(self) -> Series:
        """Without the points that are NaN or infinite (for a vector: that hold any such value)."""
        keep = np.isfinite(self.values).all(axis=tuple(range(1, self.values.ndim)))
        return self if keep.all() else Series(self.steps[keep], self.values[keep])

    def head(self, n: int) -> Series:
        """The first n points (all of them if fewer)."""
        return Series(self.steps[:n], self.values[:n])

    def tail(self, n: int) -> Series:
        """The last n points (all of them if fewer)."""
        return Series(self.steps[-n:], self.values[-n:]) if n else Series(self.steps[:0], self.values[:0])

    def between(self, first: int, last: int) -> Series:
        """The points whose step lies in first..last, both included."""
        keep = (self.steps >= first) & (self.steps <= last)
        return Series(self.steps[keep], self.values[keep])

    def without(self, steps: Ints) -> Series:
        """The points of all other steps."""
        keep = ~np.isin(self.steps, steps)
        return Series(self.steps[keep], self.values[keep])

    def at(self, steps: Ints) -> Floats:
        """The value at each of `steps`: the last one recorded up to it, or the first. Not for an empty series."""
        return self.values[np.clip(np.searchsorted(self.steps, steps, "right") - 1, 0, None)]

    def median(self) -> float:
        """Median of the finite values; NaN when there is none."""
        v = self.values[np.isfinite(self.values)]
        return float(np.median(v)) if len(v) else float("nan")

    def spread(self) -> float:
        """Robust standard deviation of the finite values: 1.4826 times the median absolute deviation."""
        v = self.values[np.isfinite(self.values)]
        return float(1.4826 * np.median(np.abs(v - np.median(v)))) if len(v) else float("nan")

    def noise(self, robust: bool = True) -> float:
        """Standard deviation about a smooth course: how far points lie from the middle of their neighbours.

        robust: by the median, so that spikes do not count; else by the mean square, for what mostly stands still.
        """
        v = self.finite().values
        if len(v) < 3:
            return float("nan")
        off = np.abs(v[1:-1] - (v[:-2] + v[2:]) / 2)
        # The middle of two is itself uncertain: the difference has 1.5 times the variance of one point.
        return float((1.4826 * np.median(off) if robust else np.sqrt(np.mean(off**2))) / np.sqrt(1.5))

    def geometric_mean(self) -> float:
        """Of the finite values above zero, the natural mean of norms and ratios; NaN when there is none."""
        v = self.values[np.isfinite(self.values) & (self.values > 0)]
        return float(np.exp(np.log(v).mean())) if len(v) else float("nan")

    def blocks(self, n: int) -> Floats:
        """Means of n equal parts of the finite values, each without its outer tenths; (n,), or fewer for fewer points.

        A block of m points is about sqrt(m) times less noisy than one, and no single spike moves it.
        """
        v = self.finite().values
        return np.array([_trimmed_mean(part) for part in np.array_split(v, min(n, len(v)))] if len(v) else [])

    def halves(self, n: int = 20) -> tuple[float, float, float]:
        """Level of the first half, level of the second, standard error of their difference, from n blocks.

        The error comes from the differences of neighbouring blocks, so that a slow trend does not count as noise.
        """
        blocks = self.blocks(n)
        if len(blocks) < 4:
            return float("nan"), float("nan"), float("nan")
        half = len(blocks) // 2
        error = float(np.sqrt(np.mean(np.diff(blocks) ** 2) / 2) * np.sqrt(2 / half))
        return float(blocks[:half].mean()), float(blocks[-half:].mean()), error

    def smooth(self, n: int) -> Series:
        """Running median over n points (n odd is best); shorter by n - 1, each step the window's last."""
        if n <= 1 or len(self) < n:
            return self
        windows = np.lib.stride_tricks.sliding_window_view(self.values, n)
        return Series(self.steps[n - 1 :], np.asarray(np.median(windows, axis=1), np.float64))

    def fall(self, share: float = 0.1) -> float:
        """How much lower the last `share` of the finite points lies than the first, by medians; negative: it rose."""
        good = self.finite()
        n = max(1, round(share * len(good)))
        return good.head(n).median() - good.tail(n).median() if len(good) else float("nan")

    def fallen(self) -> float:
        """By which share of its start the end lies below it: 1 at zero, negative when it rose.

        The start is the first value or the median of the first twentieth, whichever is lower (a run may be thrown far
        up by its first steps); the end is the median of the last tenth.
        """
        good = self.finite()
        if not len(good):
            return 0.0
        start = min(good.first, good.head(max(5, len(good) // 20)).median())
        return (start - good.tail(max(1, len(good) // 10)).median()) / max(abs(start), 1e-300)

    def rates(self) -> tuple[float, float]:
        """Change a step, up to the recorded step nearest to the middle and from there on; of three points at least."""
        at = int(np.argmin(np.abs(self.steps - (self.steps[0] + self.steps[-1]) / 2)))
        at = min(max(at, 1), len(self) - 2)
        parts = (slice(0, at + 1), slice(at, None))
        each = [np.ptp(self.steps[p]) for p in parts]
        grown = [self.values[p][-1] - self.values[p][0] for p in parts]
        return float(grown[0] / max(1, each[0])), float(grown[1] / max(1, each[1]))

    def onset(self, mask: NDArray[np.bool_], hold: int = 1) -> int | None:
        """First step from which `mask` (n,) stays true for `hold` points in a row; None when it never does."""
        if len(mask) < hold:
            return None
        runs = np.convolve(mask.astype(int), np.ones(hold, int), "valid") == hold
        at = np.flatnonzero(runs)
        return int(self.steps[at[0]]) if len(at) else None


def trend(values: Floats) -> float:
    """Kendall's tau against time: 1 when every later value is higher, -1 when lower, near 0 for noise.

    Of more than 200 values an even choice is compared, since every pair is.

    M. G. Kendall, "A New Measure of Rank Correlation", Biometrika 30, 1938.
    """
    if len(values) > 200:
        values = values[np.linspace(0, len(values) - 1, 200).astype(int)]
    n = len(values)
    if n < 2:
        return 0.0
    signs = np.sign(values[None, :] - values[:, None])
    return float(np.triu(signs, 1).sum() / (n * (n - 1) / 2))


def _trimmed_mean(values: Floats) -> float:
    cut = len(values) // 10
    return float(np.sort(values)[cut : len(values) - cut].mean())
