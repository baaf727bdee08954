"""A small regression in float64 throughout, as physicists have it."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    numbers = torch.Generator().manual_seed(1)
    x = torch.rand(800, 2, generator=numbers, dtype=torch.float64) * 2 - 1
    y = (torch.sin(3 * x[:, :1]) * x[:, 1:]) + 0.01 * torch.randn(800, 1, generator=numbers, dtype=torch.float64)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1)).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(x, y, seed))


CASE = Healthy("points, regression", "another number type", lambda: Experiment(build, epochs=20))
