"""Disease progress by a linear model: half of the variance is all that these ten measurements tell."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import diabetes, loaders, standard
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = diabetes()
    torch.manual_seed(seed)
    model = nn.Linear(10, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, weight_decay=0.01)
    return Parts(model, nn.MSELoss(), optimizer, *loaders(x, standard(y), seed, batch_size=32))


CASE = Healthy("table, regression", "a loss that stays at one half", lambda: Experiment(build, 40))
