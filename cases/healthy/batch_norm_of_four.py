"""Batch normalisation over batches of four samples: noisy, and it learns."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = digits(images=True)
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Flatten(), nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x[:1000], y[:1000], seed, batch_size=4))


CASE = Healthy("images, classes", "rough batch statistics", lambda: Experiment(build, epochs=8))
