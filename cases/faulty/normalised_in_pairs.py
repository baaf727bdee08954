"""Batch normalisation over two patients at a time: of each number it says only whose is larger."""

import torch
from torch import nn

from cases.case import Case
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


def program(batch_size: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 32), nn.BatchNorm1d(32), nn.ReLU(),
            nn.Linear(32, 1),
        )  # fmt: skip
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed, batch_size))

    return Experiment(build, epochs=8)


CASE = Case(
    source="own, after Wu and He, Group Normalization (2018)",
    task="table, regression",
    faults=("small-batch",),
    faulty=lambda: program(batch_size=2),
    fixed=lambda: program(batch_size=32),
)
