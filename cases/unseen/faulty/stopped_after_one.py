"""A small convolutional net on CIFAR-10 that trains for one epoch, as the notebook's first cell says."""

import torch
from torch import nn

from cases.case import Case
from cases.data import cifar, loaders
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = cifar(2000)
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 24, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(24 * 36, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 127.5 - 1, y, seed, batch_size=32))


CASE = Case(
    source="epochs = 1",
    task="images, classes",
    faults=("too-few-epochs",),
    faulty=lambda: Experiment(build, epochs=1),
    fixed=lambda: Experiment(build, epochs=12),
)
