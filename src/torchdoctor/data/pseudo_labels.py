"""Pseudo-labels: what a model is sure of becomes labels for more training, as long as the validation score holds.

    grown = self_trained(x, y, unlabelled, fit, score)
    grown.predict, grown.added, grown.refused

Lee, Pseudo-label, ICML workshop 2013; chosen anew in every round, as in Cascante-Bonilla and others, arXiv:2001.06001.
May not: train (`fit` does), see test samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from torchdoctor.errors import BadParts

Predict = Callable[[Tensor], Tensor]  # inputs (N, ...) -> probabilities (N, K)
Fit = Callable[[Tensor, Tensor], Predict]  # inputs, class numbers -> a newly trained model
Score = Callable[[Predict], float]  # on validation samples with true labels; higher is better


@dataclass(frozen=True, eq=False)
class Chosen:
    """rows: (M,) of the unlabelled samples, the surest of each class first. labels: (M,) int64. confidence: (M,)."""

    rows: Tensor
    labels: Tensor
    confidence: Tensor

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Grown:
    """predict: the best model, the first one where pseudo-labels did not help. pseudo: what it was trained with besides
    the true labels, None if nothing. scores: validation score of each model in turn. refused: why it ended early."""

    predict: Predict
    pseudo: Chosen | None
    scores: tuple[float, ...]
    refused: str | None = None

    @property
    def added(self) -> int:
        """Samples that the best model was trained on besides the labelled ones."""
        return 0 if self.pseudo is None else len(self.pseudo)


def confident(probabilities: Tensor, threshold: float = 0.95, most_share: float | None = None) -> Chosen:
    """The samples to label, and how. probabilities: (N, K), rows that sum to 1.

    threshold: least probability of the likeliest class. most_share: no class gets more than this share of all N
    samples, the surest first; default 1 / K, its even share: a model that leans to one class would else feed the lean.
    Raises BadParts for what are no probabilities.
    """
    if probabilities.ndim != 2 or not len(probabilities) or probabilities.shape[1] < 2:
        raise BadParts(f"probabilities are {tuple(probabilities.shape)}; give one row of K >= 2 numbers per sample.")
    sums = probabilities.sum(1)
    if bool((probabilities < 0).any()) or not torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
        raise BadParts("probabilities do not sum to 1 in each row; put the scores through softmax.")
    if not 0 < threshold <= 1 or not (most_share is None or 0 < most_share <= 1):
        raise BadParts(f"threshold is {threshold} and most_share {most_share}; both must be above 0 and at most 1.")
    n, classes = probabilities.shape
    most = max(1, int(n * (1 / classes if most_share is None else most_share)))
    sureness, likeliest = probabilities.max(1)
    order = sureness.argsort(descending=True, stable=True)
    order = order[sureness[order] >= threshold]
    rows = torch.cat([order[likeliest[order] == label][:most] for label in range(classes)])
    return Chosen(rows, likeliest[rows], sureness[rows])


def self_trained(
    x: Tensor,
    y: Tensor,
    unlabelled: Tensor,
    fit: Fit,
    score: Score,
    *,
    threshold: float = 0.95,
    most_share: float | None = None,
    rounds: int = 3,
) -> Grown:
    """Train on true labels, then on those and pseudo-labels, `rounds` times; a model that scores less than the one
    before is thrown away, and that ends it. x: (N, ...), y: (N,) int64, unlabelled: (M, ...)."""
    best, pseudo = fit(x, y), None
    scores = [score(best)]
    for number in range(1, rounds + 1):
        chosen = confident(best(unlabelled), threshold, most_share)
        if not len(chosen):
            return Grown(best, pseudo, tuple(scores), f"round {number}: of no sample the model is {threshold:.0%} sure")
        grown = fit(torch.cat([x, unlabelled[chosen.rows]]), torch.cat([y, chosen.labels]))
        scores.append(score(grown))
        if scores[-1] < scores[-2]:
            said = f"round {number}: with {len(chosen)} pseudo-labels the validation score fell"
            return Grown(best, pseudo, tuple(scores), f"{said} from {scores[-2]:.3f} to {scores[-1]:.3f}")
        best, pseudo = grown, chosen
    return Grown(best, pseudo, tuple(scores))
