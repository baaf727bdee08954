"""A net of residual blocks kept in a Python list: the optimizer never hears of them."""

import torch
from torch import nn

from cases.case import Case
from cases.data import cifar, loaders
from torchdoctor import Experiment, Parts


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return x + torch.relu(self.norm(self.conv(x)))


class Net(nn.Module):
    def __init__(self, depth, registered):
        super().__init__()
        self.register_buffer("mean", torch.tensor([125.0, 123.0, 114.0]).view(1, 3, 1, 1))
        stem, blocks = nn.Conv2d(3, 16, 4, stride=4), [Block(16) for _ in range(depth)]
        self.stem = nn.ModuleList([stem]) if registered else [stem]
        self.blocks = nn.ModuleList(blocks) if registered else blocks
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem[0]((x - self.mean) / 60)
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))


def program(registered):
    def build(seed):
        torch.manual_seed(seed)
        model = Net(4, registered)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*cifar(2000), seed))

    return Experiment(build, epochs=10)


CASE = Case(
    source="a loop over layers, written as Python writes loops",
    task="images, classes",
    faults=("unregistered-parameter",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
