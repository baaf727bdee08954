"""Two models on the same samples: which is better, by how much, and could it be chance?

May not: import torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, wilcoxon

from torchdoctor.evaluate.interval import Floats, Interval, bootstrap, counted, percentile, wilson


@dataclass(frozen=True)
class Comparison:
    """other: what it is compared with. score: of the other one, accuracy or R2. lead: the model's score minus the
    other's on the same samples. p_value: of no difference. test: how it was found. only_model, only_other: samples that
    only one of them has right (of classes)."""

    other: str
    score: Interval
    lead: Interval
    p_value: float
    test: str
    samples: int
    only_model: int = 0
    only_other: int = 0
    note: str = ""


def compared_hits(
    name: str, model: NDArray[np.bool_], other: NDArray[np.bool_], *, note: str = "", seed: int = 0
) -> Comparison:
    """Of classes: model, other (N,) say which samples each has right. McNemar's test in its exact form.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions", Psychometrika 12, 1947.
    """
    cells = np.array([(model & other).sum(), (model & ~other).sum(), (~model & other).sum(), (~model & ~other).sum()])
    only_model, only_other = int(cells[1]), int(cells[2])
    differing = only_model + only_other
    chance = float(binomtest(only_model, differing).pvalue) if differing else 1.0
    leads = counted(lambda draws: (draws[:, 1] - draws[:, 2]) / len(model), cells, seed)
    lead = percentile((only_model - only_other) / len(model), leads)
    score = wilson(int(other.sum()), len(other))
    return Comparison(name, score, lead, chance, "McNemar, exact", len(model), only_model, only_other, note)


def compared_shares(name: str, model: Floats, other: Floats, *, seed: int = 0) -> Comparison:
    """Of labels or pixels: model, other (N,) say which share of each sample's answers is right. Paired bootstrap, and
    Wilcoxon's signed-rank test."""
    gains = model - other
    chance = float(wilcoxon(gains).pvalue) if (gains != 0).any() else 1.0
    score, lead = (bootstrap(lambda shares: float(shares.mean()), (shares,), seed) for shares in (other, gains))
    return Comparison(name, score, lead, chance, "Wilcoxon signed-rank", len(model))


def compared_numbers(
    name: str, truth: Floats, model: Floats, other: Floats, *, note: str = "", seed: int = 0
) -> Comparison:
    """Of numbers (N, C): the lead in R2 by paired bootstrap; Wilcoxon's signed-rank test on the squared errors."""
    score = bootstrap(explained, (truth, other), seed)
    lead = bootstrap(lambda t, m, o: explained(t, m) - explained(t, o), (truth, model, other), seed)
    gains = ((truth - other) ** 2).mean(1) - ((truth - model) ** 2).mean(1)
    chance = float(wilcoxon(gains).pvalue) if (gains != 0).any() else 1.0
    return Comparison(name, score, lead, chance, "Wilcoxon signed-rank", len(truth), note=note)


def explained(truth: Floats, given: Floats) -> float:
    """R2 of (N, C), mean over the columns that vary; NaN when none does."""
    variance = truth.var(0)
    varies = variance > 0
    if not varies.any():
        return float("nan")
    return float(np.mean(1 - ((truth - given) ** 2).mean(0)[varies] / variance[varies]))
