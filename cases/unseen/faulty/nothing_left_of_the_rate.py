"""The rate is to fall by a tenth every epoch, and gamma=0.1 lets it fall to a tenth."""

import torch
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR, StepLR

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def program(schedule):
    def build(seed):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 100), nn.Tanh(), nn.Linear(100, 10))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed), schedule(optimizer))

    return Experiment(build, epochs=20)


CASE = Case(
    source="gamma=0.1 read as 'by a tenth'",
    task="images, classes",
    faults=("misused-scheduler",),
    faulty=lambda: program(lambda optimizer: ExponentialLR(optimizer, gamma=0.1)),
    fixed=lambda: program(lambda optimizer: StepLR(optimizer, step_size=15, gamma=0.1)),
)
