"""Several losses of one output, added up by weights, and how much of the sum each of them is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

Loss = Callable[[Any, Any], Tensor]


class WeightedSum(nn.Module):
    """terms: {name: (weight, loss)}; each loss is called as loss(output, target) and gives one number.

    `shares()` says how much of the sum each term was, on average over the training batches since it was asked last: a
    term of 0.95 is nearly all that is minimised, whatever its weight looks like.
    """

    seen: Tensor  # (terms,), summed over batches
    batches: Tensor

    def __init__(self, terms: Mapping[str, tuple[float, Loss]]) -> None:
        super().__init__()
        self.names = tuple(terms)
        self.weights = tuple(weight for weight, _ in terms.values())
        self.losses = tuple(loss for _, loss in terms.values())
        self.modules_of_terms = nn.ModuleList(loss for loss in self.losses if isinstance(loss, nn.Module))
        self.register_buffer("seen", torch.zeros(len(terms)))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, output: Any, target: Any) -> Tensor:
        parts = torch.stack([w * loss(output, target) for w, loss in zip(self.weights, self.losses)])
        if torch.is_grad_enabled():
            with torch.no_grad():
                sizes = parts.detach().abs().float()
                self.seen = self.seen.to(sizes.device) + sizes / sizes.sum().clamp_min(torch.finfo(sizes.dtype).tiny)
                self.batches = self.batches + 1
        return parts.sum()

    def shares(self) -> dict[str, float]:
        """{term: 0..1}, empty when no training batch was seen. Counting starts anew."""
        found = (self.seen / self.batches.to(self.seen.device)).tolist() if self.batches else []
        self.seen, self.batches = torch.zeros_like(self.seen), torch.zeros_like(self.batches)
        return dict(zip(self.names, found))


def shares_of(loss_fn: Any) -> dict[str, float]:
    """loss_share_NAME of every term of a sum, as a loop logs it; nothing for any other loss."""
    return {f"loss_share_{n}": v for n, v in loss_fn.shares().items()} if isinstance(loss_fn, WeightedSum) else {}
