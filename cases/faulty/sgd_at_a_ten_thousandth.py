"""Sixty rows of seven columns by SGD at 1e-4: a thousand epochs later the loss has hardly moved."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


def program(lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = table(75, 7)
        x = (x - x.min(0).values) / (x.max(0).values - x.min(0).values)
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(7, 60), nn.ReLU(), nn.Linear(60, 100), nn.ReLU(), nn.Linear(100, 30), nn.ReLU(), nn.Linear(30, 2)
        )
        for module in model[::2]:
            nn.init.xavier_uniform_(module.weight)
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed, batch_size=60, held_out=0.2))

    return Experiment(build, epochs=1000)


CASE = Case(
    source="discuss.pytorch.org/t/177433",
    task="table, binary",
    faults=(either("low-learning-rate", "too-few-epochs", "unsuitable-optimizer"),),
    faulty=lambda: program(lr=1e-4),
    fixed=lambda: program(lr=0.1),
)
