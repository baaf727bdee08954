"""Forty penguins to learn from: little, but enough for three kinds that lie far apart, with weight decay."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.data import penguins
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = penguins()
    keep = ~x.isnan().any(1)
    order = torch.randperm(int(keep.sum()), generator=torch.Generator().manual_seed(4))
    x, y = x[keep][order], y[keep][order]
    x = (x - x[:40].mean(0)) / x[:40].std(0)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02, weight_decay=0.1)
    train = TensorDataset(x[:40], y[:40])
    return Parts(
        model, nn.CrossEntropyLoss(), optimizer,
        DataLoader(train, 10, shuffle=True, generator=torch.Generator().manual_seed(seed)),
        DataLoader(TensorDataset(x[40:], y[40:]), 302),
    )  # fmt: skip


CASE = Healthy("table, classes", "forty samples", lambda: Experiment(build, 40))
