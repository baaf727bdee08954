"""Wine by six tanh units and a good deal of weight decay: few samples, few weights."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, standard, wine
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = wine()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(13, 6), nn.Tanh(), nn.Linear(6, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), y, seed, 16))


CASE = Healthy("table, classes", "little data, few units, decay", lambda: Experiment(build, epochs=20))
