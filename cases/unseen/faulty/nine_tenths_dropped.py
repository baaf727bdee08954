"""Dropout(0.9) after both layers: its author read the number as what is kept."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.fc1 = nn.Linear(784, 64)
        self.fc2 = nn.Linear(64, 64)
        self.fc3 = nn.Linear(64, 10)
        self.drop = nn.Dropout(p)

    def forward(self, x):
        x = self.drop(torch.relu(self.fc1(x.flatten(1))))
        x = self.drop(torch.relu(self.fc2(x)))
        return self.fc3(x)


def program(p):
    def build(seed):
        x, y = mnist(3000, "fashion_mnist")
        torch.manual_seed(seed)
        model = Net(p)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="keep_prob of another library",
    task="images, classes",
    faults=("strong-dropout",),
    faulty=lambda: program(0.9),
    fixed=lambda: program(0.1),
    where=("drop",),
)
