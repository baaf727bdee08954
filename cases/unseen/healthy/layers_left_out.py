"""Stochastic depth (Huang et al. 2016): half of the blocks are left out in training, so the loss jumps about."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Skipped(nn.Module):
    def __init__(self, block, alive):
        super().__init__()
        self.block, self.alive = block, alive

    def forward(self, x):
        if not self.training:
            return x + self.alive * self.block(x)
        return x + self.block(x) if torch.rand(()) < self.alive else x


def block():
    return nn.Sequential(nn.LayerNorm(48), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 48))


def build(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 48), *(Skipped(block(), 0.5) for _ in range(5)), nn.Linear(48, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))


CASE = Healthy("images, classes", "blocks without a gradient in half of the steps", lambda: Experiment(build, 15))
