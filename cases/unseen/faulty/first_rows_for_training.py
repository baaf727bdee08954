"""Penguins lie in their file kind by kind: the first 60 of 100 rows hold two kinds of three."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import penguins
from torchdoctor import Experiment, Parts


def data(shuffle_first):
    x, y = penguins()
    keep = ~x.isnan().any(1)
    x, y = x[keep], y[keep]
    if shuffle_first:
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
        x, y = x[order], y[order]
    n = int(0.6 * len(x))
    mean, std = x[:n].mean(0), x[:n].std(0)
    x = (x - mean) / std
    return TensorDataset(x[:n], y[:n]), TensorDataset(x[n:], y[n:])


def program(shuffle_first):
    def build(seed):
        torch.manual_seed(seed)
        train, test = data(shuffle_first)
        model = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        shuffling = torch.Generator().manual_seed(seed)
        return Parts(
            model, nn.CrossEntropyLoss(), optimizer,
            DataLoader(train, 16, shuffle=True, generator=shuffling), DataLoader(test, 16),
        )  # fmt: skip

    return Experiment(build, epochs=25)


CASE = Case(
    source="x[:n] and x[n:] of a file that is sorted",
    task="table, classes",
    faults=("unshuffled-split",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
