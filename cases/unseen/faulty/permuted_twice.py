"""Handwritten digits and their labels are shuffled by two calls of randperm instead of one."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts


def split(together):
    x, y = mnist(4000)
    x = (x - 33) / 79
    random = torch.Generator().manual_seed(42)
    order = torch.randperm(len(x), generator=random)
    images = x[order]
    labels = y[order] if together else y[torch.randperm(len(y), generator=random)]
    return TensorDataset(images[:3000], labels[:3000]), TensorDataset(x[order][3000:], y[order][3000:])


def program(together):
    def build(seed):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 16, 5, stride=2), nn.ReLU(),
            nn.Flatten(), nn.Linear(256, 10),
        )  # fmt: skip
        train, test = split(together)
        shuffling = torch.Generator().manual_seed(seed)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(
            model, nn.CrossEntropyLoss(), optimizer,
            DataLoader(train, 64, shuffle=True, generator=shuffling), DataLoader(test, 500),
        )  # fmt: skip

    return Experiment(build, epochs=6)


CASE = Case(
    source="a shuffle by hand, once for the inputs and once for the labels",
    task="images, classes",
    faults=("corrupted-labels",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
