"""Maxout (Goodfellow et al. 2013): linear layers one behind the other, and the largest of four as the only bend."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


class Maxout(nn.Module):
    def __init__(self, i, o, pieces=4):
        super().__init__()
        self.linear, self.pieces = nn.Linear(i, o * pieces), pieces

    def forward(self, x):
        return self.linear(x).unflatten(1, (-1, self.pieces)).amax(2)


def build(seed):
    x, y = houses(3000)
    torch.manual_seed(seed)
    model = nn.Sequential(Maxout(8, 32), Maxout(32, 16), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.HuberLoss(), optimizer, *loaders(standard(x), standard(y), seed))


CASE = Healthy("table, regression", "no activation layer anywhere", lambda: Experiment(build, 15))
