"""Nearest neighbours among features, and thresholds that come from the data themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from torchdoctor.examine.features import Matrix

Floats = NDArray[np.float64]


def nearest(among: Matrix, of: Matrix, k: int) -> tuple[Floats, NDArray[np.int64]]:
    """The k nearest of `among` (M, D) to each of `of` (N, D): distances and rows, (N, k), the nearest first."""
    search = NearestNeighbors(n_neighbors=min(k, len(among)), algorithm="brute" if len(among) > 500 else "auto")
    distances, rows = search.fit(among).kneighbors(of)
    return np.asarray(distances, np.float64), np.asarray(rows, np.int64)


def others(distances: Floats, rows: NDArray[np.int64], own: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Without the sample itself among its own neighbours: (N, k) -> (N, k - 1)."""
    itself = rows == own[:, None]
    itself[~itself.any(1), -1] = True  # crowded out by its twins: the farthest goes instead
    shape = (len(rows), rows.shape[1] - 1)
    return distances[~itself].reshape(shape), rows[~itself].reshape(shape)


def robust_scale(values: Floats) -> tuple[float, float]:
    """Median, and standard deviation by the median absolute deviation: a few odd values move neither."""
    middle = float(np.median(values))
    return middle, 1.4826 * float(np.median(np.abs(values - middle)))
