"""How far numbers are off: mean absolute error, root mean squared error, R2, and the residuals.

May not: import torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from torchdoctor.evaluate.answers import Answers
from torchdoctor.evaluate.compare import explained
from torchdoctor.evaluate.interval import Interval, bootstrap

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
DRAWN = 400  # pairs kept for the picture


@dataclass(frozen=True)
class Residuals:
    """mae, rmse: in the unit of the target. r2: 1 is exact, 0 is the mean. bias: mean of answer minus truth.

    quantiles: of answer minus truth at 5, 25, 50, 75 and 95 %. drawn: (truth, answer) of some samples, first column.
    """

    mae: Interval
    rmse: Interval
    r2: Interval
    bias: Interval
    quantiles: tuple[float, ...]
    drawn: tuple[tuple[float, float], ...]


def residuals(answers: Answers, seed: int = 0) -> Residuals:
    """Of all columns together; the intervals by bootstrap over samples."""
    truth, given = answers.truth, answers.outputs
    rows = np.random.default_rng(seed).permutation(len(truth))[:DRAWN]
    both = (truth, given)
    return Residuals(
        bootstrap(lambda t, g: float(mean_absolute_error(t, g)), both, seed),
        bootstrap(lambda t, g: float(root_mean_squared_error(t, g)), both, seed),
        bootstrap(explained, both, seed),
        bootstrap(lambda t, g: float((g - t).mean()), both, seed),
        tuple(float(q) for q in np.quantile(given - truth, SHARES)),
        tuple((float(truth[i, 0]), float(given[i, 0])) for i in rows),
    )
