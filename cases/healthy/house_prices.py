"""Prices of Californian districts: logarithms where columns are skewed, unit columns, a price in units of its own."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = houses(3000)
    x = torch.cat([x[:, :3], x[:, 3:].log()], dim=1)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.HuberLoss(), optimizer, *loaders(standard(x), standard(y), seed, 64))


CASE = Healthy("table, regression", "real and skewed columns", lambda: Experiment(build, epochs=20))
