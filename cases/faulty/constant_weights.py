"""A regression whose weights all begin as 0.1, "so that runs can be repeated"."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders
from torchdoctor import Experiment, Parts


def program(constant: bool) -> Experiment:
    def build(seed: int) -> Parts:
        numbers = torch.Generator().manual_seed(8)
        x = torch.randn(800, 6, generator=numbers)
        y = (torch.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2])[:, None]
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
        if constant:
            for parameter in model.parameters():
                nn.init.constant_(parameter, 0.1)
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(x, y, seed))

    return Experiment(build, epochs=30)


CASE = Case(
    source="own",
    task="table, regression",
    faults=("symmetric-init",),
    faulty=lambda: program(constant=True),
    fixed=lambda: program(constant=False),
    where=("0.weight", "2.weight"),
)
