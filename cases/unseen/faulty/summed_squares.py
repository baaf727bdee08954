"""Disease progress with MSELoss(reduction='sum'), and the learning rate of its mean."""

import torch
from torch import nn

from cases.case import Case
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 20), nn.ELU(), nn.Linear(20, 1))

    def forward(self, x):
        return self.body(x)


def program(reduction):
    def build(seed):
        x, y = diabetes()
        torch.manual_seed(seed)
        model = Regressor()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
        return Parts(model, nn.MSELoss(reduction=reduction), optimizer, *loaders(x, standard(y), seed, batch_size=64))

    return Experiment(build, epochs=30)


CASE = Case(
    source="reduction='sum', copied from an autoencoder",
    task="table, regression",
    faults=("summed-loss",),
    faulty=lambda: program("sum"),
    fixed=lambda: program("mean"),
)
