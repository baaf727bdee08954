"""Single samples worth looking at: the worst answers, the hardest ones, and labels that may be wrong.

May not: import torch, change a label.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy

from torchdoctor.evaluate.answers import Answers
from torchdoctor.evaluate.interval import Ints
from torchdoctor.extra import needed

SHOWN = 24
FEWEST = 5  # samples of a class below which its typical confidence is unknown


@dataclass(frozen=True)
class Sample:
    """index: its place in the evaluated loader. truth, guess: class names or numbers. surprise: -log of the probability
    of the truth (nats), or the squared error. margin: probability of the likeliest class minus that of the next.
    entropy: of the probabilities, in nats. NaN for numbers."""

    index: int
    truth: str
    guess: str
    surprise: float
    confidence: float
    margin: float
    entropy: float


def worst(answers: Answers, names: Sequence[str], count: int = SHOWN) -> tuple[Sample, ...]:
    """The wrong answers that were given most surely; of labels, pixels and numbers those with the largest surprise."""
    order = np.argsort(-answers.surprise, kind="stable")
    if answers.kind == "classes":
        order = order[~answers.right[order]]
    return _samples(answers, order[:count], names)


def hard(answers: Answers, names: Sequence[str], count: int = SHOWN) -> tuple[Sample, ...]:
    """Where the two likeliest classes are closest: the samples whose labels would teach the model most.

    B. Settles, "Active Learning Literature Survey", 2009: margin sampling.
    """
    if answers.kind != "classes":
        return ()
    return _samples(answers, np.argsort(_margins(answers), kind="stable")[:count], names)


def suspects(answers: Answers, names: Sequence[str], count: int = SHOWN) -> tuple[tuple[Sample, ...], int]:
    """(the likeliest mistakes among the labels, how many there are in all), by confident learning. Raises MissingExtra.

    The model must not have been trained on these samples: what it has learnt by heart it does not doubt.

    Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021.
    """
    find = needed("cleanlab", extra="labels") and needed("cleanlab.filter", extra="labels")
    if answers.kind != "classes" or len(answers) < 2:
        return (), 0
    if (np.bincount(answers.truth, minlength=answers.log_odds.shape[1]) < FEWEST).any():
        return (), 0
    rows: Ints = find.find_label_issues(
        answers.truth, answers.probabilities, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    return _samples(answers, rows[:count], names), len(rows)


def _samples(answers: Answers, rows: Ints, names: Sequence[str]) -> tuple[Sample, ...]:
    chosen = answers.at(rows)
    if answers.kind != "classes":
        return tuple(
            Sample(int(i), truth, guess, float(s), math.nan, math.nan, math.nan)
            for i, (truth, guess), s in zip(chosen.rows, in_words(chosen, names), chosen.surprise)
        )
    columns = (chosen.rows, chosen.truth, chosen.guesses, chosen.surprise, chosen.confidence, _margins(chosen),
               entropy(chosen.probabilities, axis=1) if len(rows) else ())  # fmt: skip
    return tuple(
        Sample(int(i), names[t], names[g], float(s), float(c), float(m), float(e))
        for i, t, g, s, c, m, e in zip(*columns)
    )


def in_words(answers: Answers, names: Sequence[str]) -> list[tuple[str, str]]:
    """(truth, guess) of each sample whose answer is not one class; of pixels the commonest class and the share that is
    right."""
    if answers.kind == "labels":
        return [(_marked(t == 1, names), _marked(g > 0, names)) for t, g in zip(answers.truth, answers.outputs)]
    if answers.kind == "pixels":
        shares = zip(answers.truth, answers.right_share)
        return [(names[t], f"{share:.0%}") for t, share in shares]
    return [(_numbers(t), _numbers(g)) for t, g in zip(answers.truth, answers.outputs)]


def _marked(there: NDArray[np.bool_], names: Sequence[str]) -> str:
    return ", ".join(name for name, marked in zip(names, there) if marked) or "–"


def _margins(answers: Answers) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    best = np.sort(answers.probabilities, axis=1)
    return np.asarray(best[:, -1] - best[:, -2], np.float64)


def _numbers(row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    return ", ".join(f"{v:.4g}" for v in row[:4]) + (", ..." if len(row) > 4 else "")
