"""Weights 'initialised' with one number for every layer, to be reproducible."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp = nn.Linear(64, 40)
        self.mid = nn.Linear(40, 40)
        self.out = nn.Linear(40, 10)

    def forward(self, x):
        return self.out(torch.tanh(self.mid(torch.tanh(self.inp(x)))))

    def init_weights(self):
        for layer in (self.inp, self.mid, self.out):
            nn.init.constant_(layer.weight, 0.01)
            nn.init.zeros_(layer.bias)


def program(constant):
    def build(seed):
        torch.manual_seed(seed)
        model = Net()
        if constant:
            model.init_weights()
        return Parts(
            model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 2e-3), *loaders(*digits(), seed)
        )

    return Experiment(build, epochs=12)


CASE = Case(
    source="nn.init.constant_",
    task="images, classes",
    faults=("symmetric-init",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
