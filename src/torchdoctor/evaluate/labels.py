"""Several yes-or-no answers about each sample (multi-label): each label by itself, and all of them together.

May not: import torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from torchdoctor.evaluate.answers import Answers
from torchdoctor.evaluate.classes import ClassScore, Curve, curve, score_of_class
from torchdoctor.evaluate.interval import Floats, Interval, bootstrap, wilson
from torchdoctor.train.score import area_under_curve

TIMES = 400  # resamples
Marks = NDArray[np.bool_]


def label_scores(answers: Answers, names: Sequence[str]) -> tuple[ClassScore, ...]:
    """Each label by itself; it is called where its probability is above one half."""
    truth, called = marks(answers)
    return tuple(
        score_of_class(name, int(t.sum()), int(c.sum()), int((t & c).sum()))
        for name, t, c in zip(names, truth.T, called.T)
    )


def label_curves(answers: Answers, names: Sequence[str]) -> tuple[Curve, ...]:
    """One per label; those that all samples have, or none, have no curve."""
    truth, _ = marks(answers)
    return tuple(
        curve(t, odds, name) for name, t, odds in zip(names, truth.T, answers.log_odds.T) if 0 < t.sum() < len(t)
    )


def averages(answers: Answers, seed: int = 0) -> dict[str, Interval]:
    """Micro: all marks of all labels are one heap, so that common labels count most. Macro: each label counts alike.
    Weighted: each label counts by the samples that have it."""
    both = marks(answers)
    exact = (both[0] == both[1]).all(1)
    return {
        "micro F1": bootstrap(micro_f1, both, seed, TIMES),
        "macro F1": bootstrap(macro_f1, both, seed, TIMES),
        "weighted F1": bootstrap(weighted_f1, both, seed, TIMES),
        "labels right": bootstrap(lambda t, c: float((t == c).mean()), both, seed, TIMES),
        "all labels right": wilson(int(exact.sum()), len(exact)),
    }


def marks(answers: Answers) -> tuple[Marks, Marks]:
    """(truth, called), each (N, labels)."""
    return np.asarray(answers.truth == 1), np.asarray(answers.log_odds > 0)


def micro_f1(truth: Marks, called: Marks) -> float:
    """NaN where nothing is marked and nothing called."""
    marked = truth.sum() + called.sum()
    return float(2 * (truth & called).sum() / marked) if marked else float("nan")


def macro_f1(truth: Marks, called: Marks) -> float:
    """Mean over the labels that occur or were called; NaN when none did."""
    marked = truth.sum(0) + called.sum(0)
    there = marked > 0
    return float((2 * (truth & called).sum(0)[there] / marked[there]).mean()) if there.any() else float("nan")


def weighted_f1(truth: Marks, called: Marks) -> float:
    """Mean over the labels, each by the samples that have it; NaN when none has any."""
    true, marked = truth.sum(0), truth.sum(0) + called.sum(0)
    f1 = 2 * (truth & called).sum(0) / np.maximum(marked, 1)
    return float((f1 * true).sum() / true.sum()) if true.sum() else float("nan")


def mean_area(odds: Floats, truth: NDArray[np.int64]) -> float:
    """Area under the ROC curve, mean over the labels that some samples have and some have not; NaN when none has."""
    areas = [area_under_curve(o, t) for o, t in zip(odds.T, truth.T)]
    known = [area for area in areas if area == area]
    return float(np.mean(known)) if known else float("nan")
