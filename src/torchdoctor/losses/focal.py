"""Focal loss: cross-entropy that looks away from what is easy, for rare classes (Lin et al., arXiv:1708.02002)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torchvision.ops import sigmoid_focal_loss


class FocalLoss(nn.Module):
    """mean of (1 - p)^gamma * -log p, where p is the probability of the truth; gamma 0 is cross-entropy.

    output: logits (N, K, ...) beside class numbers (N, ...); or logits beside 0/1 decimals of the same shape, each its
    own yes-or-no question. weight: (K,), one factor a class, as CrossEntropyLoss takes it; for yes-or-no `alpha`, the
    factor of the ones (and 1 - alpha of the zeros; negative: none).
    """

    def __init__(self, gamma: float = 2.0, weight: Tensor | None = None, alpha: float = -1.0) -> None:
        super().__init__()
        self.gamma, self.alpha = gamma, alpha
        self.register_buffer("weight", weight)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        if target.is_floating_point():
            loss: Tensor = sigmoid_focal_loss(output, target, self.alpha, self.gamma, reduction="mean")
            return loss
        surprise = cross_entropy(output, target, reduction="none")
        focal = (1 - torch.exp(-surprise)) ** self.gamma * surprise
        if not isinstance(self.weight, Tensor):
            return focal.mean()
        weights = self.weight[target]
        return (weights * focal).sum() / weights.sum()
