"""Batches of 512 cut from 1,350 rows, for eight epochs: 24 updates in all."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


def program(batch_size: int) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(1800, 20, 6), seed, batch_size))

    return Experiment(build, epochs=8)


CASE = Case(
    source="own, after stackoverflow.com/questions/48594888",
    task="table, classes",
    faults=(either("large-batch", "too-few-epochs"),),
    faulty=lambda: program(batch_size=512),
    fixed=lambda: program(batch_size=32),
)
