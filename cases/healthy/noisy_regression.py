"""Nine tenths of the target's variance are noise."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    numbers = torch.Generator().manual_seed(6)
    x = torch.randn(3000, 8, generator=numbers)
    y = standard(x[:, :1] + x[:, 1:2] + 4 * torch.randn(3000, 1, generator=numbers))
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-3)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(x, y, seed, batch_size=64))


CASE = Healthy("table, regression", "a loss near the variance of the target", lambda: Experiment(build, epochs=15))
