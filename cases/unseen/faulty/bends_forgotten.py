"""Four linear layers on two rings, and nothing between them."""

import torch
from torch import nn

from cases.case import Case
from cases.data import circles, loaders
from torchdoctor import Experiment, Parts


class RingModel(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.layer_1 = nn.Linear(2, 16)
        self.layer_2 = nn.Linear(16, 16)
        self.layer_3 = nn.Linear(16, 16)
        self.layer_4 = nn.Linear(16, 1)
        self.act = act

    def forward(self, x):
        x = self.act(self.layer_1(x))
        x = self.act(self.layer_2(x))
        x = self.act(self.layer_3(x))
        return self.layer_4(x)


def program(act):
    def build(seed):
        torch.manual_seed(seed)
        model = RingModel(act)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(*circles(1500), seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="the first model of a course, before the lesson on activations",
    task="points, two classes",
    faults=("missing-hidden-activation",),
    faulty=lambda: program(nn.Identity()),
    fixed=lambda: program(nn.ReLU()),
)
