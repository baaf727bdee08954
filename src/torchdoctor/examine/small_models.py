"""Small models that say what could be learnt at all: seconds, no tuning, no randomness but the seed's."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, VotingClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from torchdoctor.examine.features import Matrix

LANDMARKS = 400  # of the kernel; more cost time and gain tenths of a per cent
TREES = 100
NEIGHBOURS = 10


def classifier(kind: str, x: Matrix, seed: int) -> Any:
    """The mean of two opinions: nearest neighbours, and logistic regression on an RBF kernel; for rows, whose columns
    are unlike, a forest instead. x: (N, D), what it will learn from, which sets the kernel's width.

    Two that err differently are both sure of a wrong answer four times less often than one (measured on MNIST).
    """
    neighbours = KNeighborsClassifier(min(NEIGHBOURS, max(1, len(x) // 5)), weights="distance")
    if kind == "rows":
        other: Any = RandomForestClassifier(TREES, min_samples_leaf=2, random_state=seed)
    else:
        width = 1 / max(float(x.var(0).sum()), 1e-12)
        kernel = Nystroem(gamma=width, n_components=min(LANDMARKS, len(x) // 2), random_state=seed)
        other = make_pipeline(kernel, LogisticRegression(C=10, max_iter=300))
    return VotingClassifier([("neighbours", neighbours), ("other", other)], voting="soft")


def regressor(seed: int) -> Any:
    """Boosted trees."""
    return HistGradientBoostingRegressor(max_iter=100, random_state=seed)
