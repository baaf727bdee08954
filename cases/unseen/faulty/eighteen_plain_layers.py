"""Eighteen ReLU layers one behind the other, plain, under SGD."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Plain(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.first = nn.Linear(196, 32)
        self.hidden = nn.ModuleList(nn.Linear(32, 32) for _ in range(depth))
        self.last = nn.Linear(32, 10)

    def forward(self, x):
        h = torch.relu(self.first(x.flatten(1)))
        for layer in self.hidden:
            h = torch.relu(layer(h))
        return self.last(h)


def program(depth):
    def build(seed):
        x, y = mnist(2500, "fashion_mnist")
        torch.manual_seed(seed)
        model = Plain(depth)
        small = nn.functional.avg_pool2d(x / 255 - 0.3, 2)
        return Parts(
            model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9),
            *loaders(small, y, seed),
        )  # fmt: skip

    return Experiment(build, epochs=5)


CASE = Case(
    source="deeper is better",
    task="images, classes",
    faults=(either("excessive-depth", "missing-normalization"),),
    faulty=lambda: program(18),
    fixed=lambda: program(2),
)
