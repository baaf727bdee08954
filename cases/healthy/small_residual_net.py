"""Residual blocks with batch normalisation on clothes, by SGD with decay and a staircase of rates."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Healthy
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm2.weight)  # every block begins as the identity

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = F.relu(self.norm1(self.conv1(x)))
        return F.relu(x + self.norm2(self.conv2(out)))


def build(seed: int) -> Parts:
    x, y = mnist(1200, "fashion_mnist")
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, stride=2), nn.ReLU(), Block(12), nn.MaxPool2d(2), Block(12),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [8, 11])
    data = loaders((x - 73) / 90, y, seed, batch_size=64)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *data, scheduler=schedule)


CASE = Healthy("images, classes", "scales that begin at zero, a rate of 0.1", lambda: Experiment(build, epochs=13))
