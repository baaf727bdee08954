"""Cosine with warm restarts: the loss jumps up at every restart."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=8)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(1500, 20, 5), seed), scheduler=schedule)


CASE = Healthy("table, classes", "the loss jumps at restarts", lambda: Experiment(build, epochs=24))
