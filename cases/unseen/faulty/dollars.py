"""The median price of a district in dollars, by a well-scaled net with Adam's usual rate."""

from itertools import pairwise

import torch
from torch import nn

from cases.case import Case
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


def mlp(sizes):
    layers = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.LeakyReLU()]
    return nn.Sequential(*layers[:-1])


def program(unit):
    def build(seed):
        features, price = houses(3000)
        torch.manual_seed(seed)
        model = mlp([8, 64, 32, 1])
        optimizer = torch.optim.Adam(model.parameters())
        return Parts(model, nn.MSELoss(), optimizer, *loaders(standard(features), price / unit, seed))

    return Experiment(build, epochs=20)


CASE = Case(
    source="a loss of 50,000,000,000 on the first page of a question",
    task="table, regression",
    faults=("unscaled-targets",),
    faulty=lambda: program(1.0),
    fixed=lambda: program(100_000.0),
)
