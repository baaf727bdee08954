"""Losses that ask for a margin: hinge of yes-or-no questions, and triplets of embeddings."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from torchdoctor.errors import BadParts


class HingeLoss(nn.Module):
    """mean of max(0, 1 - t * output), t = -1 for a target of 0 and +1 for one of 1. Of the same shape, or (N, 1) beside
    (N,). For more classes torch has MultiMarginLoss, `multi-margin` in a recipe (Cortes and Vapnik, 1995)."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        if output.numel() != target.numel():
            raise BadParts(
                f"hinge needs one output a target; here are {tuple(output.shape)} and {tuple(target.shape)}. "
                "For classes use MultiMarginLoss."
            )
        sign = 2 * target.to(output.dtype).reshape(output.shape) - 1
        return relu(1 - sign * output).mean()


class TripletLoss(nn.Module):
    """mean of max(0, d(hardest of the same class) - d(nearest of another) + margin) over the batch.

    output: embeddings (N, D), target: class numbers (N,); the triplets are made within the batch, so every class should
    be in it at least twice. Anchors without a partner or a stranger are left out; without any the loss is 0
    (batch-hard: Hermans et al., arXiv:1703.07737).
    """

    def __init__(self, margin: float = 0.2) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        # Not torch.cdist: its gradient of a distance of zero is finite, but only by rule; a small floor says the same.
        apart = (output[:, None] - output[None]).square().sum(-1).clamp_min(1e-12).sqrt()
        same = target[:, None] == target[None]
        partner = same & ~torch.eye(len(target), dtype=torch.bool, device=target.device)
        farthest = apart.masked_fill(~partner, 0).amax(1)
        nearest = apart.masked_fill(same, torch.inf).amin(1)
        counted = partner.any(1) & ~same.all(1)
        return relu(farthest - nearest + self.margin)[counted].sum() / counted.sum().clamp_min(1)
