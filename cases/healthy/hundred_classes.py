"""A hundred overlapping classes: much better than chance, far from perfect, and no better to be had."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import blobs, loaders, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = blobs(4000, classes=100, features=8, spread=5.0)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(8, 128), nn.ReLU(), nn.Linear(128, 100))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 15)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), y, seed), scheduler=schedule)


CASE = Healthy("table, classes", "a low score that is the best one", lambda: Experiment(build, epochs=15))
