"""Thirteen measurements of wine, from 0.1 to 1,700, go into the net as they were measured."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, standard, wine
from torchdoctor import Experiment, Parts


def program(scaled: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = wine()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x) if scaled else x, y, seed, 16))

    return Experiment(build, epochs=60)


CASE = Case(
    source="own, after many questions of the kind",
    task="table, classes",
    faults=("unscaled-inputs",),
    faulty=lambda: program(scaled=False),
    fixed=lambda: program(scaled=True),
)
