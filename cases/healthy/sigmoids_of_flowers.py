"""Flowers by one layer of sigmoids, as in the textbooks of the nineties, and a rate that suits them."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import iris, loaders, standard
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = iris()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 8), nn.Sigmoid(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), y, seed, 16))


CASE = Healthy("table, classes", "sigmoids in a small net", lambda: Experiment(build, epochs=40))
