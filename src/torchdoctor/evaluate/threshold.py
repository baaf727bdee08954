"""From which probability on is a class best called? Not from one half, where one class is rare: moved thresholds.

May not: import torch, change a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import precision_recall_curve

from torchdoctor.evaluate.answers import Answers
from torchdoctor.evaluate.interval import Floats, Interval, bootstrap
from torchdoctor.evaluate.labels import micro_f1

TIMES = 400  # resamples
HALF = 0.5


@dataclass(frozen=True)
class Threshold:
    """name: of the second of two classes, or of a label. value: the probability from which on it is called with the
    highest F1 on validation. before, after: its F1 on the evaluated part, called from one half on and from `value`."""

    name: str
    value: float
    before: Interval
    after: Interval


def thresholds(answers: Answers, fitted_on: Answers, names: Sequence[str], seed: int = 0) -> tuple[Threshold, ...]:
    """fitted_on: answers on other samples (validation). None for three classes or more, where the likeliest is called,
    nor for what validation has never, or always."""
    found = []
    pairs = zip(names[-1:] if answers.kind == "classes" else names, _questions(answers), _questions(fitted_on))
    for name, (chance, truth), (known_chance, known) in pairs:
        if 0 < known.sum() < len(known):
            value = best_threshold(known_chance, known)
            f1 = [bootstrap(micro_f1, (truth, chance >= at), seed, TIMES) for at in (HALF, value)]
            found.append(Threshold(name, value, f1[0], f1[1]))
    return tuple(found)


def best_threshold(chance: Floats, truth: NDArray[np.bool_]) -> float:
    """The one with the highest F1; halfway to the next lower probability, so that it does not hang on one sample."""
    precision, recall, at = precision_recall_curve(truth, chance)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    return float((at[best] + at[best - 1]) / 2) if best else float(at[0])


def _questions(answers: Answers) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
    """(probability, truth) of every yes-or-no question."""
    if answers.kind == "labels":
        for odds, truth in zip(answers.outputs.T, answers.truth.T):
            yield np.asarray(expit(odds), np.float64), truth == 1
    elif answers.kind == "classes" and answers.outputs.shape[1] == 2:
        yield answers.probabilities[:, 1], answers.truth == 1
