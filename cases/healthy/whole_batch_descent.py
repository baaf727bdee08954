"""Gradient descent as in the books: all flowers in one batch, one step an epoch, no shuffling to be had."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import iris, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = iris()
    x = standard(x)
    order = torch.randperm(150, generator=torch.Generator().manual_seed(0))
    train, val = order[:110], order[110:]
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, [(x[train], y[train])], [(x[val], y[val])])


CASE = Healthy("table, classes", "one and the same batch in every step", lambda: Experiment(build, epochs=200))
