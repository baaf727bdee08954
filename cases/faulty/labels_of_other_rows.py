"""The labels of a table were sorted apart from its rows: they belong to other samples."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


def program(apart: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = table(1500, 20, 3)
        y = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(5))] if apart else y
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own, after Zhang et al., Understanding Deep Learning Requires Rethinking Generalization (2017)",
    task="table, classes",
    faults=("corrupted-labels",),
    faulty=lambda: program(apart=True),
    fixed=lambda: program(apart=False),
)
