"""Thirty flowers to learn from, with weight decay, and all is well."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import iris, loaders, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = iris()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), y, seed, batch_size=10, held_out=0.8))


CASE = Healthy("table, classes", "tiny data", lambda: Experiment(build, epochs=40))
