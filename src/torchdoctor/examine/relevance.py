"""Is there anything to learn? A small model against an answer that never looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from torchdoctor.examine.examination import examination
from torchdoctor.examine.material import Material, Rows
from torchdoctor.examine.small_models import classifier, regressor
from torchdoctor.record.measurement import Fact, Measurement

LEARNT, ASKED = 5_000, 2_000  # samples learnt from, and asked
SHUFFLES = 999
FEW = 20  # samples with which nothing is said
Answers = NDArray[Any]


@examination(
    order=3,
    measures={
        "baseline_score": "score: of a small model on training samples it has not seen",
        "half_baseline_score": "score: of the same, learnt from half as many samples",
        "prior_score": "score: of the most frequent class or the mean",
        "permuted_score": "score: what the small model exceeds once in 1,000 times with permuted answers",
        "relevance_samples": "samples: learnt from, and asked",
    },
)
def relevance(material: Material) -> Iterator[Measurement | Fact]:
    """Accuracy, or R2, of a small model on samples held out of training; the same predictions against permuted answers
    say what chance gives.
    """
    y = material.train.y.numpy()
    if y.ndim > 1 and y.shape[1:] != (1,):
        return
    y = y.reshape(len(y))
    rows = np.random.default_rng(material.seed).permutation(material.rows("train", LEARNT + ASKED))
    cut = min(LEARNT, int(0.7 * len(rows)))
    known = np.isfinite(y[rows].astype(float))
    learn, ask = rows[:cut][known[:cut]], rows[cut:][known[cut:]]
    half = learn[: len(learn) // 2]
    if min(len(learn), len(ask)) < FEW or len(np.unique(y[half])) < 2:
        return
    scored = _accuracy if material.task == "classes" else _r2
    guess = _guessed(material, learn, ask, y)
    yield Measurement("relevance_samples", float(len(learn)), "learnt from")
    yield Measurement("relevance_samples", float(len(ask)), "asked")
    yield Measurement("baseline_score", scored(guess, y[ask]))
    yield Measurement("half_baseline_score", scored(_guessed(material, half, ask, y), y[ask]))
    yield Measurement("prior_score", _prior(y[learn], y[ask]) if material.task == "classes" else 0.0)
    random = np.random.default_rng(material.seed)
    yield Measurement("permuted_score", max(scored(guess, random.permutation(y[ask])) for _ in range(SHUFFLES)))


def _guessed(material: Material, learn: Rows, ask: Rows, y: Answers) -> Answers:
    x = material.features["train"]
    classes = material.task == "classes"
    model = classifier(material.kind, x[learn], material.seed) if classes else regressor(material.seed)
    return np.asarray(model.fit(x[learn], y[learn]).predict(x[ask]))


def _accuracy(guess: Answers, y: Answers) -> float:
    return float((guess == y).mean())


def _r2(guess: Answers, y: Answers) -> float:
    total = float(np.square(y - y.mean()).sum())
    return 1 - float(np.square(y - guess).sum()) / total if total else 0.0


def _prior(learnt: Answers, y: Answers) -> float:
    values, counts = np.unique(learnt, return_counts=True)
    return float((y == values[counts.argmax()]).mean())
