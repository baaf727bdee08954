"""Logistic regression on two half-moons that no straight line parts."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, moons
from torchdoctor import Experiment, Parts


def program(hidden: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        bent = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1))
        model = bent if hidden else nn.Linear(2, 1)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(*moons(), seed))

    return Experiment(build, epochs=25)


CASE = Case(
    source="own",
    task="table, binary",
    faults=(either("insufficient-capacity", "missing-hidden-activation"),),
    faulty=lambda: program(hidden=False),
    fixed=lambda: program(hidden=True),
)
