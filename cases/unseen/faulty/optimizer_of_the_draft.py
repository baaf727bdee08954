"""The net is copied after its optimizer was made: what is trained is the copy, what is stepped is the draft."""

import copy

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Draft(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU()
        )
        self.fc = nn.Linear(16 * 9, 10)

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))


def program(copied_first):
    def build(seed):
        x, y = mnist(2500, "fashion_mnist")
        torch.manual_seed(seed)
        model = Draft()
        if copied_first:
            model = copy.deepcopy(model)
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
        if not copied_first:
            model = copy.deepcopy(model)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed))

    return Experiment(build, epochs=4)


CASE = Case(
    source="a model loaded or copied below the line of its optimizer",
    task="images, classes",
    faults=("stale-optimizer",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
