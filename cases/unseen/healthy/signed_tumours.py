"""Tumours as -1 and 1, which is what SoftMarginLoss takes."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, standard, tumours
from torchdoctor import Experiment, Parts


class Margin(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(30, 20)
        self.score = nn.Linear(20, 1)

    def forward(self, x):
        return self.score(torch.relu(self.hidden(x))).squeeze(-1)


def build(seed):
    x, y = tumours()
    torch.manual_seed(seed)
    model = Margin()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1e-3)
    return Parts(model, nn.SoftMarginLoss(), optimizer, *loaders(standard(x), 2.0 * y - 1, seed))


def accuracy(model, loader):
    return float(torch.cat([model(x).sign() == y for x, y in loader]).float().mean())


CASE = Healthy("table, two classes", "labels of -1 and 1", lambda: Experiment(build, 30, score=accuracy))
