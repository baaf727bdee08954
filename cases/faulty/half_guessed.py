"""Clothes named by a crowd: 45 of 100 training labels are somebody's guess."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts


def crowd(y, share):
    random = torch.Generator().manual_seed(11)
    guessed = torch.rand(len(y), generator=random) < share
    return torch.where(guessed, torch.randint(10, y.shape, generator=random), y)


def program(share):
    def build(seed):
        x, y = mnist(3000)
        x = x.flatten(1) / 255
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
        train = TensorDataset(x[:2000], crowd(y[:2000], share))
        shuffling = torch.Generator().manual_seed(seed)
        return Parts(
            model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=2e-3),
            DataLoader(train, 32, shuffle=True, generator=shuffling),
            DataLoader(TensorDataset(x[2000:], y[2000:]), 500),
        )  # fmt: skip

    return Experiment(build, epochs=15)


CASE = Case(
    source="cheap labels, checked by nobody",
    task="images, classes",
    faults=("noisy-labels",),
    faulty=lambda: program(0.45),
    fixed=lambda: program(0.0),
)
