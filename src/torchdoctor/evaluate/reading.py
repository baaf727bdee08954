"""What a model's outputs mean beside its targets: class scores, probabilities, yes or no, or numbers.

Decided once, by the values of a whole pass, never by the name of a layer.
May not: run a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from torchdoctor.errors import BadParts

Kind = Literal["classes", "labels", "pixels", "numbers"]
Means = Literal["scores", "probabilities", "logit", "probability", "labels", "label probabilities", "pixels", "numbers"]
LEAST = 1e-12  # the smallest probability a model that gives probabilities is taken at its word for


@dataclass(frozen=True)
class Reading:
    """means: of outputs (N, K) "scores" (logits or log-probabilities) or "probabilities"; of one output that answers a
    yes-or-no question "logit" or "probability"; of many such questions about one sample "labels" (logits) or "label
    probabilities"; of an answer for each pixel "pixels" (evaluate/pixels.py reads them); else "numbers"."""

    means: Means

    @property
    def kind(self) -> Kind:
        if self.means in ("labels", "label probabilities"):
            return "labels"
        return self.means if self.means in ("numbers", "pixels") else "classes"

    @property
    def single(self) -> bool:
        """True for one output that stands for two classes."""
        return self.means in ("logit", "probability")

    def log_odds(self, output: Tensor) -> Tensor:
        """(N, K) log-probabilities of classes, or logits of labels; gradients flow through."""
        if self.kind == "labels":
            return output.clamp(LEAST, 1 - 1e-7).logit() if self.means == "label probabilities" else output
        if self.single:
            one = output.reshape(-1)
            one = one.clamp(LEAST, 1 - 1e-7).logit() if self.means == "probability" else one
            return torch.stack([logsigmoid(-one), logsigmoid(one)], 1)
        return (output.clamp_min(LEAST).log() if self.means == "probabilities" else output).log_softmax(1)

    def truth(self, target: Tensor) -> Tensor:
        """(N,) class numbers, numbers (N, C), or labels (N, L), 0 and 1."""
        if self.kind == "numbers":
            return target.reshape(len(target), -1)
        if self.kind == "labels":
            return target.long()
        if target.ndim == 2 and target.shape[1] > 1:
            return target.argmax(1)
        return target.reshape(-1).long()

    def surprise(self, output: Tensor, target: Tensor) -> Tensor:
        """(N,) -log of the probability of the truth (nats), or the squared error; mean over labels or columns."""
        truth = self.truth(target)
        if self.kind == "numbers":
            return ((output.reshape(truth.shape) - truth) ** 2).mean(1)
        if self.kind == "labels":
            return -logsigmoid(self.log_odds(output) * (2 * truth - 1)).mean(1)
        return -self.log_odds(output).gather(1, truth.clamp_min(0)[:, None])[:, 0]


def reading_of(output: Tensor, target: Tensor) -> Reading:
    """From all outputs and targets of a pass. Raises BadParts when there is not one answer per sample."""
    ids = target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target
    if output.ndim == 2 and output.shape[1] > 1 and _are_classes(ids, output):
        sums_to_one = bool((output >= 0).all()) and bool(((output.sum(1) - 1).abs() < 1e-3).all())
        return Reading("probabilities" if sums_to_one else "scores")
    if output.ndim == 2 and output.shape == target.shape and output.shape[1] > 1 and _are_marks(target):
        return Reading("label probabilities" if bool(((output >= 0) & (output <= 1)).all()) else "labels")
    if output.numel() == ids.numel() and ids.ndim == 1 and bool(((ids == 0) | (ids == 1)).all()):
        return Reading("probability" if bool(((output >= 0) & (output <= 1)).all()) else "logit")
    if output.numel() == target.numel() and target.ndim in (1, 2):
        return Reading("numbers")
    raise BadParts(
        f"Outputs {tuple(output.shape)} beside targets {tuple(target.shape)} cannot be evaluated: it takes one answer "
        "per sample (class scores (N, K), one yes-or-no output, labels (N, L), or numbers), or one class per pixel."
    )


def _are_classes(target: Tensor, output: Tensor) -> bool:
    """Class numbers (N,) that the outputs (N, K) reach, or one-hot rows."""
    if target.ndim == 1:
        return not target.is_floating_point() and int(target.max()) < output.shape[1]
    return target.shape == output.shape and _are_marks(target) and bool((target.sum(1) == 1).all())


def _are_marks(target: Tensor) -> bool:
    return bool(((target == 0) | (target == 1)).all())
