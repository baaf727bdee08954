"""A rate of a million million: a sigmoid keeps the loss finite, and nothing is left to learn with."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, moons
from torchdoctor import Experiment, Parts


def program(lr: float) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1), nn.Sigmoid())
        optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        return Parts(model, nn.MSELoss(), optimizer, *loaders(*moons(600), seed))

    return Experiment(build, epochs=15)


CASE = Case(
    source="own",
    task="points, binary",
    faults=("high-learning-rate",),
    faulty=lambda: program(lr=1e12),
    fixed=lambda: program(lr=0.3),
)
