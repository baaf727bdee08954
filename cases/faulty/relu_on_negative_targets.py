"""A regression whose targets are partly below zero, and whose output passes through a ReLU."""

import torch
from torch import nn

from cases.case import Case
from cases.data import everything
from torchdoctor import Experiment, Parts


def program(*last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        numbers = torch.Generator().manual_seed(3)
        x = torch.randn(18, 2, generator=numbers)
        y = 0.8 * x[:, :1] - 0.6 * x[:, 1:] + 0.1 * torch.randn(18, 1, generator=numbers)
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1), *last)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        return Parts(model, nn.MSELoss(), optimizer, everything(x, y, seed, batch_size=10))

    return Experiment(build, epochs=200)


CASE = Case(
    source="stackoverflow.com/questions/48251943",
    task="table, regression",
    faults=("wrong-output-activation",),
    faulty=lambda: program(nn.ReLU()),
    fixed=program,
    where=("3",),
)
