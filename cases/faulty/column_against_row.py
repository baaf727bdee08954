"""Outputs of (N, 1) against targets of (N,): every prediction is compared with every target."""

import torch
from torch import nn

from cases.case import Case
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


def program(row: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        y = standard(y)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, y[:, 0] if row else y, seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own, after PyTorch forum threads on broadcasting",
    task="table, regression",
    faults=("broadcast-loss",),
    faulty=lambda: program(row=True),
    fixed=lambda: program(row=False),
)
