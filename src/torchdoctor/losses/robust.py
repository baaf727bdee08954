"""A loss for labels of which some are wrong: what a sample can pull is bounded, so mistakes are not learnt by heart."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import cross_entropy


class GeneralizedCrossEntropy(nn.Module):
    """Mean of (1 - p^q) / q, where p is the probability of the label: towards q = 0 cross-entropy, which a wrong label
    pulls without bound; at q = 1 the mean absolute error, which it pulls no more than any other.

    output: logits (N, K, ...) beside class numbers (N, ...). weight: (K,), one factor a class.

    Zhang, Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels", NeurIPS 2018;
    q = 0.7 is theirs.
    """

    def __init__(self, q: float = 0.7, weight: Tensor | None = None) -> None:
        """Raises ValueError for a q outside (0, 1]."""
        super().__init__()
        if not 0 < q <= 1:
            raise ValueError(f"q is {q}; it must be above 0 and at most 1")
        self.q = q
        self.register_buffer("weight", weight)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        surprise = cross_entropy(output, target, reduction="none")
        loss = (1 - (-self.q * surprise).exp()) / self.q
        if not isinstance(self.weight, Tensor):
            return loss.mean()
        weights = self.weight[target]
        return (weights * loss).sum() / weights.sum()
