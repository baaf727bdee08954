"""Dear districts as 1 and others as -1, in a binary cross-entropy that expects 1 and 0."""

import torch
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


def program(signed):
    def build(seed):
        x, price = houses(4000)
        dear = (price > price.median()).float().squeeze(1)
        target = 2 * dear - 1 if signed else dear
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(standard(x), target, seed))

    def accuracy(model, loader):
        return float(torch.cat([(model(x) > 0) == (y > 0.5) for x, y in loader]).float().mean())

    return Experiment(build, epochs=15, score=accuracy)


CASE = Case(
    source="labels prepared for another library",
    task="table, two classes",
    faults=("invalid-labels",),
    faulty=lambda: program(True),
    fixed=lambda: program(False),
)
