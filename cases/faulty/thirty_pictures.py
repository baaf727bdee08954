"""A convolutional net on 30 pictures of ten kinds of clothes: `[:30]` was put there for a first try and stayed."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts


def program(n):
    epochs = 60 if n < 100 else 4

    def build(seed):
        x, y = mnist(3500, "fashion_mnist")
        x = x / 255
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(1, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10)
        )
        shuffling = torch.Generator().manual_seed(seed)
        train = DataLoader(TensorDataset(x[:n], y[:n]), 32, shuffle=True, generator=shuffling)
        val = DataLoader(TensorDataset(x[3000:], y[3000:]), 250)
        return Parts(net, nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters(), lr=2e-3), train, val)

    return Experiment(build, epochs=epochs)


CASE = Case(
    source="a slice for debugging",
    task="images, classes",
    faults=("too-few-samples",),
    faulty=lambda: program(30),
    fixed=lambda: program(3000),
)
