"""Numbers with the uncertainty that comes from a finite number of samples: 95 % intervals.

May not: import torch, know what is being measured.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import DegenerateDataWarning, binomtest
from scipy.stats import bootstrap as scipy_bootstrap

LEVEL = 0.95
RESAMPLES = 1000  # the ends of a 95 % interval then move by about a tenth of its width from seed to seed
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Interval:
    """A measured value and the ends of its 95 % interval, all in the unit of the value; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


UNKNOWN = Interval(math.nan, math.nan, math.nan)


def wilson(hits: int, count: int) -> Interval:
    """A share, hits of count, with Wilson's score interval; it stays inside 0..1 and holds for few samples too.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927.
    """
    if count == 0:
        return UNKNOWN
    ends = binomtest(hits, count).proportion_ci(LEVEL, method="wilson")
    return Interval(hits / count, float(ends.low), float(ends.high))


def bootstrap(
    statistic: Callable[..., float], columns: Sequence[NDArray[Any]], seed: int = 0, times: int = RESAMPLES
) -> Interval:
    """statistic(*columns), columns (n, ...) resampled by rows together; percentile interval.

    Resamples on which the statistic is NaN (one class only) are left out. The same seed gives the same interval.
    """
    value = float(statistic(*columns))
    if len(columns[0]) < 2 or not math.isfinite(value):
        return Interval(value, math.nan, math.nan)
    rows = np.arange(len(columns[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)  # it takes the ends with the NaNs, which are not used
        made = scipy_bootstrap(
            (rows,), lambda chosen: statistic(*(c[chosen] for c in columns)), n_resamples=times, vectorized=False,
            method="percentile", rng=np.random.default_rng(seed),
        )  # fmt: skip
    return percentile(value, np.asarray(made.bootstrap_distribution))


def counted(statistic: Callable[[Floats], Floats], cells: Ints, seed: int = 0, times: int = RESAMPLES) -> Floats:
    """What a statistic of counts becomes when the samples behind the counts are resampled: (times, ...).

    cells: (m,) how many samples fell into each cell. statistic: (times, m) -> (times, ...). A sample drawn with
    replacement falls into a cell by its share, so one multinomial draw stands for a whole resample.
    """
    total = int(cells.sum())
    draws = np.random.default_rng(seed).multinomial(total, cells / max(1, total), size=times)
    return statistic(draws.astype(np.float64))


def percentile(value: float, resampled: Floats) -> Interval:
    """The value with the ends between which 95 % of its resampled copies lie."""
    finite = resampled[np.isfinite(resampled)]
    if not len(finite):
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(finite, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
