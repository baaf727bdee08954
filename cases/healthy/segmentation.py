"""A class for every pixel, where most pixels are background."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, spots
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, _ = spots(400)
    y = (x[:, 0] > 0.5).long()
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 2, 1),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed))


CASE = Healthy("images, segmentation", "nearly all targets are one class", lambda: Experiment(build, epochs=8))
