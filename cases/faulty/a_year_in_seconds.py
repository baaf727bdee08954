"""In a handful of rows one measurement is in another unit, ten thousand times as large."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


def program(rows: int) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = diabetes()
        x = x.clone()
        x[:rows, 3] = 1e4 * (1 + x[:rows, 3].abs())
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="own",
    task="table, regression",
    faults=(either("outlying-samples", "unscaled-inputs"),),
    faulty=lambda: program(rows=6),
    fixed=lambda: program(rows=0),
)
