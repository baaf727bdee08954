"""Batch normalisation keeps no running statistics, so evaluation depends on who else is in the batch."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


def program(remembers: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(10, 16), nn.BatchNorm1d(16, track_running_stats=remembers), nn.ReLU(), nn.Linear(16, 1)
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=1e-2)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed))

    return Experiment(build, epochs=12)


CASE = Case(
    source="own",
    task="table, regression",
    faults=(either("mode-insensitive-layer", "mixed-batch"),),
    faulty=lambda: program(remembers=False),
    fixed=lambda: program(remembers=True),
    where=("1",),
)
