"""Batches of two under BatchNorm: 'CUDA out of memory' was answered with batch_size=2."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import digits
from torchdoctor import Experiment, Parts


def program(size):
    def build(seed):
        x, y = digits()
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(64, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 48), nn.BatchNorm1d(48), nn.ReLU(),
            nn.Linear(48, 10),
        )  # fmt: skip
        shuffling = torch.Generator().manual_seed(seed)
        train = DataLoader(TensorDataset(x[:1300], y[:1300]), size, shuffle=True, generator=shuffling, drop_last=True)
        val = DataLoader(TensorDataset(x[1300:], y[1300:]), 256)
        return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 3e-3), train, val)

    return Experiment(build, epochs=4)


CASE = Case(
    source="a small card",
    task="images, classes",
    faults=("small-batch",),
    faulty=lambda: program(2),
    fixed=lambda: program(32),
)
