"""Softmax over a single unit is 1 whatever it is given: every answer is "yes"."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders
from torchdoctor import Experiment, Parts


def program(last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        y = torch.arange(2000) % 2
        x = y.float()[:, None].expand(-1, 128).clone()  # rows of ones against rows of zeros
        model = nn.Sequential(
            nn.Linear(128, 50), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(50, 50), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(50, 1), last,
        )  # fmt: skip
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
        return Parts(model, nn.BCELoss(), optimizer, *loaders(x, y.float()[:, None], seed))

    return Experiment(build, epochs=3)


CASE = Case(
    source="stackoverflow.com/questions/31880720",
    task="table, binary",
    faults=("wrong-output-activation",),
    faulty=lambda: program(nn.Softmax(dim=1)),
    fixed=lambda: program(nn.Sigmoid()),
    where=("7",),
)
