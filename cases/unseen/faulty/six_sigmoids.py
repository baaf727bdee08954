"""A net for digits from a book of the nineties, made deeper: six hidden layers of sigmoids."""

import torch
from torch import nn

from cases.case import Case, either
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def tower(activation, depth=6, width=48):
    layers = [nn.Linear(64, width), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def program(activation):
    def build(seed):
        torch.manual_seed(seed)
        model = tower(activation)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="sigmoids all the way",
    task="images, classes",
    faults=(either("saturating-activation", "excessive-depth"),),
    faulty=lambda: program(nn.Sigmoid),
    fixed=lambda: program(nn.ReLU),
)
