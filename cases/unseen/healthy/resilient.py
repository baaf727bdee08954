"""Rprop (Riedmiller and Braun 1993), whole table at once: steps that grow and shrink, whatever the gradient's size."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import standard, wine
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = wine()
    x = standard(x)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(9))
    train, val = order[:120], order[120:]
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(13, 12), nn.Tanh(), nn.Linear(12, 3))
    optimizer = torch.optim.Rprop(model.parameters(), lr=1e-3, step_sizes=(1e-6, 0.1))
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    return Parts(model, loss, optimizer, [(x[train], y[train])], [(x[val], y[val])])


CASE = Healthy("table, classes", "one and the same batch in every step", lambda: Experiment(build, 80))
