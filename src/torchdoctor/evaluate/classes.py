"""How well each class is told: the confusion matrix, precision, recall and F1 with intervals, and ROC and PR curves.

May not: import torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve, roc_auc_score, roc_curve

from torchdoctor.evaluate.answers import Answers
from torchdoctor.evaluate.interval import Floats, Interval, Ints, counted, percentile, wilson

POINTS = 120  # kept of a curve
TIMES = 400  # resamples
AVERAGES = ("macro F1", "weighted F1", "balanced accuracy")


@dataclass(frozen=True)
class ClassScore:
    """count: samples of the class. precision: of those called so, how many are. recall: of the class, how many are
    called so. f1: their harmonic mean. Shares, with Wilson's 95 % intervals."""

    name: str
    count: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True)
class Curve:
    """One class against the rest. roc: (false alarms, hits); pr: (recall, precision), both as shares.

    roc_area: area under the ROC curve, 0.5 is guessing. pr_area: average precision; `share` of the class is guessing.
    """

    name: str
    roc: tuple[tuple[float, float], ...]
    pr: tuple[tuple[float, float], ...]
    roc_area: float
    pr_area: float
    share: float


def confusion(answers: Answers, classes: int) -> Ints:
    """(K, K): row the true class, column the class it was called."""
    return np.asarray(confusion_matrix(answers.truth, answers.guesses, labels=np.arange(classes)), np.int64)


def class_scores(matrix: Ints, names: Sequence[str]) -> tuple[ClassScore, ...]:
    """From a confusion matrix (K, K)."""
    true, called, hits = matrix.sum(1), matrix.sum(0), np.diag(matrix)
    return tuple(score_of_class(name, int(t), int(c), int(hit)) for name, t, c, hit in zip(names, true, called, hits))


def score_of_class(name: str, true: int, called: int, hits: int) -> ClassScore:
    """true, called: samples that are of the class, and that were called so; hits: those that are both."""
    return ClassScore(name, true, wilson(hits, called), wilson(hits, true), _f1(hits, true + called - hits))


def averages(matrix: Ints, seed: int = 0) -> dict[str, Interval]:
    """Over all classes, from a confusion matrix (K, K). Macro: each class that occurs or was called counts alike, of
    the balanced accuracy each that occurs. Weighted: each counts by its samples. (Micro F1 is the accuracy.)

    The intervals are of resampled samples. Where every resample says the same, as of no mistake, they have no ends.
    """
    row, column = np.nonzero(matrix)
    size, right = len(matrix), row == column

    def by_class(of: Ints, cells: Floats) -> Floats:
        return np.asarray(np.bincount(of, cells, size), np.float64)

    def measured(draws: Floats) -> Floats:
        """(times, m) samples in each cell -> (times, 3)."""
        kinds = ((by_class(row, c), by_class(column, c), by_class(row[right], c[right])) for c in draws)
        return np.stack([_averaged(*kind) for kind in kinds])

    cells = matrix[row, column]
    if not len(cells):
        return {}
    values, resampled = measured(cells[None].astype(np.float64))[0], counted(measured, cells, seed, TIMES)
    return {name: _with_ends(float(v), r) for name, v, r in zip(AVERAGES, values, resampled.T)}


def _averaged(true: Floats, called: Floats, hits: Floats) -> Floats:
    """Samples of each class (K,): of it, called it, and both; by AVERAGES."""
    f1 = 2 * hits / np.maximum(true + called, 1)
    recall = hits / np.maximum(true, 1)
    return np.asarray([f1[true + called > 0].mean(), (f1 * true).sum() / true.sum(), recall[true > 0].mean()])


def _with_ends(value: float, resampled: Floats) -> Interval:
    found = percentile(value, resampled)
    return found if found.low < found.high else Interval(value, math.nan, math.nan)


def curves(answers: Answers, names: Sequence[str]) -> tuple[Curve, ...]:
    """One per class; for two classes only that of the second. Classes that have no sample, or all, have no curve."""
    chosen = [1] if len(names) == 2 else list(range(len(names)))
    present = [k for k in chosen if 0 < (answers.truth == k).sum() < len(answers)]
    return tuple(curve(answers.truth == k, answers.log_odds[:, k], names[k]) for k in present)


def curve(truth: NDArray[np.bool_], scores: Floats, name: str) -> Curve:
    """truth, scores: (N,), of samples that are of the class and others."""
    wrong, hit, _ = roc_curve(truth, scores)
    precision, recall, _ = precision_recall_curve(truth, scores)
    return Curve(
        name,
        _thinned(wrong, hit),
        _thinned(recall[::-1], precision[::-1]),
        float(roc_auc_score(truth, scores)),
        float(average_precision_score(truth, scores)),
        float(truth.mean()),
    )


def _thinned(x: Floats, y: Floats) -> tuple[tuple[float, float], ...]:
    """About POINTS points, evenly along the curve: where it is steep they are close in x."""
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    at = np.searchsorted(way, np.linspace(0, way[-1], min(POINTS, len(x)))).clip(0, len(x) - 1)
    return tuple((round(float(x[i]), 4), round(float(y[i]), 4)) for i in np.unique(np.append(at, len(x) - 1)))


def _f1(hits: int, either: int) -> Interval:
    """either: samples that are of the class or were called so. Hits are a share of them, and F1 rises with that share,
    2 s / (1 + s): so the ends of its Wilson interval are those of F1. A bootstrap of a perfect class has none."""
    share = wilson(hits, either)
    return Interval(*(2 * s / (1 + s) for s in (share.value, share.low, share.high)))
