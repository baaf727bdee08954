"""Losses between whole vectors: distributions and directions."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, kl_div


class KLDivergence(nn.Module):
    """Kullback-Leibler divergence of the target from the softmax of the output, the mean over samples, in nats.

    output: logits (N, K); target: probabilities (N, K). torch's own KLDivLoss wants log-probabilities, and its default
    divides by K as well.
    """

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return kl_div(output.log_softmax(1), target, reduction="batchmean")


class CosineDistance(nn.Module):
    """mean of 1 - cos(output, target) over the rows; both (N, D). Only the direction counts."""

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (1 - cosine_similarity(output, target, dim=1)).mean()
