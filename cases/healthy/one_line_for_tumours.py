"""Logistic regression: one linear layer, which is all that these measurements need."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    x, y = tumours()
    torch.manual_seed(seed)
    model = nn.Linear(30, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1e-3)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(standard(x), y.float()[:, None], seed))


CASE = Healthy("table, binary", "no hidden layer at all", lambda: Experiment(build, epochs=20))
