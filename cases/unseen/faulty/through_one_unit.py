"""A net for clothes with one unit in its middle: Linear(64, 1), Linear(1, 64)."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Hourglass(nn.Module):
    def __init__(self, waist):
        super().__init__()
        self.top = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU())
        self.waist = nn.Linear(64, waist)
        self.bottom = nn.Sequential(nn.Linear(waist, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x):
        return self.bottom(self.waist(self.top(x)))


def program(waist):
    def build(seed):
        x, y = mnist(3000, "fashion_mnist")
        torch.manual_seed(seed)
        model = Hourglass(waist)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed))

    return Experiment(build, epochs=7)


CASE = Case(
    source="sizes typed by hand",
    task="images, classes",
    faults=("narrow-bottleneck",),
    faulty=lambda: program(1),
    fixed=lambda: program(32),
    where=("waist",),
)
