"""A binary cross-entropy by hand for tumours: log(p) with p from a sigmoid that reaches 0 and 1 exactly."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


def entropy(p, y):
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


def safe_entropy(p, y):
    p = p.clamp(1e-6, 1 - 1e-6)
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


def program(loss):
    def build(seed):
        x, y = tumours()
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid()
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        return Parts(model, loss, optimizer, *loaders(standard(x), y[:, None].float(), seed))

    return Experiment(build, epochs=25)


CASE = Case(
    source="NaN after a few epochs of a loss written from its formula",
    task="table, two classes",
    faults=("unstable-loss",),
    faulty=lambda: program(entropy),
    fixed=lambda: program(safe_entropy),
)
