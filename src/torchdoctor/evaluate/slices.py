"""Scores of parts of the data: by class, by confidence, by brightness, and by whatever the user names.

May not: import torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, fisher_exact, mannwhitneyu

from torchdoctor.evaluate.answers import Answers
from torchdoctor.evaluate.interval import Interval, bootstrap, wilson

QUANTILES = 4
GROUPS = 12  # a column with more values than this is cut into quantiles, or, where it is text, left at its commonest
SIGNIFICANT = 0.05
SURE = "confidence"  # answers given less surely are meant to be worse


@dataclass(frozen=True)
class SliceScore:
    """column, group: which samples, as "brightness" and "0.1 to 0.3". score: accuracy (of labels and pixels the share
    that is right), or root mean squared error of numbers, with its 95 % interval. p_value: of no difference from all
    other samples (Fisher's exact test; of all but classes Mann and Whitney's on the surprise), corrected for the number
    of slices (Benjamini and Hochberg). worse: p below 0.05, and on the wrong side."""

    column: str
    group: str
    count: int
    score: Interval
    p_value: float
    worse: bool


def sliced(answers: Answers, names: Sequence[str] = (), seed: int = 0) -> tuple[SliceScore, ...]:
    """Of every column of the answers, and of classes and confidence; a slice that holds all or none says nothing."""
    found = [
        (column, group, inside)
        for column, values in _columns(answers, names).items()
        for group, inside in groups_of(values)
        if 0 < inside.sum() < len(answers)
    ]
    if not found:
        return ()
    chances = [_chance(answers, inside) for _, _, inside in found]
    corrected = false_discovery_control(chances)
    return tuple(
        SliceScore(
            column, group, int(inside.sum()), _score(answers, inside, seed), float(p),
            worse=column != SURE and bool(p < SIGNIFICANT and _lags(answers, inside)),
        )
        for (column, group, inside), p in zip(found, corrected)
    )  # fmt: skip


def groups_of(values: NDArray[Any]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """(what the group is called, which rows are in it): each value where there are few, else quarters of the range of
    ranks; of many different texts the commonest."""
    different, counts = np.unique(values, return_counts=True)
    numeric = np.issubdtype(values.dtype, np.number)
    if len(different) > GROUPS and numeric:
        edges = np.unique(np.quantile(values.astype(np.float64), np.linspace(0, 1, QUANTILES + 1)))
        written = _told_apart([float(edge) for edge in edges])
        for n, (low, high) in enumerate(pairwise(edges), 1):
            inside = (values > low if n > 1 else values >= low) & (values <= high)
            yield f"{n} of {len(edges) - 1}: {written[n - 1]} to {written[n]}", inside
        return
    for value in different[np.sort(np.argsort(-counts, kind="stable")[:GROUPS])]:
        yield f"{value:g}" if numeric else str(value), values == value


def _columns(answers: Answers, names: Sequence[str]) -> Mapping[str, NDArray[Any]]:
    own: dict[str, NDArray[Any]] = {}
    if answers.kind == "classes":
        own = {SURE: answers.confidence}
        if 2 < len(names) <= GROUPS:
            own["class"] = np.asarray([names[k] for k in answers.truth])
    return {**own, **answers.columns}


def _score(answers: Answers, inside: NDArray[np.bool_], seed: int) -> Interval:
    if answers.kind == "classes":
        return wilson(int(answers.right[inside].sum()), int(inside.sum()))
    if answers.kind == "numbers":
        return bootstrap(lambda squared: float(np.sqrt(squared.mean())), [answers.surprise[inside]], seed, times=400)
    return bootstrap(lambda right: float(right.mean()), [answers.right_share[inside]], seed, times=400)


def _chance(answers: Answers, inside: NDArray[np.bool_]) -> float:
    if answers.kind != "classes":
        return float(mannwhitneyu(answers.surprise[inside], answers.surprise[~inside]).pvalue)
    right = answers.right
    table = [[int((right & part).sum()), int((~right & part).sum())] for part in (inside, ~inside)]
    return float(fisher_exact(table).pvalue)


def _lags(answers: Answers, inside: NDArray[np.bool_]) -> bool:
    wrong = ~answers.right if answers.kind == "classes" else answers.surprise
    return bool(wrong[inside].mean() > wrong[~inside].mean())


def _told_apart(edges: Sequence[float]) -> list[str]:
    """With three digits, or with as many more as it takes that no two look the same."""
    for digits in range(3, 16):
        written = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(written)) == len(edges):
            break
    return written
