"""Columns of a table of tumours are divided by their maximum before the cast to float: nearly all become 0."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, tumours
from torchdoctor import Experiment, Parts


def prepare(x, early_cast):
    if early_cast:
        return x / x.max(0).values
    whole = (x * 10_000).round().long()  # kept as integers, as the table's file has them
    return (whole // whole.max(0).values).float()


def program(early_cast):
    def build(seed):
        x, y = tumours()
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(prepare(x, early_cast), y, seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="// for /",
    task="table, two classes",
    faults=("constant-features",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
