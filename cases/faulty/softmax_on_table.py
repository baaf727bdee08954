"""Softmax inside the model and CrossEntropyLoss after it, which takes the softmax once more."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Case
from cases.data import loaders, table
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self, normalise: bool) -> None:
        super().__init__()
        self.normalise = normalise
        self.input = nn.Linear(11, 64)
        self.middle = nn.ModuleList([nn.Linear(64, 64), nn.Linear(64, 32), nn.Linear(32, 32)])
        self.drop = nn.Dropout(0.15)
        self.output = nn.Linear(32, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.input(x))
        for layer in self.middle:
            x = self.drop(F.relu(layer(x)))
        x = self.output(x)
        return F.softmax(x, dim=1) if self.normalise else x


def program(normalise: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Net(normalise)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*table(1500, 11, 4), seed))

    return Experiment(build, epochs=25)


CASE = Case(
    source="discuss.pytorch.org/t/155381",
    task="table, classes",
    faults=("redundant-output-activation",),
    faulty=lambda: program(normalise=True),
    fixed=lambda: program(normalise=False),
)
