"""Activations are thrown away in the forward pass and computed again in the backward pass, to save memory."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Deep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, 64)
        self.blocks = nn.ModuleList(nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 64), nn.GELU()) for _ in range(4))
        self.last = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = x + checkpoint(block, x, use_reentrant=False)
        return self.last(x)


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Deep()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed, 64))


CASE = Healthy("images, classes", "two forward passes a step", lambda: Experiment(build, epochs=12))
