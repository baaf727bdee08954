"""Outliers in the target, the Huber loss against them."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    numbers = torch.Generator().manual_seed(11)
    x = torch.randn(1200, 6, generator=numbers)
    y = (torch.sin(x[:, 0]) + x[:, 1] * x[:, 2])[:, None]
    y[::40] += 15 * torch.randn(30, 1, generator=numbers)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.05)
    return Parts(model, nn.HuberLoss(), optimizer, *loaders(x, standard(y) * 2, seed, batch_size=64))


CASE = Healthy("table, regression", "loss spikes from outliers", lambda: Experiment(build, epochs=20))
